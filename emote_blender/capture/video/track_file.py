"""A face in a video file: decoding, networks and tracking in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...steps import Step, no_step
from .face_track import FaceTrack
from .frames import VideoFile, VideoFrames
from .landmarker import Landmarker, find_landmarker
from .track import track_face


@dataclass(frozen=True)
class VideoReader:
    """How videos are read: with PyAV, or inside Blender with its own decoder.

    Attributes:
        open_video: gives the frames of a file, turned back if it is mirrored (the second argument).
        landmarker_folder: gives the folder of the networks; raises ModelError if there is none.
    """

    open_video: Callable[[Path, bool], VideoFile] = VideoFrames
    landmarker_folder: Callable[[], Path] = find_landmarker


def track_file(
    path: str | Path,
    near: tuple[float, float] | None = None,
    mirrored: bool = False,
    step: Step = no_step,
    landmarker: Landmarker | None = None,
    reader: VideoReader | None = None,
) -> FaceTrack:
    """One face in a video or picture, with how it was made in its `meta`.

    Args:
        path: the file.
        near: a place beside the face to follow where it is first seen, in pixels of the video as it is shown, turned
            back if it is mirrored; None for the largest face.
        mirrored: whether the file shows the scene mirrored, as some selfie cameras record it.
        step: called for each frame; it may raise Cancelled.
        landmarker: the networks; None: they are loaded from where the reader finds them.
        reader: how videos are read; None for PyAV.

    Raises:
        InputError: the file cannot be read, or shows no face.
        ModelError: the networks are missing or damaged.
    """
    reader = reader or VideoReader()
    landmarker = landmarker or Landmarker(reader.landmarker_folder())
    frames = reader.open_video(Path(path), mirrored)
    meta = {
        "video": Path(path).name,
        "mirrored": mirrored,
        "fps": frames.fps,
        "sound_start_seconds": frames.sound_start_seconds,
        "duration_seconds": frames.duration_seconds,
    }
    return track_face(frames, landmarker, near, step, str(path), meta)
