"""The finished head as a FaceModel."""

import numpy as np

from emote_blender.flame.model import FaceModel

from .expressions import EXPRESSION_NAMES, expression_directions
from .face_coordinates import FaceCoordinates
from .identity import IDENTITY_NAMES, identity_directions
from .jaw_and_tongue_shapes import MOUTH_CLOSE_ANGLE
from .landmarks import landmark_embedding
from .mesh import HeadMesh
from .part import MATERIAL_NAMES
from .regions import vertex_regions
from .rig import JOINT_NAMES, PARENTS, build_rig
from .texture_coordinates import quad_uvs

POSITION_QUANTUM, DISPLACEMENT_QUANTUM = 1e-7, 1e-6
"""Metres to which coordinates are rounded, so that another computer's last bits do not change the file."""
VERTEX_COLOR_GAMMA = 1.45
"""Exponent of the colours for a lit material. The colours look right unlit, but Cycles would show them too pale."""


def build_head():
    """The open head; the values are the same every time."""
    mesh = HeadMesh()
    rig = build_rig(mesh)
    face = FaceCoordinates(mesh, rig)
    directions = np.concatenate([identity_directions(face), expression_directions(face)], -1)
    landmark_faces, landmark_barycentrics = landmark_embedding(mesh)
    regions = vertex_regions(mesh, face)
    return FaceModel(
        v_template=_rounded(mesh.vertices, POSITION_QUANTUM).astype(np.float32),
        faces=mesh.faces.astype(np.int32),
        shapedirs=_in_half_precision(_rounded(directions, DISPLACEMENT_QUANTUM)),
        posedirs=None,
        J_regressor=rig.J_regressor.astype(np.float32),
        lbs_weights=rig.weights.astype(np.float32),
        parents=PARENTS.astype(np.int32),
        num_shape=len(IDENTITY_NAMES),
        num_expression=len(EXPRESSION_NAMES),
        basis="open_head",
        licence="CC0-1.0",
        joint_names=JOINT_NAMES,
        expression_names=EXPRESSION_NAMES,
        shape_names=IDENTITY_NAMES,
        quads=mesh.quads.astype(np.int32),
        quad_material=mesh.materials.astype(np.int32),
        material_names=MATERIAL_NAMES,
        vertex_colors=_in_half_precision(mesh.colors),
        uv=_in_half_precision(quad_uvs(mesh)),
        regions={name: mask.astype(np.float32) for name, mask in regions.items()},
        landmark_faces=landmark_faces,
        landmark_barycentrics=landmark_barycentrics,
        mirror=mesh.mirror.astype(np.int32),
        mouth_close_angle=MOUTH_CLOSE_ANGLE,
        vertex_color_gamma=VERTEX_COLOR_GAMMA,
    )


def _rounded(values, quantum):
    return np.round(values / quantum) * quantum + 0.0  # + 0.0 turns -0.0 into 0.0


def _in_half_precision(values):
    """The values rounded to float16, as float32: the file has half the size and loads the values that were built."""
    return values.astype(np.float16).astype(np.float32)
