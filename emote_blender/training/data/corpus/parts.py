"""Prepared parts of the corpus: the shards of a part with the targets of each frame, as arrays that training maps."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....audio import FRAME_SAMPLES
from ....errors import InputError
from ....motion_tools.timing import MOTION_FPS
from ....transcript import phones as phone_classes
from ...corpus import phones
from ...corpus.motion import articulation, emotion_styles
from ...corpus.source_digest import source_digest
from ..clip_batch import LABELS_PER_FRAME

logger = logging.getLogger(__name__)

PART_FILE = "offsets.npy"  # the array that is written last
_ARRAYS = ("samples", "articulation", "loudness", "labels", "offsets")


@dataclass(frozen=True, eq=False)
class SpeechPart:
    """One part of the corpus: U utterances with F frames at 25 fps in all, one after the other.

    Attributes:
        samples: (640 F,) int16 waveform at 16 kHz.
        articulation: (F, 7) float16 channels of `articulation.tracks`.
        loudness: (F,) float16, see `emotion_styles.loudness`.
        labels: (2 F,) int8 phone classes at 50 Hz.
        offsets: (U + 1,) int64 first frame of each utterance, then F.
    """

    samples: np.ndarray
    articulation: np.ndarray
    loudness: np.ndarray
    labels: np.ndarray
    offsets: np.ndarray

    @property
    def num_utterances(self) -> int:
        """U, the number of utterances."""
        return len(self.offsets) - 1


def prepare_part(shards: Sequence[Path], folder: Path) -> Path:
    """The folder of a prepared part: its shards and their targets, one .npy file per array.

    It is written again only if the shards, or the code that makes the targets, have changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    code = source_digest(articulation, phones, phone_classes, emotion_styles.loudness)
    state = f"{code} {[(path.name, path.stat().st_mtime_ns) for path in shards]}"
    record = folder / "state.txt"
    if record.is_file() and record.read_text(encoding="utf-8") == state:
        return folder
    for stale in (record, folder / PART_FILE):  # without them, a preparation that fails leaves no usable part
        stale.unlink(missing_ok=True)
    parts = [_with_targets(path) for path in shards]
    offsets, start = [np.zeros(1, np.int64)], 0
    for part in parts:
        offsets.append(part.offsets[1:] + start)
        start += part.offsets[-1]
    for name in _ARRAYS[:-1]:
        np.save(folder / f"{name}.npy", np.concatenate([getattr(part, name) for part in parts]))
    np.save(folder / PART_FILE, np.concatenate(offsets))
    record.write_text(state, encoding="utf-8")
    num_utterances = sum(part.num_utterances for part in parts)
    logger.info("%s: %.2f h, %d utterances", folder.name, start / MOTION_FPS / 3600, num_utterances)
    return folder


def prepared_parts(root: Path) -> list[Path]:
    """The prepared parts in the folder `root`, or `root` itself if it is one."""
    return [root] if (root / PART_FILE).is_file() else sorted(path.parent for path in root.glob(f"*/{PART_FILE}"))


def find_parts(root: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """The prepared parts with these names in the folder `root`.

    Raises:
        InputError: one is missing.
    """
    for name in names:
        if not (root / name / PART_FILE).is_file():
            there = ", ".join(path.name for path in prepared_parts(root)) or "none"
            raise InputError(
                f"{root / name} holds no prepared part of the corpus (there: {there}); make one with "
                "`python build.py model`, or correct [data] or --data"
            )
    return tuple(root / name for name in names)


def load_part(folder: Path) -> SpeechPart:
    """A prepared part; its waveforms are memory-mapped."""
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r" if name == "samples" else None) for name in _ARRAYS}
    return SpeechPart(**arrays)


def _with_targets(shard: Path) -> SpeechPart:
    """The utterances of a shard with the targets of each frame."""
    with np.load(shard) as archive:
        data = {name: archive[name] for name in archive.files}
    offsets, phone_offsets = data["frame_offsets"], data["phone_offsets"]
    if len(data["samples"]) != offsets[-1] * FRAME_SAMPLES:
        raise ValueError(f"{shard}: {len(data['samples'])} samples for {offsets[-1]} frames")
    table = np.column_stack([data["phone_classes"].astype(np.float64), data["phone_times"]])
    tracks, loudness, labels = [], [], []
    for i in range(len(offsets) - 1):
        spoken = table[phone_offsets[i] : phone_offsets[i + 1]]
        count = int(offsets[i + 1] - offsets[i])
        samples = data["samples"][offsets[i] * FRAME_SAMPLES : offsets[i + 1] * FRAME_SAMPLES]
        tracks.append(articulation.tracks(spoken, count).astype(np.float16))
        loudness.append(emotion_styles.loudness(samples / 32768, count).astype(np.float16))
        labels.append(articulation.frame_labels(spoken, LABELS_PER_FRAME * count, 50).astype(np.int8))
    return SpeechPart(
        data["samples"], np.concatenate(tracks), np.concatenate(loudness), np.concatenate(labels), offsets
    )
