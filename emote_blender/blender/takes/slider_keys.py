"""Keyframes of a take's sliders: f-curves of the head object such as `emote.takes[2].refine.jaw_strength`.

Blender names an item of a list by its number, so the curves have to follow when takes are removed or sorted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence

import bpy
import numpy as np

from ..compat import slot_curves
from ..narrow import expect

_PATH = re.compile(r"emote\.takes\[(\d+)\]\.(.+)")
_SAMPLED = ("refine.", "alive.")  # groups whose keys are read when curves are written


def slider_curves(head: bpy.types.Object, index: int) -> dict[str, bpy.types.FCurve]:
    """The f-curves of a take's sliders in the head's active action, by their name, such as `refine.jaw_strength`.

    Muted curves and those without keys are left out.

    Args:
        head: mesh object of the head.
        index: number of the take in the head's list.
    """
    return all_slider_curves(head).get(index, {})


def all_slider_curves(head: bpy.types.Object) -> dict[int, dict[str, bpy.types.FCurve]]:
    """What `slider_curves` gives, by the number of the take; takes without keys are left out."""
    curves: dict[int, dict[str, bpy.types.FCurve]] = {}
    for curve in slot_curves(head):
        match = _PATH.fullmatch(curve.data_path)
        if match and not curve.mute and not curve.is_empty:
            curves.setdefault(int(match[1]), {})[match[2]] = curve
    return curves


def slider_values(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """(T,) values of a slider at (T,) scene frames, with fractions; the scene's frame is not changed."""
    return np.array([curve.evaluate(frame) for frame in frames.tolist()], np.float64)


def slider_digest(curves: Mapping[str, bpy.types.FCurve]) -> int:
    """A number that changes if a key of these curves is set, moved, shaped or deleted; 0 without curves."""
    digest = 0
    for name in sorted(curves):
        if not name.startswith(_SAMPLED):
            continue
        curve = curves[name]
        digest = zlib.crc32(f"{name} {curve.extrapolation} {len(curve.modifiers)}".encode(), digest)
        keys = curve.keyframe_points
        for setting, width in (("co", 2), ("handle_left", 2), ("handle_right", 2)):
            values = np.empty(width * len(keys), np.float32)
            keys.foreach_get(setting, values)
            digest = zlib.crc32(values.tobytes(), digest)
        kinds = np.empty(len(keys), np.int32)
        keys.foreach_get("interpolation", kinds)
        digest = zlib.crc32(kinds.tobytes(), digest)
    return digest


def renumber_takes(head: bpy.types.Object, numbers: Sequence[int | None]) -> None:
    """Let the curves and drivers of a head's takes follow them to new numbers.

    Args:
        head: mesh object of the head.
        numbers: the new number of each take in the list's old order; None for a take that was removed, whose curves
            are removed too.
    """
    data = head.animation_data
    if data is None:
        return
    for channelbag in _channelbags(data):
        for curve in list(channelbag.fcurves):
            match = _PATH.fullmatch(curve.data_path)
            if match is None or int(match[1]) >= len(numbers):
                continue
            number = numbers[int(match[1])]
            if number is None:
                channelbag.fcurves.remove(curve)
            else:
                curve.data_path = f"emote.takes[{number}].{match[2]}"
    for driver in list(data.drivers):
        match = _PATH.fullmatch(driver.data_path)
        if match is None or int(match[1]) >= len(numbers):
            continue
        number = numbers[int(match[1])]
        if number is None:
            data.drivers.remove(driver)
        else:
            driver.data_path = f"emote.takes[{number}].{match[2]}"


def copy_slider_curves(head: bpy.types.Object, source: int, target: int) -> None:
    """Give a take the keyframes of another one's sliders, in the same actions.

    Args:
        head: mesh object of the head.
        source: number of the take whose keyframes are copied.
        target: number of the take that gets them.
    """
    data = head.animation_data
    for channelbag in _channelbags(data) if data is not None else ():
        for curve in list(channelbag.fcurves):
            match = _PATH.fullmatch(curve.data_path)
            if match is None or int(match[1]) != source:
                continue
            copied = channelbag.fcurves.new(f"emote.takes[{target}].{match[2]}", index=curve.array_index)
            keys, count = copied.keyframe_points, len(curve.keyframe_points)
            keys.add(count)
            for setting, width, kind in (
                ("co", 2, np.float32),
                ("interpolation", 1, np.int32),
                ("handle_left_type", 1, np.int32),
                ("handle_right_type", 1, np.int32),
                ("handle_left", 2, np.float32),
                ("handle_right", 2, np.float32),
            ):
                values = np.empty(width * count, kind)
                curve.keyframe_points.foreach_get(setting, values)
                keys.foreach_set(setting, values)
            copied.extrapolation = curve.extrapolation
            copied.update()


def remove_slider_curves(head: bpy.types.Object, index: int, names: Sequence[str]) -> None:
    """Delete the keyframes of a take's sliders.

    Args:
        head: mesh object of the head.
        index: number of the take in the head's list.
        names: sliders, such as `refine.jaw_strength`.
    """
    paths = {f"emote.takes[{index}].{name}" for name in names}
    data = head.animation_data
    for channelbag in _channelbags(data) if data is not None else ():
        for curve in list(channelbag.fcurves):
            if curve.data_path in paths:
                channelbag.fcurves.remove(curve)


def _channelbags(data: bpy.types.AnimData) -> Iterator[bpy.types.ActionChannelbag]:
    """The curves of every action that a data-block plays: its own and those of its NLA strips."""
    slots = [(data.action, data.action_slot)]
    slots += [(strip.action, strip.action_slot) for track in data.nla_tracks for strip in track.strips]
    seen: set[tuple[str, int]] = set()
    for action, slot in slots:
        if action is None or slot is None or action.library is not None or (action.name, slot.handle) in seen:
            continue
        seen.add((action.name, slot.handle))
        for layer in action.layers:
            for strip in layer.strips:
                channelbag = expect(strip, bpy.types.ActionKeyframeStrip).channelbag(slot)
                if channelbag is not None:
                    yield channelbag
