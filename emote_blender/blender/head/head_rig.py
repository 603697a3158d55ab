"""The parts of a head in a scene, whatever kind of head it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import bpy
import numpy as np

from ...retarget.target import Target
from ..narrow import pose_bones
from .axes import MODEL_TO_BLENDER


@dataclass(frozen=True, eq=False)
class HeadRig:
    """A head in the scene: one of this add-on, a FLAME head of another one, or a character of any origin.

    Attributes:
        mesh: the mesh object that stands for the head and keeps its settings and takes.
        armature: the object with the bones, or None for a character without.
        basis: name of the basis of the motions that it takes.
        expression_names: component names, or None if components have only numbers.
        expression_keys: shape key names in the order of the components; of a character, those that its table moves.
        licence: licence of the face model; empty for a character.
        shape_keys: names of the identity shape keys.
        axes: (3, 3) orthogonal; the face's left, up and front, as columns, in the space of `space`. Its determinant is
            -1 for a head that was mirrored.
        missing: what the head lacks but can be animated without, one sentence each.
        blink_keys: shape keys that close the left and the right lid, for a basis that names no blinks; empty without.
        scale: units of that space per metre of the face model; of a character, per metre of the scene.
        bones: bone name by role: root, neck, head, jaw, left_eye, right_eye. Roles that no bone has are missing.
        other_meshes: further mesh objects with shape keys that takes move: teeth, brows, lashes.
        target: how a motion moves a character; None for a head whose shape keys are the basis's components.
    """

    mesh: bpy.types.Object
    armature: bpy.types.Object | None
    basis: str
    expression_names: tuple[str, ...] | None
    expression_keys: tuple[str, ...]
    licence: str
    shape_keys: tuple[str, ...] = ()
    axes: np.ndarray = field(default_factory=MODEL_TO_BLENDER.copy)
    missing: tuple[str, ...] = ()
    blink_keys: tuple[str, ...] = ()
    scale: float = 1.0
    bones: Mapping[str, str] = field(default_factory=dict)
    other_meshes: tuple[bpy.types.Object, ...] = ()
    target: Target | None = None

    @property
    def turning_axes(self) -> np.ndarray:
        """(3, 3) `axes` for rotations as axis-angle, which a mirrored head turns the other way."""
        return self.axes * np.sign(np.linalg.det(self.axes))

    @property
    def num_expression(self) -> int:
        """Number of expression components of the head."""
        return len(self.expression_keys if self.expression_names is None else self.expression_names)

    @property
    def meshes(self) -> tuple[bpy.types.Object, ...]:
        """Every mesh object whose shape keys takes move, the head's own first."""
        return (self.mesh, *self.other_meshes)

    @property
    def space(self) -> bpy.types.Object:
        """The object in whose space `axes` are."""
        return self.armature or self.mesh

    def bone(self, role: str) -> bpy.types.PoseBone | None:
        """The bone that has a role, or None."""
        name = self.bones.get(role)
        return None if self.armature is None or name is None else pose_bones(self.armature).get(name)
