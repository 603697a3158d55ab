"""A captured and a spoken motion on one basis, mixed by regions of the face; and the offset of picture and sound.

Each frame of the result is a frame of the spoken motion. Where the video shows no face, the sound has the whole face.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from ...errors import InputError
from ...files.named_numbers import named_numbers
from ...flame.model import FaceModel
from ...flame.refinement_maps import maps_of_model
from ...motion import FaceMotion
from ...motion_tools.channel_groups import channel_group
from ...motion_tools.refine import RefinementMaps
from ...motion_tools.rotation import axis_angle_to_quaternion, quaternion_to_axis_angle, slerp

_FADE_SECONDS = 0.2  # over which the video's share falls to zero beside a gap
_LONGEST_OFFSET = 0.5
_LAG_SECONDS = 0.01  # step of the search
_BESIDE_SECONDS = 0.15  # lags this near the best one say the same
_FEWEST_SECONDS = 1.0  # of both motions, for an offset
_SMALLEST_GAP = 0.2  # mm, standard deviation of lips that move


@dataclass(frozen=True)
class Shares:
    """The video's share of each region, 0 to 1; the rest is the sound's. The defaults leave the mouth to the sound.

    Attributes:
        brows: brows and forehead; of components without names, the upper face.
        lids: blinks, squints and wide eyes.
        gaze: direction of the eyes.
        cheeks: cheeks and nose.
        lips: lips; of components without names, the lower face.
        jaw: rotation of the jaw.
        head: turn of the head.
    """

    brows: float = 1.0
    lids: float = 1.0
    gaze: float = 1.0
    cheeks: float = 1.0
    lips: float = 0.0
    jaw: float = 0.0
    head: float = 1.0

    def __post_init__(self) -> None:
        for part in fields(self):
            if not 0.0 <= getattr(self, part.name) <= 1.0:
                raise ValueError(f"{part.name} must be from 0 to 1, found {getattr(self, part.name)}")

    @classmethod
    def parse(cls, text: str) -> Shares:
        """The shares in a text: "all", or changes of the defaults such as "brows=0.5, lips=1".

        Raises:
            InputError: if a region is unknown, named twice or its share is no number from 0 to 1.
        """
        if text.strip().lower() == "all":
            return ALL_FROM_VIDEO
        ranges = {part.name: (0.0, 1.0) for part in fields(cls)}
        return cls(**named_numbers(text, ranges, "from_video", "region"))

    def summary(self) -> dict[str, float]:
        """The shares by region, for metadata."""
        return {part.name: getattr(self, part.name) for part in fields(self)}


ALL_FROM_VIDEO = Shares(lips=1.0, jaw=1.0)
"""The captured face as it is, where there is one."""


@dataclass(frozen=True)
class Offset:
    """How far a video is behind a sound.

    Attributes:
        seconds: what is heard at t is seen at t + seconds.
        correlation: of the gaps between the lips at this offset, -1 to 1.
        confidence: 0 to 1, the correlation times how much it exceeds that at any offset which is not near.
    """

    seconds: float
    correlation: float
    confidence: float


def mixed(
    video: FaceMotion,
    valid: np.ndarray,
    sound: FaceMotion,
    model: FaceModel,
    shares: Shares | None = None,
    offset_seconds: float = 0.0,
) -> FaceMotion:
    """The spoken motion, with the video's share of each region; see `mixed_on_head`.

    Args:
        video: the captured motion.
        valid: (T,) bool, its frames in which the face was seen.
        sound: the spoken motion, of the same components.
        model: the head of both.
        shares: the video's; None for the defaults.
        offset_seconds: what is heard at t is seen at t + offset_seconds.

    Raises:
        InputError: if the motions have other components.
    """
    return mixed_on_head(video, valid, sound, lambda: maps_of_model(model), shares or Shares(), offset_seconds)


def mixed_on_head(
    video: FaceMotion,
    valid: np.ndarray,
    sound: FaceMotion,
    maps: Callable[[], RefinementMaps],
    shares: Shares,
    offset_seconds: float,
) -> FaceMotion:
    """The spoken motion, with the video's share of each region.

    Args:
        video: the captured motion.
        valid: (T,) bool, its frames in which the face was seen.
        sound: the spoken motion, of the same components.
        maps: gives the head's maps; called if the components have no names.
        shares: the video's.
        offset_seconds: what is heard at t is seen at t + offset_seconds.

    Raises:
        InputError: if the motions have other components.
    """
    video, names = _in_order_of(video, sound)
    position = (np.arange(sound.num_frames) / sound.fps + offset_seconds) * video.fps
    seen = _seen(position, valid, sound.fps)[:, None]
    video = video.sampled(position, sound.fps)
    weights = seen * _expression_shares(shares, names, video.num_expression)
    difference = video.expression - sound.expression
    if names:
        expression = sound.expression + weights * difference
    else:
        to_upper = maps().upper[: video.num_expression, : video.num_expression]
        upper = np.einsum("te,fe->tf", difference, to_upper)  # as fast where numpy has no BLAS
        expression = sound.expression + seen * (shares.brows * upper + shares.lips * (difference - upper))
    return replace(
        sound,
        expression=expression,
        jaw=_turned(sound.jaw, video.jaw, seen * shares.jaw),
        neck=_optional(sound.neck, video.neck, seen * shares.head),
        eyes=_optional(sound.eyes, video.eyes, seen * shares.gaze),
        lids=_lids(sound.lids, video.lids, seen * shares.lids),
    )


def _in_order_of(video: FaceMotion, sound: FaceMotion) -> tuple[FaceMotion, list[str] | None]:
    """The captured motion with its components in the order of the spoken one, and their names."""
    names, found = sound.meta.get("expression_names"), video.meta.get("expression_names")
    if names and found and set(names) == set(found):
        return replace(video, expression=video.expression[:, [found.index(name) for name in names]]), list(names)
    if names or found or video.num_expression != sound.num_expression:
        raise InputError(
            f"the captured motion moves {video.num_expression} components of {video.meta.get('face')}, the spoken one "
            f"{sound.num_expression} of {sound.meta.get('face')}; convert one of them to the other's head"
        )
    return video, None


def offset_between(
    video_gap: np.ndarray, valid: np.ndarray, video_fps: float, sound_gap: np.ndarray, sound_fps: float
) -> Offset | None:
    """How far the video is behind the sound, by the gap between the lips; None if the lips move too little.

    Args:
        video_gap: (T,) of the captured motion, mm.
        valid: (T,) bool, its frames in which the face was seen.
        video_fps: its frames per second.
        sound_gap: (T',) of the spoken motion.
        sound_fps: its frames per second.
    """
    if min(len(video_gap), len(sound_gap)) < 2:
        return None
    times = np.arange(0.0, (len(sound_gap) - 1) / sound_fps, _LAG_SECONDS)
    spoken = np.interp(times, np.arange(len(sound_gap)) / sound_fps, sound_gap)
    lags = np.arange(-round(_LONGEST_OFFSET / _LAG_SECONDS), round(_LONGEST_OFFSET / _LAG_SECONDS) + 1) * _LAG_SECONDS
    found = np.full(len(lags), np.nan)
    captured_times = np.arange(len(video_gap)) / video_fps
    for number, lag in enumerate(lags):
        at = times + lag
        frame = np.clip(np.floor(at * video_fps).astype(int), 0, len(video_gap) - 2)
        inside = (at >= 0) & (at <= captured_times[-1]) & valid[frame] & valid[frame + 1]
        if inside.sum() * _LAG_SECONDS < _FEWEST_SECONDS:
            continue
        one, other = np.interp(at[inside], captured_times, video_gap), spoken[inside]
        if min(one.std(), other.std()) > _SMALLEST_GAP:
            found[number] = np.corrcoef(one, other)[0, 1]
    if np.isnan(found).all():
        return None
    best = int(np.nanargmax(found))
    away = found[np.abs(lags - lags[best]) > _BESIDE_SECONDS]
    highest = 0.0 if np.isnan(away).all() else max(0.0, float(np.nanmax(away)))
    correlation = float(found[best])
    return Offset(float(lags[best]), correlation, float(np.clip(correlation * (correlation - highest), 0.0, 1.0)))


def _seen(position: np.ndarray, valid: np.ndarray, fps: float) -> np.ndarray:
    """(T,) 1 where the video shows the face, falling to 0 towards frames in which it does not, and outside.

    Args:
        position: (T,) frames of the video, with fractions.
        valid: (T',) bool.
        fps: frames per second of the positions.
    """
    inside = (position >= -0.5) & (position <= len(valid) - 0.5)
    shown = inside & valid[np.clip(np.rint(position).astype(int), 0, len(valid) - 1)]
    frames = np.arange(len(position))
    far = 2 * len(frames)
    before = np.maximum.accumulate(np.where(shown, -far, frames))  # the last frame that is not shown
    after = np.minimum.accumulate(np.where(shown, far, frames)[::-1])[::-1]
    apart = np.minimum(frames - before, after - frames)
    part = np.clip(apart / max(_FADE_SECONDS * fps, 1.0), 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)


def _expression_shares(shares: Shares, names: list[str] | None, count: int) -> np.ndarray:
    """(E,) the video's share of each named component."""
    if not names:
        return np.zeros(count)
    return np.array([_share(shares, name) for name in names])


def _share(shares: Shares, name: str) -> float:
    if name.startswith("eyeLook"):
        return shares.gaze
    by_group = {"Jaw": shares.jaw, "Lips": shares.lips, "Cheeks and Nose": shares.cheeks, "Brows": shares.brows}
    by_group |= {"Eyes": shares.lids, "Tongue": 0.0}  # no landmark shows the tongue
    return by_group.get(channel_group(name), shares.lips)


def _turned(one: np.ndarray, other: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(T, 3 n) rotations on the arcs from one to the other, by a weight (T, 1)."""
    start, end = (axis_angle_to_quaternion(part.reshape(len(part), -1, 3)) for part in (one, other))
    blended = slerp(start, end, np.broadcast_to(weight, start.shape[:2]))
    return quaternion_to_axis_angle(blended).reshape(one.shape)


def _optional(one: np.ndarray | None, other: np.ndarray | None, weight: np.ndarray) -> np.ndarray | None:
    """Rotations of which either motion may have none, which is no turn."""
    present = one if one is not None else other
    if present is None or (other is None and one is None):
        return None
    still = np.zeros_like(present)
    return _turned(still if one is None else one, still if other is None else other, weight)


def _lids(one: np.ndarray | None, other: np.ndarray | None, weight: np.ndarray) -> np.ndarray | None:
    if one is None and other is None:
        return None
    return (0.0 if one is None else one) * (1 - weight) + (0.0 if other is None else other) * weight
