"""The fit of a whole clip: from tracked landmarks to the motion of a head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ....errors import InputError
from ....flame.model import FaceModel
from ....motion import FaceMotion
from ..embedding import Embedding, embedding_of
from ..face_track import FaceTrack
from ..landmark_groups import NUM_LANDMARKS
from ..response import Response, measured_response
from .camera import Camera, HeadPose, undistorted
from .equations import landmark_weights
from .fitted_face import MOST_IDENTITY, FittedFace, fitted_face
from .frames import FrameFit, fit_frames, ties_of
from .gaps import bridged, timeline_of
from .identity import identity_of_frames, identity_of_neutral, offsets_of
from .neutral import frames_at, quiet_frames
from .prior import prior_of
from .result import motion_of_values
from .scores import observed_blinks, observed_habits

_IDENTITY_FRAMES = 16
_SEARCHED_FRAMES = 64  # for a neutral face
_BLOCK = 64  # frames whose landmarks are corrected together: an hour's at once would need gigabytes
_LARGEST_RESIDUAL = 0.006  # metres, of a face that is fitted
_LARGEST_YAW = np.radians(60.0)


@dataclass(frozen=True, eq=False)
class ClipFit:
    """The motion of a face in a clip.

    Attributes:
        motion: frame k is k / fps seconds after the video's start. Its neck is the head's turn away from the camera.
        valid: (T,) bool, frames in which the face was seen, or a gap of up to half a second was bridged.
        residual: (T,) millimetres by which the landmarks miss the face, root mean square; NaN where none was seen.
        translation: (T, 3) place of the face model's origin in the camera's axes, metres.
        shape: (S,) identity coefficients of the head.
        neutral_seconds: times of the frames that were taken as neutral; empty if none was found.
        focal: focal length, pixels.
    """

    motion: FaceMotion
    valid: np.ndarray
    residual: np.ndarray
    translation: np.ndarray
    shape: np.ndarray
    neutral_seconds: np.ndarray
    focal: float


def fit_track(
    model: FaceModel,
    track: FaceTrack,
    *,
    fps: float = 25.0,
    neutral_seconds: float | None = None,
    camera: Camera | None = None,
    meta: dict[str, Any] | None = None,
) -> ClipFit:
    """Fit a head to the track of a face; see `fit_clip`."""
    return fit_clip(
        model,
        track.times,
        track.points,
        track.image_size,
        trusted=track.is_seen,
        cuts=track.cuts,
        scores=track.scores,
        fps=fps,
        neutral_seconds=neutral_seconds,
        camera=camera,
        meta=meta,
    )


def fit_clip(
    model: FaceModel,
    times: np.ndarray,
    points: np.ndarray,
    image_size: tuple[int, int],
    *,
    trusted: np.ndarray | None = None,
    cuts: np.ndarray | None = None,
    scores: np.ndarray | None = None,
    fps: float = 25.0,
    neutral_seconds: float | None = None,
    camera: Camera | None = None,
    embedding: Embedding | None = None,
    response: Response | None = None,
    meta: dict[str, Any] | None = None,
) -> ClipFit:
    """Fit a head to the tracked landmarks of a clip.

    Args:
        model: the head whose components the motion moves.
        times: (T,) seconds of the frames, ascending.
        points: (T, 478, 2 or more) landmarks, pixels, x to the right and y down; NaN where no face was tracked.
        image_size: width and height of the video's pictures.
        scores: (T, 52) the landmarker's scores, which state blinks; None to take them from the landmarks alone.
        trusted: (T,) bool, frames whose landmarks are used; None for all that have some.
        cuts: (T,) bool, frames that do not continue the frame before; None if there are none.
        fps: frames per second of the motion.
        neutral_seconds: a moment at which the face is neutral; None to search.
        camera: the camera; None for the usual angle of view.
        embedding: of the landmarks on the head; None for `embedding_of` it.
        response: of the landmarker; None for the measured one.
        meta: further metadata of the motion.

    Raises:
        InputError: if no frame has a face, or none has one at the neutral moment.
        ModelError: if the landmarks cannot be placed on the head.
    """
    times = np.asarray(times, np.float64)
    if points.shape[:2] != (len(times), NUM_LANDMARKS):
        raise ValueError(f"points must be ({len(times)}, {NUM_LANDMARKS}, 2 or more), found {points.shape}")
    pixels = points[:, :, :2]
    tracked = np.isfinite(pixels).all((1, 2))
    if trusted is not None:
        tracked &= trusted
    if not tracked.any():
        raise InputError("no frame of the video shows a face; choose a video in which a face is seen from the front")
    camera = camera or Camera.of_picture(image_size)
    response = response or measured_response()
    face = _usual_face(model, response) if embedding is None else fitted_face(model, embedding, response)
    seen = np.flatnonzero(tracked)
    pixels = true_pixels(face, camera, response, pixels, seen)
    named = None if neutral_seconds is None else np.searchsorted(seen, frames_at(times, tracked, neutral_seconds))
    scores = None if scores is None else np.asarray(scores)[seen]
    person, shape, neutral = _person(face, camera, pixels, scores, named)
    blinks = None if scores is None else observed_blinks(person, scores)
    shots = np.zeros(len(times), int) if cuts is None else np.cumsum(cuts)
    ties = ties_of(times[seen], shots[seen])
    fit = fit_frames(person, camera, prior_of(person), pixels, ties, blinks)
    good = (fit.residual < _LARGEST_RESIDUAL) & (np.abs(_yaw(fit.pose)) < _LARGEST_YAW)
    if not good.any():
        raise InputError(
            f"the face in the video cannot be fitted: its landmarks are {np.median(fit.residual) * 1e3:.0f} mm off "
            f"({_LARGEST_RESIDUAL * 1e3:.0f} mm are usable); choose a video that shows a person's face from the front"
        )
    timeline = timeline_of(times[seen[good]], shots[seen[good]], float(times[-1]), fps)
    kept = FrameFit(fit.pose[good], fit.values[good], fit.residual[good])
    smooth = bridged(timeline, kept)
    motion = motion_of_values(person, smooth.pose, smooth.values, fps, meta or {})
    return ClipFit(
        motion,
        timeline.valid,
        smooth.residual * 1e3,
        smooth.pose.translation,
        shape[: min(model.identity_dirs.shape[2], MOST_IDENTITY)],
        times[seen[neutral]],
        camera.focal,
    )


@lru_cache(maxsize=2)
def _usual_face(model: FaceModel, response: Response) -> FittedFace:
    """The head with its own embedding; that of a FLAME head takes about a second, which many clips share."""
    return fitted_face(model, embedding_of(model), response)


def true_pixels(
    face: FittedFace, camera: Camera, response: Response, pixels: np.ndarray, seen: np.ndarray
) -> np.ndarray:
    """(K, L, 2) float32 `undistorted` landmarks of the frames with the numbers `seen` (K,), from all frames'."""
    found = np.empty((len(seen), *pixels.shape[1:]), np.float32)
    for start in range(0, len(seen), _BLOCK):
        block = slice(start, start + _BLOCK)
        found[block] = undistorted(camera, face.rest, pixels[seen[block]], landmark_weights(), response)
    return found


def _person(
    face: FittedFace, camera: Camera, pixels: np.ndarray, scores: np.ndarray | None, neutral: np.ndarray | None
) -> tuple[FittedFace, np.ndarray, np.ndarray]:
    """The head with the person's identity and offsets, the identity (S,), and the numbers of the neutral frames.

    Args:
        face: the mean face.
        camera: the camera.
        pixels: (T, L, 2) landmarks of the tracked frames.
        scores: (T, 52) the landmarker's, or None.
        neutral: numbers of the frames that the user calls neutral; None to search.
    """
    if neutral is None:
        prior = prior_of(face)
        some = np.unique(np.linspace(0, len(pixels) - 1, _SEARCHED_FRAMES).astype(int))
        spread = some[np.unique(np.linspace(0, len(some) - 1, _IDENTITY_FRAMES).astype(int))]
        habits = None if scores is None else observed_habits(face, scores[some])
        few = np.searchsorted(some, spread)
        shape = identity_of_frames(face, camera, prior, pixels[spread], habits.part(few) if habits else None)
        person = face.with_identity(shape)
        fit = fit_frames(person, camera, prior, pixels[some], observed=habits)
        neutral = some[quiet_frames(person, fit.values)]
        if not len(neutral):
            offsets = np.median(offsets_of(person, camera, fit.pose, fit.values, pixels[some]), axis=0)
            return person.with_offsets(offsets), shape, neutral
    shape, offsets = identity_of_neutral(face, camera, pixels[neutral])
    return face.with_identity(shape).with_offsets(offsets), shape, neutral


def _yaw(pose: HeadPose) -> np.ndarray:
    """(T,) turn of the head about the vertical, radians."""
    return np.arctan2(pose.rotation[:, 0, 2], pose.rotation[:, 2, 2])
