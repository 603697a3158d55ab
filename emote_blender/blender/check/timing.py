"""What puts takes out of time with the scene or with their sound, or where nobody sees them."""

from __future__ import annotations

import bpy

from ...motion_tools.timing import frames_per_second
from ..scene.strips import placed_strips
from ..settings.take_settings import EMOTE_PG_take
from .problem import Fix, Problem, listed, was_or_were
from .subject import Subject, sound_scenes

_FPS_TOLERANCE = 1e-3


def other_frame_rate(subject: Subject) -> Problem | None:
    """Takes that were made at another frame rate."""
    fps = _fps(subject.scene)
    takes = [take for take in _takes_here(subject) if is_of_another_rate(subject, take)]
    if not takes:
        return None
    return Problem(
        "WARNING",
        f"the take {_named(takes)} {was_or_were(len(takes))} made at {takes[0].fps:.4g} fps, but the scene plays at "
        f"{fps:.4g}: retime it",
        "RETIME",
    )


def out_of_range(subject: Subject) -> Problem | None:
    """Takes that lie outside of the frames that the scene plays and renders."""
    scene = subject.scene
    outside = [take for take in _takes_here(subject) if _is_outside(subject, take)]
    if not outside:
        return None
    first, last = _frames(subject, outside[0])
    start, end, name = _range(scene)
    beside = f" (and {len(outside) - 1} more)" if len(outside) > 1 else ""
    return Problem(
        "ERROR" if len(outside) == len(_takes_here(subject)) else "INFO",
        f"the take {outside[0].name!r}{beside} lies at frames {first:.0f} to {last:.0f}, but the {name} is {start} "
        f"to {end}: extend the range",
        "RANGE",
    )


def other_scene(subject: Subject) -> Problem | None:
    """Takes that were made for another scene's strips."""
    takes = [take for take in subject.takes if take.scene is not None and take.scene != subject.scene]
    takes = [take for take in takes if take.scene not in sound_scenes(subject)]
    if not takes:
        return None
    return Problem(
        "INFO",
        f"the take {_named(takes)} follows the scene {takes[0].scene.name!r}, not this one: its sound and frame rate "
        "are those of that scene",
    )


def stretched_time(subject: Subject) -> Problem | None:
    """Time Stretching, which plays the animation at another speed than the sound."""
    render = subject.scene.render
    if render.frame_map_old == render.frame_map_new:
        return None
    return Problem(
        "WARNING",
        f"Time Stretching of the scene {subject.scene.name!r} ({render.frame_map_old} to {render.frame_map_new}) "
        "changes the speed of the face but not of the sound: set both to 100 (Output > Frame Range)",
        "TIME_STRETCH",
    )


def drifting_playback(subject: Subject) -> Problem | None:
    """Playback that shows every frame, however late."""
    scene = subject.scene
    if scene.sync_mode != "NONE" or not placed_strips(scene):
        return None
    return Problem(
        "INFO",
        "playback shows every frame (Sync: Play Every Frame), so the face falls behind the sound where Blender is "
        "slow: choose Sync to Audio (Timeline > Playback)",
        "SYNC",
    )


def still_viewports(subject: Subject) -> Problem | None:
    """Playback that does not redraw 3D viewports."""
    screen = subject.context.screen
    if screen is None or screen.use_play_3d_editors or screen.use_play_top_left_3d_editor:
        return None
    return Problem(
        "ERROR",
        "playback does not redraw 3D viewports: tick 3D Viewports in Timeline > Playback",
        "PLAYBACK_EDITORS",
    )


def is_of_another_rate(subject: Subject, take: EMOTE_PG_take) -> bool:
    """Whether a take was written at another frame rate than its scene has now."""
    fps = _fps(take.scene or subject.scene)
    return take.fps > 0.0 and abs(take.fps - fps) > _FPS_TOLERANCE


def _fps(scene: bpy.types.Scene) -> float:
    return frames_per_second(scene.render.fps, scene.render.fps_base)


def _takes_here(subject: Subject) -> list[EMOTE_PG_take]:
    """The takes in use that belong to the window's scene, or to the scene of its sequencer."""
    return [take for take in subject.takes if take.scene is None or take.scene in sound_scenes(subject)]


def _named(takes: list[EMOTE_PG_take]) -> str:
    return listed(repr(take.name) for take in takes)


def _frames(subject: Subject, take: EMOTE_PG_take) -> tuple[float, float]:
    """First and last frame of a take's line, without its transitions."""
    start = subject.first_frame(take)
    return start, start + max(0.0, take.duration_seconds * (take.fps or _fps(subject.scene)) - 1.0)


def _range(scene: bpy.types.Scene) -> tuple[int, int, str]:
    """First and last frame that are played, and what sets them."""
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end, "preview range"
    return scene.frame_start, scene.frame_end, "scene's range"


def _is_outside(subject: Subject, take: EMOTE_PG_take) -> bool:
    first, last = _frames(subject, take)
    start, end, _ = _range(subject.scene)
    return last < start or first > end


def _extend(subject: Subject) -> None:
    scene = subject.scene
    for take in _takes_here(subject):
        if not _is_outside(subject, take):
            continue
        first, last = _frames(subject, take)
        if scene.use_preview_range:
            scene.frame_preview_start = min(scene.frame_preview_start, int(first))
            scene.frame_preview_end = max(scene.frame_preview_end, int(-(-last // 1)))
        else:
            scene.frame_start = min(scene.frame_start, int(max(0, first)))
            scene.frame_end = max(scene.frame_end, int(-(-last // 1)))


def _no_stretching(subject: Subject) -> None:
    subject.scene.render.frame_map_old = subject.scene.render.frame_map_new = 100


def _sync(subject: Subject) -> None:
    subject.scene.sync_mode = "AUDIO_SYNC"


def _redraw_viewports(subject: Subject) -> None:
    if subject.context.screen is not None:
        subject.context.screen.use_play_3d_editors = True


CHECKS = (out_of_range, still_viewports, other_frame_rate, stretched_time, other_scene, drifting_playback)
FIXES = {
    "RANGE": Fix("Extend Range", "Extend the range of frames over the takes", _extend),
    "PLAYBACK_EDITORS": Fix("Redraw", "Let playback redraw 3D viewports", _redraw_viewports),
    "TIME_STRETCH": Fix("No Stretching", "Set Time Stretching to 100 and 100", _no_stretching),
    "SYNC": Fix("Sync to Audio", "Drop frames where Blender is slow, so that face and sound stay together", _sync),
}
