"""Displacements that close the lids of a face without a blink of its own, such as FLAME's.

Each lid turns about the line through the corners of the eye until the margins meet; the upper lid goes most of the
way. A shape key moves vertices along straight lines, which would cut the eyeball half way. A second displacement,
weighted by 4 t (1 - t), bends the path into the parabola through the positions at t = 0, 1/2 and 1, which follows the
arc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .eye_opening import EyeFrame, EyeOpening, find_opening
from .regions import connected_pieces, rigid_pieces

SIDES = ("left", "right")

_LOWER_SHARE = 0.15  # of the way that the lower lid goes; the rest is the upper lid's
_OVERLAP = np.radians(0.8)  # by which both margins pass the line where they meet
_RIM = np.radians(2.0)  # of skin beside a margin that turns with it as a whole
_UPPER_REACH, _LOWER_REACH = np.radians(38.0), np.radians(30.0)  # beyond the rim, at which the skin is still
_HEIGHT_REACH = 0.9  # radii of the eyeball above the margin at which the skin is still
_MEETING_REACH = np.radians(10.0)  # within which the lids' thickness adapts so that the margins meet in depth too
_CORNER_WIDTH = 0.2  # of `across`, over which the skin's way is levelled away from the margins
_CLEARANCE = 0.02  # radii of the eyeball: least height of a closing lid above it, about 0.25 mm
_LIFT_ROUNDS = 6
_CELL = np.radians(4.0)  # of the grid on which heights are worked out
_GRID_REACH = np.radians(84.0)  # a whole number of cells, so that both eyes close alike
_LIFT_CELLS = 3  # a lift fades out over so many cells


@dataclass(frozen=True, eq=False)
class LidClosing:
    """Displacements (V, 3) that close one eye, metres.

    Attributes:
        closed: times t, the blink: 0 open, 1 closed.
        arc: times 4 t (1 - t).
    """

    closed: np.ndarray
    arc: np.ndarray

    def at(self, blink: float) -> np.ndarray:
        """(V, 3) the whole displacement at a blink."""
        return blink * self.closed + 4 * blink * (1 - blink) * self.arc


def close_lids(vertices: np.ndarray, faces: np.ndarray, eye_weights: np.ndarray) -> tuple[LidClosing, LidClosing]:
    """The closing of the left and of the right eye's lids.

    Args:
        vertices: (V, 3) y up, the face towards +z, +x the character's left.
        faces: (F, 3) triangles.
        eye_weights: (V, 2) skinning weights of the left and of the right eye's joint.

    Raises:
        InputError: if an eyeball or the opening between the lids is not found.
    """
    vertices = np.asarray(vertices, np.float64)
    pieces = connected_pieces(faces, len(vertices))
    eyeballs = [rigid_pieces(pieces, eye_weights[:, side]) for side in range(2)]
    for side, eyeball in zip(SIDES, eyeballs, strict=True):
        if not eyeball.any():
            raise InputError(f"no piece of the mesh follows the {side} eye alone, so that its lids cannot be closed")
    names, counts = np.unique(pieces, return_counts=True)
    skin = faces[(pieces[faces] == names[counts.argmax()]).all(axis=1)]
    movable = ~(eyeballs[0] | eyeballs[1])
    closings = []
    for side, eyeball in zip(SIDES, eyeballs, strict=True):
        opening = find_opening(vertices, skin, eyeball)
        if opening is None:
            raise InputError(f"the skin has no opening in front of the {side} eyeball, so that there are no lids")
        closings.append(_Closing(vertices, skin, movable, opening, faces[eyeball[faces].all(axis=1)]).displacements())
    return closings[0], closings[1]


class _Closing:
    """The work on one eye."""

    def __init__(self, vertices, skin, movable, opening: EyeOpening, eyeball_faces) -> None:
        self.opening, self.frame = opening, opening.frame
        self.vertices = vertices
        self.across, self.angle, self.radius = self.frame.coordinates(vertices)
        self.eyeball = _EyeballSurface(self.frame, vertices, eyeball_faces)
        self._find_margins()
        self._weigh(movable)
        moved = (self.weight > 0)[skin].any(axis=1)
        self.faces = skin[moved]
        self.own_clearance = self._clearance(vertices)

    def displacements(self) -> LidClosing:
        """Both displacements of this eye."""
        closed, half = self._turned(1.0) - self.vertices, self._turned(0.5) - self.vertices
        return LidClosing(closed, half - closed / 2)

    def _find_margins(self) -> None:
        """Find each vertex's way to the closed line, and how far it lies from its lid's margin."""
        opening, angle = self.opening, self.angle
        upper, lower, upper_radius, lower_radius = (
            np.interp(self.across, opening.across, values)
            for values in (opening.upper, opening.lower, opening.upper_radius, opening.lower_radius)
        )
        self.from_margin = np.maximum(np.maximum(angle - upper, lower - angle), 0)
        height = self._height()
        overlap = _OVERLAP * np.clip(height / np.radians(4), 0, 1)
        up = (1 - _LOWER_SHARE) * height + overlap
        down = _LOWER_SHARE * height + overlap
        # 1 on the upper lid, 0 on the lower one; what stands in the opening (lashes) lies between.
        self.on_upper = np.clip((angle - lower) / np.maximum(upper - lower, 1e-6), 0, 1)
        self.turn = -up * self.on_upper + down * (1 - self.on_upper)
        margin_radius = np.where(self.on_upper > 0.5, upper_radius, lower_radius)
        self.above_margin = np.maximum(self.radius - margin_radius, 0)
        near = 1 - smoothstep(self.from_margin / _MEETING_REACH)
        self.meeting = near * (np.maximum(upper_radius, lower_radius) - margin_radius) * (height > 0)

    def _height(self) -> np.ndarray:
        """(V,) the opening's height in each vertex's column, radians; away from the margin a mean over some columns.

        The height falls steeply at the corners, which would fold the skin above them.
        """
        columns = np.linspace(-1, 1, 401)
        exact = np.interp(columns, self.opening.across, self.opening.upper - self.opening.lower, left=0, right=0)
        window = np.hanning(2 * round(_CORNER_WIDTH / (columns[1] - columns[0])) + 1)
        mean = np.convolve(exact, window / window.sum(), mode="same")
        share = smoothstep(self.from_margin / _MEETING_REACH)
        return (1 - share) * np.interp(self.across, columns, exact) + share * np.interp(self.across, columns, mean)

    def _weigh(self, movable: np.ndarray) -> None:
        reach = np.where(self.on_upper > 0.5, _UPPER_REACH, _LOWER_REACH)
        along = 1 - smoothstep((self.from_margin - _RIM) / reach)
        out = 1 - smoothstep(self.above_margin / (_HEIGHT_REACH * self.frame.radius))
        in_front = np.abs(self.angle) < _GRID_REACH
        self.weight = along * out * movable * in_front * (self.turn != 0)

    def _turned(self, blink: float) -> np.ndarray:
        """(V, 3) vertices with the lids turned by a part of their way."""
        angle = self.angle + blink * self.weight * self.turn
        surface = self.eyeball.radius_at(self.across, self.angle), self.eyeball.radius_at(self.across, angle)
        radius = self.radius + self.weight * (surface[1] - surface[0] + blink * self.meeting)
        moved = self.weight > 0
        own = self.own_clearance
        # Where the skin hardly moves it may stay as near the eyeball as it was.
        share = smoothstep(self.weight[self.faces].max(axis=1) / 0.3)
        needed = np.minimum(own, 0) * (1 - share) + _CLEARANCE * self.frame.radius * share
        for _ in range(_LIFT_ROUNDS):
            points = np.where(moved[:, None], self.frame.points(self.across, angle, radius), self.vertices)
            lacking = needed - self._clearance(points)
            if lacking.max() <= 1e-3 * self.frame.radius * _CLEARANCE:
                break
            lift = self.eyeball.lift(points, self.faces, lacking)
            radius = radius + np.clip(self.weight / 0.1, 0, 1) * lift.at(self.across, angle)
        return np.where(moved[:, None], self.frame.points(self.across, angle, radius), self.vertices)

    def _clearance(self, vertices: np.ndarray) -> np.ndarray:
        """(F,) least height of each moving triangle above the eyeball, metres; negative inside it."""
        across, angle, radius = self.frame.coordinates(_samples(vertices[self.faces]))
        return (radius - self.eyeball.radius_at(across, angle)).min(axis=0)


class _Grid:
    """Values over directions in front of an eye."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    @staticmethod
    def centres() -> np.ndarray:
        """(N,) angles of the grid's lines, radians; `across` is the sine of such an angle."""
        return np.linspace(-_GRID_REACH, _GRID_REACH, 1 + 2 * round(_GRID_REACH / _CELL))

    @classmethod
    def position(cls, across: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of directions, with fractions, within the grid."""
        lines = cls.centres()
        row = (np.arcsin(np.clip(across, -1, 1)) - lines[0]) / _CELL
        column = (angle - lines[0]) / _CELL
        return np.clip(row, 0, len(lines) - 1.001), np.clip(column, 0, len(lines) - 1.001)

    def at(self, across: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """Values between the grid's lines, linear in both directions."""
        row, column = self.position(across, angle)
        i, j = row.astype(int), column.astype(int)
        a, b, v = row - i, column - j, self.values
        first = v[i, j] * (1 - b) + v[i, j + 1] * b
        second = v[i + 1, j] * (1 - b) + v[i + 1, j + 1] * b
        return first * (1 - a) + second * a


class _EyeballSurface:
    """How far an eyeball reaches in every direction in front of it."""

    def __init__(self, frame: EyeFrame, vertices: np.ndarray, faces: np.ndarray) -> None:
        lines = _Grid.centres()
        directions = frame.directions(np.sin(lines)[:, None] + 0 * lines, lines + 0 * lines[:, None]).reshape(-1, 3)
        corners = (vertices - frame.centre)[faces]
        corners = corners[(corners @ frame.axes[:, 2] > 0).any(axis=1)]
        inverse = np.linalg.inv(corners.transpose(0, 2, 1) + 1e-12 * np.eye(3))
        # A direction is a positive sum of a triangle's corners if it passes through it.
        reach = np.zeros(len(directions))
        for start in range(0, len(corners), 64):
            parts = np.einsum("fij,nj->nfi", inverse[start : start + 64], directions)
            with np.errstate(divide="ignore", invalid="ignore"):
                distance = np.where(
                    (parts > -1e-3 * np.abs(parts).max(-1, keepdims=True)).all(-1), 1 / parts.sum(-1), 0
                )
            reach = np.maximum(reach, np.nan_to_num(distance, posinf=0, neginf=0).max(axis=1))
        reach[reach == 0] = frame.radius
        self.frame, self.grid = frame, _Grid(reach.reshape(len(lines), -1))

    def radius_at(self, across: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """Distance of the eyeball's surface from its centre in some directions, metres."""
        return self.grid.at(across, angle)

    def lift(self, vertices: np.ndarray, faces: np.ndarray, lacking: np.ndarray) -> _Grid:
        """Heights by which skin has to be lifted, so that each triangle is by `lacking` (F,) further out."""
        across, angle, _ = self.frame.coordinates(_samples(vertices[faces]))
        row, column = _Grid.position(across, angle)
        values = np.zeros_like(self.grid.values)
        amount = np.broadcast_to(np.maximum(lacking, 0), row.shape)
        np.maximum.at(values, (np.rint(row).astype(int), np.rint(column).astype(int)), amount)
        spread = np.zeros_like(values)
        padded = np.pad(values, _LIFT_CELLS)
        for i in range(-_LIFT_CELLS, _LIFT_CELLS + 1):
            for j in range(-_LIFT_CELLS, _LIFT_CELLS + 1):
                # One cell around keeps the whole height, as a triangle's corners lie beside its lowest point.
                fade = 1 - smoothstep((np.hypot(i, j) - 1.5) / (_LIFT_CELLS - 1.0))
                rows = slice(_LIFT_CELLS + i, _LIFT_CELLS + i + len(values))
                columns = slice(_LIFT_CELLS + j, _LIFT_CELLS + j + len(values))
                spread = np.maximum(spread, fade * padded[rows, columns])
        return _Grid(spread)


_SAMPLES = np.array([(a, b, 4 - a - b) for a in range(5) for b in range(5 - a)]) / 4  # (15, 3) barycentric


def _samples(corners: np.ndarray) -> np.ndarray:
    """(15, F, 3) points of (F, 3, 3) triangles: corners, points of the edges and inner points."""
    return np.einsum("sc,fcd->sfd", _SAMPLES, corners)


def smoothstep(part: np.ndarray | float) -> np.ndarray:
    """0 up to 0, 1 from 1 on, with zero slope at both."""
    part = np.clip(part, 0, 1)
    return part**2 * (3 - 2 * part)
