"""The face in the video of a row: captured, and mixed with the spoken motion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..capture.video.fit.clip import fit_track
from ..capture.video.landmarker import Landmarker
from ..capture.video.mix import Offset, Shares, mixed, offset_between
from ..capture.video.track_file import VideoReader, track_file
from ..flame.model import FaceModel
from ..flame.refinement_maps import maps_of_model
from ..motion import FaceMotion
from ..motion_tools.timing import MOTION_FPS
from ..steps import Step

_SURE = 0.1  # confidence from which on an offset is believed
_AUDIBLE_SECONDS = 0.08  # by which lips and sound may be apart
_LEFT_OVER_SECONDS = 0.5  # of picture after the sound, from which on it is reported


@dataclass(frozen=True, eq=False)
class FilmedFace:
    """The motion of the face in a video.

    Attributes:
        motion: at 25 fps; frame 0 is the video's beginning.
        valid: (T,) bool, frames in which the face was seen, or a short gap was bridged.
        model: the head that it moves.
        sound_start_seconds: when the video's own sound begins; None without sound.
        remarks: what the reader noted, and gaps, one sentence each.
    """

    motion: FaceMotion
    valid: np.ndarray
    model: FaceModel
    sound_start_seconds: float | None
    remarks: tuple[str, ...]

    def from_sound_start(self) -> FaceMotion:
        """The motion from the beginning of the video's own sound on, as motion files count."""
        start = self.sound_start_seconds or 0.0
        if abs(start) < 0.5 / self.motion.fps:
            return self.motion
        count = max(1, round((self.motion.duration_seconds - start) * self.motion.fps))
        return self.motion.sampled(np.arange(count) + start * self.motion.fps, self.motion.fps)


@dataclass(frozen=True)
class Placed:
    """Where a video lies on a sound.

    Attributes:
        seconds: what is heard at t is seen at t + seconds.
        measured: by the lips; None if they move too little.
        warnings: one sentence each.
    """

    seconds: float
    measured: Offset | None
    warnings: tuple[str, ...]


def film(video: Path, model: FaceModel, landmarker: Landmarker, reader: VideoReader, step: Step) -> FilmedFace:
    """The face of a video as a motion of a head.

    Args:
        video: the file.
        model: the head.
        landmarker: the networks.
        reader: how videos are read.
        step: called for each frame; it may raise Cancelled.

    Raises:
        InputError: the file cannot be read, or shows no face.
    """
    track = track_file(video, step=step, landmarker=landmarker, reader=reader)
    fit = fit_track(model, track, fps=MOTION_FPS, meta={"video": video.name})
    return FilmedFace(fit.motion, fit.valid, model, track.meta["sound_start_seconds"], tuple(track.remarks()))


def placed_on(face: FilmedFace, spoken: FaceMotion, is_own_sound: bool) -> Placed:
    """Where a video lies on the sound of a spoken motion.

    The video's own sound has its place from the file. Another one is placed by the movement of the lips, if they
    are sure.

    Args:
        face: the captured face.
        spoken: the motion of the sound, of the same head.
        is_own_sound: whether the sound is the video's own.
    """
    lips = maps_of_model(face.model).lips
    measured = None
    if lips is not None:
        gaps = [lips.gap(motion.expression, motion.jaw) for motion in (face.motion, spoken)]
        measured = offset_between(gaps[0], face.valid, face.motion.fps, gaps[1], spoken.fps)
    sure = measured is not None and measured.confidence >= _SURE
    seconds, warnings = 0.0, []
    if is_own_sound:
        seconds = face.sound_start_seconds or 0.0
        if measured is not None and sure and abs(measured.seconds - seconds) > _AUDIBLE_SECONDS:
            behind = measured.seconds - seconds
            warnings.append(
                f"the lips seem to be {abs(behind):.2f} s {'behind' if behind > 0 else 'ahead of'} the video's own "
                "sound; if they are, give the sound as a file of its own in the column audio"
            )
    elif measured is not None and sure:
        seconds = measured.seconds
    else:
        warnings.append("where the sound lies on the video could not be found; both were taken to begin together")
    left_over = face.motion.duration_seconds - seconds - spoken.duration_seconds
    if left_over > _LEFT_OVER_SECONDS:
        warnings.append(f"the video goes on for {left_over:.1f} s after the sound; that part was left out")
    return Placed(seconds, measured, tuple(warnings))


def mix_in(face: FilmedFace, spoken: FaceMotion, shares: Shares, placed: Placed) -> FaceMotion:
    """A spoken motion with the video's shares of the face, and how it was mixed in its `meta`."""
    motion = mixed(face.motion, face.valid, spoken, face.model, shares, placed.seconds)
    meta = {**motion.meta, "video": face.motion.meta["video"], "from_video": shares.summary()}
    return replace(motion, meta=meta)


def film_report(face: FilmedFace, shares: Shares, placed: Placed | None) -> dict[str, Any]:
    """The entry "video" of a row's report."""
    measured = placed.measured if placed is not None else None
    return {
        "seen": round(float(face.valid.mean()), 3),
        "remarks": list(face.remarks),
        "shares": shares.summary(),
        **({} if placed is None else {"offset_seconds": round(placed.seconds, 3)}),
        **(
            {}
            if measured is None
            else {"measured_offset_seconds": round(measured.seconds, 3), "confidence": round(measured.confidence, 3)}
        ),
    }
