"""A head as the landmarker shows it: its landmarks, and what each unknown of the fit does to them.

The unknowns of a frame are the values of `names`, then the jaw's rotation in units of `JAW_UNIT`. Beside expression
components they are the gaze, in which both eyes are tied, and the lids of a head without a component that closes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ....errors import InputError
from ....flame.lids import close_lids
from ....flame.model import FaceModel
from ....motion_tools.rotation import axis_angle_to_matrix
from ....retarget.signals import EYE_RADIANS
from ..embedding import Embedding
from ..landmark_groups import LEFT_IRIS, RIGHT_IRIS
from ..response import Response
from .own_face import own_modes

JAW_UNIT = 0.3
"""Radians of the jaw's rotation that count as much as a component's 1."""
GAZE = {"lookUp": ("Up", "Up"), "lookDown": ("Down", "Down"), "lookLeft": ("Out", "In"), "lookRight": ("In", "Out")}
"""Values of the gaze, and how the left and the right eye look at 1: to the character's own sides."""
LIDS = ("closeLeft", "closeRight")
"""Closure of the lids, of a head whose components do not close them."""
_UNSEEN = ("tongue", "cheekPuff")  # what no landmark shows
_MOST_NUMBERED = 50  # components without names are ordered by what they contribute
_NAMED_LIMITS, _NUMBERED_LIMITS = (0.0, 1.0), (-3.0, 3.0)
_JAW_LOW, _JAW_HIGH = np.array([-0.02, -0.08, -0.08]), np.array([0.45, 0.08, 0.08])  # radians
MOST_IDENTITY = 50


@dataclass(frozen=True, eq=False)
class FittedFace:
    """A head at its landmarks.

    Attributes:
        model: the head.
        names: (N,) names of the unknowns beside the jaw: components by name or number, values of the gaze, lids.
        rest: (L, 3) landmarks of the neutral face, metres.
        directions: (L, 3, N) displacement by each unknown at 1.
        low: (N + 3,) least values, jaw in its unit.
        high: (N + 3,) greatest values.
        jaw_joint: (3,) where the jaw turns.
        jaw_weights: (L,) skinning weight of the jaw.
        jaw_correctives: (9, L, 3) displacement by each entry of R - I of the jaw.
        identity: (L, 3, S) displacement by each identity component of the head, then by each of `own_modes`.
        joint_identity: (3, S) displacement of the jaw's joint.
    """

    model: FaceModel
    names: tuple[str, ...]
    rest: np.ndarray
    directions: np.ndarray
    low: np.ndarray
    high: np.ndarray
    jaw_joint: np.ndarray
    jaw_weights: np.ndarray
    jaw_correctives: np.ndarray
    identity: np.ndarray
    joint_identity: np.ndarray

    @property
    def num_values(self) -> int:
        """N + 3, the number of unknowns of a frame beside the pose."""
        return len(self.low)

    def with_identity(self, shape: np.ndarray) -> FittedFace:
        """The head of another person, from identity coefficients (S,); of the mean face."""
        return replace(
            self, rest=self.rest + self.identity @ shape, jaw_joint=self.jaw_joint + self.joint_identity @ shape
        )

    def with_offsets(self, offsets: np.ndarray) -> FittedFace:
        """The head with its neutral landmarks moved by (L, 3), metres."""
        return replace(self, rest=self.rest + offsets)

    def posed(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The landmarks in the head's axes, for unknowns (T, N + 3).

        Returns:
            (T, L, 3) points, metres; (T, 3, 3) rotation of the jaw; (T, L, 3) arms of the jaw: points from its joint,
            turned.
        """
        rotation = axis_angle_to_matrix(values[:, -3:] * JAW_UNIT)
        num_landmarks = len(self.rest)
        flat = self.directions.reshape(num_landmarks * 3, -1)
        unturned = self.rest + (values[:, :-3] @ flat.T).reshape(len(values), num_landmarks, 3)
        turn = (rotation - np.eye(3)).reshape(len(values), 9)
        unturned = unturned + (turn @ self.jaw_correctives.reshape(9, -1)).reshape(unturned.shape)
        from_joint = unturned - self.jaw_joint
        arms = np.matmul(from_joint, np.swapaxes(rotation, 1, 2))
        return unturned + self.jaw_weights[:, None] * (arms - from_joint), rotation, arms


def fitted_face(model: FaceModel, embedding: Embedding, response: Response) -> FittedFace:
    """A head as the fit needs it.

    Args:
        model: the head.
        embedding: of the landmarks on it.
        response: of the landmarker.
    """

    def at(values: np.ndarray) -> np.ndarray:
        return embedding.of(model.faces, np.asarray(values, np.float64))

    directions = _directions(model, embedding)
    jaw = model.joint_names.index("jaw")
    limits = _NUMBERED_LIMITS if model.expression_names is None else _NAMED_LIMITS
    numbered = np.array([name.isdigit() for name in directions])
    low = np.r_[np.where(numbered, limits[0], 0.0), _JAW_LOW / JAW_UNIT]
    high = np.r_[np.where(numbered, limits[1], 1.0), _JAW_HIGH / JAW_UNIT]
    correctives = None
    if model.posedirs is not None:
        first = 9 * (jaw - 1)
        own = model.posedirs[first : first + 9].reshape(9, model.num_vertices, 3)
        correctives = np.moveaxis(at(np.moveaxis(own, 0, -1)), -1, 0)
    rest = embedding.points(model.faces, np.asarray(model.v_template, np.float64))
    jaw_joint, jaw_weights = np.asarray(model.joints()[jaw], np.float64), at(model.lbs_weights[:, jaw])
    shown = _shown_jaw(response, (rest - jaw_joint) * jaw_weights[:, None], correctives)
    rest[:, :2] += response.bias
    identity = np.asarray(model.identity_dirs[:, :, :MOST_IDENTITY], np.float64)
    own = own_modes(rest)
    joint_identity = np.einsum("v,vcs->cs", model.J_regressor[jaw], identity)
    return FittedFace(
        model,
        tuple(directions),
        rest,
        response.of_moves(np.stack(list(directions.values()), axis=-1)),
        low,
        high,
        jaw_joint,
        jaw_weights,
        shown,
        np.concatenate([response.of_moves(at(identity)), own], axis=2),
        np.concatenate([joint_identity, np.zeros((3, own.shape[2]))], axis=1),
    )


def _shown_jaw(response: Response, arms: np.ndarray, correctives: np.ndarray | None) -> np.ndarray:
    """(9, L, 3) displacement by each entry of R - I of the jaw, with the error that the landmarker makes of its turn.

    Args:
        response: of the landmarker.
        arms: (L, 3) the landmarks from the jaw's joint, times their skinning weight.
        correctives: (9, L, 3) the head's own, or None.
    """
    found = np.zeros((3, 3, *arms.shape)) if correctives is None else correctives.reshape(3, 3, *arms.shape).copy()
    for axis, (row, column) in enumerate(((2, 1), (0, 2), (1, 0))):  # of R - I: a turn, and its negative below
        turned = np.cross(np.eye(3)[axis], arms)
        error = response.of_moves(turned) - turned
        found[row, column] += error / 2
        found[column, row] -= error / 2
    return found.reshape(9, *arms.shape)


def _directions(model: FaceModel, embedding: Embedding) -> dict[str, np.ndarray]:
    """(L, 3) displacement of the landmarks by each unknown, by its name."""
    at = embedding.of(model.faces, np.asarray(model.expression_dirs, np.float64))
    if model.expression_names is None:
        directions = {str(number): at[:, :, number] for number in range(min(at.shape[2], _MOST_NUMBERED))}
    else:
        directions = {name: at[:, :, number] for number, name in enumerate(model.expression_names)}
    looks = {name: directions.pop(name) for name in tuple(directions) if name.startswith("eyeLook")}
    directions = {name: moved for name, moved in directions.items() if not name.startswith(_UNSEEN)}
    for name, (left, right) in GAZE.items():
        if looks:
            directions[name] = looks[f"eyeLook{left}Left"] + looks[f"eyeLook{right}Right"]
        else:
            directions[name] = _turned_eyes(model, embedding, name)
    if not any(name.startswith("eyeBlink") for name in directions):
        directions |= _closed_lids(model, embedding)
    return directions


def _turned_eyes(model: FaceModel, embedding: Embedding, look: str) -> np.ndarray:
    """(L, 3) displacement of the irises' landmarks by eyes that turn with their joints."""
    rest = embedding.of(model.faces, np.asarray(model.v_template, np.float64))
    joints = dict(zip(model.joint_names, np.asarray(model.joints(), np.float64), strict=True))
    axis = {"lookUp": [-1.0, 0, 0], "lookDown": [1.0, 0, 0], "lookLeft": [0, 1.0, 0], "lookRight": [0, -1.0, 0]}[look]
    moved = np.zeros_like(rest)
    for side, (iris, eye) in enumerate(((LEFT_IRIS, "left_eye"), (RIGHT_IRIS, "right_eye"))):
        turn = axis_angle_to_matrix(np.asarray(axis) * EYE_RADIANS[GAZE[look][side]])
        moved[iris] = (rest[iris] - joints[eye]) @ (turn - np.eye(3)).T
    return moved


def _closed_lids(model: FaceModel, embedding: Embedding) -> dict[str, np.ndarray]:
    """(L, 3) displacement of the landmarks by lids that close; empty if the head has no lids."""
    eyes = [model.joint_names.index(f"{side}_eye") for side in ("left", "right")]
    try:
        closings = close_lids(model.v_template, model.faces, model.lbs_weights[:, eyes])
    except InputError:
        return {}
    return {name: embedding.of(model.faces, closing.closed) for name, closing in zip(LIDS, closings, strict=True)}
