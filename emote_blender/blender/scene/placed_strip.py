"""Sound strips as a scene's timeline plays them: its own, and those inside its scene strips.

Which part of a sound file is heard, and when, was measured on mixed-down ramps with Blender 4.5, 5.0 and 5.2
(tests/blender/scene/test_placed_strip.py measures it again).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import bpy

from ...errors import InputError
from ...motion_tools.timing import frames_per_second
from ..compat import all_strips, keeps_start_of_cut_scene, strip_timing
from ..narrow import expect
from .hidden_fields import hidden_offset

_MOST_LEVELS = 8  # of scene strips in scene strips


@dataclass(frozen=True, eq=False)
class PlacedStrip:
    """A sound strip on a scene's timeline. It holds Blender data, so it is used at once and never kept.

    Attributes:
        scene: the scene whose timeline counts.
        strip: the sound strip.
        through: the scene strips in which it is, the outermost first; none for a strip of the scene itself.
        name: by which it is chosen; a strip in a scene strip is named after that too if another has its name.
    """

    scene: bpy.types.Scene
    strip: bpy.types.SoundStrip
    through: tuple[bpy.types.SceneStrip, ...] = ()
    name: str = ""

    @property
    def owner(self) -> bpy.types.Scene:
        """The scene whose sequencer holds the strip."""
        return expect(self.strip.id_data, bpy.types.Scene)

    def is_inside(self, container: bpy.types.Strip) -> bool:
        """Whether it is in this meta strip or scene strip of the timeline's scene, at any depth."""
        part: bpy.types.Strip | None = self.through[0] if self.through else self.strip
        while part is not None:
            if part == container:
                return True
            part = part.parent_meta()
        return False


@dataclass(frozen=True)
class AudiblePart:
    """The part of a strip that is played: where it is on the timeline, and where in the sound file.

    Attributes:
        frame_start: scene frame at which it begins.
        source_start_seconds: time in the file at `frame_start`; negative if the part begins with silence. For a
            retimed strip it counts in what the strip plays, as if that were the file.
        duration_seconds: its length.
        retiming: frames of the retiming keys from the beginning of the content, as text; empty without retiming.
    """

    frame_start: int
    source_start_seconds: float
    duration_seconds: float
    retiming: str = ""


def sound_strips(scene: bpy.types.Scene) -> list[bpy.types.SoundStrip]:
    """The sound strips of a scene in the order of their first audible frames, those inside meta strips too."""
    strips = [strip for strip in all_strips(scene) if isinstance(strip, bpy.types.SoundStrip)]
    return sorted(strips, key=lambda strip: (strip_timing(strip).left, strip.name))


def placed_strips(scene: bpy.types.Scene) -> list[PlacedStrip]:
    """The sound strips that a scene's timeline plays, in the order of their first audible frames.

    Strips of the scene itself are all there; of those inside scene strips, the ones that its timeline shows.
    """
    placed = [*_own(scene), *(inside for inside in _inside(scene) if _is_audible(inside))]
    counts = Counter(item.strip.name for item in placed)
    named = [
        replace(item, name=_long_name(item) if item.through and counts[item.strip.name] > 1 else item.strip.name)
        for item in placed
    ]
    return sorted(named, key=lambda item: (_span(item)[0], item.name))


def on_own_timeline(strip: bpy.types.SoundStrip) -> PlacedStrip:
    """A sound strip on the timeline of the scene whose sequencer holds it."""
    return PlacedStrip(expect(strip.id_data, bpy.types.Scene), strip, (), strip.name)


def audible_part(placed: PlacedStrip) -> AudiblePart:
    """The part of a strip between its handles and between those of the meta strips and scene strips around it.

    The time in the file at frame f of the strip's own scene is (f - content_start + trim_start) / fps - offset.

    Raises:
        InputError: if nothing of it is played.
    """
    start, end, shift = _span(placed)
    fps = _fps(placed.scene)
    if end <= start:
        raise InputError(
            f"nothing of strip {placed.strip.name!r} is heard; check its handles and "
            + ("the scene strip around it" if placed.through else "its meta strip")
        )
    frame_start = round(round(start * fps, 6))  # in this order: 110.5 must not become 110.49999
    timing, sound = strip_timing(placed.strip), placed.strip.sound
    content_seconds = (timing.content_start - timing.trim_start) / _fps(placed.owner)
    offset = placed.strip.sound_offset + (hidden_offset(sound) if sound is not None else 0.0)
    return AudiblePart(
        frame_start,
        frame_start / fps + shift - content_seconds - offset,
        end - frame_start / fps,
        retiming_of(placed),
    )


def handles(strip: bpy.types.Strip) -> tuple[float, float]:
    """The first frame of a strip, and the frame after its last one, between the handles of the metas around it."""
    timing = strip_timing(strip)
    left, right = timing.left, timing.right
    meta = strip.parent_meta()
    while meta is not None:
        outer = strip_timing(meta)
        left, right = max(left, outer.left), min(right, outer.right)
        meta = meta.parent_meta()
    return left, right


def frames_on_timeline(placed: PlacedStrip) -> tuple[float, float]:
    """The first audible frame of a strip on the timeline, and the frame after its last one."""
    start, end, _ = _span(placed)
    fps = _fps(placed.scene)
    return start * fps, end * fps


def seconds_into(placed: PlacedStrip, part: AudiblePart, holder: bpy.types.SceneStrip | bpy.types.SoundStrip) -> float:
    """Seconds from the beginning of a strip's whole content to that of the audible part.

    Args:
        placed: the sound strip.
        part: its audible part.
        holder: the sound strip, or one of the scene strips around it.
    """
    seconds = part.frame_start / _fps(placed.scene)
    for around in placed.through:
        if around == holder:
            break
        seconds += _shown_frame_0(around) / _fps(expect(around.id_data, bpy.types.Scene))
    timing = strip_timing(holder)
    return seconds - (timing.content_start - timing.trim_start) / _fps(expect(holder.id_data, bpy.types.Scene))


def outermost(strip: bpy.types.Strip) -> bpy.types.Strip:
    """The meta strip around a strip that is in no other, or the strip itself."""
    while (meta := strip.parent_meta()) is not None:
        strip = meta
    return strip


def retiming_of(placed: PlacedStrip) -> str:
    """The retiming keys of a strip and of the scene strips around it, as text; empty without retiming."""
    parts = []
    strips: tuple[bpy.types.SceneStrip | bpy.types.SoundStrip, ...] = (*placed.through, placed.strip)
    for part in strips:
        start = strip_timing(part).content_start
        parts.append(" ".join(f"{key.timeline_frame - start:.0f}" for key in part.retiming_keys))
    return "/".join(parts) if any(parts) else ""


def _own(scene: bpy.types.Scene) -> Iterator[PlacedStrip]:
    for strip in sound_strips(scene):
        yield PlacedStrip(scene, strip, (), strip.name)


def _inside(scene: bpy.types.Scene) -> Iterator[PlacedStrip]:
    """The sound strips inside the scene strips of a scene; a scene that shows itself is not entered again."""

    def enter(shown: bpy.types.Scene, through: tuple[bpy.types.SceneStrip, ...]) -> Iterator[PlacedStrip]:
        entered = (scene, *(strip.scene for strip in through))
        for strip in all_strips(shown):
            if not isinstance(strip, bpy.types.SceneStrip) or strip.scene is None or strip.scene in entered:
                continue
            path = (*through, strip)
            for sound in sound_strips(strip.scene):
                yield PlacedStrip(scene, sound, path, sound.name)
            if len(path) < _MOST_LEVELS:
                yield from enter(strip.scene, path)

    yield from enter(scene, ())


def _is_audible(placed: PlacedStrip) -> bool:
    start, end, _ = _span(placed)
    return start < end


def _long_name(placed: PlacedStrip) -> str:
    return f"{placed.strip.name} ({' / '.join(holder.name for holder in placed.through)})"


def _span(placed: PlacedStrip) -> tuple[float, float, float]:
    """Where a strip is audible on the timeline, in seconds from frame 0, and what to add for its own scene's time."""
    start, end, shift = -math.inf, math.inf, 0.0
    for part in (*placed.through, placed.strip):
        fps = _fps(expect(part.id_data, bpy.types.Scene))
        left, right = handles(part)
        start, end = max(start, left / fps - shift), min(end, right / fps - shift)
        if isinstance(part, bpy.types.SceneStrip):
            shift += _shown_frame_0(part) / fps
    return start, end, shift


def _shown_frame_0(strip: bpy.types.SceneStrip) -> float:
    """The frame of the shown scene at frame 0 of the scene with the strip, in frames of the latter.

    Of the shown scene's first frame Blender takes no account in a meta strip, and before 5.2 in a strip whose content
    was cut off for good: there the sound is early against the picture.
    """
    timing = strip_timing(strip)
    counts_first_frame = strip.parent_meta() is None and (timing.trim_start == 0 or keeps_start_of_cut_scene())
    first = strip.scene.frame_start if counts_first_frame and strip.scene is not None else 0
    return timing.trim_start + first - timing.content_start


def _fps(scene: bpy.types.Scene) -> float:
    return frames_per_second(scene.render.fps, scene.render.fps_base)
