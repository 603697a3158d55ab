"""One interface to all training data: clips of speech with the motion of the face that spoke them.

A source (`MEADClips`, `MotionFolder`) gives whole clips by index. `window_batch` cuts windows of equal length from
them, and `ClipBatches` numbers the batches: batch `n` depends only on the seed and `n`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ...audio import FRAME_SAMPLES, SAMPLE_RATE, load_audio
from ...emotion import EMOTIONS, MAX_INTENSITY, NUM_INTENSITIES, intensity_levels
from ...errors import InputError
from ...motion_tools.timing import MOTION_FPS
from ..corpus import phones
from .clip_batch import LABELS_PER_FRAME, ClipBatch
from .epoch_order import EpochOrder

MOST_MISSING_FRAMES = 12  # half a second: codecs pad, so that sound and video of one take differ by up to that

_PER_FRAME = {"samples": FRAME_SAMPLES, "motion": 1, "valid": 1, "labels": LABELS_PER_FRAME} | dict.fromkeys(
    ("articulation", "emotion_features"), 1
)
_PADDING = {"labels": phones.SILENCE}  # all other arrays are padded with zeros, `valid` with False


@dataclass(frozen=True, eq=False)
class SpeechClip:
    """T frames of one speaker in one emotion, at 25 fps; what a source does not know is None.

    Attributes:
        samples: (640 T,) waveform at 16 kHz in [-1, 1].
        motion: (T, E + 3) expression coefficients, then jaw axis-angle in radians.
        valid: (T,) bool; False where no face was found.
        emotion: index into `emotion.EMOTIONS`.
        intensity: 0 (mild) to 2 (high); continuous in some sources.
        speaker: index into the source's `speakers`.
        name: for errors.
        shape: (S,) identity coefficients.
        emotion_features: (T, D) features of the real video's frames.
        labels: (2 T,) int64 phone classes at 50 Hz.
        articulation: (T, 7) channels of `corpus.motion.articulation`.
    """

    samples: np.ndarray
    motion: np.ndarray
    valid: np.ndarray
    emotion: int
    intensity: float
    speaker: int
    name: str
    shape: np.ndarray | None = None
    emotion_features: np.ndarray | None = None
    labels: np.ndarray | None = None
    articulation: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.motion.ndim != 2 or not len(self.motion):
            raise ValueError(f"{self.name}: motion must be (T, E + 3) with T >= 1, found {self.motion.shape}")
        for name, values in self.frame_arrays().items():
            if len(values) != self.num_frames * _PER_FRAME[name]:
                raise ValueError(f"{self.name}: {name} {values.shape} does not fit {self.num_frames} frames")
        if not 0 <= self.intensity <= MAX_INTENSITY:
            raise ValueError(f"{self.name}: intensity must be 0 to {MAX_INTENSITY:g}, found {self.intensity}")

    @property
    def num_frames(self) -> int:
        """T, the number of frames."""
        return len(self.motion)

    def frame_arrays(self) -> dict[str, np.ndarray]:
        """The arrays with a time axis that are not None, by name."""
        return {name: getattr(self, name) for name in _PER_FRAME if getattr(self, name) is not None}


class Clips(Protocol):
    """Clips by index.

    A source is picklable, so that worker processes can make batches, and raises IndexError past its last clip.
    """

    @property
    def speakers(self) -> Sequence[str]:
        """Names of the speakers, in the order of the condition's speaker columns."""
        ...

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> SpeechClip: ...


@dataclass(frozen=True)
class SelectedClips:
    """A selection of a source's clips: clip `i` is the source's clip `indices[i]`.

    Attributes:
        source: the source.
        indices: of the selected clips.
    """

    source: Clips
    indices: Sequence[int]

    @property
    def speakers(self) -> Sequence[str]:
        """The source's speakers."""
        return self.source.speakers

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> SpeechClip:
        return self.source[int(self.indices[index])]


def split_70_15_15(num_items: int) -> tuple[slice, slice, slice]:
    """Slices of the training, validation and test items, cut at int(0.7 n) and int(0.85 n) (spec/EMOTE.md 9)."""
    first, second = int(num_items * 0.7), int(num_items * 0.85)
    return slice(0, first), slice(first, second), slice(second, num_items)


def split_randomly(num_items: int, seed: int) -> tuple[list[int], list[int], list[int]]:
    """Indices of the training, validation and test items, each ascending; a 70/15/15 split given by the seed."""
    order = np.random.default_rng(seed).permutation(num_items)
    train, validation, test = (sorted(order[part].tolist()) for part in split_70_15_15(num_items))
    return train, validation, test


def load_samples(path: Path, num_frames: int) -> np.ndarray:
    """The waveform (640 T,) at 16 kHz of an audio file that belongs to T frames of motion.

    A longer file is cut; up to half a second that is missing is filled with silence.

    Args:
        path: the audio file.
        num_frames: T.

    Raises:
        InputError: the file cannot be read as audio, or its length differs by more than half a second.
    """
    samples = load_audio(path).samples[:]
    difference = len(samples) / FRAME_SAMPLES - num_frames
    if abs(difference) > MOST_MISSING_FRAMES:
        raise InputError(
            f"{path} lasts {len(samples) / SAMPLE_RATE:.2f} s, but its motion {num_frames / MOTION_FPS:.2f} s; "
            "put sound and motion of the same take beside each other"
        )
    return _fitted(samples, num_frames * FRAME_SAMPLES, 0)


# ---------------------------------------------------------------- windows


def condition_columns(clip: SpeechClip, num_emotions: int, num_intensities: int, num_speakers: int) -> np.ndarray:
    """The condition (C,) of a clip: emotion, intensity and speaker, each one-hot (spec/EMOTE.md 3.2).

    Args:
        clip: the clip; an intensity between two levels is divided between their columns.
        num_emotions: columns for emotions.
        num_intensities: columns for intensities.
        num_speakers: columns for speakers.

    Raises:
        ValueError: the clip's emotion or speaker has no column.
    """
    if not 0 <= clip.emotion < num_emotions or not 0 <= clip.speaker < num_speakers:
        raise ValueError(
            f"{clip.name}: emotion {clip.emotion} and speaker {clip.speaker} do not fit "
            f"{num_emotions} emotions and {num_speakers} speakers"
        )
    columns = np.zeros(num_emotions + num_intensities + num_speakers, np.float32)
    columns[clip.emotion] = 1
    columns[num_emotions : num_emotions + num_intensities] = intensity_levels(clip.intensity, num_intensities)
    columns[num_emotions + num_intensities + clip.speaker] = 1
    return columns


def window_batch(
    clips: Clips,
    indices: Sequence[int],
    num_frames: int,
    rng: np.random.Generator,
    num_emotions: int = len(EMOTIONS),
    num_intensities: int = NUM_INTENSITIES,
    num_speakers: int | None = None,
) -> ClipBatch:
    """A batch with a random window of each of the given clips.

    Every start that gives a full window is equally likely. A shorter clip fills the beginning of its window. The frames
    after it are padding: zeros (silence for labels), not `valid`, under the clip's condition.

    Args:
        clips: the source.
        indices: of the clips.
        num_frames: frames of a window.
        rng: random numbers.
        num_emotions: columns of the condition for emotions.
        num_intensities: columns of the condition for intensities.
        num_speakers: columns of the condition for speakers; None: as many as the source has.

    Raises:
        ValueError: an array is None in one clip and not in another, or its width differs.
    """
    chosen = [clips[int(index)] for index in indices]
    starts = [int(rng.integers(max(0, clip.num_frames - num_frames) + 1)) for clip in chosen]
    sizes = num_emotions, num_intensities, len(clips.speakers) if num_speakers is None else num_speakers
    return _batch_of(chosen, starts, num_frames, sizes)


def _batch_of(
    clips: Sequence[SpeechClip], starts: Sequence[int], num_frames: int, sizes: tuple[int, int, int]
) -> ClipBatch:
    """The windows of the clips that begin at `starts`, stacked; `sizes` are columns, as in `condition_columns`."""
    known = clips[0].frame_arrays().keys()
    for clip in clips:
        if clip.frame_arrays().keys() != known or (clip.shape is None) != (clips[0].shape is None):
            raise ValueError(f"{clips[0].name} and {clip.name} do not know the same about themselves")
    arrays: dict[str, Tensor] = {}
    for name in known:
        factor = _PER_FRAME[name]
        windows = [
            _fitted(getattr(clip, name)[start * factor :], num_frames * factor, _PADDING.get(name, 0))
            for clip, start in zip(clips, starts)
        ]
        arrays[name] = torch.from_numpy(_stacked(windows, clips, name))
    if clips[0].shape is not None:
        arrays["shape"] = torch.from_numpy(_stacked([clip.shape for clip in clips], clips, "shape"))
    conditions = np.stack([condition_columns(clip, *sizes) for clip in clips])  # (B, C)
    return ClipBatch(
        condition=torch.from_numpy(np.repeat(conditions[:, None], num_frames, axis=1)),
        emotion=torch.tensor([clip.emotion for clip in clips]),
        intensity=torch.tensor([int(clip.intensity + 0.5) for clip in clips]),
        **arrays,
    )


def _stacked(arrays: Sequence[np.ndarray | None], clips: Sequence[SpeechClip], name: str) -> np.ndarray:
    """Arrays of equal shape, stacked; a ValueError names the first clip whose shape differs."""
    given = [np.asarray(array) for array in arrays]
    for clip, array in zip(clips, given):
        if array.shape != given[0].shape:
            raise ValueError(f"{clip.name}: {name} is {array.shape}, of {clips[0].name} {given[0].shape}")
    return np.stack(given)


def _fitted(values: np.ndarray, length: int, padding: float) -> np.ndarray:
    """The first `length` rows, padded with rows of `padding`."""
    if len(values) >= length:
        return values[:length]
    missing = np.full((length - len(values), *values.shape[1:]), padding, values.dtype)
    return np.concatenate([values, missing])


# ---------------------------------------------------------------- batches by number


@dataclass(frozen=True)
class WindowSettings:
    """How batches are cut from clips.

    Attributes:
        batch_size: windows in a batch.
        num_frames: frames of a window; 64 for EMOTE, 32 for FLINT (spec/EMOTE.md 5, 6).
        seed: of the order of the clips and of the windows.
    """

    batch_size: int = 4
    num_frames: int = 64
    seed: int = 0


class ClipBatches(Dataset):
    """An endless sequence of batches: each epoch takes every clip once, in a new random order.

    Use it with `DataLoader(batch_size=None, sampler=range(first, last))`, with or without worker processes.
    """

    def __init__(self, clips: Clips, settings: WindowSettings) -> None:
        if not len(clips):
            raise InputError("there are no clips to train on; check the folder and the split")
        self.clips = clips
        self.settings = settings
        self._order = EpochOrder(len(clips), settings.seed)

    @property
    def num_batches(self) -> int:
        """Whole batches in an epoch, at least 1."""
        return max(1, len(self.clips) // self.settings.batch_size)

    def indices(self, number: int) -> list[int]:
        """Indices of the clips of batch `number`."""
        first = number * self.settings.batch_size
        return [self._order[place] for place in range(first, first + self.settings.batch_size)]

    def __getitem__(self, number: int) -> ClipBatch:
        # The leading 1 makes it independent of the order of the clips, which is drawn with the same seed.
        rng = np.random.default_rng([1, self.settings.seed, number])
        return window_batch(self.clips, self.indices(number), self.settings.num_frames, rng)
