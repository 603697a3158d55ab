"""The pictures of a movie file through Blender's own decoder, on the main thread.

Blender's Python gives no frame of a movie directly. But the pixels of a movie's image data-block are those of the frame
that was used last, and a texture that is evaluated at one place uses a frame. This needs neither window nor GPU.

Blender turns pictures as the file says. Frame n is what is seen n / fps after the beginning, whatever the times of the
file's frames are. Measured with 4.5, 5.0 and 5.2: every frame is the right one, and takes 10 to 15 ms of one core at
720p.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...capture.video.frames import LONGEST_SIDE, MOST_FPS, READABLE, Frame, refuse_other_kinds
from ...errors import InputError
from ..narrow import expect

_NAME = "EMOTE Video"
_MOST_BYTES = 512 << 20  # of pictures that Blender keeps; it opens the file anew after they are dropped
_CHANNELS = 4
_BEHIND_ALPHA = 128  # grey
_TO_BYTE = np.float32(255.5)  # cut off, k / 255 becomes k for every byte


@dataclass(frozen=True)
class MovieInfo:
    """What Blender says of a movie file.

    Attributes:
        fps: frames per second.
        num_frames: of the whole file.
    """

    fps: float
    num_frames: int


@dataclass(frozen=True)
class MoviePart:
    """A part of a movie file, and how it is shown.

    Attributes:
        path: the file.
        first: its first frame, counted from 0.
        num_frames: number of frames.
        fps: frames per second as they are shown.
        flip_x: whether it is mirrored from left to right.
        flip_y: whether it is mirrored from top to bottom.
    """

    path: Path
    first: int
    num_frames: int
    fps: float
    flip_x: bool = False
    flip_y: bool = False


def movie_info(path: Path) -> MovieInfo:
    """Frame rate and length of a movie, or of a picture, which has one frame; raises InputError if it is neither."""
    refuse_other_kinds(path)
    clip = bpy.data.movieclips.load(str(path))
    try:
        fps, num_frames = clip.fps, clip.frame_duration
    finally:
        bpy.data.movieclips.remove(clip)
    pictures = MoviePictures(MoviePart(path, 0, 1, 25.0))
    is_single = pictures.is_single
    pictures.close()
    if is_single:
        return MovieInfo(25.0, 1)
    if not num_frames or not math.isfinite(fps) or fps <= 0:
        raise _unreadable(path)
    return MovieInfo(float(fps), int(num_frames))


class MoviePictures:
    """The frames of a part of a movie, with times from its beginning; see `capture.video.frames.Frames`.

    Belongs to the main thread. While it is open, an image and a texture are in the file; `close` removes them.

    Attributes:
        size: width and height as shown, pixels.
        duration_seconds: length of the part.
        is_single: whether the file is a picture.
        notes: sentences about what was assumed or left out; complete once all frames were read.
    """

    def __init__(self, part: MoviePart) -> None:
        """Open the file; raises InputError if Blender cannot decode it."""
        refuse_other_kinds(part.path)
        self._part = part
        self._uids: tuple[int, int] | None = None
        image, _ = self._blocks()
        self.size = (int(image.size[0]), int(image.size[1]))
        self.is_single = image.source != "MOVIE"
        if not all(self.size):
            self.close()
            raise _unreadable(part.path)
        self.duration_seconds = part.num_frames / part.fps
        self.notes: list[str] = []
        self._every = max(1, math.ceil(part.fps / MOST_FPS - 0.05))
        if self._every > 1:
            self.notes.append(f"of {part.fps:.0f} frames per second, one in {self._every} is used")
        self._smaller = max(1, max(self.size) // LONGEST_SIDE)
        self._kept_bytes = 0
        # Kept from frame to frame: to get 15 MB of new memory takes longer than to fill them.
        self._values = np.empty(math.prod(self.size) * _CHANNELS, np.float32)
        self._bytes = np.empty(self._values.shape, np.uint8)
        self._has_alpha: bool | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, from the first one at each call."""
        for number in range(0, self._part.num_frames, self._every):
            picture = self.picture(number)
            if picture is None:
                note = f"the picture ends at {number / self._part.fps:.2f} of {self.duration_seconds:.2f} s"
                if note not in self.notes:
                    self.notes.append(note)
                return
            yield Frame(number / self._part.fps, picture)

    def picture(self, number: int) -> np.ndarray | None:
        """(h, w, 3) uint8: a frame of the part, counted from 0; None if it cannot be decoded."""
        image, texture = self._blocks()
        if self._kept_bytes > _MOST_BYTES:
            image.buffers_free()
            self._kept_bytes = 0
        texture.image_user.frame_current = self._part.first + number + 1
        texture.evaluate((0.0, 0.0, 0.0))
        pixels: Any = image.pixels  # declared as a number
        if len(pixels) != len(self._values):
            return None
        pixels.foreach_get(self._values)
        self._kept_bytes += self._values.size
        return self._as_shown(self._values, image.is_float)

    def close(self) -> None:
        """Remove what is in the file for this."""
        if self._uids is None:
            return
        texture, image = _by_uid(bpy.data.textures, self._uids[1]), _by_uid(bpy.data.images, self._uids[0])
        if texture is not None:
            bpy.data.textures.remove(texture)
        if image is not None:
            bpy.data.images.remove(image)
        self._uids = None

    def _blocks(self) -> tuple[bpy.types.Image, Any]:
        """The image and the texture, made anew if an undo took them away."""
        if self._uids is not None:
            image, texture = _by_uid(bpy.data.images, self._uids[0]), _by_uid(bpy.data.textures, self._uids[1])
            if image is not None and texture is not None:
                return image, texture
            self.close()
        try:
            image = bpy.data.images.load(str(self._part.path))
        except RuntimeError as error:
            raise _unreadable(self._part.path) from error
        image.name = _NAME
        texture = expect(bpy.data.textures.new(_NAME, "IMAGE"), bpy.types.ImageTexture)
        texture.image = image
        shown = expect(texture.image_user, bpy.types.ImageUser)
        shown.frame_duration, shown.use_auto_refresh = max(1, image.frame_duration), False
        self._uids = (image.session_uid, texture.session_uid)
        return image, texture

    def _as_shown(self, values: np.ndarray, is_float: bool) -> np.ndarray:
        """(h, w, 3) uint8 of Blender's pixels (H W 4,), whose first row is the lowest."""
        width, height = self.size
        if is_float:  # HDR: linear light
            values = np.clip(values, 0.0, 1.0) ** np.float32(1 / 2.2)
        np.multiply(values, _TO_BYTE, out=self._bytes, casting="unsafe")
        stored = _made_smaller(self._bytes.reshape(height, width, _CHANNELS), self._smaller)
        if self._has_alpha is None:
            self._has_alpha = bool((stored[..., 3] < 255).any())
            if self._has_alpha:
                self.notes.append("the video has transparent parts; grey was put behind them")
        if self._has_alpha:
            alpha = stored[..., 3:].astype(np.uint16)
            stored = ((stored[..., :3] * alpha + _BEHIND_ALPHA * (255 - alpha)) // 255).astype(np.uint8)
        shown = stored[:: 1 if self._part.flip_y else -1, :: -1 if self._part.flip_x else 1]
        picture = np.empty((*shown.shape[:2], 3), np.uint8)
        for channel in range(3):  # twice as fast as all at once
            picture[..., channel] = shown[..., channel]
        return picture


def _made_smaller(picture: np.ndarray, factor: int) -> np.ndarray:
    """A picture (H, W, C) uint8 that is smaller by a whole factor; each pixel is the mean of a square."""
    if factor == 1:
        return picture
    height, width = (size // factor * factor for size in picture.shape[:2])
    squares = [picture[y:height:factor, x:width:factor] for y in range(factor) for x in range(factor)]
    total = sum(square.astype(np.uint16) for square in squares)
    return (np.asarray(total) // len(squares)).astype(np.uint8)


def _by_uid(blocks: Any, uid: int) -> Any:
    return next((block for block in blocks if block.session_uid == uid), None)


def _unreadable(path: Path) -> InputError:
    return InputError(f"Blender cannot read {path} as a video; use a file that plays in the sequencer: {READABLE}")
