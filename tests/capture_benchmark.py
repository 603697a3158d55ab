"""What `build.py bench` prints of video capture: frames a second of a 720p film from the file to the motion."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from face_videos import scene, write_video

from emote_blender.capture.video.fit.clip import fit_track
from emote_blender.capture.video.frames import VideoFrames
from emote_blender.capture.video.landmarker import Landmarker
from emote_blender.capture.video.track_file import track_file
from emote_blender.errors import ModelError
from emote_blender.files.paths import DEFAULT_HEAD, find_head
from emote_blender.flame.model import FaceModel

WIDTH, HEIGHT, FPS = 1280, 720, 25
NUM_FRAMES = 100
FACE_SIZE = 3.0
"""In sizes of the picture: the face is about 300 pixels wide."""
Result = TypeVar("Result")


def capture_speed(folder: Path) -> None:
    """Print frames a second of decoding, tracking and fitting a film, and the processor's time of each."""
    try:
        landmarker = Landmarker()
    except ModelError as error:
        print(f"\nvideo capture: {error}")
        return
    pictures = [
        scene(WIDTH, HEIGHT, [(640 + 60 * math.sin(frame / 9), 380 + 30 * math.sin(frame / 7), FACE_SIZE)])
        for frame in range(NUM_FRAMES)
    ]
    path = write_video(folder / "film.mp4", pictures, FPS, codec="libx264", pixel_format="yuv420p")
    model = FaceModel.load(find_head(DEFAULT_HEAD))
    decoded, decoding = _timed(lambda: sum(1 for _ in VideoFrames(path)))
    track, tracking = _timed(lambda: track_file(path, landmarker=landmarker))
    _, fitting = _timed(lambda: fit_track(model, track, fps=FPS))
    assert decoded == track.num_frames == NUM_FRAMES
    whole = tracking[0] + fitting[0]
    print(
        f"\nvideo capture of {WIDTH} x {HEIGHT}, {os.cpu_count()} cores: {NUM_FRAMES / whole:.1f} frames a second, "
        f"{NUM_FRAMES / whole / FPS:.2f} times real time at {FPS}"
    )
    for stage, (seconds, processor) in (
        ("decoding alone", decoding),
        ("decoding and tracking", tracking),
        ("fitting", fitting),
    ):
        print(f"  {stage}: {seconds / NUM_FRAMES * 1e3:.1f} ms a frame, {processor / NUM_FRAMES * 1e3:.1f} of a core")


def _timed(work: Callable[[], Result]) -> tuple[Result, tuple[float, float]]:
    """What a piece of work gives, its seconds, and the processor's."""
    started, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, (time.perf_counter() - started, time.process_time() - processor)
