"""Training data of the perceptual networks: windows of the corpus, spoken by a head in every emotion and rendered.

Rendering a clip takes far longer than a network's step on it. So the number of different clips is limited: each is
rendered when it is first used, and its images are cached as bytes. Batch number `n` depends only on the seed and `n`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ....emotion import NUM_INTENSITIES
from ..epoch_order import VALIDATION_SEED
from .parts import SpeechPart, find_parts, load_part
from .speech_batches import EMOTIONS, SPEAKERS, conditioned_motion, draw_window


@dataclass(frozen=True)
class FilmSettings:
    """The table `[data]`: prepared parts of the generated corpus, as folders below `--data`.

    Attributes:
        shares: relative frequency of each part in training batches.
        validation: parts to validate on; none of them is trained on.
        type: "corpus".
        batch_size: clips in a batch.
        num_frames: frames of a clip.
        num_clips: number of different clips; 0: every clip is new, which takes a GPU.
        validation_clips: number of clips to validate on.
    """

    shares: dict[str, float]
    validation: tuple[str, ...]
    type: Literal["corpus"] = "corpus"
    batch_size: int = 8
    num_frames: int = 32
    num_clips: int = 512
    validation_clips: int = 96

    def __post_init__(self) -> None:
        for name in ("batch_size", "num_frames", "validation_clips"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be at least 1, found {getattr(self, name)}")
        if self.num_clips < 0:
            raise ValueError(f"num_clips: must not be negative, found {self.num_clips}")
        if not self.shares or not self.validation:
            raise ValueError("shares and validation: name at least one part each")


@dataclass(frozen=True, eq=False)
class FilmBatch:
    """B clips of T frames at 25 fps.

    Attributes:
        number: (B,) int64; clips with the same number are the same.
        motion: (B, T, E + 3) expression coefficients, then jaw axis-angle in radians.
        labels: (B, 2 T) int64 phone classes at 50 Hz.
        emotion: (B,) int64 index into `EMOTIONS`.
        intensity: (B,) int64, 0 (mild) to 2 (high).
    """

    number: Tensor
    motion: Tensor
    labels: Tensor
    emotion: Tensor
    intensity: Tensor

    def to(self, device) -> FilmBatch:
        """The batch on a device."""
        return FilmBatch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


class FilmClips:
    """Clips by number under random conditions; emotions, the three intensities and speakers are equally frequent.

    Neutral always has the lowest intensity: MEAD has it at level 1 only (spec/EMOTE.md 3.2).

    Args:
        folders: prepared parts.
        shares: relative frequency of each part.
        num_frames: frames of a clip.
        seed: clip `n` depends on it and on `n`.
        vary: change the speed of the windows at random, for training.
    """

    def __init__(self, folders: tuple[Path, ...], shares: tuple[float, ...], num_frames: int, seed: int, vary: bool):
        self._folders, self._shares, self._num_frames = folders, np.asarray(shares) / np.sum(shares), num_frames
        self._seed, self._vary = seed, vary
        self._parts: list[SpeechPart] | None = None

    def __getstate__(self) -> dict:
        """The state without the arrays: another process opens its own."""
        return {**self.__dict__, "_parts": None}

    def batch(self, numbers: list[int]) -> FilmBatch:
        """The clips with the given numbers."""
        if self._parts is None:
            self._parts = [load_part(folder) for folder in self._folders]
        motions, labels, conditions = [], [], []
        for number in numbers:
            rng = np.random.default_rng([self._seed, number])
            part = self._parts[rng.choice(len(self._parts), p=self._shares)]
            window = draw_window(part, self._num_frames, rng, self._vary)
            emotion, level = int(rng.integers(len(EMOTIONS))), int(rng.integers(NUM_INTENSITIES))
            level = 0 if EMOTIONS[emotion] == "neutral" else level
            speaker = SPEAKERS[rng.integers(len(SPEAKERS))]
            motions.append(conditioned_motion(window, EMOTIONS[emotion], float(level), speaker).motion)
            labels.append(window.labels)
            conditions.append((emotion, level))
        emotions, levels = torch.tensor(conditions).unbind(1)
        motion = torch.from_numpy(np.stack(motions).astype(np.float32))
        return FilmBatch(torch.tensor(numbers), motion, torch.from_numpy(np.stack(labels)), emotions, levels)


class FilmData:
    """Training batches by number, and validation batches.

    Args:
        settings: the table `[data]`.
        folder: `--data`, the folder of the prepared parts.
        seed: of the training batches; the validation batches are always the same.

    Raises:
        InputError: a part is missing below `folder`.
    """

    def __init__(self, settings: FilmSettings, folder: Path, seed: int) -> None:
        self.settings, self._seed = settings, seed
        parts, held_out = find_parts(folder, tuple(settings.shares)), find_parts(folder, settings.validation)
        self._clips = FilmClips(parts, tuple(settings.shares.values()), settings.num_frames, seed, vary=True)
        equal = tuple(1.0 for _ in held_out)
        self._held_out = FilmClips(held_out, equal, settings.num_frames, VALIDATION_SEED, vary=False)

    def batch(self, number: int) -> FilmBatch:
        """Training batch `number`."""
        size, num_clips = self.settings.batch_size, self.settings.num_clips
        if num_clips == 0:
            return self._clips.batch(list(range(number * size, (number + 1) * size)))
        # Each epoch has its own permutation, so that every clip comes once per epoch.
        chosen = []
        for place in range(number * size, (number + 1) * size):
            epoch, position = divmod(place, num_clips)
            chosen.append(int(np.random.default_rng([self._seed, epoch]).permutation(num_clips)[position]))
        return self._clips.batch(chosen)

    def validation(self) -> Iterator[FilmBatch]:
        """The validation batches, the same each time."""
        for first in range(0, self.settings.validation_clips, self.settings.batch_size):
            last = min(first + self.settings.batch_size, self.settings.validation_clips)
            yield self._held_out.batch(list(range(first, last)))


class FilmCache:
    """Rendered clips by number, kept as bytes.

    Args:
        num_clips: at most this many clips are kept; 0: none.
    """

    def __init__(self, num_clips: int) -> None:
        self._num_clips = num_clips
        self._cached: dict[int, Tensor] = {}

    def images(self, batch: FilmBatch, film: Callable[[Tensor], Tensor]) -> Tensor:
        """The images (B, T, ...) of a batch's clips in [0, 1], rounded to 1/255.

        Args:
            batch: the clips.
            film: renders motions (b, T, E + 3) of clips that are not cached.
        """
        numbers = batch.number.tolist()
        new = [place for place, number in enumerate(numbers) if number not in self._cached]
        made: dict[int, Tensor] = {}
        if new:
            with torch.no_grad():
                pictures = (film(batch.motion[new]).clamp(0, 1) * 255).round().to(torch.uint8)
            made = {numbers[place]: picture for place, picture in zip(new, pictures, strict=True)}
            for number, picture in made.items():
                if len(self._cached) < self._num_clips:
                    self._cached[number] = picture.cpu()
        device = batch.motion.device
        shown = [made[n] if n in made else self._cached[n].to(device) for n in numbers]
        return torch.stack(shown).float() / 255
