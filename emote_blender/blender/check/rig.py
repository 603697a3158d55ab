"""What keeps bones from moving the jaw, and the head from being seen."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from ...errors import InputError
from ..narrow import armature_of, expect, present
from .problem import Fix, Problem, listed
from .subject import Subject, bone_path, drivers_of, has_weights, view_layer

_JAW = "jaw"
# Constraints that replace a bone's rotation; the others move the bone or add to it.
_REPLACING = {"TRACK_TO", "DAMPED_TRACK", "LOCKED_TRACK", "STRETCH_TO", "IK", "SPLINE_IK", "ARMATURE"}
_TOLERANCE = 1e-3  # radians by which a take may exceed a limit unseen
_ROTATIONS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}


def rest_position(subject: Subject) -> Problem | None:
    """An armature that ignores its pose."""
    armature = subject.rig.armature
    if armature is None or armature_of(armature).pose_position != "REST":
        return None
    return Problem(
        "ERROR",
        f"the rig {armature.name!r} is in rest position, so jaw and neck stand still: set it to Pose Position",
        "RIG_REST",
    )


def edited_rig(subject: Subject) -> Problem | None:
    """An armature in Edit Mode, which shows its rest position."""
    armature = subject.rig.armature
    if armature is None or armature.mode != "EDIT":
        return None
    return Problem(
        "ERROR",
        f"the rig {armature.name!r} is in Edit Mode, which shows its rest position: go back to Object Mode",
        "RIG_MODE",
    )


def lost_modifier(subject: Subject) -> Problem | None:
    """A mesh that no armature deforms."""
    modifiers, armature = _armature_modifiers(subject), subject.rig.armature
    if armature is None or _jaw(subject) is None or any(modifier.object is not None for modifier in modifiers):
        return None
    if not modifiers and subject.head.parent == armature and subject.head.parent_type == "ARMATURE":
        return None  # deformed by its parent
    found = "names no rig" if modifiers else "is missing"
    return Problem(
        "ERROR",
        f"the Armature modifier of {subject.head.name!r} {found}, so the jaw moves nothing: "
        f"set it to {armature.name!r}",
        "MODIFIER_LOST",
    )


def disabled_modifier(subject: Subject) -> Problem | None:
    """An Armature modifier that is switched off, in the viewport or for renders."""
    off = [modifier for modifier in _armature_modifiers(subject) if modifier.object is not None]
    if _jaw(subject) is None or not off or any(modifier.show_viewport and modifier.show_render for modifier in off):
        return None
    places = [name for name, attribute in _PLACES if not any(getattr(modifier, attribute) for modifier in off)]
    if not places:
        return None
    return Problem(
        "ERROR" if "viewport" in places else "WARNING",
        f"the Armature modifier of {subject.head.name!r} is disabled in {' and '.join(places)}, so the jaw moves "
        "nothing there: enable it",
        "MODIFIER_DISABLED",
    )


_PLACES = (("viewport", "show_viewport"), ("renders", "show_render"))


def unweighted_jaw(subject: Subject) -> Problem | None:
    """An Armature modifier that does not use the weights of the jaw, or a mesh that lost them."""
    jaw = _jaw(subject)
    if jaw is None:
        return None
    groups = [(mesh, name) for mesh in subject.rig.meshes for name in _carried(jaw) if name in mesh.vertex_groups]
    if not groups:
        return Problem(
            "ERROR",
            f"{subject.head.name!r} has no vertex group {jaw.name!r}, so the jaw bone moves nothing: rename the group "
            "of the jaw's weights to it, or undo its removal",
        )
    weighted = [name for mesh, name in groups if has_weights(mesh, name)]
    if not weighted:
        return Problem(
            "ERROR",
            f"the vertex group {jaw.name!r} of {subject.head.name!r} holds no weight, so the jaw bone moves nothing: "
            "paint or transfer the jaw's weights",
        )
    modifiers = [modifier for modifier in _armature_modifiers(subject) if modifier.object is not None]
    masks = [modifier.vertex_group for modifier in modifiers if not modifier.invert_vertex_group]
    if masks and all(mask in subject.head.vertex_groups and not has_weights(subject.head, mask) for mask in masks):
        return Problem(
            "ERROR",
            f"the Armature modifier of {subject.head.name!r} is limited to the vertex group {masks[0]!r}, which holds "
            "no weight: clear the modifier's vertex group",
            "MODIFIER_MASK",
        )
    if modifiers and not any(modifier.use_vertex_groups for modifier in modifiers):
        return Problem(
            "ERROR",
            f"the Armature modifier of {subject.head.name!r} ignores vertex groups, so the jaw moves nothing: "
            "turn Bind To › Vertex Groups on",
            "MODIFIER_GROUPS",
        )
    armature = present(subject.rig.armature)
    bones = armature_of(armature).bones
    if not any(bones[name].use_deform for name in weighted):
        return Problem(
            "ERROR",
            f"the bone {jaw.name!r} of {armature.name!r} does not deform: turn Bone › Deform on",
            "JAW_DEFORM",
        )
    return None


def constrained_jaw(subject: Subject) -> Problem | None:
    """A jaw that follows a constraint."""
    names = [constraint.name for constraint in _constraints(subject)]
    if not names:
        return None
    return Problem(
        "ERROR",
        f"the jaw of {subject.rig.space.name!r} follows its constraint ({listed(names)}), not the take: "
        "mute the constraint",
        "JAW_CONSTRAINED",
    )


def driven_jaw(subject: Subject) -> Problem | None:
    """A jaw whose rotation a driver sets."""
    if not _jaw_drivers(subject):
        return None
    return Problem(
        "ERROR",
        f"the rotation of the jaw of {subject.rig.space.name!r} is driven, and a driver overrides the take: "
        "mute its drivers",
        "JAW_DRIVEN",
    )


def rotation_mode(subject: Subject) -> Problem | None:
    """A jaw bone whose rotation mode is another one than the take's curves are for."""
    written = _written_rotation(subject)
    bone = _jaw(subject)
    if bone is None or written is None or written == _ROTATIONS.get(bone.rotation_mode, "rotation_euler"):
        return None
    return Problem(
        "ERROR",
        f"the jaw of {subject.rig.space.name!r} is rotated by {_words(bone.rotation_mode)}, but the take has keys "
        f"of {written.replace('_', ' ')}: set the bone's rotation mode back",
        "JAW_ROTATION_MODE",
    )


def cached_mesh(subject: Subject) -> Problem | None:
    """A modifier that replaces the mesh by a stored one."""
    caches = _caches(subject)
    if not caches:
        return None
    return Problem(
        "ERROR",
        f"the modifier {listed(modifier.name for modifier in caches)} of {subject.head.name!r} replaces the face by a "
        "stored one: disable it",
        "MESH_CACHED",
    )


def hidden_head(subject: Subject) -> Problem | None:
    """A head that is not shown in the viewport."""
    head = subject.head
    if head.visible_get(view_layer=view_layer(subject)):
        return None
    return Problem(
        "WARNING",
        f"{head.name!r} is hidden in the viewport (by its eye or screen icon, or by its collection): show it",
        "HEAD_HIDDEN",
    )


def unrendered_head(subject: Subject) -> Problem | None:
    """A head that is left out of renders."""
    if not subject.head.hide_render:
        return None
    return Problem(
        "INFO",
        f"{subject.head.name!r} is disabled in renders (camera icon): enable it if it is to be rendered",
        "HEAD_NOT_RENDERED",
    )


def _jaw(subject: Subject) -> bpy.types.PoseBone | None:
    """The bone that opens the mouth; None for a character whose shape keys do, or nothing."""
    return subject.rig.bone("jaw")


def _carried(jaw: bpy.types.PoseBone) -> list[str]:
    """The names of the jaw and of the bones below it, any of which may carry the weights."""
    return [jaw.name, *(bone.name for bone in jaw.bone.children_recursive)]


def _jaw_path(subject: Subject, name: str = "") -> str:
    """Data path of a property of the jaw, or what those of all of them begin with; empty without a jaw bone."""
    jaw = _jaw(subject)
    return "" if jaw is None else f"{bone_path(jaw.name)}.{name}"


def lost_parts(subject: Subject) -> Problem | None:
    """Shape keys or bones that the table of a character names and that are gone."""
    lost = subject.rig.missing if subject.rig.target is not None else ()
    return Problem("WARNING", f"head {subject.head.name!r}: {'; '.join(lost)}") if lost else None


def _armature_modifiers(subject: Subject) -> list[bpy.types.ArmatureModifier]:
    return [modifier for modifier in subject.head.modifiers if isinstance(modifier, bpy.types.ArmatureModifier)]


def _constraints(subject: Subject) -> list[bpy.types.Constraint]:
    """The constraints that rotate the jaw in the take's stead."""
    jaw = _jaw(subject)
    return [
        constraint
        for constraint in ([] if jaw is None else list(jaw.constraints))
        if not constraint.mute and constraint.influence > 0.0 and _replaces_rotation(subject, constraint)
    ]


def _replaces_rotation(subject: Subject, constraint: bpy.types.Constraint) -> bool:
    if isinstance(constraint, bpy.types.CopyRotationConstraint | bpy.types.CopyTransformsConstraint):
        return constraint.target is not None and constraint.mix_mode == "REPLACE"
    if isinstance(constraint, bpy.types.TransformConstraint):
        rotates = constraint.target is not None and constraint.map_to == "ROTATION"
        return rotates and constraint.mix_mode_rot == "REPLACE"
    if isinstance(constraint, bpy.types.LimitRotationConstraint):
        return _limits_rotation(subject, constraint)
    return constraint.type in _REPLACING and constraint.is_valid


def _limits_rotation(subject: Subject, constraint: bpy.types.LimitRotationConstraint) -> bool:
    """Whether a limit cuts off the rotation that the takes in use give the jaw; only Euler angles are compared."""
    limits = (
        (constraint.use_limit_x, constraint.min_x, constraint.max_x),
        (constraint.use_limit_y, constraint.min_y, constraint.max_y),
        (constraint.use_limit_z, constraint.min_z, constraint.max_z),
    )
    path = _jaw_path(subject, "rotation_euler")
    for action in subject.played:
        bag = None if subject.rig.armature is None else subject.bag(subject.rig.armature, action)
        for curve in bag.fcurves if bag is not None else ():
            if curve.data_path != path:
                continue
            limited, low, high = limits[curve.array_index]
            values = [point.co[1] for point in curve.keyframe_points]
            if limited and values and (min(values) < low - _TOLERANCE or max(values) > high + _TOLERANCE):
                return True
    return False


def _jaw_drivers(subject: Subject) -> list[bpy.types.FCurve]:
    start, armature = _jaw_path(subject, "rotation"), subject.rig.armature
    if armature is None or not start:
        return []
    return [curve for curve in drivers_of(armature) if curve.data_path.startswith(start) and not curve.mute]


def _written_rotation(subject: Subject) -> str | None:
    """The rotation property of the jaw that the last take in use has keys of."""
    start, armature = _jaw_path(subject, "rotation"), subject.rig.armature
    if armature is None or not start:
        return None
    for action in subject.played[-1:]:
        for path, _ in subject.channels(armature, action):
            if path.startswith(start):
                return path.rpartition(".")[2]
    return None


def _words(mode: str) -> str:
    return mode.replace("_", " ").lower() if mode in _ROTATIONS else f"Euler angles {mode}"


def _caches(subject: Subject) -> list[bpy.types.Modifier]:
    return [
        modifier
        for modifier in subject.head.modifiers
        if modifier.show_viewport
        and (
            (isinstance(modifier, bpy.types.MeshCacheModifier) and modifier.filepath)
            or (isinstance(modifier, bpy.types.MeshSequenceCacheModifier) and modifier.cache_file is not None)
        )
    ]


def unnamed_jaw(head: bpy.types.Object) -> bpy.types.Bone | None:
    """The bone that must be the jaw of a head without a bone of that name: the only one with `jaw` in its name."""
    for armature in (*_armatures(head), head.parent):
        if armature is not None and armature.type == "ARMATURE":
            bones = armature_of(armature).bones
            named = [bone for bone in bones if _JAW in bone.name.lower()]
            return named[0] if _JAW not in bones and len(named) == 1 else None
    return None


def _armatures(head: bpy.types.Object) -> list[bpy.types.Object | None]:
    return [modifier.object for modifier in head.modifiers if isinstance(modifier, bpy.types.ArmatureModifier)]


def name_jaw(head: bpy.types.Object) -> None:
    """Name the jaw bone `jaw`; Blender renames the vertex group and the channels that belong to it."""
    bone = unnamed_jaw(head)
    if bone is not None:
        bone.name = _JAW


def _pose_position(subject: Subject) -> None:
    armature_of(present(subject.rig.armature)).pose_position = "POSE"


def _leave_mode(subject: Subject) -> None:
    view_layer(subject).objects.active = subject.rig.armature
    bpy.ops.object.mode_set(mode="OBJECT")


def _restore_modifier(subject: Subject) -> None:
    modifiers = _armature_modifiers(subject)
    if not modifiers:
        head = subject.head
        modifiers = [expect(head.modifiers.new("Armature", "ARMATURE"), bpy.types.ArmatureModifier)]
        head.modifiers.move(len(head.modifiers) - 1, 0)
    modifiers[0].object = subject.rig.armature


def _enable_modifier(subject: Subject) -> None:
    modifier = next(modifier for modifier in _armature_modifiers(subject) if modifier.object is not None)
    modifier.show_viewport = modifier.show_render = True


def _use_groups(subject: Subject) -> None:
    next(modifier for modifier in _armature_modifiers(subject) if modifier.object is not None).use_vertex_groups = True


def _clear_mask(subject: Subject) -> None:
    for modifier in _armature_modifiers(subject):
        if modifier.vertex_group and not has_weights(subject.head, modifier.vertex_group):
            modifier.vertex_group = ""


def _let_deform(subject: Subject) -> None:
    jaw = present(_jaw(subject))
    bones = armature_of(present(subject.rig.armature)).bones
    for name in _carried(jaw):
        if any(name in mesh.vertex_groups and has_weights(mesh, name) for mesh in subject.rig.meshes):
            bones[name].use_deform = True


def _mute_constraints(subject: Subject) -> None:
    for constraint in _constraints(subject):
        constraint.mute = True


def _mute_jaw_drivers(subject: Subject) -> None:
    for curve in _jaw_drivers(subject):
        curve.mute = True
    subject.rig.space.update_tag()


def _restore_rotation_mode(subject: Subject) -> None:
    written = _written_rotation(subject)
    modes = {path: mode for mode, path in _ROTATIONS.items()}
    # Add Head gives its bones XYZ; a curve does not tell the order of Euler angles.
    present(_jaw(subject)).rotation_mode = modes.get(written or "", "XYZ")  # type: ignore[assignment]


def _disable_caches(subject: Subject) -> None:
    for modifier in _caches(subject):
        modifier.show_viewport = modifier.show_render = False


def _show(subject: Subject) -> None:
    head, layer = subject.head, view_layer(subject)
    head.hide_viewport = False
    for way in _layer_collections(layer.layer_collection, head):
        for collection in way:
            collection.exclude = collection.hide_viewport = False
            collection.collection.hide_viewport = False
    head.hide_set(False, view_layer=layer)
    if not head.visible_get(view_layer=layer):
        raise InputError(f"{head.name!r} cannot be shown: it is in none of this scene's collections, or in local view")


def _layer_collections(
    root: bpy.types.LayerCollection, head: bpy.types.Object
) -> Iterator[tuple[bpy.types.LayerCollection, ...]]:
    """The first way from the scene's collection down to one that holds the head."""

    def ways(at: bpy.types.LayerCollection) -> Iterator[tuple[bpy.types.LayerCollection, ...]]:
        if head.name in at.collection.objects:
            yield (at,)
        for child in at.children:
            for way in ways(child):
                yield (at, *way)

    for way in ways(root):
        yield way[1:]  # the scene's own collection cannot be hidden
        return


def _render(subject: Subject) -> None:
    subject.head.hide_render = False


CHECKS = (
    edited_rig,
    rest_position,
    lost_modifier,
    disabled_modifier,
    unweighted_jaw,
    constrained_jaw,
    driven_jaw,
    rotation_mode,
    cached_mesh,
    hidden_head,
    unrendered_head,
    lost_parts,
)
FIXES = {
    "JAW_NAME": Fix(
        "Name Bone 'jaw'", "Give the jaw bone the name that takes use", lambda subject: name_jaw(subject.head)
    ),
    "RIG_MODE": Fix("Object Mode", "Leave the mode that shows the rest position", _leave_mode),
    "RIG_REST": Fix("Pose Position", "Let the rig follow its pose", _pose_position),
    "MODIFIER_LOST": Fix("Set Rig", "Let the head's rig deform its mesh", _restore_modifier),
    "MODIFIER_DISABLED": Fix("Enable", "Enable the Armature modifier in viewport and renders", _enable_modifier),
    "MODIFIER_GROUPS": Fix("Use Groups", "Let the Armature modifier use vertex groups", _use_groups),
    "MODIFIER_MASK": Fix("Clear Group", "Let the Armature modifier move every vertex", _clear_mask),
    "JAW_DEFORM": Fix("Let Deform", "Let the jaw bone deform the mesh", _let_deform),
    "JAW_CONSTRAINED": Fix("Mute Constraint", "Mute the constraints that rotate the jaw", _mute_constraints),
    "JAW_DRIVEN": Fix(
        "Mute Drivers", "Mute the drivers of the jaw's rotation; they stay in the file", _mute_jaw_drivers
    ),
    "JAW_ROTATION_MODE": Fix("Set Mode", "Set the rotation mode that the take's keys are for", _restore_rotation_mode),
    "MESH_CACHED": Fix("Disable", "Disable the modifiers that replace the mesh", _disable_caches),
    "HEAD_HIDDEN": Fix("Show", "Show the head and the collections that it is in", _show),
    "HEAD_NOT_RENDERED": Fix("Render", "Enable the head in renders", _render),
}
