"""Characters as arrays, without Blender: the open head's mesh with shape keys of other kinds, and the gap of its lips.

The measure uses no code of the product: the height of the upper lip's lowest point over the lower lip's highest one, by
the lip regions of the open head.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from character_shapes import open_head_model

from emote_blender.motion import FaceMotion
from emote_blender.motion_tools.rotation import axis_angle_to_matrix
from emote_blender.retarget.calibration import calibrate
from emote_blender.retarget.lips import lips_at
from emote_blender.retarget.mapping import KEY, FaceMapping, MappingRow
from emote_blender.retarget.mouth import find_mouth
from emote_blender.retarget.signals import ARKIT_NAMES
from emote_blender.retarget.target import Target, put_on
from emote_blender.training.corpus.motion.articulation import tracks
from emote_blender.training.corpus.motion.emotion_styles import EXPRESSION_NAMES, SPEAKERS, face
from emote_blender.training.corpus.phones import CLASSES

COLUMNS_MM = (-14.1, -10.8, -7.3, -3.6, 0.0, 3.6, 7.3, 10.8, 14.1)
MIDDLE = 4
IN_SPEECH = slice(4, -4)
"""Frames of `spoken` that are not at its silent ends."""
VRM_VOWELS = {"aa": "viseme_aa", "ih": "viseme_ih", "ou": "viseme_ou", "ee": "viseme_E", "oh": "viseme_oh"}
EYE_DISTANCE = 0.0696
FPS = 25.0
SENTENCE = "sil B AA P M AH M UW sil F AE V P IY P B OW sil SH IY M AE B W UW sil".split()


@functools.cache
def spoken(emotion: str = "neutral") -> FaceMotion:
    """A line of 4 seconds in the open basis, with p, b, m, f, v and open, spread and rounded vowels."""
    phones = np.array([[CLASSES.index(name), 0.16 * n, 0.16 * (n + 1)] for n, name in enumerate(SENTENCE)])
    num_frames = int(np.ceil(FPS * phones[-1, 2]))
    loudness = np.where(
        [SENTENCE[min(int(k / FPS / 0.16), len(SENTENCE) - 1)] != "sil" for k in range(num_frames)], 0.9, 0.0
    )
    expression, jaw = face(tracks(phones, num_frames), loudness, emotion, 1.0, next(iter(SPEAKERS)))
    return FaceMotion(expression, jaw, FPS, meta={"expression_names": list(EXPRESSION_NAMES)})


def closed(motion: FaceMotion) -> np.ndarray:
    """(T,) bool: frames in which the open head's lips are closed in the middle."""
    return lip_gaps(source_points(motion))[:, MIDDLE] <= 0.5


def quad_edges(quads: np.ndarray) -> np.ndarray:
    """(E, 2) the edges of faces with any number of corners, each once."""
    ends = np.concatenate([np.stack([quads[:, i], quads[:, i - 1]], axis=1) for i in range(quads.shape[1])])
    return np.unique(np.sort(ends, axis=1), axis=0)


@functools.cache
def head_edges() -> np.ndarray:
    """The edges of the open head."""
    return quad_edges(open_head_model().quads)


def jaw_turn(angle: float, rest: np.ndarray | None = None) -> np.ndarray:
    """(V, 3) displacement of the open head by its jaw's rotation, radians."""
    model = open_head_model()
    points = model.v_template.astype(np.float64) if rest is None else rest
    joint, weights = model.joints()[2].astype(np.float64), model.lbs_weights[:, 2].astype(np.float64)
    turn = axis_angle_to_matrix(np.array([angle, 0.0, 0.0])) - np.eye(3)
    return weights[:, None] * ((points - joint) @ turn.T)


def lip_gaps(points: np.ndarray) -> np.ndarray:
    """(T, 9) gaps between the lips of the open head's vertices (T, V, 3), mm; 0.3 below 0 where they touch."""
    model = open_head_model()
    across = 1000 * model.v_template[:, 0]
    gaps = []
    for column in COLUMNS_MM:
        near = np.abs(across - column) < 0.75
        upper, lower = (np.flatnonzero(near & (model.regions[f"lips_{name}"] > 0.5)) for name in ("upper", "lower"))
        gaps.append(points[:, upper, 1].min(1) - points[:, lower, 1].max(1))
    return 1000 * np.stack(gaps, axis=1)


@functools.lru_cache(maxsize=8)
def source_points(motion: FaceMotion) -> np.ndarray:
    """(T, V, 3) the open head itself in a motion."""
    return open_head_model().vertices(motion.expression, motion.jaw).astype(np.float64)


def mouth_size(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T,) width of the mouth between the corners of the lips, and how far the lips stand in front, mm."""
    model = open_head_model()
    lips = np.flatnonzero(np.maximum(model.regions["lips_upper"], model.regions["lips_lower"]) > 0.5)
    across = model.v_template[lips, 0]
    middle = lips[np.abs(across) < 0.004]
    width = points[:, lips[across.argmax()], 0] - points[:, lips[across.argmin()], 0]
    return 1000 * width, 1000 * points[:, middle, 2].mean(1)


@dataclass(frozen=True, eq=False)
class ArrayCharacter:
    """A character made of the open head's mesh.

    Attributes:
        target: what moves it.
        rest: (V, 3) vertices at rest, metres.
        shapes: (V, 3) displacement by name of its keys.
    """

    target: Target
    rest: np.ndarray
    shapes: Mapping[str, np.ndarray] = field(default_factory=dict)

    def keys(self, motion: FaceMotion) -> dict[str, np.ndarray]:
        """(T,) value of each of its keys in a motion."""
        return {
            name: values for (name, channel), values in put_on(self.target, motion).values.items() if channel == KEY
        }

    def points(self, motion: FaceMotion) -> np.ndarray:
        """(T, V, 3) its vertices in a motion; only those of the lips move."""
        moved = put_on(self.target, motion)
        lips = np.flatnonzero(open_head_model().regions["lips"] > 0.5)
        points = np.repeat(self.rest[None, lips], motion.num_frames, axis=0)
        for (name, _), values in moved.values.items():
            points += values[:, None, None] * self.shapes[name][lips]
        if "jaw" in moved.rotations:
            model = open_head_model()
            joint, weights = model.joints()[2].astype(np.float64), model.lbs_weights[:, 2].astype(np.float64)
            turn = axis_angle_to_matrix(moved.rotations["jaw"].astype(np.float64)) - np.eye(3)
            points += weights[lips, None] * np.einsum("tij,tpj->tpi", turn, points - joint)
        whole = np.repeat(self.rest[None], motion.num_frames, axis=0)
        whole[:, lips] = points
        return whole


def array_character(
    shapes: Mapping[str, np.ndarray],
    rows: Sequence[MappingRow],
    jaw_is_bone: bool = False,
    calibrated: bool = True,
    rest: np.ndarray | None = None,
) -> ArrayCharacter:
    """A character of these shapes, measured like one in Blender."""
    model = open_head_model()
    rest = model.v_template.astype(np.float64) if rest is None else rest
    names = tuple(dict.fromkeys(row.target for row in rows))
    if jaw_is_bone:
        opening = jaw_turn(0.2, rest)
    else:
        opens = {row.source: shapes[row.target] for row in rows if row.source in ("jawOpen", "viseme_aa")}
        opening = opens.get("jawOpen", opens.get("viseme_aa"))
    calibration = None
    if calibrated:
        mouth = find_mouth(rest, opening, head_edges(), EYE_DISTANCE)
        weights = model.lbs_weights[:, 2] if jaw_is_bone else np.zeros(len(rest))
        directions = np.stack([shapes[name] for name in names], axis=2)
        lips = lips_at(mouth, rest, names, directions, weights, model.joints()[2])
        calibration = calibrate(FaceMapping(tuple(rows)), jaw_is_bone, lips)
    return ArrayCharacter(Target(FaceMapping(tuple(rows)), jaw_is_bone, calibration=calibration), rest, shapes)


def arkit_rows(shapes: Mapping[str, np.ndarray]) -> list[MappingRow]:
    """A row for each of ARKit's names among the shapes."""
    return [MappingRow(name, name) for name in ARKIT_NAMES if name in shapes]
