"""Motions that speak, of the open basis and of FLAME's, made without a model: vowels between closures of the lips."""

import numpy as np

from emote_blender.flame.model import FaceModel
from emote_blender.motion import FaceMotion

FPS = 25.0
_SYLLABLE_FRAMES = 12
_MOUTH = (
    "mouthFunnel",
    "mouthPucker",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthLowerDownLeft",
    "mouthUpperUpLeft",
)
_FACE = ("mouthSmileLeft", "mouthSmileRight", "browInnerUp", "browDownLeft", "cheekSquintLeft", "noseSneerRight")


def open_motion(head: FaceModel, num_frames: int = 96, seed: int = 2) -> FaceMotion:
    """A motion of the open basis: in every 12 frames the lips are closed for 3, with the jaw a little open."""
    random = np.random.default_rng(seed)
    time = np.arange(num_frames)
    # 0 while the lips are closed, 1 in the middle of a vowel.
    openness = np.clip(np.sin(np.pi * ((time % _SYLLABLE_FRAMES) - 2.0) / (_SYLLABLE_FRAMES - 3)), 0.0, 1.0)
    expression = np.zeros((num_frames, head.num_expression), np.float32)
    column = head.expression_names.index
    for name in _MOUTH:
        expression[:, column(name)] = openness * _wave(random, num_frames, 0.5)
    for name in _FACE:
        expression[:, column(name)] = _wave(random, num_frames, 0.6)
    jaw = np.zeros((num_frames, 3), np.float32)
    jaw[:, 0] = 0.02 + 0.18 * openness * (0.5 + _wave(random, num_frames, 0.5))
    expression[:, column("mouthClose")] = (1.0 - openness) * jaw[:, 0] / head.mouth_close_angle
    meta = {"face": head.basis, "expression_names": list(head.expression_names), "model": "made up", "emotion": "happy"}
    return FaceMotion(expression, jaw, FPS, meta=meta)


def flame_motion(model: FaceModel, num_frames: int = 96, seed: int = 4, size: float = 0.7) -> FaceMotion:
    """A motion of FLAME's basis: smooth random coefficients and a jaw that opens and closes."""
    random = np.random.default_rng(seed)
    expression = np.stack([_wave(random, num_frames, 2.0) - 1.0 for _ in range(model.num_expression)], axis=1)
    jaw = np.zeros((num_frames, 3))
    jaw[:, 0] = 0.15 * _wave(random, num_frames, 1.0)
    return FaceMotion(size * expression, jaw, FPS, meta={"face": model.basis, "model": "made up"})


def _wave(random: np.random.Generator, num_frames: int, size: float) -> np.ndarray:
    """(T,) a slow random wave from 0 to `size`."""
    knots = random.random(num_frames // 8 + 2)
    return size * np.interp(np.arange(num_frames) / 8, np.arange(len(knots)), knots)
