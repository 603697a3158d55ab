"""Conversion between seconds and frames, of scenes and of motion."""

from __future__ import annotations

MOTION_FPS = 25  # frames per second of EMOTE's motion, and of all that is trained on


def frames_per_second(fps: float, fps_base: float = 1.0) -> float:
    """Frames per second of a scene; Blender writes 29.97 as fps 30 over fps_base 1.001.

    Raises:
        ValueError: if either number is not above zero.
    """
    if fps <= 0 or fps_base <= 0:
        raise ValueError(f"fps and fps_base must be above zero, found {fps} and {fps_base}")
    return fps / fps_base


def frame_to_seconds(frame: float, fps: float, frame_start: float = 0.0) -> float:
    """Seconds from `frame_start` to `frame` at `fps` frames per second."""
    return (frame - frame_start) / fps
