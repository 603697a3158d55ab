"""FLAME heads of other add-ons: recognised by their vertices and by the names of their shape keys and bones.

The official FLAME add-on numbers its keys from 1 (`Shape1`, `Exp1`, `Pose1`), SMPL-X style add-ons from 0 with three
digits (`Shape000`, `Exp000`, `Pose000`); some scenes have a prefix of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import bpy

NUM_FLAME_VERTICES = 5023
FLAME_BONES = ("root", "neck", "jaw", "left_eye", "right_eye")
_NUMBERED = re.compile(r"(.*?)0*(\d+)")
_FEWEST_COMPONENTS = 10  # fewer numbered keys are somebody's own, such as "Key 1"
_NOT_EXPRESSION = ("shape", "beta", "pose", "key")


@dataclass(frozen=True)
class FlameKeys:
    """The shape keys of a FLAME head, in the order of the components.

    Attributes:
        shape: identity.
        expression: expression.
        pose: pose correctives.
        pose_driven: whether the pose correctives have drivers.
    """

    shape: tuple[str, ...]
    expression: tuple[str, ...]
    pose: tuple[str, ...]
    pose_driven: bool


def flame_keys(mesh: bpy.types.Mesh) -> FlameKeys | None:
    """The shape keys of a mesh if it is FLAME's: 5023 vertices and numbered expression keys; else None."""
    if len(mesh.vertices) != NUM_FLAME_VERTICES or mesh.shape_keys is None:
        return None
    series = numbered_series([key.name for key in mesh.shape_keys.key_blocks])
    expression = _choose(series, lambda prefix: prefix.startswith("exp"))
    if not expression:
        # A prefix of the user's own ("Exp" may stand anywhere in it); the longest series that is nothing else.
        expression = _choose(series, lambda prefix: "exp" in prefix) or _choose(
            series, lambda prefix: not any(word in prefix for word in _NOT_EXPRESSION)
        )
    if not expression:
        return None
    pose = _choose(series, lambda prefix: "pose" in prefix)
    animation = mesh.shape_keys.animation_data
    driven = {curve.data_path for curve in animation.drivers} if animation is not None else set()
    return FlameKeys(
        _choose(series, lambda prefix: "shape" in prefix or "beta" in prefix),
        expression,
        pose,
        bool(pose) and all(f'key_blocks["{name}"].value' in driven for name in pose),
    )


def numbered_series(names: list[str]) -> dict[str, tuple[str, ...]]:
    """Numbered names by their common prefix, in the order of their numbers, which begin at 0 or 1 and have no gap."""
    numbered: dict[str, dict[int, str]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match:
            numbered.setdefault(match[1], {})[int(match[2])] = name
    series = {}
    for prefix, by_number in numbered.items():
        first = min(by_number)
        last = first
        while last + 1 in by_number:
            last += 1
        if first in (0, 1) and last - first + 1 >= _FEWEST_COMPONENTS:
            series[prefix] = tuple(by_number[number] for number in range(first, last + 1))
    return series


def _choose(series: dict[str, tuple[str, ...]], fits) -> tuple[str, ...]:
    """The longest series whose prefix, in lower case, fits; empty if there is none."""
    return max((names for prefix, names in series.items() if fits(prefix.lower())), key=len, default=())
