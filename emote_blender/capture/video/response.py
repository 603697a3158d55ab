"""How the landmarker's points follow a face: where it shows a landmark that is elsewhere.

A network that has seen many faces draws its points towards usual ones. So the points move less than the face does, by a
share that depends on the movement; they slide when the head turns; lips that are barely apart look closed; and lids are
shown as open or closed rather than in between. It was measured on rendered people of whom everything is known
(`training/open_model/landmark_response.py`).

Errors are in the head's axes, to its left and up; depth is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...errors import ModelError
from ...files.paths import DEFAULT_HEAD, find_head
from ...files.safetensors_file import read_tensors, write_tensors
from ...motion_tools.rotation import matrix_to_quaternion, quaternion_to_axis_angle
from .landmark_groups import INNER_LIP_PAIRS, LEFT_LID_PAIRS, NUM_LANDMARKS, RIGHT_LID_PAIRS

RESPONSE_FILE = "landmark_response.safetensors"
NUM_TURNS = 5
"""Functions of a head's turn; see `turn_features`."""
LID_STEP = 2e-3
"""Metres between the gaps for which `Response.lids` are given."""
NUM_LID_STEPS = 9
LID_PAIRS = (RIGHT_LID_PAIRS, LEFT_LID_PAIRS)
_UPPER, _LOWER = INNER_LIP_PAIRS.T


@dataclass(frozen=True, eq=False)
class Response:
    """What the landmarker makes of a face.

    Attributes:
        bias: (L, 2) metres by which each landmark is beside its place on a neutral face.
        by_turn: (NUM_TURNS, L, 2) metres by which it is beside it for each of the `turn_features`.
        moves_in: (2 L, R); the error of a displacement d (2 L,) of all landmarks is d moves_in moves_out.
        moves_out: (R, 2 L).
        lips: a gap between the lips, metres, up to which they are closed; what is hidden of a wide gap; and over which
            gap more that part appears.
        lids: (NUM_LID_STEPS,) metres; the mean gap between the lids of an eye where the landmarks show 0, LID_STEP, ...
    """

    bias: np.ndarray
    by_turn: np.ndarray
    moves_in: np.ndarray
    moves_out: np.ndarray
    lips: tuple[float, float, float]
    lids: np.ndarray

    def of_moves(self, moves: np.ndarray) -> np.ndarray:
        """(L, 3, ...) displacements as the landmarker shows them, from true ones (L, 3, ...)."""
        flat = moves[:, :2].reshape(2 * NUM_LANDMARKS, -1)
        error = self.moves_out.T @ (self.moves_in.T @ flat)
        shown = np.array(moves, np.float64)
        shown[:, :2] += error.reshape(moves[:, :2].shape)
        return shown

    def of_turns(self, rotation: np.ndarray) -> np.ndarray:
        """(T, L, 2) metres by which landmarks are beside their places because the head is turned by (T, 3, 3)."""
        return np.einsum("tk,klc->tlc", turn_features(rotation), self.by_turn)

    def true_gap(self, gap: np.ndarray) -> np.ndarray:
        """(...) the gap between the lips, metres, from the one between the inner lips' landmarks."""
        closed, hidden, width = self.lips
        beyond = np.maximum(gap - closed, 0.0)
        return np.where(gap > closed, beyond + hidden * (1.0 - np.exp(-beyond / width)), np.minimum(gap, 0.0))

    def parted_lips(self, places: np.ndarray, up: np.ndarray) -> np.ndarray:
        """(T, L, 2) places in the picture's plane, in which the inner lips are as far apart as they really are.

        Args:
            places: (T, L, 2) of the landmarks, metres, to the right and up.
            up: (T, 2) the head's upward axis in that plane.
        """
        up = up / np.linalg.norm(up, axis=1, keepdims=True)
        gap = np.einsum("tpc,tc->tp", places[:, _UPPER] - places[:, _LOWER], up)
        half = (self.true_gap(gap) - gap)[..., None] * up[:, None] / 2
        parted = places.copy()
        parted[:, _UPPER] += half
        parted[:, _LOWER] -= half
        return parted

    def true_lid_gap(self, gap: np.ndarray) -> np.ndarray:
        """(...) the mean gap between the lids of an eye, metres, from the one between their landmarks."""
        shown = LID_STEP * np.arange(NUM_LID_STEPS)
        beyond = gap - np.clip(gap, shown[0], shown[-1])
        return np.interp(gap, shown, self.lids) + beyond

    def parted_lids(self, places: np.ndarray, up: np.ndarray) -> np.ndarray:
        """(T, L, 2) places in the picture's plane, in which the lids are as far apart as they really are.

        Args:
            places: (T, L, 2) of the landmarks, metres, to the right and up.
            up: (T, 2) the head's upward axis in that plane.
        """
        up = up / np.linalg.norm(up, axis=1, keepdims=True)
        parted = places.copy()
        for pairs in LID_PAIRS:
            gap = lid_gap(places, pairs, up)
            parted[:, pairs[:, 0]] += ((self.true_lid_gap(gap) - gap)[:, None] * up)[:, None]
        return parted


def lid_gap(places: np.ndarray, pairs: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(T,) mean gap between the lids of an eye, metres.

    Args:
        places: (T, L, 2) of the landmarks in the picture's plane, metres, to the right and up.
        pairs: one of `LID_PAIRS`.
        up: (T, 2) unit vector of the head's upward axis in that plane.
    """
    return np.einsum("tpc,tc->tp", places[:, pairs[:, 0]] - places[:, pairs[:, 1]], up).mean(1)


def exact_response() -> Response:
    """The response of a landmarker without errors."""
    none = np.zeros((2 * NUM_LANDMARKS, 0))
    return Response(
        np.zeros((NUM_LANDMARKS, 2)),
        np.zeros((NUM_TURNS, NUM_LANDMARKS, 2)),
        none,
        none.T,
        (0.0, 0.0, 1.0),
        LID_STEP * np.arange(NUM_LID_STEPS),
    )


def turn_features(rotation: np.ndarray) -> np.ndarray:
    """(T, NUM_TURNS) pitch and yaw of rotations (T, 3, 3), radians, their squares and their product."""
    pitch, yaw, _ = quaternion_to_axis_angle(matrix_to_quaternion(rotation)).T
    return np.stack([pitch, yaw, pitch**2, yaw**2, pitch * yaw], axis=1)


@cache
def measured_response() -> Response:
    """The response that was measured; raises ModelError if its file is missing or damaged."""
    return read_response(find_head(DEFAULT_HEAD))


def read_response(folder: Path) -> Response:
    """The response in the open head's folder; raises ModelError if there is none, or it is damaged."""
    path = folder / RESPONSE_FILE
    arrays = {name: array.astype(np.float64) for name, array in read_tensors(path).items()}
    rank = arrays["moves_in"].shape[-1] if "moves_in" in arrays else 0
    expected = {
        "bias": (NUM_LANDMARKS, 2),
        "by_turn": (NUM_TURNS, NUM_LANDMARKS, 2),
        "moves_in": (2 * NUM_LANDMARKS, rank),
        "moves_out": (rank, 2 * NUM_LANDMARKS),
        "lips": (3,),
        "lids": (NUM_LID_STEPS,),
    }
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        raise ModelError(f"{path} holds {found}, expected {expected}; install the add-on again")
    if not all(np.isfinite(array).all() for array in arrays.values()) or arrays["lips"][2] <= 0:
        raise ModelError(f"{path} holds values that are not numbers; install the add-on again")
    lips = arrays.pop("lips")
    return Response(**arrays, lips=(float(lips[0]), float(lips[1]), float(lips[2])))


def write_response(response: Response, folder: Path) -> None:
    """Write the response into the open head's folder."""
    names = ("bias", "by_turn", "moves_in", "moves_out", "lips", "lids")
    # Errors of a millimetre need no more than half precision.
    write_tensors(folder / RESPONSE_FILE, {name: np.asarray(getattr(response, name), np.float16) for name in names})
