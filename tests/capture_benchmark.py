"""What `build.py bench` prints of video capture: frames a second of a 720p film from the file to the motion."""

from __future__ import annotations

import math
import os
import subprocess
import sys
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
NUM_FRAMES, MORE_FRAMES = 100, 300
"""Of two films: by their difference, starting the command does not count."""
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
    path, longer = _film(folder / "film.mp4", NUM_FRAMES), _film(folder / "longer.mp4", MORE_FRAMES)
    model = FaceModel.load(find_head(DEFAULT_HEAD))
    decoded, decoding = _timed(lambda: sum(1 for _ in VideoFrames(path)))
    track, tracking = _timed(lambda: track_file(path, landmarker=landmarker))
    _, fitting = _timed(lambda: fit_track(model, track, fps=FPS))
    assert decoded == track.num_frames == NUM_FRAMES
    speed = (MORE_FRAMES - NUM_FRAMES) / (_command_seconds(longer) - _command_seconds(path))
    print(
        f"\nvideo capture of {WIDTH} x {HEIGHT}, {os.cpu_count()} cores: {speed:.1f} frames a second by the command, "
        f"{speed / FPS:.2f} times real time at {FPS}"
    )
    for stage, (seconds, processor) in (
        ("decoding alone", decoding),
        ("decoding and tracking", tracking),
        ("fitting", fitting),
    ):
        print(f"  {stage}: {seconds / NUM_FRAMES * 1e3:.1f} ms a frame, {processor / NUM_FRAMES * 1e3:.1f} of a core")


def _film(path: Path, num_frames: int) -> Path:
    """A film of a face that moves."""
    pictures = [
        scene(WIDTH, HEIGHT, [(640 + 60 * math.sin(frame / 9), 380 + 30 * math.sin(frame / 7), FACE_SIZE)])
        for frame in range(num_frames)
    ]
    return write_video(path, pictures, FPS, codec="libx264", pixel_format="yuv420p")


def _command_seconds(path: Path) -> float:
    """How long the command `capture` takes for a film."""
    command: list[str | Path] = [sys.executable, "-m", "emote_blender", "capture", path, "-o", path.with_suffix(".npz")]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _timed(work: Callable[[], Result]) -> tuple[Result, tuple[float, float]]:
    """What a piece of work gives, its seconds, and the processor's."""
    started, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, (time.perf_counter() - started, time.process_time() - processor)
