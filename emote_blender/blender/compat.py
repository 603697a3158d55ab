"""What differs between Blender 4.5, 5.0 and 5.2, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from .narrow import expect, present, window_scene


@dataclass(frozen=True)
class StripTiming:
    """Where a strip lies, in scene frames.

    Attributes:
        content_start: frame (with its fraction) at which the untrimmed content would begin.
        trim_start: frames cut off the front of the content for good (`animation_offset_start`).
        left: first audible frame of the strip.
        right: the frame after the last audible one.
    """

    content_start: float
    trim_start: float
    left: float
    right: float


def strip_timing(strip: bpy.types.Strip) -> StripTiming:
    """The timing of a strip, through the names that this Blender has (5.2 renamed them, 6.0 drops the old ones)."""
    if hasattr(strip, "left_handle"):
        renamed: Any = strip  # the types of 4.5 do not have the names of 5.2
        trim_start = getattr(renamed, "content_trim_start", 0)  # effects, such as text strips, have none
        return StripTiming(renamed.content_start, trim_start, renamed.left_handle, renamed.right_handle)
    return StripTiming(
        strip.frame_start,
        getattr(strip, "animation_offset_start", 0),
        strip.frame_final_start,
        strip.frame_final_end,
    )


def content_frames(strip: bpy.types.SoundStrip) -> int:
    """The frames of a strip's content at speed 1, those that were cut off for good too."""
    if hasattr(strip, "content_duration"):
        renamed: Any = strip
        return renamed.content_duration + renamed.content_trim_start + renamed.content_trim_end
    return strip.frame_duration + strip.animation_offset_start + strip.animation_offset_end


def shown_content_frames(strip: bpy.types.MovieStrip) -> float:
    """The scene frames that a strip's content would take if no handle cut anything off."""
    timing = strip_timing(strip)
    if hasattr(strip, "right_handle_offset"):
        renamed: Any = strip
        return timing.right + renamed.right_handle_offset - timing.content_start
    return timing.right + strip.frame_offset_end - timing.content_start


def all_strips(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """Every strip of a scene's sequencer, those inside meta strips too (4.5 also has the old name `sequences_all`)."""
    editor = scene.sequence_editor
    return list(editor.strips_all) if editor else []


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose strips the sequencer shows; from 5.0 on it may be another one than the window's."""
    return getattr(context, "sequencer_scene", None) or window_scene(context)


def show_in_sequencers(scene: bpy.types.Scene, *, only_empty: bool = False) -> None:
    """Show this scene's strips in every workspace's sequencer, which shows none at first from 5.0 on.

    Args:
        scene: the scene.
        only_empty: leave a sequencer alone that shows a scene already.
    """
    for workspace in bpy.data.workspaces:
        if hasattr(workspace, "sequencer_scene") and not (only_empty and workspace.sequencer_scene):
            workspace.sequencer_scene = scene


def keeps_start_of_cut_scene() -> bool:
    """Whether the sound of a scene strip cut off at its start for good still counts the scene's first frame."""
    return bpy.app.version >= (5, 2, 0)


def reads_speeds_before_strips() -> bool:
    """Whether Blender plays a retimed strip with speeds from memory that nobody has set (4.5 and 5.0; not 5.2)."""
    return bpy.app.version < (5, 2, 0)


def move_strip(strip: bpy.types.Strip, frames: float) -> None:
    """Move a strip, and what is inside if it is a meta strip."""
    if hasattr(strip, "content_start"):
        strip.content_start += frames
    else:
        strip.frame_start += frames


def active_strip(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """The active strip of a scene's sequencer."""
    return scene.sequence_editor.active_strip if scene.sequence_editor else None


def new_sound_strip(
    scene: bpy.types.Scene, name: str, filepath: str, channel: int, frame_start: int
) -> bpy.types.SoundStrip:
    """A new sound strip in a scene's sequencer."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strip = editor.strips.new_sound(name=name, filepath=filepath, channel=channel, frame_start=frame_start)
    return expect(strip, bpy.types.SoundStrip)


def node_tree(owner: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """The node tree of a material or world; 4.5 has none until `use_nodes` is set, which 6.0 drops."""
    if owner.node_tree is None:
        owner.use_nodes = True
    return present(owner.node_tree)


def eevee_engine() -> str:
    """The identifier of EEVEE as a render engine."""
    return "BLENDER_EEVEE_NEXT" if bpy.app.version < (5, 0, 0) else "BLENDER_EEVEE"


def action_channelbag(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> bpy.types.ActionChannelbag:
    """The f-curves of one slot of an action; makes the action's layer and strip if it has none yet."""
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return expect(strip, bpy.types.ActionKeyframeStrip).channelbag(slot, ensure=True)


def slot_curves(owner: bpy.types.Object | bpy.types.Key) -> list[bpy.types.FCurve]:
    """The f-curves that a data-block's active action has for it; empty if there are none."""
    data = owner.animation_data
    return [] if data is None else curves_in(data.action, data.action_slot)


def curves_in(action: bpy.types.Action | None, slot: bpy.types.ActionSlot | None) -> list[bpy.types.FCurve]:
    """The f-curves of one slot of an action; empty without action or slot."""
    curves: list[bpy.types.FCurve] = []
    for layer in action.layers if action is not None and slot is not None else ():
        for strip in layer.strips:
            bag = expect(strip, bpy.types.ActionKeyframeStrip).channelbag(slot)
            curves.extend(bag.fcurves if bag is not None else ())
    return curves


def new_slot(action: bpy.types.Action, owner: bpy.types.ID) -> bpy.types.ActionSlot:
    """A new slot of an action for this data-block."""
    return action.slots.new(id_type=owner.id_type, name=owner.name)
