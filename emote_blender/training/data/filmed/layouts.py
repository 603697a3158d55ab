"""Where captured clips are written: as the processed MEAD, or as a folder of motions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ....errors import InputError
from ....files.atomic_write import replacing
from ..mead.written import folders_of, is_written, remove_take, write_take, write_wav
from ..motion_folder import write_recorded
from .captured_clip import CapturedClip

RECONSTRUCTION = "video_capture"
"""Folder under `reconstructions`: what was captured here is not what EMOTE's authors reconstructed."""


class Layout(Protocol):
    """A folder of training data. It can be pickled."""

    def write(self, name: str, clip: CapturedClip) -> None:
        """Write a clip, whole or not at all; raises InputError."""

    def holds(self, name: str) -> bool:
        """Whether a clip is there."""
        ...

    def remove(self, name: str) -> None:
        """Remove a clip, if it is there."""

    def folders(self, name: str) -> list[Path]:
        """The folders into which a clip is written."""
        ...


@dataclass(frozen=True)
class MEADLayout:
    """The layout of the processed MEAD.

    Attributes:
        root: the folder.
        feature_method: folder under `emotions`.
    """

    root: Path
    feature_method: str = ""

    def write(self, name: str, clip: CapturedClip) -> None:
        """See `Layout`."""
        num_frames = clip.motion.num_frames
        coefficients = {
            "exp": clip.motion.expression,
            "jaw": clip.motion.jaw,
            "shape": clip.shape[None].repeat(num_frames, axis=0),
            "translation": clip.translation,
        }
        if clip.motion.neck is not None:
            coefficients["global_pose"] = clip.motion.neck
        write_take(
            self.root, name, RECONSTRUCTION, coefficients, clip.valid, clip.samples, clip.features, self.feature_method
        )

    def holds(self, name: str) -> bool:
        """See `Layout`."""
        return is_written(self.root, name, RECONSTRUCTION)

    def remove(self, name: str) -> None:
        """See `Layout`."""
        remove_take(self.root, name, RECONSTRUCTION)

    def folders(self, name: str) -> list[Path]:
        """See `Layout`."""
        return folders_of(self.root, name, RECONSTRUCTION)


@dataclass(frozen=True)
class MotionsLayout:
    """Motion files with their sound beside them.

    Attributes:
        root: the folder.
    """

    root: Path

    def write(self, name: str, clip: CapturedClip) -> None:
        """See `Layout`."""
        motion, sound = self._files(name)
        try:
            motion.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{motion.parent} cannot be made ({error.strerror}); choose another place") from error
        extras = {"shape": clip.shape, "valid": clip.valid.astype("uint8")}
        if clip.features is not None:
            extras["emotion_features"] = clip.features
        with replacing(sound) as temporary:
            write_wav(temporary, clip.samples)
        write_recorded(motion, clip.motion, extras)

    def holds(self, name: str) -> bool:
        """See `Layout`."""
        return all(path.is_file() for path in self._files(name))

    def remove(self, name: str) -> None:
        """See `Layout`."""
        for path in self._files(name):
            path.unlink(missing_ok=True)

    def folders(self, name: str) -> list[Path]:
        """See `Layout`."""
        return [self._files(name)[0].parent]

    def _files(self, name: str) -> tuple[Path, Path]:
        """The motion file and its sound. A name may have dots."""
        return self.root / f"{name}.npz", self.root / f"{name}.wav"
