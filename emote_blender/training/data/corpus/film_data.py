"""What the perceptual networks are trained on: windows of the corpus spoken by a head in every emotion, and filmed.

Drawing a head takes far longer than looking at it. So a set number of clips is filmed when they are first used and then
remembered, as bytes; batch number `n` still depends on the seed and `n` only.
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
from .speech_batches import EMOTIONS, SPEAKERS, SpeechPart, conditioned_motion, draw_window, find_parts, load_part


@dataclass(frozen=True)
class FilmSettings:
    """`[data]`: prepared parts of the generated corpus, folders below `--data`.

    shares: how often each part is drawn. validation: parts that are never trained on. batch_size, num_frames: clips of
    a batch, and frames of a clip. num_clips: how many different clips there are; 0: every one is new, as a GPU allows.
    validation_clips: how many are judged on.
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
    """B clips of T frames. number: (B,) int64 of the clips, the same number the same clip; motion: (B, T, E + 3);
    labels: (B, 2 T) int64 phone classes; emotion: (B,) int64 class; intensity: (B,) int64, 0..2."""

    number: Tensor
    motion: Tensor
    labels: Tensor
    emotion: Tensor
    intensity: Tensor

    def to(self, device) -> FilmBatch:
        """The batch on a device."""
        return FilmBatch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


class FilmClips:
    """Clips by number under random conditions: emotion, intensity (one of the three levels) and speaker, equally often.

    Neutral has the lowest intensity, as in MEAD, where it exists at level 1 only (spec/EMOTE.md 3.2).
    """

    def __init__(self, folders: tuple[Path, ...], shares: tuple[float, ...], num_frames: int, seed: int, vary: bool):
        """vary: play windows slower and faster, as for training."""
        self._folders, self._shares, self._num_frames = folders, np.asarray(shares) / np.sum(shares), num_frames
        self._seed, self._vary = seed, vary
        self._parts: list[SpeechPart] | None = None

    def __getstate__(self) -> dict:
        """Without the arrays: another process opens its own."""
        return {**self.__dict__, "_parts": None}

    def batch(self, numbers: list[int]) -> FilmBatch:
        """The clips of these numbers."""
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
    """Training batches by number, and the batches to validate on."""

    def __init__(self, settings: FilmSettings, folder: Path, seed: int) -> None:
        """Raises InputError where a part is missing below `folder`."""
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
        # every clip once an epoch: the order is that of a permutation of its own
        chosen = []
        for place in range(number * size, (number + 1) * size):
            epoch, position = divmod(place, num_clips)
            chosen.append(int(np.random.default_rng([self._seed, epoch]).permutation(num_clips)[position]))
        return self._clips.batch(chosen)

    def validation(self) -> Iterator[FilmBatch]:
        """The held-out batches, the same each time."""
        for first in range(0, self.settings.validation_clips, self.settings.batch_size):
            last = min(first + self.settings.batch_size, self.settings.validation_clips)
            yield self._held_out.batch(list(range(first, last)))


class FilmMemory:
    """What was seen of clips, by their number, as bytes."""

    def __init__(self, num_clips: int) -> None:
        """num_clips: so many are remembered at most; 0: none."""
        self._num_clips = num_clips
        self._seen: dict[int, Tensor] = {}

    def look(self, batch: FilmBatch, film: Callable[[Tensor], Tensor]) -> Tensor:
        """(B, T, ...) in [0, 1] in steps of 1/255: what `film` makes of motion (b, T, E + 3), or what is remembered."""
        numbers = batch.number.tolist()
        new = [place for place, number in enumerate(numbers) if number not in self._seen]
        made: dict[int, Tensor] = {}
        if new:
            with torch.no_grad():
                pictures = (film(batch.motion[new]).clamp(0, 1) * 255).round().to(torch.uint8)
            made = {numbers[place]: picture for place, picture in zip(new, pictures, strict=True)}
            for number, picture in made.items():
                if len(self._seen) < self._num_clips:
                    self._seen[number] = picture.cpu()
        device = batch.motion.device
        shown = [made[n] if n in made else self._seen[n].to(device) for n in numbers]
        return torch.stack(shown).float() / 255
