"""From the frames of a video to even frames: smoothing that delays nothing, short gaps bridged, others marked.

Nothing is smoothed or interpolated across a cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....motion_tools.rotation import matrix_to_quaternion, quaternion_to_matrix, slerp
from .camera import HeadPose
from .frames import FrameFit

LONGEST_BRIDGE = 0.5
"""Seconds of a gap that is bridged."""
_SMOOTHING_SECONDS = 0.02  # standard deviation of the window for expression and jaw
_POSE_SMOOTHING_SECONDS = 0.04
_REACH = 3.0  # standard deviations


@dataclass(frozen=True, eq=False)
class Timeline:
    """Even frames over the frames in which a face was fitted.

    Attributes:
        times: (T,) seconds of the fitted frames.
        shots: (T,) number of the shot that each belongs to.
        grid: (T',) seconds of the even frames, from 0 on.
        valid: (T',) bool: between fitted frames that are at most LONGEST_BRIDGE apart.
        seen: (T',) bool: between neighbouring frames of the video.
    """

    times: np.ndarray
    shots: np.ndarray
    grid: np.ndarray
    valid: np.ndarray
    seen: np.ndarray


def timeline_of(times: np.ndarray, shots: np.ndarray, end: float, fps: float) -> Timeline:
    """The even frames from 0 to the last time of the video.

    Args:
        times: (T,) seconds of fitted frames, ascending.
        shots: (T,) number of the shot that each belongs to.
        end: seconds of the video's last frame.
        fps: frames per second.
    """
    grid = np.arange(int(np.floor(max(end, 0.0) * fps + 1e-3)) + 1) / fps
    after = np.clip(np.searchsorted(times, grid - 1e-6), 0, len(times) - 1)
    before = np.maximum(after - 1, 0)
    apart = times[after] - times[before]
    on_frame = np.abs(times[after] - grid) < 1e-3
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 1.0 / fps
    half = max(usual, 1.0 / fps)
    outside = (grid < times[0] - half) | (grid > times[-1] + half)
    valid = ((apart <= LONGEST_BRIDGE + usual) | on_frame) & ~outside
    seen = ((apart <= 1.5 * usual) | on_frame) & ~outside
    return Timeline(times, shots, grid, valid, seen)


def bridged(timeline: Timeline, fit: FrameFit) -> FrameFit:
    """The fit at the even frames: smoothed within each stretch that was seen, interpolated across gaps.

    Outside of all frames the first and the last pose are held, and beside a cut the nearest one. The residual is NaN
    where no face was seen.
    """
    times, shots, grid = timeline.times, timeline.shots, timeline.grid
    values = _smoothed(times, shots, fit.values, _SMOOTHING_SECONDS)
    translation = _smoothed(times, shots, fit.pose.translation, _POSE_SMOOTHING_SECONDS)
    matrices = _smoothed(times, shots, fit.pose.rotation.reshape(-1, 9), _POSE_SMOOTHING_SECONDS)
    rotation = matrix_to_quaternion(matrices.reshape(-1, 3, 3))
    position = np.interp(grid, times, np.arange(len(times)))
    before = np.floor(position).astype(int)
    after = np.minimum(before + 1, len(times) - 1)
    part = position - before
    part = np.where(shots[before] == shots[after], part, np.rint(part))
    turned = slerp(rotation[before], rotation[after], part)

    def between(array: np.ndarray) -> np.ndarray:
        return array[before] * (1 - part)[:, None] + array[after] * part[:, None]

    residual = between(fit.residual[:, None])[:, 0]
    residual[~timeline.seen] = np.nan
    return FrameFit(HeadPose(quaternion_to_matrix(turned), between(translation)), between(values), residual)


def _smoothed(times: np.ndarray, shots: np.ndarray, values: np.ndarray, seconds: float) -> np.ndarray:
    """(T, C) values, each the mean of its neighbours under a Gaussian window in time.

    The window is even, and ends where the frame has no partner on the other side, in the same shot: so nothing is
    delayed, and the ends are not drawn inwards.
    """
    num_frames = len(times)
    usual = float(np.median(np.diff(times))) if num_frames > 1 else 1.0
    reach = int(np.ceil(_REACH * seconds / usual))
    total, weight = values.copy(), np.ones(num_frames)
    frames = np.arange(num_frames)
    for offset in range(1, reach + 1):
        inside = (frames >= offset) & (frames < num_frames - offset)
        centre = frames[inside]
        forth, back = times[centre + offset] - times[centre], times[centre] - times[centre - offset]
        near = np.maximum(forth, back) < 2.0 * offset * usual + 1e-9  # no gap lies between
        near &= shots[centre + offset] == shots[centre - offset]
        centre = centre[near]
        share = np.exp(-0.5 * (offset * usual / seconds) ** 2)
        total[centre] += share * (values[centre - offset] + values[centre + offset])
        weight[centre] += 2 * share
    return total / weight[:, None]
