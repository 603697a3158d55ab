"""The parts of a head in a scene: mesh, shape keys, armature; of whatever kind it is."""

from __future__ import annotations

import json

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...errors import InputError
from ...flame.head_axes import HeadAxes, fit_axes
from ...flame.model import FaceModel
from ...retarget.compatibility import UNKNOWN_FLAME
from ..characters.rig import (
    character_of,
    character_with,
    further_meshes,
    is_character,
    rig_of_character,
    roles_of_character,
)
from ..narrow import armature_of, mesh_of, pose_bones
from .axes import MODEL_TO_BLENDER
from .foreign_flame import FLAME_BONES, FlameKeys, flame_keys
from .head_rig import HeadRig
from .linked import why_not_editable
from .regressor import joints_of_mesh

# A head carries this text (JSON) on its mesh object, so that copies of the object stay heads.
HEAD_PROPERTY = "emote_head"
_FORMAT = 1
BLINK_KEYS = "EMOTE Blink L", "EMOTE Blink R"
_UNKNOWN_AXES = "its joints do not show which way is up: Z is taken as up and -Y as the face's direction"
_EYEBALL_WEIGHT = 0.9
_NOTHING = 1e-30  # determinant


def describe(model: FaceModel, shape_keys: list[str], expression_keys: list[str]) -> str:
    """The description that a head's mesh object carries: its face model, its joints, and the key of each component."""
    names = model.expression_names
    return json.dumps(
        {
            "format": _FORMAT,
            "basis": model.basis,
            "licence": model.licence,
            "expression_names": None if names is None else list(names),
            "expression_keys": expression_keys,
            "shape_keys": shape_keys,
            "joints": dict(zip(model.joint_names, model.joints().astype(float).round(6).tolist(), strict=True)),
        }
    )


def carries_head(item: bpy.types.Object) -> bool:
    """Whether an object carries a description as `describe` makes it."""
    return item.get(HEAD_PROPERTY) is not None


def is_head(candidate: bpy.types.Object | None) -> bool:
    """Whether this object is the mesh of a head: this add-on's, a character's, or a FLAME head of another add-on."""
    if candidate is None or candidate.type != "MESH":
        return False
    return carries_head(candidate) or is_character(candidate) or flame_keys(mesh_of(candidate)) is not None


def head_of(candidate: bpy.types.Object | None) -> bpy.types.Object | None:
    """The head that this object is, or whose armature or further mesh it is; None for other objects."""
    if candidate is None or is_head(candidate):
        return candidate
    if candidate.type == "ARMATURE":
        head = next((child for child in candidate.children if is_head(child)), None)
        return head or character_with(candidate)
    return character_with(candidate) if candidate.type == "MESH" else None


def rig_of(head: bpy.types.Object) -> HeadRig:
    """The parts of a head.

    Raises:
        InputError: if the head is linked from another file, or has lost its shape keys, its armature or its jaw bone.
    """
    mesh = mesh_of(head)
    is_own = carries_head(head)
    further = [] if is_own or not is_character(head) else further_meshes(head)
    if sentence := why_not_editable([head, *further], armature_of_head(head)):
        raise InputError(sentence)
    if not is_own and is_character(head):
        return rig_of_character(head)
    if not carries_head(head):
        keys_found = flame_keys(mesh)
        if keys_found is None:
            raise InputError(f"object {head.name!r} is not a head; choose a head")
        return _rig_of_flame(head, keys_found)
    try:
        description = json.loads(head[HEAD_PROPERTY])
        keys = tuple(description["expression_keys"])
        names = description["expression_names"]
        basis, licence = description["basis"], description["licence"]
        shape_names = tuple(description.get("shape_keys", ()))
        joints = (
            {str(name): np.array(place, float).reshape(3) for name, place in description["joints"].items()}
            if ("joints" in description)
            else None
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"head {head.name!r} has a damaged {HEAD_PROPERTY!r} property; add the head again") from error
    shape_keys = mesh.shape_keys
    missing = [key for key in keys if shape_keys is None or key not in shape_keys.key_blocks]
    if missing:
        listed = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise InputError(
            f"head {head.name!r} lacks {len(missing)} of {len(keys)} expression shape keys ({listed}); "
            "add the head again"
        )
    armature = _armature_of(head)
    fit = _axes_of(head, armature, joints)
    return HeadRig(
        head,
        armature,
        basis,
        None if names is None else tuple(names),
        keys,
        licence,
        shape_names,
        MODEL_TO_BLENDER.copy() if fit is None else fit.axes,
        () if fit is not None else (_UNKNOWN_AXES,),
        _blink_keys(mesh),
        1.0 if fit is None else fit.scale,
        bones=_flame_bones(armature),
    )


def _rig_of_flame(head: bpy.types.Object, keys: FlameKeys) -> HeadRig:
    """The parts of a FLAME head of another add-on, which states neither its version nor its licence."""
    armature = _armature_of(head)
    bones = armature_of(armature).bones
    lacking = [name for name in FLAME_BONES if name not in bones]
    missing = []
    if lacking:
        missing.append(f"no bone {' and '.join(lacking)}: what a motion has for it is left out")
    fit = _axes_of(head, armature, None)
    if fit is None:
        missing.append(_UNKNOWN_AXES)
    if keys.pose and not keys.pose_driven:
        missing.append(f"its {len(keys.pose)} pose correctives are not driven by its bones and stay as they are")
    return HeadRig(
        head,
        armature,
        UNKNOWN_FLAME,
        None,
        keys.expression,
        "FLAME's, as you agreed to it",
        keys.shape,
        MODEL_TO_BLENDER.copy() if fit is None else fit.axes,
        tuple(missing),
        _blink_keys(mesh_of(head)),
        1.0 if fit is None else fit.scale,
        _flame_bones(armature),
    )


def _flame_bones(armature: bpy.types.Object) -> dict[str, str]:
    """The bones of a head that has FLAME's: each is called by its role."""
    bones = pose_bones(armature)
    return {role: role for role in (*FLAME_BONES, "head") if role in bones}


def bones_of_head(head: bpy.types.Object) -> dict[str, str]:
    """The bone name of each role of a head, as far as its armature has it; empty without an armature."""
    armature = armature_of_head(head)
    if armature is None:
        return {}
    if is_character(head) and not carries_head(head):
        return roles_of_character(head)
    return _flame_bones(armature)


def _axes_of(
    head: bpy.types.Object, armature: bpy.types.Object, reference: dict[str, np.ndarray] | None
) -> HeadAxes | None:
    """The axes of a head in its armature's space, whatever was applied to mesh or armature; None if nothing shows them.

    They are fitted to the joints of the mesh, where it knows them: those of the bones may have been moved by hand.

    Args:
        head: the mesh object.
        armature: the armature object.
        reference: (3,) joints of the same head in the face model's axes by name, if they are known.
    """
    bones = {bone.name: np.array(bone.head_local) for bone in armature_of(armature).bones}
    if not {"left_eye", "right_eye"} <= set(bones):
        bones |= _eye_centres(head, armature)
    to_armature = mesh_to_armature(head, armature)
    joints = {
        name: np.array(to_armature @ Vector(place.tolist())) for name, place in joints_of_mesh(mesh_of(head)).items()
    }
    fits = [fit_axes(places, reference) for places in (joints, bones)]
    return min((fit for fit in fits if fit is not None), key=lambda fit: round(fit.residual, 3), default=None)


def _eye_centres(head: bpy.types.Object, armature: bpy.types.Object) -> dict[str, np.ndarray]:
    """(3,) the middle of each eyeball by the name of its vertex group, in the armature's space; empty without both."""
    mesh, to_armature = mesh_of(head), mesh_to_armature(head, armature)
    groups = {group.index: group.name for group in head.vertex_groups if group.name in ("left_eye", "right_eye")}
    points: dict[str, list[Vector]] = {name: [] for name in groups.values()}
    for vertex in mesh.vertices if len(groups) == 2 else ():
        for entry in vertex.groups:
            if entry.group in groups and entry.weight > _EYEBALL_WEIGHT:
                points[groups[entry.group]].append(vertex.co)
    if not points or not all(points.values()):
        return {}
    return {name: np.array(to_armature @ (sum(found, Vector()) / len(found))) for name, found in points.items()}


def mesh_to_armature(head: bpy.types.Object, armature: bpy.types.Object) -> Matrix:
    """The transform from a head's mesh to its armature's space; an armature scaled to nothing counts as unscaled."""
    if head.parent == armature and head.parent_type in ("OBJECT", "ARMATURE") and not head.constraints:
        return head.matrix_parent_inverse @ head.matrix_basis  # also before the scene is evaluated
    world = armature.matrix_world
    return (world.inverted() if abs(world.determinant()) > _NOTHING else Matrix()) @ head.matrix_world


def _blink_keys(mesh: bpy.types.Mesh) -> tuple[str, ...]:
    """The shape keys that close the lids, if the mesh has both."""
    keys = mesh.shape_keys
    return BLINK_KEYS if keys is not None and all(name in keys.key_blocks for name in BLINK_KEYS) else ()


def armature_of_head(head: bpy.types.Object) -> bpy.types.Object | None:
    """The armature object that moves a head, or None."""
    if is_character(head) and not carries_head(head):
        return character_of(head).armature
    armatures = [
        modifier.object
        for modifier in head.modifiers
        if isinstance(modifier, bpy.types.ArmatureModifier) and modifier.object
    ]
    armature = armatures[0] if armatures else head.parent
    return armature if armature is not None and armature.type == "ARMATURE" else None


def _armature_of(head: bpy.types.Object) -> bpy.types.Object:
    armature = armature_of_head(head)
    if armature is None:
        raise InputError(f"head {head.name!r} has no armature for its jaw; undo its removal or add the head again")
    if "jaw" not in pose_bones(armature):
        raise InputError(
            f"armature {armature.name!r} of head {head.name!r} has no bone 'jaw'; name its jaw bone so, "
            "or add the head again"
        )
    return armature
