"""Movie strips: choosing one, the part of its file that it shows, and the sound strip beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from ...errors import InputError
from ...motion_tools.timing import frames_per_second
from ..compat import active_strip, all_strips, sequencer_scene, shown_content_frames, strip_timing
from ..narrow import expect, present, window_scene
from .movie_pictures import MoviePart, movie_info
from .placed_strip import PlacedStrip, audible_part, handles, placed_strips
from .strips import sound_file

_LEAST_SHARED = 0.5  # of the shorter of two strips, for a sound that may belong to a movie


@dataclass(frozen=True)
class ShownMovie:
    """A movie on a scene's timeline.

    Attributes:
        name: of the strip, or of the file.
        frame_start: scene frame at which its first picture is shown.
        part: what of the file is shown.
    """

    name: str
    frame_start: int
    part: MoviePart


def movie_scenes(context: bpy.types.Context) -> list[bpy.types.Scene]:
    """The scenes whose movie strips can be captured: the sequencer's and the window's."""
    scenes = [sequencer_scene(context), window_scene(context)]
    return list({scene.session_uid: scene for scene in scenes}.values())


def movie_strips(scene: bpy.types.Scene) -> list[bpy.types.MovieStrip]:
    """The movie strips of a scene in the order of their first frames, those inside meta strips too."""
    strips = [strip for strip in all_strips(scene) if isinstance(strip, bpy.types.MovieStrip)]
    return sorted(strips, key=lambda strip: (strip_timing(strip).left, strip.name))


def find_movie(context: bpy.types.Context, name: str = "") -> bpy.types.MovieStrip:
    """The movie strip of a name, without one the active one, or the only one.

    Raises:
        InputError: if there is none, with the names that there are.
    """
    scenes = movie_scenes(context)
    strips = [strip for scene in scenes for strip in movie_strips(scene)]
    names = ", ".join(repr(strip.name) for strip in strips[:10]) + (", ..." if len(strips) > 10 else "")
    if name:
        found = next((strip for strip in strips if strip.name == name), None)
        if found is None:
            there = f"choose one of {names}" if names else "there is none; add one in the Video Sequencer"
            raise InputError(f"movie strip {name!r} not found; {there}")
        return found
    for scene in scenes:
        active = active_strip(scene)
        if isinstance(active, bpy.types.MovieStrip):
            return active
        if isinstance(active, bpy.types.SoundStrip):  # its own movie is meant
            beside = [strip for strip in movie_strips(scene) if _is_same_file(strip, active)]
            if len(beside) == 1:
                return beside[0]
    if len(strips) == 1:
        return strips[0]
    if not strips:
        raise InputError("the sequencer has no movie strip; add one there, or choose a video file")
    raise InputError(f"no movie strip is chosen; choose one of {names}")


def shown_movie(strip: bpy.types.MovieStrip) -> ShownMovie:
    """The part of a strip between its handles, and those of the meta strips around it.

    Raises:
        InputError: if its file is missing or no video, it is retimed or reversed, or nothing of it is shown.
    """
    scene = expect(strip.id_data, bpy.types.Scene)
    if len(strip.retiming_keys):
        raise InputError(f"movie strip {strip.name!r} is retimed; capture its file, or reset the retiming")
    if strip.use_reverse_frames:
        raise InputError(f"movie strip {strip.name!r} plays in reverse; capture its file, or switch Reverse Frames off")
    path = strip_file(strip)
    info = movie_info(path)
    left, right = handles(strip)
    timing, scene_fps = strip_timing(strip), frames_per_second(scene.render.fps, scene.render.fps_base)
    # Blender shows frame by frame, or in real time if the strip was added so (Adjust Playback Rate).
    in_real_time = info.num_frames * scene_fps / info.fps
    length = shown_content_frames(strip)
    fps = info.fps if abs(length - in_real_time) < abs(length - info.num_frames) else scene_fps
    first = max(0, round((left - timing.content_start) * fps / scene_fps) + timing.trim_start)
    count = min(info.num_frames - first, max(1, round((right - left) * fps / scene_fps)))
    if right <= left or count < 1:
        raise InputError(f"nothing of movie strip {strip.name!r} is shown; check its handles and its meta strip")
    part = MoviePart(path, int(first), int(count), fps, strip.use_flip_x, strip.use_flip_y)
    return ShownMovie(strip.name, round(left), part)


def whole_movie(path: Path, frame_start: int) -> ShownMovie:
    """A movie file from a scene frame on; raises InputError if it is no video or picture."""
    info = movie_info(path)
    return ShownMovie(path.stem, frame_start, MoviePart(path, 0, info.num_frames, info.fps))


def strip_file(strip: bpy.types.MovieStrip) -> Path:
    """The absolute path of a strip's file."""
    return Path(bpy.path.abspath(strip.filepath, library=present(strip.id_data).library))


def sound_beside(strip: bpy.types.MovieStrip) -> PlacedStrip | None:
    """The sound strip that belongs to a movie strip: of the same file at the same time, or the only one at its time."""
    scene = expect(strip.id_data, bpy.types.Scene)
    left, right = handles(strip)
    together = []
    for placed in placed_strips(scene):
        try:
            part = audible_part(placed)
        except InputError:
            continue
        scene_fps = frames_per_second(scene.render.fps, scene.render.fps_base)
        start, end = part.frame_start, part.frame_start + part.duration_seconds * scene_fps
        if min(end, right) - max(start, left) > _LEAST_SHARED * min(end - start, right - left):
            together.append(placed)
    own = [placed for placed in together if _is_same_file(strip, placed.strip)]
    for found in (own, together):
        if len(found) == 1:
            return found[0]
    return None


def _is_same_file(movie: bpy.types.MovieStrip, sound: bpy.types.SoundStrip) -> bool:
    return sound.sound is not None and sound_file(sound.sound) == strip_file(movie)
