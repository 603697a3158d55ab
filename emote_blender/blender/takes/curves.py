"""F-curves of a take's action: written in bulk, rewritten in place, and left alone where the artist edited them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence

import bpy
import numpy as np

from ...motion_tools.sparse_keys import BezierKeys
from ..compat import action_channelbag
from ..narrow import expect, present
from .channels import Channel
from .keys import LINEAR, dense_points, write_dense_keys, write_sparse_keys

# Digest of each channel's keys as they were last written, JSON on the action.
_WRITTEN_PROPERTY = "emote_written"
_SMALLEST_CHANGE = 1e-6  # a channel that moves less than this all through gets one key


def slot_for(action: bpy.types.Action, owner: bpy.types.ID) -> bpy.types.ActionSlot:
    """The slot of an action for data-blocks of this kind; made if there is none."""
    for slot in action.slots:
        if slot.target_id_type == owner.id_type:
            return slot
    return action.slots.new(id_type=owner.id_type, name=owner.name)


def write_channels(
    action: bpy.types.Action,
    owners: Sequence[bpy.types.ID],
    channels: Sequence[Channel],
    frames: np.ndarray,
    sparse: Sequence[BezierKeys] | None = None,
) -> None:
    """Write the curves of a take and remove those it no longer moves; channels that the artist edited stay.

    Args:
        action: the take's action.
        owners: the data-blocks that the take may animate.
        channels: what the take moves.
        frames: (T,) frames of the values, ascending whole numbers.
        sparse: the keys of each channel; None for a key on every frame.
    """
    written = _written(action)
    first: dict[str, bpy.types.ID] = {}
    for owner in owners:
        first.setdefault(owner.id_type, owner)
    for owner in first.values():  # all data-blocks of a kind play one slot
        channelbag = action_channelbag(action, slot_for(action, owner))
        curves = {(curve.data_path, curve.array_index): curve for curve in channelbag.fcurves}
        for number, channel in enumerate(channels):
            if channel.id_type != owner.id_type:
                continue
            curve = curves.pop((channel.data_path, channel.index), None)
            name = channel_name(owner.id_type, channel.data_path, channel.index)
            points = dense_points(*_dense(channel, frames))
            if sparse is None and written.get(name) == linear_digest(points):
                continue  # the curve holds these keys, or the artist changed it: either way it stays
            if not _is_edited(curve, written.get(name)):
                curve = curve or _new_curve(channelbag, channel)
                if sparse is None:
                    write_dense_keys(curve, points)
                    written[name] = linear_digest(points)
                else:
                    write_sparse_keys(curve, float(frames[0]), sparse[number])
                    written[name] = _digest(curve)
        for (path, index), curve in curves.items():
            name = channel_name(owner.id_type, path, index)
            if not _is_edited(curve, written.get(name)):
                channelbag.fcurves.remove(curve)
                written.pop(name)
    action[_WRITTEN_PROPERTY] = json.dumps(written, ensure_ascii=False)
    action.update_tag(refresh={"TIME"})  # keys that are written in bulk evaluate nothing anew by themselves


def edited_channels(action: bpy.types.Action) -> list[str]:
    """Names of the channels whose keys the artist changed, added or deleted since they were written."""
    written, curves = _written(action), _curves(action)
    return [name for name in {**curves, **written} if _is_edited(curves.get(name), written.get(name))]


def edited_curves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """The curves of channels that the artist changed or added."""
    curves = _curves(action)
    return [curves[name] for name in edited_channels(action) if name in curves]


def forget_edits(action: bpy.types.Action, names: Iterable[str] | None = None) -> None:
    """Remove the artist's changes to these channels, or to all, so that the next `write_channels` writes them again."""
    written = _written(action)
    for name in edited_channels(action) if names is None else list(names):
        written.pop(name, None)
        for channelbag in channelbags(action):
            for curve in list(channelbag.fcurves):
                if _name(channelbag, curve) == name:
                    channelbag.fcurves.remove(curve)
    action[_WRITTEN_PROPERTY] = json.dumps(written, ensure_ascii=False)


def mark_as_written(action: bpy.types.Action, channels: Sequence[Channel], frames: np.ndarray) -> None:
    """Let curves that hold just what `channels` say, or nothing but rest, count as written and not as edited.

    For actions of versions that kept no record of what they wrote.
    """
    expected = {
        channel_name(channel.id_type, channel.data_path, channel.index): dense_points(*_dense(channel, frames))
        for channel in channels
    }
    written = _written(action)
    for name, curve in _curves(action).items():
        points = _points(curve)
        at_rest = len(points) == 2 and abs(points[1] - _rest_of(curve)) < _SMALLEST_CHANGE
        same = name in expected and points.shape == expected[name].shape
        if at_rest or (same and np.allclose(points, expected[name], atol=1e-5)):
            written[name] = _digest(curve)
    action[_WRITTEN_PROPERTY] = json.dumps(written, ensure_ascii=False)


def _rest_of(curve: bpy.types.FCurve) -> float:
    return float(curve.data_path.endswith("rotation_quaternion") and curve.array_index == 0)


def channel_name(id_type: str, data_path: str, index: int) -> str:
    """What identifies a channel in an action: kind of its data-block, data path and index."""
    return f"{id_type} {data_path} {index}"


def _name(channelbag: bpy.types.ActionChannelbag, curve: bpy.types.FCurve) -> str:
    return channel_name(present(channelbag.slot).target_id_type, curve.data_path, curve.array_index)


def channelbag_of(action: bpy.types.Action, id_type: str) -> bpy.types.ActionChannelbag | None:
    """The f-curves of an action for data-blocks of this kind, or None."""
    return next((bag for bag in channelbags(action) if present(bag.slot).target_id_type == id_type), None)


def channelbags(action: bpy.types.Action) -> list[bpy.types.ActionChannelbag]:
    """The f-curves of an action, one group for each slot."""
    return [
        channelbag
        for layer in action.layers
        for strip in layer.strips
        for channelbag in expect(strip, bpy.types.ActionKeyframeStrip).channelbags
    ]


def _curves(action: bpy.types.Action) -> dict[str, bpy.types.FCurve]:
    return {_name(channelbag, curve): curve for channelbag in channelbags(action) for curve in channelbag.fcurves}


def _written(action: bpy.types.Action) -> dict[str, int]:
    """Digest of each channel as it was last written, by name; empty if the property is missing or damaged."""
    try:
        stored = json.loads(str(action.get(_WRITTEN_PROPERTY, "{}")))
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def _is_edited(curve: bpy.types.FCurve | None, written: int | None) -> bool:
    """Whether a channel is no longer as it was written: changed, added or deleted by the artist."""
    if curve is None:
        return written is not None
    return written is None or _digest(curve) != written


def _points(curve: bpy.types.FCurve) -> np.ndarray:
    """(2 N,) frame and value of each key."""
    points = np.empty(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get("co", points)
    return points


def _digest(curve: bpy.types.FCurve) -> int:
    """Number that changes if a key is moved, added, removed or set to another interpolation, or a used handle moves."""
    keys = curve.keyframe_points
    points = _points(curve)
    digest = linear_digest(points)
    interpolation = np.empty(len(keys), np.int32)
    keys.foreach_get("interpolation", interpolation)
    if (interpolation != LINEAR).any():
        digest = zlib.crc32(interpolation.tobytes(), digest)
        for handles in ("handle_left", "handle_right"):
            keys.foreach_get(handles, points)
            digest = zlib.crc32(points.tobytes(), digest)
    return digest


def linear_digest(points: np.ndarray) -> int:
    """The digest of a curve with these (2 N,) keys and linear interpolation."""
    return zlib.crc32(points.tobytes())


def _new_curve(channelbag: bpy.types.ActionChannelbag, channel: Channel) -> bpy.types.FCurve:
    curve = channelbag.fcurves.new(channel.data_path, index=channel.index)
    if channel.group:
        curve.group = channelbag.groups.get(channel.group) or channelbag.groups.new(channel.group)
    return curve


def _dense(channel: Channel, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames and values of a channel's keys; one key if it does not change."""
    if np.ptp(channel.values) < _SMALLEST_CHANGE:
        return frames[:1], channel.values[:1]
    return frames, channel.values


def num_keys(action: bpy.types.Action) -> int:
    """Number of keys of an action."""
    return sum(len(curve.keyframe_points) for curve in _curves(action).values())
