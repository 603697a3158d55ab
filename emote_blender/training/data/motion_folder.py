"""A folder of motion files (.npz) as clips; each file has its sound beside it, under the same name.

    takes/hello.npz  takes/hello.wav  takes/more/bye.npz  takes/more/bye.flac ...

A motion file is one that `FaceMotion.save` writes. Its `meta` has `emotion` (a name), and may have `intensity` (0 to 2,
default 1) and `speaker` (a name, default "default"). Three more arrays are optional, each in all files or in none:

    shape             (S,)    identity coefficients
    valid             (T,)    not 0 where a face was found
    emotion_features  (T, D)  features of the real video's frames, from the emotion network

T counts frames at the file's own fps. Other rates than 25 are resampled; `valid` and features take the nearest frame.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...audio import FRAME_SAMPLES
from ...emotion import DEFAULT_INTENSITY, EMOTIONS, check_intensity, one_hot
from ...errors import InputError
from ...files.atomic_write import replacing
from ...motion import FaceMotion
from ...motion_tools.timing import MOTION_FPS
from ...official.pickle_reader import load_npy_object
from .clips import SpeechClip, load_samples

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
DEFAULT_SPEAKER = "default"
_EXTRAS = ("shape", "valid", "emotion_features")


@dataclass(frozen=True)
class RecordedMotion:
    """What is known of a motion file after its folder was opened.

    Attributes:
        path: the motion file.
        audio: the sound file beside it.
        emotion: index into `emotion.EMOTIONS`.
        intensity: 0 to 2.
        speaker: name.
        num_expression: number of expression coefficients.
        face: name of the head's basis, or None.
        extras: names of the optional arrays in the file.
    """

    path: Path
    audio: Path
    emotion: int
    intensity: float
    speaker: str
    num_expression: int
    face: str | None
    extras: tuple[str, ...]


class MotionFolder:
    """The clips of a folder and its subfolders, sorted by path.

    Every motion file is read once when the folder is opened, so that problems are found before training.

    Args:
        folder: the folder.
        speakers: names in the order of the condition's columns; None: those in the files, sorted. For held-out clips,
            give the speakers of the training clips.
        num_expression: number of expression coefficients that every file must have; None: that of the first file.
        with_audio: read the sound; if False, it is silence (FLINT needs none).

    Raises:
        InputError: there is no motion file; one has no sound, is damaged or lacks its emotion; or two files differ in
            head, coefficients or optional arrays.
    """

    def __init__(
        self,
        folder: str | Path,
        speakers: Sequence[str] | None = None,
        num_expression: int | None = None,
        with_audio: bool = True,
    ) -> None:
        self._with_audio = with_audio
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise InputError(f"{folder} is not a folder; choose the one that holds motion files (.npz) and their sound")
        # Hidden ones are what a killed process left half-written.
        self.motions = [_recorded(path) for path in sorted(self.folder.rglob("*.npz")) if path.name[0] != "."]
        if not self.motions:
            raise InputError(
                f"{folder} holds no motion files (.npz); write some with 'generate' or choose another folder"
            )
        self._check_alike(num_expression)
        found = sorted({motion.speaker for motion in self.motions})
        self._speakers = tuple(found if speakers is None else speakers)
        for motion in self.motions:
            if motion.speaker not in self._speakers:
                raise InputError(
                    f"{motion.path}: unknown speaker {motion.speaker!r}; the training knows {', '.join(self._speakers)}"
                )

    @property
    def speakers(self) -> Sequence[str]:
        """Names of the speakers, in the order of the condition's columns."""
        return self._speakers

    @property
    def num_expression(self) -> int:
        """E, the number of expression coefficients of every clip."""
        return self.motions[0].num_expression

    @property
    def face(self) -> str | None:
        """Name of the head's basis that the coefficients belong to; None if the files do not name it."""
        return self.motions[0].face

    def __len__(self) -> int:
        return len(self.motions)

    def __getitem__(self, index: int) -> SpeechClip:
        recorded = self.motions[index]
        motion = FaceMotion.load(recorded.path)
        at_25 = motion.resampled(MOTION_FPS)
        nearest = np.minimum(
            np.floor(np.arange(at_25.num_frames) * (motion.fps / MOTION_FPS) + 0.5).astype(int), motion.num_frames - 1
        )
        extras = _read_extras(recorded, motion.num_frames)
        valid = extras["valid"][nearest] != 0 if "valid" in extras else np.ones(at_25.num_frames, dtype=bool)
        silence = np.zeros(at_25.num_frames * FRAME_SAMPLES, np.float32)
        return SpeechClip(
            samples=load_samples(recorded.audio, at_25.num_frames) if self._with_audio else silence,
            motion=np.concatenate([at_25.expression, at_25.jaw], axis=1).astype(np.float32),
            valid=valid,
            emotion=recorded.emotion,
            intensity=recorded.intensity,
            speaker=self._speakers.index(recorded.speaker),
            name=recorded.path.relative_to(self.folder).as_posix(),
            shape=extras.get("shape"),
            emotion_features=extras["emotion_features"][nearest] if "emotion_features" in extras else None,
        )

    def split(self, hold_out: int) -> tuple[list[int], list[int]]:
        """Indices of the clips to train on, and of those that are held out: every `hold_out`th, from the first on.

        Raises:
            InputError: there are too few clips.
        """
        if len(self) <= hold_out:
            raise InputError(
                f"{self.folder} has {len(self)} motions, of which every {hold_out}th is held out; give more, or lower "
                "[data] hold_out"
            )
        held_out = range(0, len(self), hold_out)
        return [number for number in range(len(self)) if number not in held_out], [*held_out]

    def _check_alike(self, num_expression: int | None) -> None:
        """Raise an InputError unless all motions fit into one batch."""
        first = self.motions[0]
        wanted = first.num_expression if num_expression is None else num_expression
        for motion in self.motions:
            if motion.num_expression != wanted:
                source = f"{first.path} has {wanted}" if num_expression is None else f"{wanted} are wanted"
                raise InputError(
                    f"{motion.path} has {motion.num_expression} expression coefficients, but {source}; "
                    "keep the motions of one head in one folder"
                )
            if motion.face != first.face:
                raise InputError(
                    f"{motion.path} is for the head {motion.face!r}, but {first.path} for {first.face!r}; "
                    "keep the motions of one head in one folder"
                )
            if motion.extras != first.extras:
                raise InputError(
                    f"{motion.path} holds {_listed(motion.extras)} beside its motion, but {first.path} "
                    f"{_listed(first.extras)}; write the same arrays into every file"
                )


def write_recorded(path: Path, motion: FaceMotion, extras: Mapping[str, np.ndarray]) -> None:
    """Write a motion file with optional arrays, whole or not at all.

    Args:
        path: the file, .npz.
        motion: with `emotion` in its `meta`.
        extras: `shape`, `valid` and `emotion_features`, or some of them.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as temporary:
        motion.save(temporary)
        with zipfile.ZipFile(temporary, "a", zipfile.ZIP_DEFLATED) as archive:
            for name in _EXTRAS:
                if name in extras:
                    with archive.open(f"{name}.npy", "w") as file:
                        np.lib.format.write_array(file, np.ascontiguousarray(extras[name]), allow_pickle=False)


def _recorded(path: Path) -> RecordedMotion:
    """The motion file's contents and its sound file."""
    motion = FaceMotion.load(path)
    audio = next((found for suffix in AUDIO_SUFFIXES if (found := path.with_suffix(suffix)).is_file()), None)
    if audio is None:
        raise InputError(
            f"{path} has no sound beside it; put {path.stem}.wav (or flac, ogg, mp3) there or take the motion away"
        )
    emotion, intensity, speaker = _condition(path, motion.meta)
    face = motion.meta.get("face")
    with zipfile.ZipFile(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
    extras = tuple(name for name in _EXTRAS if name in names)
    return RecordedMotion(
        path, audio, emotion, intensity, speaker, motion.num_expression, face if isinstance(face, str) else None, extras
    )


def _condition(path: Path, meta: dict[str, Any]) -> tuple[int, float, str]:
    """The emotion's index, the intensity and the speaker in a motion's `meta`."""
    if "emotion" not in meta:
        raise InputError(f"{path}: meta has no emotion; write one of {', '.join(EMOTIONS)} into it")
    intensity, speaker = meta.get("intensity", DEFAULT_INTENSITY), meta.get("speaker", DEFAULT_SPEAKER)
    if meta["emotion"] == "mixed" or intensity is None:
        raise InputError(f"{path}: its emotion changes, and a clip to learn from has one throughout; cut it into parts")
    if not isinstance(intensity, int | float) or isinstance(intensity, bool):
        raise InputError(f"{path}: intensity must be a number from 0 to 2, found {intensity!r}")
    if not isinstance(speaker, str) or not speaker:
        raise InputError(f"{path}: speaker must be a name, found {speaker!r}")
    try:
        return int(one_hot(meta["emotion"]).argmax()), check_intensity(intensity), speaker
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _read_extras(recorded: RecordedMotion, num_frames: int) -> dict[str, np.ndarray]:
    """The optional arrays of a motion file, as float32."""
    if not recorded.extras:
        return {}
    values = load_npy_object(recorded.path)
    shapes = {"shape": "(S,)", "valid": f"({num_frames},)", "emotion_features": f"({num_frames}, D)"}
    extras = {}
    for name in recorded.extras:
        array = values.get(name)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise InputError(f"{recorded.path}: {name} holds values that are not numbers; write it again")
        num_axes = 2 if name == "emotion_features" else 1
        if array.ndim != num_axes or (name != "shape" and len(array) != num_frames):
            raise InputError(f"{recorded.path}: {name} must be {shapes[name]}, found {array.shape}; write it again")
        extras[name] = array.astype(np.float32)
    return extras


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
