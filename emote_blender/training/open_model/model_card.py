"""The open model's card: what it is made of, how, how good it is, what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...motion_tools.timing import MOTION_FPS
from ...speech_model.config import load_config
from ..corpus.engines import catalogue
from ..evaluation.report import AT_LEAST, AT_MOST, LEAST_TIMES_REAL_TIME, MEASURES, as_table
from ..evaluation.voice_scores import VoiceScores
from ..run.config import RunConfig
from .recipe import Recipe, Run

# How a run is judged, by what stands behind its name: not told what is said (None), told, told with a share of the
# words wrong.
TELLINGS: dict[str, float | None] = {"": None, "_transcript": 0.0, "_wrong_words": 0.1}
_TOLD = {"": "", "_transcript": ", told what is said", "_wrong_words": ", told with every tenth word wrong"}
_RISING = 0.95  # clips in which it rises from each level to the next
_TOLD_AT_LEAST = {"opening_r": 0.95, "closure_f1": 0.97}  # on an unheard engine, with the exact text

_CARD = """# {name}

The speech model of EMOTE for Blender: speech and an emotion in, {expression} expression components of the open head and
a jaw rotation out, at {fps} fps; what is said may be given, too. The architecture is EMOTE's (style condition,
transformer, latents of a FLINT motion prior of {frames_per_latent} frames each) at a small size; the audio encoder is a
log-mel one. {parameters:.2f} million parameters, {megabytes:.1f} MB.

Licence: {licence}. The speech is synthetic, and the motion is computed by this project's own articulation model and
emotion styles: no recording of a face was used.

## Data

{hours:g} hours of speech from engines and voices that may be used for this freely, with the phone times that
they give themselves. How many hours of windows each judged run has seen of a part, with the runs that it goes on from:

{corpus}

Judged on sentences with seeds of their own:

{validation}

| engine and voices | licence |
|---|---|
{licences}

Sentences come from a small grammar, a word list and invented words in the spelling of other languages; the varied parts
add single words, commands, lists, pauses, breaths and a drifting rate. Windows are augmented (equaliser, band limits,
room, noise, babble, speed ±20 %, shifted formants, sharper or duller spectra, mixed envelopes, hidden moments and
bands). Emotion, intensity (continuous 0–2) and speaker style are drawn anew for each window; one in six mixes two or
glides from one to another.

## Recipe

`python build.py model` repeats all of it from code (`--quick` is the same path in a minute). Each run is
`emote_blender train` with a config file of the project, in this order:

{runs}

## Figures

Lips, jaw and face are measured on the posed mesh against the reference motion of the same clip. Closed on p, b, m: lip
gap below 0.5 mm within the sound (give or take one frame); a stretch of closed lips is false where the reference is
open all through. f, v: the lower lip comes as near to the teeth as the reference's, to 1 mm. Jitter: energy above 8 Hz
against the reference's. Emotions are named, at full intensity, by a judge that no training used; strength: distance
from neutral against the reference's. An arrow says which way is better, × is a multiple of the reference's.
{bars}{figures}
{sections}## Limits

- Synthetic speech only has been heard and measured here. An earlier study with the same recipe saw correlations fall by
  about 0.2 from synthetic to human speech.
- Without a transcript it has to tell sounds by ear: m is taken for n now and then, and rounding is underdone when
  unsure. A transcript with other words than those spoken is believed in part.
- A clip that holds nothing but noise moves the mouth; digital silence and pauses between words leave it at rest.
- Whispering, singing and strong noise are weak, and so are short sounds at the very start of a clip.
- Eyes do not blink or look around, the head does not move: that is not audible and is added after inference.
- It learned this project's emotion styles, not those of real actors.
"""


def write_card(
    path: Path,
    recipe: Recipe,
    scores: Mapping[str, Sequence[VoiceScores]],
    times_real_time: float,
    sections: Mapping[str, str] | None = None,
) -> None:
    """Writes the card beside the weights.

    Args:
        scores: of the judged runs by name, with the suffixes of `TELLINGS`.
        times_real_time: of encoding and one rendering, the slowest evaluation.
        sections: further text by title.
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
        runs="\n".join(f"{number}. {_told(recipe, run)}" for number, run in enumerate(recipe.runs, start=1)),
        bars=_bars(recipe, scores, times_real_time, size / 1e6),
        figures=_figures(recipe, scores),
        sections="".join(f"## {title}\n\n{block}\n\n" for title, block in (sections or {}).items()),
    )
    path.write_text(text, encoding="utf-8")


def _corpus(recipe: Recipe) -> str:
    """A table of the parts to train on."""
    seen = [hours_drawn(recipe, name) for name in (recipe.held_out, recipe.shipped)]
    lines = [
        f"| part | engine | hours | seen by `{recipe.held_out}` | seen by `{recipe.shipped}` |",
        "|---|---|---:|---:|---:|",
    ]
    for part in recipe.corpus:
        drawn = " | ".join(f"{hours.get(part.name, 0.0):.3g}" for hours in seen)
        lines.append(f"| {part.name} | {part.engine} | {part.hours:g} | {drawn} |")
    return "\n".join(lines)


def _validation(recipe: Recipe, scores: Mapping[str, Sequence[VoiceScores]]) -> str:
    """A table of the parts that were judged on."""
    judged = {row.voice for row in scores[recipe.shipped]}
    lines = ["| part | engine | hours |", "|---|---|---:|"]
    for part in recipe.validation:
        if f"{part.name} (all)" in judged:
            lines.append(f"| {part.name} | {part.engine} | {part.hours:g} |")
    return "\n".join(lines)


def hours_drawn(recipe: Recipe, name: str) -> dict[str, float]:
    """Hours of windows of each part that EMOTE has seen after the run of this name, by the shares it is drawn with."""
    hours: dict[str, float] = {}
    for run in recipe.line_of(name):
        config = recipe.config(run)
        shares = config.tables["data"]["shares"]
        seen = _num_steps(config) * config.trainer.accumulate * _batch_seconds(config) / 3600
        for part, share in shares.items():
            hours[part] = hours.get(part, 0.0) + seen * share / sum(shares.values())
    return hours


def _num_steps(config: RunConfig) -> int:
    if config.trainer.num_steps is None:
        raise ValueError(f"{config.name}: the corpus has no epochs")
    return config.trainer.num_steps


def _batch_seconds(config: RunConfig) -> float:
    """Seconds of speech in a batch."""
    data = config.tables["data"]
    return data["batch_size"] * data["num_frames"] / MOTION_FPS


def _told(recipe: Recipe, run: Run) -> str:
    """A run in a line."""
    config = recipe.config(run)
    data = config.tables["data"]
    start = f" from `{run.start}`" if run.start else ""
    heard = ", ".join(data.get("shares") or data["parts"])
    return (
        f"`{run.name}`: `train {config.task}`, `{Path(config.name).stem}`{start}; {_num_steps(config)} steps of "
        f"{_batch_seconds(config):.3g} s of speech; hears {heard}."
    )


def _figures(recipe: Recipe, scores: Mapping[str, Sequence[VoiceScores]]) -> str:
    """The tables under their headings."""
    unheard = recipe.unheard_families(recipe.held_out)
    what = {
        recipe.held_out: f"The run that **never heard** {' or '.join(unheard)}"
        if unheard
        else "The run before the last",
        recipe.shipped: "The weights that ship",
    }
    blocks = []
    for name, title in what.items():
        for telling, how in _TOLD.items():
            if name + telling in scores:
                blocks.append(f"\n### {title}{how} (`{name}`)\n\n{as_table(scores[name + telling])}\n")
    return "".join(blocks)


def _bars(recipe: Recipe, scores: Mapping[str, Sequence[VoiceScores]], times_real_time: float, megabytes: float) -> str:
    """What the held-out run must reach on the engines that it never heard, and what it does; with the commands."""
    unheard = recipe.unheard_families(recipe.held_out)
    parts = [part.name for part in recipe.validation if catalogue.family(part.engine) in unheard]
    blocks = []
    for part in parts:
        found = {telling: _row(scores.get(recipe.held_out + telling, ()), part) for telling in TELLINGS}
        plain, told, wrong = found[""], found["_transcript"], found["_wrong_words"]
        if plain is None:
            continue
        lines = [f"| `{recipe.held_out}` on {part} | bar | figure |", "|---|---:|---:|"]
        lines += [_bar(MEASURES[name], "≥", bar, getattr(plain, name)) for name, bar in AT_LEAST.items()]
        lines.append(_bar(f"{MEASURES['intensity_rising']}, share of clips", "≥", _RISING, plain.intensity_rising))
        lines += [_bar(MEASURES[name], "≤", bar, getattr(plain, name)) for name, bar in AT_MOST.items()]
        for name, bar in _TOLD_AT_LEAST.items():
            if told is not None:
                lines.append(_bar(f"told what is said: {MEASURES[name]}", "≥", bar, getattr(told, name)))
            if wrong is not None:
                label = f"every tenth word wrong, no worse than untold: {MEASURES[name]}"
                lines.append(_bar(label, "≥", getattr(plain, name), getattr(wrong, name)))
        lines.append(_bar("times real time, one core, beside other work", "≥", LEAST_TIMES_REAL_TIME, times_real_time))
        lines.append(_bar("megabytes", "<", 15.0, megabytes))
        command = (
            f"python -m emote_blender evaluate build/model/runs/{recipe.held_out}/export "
            f"--data build/model/prepared/{part} --limit 200"
        )
        commands = "\n".join(f"{command}{more}" for more in ("", " --transcript", " --transcript --wrong-words 0.1"))
        blocks.append("\n" + "\n".join(lines) + f"\n\nAfter `python build.py model`:\n\n```\n{commands}\n```\n")
    return "".join(blocks)


def _row(rows: Sequence[VoiceScores], part: str) -> VoiceScores | None:
    """The scores of a whole part."""
    return next((row for row in rows if row.voice == f"{part} (all)"), None)


def _bar(label: str, sign: str, bar: float, value: float) -> str:
    """A line of the table of bars; what is missed is marked."""
    met = value >= bar if sign == "≥" else value <= bar
    return f"| {label} | {sign} {bar:.3g} | {value:.3f}{'' if met else ' (missed)'} |"
