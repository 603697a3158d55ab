"""Check that the phone times of speech engines match their sound.

    python -m emote_blender.training.corpus.label_check ENGINE [...]
    python -m emote_blender.training.corpus.label_check --shards build/model/corpus/hibari_2 --forced

A voice with wrong times must not be trained or evaluated on; those of flite's kal16 are 0.09 to 0.14 s off.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ...audio import FRAME_SAMPLES
from ...errors import InputError
from . import phones
from .engines import catalogue
from .engines.judge_voices import relabelled
from .engines.utterance import SAMPLE_RATE, Utterance
from .forced_alignment import ForcedAligner
from .generate import read_shard
from .motion import articulation

LARGEST_LAG_SECONDS = 0.02
LEAST_DIP_DB = 6.0
_STEP = 100  # Hz, rate of the level track
_REACH = 15  # largest lag that is tried, in steps
_CLOSED = ("P", "T", "K", "B")  # stops whose closure is near silent in any language


@dataclass(frozen=True)
class LabelCheck:
    """How well the phone times of a voice match its sound.

    Attributes:
        lag_seconds: shift of the vowels' times, positive for later, that correlates best with the level.
        vowels_over_silence_db: mean level of vowels minus that of silences between phones; NaN without such silences.
        stop_dip_db: mean drop from the vowel before a p, b, t or k to the quietest 30 ms within the stop.
    """

    lag_seconds: float
    vowels_over_silence_db: float
    stop_dip_db: float

    @property
    def passes(self) -> bool:
        """True if the voice may be used."""
        return abs(self.lag_seconds) <= LARGEST_LAG_SECONDS and self.stop_dip_db >= LEAST_DIP_DB


def check(utterances: Iterable[Utterance]) -> LabelCheck:
    """Measures over several utterances, best of one voice."""
    fit = np.zeros(2 * _REACH + 1)
    vowels, silences, dips = [], [], []
    for utterance in utterances:
        level = _level(utterance.samples)
        names = [phones.CLASSES[number] for number in utterance.phone_classes]
        spans = np.clip((utterance.phone_times * _STEP).round().astype(int), 0, len(level))
        voiced = np.zeros(len(level))
        for i, (name, (begin, end)) in enumerate(zip(names, spans, strict=True)):
            if name in phones.VOWELS:
                voiced[begin:end] = 1
                vowels += level[begin:end].tolist()
            elif name == "sil" and 0 < i < len(names) - 1:
                silences += level[begin + 3 : end - 3].tolist()
            elif name in _CLOSED and i and names[i - 1] in phones.VOWELS and end - begin >= 3:
                before = level[slice(*spans[i - 1])]
                within = np.convolve(level[begin:end], np.full(3, 1 / 3), "valid")
                if len(before):
                    dips.append(float(before.max() - within.min()))
        if len(level) > 2 * _REACH + 10 and voiced.std() > 0:
            loud, voiced = ((track - track.mean()) / (track.std() + 1e-9) for track in (level, voiced))
            inside = slice(_REACH, -_REACH)
            fit += [(np.roll(loud, -lag) * voiced)[inside].mean() for lag in range(-_REACH, _REACH + 1)]
    return LabelCheck(
        (int(fit.argmax()) - _REACH) / _STEP,
        float(np.mean(vowels) - np.mean(silences)) if silences else float("nan"),
        float(np.mean(dips)) if dips else float("nan"),
    )


def forced_agreement(utterances: Iterable[Utterance], aligner: ForcedAligner) -> float:
    """Mean Pearson's r of the seven articulation channels with those of the forced alignment; NaN if nothing aligns.

    Utterances whose text has digits are left out, because the aligner does not read them as the engine does, and so are
    those with words that its dictionary lacks.
    """
    found: list[np.ndarray] = []
    reference: list[np.ndarray] = []
    for utterance in utterances:
        forced = None if any(map(str.isdigit, utterance.text)) else relabelled(utterance, aligner)
        if forced is not None:
            found.append(_tracks(utterance))
            reference.append(_tracks(forced))
    if not found:
        return float("nan")
    pairs = zip(np.concatenate(found).T, np.concatenate(reference).T)
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))


def _tracks(utterance: Utterance) -> np.ndarray:
    """The articulation channels (T, 7) of an utterance."""
    table = np.column_stack([utterance.phone_classes.astype(np.float64), utterance.phone_times])
    return articulation.tracks(table, len(utterance.samples) // FRAME_SAMPLES)


def _level(samples: np.ndarray) -> np.ndarray:
    """The level (N / 160,) of windows of 10 ms in dB, at most 60 dB below the loudest."""
    hop = SAMPLE_RATE // _STEP
    count = len(samples) // hop
    power = (samples[: count * hop].reshape(-1, hop).astype(np.float64) ** 2).mean(1)
    return 10 * np.log10(np.maximum(power, power.max(initial=1e-9) * 1e-6))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line per voice or folder of shards; the exit code is 1 if one does not pass."""
    parser = argparse.ArgumentParser(
        prog="python -m emote_blender.training.corpus.label_check",
        description="Check that the phone times of speech engines match their sound.",
    )
    known = catalogue.ENGINES + catalogue.UNSEEN_ENGINES
    parser.add_argument("engine", nargs="*", metavar="ENGINE", help=", ".join(known))
    parser.add_argument("--shards", type=Path, action="append", default=[], help="a part of a corpus")
    parser.add_argument("--utterances", type=int, default=30, help="per voice or part")
    parser.add_argument("--forced", action="store_true", help="English only: compare with a forced alignment")
    options = parser.parse_args(arguments)
    if unknown := set(options.engine) - set(known):
        parser.error(f"unknown engine {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    try:
        return 0 if _check_all(options.engine, options.shards, options.utterances, options.forced) else 1
    except InputError as error:
        parser.error(str(error))


def _check_all(engines: Sequence[str], folders: Sequence[Path], count: int, forced: bool) -> bool:
    """Print a line per voice or folder; True if all pass."""
    catalogue.require_engines(tuple(engines))
    sources: list[tuple[str, Iterable[Utterance]]] = []
    for engine in engines:
        for voice in catalogue.voices_of(engine) or (None,):
            title = f"{engine} {voice or 'all voices'}"
            sources.append((title, catalogue.utterances(engine, 7, (voice,) if voice else None)))
    for folder in folders:
        shards = sorted(folder.glob("*.npz"))
        if not shards:
            raise InputError(f"{folder} has no shards; make them with `python build.py model`")
        sources.append((str(folder), (utterance for shard in shards for utterance in read_shard(shard))))
    aligner = ForcedAligner() if forced else None
    all_pass = True
    for title, source in sources:
        utterances = list(islice(source, count))
        found = check(utterances)
        all_pass &= found.passes
        agreement = f"mean r with forced alignment {forced_agreement(utterances, aligner):.3f}, " if aligner else ""
        print(
            f"{title}: lag {found.lag_seconds:+.2f} s, vowels {found.vowels_over_silence_db:.1f} dB over silence, "
            f"dip in stops {found.stop_dip_db:.1f} dB, {agreement}{'fits' if found.passes else 'DOES NOT FIT'}"
        )
    return all_pass


if __name__ == "__main__":
    raise SystemExit(main())
