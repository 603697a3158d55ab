"""The geometry of a head as retargeting needs it: vertices, directions, jaw, in the face model's axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..flame.model import FaceModel
from ..flame.refinement_maps import lip_contact, millimetre_of
from ..flame.regions import connected_pieces

_EYEBALL_WEIGHT = 0.5


@dataclass(frozen=True, eq=False)
class FaceShape:
    """A head: its neutral face, and what its components and its jaw do to it.

    Axes are the face model's (x to the character's left, y up, z forward), the unit is the head's own.

    Attributes:
        basis: name of the basis of the components.
        vertices: (V, 3) neutral face.
        directions: (V, 3, E) displacement by each component at 1.
        triangles: (F, 3) vertices of each triangle.
        jaw_weights: (V,) skinning weight of the jaw.
        eye_weights: (V,) sum of the skinning weights of both eyes.
        joints: (3,) rest position by name; jaw and both eyes.
        expression_names: names of the components, or None.
        jaw_correctives: (9, V, 3) displacement by each entry of R - I of the jaw, or None.
        landmarks: (L, 3) the 51 inner landmarks of iBUG, or None.
    """

    basis: str
    vertices: np.ndarray
    directions: np.ndarray
    triangles: np.ndarray
    jaw_weights: np.ndarray
    eye_weights: np.ndarray
    joints: Mapping[str, np.ndarray]
    expression_names: tuple[str, ...] | None = None
    jaw_correctives: np.ndarray | None = None
    landmarks: np.ndarray | None = None

    @property
    def num_expression(self) -> int:
        """Number of components."""
        return self.directions.shape[2]

    @property
    def millimetre(self) -> float:
        """A millimetre of a head of usual size, in the head's unit."""
        return millimetre_of(self.vertices, self.joints)

    @property
    def jaw_joint(self) -> np.ndarray:
        """(3,) the joint about which the jaw turns."""
        return np.asarray(self.joints["jaw"])

    def lip_contact(self) -> np.ndarray | None:
        """(P, 3) points between the closed lips, or None if the face has no mouth that the jaw opens."""
        return lip_contact(self.vertices, self.jaw_weights, self.joints, self.millimetre)

    def skin(self) -> np.ndarray:
        """(V,) bool: the piece of the mesh that holds the lips, without eyeballs, teeth, tongue, brows and hair."""
        pieces = connected_pieces(self.triangles, len(self.vertices))
        contact = self.lip_contact()
        if contact is None:
            counts = np.bincount(pieces)
            return pieces == counts.argmax()
        middle = contact[np.abs(contact[:, 0] - contact[:, 0].mean()).argsort()[:8]].mean(0)
        near = np.linalg.norm(self.vertices - middle, axis=1).argsort()[:20]
        return (pieces == np.bincount(pieces[near]).argmax()) & (self.eye_weights < _EYEBALL_WEIGHT)


def shape_of_model(model: FaceModel) -> FaceShape:
    """The geometry of a head folder's face model."""
    joint = {name: number for number, name in enumerate(model.joint_names)}
    correctives = None
    if model.posedirs is not None:
        first = 9 * (joint["jaw"] - 1)
        correctives = model.posedirs[first : first + 9].reshape(9, model.num_vertices, 3)
    landmarks = None
    if model.landmark_faces is not None and model.landmark_barycentrics is not None:
        corners = model.v_template[model.faces[model.landmark_faces[-51:]]]
        landmarks = np.einsum("lcd,lc->ld", corners, model.landmark_barycentrics[-51:])
    return FaceShape(
        model.basis,
        model.v_template,
        model.expression_dirs,
        model.faces,
        model.lbs_weights[:, joint["jaw"]],
        model.lbs_weights[:, joint["left_eye"]] + model.lbs_weights[:, joint["right_eye"]],
        dict(zip(model.joint_names, model.joints(), strict=True)),
        model.expression_names,
        correctives,
        landmarks,
    )
