"""The canonical visemes: what the open head's lips look like in each of the 15 visemes of Oculus and Meta."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np

from .lips import LipShape, open_lips

PREFIX = "viseme_"
"""Signals of visemes are called viseme_sil, viseme_PP, ... viseme_ou."""

_POSES = Path(__file__).with_name("presets") / "visemes.json"


@functools.cache
def viseme_poses() -> dict[str, dict[str, float]]:
    """Weights of the open head's components, and `jaw` in radians, by name of the signal."""
    poses = json.loads(_POSES.read_text(encoding="utf-8"))["visemes"]
    return {PREFIX + name: pose for name, pose in poses.items()}


def canonical_shape(signals: tuple[str, ...]) -> LipShape:
    """The open head's lips in each of these visemes at 1, one frame each; a viseme that is not known is at rest."""
    lips = open_lips()
    values, jaw = np.zeros((len(signals), len(lips.names))), np.zeros((len(signals), 3))
    for frame, signal in enumerate(signals):
        for name, weight in viseme_poses().get(signal, {}).items():
            if name == "jaw":
                jaw[frame, 0] = weight
            for side in ("", "Left", "Right"):
                if name + side in lips.names:
                    values[frame, lips.names.index(name + side)] = weight
    return lips.shape(values, jaw)
