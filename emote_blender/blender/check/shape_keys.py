"""What keeps shape keys from moving the face."""

from __future__ import annotations

import bpy
import numpy as np

from ...retarget.compatibility import UNKNOWN_FLAME
from ..head.blink_keys import axes_in_mesh, names_blinks, write_blink_keys
from ..head.shape_keys import SLIDER_LIMIT, key_path
from ..narrow import shape_keys_of
from .problem import Fix, Problem, Severity, counted, is_or_are, listed
from .subject import Subject, drivers_of, has_weights

_TOLERANCE = 1e-4  # by which a value may exceed a slider's range unseen


def expression_keys(subject: Subject) -> list[bpy.types.ShapeKey]:
    """The shape keys that takes animate, on every mesh."""
    return [key for _, key in _placed_keys(subject)]


def _placed_keys(subject: Subject) -> list[tuple[bpy.types.Object, bpy.types.ShapeKey]]:
    """The shape keys that takes animate, each with its mesh object."""
    names = _key_names(subject)
    return [
        (mesh, blocks[name])
        for mesh in subject.meshes
        for blocks in [shape_keys_of(mesh).key_blocks]
        for name in names
        if name in blocks
    ]


def _key_names(subject: Subject) -> tuple[str, ...]:
    return subject.rig.expression_keys + subject.rig.blink_keys


def muted_keys(subject: Subject) -> Problem | None:
    """Shape keys whose box is not ticked."""
    muted = _names(_muted(subject))
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
    driven = _names(_driven(subject))
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
    pinned = [mesh for mesh in subject.meshes if mesh.show_only_shape_key]
    if not pinned:
        return None
    return Problem(
        "ERROR",
        f"{pinned[0].name!r} shows its active shape key alone (the pin in the Shape Keys panel): turn the pin off",
        "KEYS_PINNED",
    )


def absolute_keys(subject: Subject) -> Problem | None:
    """Shape keys that are played one after the other instead of being added."""
    absolute = [mesh for mesh in subject.meshes if not shape_keys_of(mesh).use_relative]
    if not absolute:
        return None
    return Problem(
        "ERROR",
        f"the shape keys of {absolute[0].name!r} are absolute, which ignores their values: turn Relative on",
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
        _all_or_some(subject, _names(empty)),
        f"{counted(len(empty), 'shape key')} of {subject.head.name!r} {is_or_are(len(empty))} limited to the vertex "
        f"group {listed(groups)}, in which no vertex has a weight: clear the keys' vertex group",
        "KEYS_GROUP",
    )


def edited_mesh(subject: Subject) -> Problem | None:
    """A mesh in a mode that shows one shape key instead of the animation."""
    edited = next((mesh for mesh in subject.meshes if mesh.mode in ("EDIT", "SCULPT")), None)
    if edited is None:
        return None
    return Problem(
        "ERROR",
        f"{edited.name!r} is in {edited.mode.title()} Mode, which does not show the animation: go back to Object Mode",
        "MESH_MODE",
    )


def _muted(subject: Subject) -> list[bpy.types.ShapeKey]:
    """The expression keys that are muted."""
    muted = []
    names = set(_key_names(subject))
    for mesh in subject.meshes:
        blocks = shape_keys_of(mesh).key_blocks
        is_muted = np.empty(len(blocks), bool)
        blocks.foreach_get("mute", is_muted)
        if is_muted.any():
            muted += [key for key, found in zip(blocks, is_muted) if found and key.name in names]
    return muted


def _driven(subject: Subject) -> list[bpy.types.ShapeKey]:
    """The expression keys whose values a driver sets."""
    driven = []
    for mesh in subject.meshes:
        paths = {curve.data_path for curve in drivers_of(shape_keys_of(mesh)) if not curve.mute}
        if paths:
            blocks = shape_keys_of(mesh).key_blocks
            driven += [blocks[name] for name in _key_names(subject) if name in blocks and key_path(name) in paths]
    return driven


def _names(keys: list[bpy.types.ShapeKey]) -> list[str]:
    """The names of keys, each once, as several meshes may have one."""
    return list(dict.fromkeys(key.name for key in keys))


def _all_or_some(subject: Subject, names: list[str]) -> Severity:
    return "ERROR" if len(names) >= len(subject.rig.expression_keys) else "WARNING"


def _keys_of_empty_groups(subject: Subject) -> list[bpy.types.ShapeKey]:
    limited = [(mesh, key) for mesh, key in _placed_keys(subject) if key.vertex_group in mesh.vertex_groups]
    groups = {(mesh, key.vertex_group) for mesh, key in limited}
    empty = {(mesh, name) for mesh, name in groups if not has_weights(mesh, name)}
    return [key for mesh, key in limited if (mesh, key.vertex_group) in empty]


# Smallest and largest value of each curve of an action, by what tells whether the curves were written again.
_extents: dict[tuple, dict[str, tuple[float, float]]] = {}
# Those of all takes in use together, and what they were worked out from.
_widest: tuple[tuple, dict[str, tuple[float, float]]] = ((), {})
_MOST_ACTIONS = 4096
_MOST_NEW = 8  # actions read at a time: a file of hundreds of takes is read over several redraws


def _extents_of(subject: Subject, action: bpy.types.Action) -> dict[str, tuple[float, float]]:
    """Smallest and largest value by data path, of each shape key that a take moves."""
    extents = {}
    bag = _key_curves(subject, action)
    for curve in bag.fcurves if bag is not None else ():
        points = np.empty(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", points)
        if len(points):
            extents[curve.data_path] = (float(points[1::2].min()), float(points[1::2].max()))
    return extents


def _key_curves(subject: Subject, action: bpy.types.Action) -> bpy.types.ActionChannelbag | None:
    """The f-curves that a take has for the shape keys of all meshes."""
    owner = next((owner for owner in subject.owners if isinstance(owner, bpy.types.Key)), None)
    return None if owner is None else subject.bag(owner, action)


def _stamp(subject: Subject, action: bpy.types.Action) -> tuple:
    """What changes when a take's curves are written again: cheap to read, unlike the curves."""
    bag = _key_curves(subject, action)
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
    needed: dict[str, tuple[float, float]] = {}
    for key in expression_keys(subject):
        low, high = extents.get(key_path(key.name), (0.0, 0.0))
        low, high = max(low, -SLIDER_LIMIT), min(high, SLIDER_LIMIT)
        if low < key.slider_min - _TOLERANCE or high > key.slider_max + _TOLERANCE:
            known = needed.get(key.name, (low, high))
            needed[key.name] = (min(*known, key.slider_min), max(*known, key.slider_max))
    return needed


def _unmute(subject: Subject) -> None:
    for key in _muted(subject):
        key.mute = False


def _mute_drivers(subject: Subject) -> None:
    paths = {key_path(name) for name in _key_names(subject)}
    for keys in map(shape_keys_of, subject.meshes):
        for curve in drivers_of(keys):
            if curve.data_path in paths:
                curve.mute = True
        keys.update_tag()


def _unpin(subject: Subject) -> None:
    for mesh in subject.meshes:
        mesh.show_only_shape_key = False


def _make_relative(subject: Subject) -> None:
    for mesh in subject.meshes:
        shape_keys_of(mesh).use_relative = True


def _widen(subject: Subject) -> None:
    forget_extents()
    needed = _ranges_to_widen(subject)
    for key in expression_keys(subject):
        if key.name in needed:
            key.slider_min, key.slider_max = needed[key.name]


def _clear_groups(subject: Subject) -> None:
    for key in _keys_of_empty_groups(subject):
        key.vertex_group = ""


def leave_mode(subject: Subject) -> None:
    """Go back to Object Mode."""
    bpy.ops.object.mode_set(mode="OBJECT")


def missing_blink(subject: Subject) -> Problem | None:
    """A head whose lids nothing closes: FLAME has no blink, and a character's table may name none."""
    rig = subject.rig
    if rig.target is not None:
        if rig.target.moves("eyeBlink"):
            return None
        return Problem(
            "INFO",
            f"nothing closes the lids of {subject.head.name!r}: name shape keys for eyeBlinkLeft and eyeBlinkRight in "
            "its table",
        )
    if not rig.basis.startswith(UNKNOWN_FLAME) or rig.blink_keys or names_blinks(rig.expression_names):
        return None
    return Problem("INFO", f"nothing closes the lids of {subject.head.name!r}: add blink keys", "BLINK_MISSING")


def still_mouth(subject: Subject) -> Problem | None:
    """A character whose mouth nothing opens."""
    target = subject.rig.target
    if target is None or target.jaw_is_bone or target.moves("jawOpen", "viseme_"):
        return None
    return Problem(
        "ERROR",
        f"nothing opens the mouth of {subject.head.name!r}: name the shape key or the bone of its jaw, or "
        "shape keys of its visemes, in its table",
    )


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
    still_mouth,
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
