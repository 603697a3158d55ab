"""Pictures and videos of the open head for tests: tests/data/open_head_face.png in larger scenes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emote_blender.capture.video.landmarker import find_landmarker
from emote_blender.errors import ModelError

GREY = 89  # the background of the picture
FACE_PICTURE = Path(__file__).parent / "data" / "open_head_face.png"
FACE_WIDTH = 99.0
"""About the width of the face in the picture without ears, pixels."""


def require_landmarker() -> Path:
    """The folder of the face landmarker; skips the test where it was not made (`build.py test` makes it)."""
    try:
        return find_landmarker()
    except ModelError:
        pytest.skip("models/face_landmarker is not here; python build.py landmarker makes it")


def scene(width: int, height: int, faces: Sequence[tuple[float, float, float]]) -> np.ndarray:
    """(height, width, 3) uint8: grey with faces.

    Args:
        width: pixels.
        height: pixels.
        faces: centre x and y of each picture of the head in pixels, and its size in sizes of the picture.
    """
    canvas = Image.new("RGB", (width, height), (GREY,) * 3)
    with Image.open(FACE_PICTURE) as opened:
        face = opened.convert("RGB")
    for x, y, size in faces:
        side = face.width * size
        # Maps places in the canvas to places in the picture, so that a face may lie between pixels.
        inverse = (1 / size, 0.0, -(x - side / 2) / size, 0.0, 1 / size, -(y - side / 2) / size)
        small = face if size >= 1 else face.resize((round(side),) * 2, Image.Resampling.BOX)
        data = tuple(value * small.width / face.width for value in inverse)
        placed = small.transform((width, height), Image.Transform.AFFINE, data, Image.Resampling.BICUBIC)
        inside = Image.new("L", small.size, 255).transform((width, height), Image.Transform.AFFINE, data)
        canvas.paste(placed, mask=inside)
    return np.asarray(canvas)


def write_video(
    path: Path,
    pictures: Sequence[np.ndarray],
    fps: int = 25,
    seconds: Sequence[float] | None = None,
    codec: str = "ffv1",
    pixel_format: str = "bgr0",
    sound: np.ndarray | None = None,
    sound_start: float = 0.0,
    **context: object,
) -> Path:
    """Write a video without loss, and return its path.

    Args:
        path: the file; its suffix chooses the container.
        pictures: (H, W, 3) uint8, or (H, W, 4) with alpha.
        fps: frames per second.
        seconds: time of each frame, in place of the frame rate; to milliseconds.
        codec: name of ffmpeg's encoder.
        pixel_format: of the stored frames.
        sound: (N,) samples at 16 kHz in -1..1; None for no sound track.
        sound_start: when the sound begins, seconds.
        context: attributes of the codec's context.
    """
    import av

    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        if seconds is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        track = None if sound is None else container.add_stream("pcm_s16le", rate=16000, layout="mono")
        if track is not None:
            samples = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)[None]
            spoken = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            spoken.sample_rate, spoken.pts = 16000, round(sound_start * 16000)
            container.mux(track.encode(spoken))
            container.mux(track.encode(None))
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(picture), format="rgba" if picture.shape[2] == 4 else "rgb24"
            )
            if seconds is not None:
                frame.pts, frame.time_base = round(seconds[index] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def patched_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Set a, b, c, d of the display matrix of the video track of an mp4 file, in whole numbers."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd")
    assert content[place + 4] == 0, "the header of the track is of version 0"
    start = place + 4 + 4 + 36  # after version, flags, times, track, layer, group and volume
    a, b, c, d = (value << 16 for value in matrix)
    for index, value in enumerate((a, b, 0, c, d, 0, 0, 0, 1 << 30)):
        content[start + 4 * index : start + 4 * index + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(content)
