"""Baking: takes as one ordinary action, for export and for work without this add-on; and the way back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...errors import InputError
from ...motion_tools.channel_groups import channel_group
from ...motion_tools.sparse_keys import sparse_keys
from ..compat import action_channelbag
from ..head.head_rig import HeadRig
from ..narrow import present
from .curves import channelbags
from .error_bounds import ErrorBound, channel_bounds, item_name
from .keys import dense_points, write_dense_keys, write_sparse_keys
from .layout import owners_of
from .sampling import ChannelPath, IdType, id_type_of, sampled

BAKED_PROPERTY = "emote_baked"  # on the data-blocks that a baked action is assigned to: what was there before
_SMALLEST_VALUE = 1e-5  # a channel that stays nearer to rest than this is left out


@dataclass(frozen=True, eq=False)
class BakedMotion:
    """What a head is set to over time.

    Attributes:
        channels: the animated values.
        values: (C, T) their values.
        first_frame: scene frame of the first value.
    """

    channels: list[ChannelPath]
    values: np.ndarray
    first_frame: int


def action_motion(action: bpy.types.Action) -> BakedMotion:
    """The motion of one take's action alone, whether it is in use or not.

    Raises:
        InputError: if the action has no keys for a head.
    """
    kinds: tuple[IdType, ...] = ("KEY", "OBJECT")
    curves = {
        ChannelPath(kind, curve.data_path, curve.array_index): curve
        for kind in kinds
        for curve in _curves(action, kind)
    }
    if not curves:
        raise InputError(f"action {action.name!r} has no keys; generate the take again")
    frames = _whole_frames(action.frame_range[0], action.frame_range[1])
    values = np.array([[curve.evaluate(frame) for frame in frames] for curve in curves.values()])
    return BakedMotion(list(curves), values, frames.start)


def played_motion(rig: HeadRig, own_animation: bool, scene_start: int) -> BakedMotion:
    """The motion that a head plays over its whole animation: all takes in use, and what the artist added.

    A frame is added at the end, and at the start if the scene shows it, as an action holds its first and last pose.

    Args:
        rig: the head.
        own_animation: whether the artist's active actions have a say, or the NLA tracks alone.
        scene_start: first frame of the scene.

    Raises:
        InputError: if the head plays nothing.
    """
    channels: dict[ChannelPath, None] = {}
    ranges: list[tuple[float, float]] = []
    for owner in owners_of(rig):
        id_type, data = id_type_of(owner), owner.animation_data
        if data is None:
            continue
        for track in data.nla_tracks if data.use_nla else ():
            for strip in track.strips:
                if track.mute or strip.mute or strip.action is None:
                    continue
                channels |= dict.fromkeys(_paths(strip.action, strip.action_slot, id_type))
                if strip.extrapolation != "HOLD" or strip.frame_end - strip.frame_start > 1:
                    ranges.append((strip.frame_start, strip.frame_end))
        if own_animation and data.action is not None:
            channels |= dict.fromkeys(_paths(data.action, data.action_slot, id_type))
            ranges.append((data.action.frame_range[0], data.action.frame_range[1]))
    if not channels or not ranges:
        raise InputError(f"head {rig.mesh.name!r} plays no take; use a take first")
    inner = _whole_frames(min(start for start, _ in ranges), max(end for _, end in ranges))
    frames = range(inner.start - (inner.start > scene_start), inner.stop + 1)
    values = sampled(rig, list(channels), frames, own_animation)
    exists = ~np.isnan(values).any(axis=1)
    return BakedMotion([channel for channel, kept in zip(channels, exists) if kept], values[exists], frames.start)


def bake(
    rig: HeadRig, motion: BakedMotion, name: str, bound: ErrorBound | None, metres_per_unit: float = 1.0
) -> bpy.types.Action:
    """A new action with a slot for the head's shape keys and one for its armature.

    Args:
        rig: the head.
        motion: the motion to write.
        name: name of the action.
        bound: error bound of sparse keys; None for a key on every frame.
        metres_per_unit: length of the scene's unit.
    """
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    frames = motion.first_frame + np.arange(motion.values.shape[1])
    sparse = None
    if bound is not None:
        bounds = channel_bounds(bound, motion.channels, motion.values, rig, metres_per_unit)
        sparse = sparse_keys(motion.values, bounds)
    names = {id_type_of(owner): owner.name for owner in reversed(owners_of(rig))}
    for id_type in sorted(names):  # all shape keys play one slot
        channelbag = action_channelbag(action, action.slots.new(id_type=id_type, name=names[id_type]))
        for number, channel in enumerate(motion.channels):
            values = motion.values[number]
            if channel.id_type != id_type or _stays_at_rest(channel, values):
                continue
            curve = channelbag.fcurves.new(channel.data_path, index=channel.index)
            group = channel_group(item_name(channel.data_path))
            curve.group = channelbag.groups.get(group) or channelbag.groups.new(group)
            if sparse is not None:
                write_sparse_keys(curve, motion.first_frame, sparse[number])
            else:
                num_keys = 1 if np.ptp(values) < _SMALLEST_VALUE else len(frames)
                write_dense_keys(curve, dense_points(frames[:num_keys], values[:num_keys]))
    return action


def assign_baked(rig: HeadRig, action: bpy.types.Action) -> None:
    """Let the head play a baked action alone, without NLA tracks and the artist's action, until `release_baked`."""
    for owner in owners_of(rig):
        data = owner.animation_data or owner.animation_data_create()
        if owner.get(BAKED_PROPERTY) is None:
            before: dict[str, Any] = {"use_nla": data.use_nla}
            if data.action is not None:
                data.action.use_fake_user = True
                before |= {"action": data.action, "slot": data.action_slot.identifier if data.action_slot else ""}
            owner[BAKED_PROPERTY] = before
        data.use_nla = False
        _set_to_rest(owner)
        data.action = action
        data.action_slot = next(slot for slot in action.slots if slot.target_id_type == id_type_of(owner))


def release_baked(rig: HeadRig) -> bool:
    """Undo `assign_baked`; False if no baked action is assigned."""
    released = False
    for owner in owners_of(rig):
        before = owner.get(BAKED_PROPERTY)
        if before is None:
            continue
        data = owner.animation_data or owner.animation_data_create()
        data.action = before.get("action")
        if data.action is not None:
            data.action_slot = next((slot for slot in data.action.slots if slot.identifier == before["slot"]), None)
        data.use_nla = before["use_nla"]
        del owner[BAKED_PROPERTY]
        released = True
    return released


def plays_baked(rig: HeadRig) -> bool:
    """Whether a baked action is assigned to the head."""
    return any(owner.get(BAKED_PROPERTY) is not None for owner in owners_of(rig))


def _curves(
    action: bpy.types.Action, id_type: IdType, slot: bpy.types.ActionSlot | None = None
) -> list[bpy.types.FCurve]:
    """The f-curves of an action's slot; without a slot, those for data-blocks of this kind."""
    return [
        curve
        for channelbag in channelbags(action)
        if present(channelbag.slot).target_id_type == id_type and slot in (None, channelbag.slot)
        for curve in channelbag.fcurves
    ]


def _paths(action: bpy.types.Action, slot: bpy.types.ActionSlot | None, id_type: IdType) -> list[ChannelPath]:
    """The channels that an assigned slot animates; none if no slot is assigned."""
    if slot is None:
        return []
    return [ChannelPath(id_type, curve.data_path, curve.array_index) for curve in _curves(action, id_type, slot)]


def _whole_frames(start: float, end: float) -> range:
    return range(math.floor(start + 1e-3), math.ceil(end - 1e-3) + 1)


def _rest_value(channel: ChannelPath) -> float | None:
    """The value of a shape key or a bone's transform at rest; None for other properties."""
    start, _, name = channel.data_path.rpartition(".")
    if start.startswith("key_blocks[") and name == "value":
        return 0.0
    if not start.startswith("pose.bones["):
        return None
    rest = {"rotation_quaternion": (1.0, 0.0, 0.0, 0.0), "rotation_axis_angle": (0.0, 0.0, 1.0, 0.0)}
    if name in rest:
        return rest[name][channel.index]
    return {"location": 0.0, "rotation_euler": 0.0, "scale": 1.0}.get(name)


def _stays_at_rest(channel: ChannelPath, values: np.ndarray) -> bool:
    """Whether a channel may be left out. A rotation's parts belong together and stay, unless they are Euler angles."""
    rest = _rest_value(channel)
    if rest is None or channel.data_path.endswith(("rotation_quaternion", "rotation_axis_angle")):
        return False
    return bool(np.abs(values - rest).max() < _SMALLEST_VALUE)


def _set_to_rest(owner: bpy.types.Key | bpy.types.Object) -> None:
    """Set what the data-block's animation moves to rest, so that no pose remains that nothing animates any more."""
    data = owner.animation_data
    if data is None:
        return
    id_type = id_type_of(owner)
    playing = [(data.action, data.action_slot)] if data.action is not None else []
    playing += [
        (strip.action, strip.action_slot) for track in data.nla_tracks for strip in track.strips if strip.action
    ]
    for action, slot in playing:
        for channel in _paths(action, slot, id_type):
            rest = _rest_value(channel)
            if rest is None:
                continue
            start, _, name = channel.data_path.rpartition(".")
            try:
                item = owner.path_resolve(start)
            except ValueError:
                continue
            if isinstance(item, bpy.types.ShapeKey):
                item.value = rest
            else:
                getattr(item, name)[channel.index] = rest
