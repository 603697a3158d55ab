"""The keys of one f-curve, in bulk: one for every frame, or sparse ones with handles. No key is left selected."""

from __future__ import annotations

import bpy
import numpy as np

from ...motion_tools.sparse_keys import BezierKeys
from ..narrow import expect


def _number(setting: str, choice: str) -> int:
    """The number that stands for a choice of a key's setting in bulk access."""
    declared = expect(bpy.types.Keyframe.bl_rna.properties[setting], bpy.types.EnumProperty)
    return declared.enum_items[choice].value


LINEAR = _number("interpolation", "LINEAR")


def dense_points(frames: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(2 N,) frame and value of each key, float32, from (N,) ascending frames and (N,) values."""
    return np.stack([frames, values], axis=1).astype(np.float32).ravel()


def write_dense_keys(curve: bpy.types.FCurve, points: np.ndarray) -> None:
    """Replace a curve's keys by linear ones; the caller tags the action for evaluation.

    Args:
        curve: the curve.
        points: (2 N,) frame and value of each key, in ascending order (see `dense_points`).
    """
    keys, is_new = _resized(curve, len(points) // 2)
    keys.foreach_set("co", points)
    # Sliders rewrite a take many times a second: what is linear already is left so.
    if is_new or keys[0].interpolation != "LINEAR":
        _set_all(keys, "interpolation", "LINEAR")
        # For users who change the interpolation to Bézier.
        _set_all(keys, "handle_left_type", "AUTO_CLAMPED")
        _set_all(keys, "handle_right_type", "AUTO_CLAMPED")
        curve.update()  # takes as long as all else; linear keys do not need the handles that it places


def write_sparse_keys(curve: bpy.types.FCurve, first_frame: float, sparse: BezierKeys) -> None:
    """Replace a curve's keys by sparse ones with free handles.

    Args:
        curve: the curve.
        first_frame: frame of the sample at position 0.
        sparse: the keys.
    """
    offset = np.array([first_frame, 0.0])
    keys, _ = _resized(curve, len(sparse.positions))
    # Handle types come first: setting "co" moves the handles of automatic ones.
    _set_all(keys, "interpolation", "BEZIER")
    _set_all(keys, "handle_left_type", "FREE")
    _set_all(keys, "handle_right_type", "FREE")
    points = np.stack([sparse.positions, sparse.values], axis=1)
    for setting, places in (("co", points), ("handle_left", sparse.left), ("handle_right", sparse.right)):
        keys.foreach_set(setting, (places + offset).astype(np.float32).ravel())
    curve.update()


def _resized(curve: bpy.types.FCurve, count: int) -> tuple[bpy.types.FCurveKeyframePoints, bool]:
    """The keys of a curve, with this many of them, and whether they are new. New keys are not selected."""
    keys = curve.keyframe_points
    if len(keys) == count:
        return keys, False
    keys.clear()
    keys.add(count)
    for setting in ("select_control_point", "select_left_handle", "select_right_handle"):
        keys.foreach_set(setting, np.zeros(count, bool))
    return keys, True


def _set_all(keys: bpy.types.FCurveKeyframePoints, setting: str, choice: str) -> None:
    keys.foreach_set(setting, np.full(len(keys), _number(setting, choice), dtype=np.int32))
