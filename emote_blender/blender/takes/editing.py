"""Editing the keys of a take by hand: tweak mode on its two strips, and what the editors need to show them."""

from __future__ import annotations

import bpy

from ...errors import InputError
from ..head.head_rig import HeadRig
from ..narrow import expect, pose_bones, present
from .curves import channelbags
from .layout import Owner, owners_of, strips_of

_COPIED = (
    "action_frame_start",
    "action_frame_end",
    "scale",
    "repeat",
    "blend_type",
    "blend_in",
    "blend_out",
    "extrapolation",
    "influence",
    "mute",
    "use_auto_blend",
    "use_reverse",
    "use_sync_length",
    "use_animated_influence",
)


def edited_action(rig: HeadRig) -> bpy.types.Action | None:
    """The action whose keys are edited in tweak mode on this head; None outside tweak mode."""
    for owner in owners_of(rig):
        data = owner.animation_data
        if data is not None and data.use_tweak_mode:
            return data.action
    return None


def begin_editing(rig: HeadRig, action: bpy.types.Action) -> None:
    """Enter tweak mode on the strips of a take, on the head's shape keys and on its armature.

    Raises:
        InputError: if the take has no strip, its track is locked, or another strip is in the way.
    """
    end_editing(rig)
    select_strips(rig, action)
    if not any(strips_of(owner, action) for owner in owners_of(rig)):
        raise InputError(f"take {action.name!r} has no strip in the NLA of head {rig.mesh.name!r}; use the take first")
    try:
        for owner in owners_of(rig):
            if strips_of(owner, action):
                _enter(owner, action)
    except InputError:
        end_editing(rig)
        raise


def end_editing(rig: HeadRig) -> bool:
    """Leave tweak mode on a head; False if it was in none."""
    left = False
    for owner in owners_of(rig):
        data = owner.animation_data
        if data is not None and data.use_tweak_mode:
            data.use_tweak_mode = False
            left = True
    return left


def select_strips(rig: HeadRig, action: bpy.types.Action) -> None:
    """Select the strips of a take and their tracks, and no other ones of the head."""
    for owner in owners_of(rig):
        data = owner.animation_data
        if data is None:
            continue
        for track in data.nla_tracks:
            track.select = False
            for strip in track.strips:
                strip.select = False
        for track, strip in strips_of(owner, action):
            track.select = strip.select = True
            data.nla_tracks.active = track


def select_head(rig: HeadRig, view_layer: bpy.types.ViewLayer, action: bpy.types.Action) -> None:
    """Select mesh, armature and the bones that a take moves, so that the animation editors list their channels.

    Raises:
        InputError: if mesh or armature cannot be selected.
    """
    parts = (*rig.meshes, *([] if rig.armature is None else [rig.armature]))
    for item in parts:
        if item.name not in view_layer.objects or not item.visible_get(view_layer=view_layer):
            raise InputError(f"object {item.name!r} is hidden; show it first, as editors list visible objects only")
    for other in view_layer.objects:
        other.select_set(other in parts, view_layer=view_layer)
    view_layer.objects.active = rig.mesh
    moved = {
        curve.data_path.split('"')[1]
        for channelbag in channelbags(action)
        for curve in channelbag.fcurves
        if curve.data_path.startswith('pose.bones["')
    }
    for bone in pose_bones(rig.armature) if rig.armature is not None else ():
        # Blender 5.0 moved the selection from bones to pose bones.
        selectable = bone if hasattr(bone, "select") else bone.bone
        selectable.select = bone.name in moved


def show_in_editors(screen: bpy.types.Screen | None) -> bool:
    """Let the dope sheets of a screen list all channels of what is selected; False if no editor shows keys.

    The Action Editor shows the active object's action only: shape keys without bones, or the other way round.
    """
    shown = False
    for area in screen.areas if screen is not None else ():
        if area.type == "DOPESHEET_EDITOR":
            space = expect(area.spaces.active, bpy.types.SpaceDopeSheetEditor)
            if space.mode in ("ACTION", "SHAPEKEY"):
                space.mode = "DOPESHEET"
            shown = shown or space.mode == "DOPESHEET"
        elif area.type == "GRAPH_EDITOR":
            shown = True
        area.tag_redraw()
    return shown


def _enter(owner: Owner, action: bpy.types.Action) -> None:
    data = present(owner.animation_data)
    track, _ = strips_of(owner, action)[0]
    if track.lock:
        raise InputError(f"NLA track {track.name!r} of {owner.name!r} is locked; unlock it first")
    if data.is_property_readonly("use_tweak_mode"):
        raise InputError(f"{owner.name!r} is linked and its strips cannot be edited here; make it local first")
    data.use_tweak_mode = True
    if data.use_tweak_mode and data.action == action:
        return
    # Blender edits the active strip of a track, and only a click makes a strip active or not.
    data.use_tweak_mode = False
    for other in [strip for strip in track.strips if strip.active and strip.action != action]:
        _recreate(track, other)
    select_only = [strip for _, strip in strips_of(owner, action)]
    for strip in track.strips:
        strip.select = strip in select_only
    data.use_tweak_mode = True
    if not (data.use_tweak_mode and data.action == action):
        data.use_tweak_mode = False
        raise InputError(
            f"another strip on NLA track {track.name!r} of {owner.name!r} is active; click strip {action.name!r} in "
            "the NLA editor, then press Edit Keys again"
        )


def _recreate(track: bpy.types.NlaTrack, strip: bpy.types.NlaStrip) -> None:
    """Replace a strip by an equal one that is not active; one with keys or modifiers of its own stays."""
    if strip.action is None or strip.modifiers or any(len(curve.keyframe_points) for curve in strip.fcurves):
        return
    values = {name: getattr(strip, name) for name in _COPIED}
    name, action, slot = strip.name, strip.action, strip.action_slot
    start, end = strip.frame_start, strip.frame_end
    track.strips.remove(strip)
    made = track.strips.new(name, int(start), action)
    made.name = name
    made.action_slot = slot
    for setting, value in values.items():
        setattr(made, setting, value)
    made.frame_start_raw, made.frame_end_raw = start, end
    made.scale = values["scale"]
