"""What keeps the sound of a strip from being heard: mutes and volumes of the strip, around it, and of the scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

import bpy

from ..compat import curves_in, strip_timing
from ..narrow import expect, present
from .placed_strip import PlacedStrip


@dataclass(frozen=True, eq=False)
class Silencer:
    """Something that silences a strip.

    Attributes:
        clause: what it is, without a period: "the strip 'Line' is muted".
        undo: lets the sound be heard.
    """

    clause: str
    undo: Callable[[], None]


def why_unheard(placed: PlacedStrip) -> str:
    """Why the sound of a strip is not heard in playback, as a sentence; empty if it is heard."""
    found = next(chain(silencers(placed), scene_silencers(placed.scene)), None)
    clause = found.clause if found is not None else shows_camera(placed)
    return f"{clause}: the face speaks, but nothing is heard" if clause else ""


def shows_camera(placed: PlacedStrip) -> str:
    """A clause that names a scene strip around a strip that shows a camera; empty if none does.

    Blender then plays no strip of that scene (measured on 4.5, 5.0 and 5.2). To change that changes the picture.
    """
    for holder in placed.through:
        if holder.scene_input == "CAMERA":
            scene = present(holder.scene).name
            return (
                f"the scene strip {holder.name!r} plays the sound of the scene {scene!r} only if its Input is Sequencer"
            )
    return ""


def is_muted(scene: bpy.types.Scene, strip: bpy.types.Strip) -> bool:
    """Whether a strip of any kind, a meta strip around it, or one of their channels is muted."""
    return any(part.mute or channel.mute for part, channel in around(scene, strip))


def silencers(placed: PlacedStrip) -> Iterator[Silencer]:
    """What silences a strip: it, a strip or a scene around it, or one of their channels, muted or by a volume of 0."""
    yield from _strip_silencers(placed.owner, placed.strip)
    for holder in reversed(placed.through):
        yield from scene_silencers(present(holder.scene))
        yield from _strip_silencers(expect(holder.id_data, bpy.types.Scene), holder)


def _strip_silencers(scene: bpy.types.Scene, strip: bpy.types.SoundStrip | bpy.types.SceneStrip) -> Iterator[Silencer]:
    """What silences a strip in its own scene's sequencer."""
    timing = strip_timing(strip)
    own = "the strip" if isinstance(strip, bpy.types.SoundStrip) else "the scene strip"
    for part, channel in around(scene, strip):
        is_strip = part == strip
        noun = f"{own} {strip.name!r}" if is_strip else f"the meta strip {part.name!r} around {strip.name!r}"
        if part.mute:
            yield Silencer(f"{noun} is muted", partial(_set, part, "mute", False))
        if channel.mute:
            yield Silencer(f"the channel {channel.name!r} of {noun} is muted", partial(_set, channel, "mute", False))
        if hasattr(part, "volume"):  # meta strips have one from 5.1 on
            path = f'sequence_editor.strips_all["{bpy.utils.escape_identifier(part.name)}"].volume'
            yield from _zero_volume(scene, part, "volume", path, f"the volume of {noun}", timing.left, timing.right)


def around(
    scene: bpy.types.Scene, strip: bpy.types.Strip
) -> Iterator[tuple[bpy.types.Strip, bpy.types.SequenceTimelineChannel]]:
    """A strip and the meta strips around it, each with its channel."""
    part: bpy.types.Strip | None = strip
    while part is not None:
        meta = part.parent_meta()
        holder = present(scene.sequence_editor) if meta is None else expect(meta, bpy.types.MetaStrip)
        yield part, holder.channels[part.channel]
        part = meta


def scene_silencers(scene: bpy.types.Scene) -> Iterator[Silencer]:
    """What silences a whole scene."""
    if not scene.use_audio:
        clause = f"the sound of the scene {scene.name!r} is off (Mute in Timeline > Playback)"
        yield Silencer(clause, partial(_set, scene, "use_audio", True))
    start, end = scene.frame_start, scene.frame_end + 1
    noun = f"the volume of the scene {scene.name!r}"
    yield from _zero_volume(scene, scene, "audio_volume", "audio_volume", noun, start, end)


def _zero_volume(
    scene: bpy.types.Scene, owner: bpy.types.bpy_struct, name: str, path: str, noun: str, start: float, end: float
) -> Iterator[Silencer]:
    """A volume that is 0, set or animated, from the frame `start` to before `end`."""
    data = scene.animation_data
    curves = curves_in(data.action, data.action_slot) if data is not None else []
    curve = next((curve for curve in curves if curve.data_path == path and not curve.mute), None)
    if curve is None:
        if getattr(owner, name) == 0.0:
            yield Silencer(f"{noun} is 0", partial(_set, owner, name, 1.0))
    elif _is_zero(curve, start, end):

        def undo() -> None:
            curve.mute = True
            _set(owner, name, 1.0)

        yield Silencer(f"{noun} is animated to 0", undo)


def _is_zero(curve: bpy.types.FCurve, start: float, end: float) -> bool:
    """Whether a curve is 0 or less at its keys from `start` to before `end`, and on the first and the last frame."""
    if len(curve.modifiers):
        return False  # it may be anything
    keys = [point.co[1] for point in curve.keyframe_points if start <= point.co[0] < end]
    return max((*keys, curve.evaluate(start), curve.evaluate(end - 1))) <= 0.0


def _set(owner: bpy.types.bpy_struct, name: str, value: bool | float) -> None:
    setattr(owner, name, value)
