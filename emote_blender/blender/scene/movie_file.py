"""A whole video file through Blender's own decoder, for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...capture.video.frames import Frame
from ...errors import InputError
from ...sound_files.read import require_decodable
from ...sound_files.with_aud import AudSound
from .movie_pictures import MoviePart, MoviePictures, movie_info


class MovieFile(MoviePictures):
    """The frames of a video file; see `capture.video.frames.VideoFile`.

    Attributes:
        fps: frames per second.
        sound_start_seconds: 0 if the file has a sound, as Blender does not say when it begins; else None.
    """

    def __init__(self, path: Path, mirrored: bool = False) -> None:
        """Open a file; raises InputError if Blender cannot decode it."""
        info = movie_info(path)
        super().__init__(MoviePart(path, 0, info.num_frames, info.fps, flip_x=mirrored))
        self.fps: float | None = info.fps
        self.sound_start_seconds: float | None = 0.0
        try:
            require_decodable(path, AudSound)
        except InputError:
            self.sound_start_seconds = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, from the first one at each call; what that needs in the file is then removed."""
        try:
            yield from super().__iter__()
        finally:
            self.close()
