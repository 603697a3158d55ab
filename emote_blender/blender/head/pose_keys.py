"""Pose correctives: shape keys with drivers that follow the rotation of neck, jaw and eyes.

FLAME adds posedirs times the entries of R - I of every joint but the root (Loper et al., SMPL, 2015, equation 9). A
bone of our heads has the face model's axes, so R is the bone's own rotation. The drivers read it as a quaternion and
are simple expressions, which Blender evaluates without Python: they work where scripts are disabled.
"""

from __future__ import annotations

from typing import Literal

import bpy
import numpy as np

from ...flame.model import FaceModel
from ..narrow import expect, present
from .axes import to_blender

# The entries of R - I, row by row, of the unit quaternion (w, x, y, z).
_ENTRIES = (
    "-2*(y*y+z*z)",
    "2*(x*y-w*z)",
    "2*(x*z+w*y)",
    "2*(x*y+w*z)",
    "-2*(x*x+z*z)",
    "2*(y*z-w*x)",
    "2*(x*z-w*y)",
    "2*(y*z+w*x)",
    "-2*(x*x+y*y)",
)
_ROTATIONS: dict[str, Literal["ROT_W", "ROT_X", "ROT_Y", "ROT_Z"]] = {
    "w": "ROT_W",
    "x": "ROT_X",
    "y": "ROT_Y",
    "z": "ROT_Z",
}


def add_pose_keys(mesh_object: bpy.types.Object, armature: bpy.types.Object, model: FaceModel) -> None:
    """Add one driven shape key `Pose###` for each pose corrective that moves a vertex."""
    if model.posedirs is None:
        return
    for feature, displacement in enumerate(model.posedirs.reshape(len(model.posedirs), -1, 3)):
        if not displacement.any():
            continue
        key = mesh_object.shape_key_add(name=f"Pose{feature:03d}", from_mix=False)
        key.slider_min, key.slider_max = -2.0, 2.0
        moved = to_blender(model.v_template + displacement)
        key.points.foreach_set("co", np.ascontiguousarray(moved, np.float32).ravel())
        joint, entry = divmod(feature, len(_ENTRIES))
        _drive(key, armature, model.joint_names[1 + joint], _ENTRIES[entry])


def _drive(key: bpy.types.ShapeKey, armature: bpy.types.Object, bone: str, expression: str) -> None:
    """Drive a shape key's value by a bone's rotation."""
    driver = present(expect(key.driver_add("value"), bpy.types.FCurve).driver)
    driver.type = "SCRIPTED"
    for component, transform_type in _ROTATIONS.items():
        if component not in expression:
            continue
        variable = driver.variables.new()
        variable.name = component
        variable.type = "TRANSFORMS"
        target = variable.targets[0]
        target.id = armature
        target.bone_target = bone
        target.transform_type = transform_type
        target.rotation_mode = "QUATERNION"
        target.transform_space = "LOCAL_SPACE"
    driver.expression = expression
