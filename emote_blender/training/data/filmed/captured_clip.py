"""A video of a speaking face as training data: the motion of a head, where the face was seen, sound and features."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ....audio import FRAME_SAMPLES, SAMPLE_RATE, load_audio
from ....capture.video.face_track import FaceTrack
from ....capture.video.fit.camera import Camera
from ....capture.video.fit.clip import fit_track
from ....capture.video.landmarker import Landmarker
from ....capture.video.track_file import track_file
from ....errors import InputError
from ....flame.model import FaceModel
from ....motion import FaceMotion
from ....motion_tools.timing import MOTION_FPS
from ....steps import Step, no_step
from ...networks.emotion_network import EmotionNetwork
from ..clips import MOST_MISSING_FRAMES
from .emotion_features import frame_features
from .videos import FilmedClip

FEWEST_FRAMES = 25
"""Frames of a clip that is long enough to learn from."""
LEAST_SEEN = 0.5
"""Fraction of the frames in which the face must be seen."""
_SILENCE = 1e-3  # full scale is 1: -60 dB


@dataclass(frozen=True, eq=False)
class Tools:
    """What captures clips.

    Attributes:
        model: the head that is fitted.
        landmarker: finds the face.
        emotion_network: gives features of the frames; None for none.
        mirrored: whether the videos are mirrored.
        view_degrees: the camera's angle of view along the longer side; None for the usual one.
    """

    model: FaceModel
    landmarker: Landmarker
    emotion_network: EmotionNetwork | None = None
    mirrored: bool = False
    view_degrees: float | None = None


@dataclass(frozen=True, eq=False)
class CapturedClip:
    """T frames at 25 fps of a captured clip.

    Attributes:
        motion: of the head.
        valid: (T,) bool, frames in which the face was seen, or a gap of up to half a second was bridged.
        shape: (S,) identity coefficients, as many as the head has.
        translation: (T, 3) place of the head in the camera's axes, metres.
        samples: (640 T,) waveform at 16 kHz.
        features: (T, D) emotion features of the frames, or None.
        remarks: what is worth knowing, one sentence each.
    """

    motion: FaceMotion
    valid: np.ndarray
    shape: np.ndarray
    translation: np.ndarray
    samples: np.ndarray
    features: np.ndarray | None
    remarks: tuple[str, ...]


def capture_clip(clip: FilmedClip, tools: Tools, step: Step = no_step) -> CapturedClip:
    """A clip as training data.

    Args:
        clip: the clip.
        tools: what captures it.
        step: called for each frame; it may raise Cancelled.

    Raises:
        InputError: the clip cannot be used: no face, no sound, too short, or a file that cannot be read.
    """
    sound = load_audio(clip.audio or clip.video)  # before the longer work: it may not be there
    remarks = list(sound.warnings)
    track = track_file(clip.video, mirrored=tools.mirrored, step=step, landmarker=tools.landmarker)
    remarks += track.remarks()
    camera = Camera.of_picture(track.image_size, tools.view_degrees) if tools.view_degrees else None
    fit = fit_track(tools.model, track, fps=MOTION_FPS, camera=camera)
    start = 0.0 if clip.audio is not None else track.meta["sound_start_seconds"] or 0.0
    samples = _from_picture_start(sound.samples[:], start)
    num_frames, sentence = _common_length(fit.motion.num_frames, len(samples))
    remarks += sentence
    valid = fit.valid[:num_frames]
    _require_usable(clip, valid, samples)
    meta = {
        "emotion": clip.emotion,
        "intensity": clip.intensity,
        "speaker": clip.speaker,
        "video": clip.video.name,
        "audio": (clip.audio or clip.video).name,
    }
    shape = np.zeros(tools.model.num_shape, np.float32)
    shape[: len(fit.shape)] = fit.shape
    whole = replace(fit.motion, meta={**fit.motion.meta, **meta})
    return CapturedClip(
        motion=whole.slice(0.0, num_frames / MOTION_FPS),
        valid=valid,
        shape=shape,
        translation=fit.translation[:num_frames].astype(np.float32),
        samples=_of_length(samples, num_frames * FRAME_SAMPLES),
        features=_features(clip, tools, track, num_frames, step),
        remarks=tuple(remarks),
    )


def _features(clip: FilmedClip, tools: Tools, track: FaceTrack, num_frames: int, step: Step) -> np.ndarray | None:
    if tools.emotion_network is None:
        return None
    seconds = np.arange(num_frames) / MOTION_FPS
    return frame_features(tools.emotion_network, clip.video, track, seconds, tools.mirrored, step)


def _from_picture_start(samples: np.ndarray, start_seconds: float) -> np.ndarray:
    """Samples that begin with the picture, of a sound that begins `start_seconds` after it, or before it if below 0."""
    count = round(start_seconds * SAMPLE_RATE)
    return np.concatenate([np.zeros(count, np.float32), samples]) if count > 0 else samples[-count:]


def _common_length(num_frames: int, num_samples: int) -> tuple[int, list[str]]:
    """Frames of a clip with as many frames of picture and samples of sound; and a sentence if one is much longer."""
    heard = num_samples / FRAME_SAMPLES
    picture, sound = num_frames / MOTION_FPS, num_samples / SAMPLE_RATE
    if heard < num_frames - MOST_MISSING_FRAMES:
        return int(heard), [f"the sound ends at {sound:.2f} of {picture:.2f} s; the rest of the picture was left out"]
    if heard > num_frames + MOST_MISSING_FRAMES:
        return num_frames, [f"the picture ends at {picture:.2f} of {sound:.2f} s; the rest of the sound was left out"]
    return num_frames, []


def _of_length(samples: np.ndarray, length: int) -> np.ndarray:
    """The first samples, with silence for those that are missing."""
    return np.pad(samples[:length], (0, max(0, length - len(samples)))).astype(np.float32)


def _require_usable(clip: FilmedClip, valid: np.ndarray, samples: np.ndarray) -> None:
    """Raise InputError if nothing can be learned from a clip."""
    if len(valid) < FEWEST_FRAMES:
        raise InputError(
            f"{clip.video} has {len(valid) / MOTION_FPS:.2f} s of picture with sound; a clip must last at least "
            f"{FEWEST_FRAMES / MOTION_FPS:g} s"
        )
    if valid.mean() < LEAST_SEEN:
        raise InputError(
            f"{clip.video} shows the face in {valid.mean():.0%} of its frames; at least {LEAST_SEEN:.0%} are needed"
        )
    if np.abs(samples).max() < _SILENCE:
        raise InputError(f"{clip.audio or clip.video} is silent; nobody speaks in it")
