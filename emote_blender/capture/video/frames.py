"""The frames of a video file with their times, through PyAV: upright, with square pixels, in red, green and blue."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...errors import InputError
from ...sound_files.av_frames import decodable_frames
from ...sound_files.kinds import kind_of_file

READABLE = "mp4, mov, mkv, webm, avi, or a picture"
LONGEST_SIDE = 1280
"""Pictures are made at most this wide or high, pixels: the landmarker looks at a face with 256 pixels."""
MOST_FPS = 60.0

# Only files: a playlist may name addresses.
_OPTIONS = {"protocol_whitelist": "file"}
_MOST_PIXELS = 100_000_000
_HDR = {16: "HDR10 (PQ)", 18: "HLG"}  # by AVCOL_TRC
_DISPLAY_MATRIX_BYTES = 36
_BEHIND_ALPHA = 128  # grey
_JITTER = 0.8  # a frame may follow after this fraction of the shortest time between two frames


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame of a video.

    Attributes:
        seconds: when it is shown, from the beginning of the file as players count: of sound and picture together.
        picture: (h, w, 3) uint8 RGB; of the size of the video or smaller.
    """

    seconds: float
    picture: np.ndarray


class Frames(Protocol):
    """Frames in the order of their times, from any decoder.

    Attributes:
        size: width and height of the video as it is shown, pixels; pictures may be smaller.
        duration_seconds: length of the video if it is known, else 0.
        notes: sentences about what was assumed or left out; complete once all frames were read.
    """

    size: tuple[int, int]
    duration_seconds: float
    notes: list[str]

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, from the first one at each call."""


class VideoFile(Frames, Protocol):
    """The frames of a video file, and what the file says.

    Attributes:
        fps: average frame rate that the file states, if it does.
        sound_start_seconds: when the first sound track begins, in the same time as the frames; None without sound.
    """

    fps: float | None
    sound_start_seconds: float | None


class VideoFrames:
    """The frames of the first video track of a file. Only the one that is shown is in memory.

    Attributes:
        size: width and height of the video as it is shown, pixels.
        duration_seconds: length of the video if it is known, else 0.
        fps: average frame rate that the file states, if it does.
        sound_start_seconds: when the first sound track begins, in the same time as the frames; None without sound.
        is_single: whether it is a picture, not a video.
        notes: sentences about what was assumed or left out; complete once all frames were read.
    """

    def __init__(
        self,
        path: str | Path,
        mirrored: bool = False,
        longest_side: int = LONGEST_SIDE,
        most_fps: float = MOST_FPS,
        num_threads: int = 1,
    ) -> None:
        """Open a file and look at its first frame.

        Args:
            path: a video or a picture.
            mirrored: whether the file shows the scene mirrored, as some selfie cameras record it; it is turned back.
            longest_side: largest width or height of the pictures; larger ones are made smaller while decoding.
            most_fps: of videos with more frames per second, some are left out.
            num_threads: threads of the decoder.

        Raises:
            InputError: the file is missing, holds no picture, or cannot be decoded.
        """
        self._path, self._mirrored = Path(path), mirrored
        self._shortest_seconds = _JITTER / most_fps
        self._num_threads = num_threads
        self._num_damaged = 0
        self._errors: Any = ()
        refuse_other_kinds(self._path)
        with self._open() as container:
            stream = self._stream(container)
            first = next(self._decoded(container, stream), None)
            if first is None:
                raise InputError(f"{self._path} holds no frame that can be decoded; use a file that plays elsewhere")
            self._start = self._start_of(container, first)
            self.fps = float(stream.average_rate) if stream.average_rate else None
            self.duration_seconds = _duration(container, stream)
            self.sound_start_seconds = self._sound_start(container)
            self.is_single = "_pipe" in container.format.name or container.format.name == "image2"
            self._form = _form(stream, first, longest_side)
            self.notes: list[str] = self._first_notes(first)
        self.size = self._form.shown_size
        self._num_first_notes = len(self.notes)

    def __iter__(self) -> Generator[Frame, None, None]:
        """Yield the frames, from the first one at each call; raises InputError as `__init__`."""
        from av.video.reformatter import VideoReformatter

        self.notes = self.notes[: self._num_first_notes]
        reformatter = VideoReformatter()  # one for all frames: setting it up takes as long as converting a frame
        last, index, num_early = -math.inf, 0, 0
        with self._open() as container:
            stream = self._stream(container)
            for frame in self._deinterlaced(container, stream):
                if frame.pts is None or frame.time is None:
                    seconds = index / (self.fps or 25.0)
                else:
                    seconds = float(frame.time) - self._start
                index += 1
                if seconds <= last:
                    num_early += 1
                    continue
                if seconds < last + self._shortest_seconds:
                    continue
                if not self._form.fits(frame):
                    self.notes.append(f"the size of the picture changes at {seconds:.2f} s; the rest was left out")
                    break
                self._num_damaged += bool(frame.is_corrupt)
                last = seconds
                yield Frame(seconds, self._picture(frame, reformatter))
        if num_early:
            self.notes.append(f"{num_early} frames with a time before that of the frame before them were left out")
        if self._num_damaged:
            self.notes.append(f"{self._num_damaged} damaged parts of the video could not be decoded, or only in part")
        if not self.is_single and last < self.duration_seconds - 1:
            self.notes.append(f"the picture ends at {max(last, 0):.2f} of {self.duration_seconds:.2f} s")

    # ---- the file ----------------------------------------------------------------------------------------------------

    def _open(self) -> Any:
        """The container; raises InputError."""
        try:
            import av
        except ImportError as error:
            raise InputError(
                f"{self._path} cannot be read: outside Blender the library av is needed; install it (pip install av)"
            ) from error
        self._errors = av.error.FFmpegError
        self._num_damaged = 0
        try:
            # With the protocol's name, a path is no pattern or address, whatever its characters are.
            return av.open(f"file:{self._path}", options=_OPTIONS, metadata_errors="ignore")
        except (av.error.FFmpegError, ValueError) as error:
            raise InputError(
                f"{self._path} cannot be read as a video (of an unknown kind, cut off, or damaged); use a file that "
                f"plays elsewhere: {READABLE}"
            ) from error

    def _stream(self, container: Any) -> Any:
        """The first video track; the cover of an album is none."""
        import av

        covers = av.stream.Disposition.attached_pic
        streams = [stream for stream in container.streams.video if not stream.disposition & covers]
        if not streams:
            what = "only sound" if container.streams.audio else "no picture"
            raise InputError(f"{self._path} holds {what}; choose a file with a video: {READABLE}")
        stream = streams[0]
        if stream.codec_context is None:
            raise InputError(f"{self._path} holds a video of an unknown kind; convert it to mp4 (H.264) first")
        if stream.width * stream.height > _MOST_PIXELS:
            raise InputError(f"{self._path} announces {stream.width} x {stream.height} pixels, which is too many")
        stream.codec_context.thread_count = self._num_threads
        stream.thread_type = "AUTO"
        return stream

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        """Yield the frames that can be decoded; what cannot is counted."""
        return decodable_frames(container, stream, self._count_damage)

    def _count_damage(self) -> None:
        self._num_damaged += 1

    def _deinterlaced(self, container: Any, stream: Any) -> Iterator[Any]:
        """Yield the frames, with the lines of interlaced ones filled in."""
        frames = self._decoded(container, stream)
        if not self._form.is_interlaced:
            yield from frames
            return
        import av

        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_buffer(template=stream),
            graph.add("yadif", "mode=send_frame:parity=auto:deint=interlaced"),
            graph.add("buffersink"),
        ).configure()
        for frame in frames:
            graph.push(frame)
            yield from self._pulled(graph)
        graph.push(None)
        yield from self._pulled(graph)

    def _pulled(self, graph: Any) -> Iterator[Any]:
        """Yield the frames that a filter has ready."""
        while True:
            try:
                yield graph.pull()
            except (BlockingIOError, self._errors):  # no more for now, or at all
                return

    # ---- time and form -----------------------------------------------------------------------------------------------

    def _start_of(self, container: Any, first: Any) -> float:
        """Time stamp of the beginning of the file, seconds."""
        if container.start_time is not None:
            return container.start_time / 1e6
        return float(first.time) if first.time is not None else 0.0

    def _sound_start(self, container: Any) -> float | None:
        if not container.streams.audio:
            return None
        sound = container.streams.audio[0]
        if sound.start_time is None or sound.time_base is None:
            return 0.0
        return float(sound.start_time * sound.time_base) - self._start

    def _first_notes(self, first: Any) -> list[str]:
        """What the first frame shows."""
        notes = []
        if self._form.is_interlaced:
            notes.append("the video is interlaced; every second line was interpolated")
        if first.color_trc in _HDR:
            notes.append(
                f"the video is {_HDR[first.color_trc]}; its brightness was taken as it is, so faces look dull. A copy "
                "in SDR may be tracked better"
            )
        if self._form.has_alpha:
            notes.append("the video has transparent parts; grey was put behind them")
        if self.fps and 1 / self.fps < self._shortest_seconds:
            notes.append(f"of {self.fps:.0f} frames per second, some were left out")
        return notes

    def _picture(self, frame: Any, reformatter: Any) -> np.ndarray:
        """A frame as it is shown, (h, w, 3) uint8."""
        form = self._form
        kind = "rgba" if form.has_alpha else "rgb24"
        converted = reformatter.reformat(frame, *form.decoded_size, format=kind, interpolation="AREA")
        picture = converted.to_ndarray()
        if form.has_alpha:
            alpha = picture[..., 3:].astype(np.uint16)
            picture = ((picture[..., :3] * alpha + _BEHIND_ALPHA * (255 - alpha)) // 255).astype(np.uint8)
        picture = form.turned(picture)
        return picture[:, ::-1] if self._mirrored else picture


def refuse_other_kinds(path: Path) -> None:
    """Raise InputError for what is plainly neither video nor picture: ffmpeg takes some texts for playlists."""
    if not path.is_file():
        raise InputError(f"{path} not found; choose a video file")
    try:
        kind = kind_of_file(path) if path.stat().st_size else "empty"
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); choose another video file") from error
    if kind == "empty":
        raise InputError(f"{path} is empty; choose another video file")
    if kind and kind != "a picture":
        raise InputError(f"{path} is {kind}, not a video, whatever its name is; use {READABLE}")


@dataclass(frozen=True)
class _Form:
    """How frames are stored and shown.

    Attributes:
        coded_size: width and height of the stored frames.
        decoded_size: width and height to which they are brought before they are turned.
        shown_size: width and height as shown, with square pixels.
        swapped: whether rows are shown as columns.
        flipped_x: whether the picture is then mirrored from left to right.
        flipped_y: whether it is then mirrored from top to bottom.
        is_interlaced: whether the lines of a frame belong to two times.
        has_alpha: whether parts of the picture may be transparent.
    """

    coded_size: tuple[int, int]
    decoded_size: tuple[int, int]
    shown_size: tuple[int, int]
    swapped: bool
    flipped_x: bool
    flipped_y: bool
    is_interlaced: bool
    has_alpha: bool

    def fits(self, frame: Any) -> bool:
        """Whether a frame has the first one's size, or is like it but larger or smaller."""
        width, height = self.coded_size
        return abs(frame.width * height - frame.height * width) <= 0.02 * frame.width * height

    def turned(self, picture: np.ndarray) -> np.ndarray:
        """A stored picture as it is shown."""
        if self.swapped:
            picture = picture.swapaxes(0, 1)
        if self.flipped_x:
            picture = picture[:, ::-1]
        if self.flipped_y:
            picture = picture[::-1]
        return picture


def _form(stream: Any, first: Any, longest_side: int) -> _Form:
    """The form of a video's frames, from the first one."""
    aspect = stream.sample_aspect_ratio
    aspect = float(aspect) if aspect else 1.0
    aspect = aspect if 0.1 < aspect < 10 else 1.0
    width, height = first.width * max(aspect, 1.0), first.height / min(aspect, 1.0)
    factor = min(1.0, longest_side / max(width, height))
    decoded = max(1, round(width * factor)), max(1, round(height * factor))
    shown = round(width), round(height)
    swapped, flipped_x, flipped_y = _turn(first)
    return _Form(
        coded_size=(first.width, first.height),
        decoded_size=decoded,
        shown_size=shown[::-1] if swapped else shown,
        swapped=swapped,
        flipped_x=flipped_x,
        flipped_y=flipped_y,
        is_interlaced=bool(first.interlaced_frame),
        has_alpha=first.format.has_palette or any(part.is_alpha for part in first.format.components),
    )


def _turn(frame: Any) -> tuple[bool, bool, bool]:
    """Whether a frame is shown with rows as columns, then mirrored left to right, then top to bottom.

    The display matrix (ISO/IEC 14496-12, 6.2.2) maps a stored place (x, y) to (a x + c y, b x + d y); it is stored as
    a, b, u, c, d, v, x, y, w.
    """
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX" and data.buffer_size >= _DISPLAY_MATRIX_BYTES:
            matrix = np.frombuffer(bytes(data)[:_DISPLAY_MATRIX_BYTES], np.int32).reshape(3, 3)
            a, b, c, d = (float(value) for value in (*matrix[0, :2], *matrix[1, :2]))
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return False, a < 0, d < 0
            return True, c < 0, b < 0
    return False, False, False


def _duration(container: Any, stream: Any) -> float:
    """Length of a video that its file states, seconds; 0 if it does not."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else 0.0
