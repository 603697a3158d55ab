"""The emotion of a head over a line, read from its settings and their f-curves, as an EmotionTrack."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...emotion import EMOTIONS, MAX_INTENSITY, EmotionTrack, normalised_weights, one_hot
from ...motion_tools.emotion_timeline import MAX_AMOUNT, constant_track, emotion_of_amount, simplified
from ...motion_tools.timing import frames_per_second
from ..compat import curves_in, slot_curves
from ..settings.head_settings import EMOTION_OR_MIX_ITEMS, MIX, EMOTE_PG_head, head_settings

_LONGEST_UNKNOWN_SECONDS = 600.0  # of a sound whose length is not known yet and whose curves never come to rest
WEIGHT_PATHS = tuple(f"emote.weights.{name}" for name in EMOTIONS)
INTENSITY_PATH, AMOUNT_PATH, EMOTION_PATH = "emote.intensity", "emote.amount", "emote.emotion"
_PATHS = (*WEIGHT_PATHS, INTENSITY_PATH, AMOUNT_PATH, EMOTION_PATH)


@dataclass(frozen=True)
class Span:
    """The part of the timeline that a line takes.

    Attributes:
        frame_start: scene frame of its beginning.
        scene_fps: scene frames per second.
        duration_seconds: its length, or None if it is not known yet.
        fps: frames per second of the model.
    """

    frame_start: float
    scene_fps: float
    duration_seconds: float | None
    fps: float = 25.0


def span_in(scene: bpy.types.Scene, frame_start: float, duration_seconds: float | None, fps: float = 25.0) -> Span:
    """The span of a line that begins on this frame of a scene."""
    return Span(frame_start, frames_per_second(scene.render.fps, scene.render.fps_base), duration_seconds, fps)


def head_track(head: bpy.types.Object, span: Span) -> EmotionTrack:
    """What a head feels during a line; times count from the line's beginning.

    F-curves of the settings are evaluated without moving the scene to other frames. Muted curves and drivers are left
    out: the present value of their property counts.
    """
    settings = head_settings(head)
    sampled = _Sampled(head, settings, span)
    if settings.over_time:
        weights = sampled.weights()
        intensity = np.clip(sampled.values(INTENSITY_PATH, settings.intensity), 0.0, MAX_INTENSITY)
        return sampled.track(weights, intensity)
    numbers = [number for number, _ in enumerate(EMOTION_OR_MIX_ITEMS)]
    chosen = np.clip(sampled.values(EMOTION_PATH, _enum_number(settings)).round().astype(int), 0, numbers[-1])
    amount = np.clip(sampled.values(AMOUNT_PATH, settings.amount), 0.0, MAX_AMOUNT)
    weights = np.eye(len(numbers))[chosen][:, : len(EMOTIONS)]
    is_mix = chosen == numbers[-1]
    if is_mix.any():
        weights[is_mix] = sampled.weights()[is_mix]
    states = [emotion_of_amount(row, _rounded(part)) for row, part in zip(weights, amount, strict=True)]
    return sampled.track(np.stack([row for row, _ in states]), np.array([intensity for _, intensity in states]))


def unread_animation(head: bpy.types.Object) -> str:
    """A warning if a driver or an NLA strip animates the emotion, of which only the present value is read; else ""."""
    data = head.animation_data
    if data is None:
        return ""
    driven = any(_is_read(curve) for curve in data.drivers)
    strips = [strip for track in data.nla_tracks if not track.mute for strip in track.strips if not strip.mute]
    in_strips = any(_is_read(curve) for strip in strips for curve in curves_in(strip.action, strip.action_slot))
    if not driven and not in_strips:
        return ""
    source = "a driver" if driven else "an NLA strip"
    return (
        f"the emotion of {head.name!r} is animated by {source}, of which only the value at the current frame counts; "
        "key it in the head's own action"
    )


def chosen_weights(settings: EMOTE_PG_head) -> np.ndarray:
    """Weights (8,) of the emotion, or the mix, that is chosen for the whole line."""
    if settings.emotion != MIX:
        return one_hot(settings.emotion)
    return normalised_weights(np.array([getattr(settings.weights, name) for name in EMOTIONS]))


def chosen_track(settings: EMOTE_PG_head, emotion: str | None, intensity: float | None) -> EmotionTrack:
    """The track of an emotion and an intensity that a script gives; None for the head's own."""
    weights = chosen_weights(settings) if emotion is None else one_hot(emotion)
    if intensity is None:
        return constant_track(weights, _rounded(settings.amount))
    # Through `constant`, which refuses intensities that are not allowed.
    return EmotionTrack(np.zeros(1), weights[None], EmotionTrack.constant("neutral", intensity).intensity)


class _Sampled:
    """The settings of a head at the frames of a line; one frame if nothing is keyed."""

    def __init__(self, head: bpy.types.Object, settings: EMOTE_PG_head, span: Span) -> None:
        self._curves = {curve.data_path: curve for curve in slot_curves(head) if _is_read(curve)}
        self._settings = settings
        last = _last_moving_seconds(list(self._curves.values()), span)
        self.seconds = np.arange(max(1, int(np.ceil(last * span.fps)) + 1)) / span.fps
        self._frames = (span.frame_start + self.seconds * span.scene_fps).tolist()

    def values(self, path: str, present: float) -> np.ndarray:
        """(T,) values of a property, whose present value counts if it is not keyed."""
        curve = self._curves.get(path)
        if curve is None:
            return np.full(len(self._frames), present)
        return np.nan_to_num(np.array([curve.evaluate(frame) for frame in self._frames]))

    def weights(self) -> np.ndarray:
        """(T, 8) normalised weights."""
        present = [getattr(self._settings.weights, name) for name in EMOTIONS]
        columns = [self.values(path, value) for path, value in zip(WEIGHT_PATHS, present, strict=True)]
        return normalised_weights(np.clip(np.stack(columns, axis=1), 0.0, 1.0))

    def track(self, weights: np.ndarray, intensity: np.ndarray) -> EmotionTrack:
        """The track with these values at the sampled times, without keys that are not needed."""
        return simplified(EmotionTrack(self.seconds, weights, intensity))


def _is_read(curve: bpy.types.FCurve) -> bool:
    """Whether a curve counts: it is one of the emotion's, it has keys or modifiers, and nothing mutes it."""
    muted = curve.mute or (curve.group is not None and curve.group.mute)
    known = curve.data_path in _PATHS
    return known and not muted and (not curve.is_empty or curve.driver is not None)


def _last_moving_seconds(curves: list[bpy.types.FCurve], span: Span) -> float:
    """Seconds from the line's beginning after which no curve changes, at most the line's length."""
    if not curves:
        return 0.0
    longest = _LONGEST_UNKNOWN_SECONDS if span.duration_seconds is None else span.duration_seconds
    if any(curve.extrapolation != "CONSTANT" or len(curve.modifiers) for curve in curves):
        return longest
    last = max(curve.range()[1] for curve in curves)
    seconds = max(0.0, (last - span.frame_start) / span.scene_fps)
    return seconds if span.duration_seconds is None else min(seconds, span.duration_seconds)


def _enum_number(settings: EMOTE_PG_head) -> int:
    return [item[0] for item in EMOTION_OR_MIX_ITEMS].index(settings.emotion)


def _rounded(value: float) -> float:
    """A number that Blender stores in single precision, without the digits that this adds."""
    return round(float(value), 6)
