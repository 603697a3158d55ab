"""The open model's card: its data, recipe, figures and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...motion_tools.timing import MOTION_FPS
from ...speech_model.config import load_config
from ..corpus.engines import catalogue
from ..evaluation.clip_measures import Words
from ..evaluation.report import AT_LEAST, AT_MOST, LEAST_TIMES_REAL_TIME, MEASURES, as_table
from ..evaluation.robustness import MOST_OPENING_WITHOUT_SPEECH, Robustness, as_tables
from ..evaluation.voice_scores import VoiceScores
from ..run.config import RunConfig
from .recipe import Recipe, Run

# The words that a model is given when it is evaluated, and the fraction of wrong ones, by the suffix of the scores.
TRANSCRIPTS: dict[str, tuple[Words, float]] = {
    "": ("none", 0.0),
    "_auto": ("auto", 0.0),
    "_transcript": ("exact", 0.0),
    "_wrong_words": ("exact", 0.1),
}
_TITLES = {
    "": "",
    "_auto": ", with the words of its own recogniser",
    "_transcript": ", with transcript",
    "_wrong_words": ", with 10 % wrong words in the transcript",
}
_LIMIT = 200  # clips per part of the evaluations in the card
_RISING = 0.95  # bar of `intensity_rising`
_WITH_TRANSCRIPT_AT_LEAST = {"opening_r": 0.95, "closure_f1": 0.97}  # bars on a held-out engine, with the exact text


@dataclass(frozen=True)
class Bar:
    """A bar of the shipped weights on a part.

    Attributes:
        measure: a key of `MEASURES`.
        sign: "≥" or "≤".
        value: of the bar.
        suffix: a key of `TRANSCRIPTS`.
    """

    measure: str
    sign: Literal["≥", "≤"]
    value: float
    suffix: str = ""


_NEURAL_BARS = (
    Bar("rest_closed", "≥", 0.95),
    Bar("opening_speed", "≥", 0.85),
    Bar("opening_speed", "≤", 1.05),
    Bar("closing_speed", "≥", 0.85),
    Bar("closing_speed", "≤", 1.05),
    Bar("jitter", "≤", 1.0),
    Bar("emotion_closure_loss", "≤", 0.02),
    Bar("emotion_opening_loss", "≤", 0.03),
    Bar("closure_f1", "≥", 0.95, "_auto"),
    Bar("closure_f1", "≥", 0.98, "_transcript"),
)
JUDGE_BARS: dict[str, tuple[Bar, ...]] = {
    "kokoro_unseen_validation": (Bar("opening_r", "≥", 0.91), Bar("closure_f1", "≥", 0.96), *_NEURAL_BARS),
    "joe_validation": (Bar("opening_r", "≥", 0.88), Bar("closure_f1", "≥", 0.90), *_NEURAL_BARS),
}
"""Bars of the shipped weights on voices that behave like people, by part."""
_JUDGE_MEASURES = (
    "opening_r", "jaw_r", "width_r", "closure_f1", "inner_closure_f1", "rest_closed", "phone_accuracy", "opening_speed",
    "closing_speed", "jitter", "emotional_opening_r", "emotional_closure_f1", "emotional_rest_closed",
)  # fmt: skip
_JUDGE_HEADS = ("clips", *(MEASURES[name] for name in _JUDGE_MEASURES))

_CARD = """# {name}

The speech model of EMOTE for Blender. Its input is speech, an emotion, an intensity and a speaker style, and optionally
a transcript. Its output is {expression} expression components of the open head and a jaw rotation, at {fps} fps. The
architecture is EMOTE's at a small size: a style condition, a transformer, and a FLINT motion prior with one latent for
every {frames_per_latent} frames. The audio encoder works on log-mel spectrograms. {parameters:.2f} million parameters,
{megabytes:.1f} MB.

Licence: {licence}. The speech is synthetic. The motion is computed by this project's articulation model and emotion
styles; no recording of a face was used.

## Data

{hours:g} hours of speech from engines and voices whose licences allow this use. The older engines report when each
phone is spoken. hibari and Kokoro are neural voices: they predict durations, which run late and swallow pauses.
Pauses are therefore cut by sound level, and the times are corrected by alignment with models of this recipe. The last
columns are the hours of windows that the two evaluated runs were trained on, including the runs that they continue
from:

{corpus}

The evaluation uses sentences generated with other seeds:

{validation}

| engine and voices | licence |
|---|---|
{licences}

Sentences come from a small grammar, a word list, and invented words in the spelling of other languages. The varied
parts and the neural voices add single words, commands, lists, several sentences at once, short and long pauses,
breaths and a changing rate. Windows are augmented: equaliser, band limits, room, noise, babble, speed ±20 %, shifted
formants, sharper or flatter spectra, mixed envelopes, masked times and bands, loud moments, and noise or breath
alone. Emotion, intensity (continuous, 0–2) and speaker style are drawn anew for each window; one window in six mixes
two emotions or changes from one to another.

## Recipe

`python build.py model` repeats everything from code (`--quick` takes the same steps in a minute). Each run is
`emote_blender train` with one of the project's config files, in this order:

{runs}

## Figures

Two kinds of neural voices stand for people, because they order models as recordings of people do: eight styles of
Kokoro-82M, and the Piper voice joe. Nothing is trained on them. Their sentences are in no training text, and the phones
of their references come from a forced alignment by pocketsphinx, not from a model of this project.

Lips, jaw and face are measured on the posed mesh against the reference motion of the same clip.

- p b m closed: the lip gap is below 0.5 mm within the sound, give or take one frame. A run of closed frames is false if
  the reference is open throughout.
- f v at the teeth: the lower lip comes as near to the upper teeth as the reference's, to within 1 mm.
- p b m inside speech: the same for those that touch no silence.
- Closed at rest: of the frames that are two or more away from speech, and in which the reference is closed.
- Peak speeds: the largest step of the lip gap before and after the middle of each syllable.
- Largest loss in any emotion: of the figure of neutral, at full intensity of the emotion that lowers it most.
- Jitter: energy above 8 Hz, relative to the reference's.
- Emotion recognised: by a judge that no training used, at full intensity.
- Emotion strength: distance from the neutral face, relative to the reference's.

Arrows point in the better direction; × is relative to the reference.
{judges}{bars}{robustness}{figures}
{sections}## Limits

- Training and evaluation used synthetic speech only. The neural voices order models as recordings of people do, but
  people are recognised less well than they are: expect lower figures.
- Without a transcript, phones are recognised from the sound alone: m is sometimes taken for n, and rounding is too weak
  if the model is unsure. A transcript whose words differ from the spoken ones is partly followed.
- Music and noise without speech may move the mouth a little. Silence and pauses between words leave it at rest.
- Results are poor for singing and strong noise, and weaker for whispering: see the table of recordings as they are.
- The model does not generate blinks, gaze or head motion, because speech does not determine them.
- The emotions are this project's written styles, not those of real actors.
"""


def write_card(
    path: Path,
    recipe: Recipe,
    scores: Mapping[str, Sequence[VoiceScores]],
    times_real_time: float,
    sections: Mapping[str, str] | None = None,
    robustness: Robustness | None = None,
) -> None:
    """Write the card beside the weights.

    Args:
        path: of the card, in a model folder.
        recipe: the corpus and runs that the card describes.
        scores: of the evaluated runs by name, with a suffix of `TRANSCRIPTS`.
        times_real_time: speed of encoding and generating one motion from the sound alone, of the slowest evaluation.
        sections: more text by title.
        robustness: of the shipped run on the judging voices; None if they were not installed.
    """
    config = load_config(path.parent)
    size = (path.parent / "model.safetensors").stat().st_size
    text = _CARD.format(
        name=config.name,
        expression=config.num_expression,
        fps=config.fps,
        frames_per_latent=config.flint.frames_per_latent,
        parameters=size / 4e6,
        megabytes=size / 1e6,
        licence=config.licence,
        hours=sum(part.hours for part in recipe.corpus),
        corpus=_corpus(recipe),
        validation=_validation(recipe, scores),
        licences="\n".join(f"| {name} | {licence} |" for name, licence in catalogue.LICENCES.items()),
        runs="\n".join(f"{number}. {_run_line(recipe, run)}" for number, run in enumerate(recipe.runs, start=1)),
        judges=_judges(recipe, scores),
        robustness=_robustness(robustness),
        bars=_bars(recipe, scores, times_real_time, size / 1e6),
        figures=_figures(recipe, scores),
        sections="".join(f"## {title}\n\n{block}\n\n" for title, block in (sections or {}).items()),
    )
    path.write_text(text, encoding="utf-8")


def _corpus(recipe: Recipe) -> str:
    """The table of the training parts."""
    used = [hours_drawn(recipe, name) for name in (recipe.held_out, recipe.shipped)]
    lines = [
        f"| part | engine | hours | used by `{recipe.held_out}` | used by `{recipe.shipped}` |",
        "|---|---|---:|---:|---:|",
    ]
    for part in recipe.corpus:
        drawn = " | ".join(f"{hours.get(part.name, 0.0):.3g}" for hours in used)
        lines.append(f"| {part.name} | {part.engine} | {part.hours:g} | {drawn} |")
    return "\n".join(lines)


def _validation(recipe: Recipe, scores: Mapping[str, Sequence[VoiceScores]]) -> str:
    """The table of the parts that the shipped run was evaluated on."""
    judged = {row.voice for row in scores[recipe.shipped]}
    lines = ["| part | engine | hours |", "|---|---|---:|"]
    for part in recipe.validation:
        if f"{part.name} (all)" in judged:
            lines.append(f"| {part.name} | {part.engine} | {part.hours:g} |")
    return "\n".join(lines)


def hours_drawn(recipe: Recipe, name: str) -> dict[str, float]:
    """The hours of windows of each part that a run and those that it continues from are trained on, by its shares."""
    hours: dict[str, float] = {}
    for run in recipe.line_of(name):
        config = recipe.config(run)
        shares = config.tables["data"]["shares"]
        drawn = _num_steps(config) * config.trainer.accumulate * _batch_seconds(config) / 3600
        for name_of_part, share in shares.items():
            part = recipe.source_of(name_of_part)
            hours[part] = hours.get(part, 0.0) + drawn * share / sum(shares.values())
    return hours


def _num_steps(config: RunConfig) -> int:
    if config.trainer.num_steps is None:
        raise ValueError(f"{config.name}: the corpus has no epochs")
    return config.trainer.num_steps


def _batch_seconds(config: RunConfig) -> float:
    """The seconds of speech in a batch."""
    data = config.tables["data"]
    return data["batch_size"] * data["num_frames"] / MOTION_FPS


def _run_line(recipe: Recipe, run: Run) -> str:
    """The description of a run in one line."""
    config = recipe.config(run)
    data = config.tables["data"]
    start = f" from `{run.start}`" if run.start else ""
    parts = ", ".join(data.get("shares") or data["parts"])
    aligned = ", ".join(f"{part.name} from {part.source}" for part in recipe.aligned_by(run.name))
    aligning = f" Its model then aligns the phones of {aligned}." if aligned else ""
    return (
        f"`{run.name}`: `train {config.task}`, `{Path(config.name).stem}`{start}; {_num_steps(config)} steps of "
        f"{_batch_seconds(config):.3g} s of speech; trained on {parts}.{aligning}"
    )


def _figures(recipe: Recipe, scores: Mapping[str, Sequence[VoiceScores]]) -> str:
    """The tables of all figures under their headings."""
    families = recipe.held_out_families(recipe.held_out)
    titles = {
        recipe.held_out: f"The run **without {' and '.join(families)}**" if families else "The run before the last",
        recipe.shipped: "The shipped weights",
    }
    blocks = []
    for name, title in titles.items():
        for suffix, how in _TITLES.items():
            if name + suffix in scores:
                blocks.append(f"\n### {title}{how} (`{name}`)\n\n{as_table(scores[name + suffix])}\n")
    return "".join(blocks)


def _judges(recipe: Recipe, scores: Mapping[str, Sequence[VoiceScores]]) -> str:
    """The shipped run's figures and bars on the judging voices, with the commands to repeat them."""
    parts = [part for part in JUDGE_BARS if _row(scores[recipe.shipped], part)]
    blocks = []
    if parts:
        blocks.append("\n### Voices that behave like people (the shipped weights)\n")
        found = [
            (f"{part}{_TITLES[suffix]}", row)
            for part in parts
            for suffix in ("", "_auto", "_transcript")
            if (row := _row(scores.get(recipe.shipped + suffix, ()), part))
        ]
        lines = [f"| | {' | '.join(_JUDGE_HEADS)} |", "|---|" + "---:|" * len(_JUDGE_HEADS)]
        for name, row in found:
            figures = " | ".join(f"{getattr(row, measure):.3f}" for measure in _JUDGE_MEASURES)
            lines.append(f"| {name} | {row.utterances} | {figures} |")
        blocks.append("\n".join(lines) + "\n")
    for part in parts:
        lines = [f"| the shipped weights on {part} | bar | figure |", "|---|---:|---:|"]
        for bar in JUDGE_BARS[part]:
            row = _row(scores.get(recipe.shipped + bar.suffix, ()), part)
            if row is not None:
                how = _TITLES[bar.suffix].removeprefix(", ")
                label = f"{how}: {MEASURES[bar.measure]}" if how else MEASURES[bar.measure]
                lines.append(_bar(label, bar.sign, bar.value, getattr(row, bar.measure)))
        command = f"python -m emote_blender evaluate emote_open --data build/model/prepared/{part} --limit {_LIMIT}"
        commands = "\n".join(f"{command}{more}" for more in ("", " --transcript auto", " --transcript"))
        blocks.append("\n".join(lines) + f"\n\nTo repeat after `python build.py model`:\n\n```\n{commands}\n```\n")
    return "\n".join(blocks)


def _robustness(result: Robustness | None) -> str:
    """The tables of degraded recordings and of sounds without speech, with the command to repeat them."""
    if result is None:
        return ""
    parts = " ".join(f"build/model/prepared/{name}" for name in result.parts)
    command = f"python -m emote_blender.training.evaluation.robustness emote_open --data {parts} --limit {result.limit}"
    bar = _bar(
        "largest mean opening without speech, relative to speech", "≤", MOST_OPENING_WITHOUT_SPEECH,
        max(result.without_speech.values()),
    )  # fmt: skip
    return (
        "\n### Recordings as they are, and sounds without speech (the shipped weights)\n\n"
        f"From the sound alone, against the reference of the clean clip.\n\n{as_tables(result)}\n\n"
        f"| | bar | figure |\n|---|---:|---:|\n{bar}\n\nTo repeat:\n\n```\n{command}\n```\n"
    )


def _bars(recipe: Recipe, scores: Mapping[str, Sequence[VoiceScores]], times_real_time: float, megabytes: float) -> str:
    """The table of bars and figures of the held-out run on its held-out engines, with the commands to repeat it."""
    families = recipe.held_out_families(recipe.held_out)
    parts = [part.name for part in recipe.validation if catalogue.family(part.engine) in families]
    blocks = []
    for part in parts:
        found = {suffix: _row(scores.get(recipe.held_out + suffix, ()), part) for suffix in TRANSCRIPTS}
        plain, exact, wrong = found[""], found["_transcript"], found["_wrong_words"]
        if plain is None:
            continue
        lines = [f"| `{recipe.held_out}` on {part} | bar | figure |", "|---|---:|---:|"]
        lines += [_bar(MEASURES[name], "≥", bar, getattr(plain, name)) for name, bar in AT_LEAST.items()]
        lines.append(_bar(f"{MEASURES['intensity_rising']}, fraction of clips", "≥", _RISING, plain.intensity_rising))
        lines += [_bar(MEASURES[name], "≤", bar, getattr(plain, name)) for name, bar in AT_MOST.items()]
        for name, bar in _WITH_TRANSCRIPT_AT_LEAST.items():
            if exact is not None:
                lines.append(_bar(f"with transcript: {MEASURES[name]}", "≥", bar, getattr(exact, name)))
            if wrong is not None:
                label = f"with 10 % wrong words, no worse than without transcript: {MEASURES[name]}"
                lines.append(_bar(label, "≥", getattr(plain, name), getattr(wrong, name)))
        lines.append(
            _bar(
                "times real time, sound alone, one core, other programs running",
                "≥",
                LEAST_TIMES_REAL_TIME,
                times_real_time,
            )
        )
        lines.append(_bar("megabytes", "<", 15.0, megabytes))
        command = (
            f"python -m emote_blender evaluate build/model/runs/{recipe.held_out}/export "
            f"--data build/model/prepared/{part} --limit {_LIMIT}"
        )
        commands = "\n".join(f"{command}{more}" for more in ("", " --transcript", " --transcript --wrong-words 0.1"))
        blocks.append(
            "\n" + "\n".join(lines) + f"\n\nTo repeat after `python build.py model`:\n\n```\n{commands}\n```\n"
        )
    return "".join(blocks)


def _row(rows: Sequence[VoiceScores], part: str) -> VoiceScores | None:
    """The scores over all clips of a part."""
    return next((row for row in rows if row.voice == f"{part} (all)"), None)


def _bar(label: str, sign: str, bar: float, value: float) -> str:
    """A line of the table of bars; a bar that is not met is marked."""
    met = value >= bar if sign == "≥" else value <= bar
    return f"| {label} | {sign} {bar:.3g} | {value:.3f}{'' if met else ' (missed)'} |"
