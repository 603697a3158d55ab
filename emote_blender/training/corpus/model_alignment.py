"""Phone times of a part of the corpus corrected by a speech model's phone posteriors.

The durations that a neural voice predicts are near the truth. Within a tolerance, the Viterbi algorithm finds the times
under which the posteriors of a trained model are most probable. The model may have learnt from other voices: it need
not know the one that it aligns.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...audio import FRAME_SAMPLES
from ...files.atomic_write import atomic_file, write_json
from . import phones
from .engines.utterance import Utterance
from .generate import read_shard
from .source_digest import source_digest

if TYPE_CHECKING:
    from ...emote.model import EMOTE

logger = logging.getLogger(__name__)

LEAST_SCORE = -1.9
_RATE = 50  # Hz, of the posteriors
_RECORD = "part.json"
_FLOOR = 0.03  # fraction of the posteriors that is spread evenly: no class is impossible
_WEIGHT = 0.6  # of the log posteriors
_SLACK_SECONDS = 0.03  # outside of its given time a phone costs 0.5 for each of these
_FARTHEST_SECONDS, _FAR = 0.12, 8.0  # farther outside, so much more
_SHORTEST_PAUSE_SECONDS = 0.03  # a gap between given phones that may be a pause
_IMPOSSIBLE = -1e9


@dataclass(frozen=True, eq=False)
class Alignment:
    """The phones of an utterance with their corrected times.

    Attributes:
        classes: (P,) int16 indices into `phones.CLASSES`.
        times: (P, 2) float32 start and end in seconds.
        score: mean log score of the phones; -inf if the sound is shorter than its phones.
    """

    classes: np.ndarray
    times: np.ndarray
    score: float


def without_prior(posteriors: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Posteriors (N, 39) divided by the classes' prior (39,) and normalised, which are likelihoods up to a factor.

    Posteriors favour frequent classes, above all silence: their borders move into rare ones.
    """
    scaled = posteriors / np.maximum(prior, 1e-6)
    return scaled / scaled.sum(1, keepdims=True)


def align(posteriors: np.ndarray, classes: np.ndarray, times: np.ndarray) -> Alignment:
    """The most probable times of phones near their given ones.

    Pauses, which may be empty, are where given phones leave gaps, and at both ends.

    Args:
        posteriors: (N, 39) of the phone classes at 50 Hz, or likelihoods that sum to 1 in each frame.
        classes: (P,) given phones.
        times: (P, 2) their start and end in seconds.
    """
    states, spans = _states(classes, times, len(posteriors) / _RATE)
    if len(posteriors) < np.count_nonzero(states != phones.SILENCE):
        return Alignment(np.zeros(0, np.int16), np.zeros((0, 2), np.float32), -np.inf)
    log_posteriors = np.log(posteriors * (1 - _FLOOR) + _FLOOR / posteriors.shape[1])[:, states]
    clock = ((np.arange(len(posteriors)) + 0.5) / _RATE)[:, None]
    outside = np.maximum(0, np.maximum(spans[:, 0] - clock, clock - spans[:, 1]))
    cost = 0.5 * outside / _SLACK_SECONDS + np.where(outside > _FARTHEST_SECONDS, _FAR, 0.0)
    path = _best_path(_WEIGHT * log_posteriors - cost, states == phones.SILENCE)
    changes = np.flatnonzero(np.diff(path)) + 1
    starts, ends = np.r_[0, changes], np.r_[changes, len(path)]
    return Alignment(
        states[path[starts]].astype(np.int16),
        (np.stack([starts, ends], 1) / _RATE).astype(np.float32),
        float(log_posteriors[np.arange(len(path)), path].mean()),
    )


def _states(classes: np.ndarray, times: np.ndarray, duration: float) -> tuple[np.ndarray, np.ndarray]:
    """The phones and possible pauses in their order: classes (S,), and given times (S, 2)."""
    states: list[tuple[int, float, float]] = []
    end = 0.0
    for number, (start, next_end) in zip(classes.tolist(), times.tolist(), strict=True):
        if number == phones.SILENCE:
            continue
        if not states or start - end > _SHORTEST_PAUSE_SECONDS:
            states.append((phones.SILENCE, end, start))
        states.append((number, start, next_end))
        end = next_end
    states.append((phones.SILENCE, end, duration))
    table = np.asarray(states, np.float64)
    return table[:, 0].astype(int), table[:, 1:]


def _best_path(scores: np.ndarray, may_be_skipped: np.ndarray) -> np.ndarray:
    """The state (N,) of each frame: of all ways through the states in their order, the one with the largest sum.

    Args:
        scores: (N, S) of each state in each frame.
        may_be_skipped: (S,) bool; the first and the last state may be.
    """
    count, num_states = scores.shape
    best = np.full(num_states, _IMPOSSIBLE)
    best[:2] = scores[0, :2]
    steps = np.zeros((count, num_states), np.int8)
    moved = np.full((3, num_states), _IMPOSSIBLE)  # from the same state, the one before, the one before a pause
    for i in range(1, count):
        moved[0] = best
        moved[1, 1:] = best[:-1]
        moved[2, 2:] = np.where(may_be_skipped[1:-1], best[:-2], _IMPOSSIBLE)
        steps[i] = moved.argmax(0)
        best = moved.max(0) + scores[i]
    state = num_states - 1 if best[-1] >= best[-2] else num_states - 2
    path = np.empty(count, int)
    for i in range(count - 1, -1, -1):
        path[i] = state
        state -= int(steps[i, state])  # in int8 the difference overflows
    return path


def align_part(
    sources: Sequence[Path], model_folder: Path, folder: Path, least_score: float = LEAST_SCORE
) -> list[Path]:
    """The shards of a part with phone times corrected by a model; missing ones are made.

    A shard is made again if its source is newer, and all are if the model or the code has changed. Utterances whose
    alignment scores badly are left out: their text is not what was spoken, or their pauses were not found.

    Args:
        sources: shards of the part, see `generate`.
        model_folder: an exported model with a phone head.
        folder: of the aligned part.
        least_score: mean log score of the phones of an utterance that is kept.
    """
    from ...emote.checkpoint import load_model
    from ...pipeline.feature_cache import model_digest

    folder.mkdir(parents=True, exist_ok=True)
    description = {
        "model": model_digest(model_folder),
        "least_score": least_score,
        "code": source_digest(without_prior, align, _states, _best_path, align_shard),
    }
    stale = _are_stale(folder, description)
    for path in folder.glob("*.npz") if stale else ():
        path.unlink()
    write_json(folder / _RECORD, description)
    paths = [folder / source.name for source in sources]
    missing = [
        (source, path)
        for source, path in zip(sources, paths, strict=True)
        if not path.is_file() or path.stat().st_mtime_ns < source.stat().st_mtime_ns
    ]
    if missing:
        started = time.monotonic()
        model = load_model(model_folder).eval()
        kept = [align_shard(model, source, path, least_score) for source, path in missing]
        before, after = np.sum(kept, 0)
        logger.info("%s: %d of %d utterances kept, %.0f s", folder.name, after, before, time.monotonic() - started)
    return paths


def _are_stale(folder: Path, description: dict) -> bool:
    """True if the shards in a folder were made by another model or other code, which is logged."""
    record = folder / _RECORD
    if not any(folder.glob("*.npz")):
        return False
    try:
        made_with = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        made_with = {}
    changed = [name for name, value in description.items() if made_with.get(name) != value]
    if changed:
        logger.warning("%s: %s changed; its shards are aligned again", folder.name, ", ".join(changed))
    return bool(changed)


def align_shard(model: EMOTE, source: Path, path: Path, least_score: float) -> tuple[int, int]:
    """Write a shard with corrected phone times atomically; the number of its source's utterances, and of those kept.

    Args:
        model: with a phone head.
        source: the shard to align.
        path: the file to write.
        least_score: mean log score of the phones of an utterance that is kept.

    Raises:
        ValueError: no utterance is good enough.
    """
    import torch

    utterances = list(read_shard(source))
    spoken: list[tuple[Utterance, np.ndarray]] = []
    for utterance in utterances:
        if not (utterance.phone_classes != phones.SILENCE).any():
            continue
        with torch.inference_mode():
            waveform = torch.from_numpy(utterance.samples.astype(np.float32) / 32768)[None]
            posteriors = model.phone_posteriors(waveform, len(utterance.samples) // FRAME_SAMPLES)[0].numpy()
        spoken.append((utterance, posteriors))
    prior = np.concatenate([posteriors for _, posteriors in spoken]).mean(0) if spoken else np.zeros(0)
    kept: list[tuple[Utterance, Alignment]] = []
    for utterance, posteriors in spoken:
        found = align(without_prior(posteriors, prior), utterance.phone_classes, utterance.phone_times)
        if found.score >= least_score:
            kept.append((utterance, found))
    if not kept:
        raise ValueError(f"{source}: no utterance has a score of {least_score} with this model")
    with atomic_file(path) as temporary:
        np.savez(
            temporary,
            samples=np.concatenate([utterance.samples for utterance, _ in kept]),
            frame_offsets=np.cumsum([0, *(len(utterance.samples) // FRAME_SAMPLES for utterance, _ in kept)]),
            phone_classes=np.concatenate([found.classes for _, found in kept]),
            phone_times=np.concatenate([found.times for _, found in kept]),
            phone_offsets=np.cumsum([0, *(len(found.classes) for _, found in kept)]),
            speakers=np.asarray([utterance.speaker for utterance, _ in kept]),
            texts=np.asarray([utterance.text for utterance, _ in kept]),
        )
    return len(utterances), len(kept)
