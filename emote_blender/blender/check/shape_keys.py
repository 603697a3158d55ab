"""What keeps shape keys from moving the face."""

from __future__ import annotations

import bpy
import numpy as np

from ...retarget.compatibility import UNKNOWN_FLAME
from ..head.blink_keys import axes_in_mesh, names_blinks, write_blink_keys
from .problem import Fix, Problem, Severity, counted, is_or_are, listed
from .subject import Subject, drivers_of, has_weights, key_path

_TOLERANCE = 1e-4  # by which a value may exceed a slider's range unseen
_SLIDER_LIMIT = 10.0  # Blender allows no more


def expression_keys(subject: Subject) -> list[bpy.types.ShapeKey]:
    """The shape keys that takes animate."""
    blocks = subject.keys.key_blocks
    return [blocks[name] for name in _key_names(subject)]


def _key_names(subject: Subject) -> tuple[str, ...]:
    return subject.rig.expression_keys + subject.rig.blink_keys


def muted_keys(subject: Subject) -> Problem | None:
    """Shape keys whose box is not ticked."""
    muted = _names(subject, _muted(subject))
    if not muted:
        return None
    return Problem(
        _all_or_some(subject, muted),
        f"{counted(len(muted), 'shape key')} of {subject.head.name!r} {is_or_are(len(muted))} muted "
        f"({listed(muted)}): tick {'it' if len(muted) == 1 else 'them'} in the Shape Keys panel",
        "KEYS_MUTED",
    )


def driven_keys(subject: Subject) -> Problem | None:
    """Shape keys whose values a driver sets."""
    paths = {curve.data_path for curve in drivers_of(subject.keys) if not curve.mute}
    driven = [key.name for key in expression_keys(subject) if key_path(key.name) in paths] if paths else []
    if not driven:
        return None
    return Problem(
        _all_or_some(subject, driven),
        f"{counted(len(driven), 'shape key')} of {subject.head.name!r} {is_or_are(len(driven))} driven "
        f"({listed(driven)}), and a driver overrides the take: mute the drivers",
        "KEYS_DRIVEN",
    )


def only_show(subject: Subject) -> Problem | None:
    """The pin that shows the active shape key alone."""
    if not subject.head.show_only_shape_key:
        return None
    return Problem(
        "ERROR",
        f"{subject.head.name!r} shows its active shape key alone (the pin in the Shape Keys panel): turn the pin off",
        "KEYS_PINNED",
    )


def absolute_keys(subject: Subject) -> Problem | None:
    """Shape keys that are played one after the other instead of being added."""
    if subject.keys.use_relative:
        return None
    return Problem(
        "ERROR",
        f"the shape keys of {subject.head.name!r} are absolute, which ignores their values: turn Relative on",
        "KEYS_ABSOLUTE",
    )


def clamped_keys(subject: Subject) -> Problem | None:
    """Shape keys whose slider ends before the take's values do."""
    clamped = list(_ranges_to_widen(subject))
    if not clamped:
        return None
    return Problem(
        "WARNING",
        f"the sliders of {counted(len(clamped), 'shape key')} of {subject.head.name!r} are shorter than the take's "
        f"values, which cuts the motion off ({listed(clamped)}): widen Range Min and Max",
        "KEYS_CLAMPED",
    )


def keys_of_empty_groups(subject: Subject) -> Problem | None:
    """Shape keys that are limited to a vertex group in which no vertex is."""
    empty = _keys_of_empty_groups(subject)
    if not empty:
        return None
    groups = sorted({key.vertex_group for key in empty})
    return Problem(
        _all_or_some(subject, [key.name for key in empty]),
        f"{counted(len(empty), 'shape key')} of {subject.head.name!r} {is_or_are(len(empty))} limited to the vertex "
        f"group {listed(groups)}, in which no vertex has a weight: clear the keys' vertex group",
        "KEYS_GROUP",
    )


def edited_mesh(subject: Subject) -> Problem | None:
    """A mesh in a mode that shows one shape key instead of the animation."""
    mode = subject.head.mode
    if mode not in ("EDIT", "SCULPT"):
        return None
    return Problem(
        "ERROR",
        f"{subject.head.name!r} is in {mode.title()} Mode, which does not show the animation: go back to Object Mode",
        "MESH_MODE",
    )


def _muted(subject: Subject) -> np.ndarray:
    """(expression keys,) whether each is muted."""
    blocks = subject.keys.key_blocks
    muted = np.empty(len(blocks), bool)
    blocks.foreach_get("mute", muted)
    return muted


def _names(subject: Subject, chosen: np.ndarray) -> list[str]:
    """Names of the expression keys among the chosen keys of the mesh."""
    if not chosen.any():
        return []
    expression = set(_key_names(subject))
    return [key.name for key, is_chosen in zip(subject.keys.key_blocks, chosen) if is_chosen and key.name in expression]


def _all_or_some(subject: Subject, names: list[str]) -> Severity:
    return "ERROR" if len(names) >= subject.rig.num_expression else "WARNING"


def _keys_of_empty_groups(subject: Subject) -> list[bpy.types.ShapeKey]:
    limited = [key for key in expression_keys(subject) if key.vertex_group in subject.head.vertex_groups]
    if not limited:
        return []
    empty = {name for name in {key.vertex_group for key in limited} if not has_weights(subject.head, name)}
    return [key for key in limited if key.vertex_group in empty]


# Smallest and largest value of each curve of an action, by what tells whether the curves were written again.
_extents: dict[tuple, dict[str, tuple[float, float]]] = {}
# Those of all takes in use together, and what they were worked out from.
_widest: tuple[tuple, dict[str, tuple[float, float]]] = ((), {})
_MOST_ACTIONS = 4096
_MOST_NEW = 8  # actions read at a time: a file of hundreds of takes is read over several redraws


def _extents_of(subject: Subject, action: bpy.types.Action) -> dict[str, tuple[float, float]]:
    """Smallest and largest value by data path, of each shape key that a take moves."""
    extents = {}
    bag = subject.bag(subject.keys, action)
    for curve in bag.fcurves if bag is not None else ():
        points = np.empty(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", points)
        if len(points):
            extents[curve.data_path] = (float(points[1::2].min()), float(points[1::2].max()))
    return extents


def _stamp(subject: Subject, action: bpy.types.Action) -> tuple:
    """What changes when a take's curves are written again: cheap to read, unlike the curves."""
    bag = subject.bag(subject.keys, action)
    number = len(bag.fcurves) if bag is not None else 0
    if bag is None or not number:
        return (action.session_uid, 0)
    probes = []
    for curve in (bag.fcurves[0], bag.fcurves[number // 2], bag.fcurves[number - 1]):
        keys = curve.keyframe_points
        probes += [len(keys), keys[len(keys) // 2].co[1] if len(keys) else 0.0]
    return (action.session_uid, number, *probes)


def _all_extents(subject: Subject) -> dict[str, tuple[float, float]]:
    """Smallest and largest value that the takes in use give each shape key, by its data path."""
    global _widest
    stamps = {_stamp(subject, action): action for action in subject.played}
    missing = [stamp for stamp in stamps if stamp not in _extents]
    if len(_extents) > _MOST_ACTIONS:
        _extents.clear()
    for stamp in missing[:_MOST_NEW]:
        _extents[stamp] = _extents_of(subject, stamps[stamp])
    known = tuple(stamp for stamp in stamps if stamp in _extents)
    if known != _widest[0]:
        widest: dict[str, tuple[float, float]] = {}
        for stamp in known:
            for path, (low, high) in _extents[stamp].items():
                before = widest.get(path, (low, high))
                widest[path] = (min(low, before[0]), max(high, before[1]))
        _widest = (known, widest)
    return _widest[1]


def forget_extents() -> None:
    """Clear the cache of the takes' smallest and largest values."""
    _extents.clear()


def _ranges_to_widen(subject: Subject) -> dict[str, tuple[float, float]]:
    """The range that each clamped shape key needs, by its name."""
    extents = _all_extents(subject)
    needed = {}
    for key in expression_keys(subject):
        low, high = extents.get(key_path(key.name), (0.0, 0.0))
        low, high = max(low, -_SLIDER_LIMIT), min(high, _SLIDER_LIMIT)
        if low < key.slider_min - _TOLERANCE or high > key.slider_max + _TOLERANCE:
            needed[key.name] = (min(low, key.slider_min), max(high, key.slider_max))
    return needed


def _unmute(subject: Subject) -> None:
    for name in _names(subject, _muted(subject)):
        subject.keys.key_blocks[name].mute = False


def _mute_drivers(subject: Subject) -> None:
    paths = {key_path(name) for name in _key_names(subject)}
    for curve in drivers_of(subject.keys):
        if curve.data_path in paths:
            curve.mute = True
    subject.keys.update_tag()


def _unpin(subject: Subject) -> None:
    subject.head.show_only_shape_key = False


def _make_relative(subject: Subject) -> None:
    subject.keys.use_relative = True


def _widen(subject: Subject) -> None:
    forget_extents()
    for name, (low, high) in _ranges_to_widen(subject).items():
        key = subject.keys.key_blocks[name]
        key.slider_min, key.slider_max = low, high


def _clear_groups(subject: Subject) -> None:
    for key in _keys_of_empty_groups(subject):
        key.vertex_group = ""


def leave_mode(subject: Subject) -> None:
    """Go back to Object Mode."""
    bpy.ops.object.mode_set(mode="OBJECT")


def missing_blink(subject: Subject) -> Problem | None:
    """A FLAME head whose lids nothing closes, as FLAME has no blink."""
    rig = subject.rig
    if not rig.basis.startswith(UNKNOWN_FLAME) or rig.blink_keys or names_blinks(rig.expression_names):
        return None
    return Problem("INFO", f"nothing closes the lids of {subject.head.name!r}: add blink keys", "BLINK_MISSING")


def _add_blink(subject: Subject) -> None:
    write_blink_keys(subject.head, axes_in_mesh(subject.rig), subject.rig.shape_keys)


CHECKS = (
    edited_mesh,
    only_show,
    absolute_keys,
    muted_keys,
    driven_keys,
    keys_of_empty_groups,
    clamped_keys,
    missing_blink,
)
FIXES = {
    "MESH_MODE": Fix("Object Mode", "Leave the mode that shows no animation", leave_mode),
    "KEYS_PINNED": Fix("Turn Pin Off", "Show the mix of all shape keys, not the active one alone", _unpin),
    "KEYS_ABSOLUTE": Fix("Make Relative", "Let the values of the shape keys count", _make_relative),
    "KEYS_MUTED": Fix("Unmute Keys", "Unmute the expression shape keys", _unmute),
    "KEYS_DRIVEN": Fix(
        "Mute Drivers", "Mute the drivers of the expression shape keys; they stay in the file", _mute_drivers
    ),
    "KEYS_GROUP": Fix(
        "Clear Group", "Clear the vertex group of the shape keys that an empty one limits", _clear_groups
    ),
    "KEYS_CLAMPED": Fix("Widen Sliders", "Widen the sliders' range to the values of the takes", _widen),
    "BLINK_MISSING": Fix("Add Blink Keys", "Add shape keys that close the lids; others stay as they are", _add_blink),
}
