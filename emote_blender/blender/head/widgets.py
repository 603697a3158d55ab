"""Custom shapes of the bones: rings around the neck, in front of the chin and in front of the eyes."""

from __future__ import annotations

import bpy
import numpy as np

from ...flame.model import FaceModel
from ..narrow import pose_bones

_CORNERS = 32
_RING = "EMOTE ring"


def add_widgets(armature: bpy.types.Object, model: FaceModel) -> None:
    """Give each bone a ring to select it by, instead of a stick inside the head."""
    height = float(np.ptp(model.v_template[:, 1]))
    front = float(model.v_template[:, 2].max())
    joints = dict(zip(model.joint_names, model.joints(), strict=True))
    ring = _ring()
    # (radius, distance in front of the joint, distance below it, lies flat), metres; a bone's z axis points forward.
    places = {
        "root": (0.45 * height, 0.0, 0.0, True),
        "neck": (0.27 * height, 0.0, 0.0, True),
        "jaw": (0.06 * height, front - joints["jaw"][2] + 0.05 * height, 0.22 * height, False),
        "left_eye": (0.05 * height, 0.2 * height, 0.0, False),
        "right_eye": (0.05 * height, 0.2 * height, 0.0, False),
    }
    for bone in pose_bones(armature):
        if bone.name not in places:
            continue
        radius, before, below, flat = places[bone.name]
        bone.custom_shape = ring
        bone.use_custom_shape_bone_size = False
        bone.custom_shape_scale_xyz = (radius, radius, radius)
        bone.custom_shape_translation = (0.0, -below, before)
        bone.custom_shape_rotation_euler = (0.5 * np.pi if flat else 0.0, 0.0, 0.0)


def _ring() -> bpy.types.Object:
    """The ring of radius 1 that all heads share; bones refer to it, no scene holds it."""
    found = bpy.data.objects.get((_RING, None))  # not that of a linked file
    if found is not None and found.type == "MESH":
        return found
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    points = np.stack([np.cos(angles), np.sin(angles), np.zeros(_CORNERS)], axis=1)
    mesh = bpy.data.meshes.new(_RING)
    mesh.from_pydata(points.tolist(), [(i, (i + 1) % _CORNERS) for i in range(_CORNERS)], [])
    return bpy.data.objects.new(_RING, mesh)
