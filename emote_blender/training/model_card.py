"""The open model's card: what it is made of, how, how good it is, what it cannot do."""

from __future__ import annotations

from pathlib import Path

from .evaluation_report import as_table
from .recipe import Recipe
from .voice_scores import VoiceScores

_CARD = """# emote_open

The speech model that ships with EMOTE for Blender: speech and an emotion in, 50 expression components of the open
head and a jaw rotation out, at 25 fps. The architecture is EMOTE's (style condition, transformer, latents of a FLINT
motion prior) at a small size; the audio encoder is a log-mel one.
{parameters:.2f} million parameters, {megabytes:.1f} MB.

Licence: CC0-1.0. The speech is synthetic, and the motion is computed by this project's own articulation model and
emotion styles: no recording of a face was used.

## Data

{hours:.0f} hours of speech from engines and voices that may be used for this freely, with the phone times that
they give themselves:

| part | engine | hours | drawn |
|---|---|---|---|
{corpus}

Sentences come from a small grammar, a word list and invented words in the spelling of 12 languages. Light
augmentation (equaliser, band limits, room, noise, babble, speed ±20 %). Emotion, intensity (continuous 0–2) and speaker
style are drawn anew for each window; one in six mixes two or glides from one to another.

## Recipe

`python build.py model` repeats all of it from code (CPU, one thread; `--quick` is the same path in a minute):
1. FLINT, {flint_steps} steps: vertices, lip gap, KL; one latent per {frames_per_latent} frames.
2. EMOTE, {common_steps} steps of {seconds:.0f} s of speech, without {held_out}: vertices of the head (regions
   weighted), lip gap and lips at the teeth (contacts count more), phone classes and articulation channels as helpers.
3. {last_steps} steps more, with more augmentation and shifted formants, twice from the same start: without {held_out},
   to be judged on it, and with all engines; then {settling_steps} steps in which large errors of the opening count
   more. The averaged weights of the second are the ones here.

The weights here were trained step by step with these functions while the last settings were still being found (weights
of the loss in the first 800 steps of 2). A run from nothing gives a model of this kind, not the same bits.

## Figures

Lips, jaw and face are measured on the posed mesh against the reference motion of the same clip. Closure: lip gap below
0.5 mm within a p, b or m (give or take one frame); a stretch of closed lips is false where the reference is open all
through. f/v: the lower lip comes as near to the teeth as the reference's, to 1 mm. Jitter: energy of the lip gap above
8 Hz against the reference's. Emotions: named by a judge that no training used, at full intensity; strength: distance
from neutral against the reference's. Sentences are drawn with seeds of their own.
These clips also guided the recipe: the f/v term, the weight of contacts, the shifted formants, the silence around a
clip and the settling steps were chosen after looking at the held-out figures, which are so a little kinder than a
fresh test.

{held_table}The weights that ship (all engines heard, new sentences):

{last_table}

## Limits

- Synthetic speech only has been heard and measured here. An earlier study with the same recipe saw correlations fall by
  about 0.2 from synthetic to human speech; m is taken for n now and then, and rounding is underdone when unsure.
- A clip that holds nothing but noise moves the mouth; digital silence and pauses between words leave it at rest.
- Short sounds at the very start of a clip, one-word clips, whispering, singing and strong noise are weak.
- Eyes do not blink or look around, the head does not move: that is not audible and is added after inference.
- It learned this project's emotion styles, not those of real actors.
"""


_HELD_OUT = """The run without {engine}, whose recordings it **never heard** (the speaker slt was heard through another
engine, festival's slt-hts; awb and rms not at all):

{table}

On them the lip gap follows the reference at r {opening_r:.2f} and the jaw at {jaw_r:.2f}; on voices that it knows, at
about .95. So more varied voices are what it lacks, not more of the same.

"""


def write_card(path: Path, recipe: Recipe, scores: dict[str, list[VoiceScores]]) -> None:
    """Writes the card beside the weights."""
    size = (path.parent / "model.safetensors").stat().st_size
    corpus = "\n".join(
        f"| {part.name} | {part.engine} | {part.hours:g} | {recipe.shares[part.name]:.0%} |" for part in recipe.corpus
    )
    held_table = ""
    if recipe.held_out:
        rows = scores["held_out"]
        unheard = next(row for row in rows if row.voice.startswith(recipe.held_out) and row.voice.endswith("(all)"))
        held_table = _HELD_OUT.format(
            engine=recipe.held_out, table=as_table(rows), opening_r=unheard.opening_r, jaw_r=unheard.jaw_r
        )
    text = _CARD.format(
        parameters=size / 4e6,
        megabytes=size / 1e6,
        hours=sum(part.hours for part in recipe.corpus),
        corpus=corpus,
        flint_steps=recipe.flint.num_steps,
        frames_per_latent=recipe.config.flint.frames_per_latent,
        common_steps=recipe.common_run.num_steps,
        seconds=recipe.batch_size * recipe.num_frames / 25,
        held_out=recipe.held_out or "no engine",
        last_steps=recipe.last_run.num_steps,
        settling_steps=recipe.settling_run.num_steps,
        held_table=held_table,
        last_table=as_table(scores["shipped"]),
    )
    path.write_text(text, encoding="utf-8")
