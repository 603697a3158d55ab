"""A face that is alive without inference: blinks, gaze, head motion and breath, added to a motion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..emotion import EmotionTrack
from ..errors import InputError
from ..motion import FaceMotion
from .blinks import plan_blinks
from .gaze import HUMAN, EyePlaces, eye_rotations, looking_down, plan_gaze
from .head_motion import neck_rotations
from .prosody import Phrasing, phrasing
from .raw_take import Prosody

Curve = np.ndarray | float  # (T,) values, or one for all frames

BLINK_COMPONENTS = "eyeBlinkLeft", "eyeBlinkRight"
# How much of the way to a closed eye each of ARKit's shapes goes by itself, measured between the lids of the open head.
_CLOSES = {"eyeSquint": 0.29, "cheekSquint": 0.17, "eyeLookDown": 0.30, "eyeLookUp": -0.11}
# The upper lid turns with the eye (W. Becker and A. Fuchs, Journal of Neurophysiology 60, 1988): on an eye of 12 mm
# radius and an opening of 13 mm, by nearly the opening per radian. Closure, or widening, per radian.
_LID_PER_RADIAN_DOWN, _LID_PER_RADIAN_UP = 0.95, 0.8
_LONGEST_INTERVAL = 3600.0


@dataclass(frozen=True, eq=False)
class Life:
    """What is added to a motion. Where an array is allowed, it has one value per frame.

    Attributes:
        blinks: whether the lids blink.
        blink_strength: how far the lids close in a blink; 1 closes them.
        blink_interval_seconds: mean time between blinks.
        eyelid_open_offset: opens (above 0) or closes (below 0) the lids, -1 to 1.
        gaze: whether the eyes move.
        saccade_strength: factor on the eyes' jumps.
        look_at: (T, 3) point that the eyes look at, in the frame of the unturned neck, metres; None for straight ahead.
        look_at_weight: how much they do, 0 to 1.
        head_motion: whether the neck moves.
        head_strength: factor on nods, drift and posture.
        breathing: factor on the breath in the neck.
        seed: another number gives other blinks, saccades and nods.
        presence: how much there is, 0 to 1. A blink that meets a frame below 1 is left out as a whole.
        places: of eyes and neck.
        neck: (T, 3) rotation of the neck that the eyes turn against, as axis-angle, radians; None for the added one.
    """

    blinks: bool = True
    blink_strength: Curve = 1.0
    blink_interval_seconds: float = 4.0
    eyelid_open_offset: Curve = 0.0
    gaze: bool = True
    saccade_strength: Curve = 1.0
    look_at: np.ndarray | None = None
    look_at_weight: Curve = 1.0
    head_motion: bool = True
    head_strength: Curve = 1.0
    breathing: Curve = 1.0
    seed: int = 0
    presence: Curve = 1.0
    places: EyePlaces = HUMAN
    neck: np.ndarray | None = None

    def __post_init__(self) -> None:
        interval = self.blink_interval_seconds
        if not 0.5 <= interval <= _LONGEST_INTERVAL:
            raise InputError(f"a blink every {interval:g} s is not possible; use 0.5 to {_LONGEST_INTERVAL:g} s")
        if self.seed < 0:
            raise InputError(f"the seed is {self.seed}; use 0 or a number above")

    @property
    def moves(self) -> bool:
        """Whether anything is added."""
        return self.blinks or self.gaze or self.head_motion or bool(np.any(self.eyelid_open_offset))

    def summary(self) -> dict[str, Any]:
        """The switches and the seed, for a motion's metadata (`life`)."""
        return {"blinks": self.blinks, "gaze": self.gaze, "head_motion": self.head_motion, "seed": self.seed}


STILL = Life(blinks=False, gaze=False, head_motion=False)


@dataclass(frozen=True, eq=False)
class LifeMotion:
    """What a face does by itself, frame by frame.

    Attributes:
        neck: (T, 3) rotation of the neck as axis-angle, radians; None if the neck does not move.
        eyes: (T, 6) rotation of the left, then of the right eye; None if the eyes do not move.
        closure: (T, 2) closure of the left and of the right lid by blinks, 0 to 1.
        offset: (T, 1) opens (above 0) or closes (below 0) the lids.
    """

    neck: np.ndarray | None
    eyes: np.ndarray | None
    closure: np.ndarray
    offset: np.ndarray

    def added_to(self, motion: FaceMotion) -> FaceMotion:
        """The motion with this added; it must have as many frames.

        Eyes and neck are added to those that the motion has. A basis that names its blinks (eyeBlinkLeft and
        eyeBlinkRight) gets them in its expression: they join what is there and never go past closed lids. Other bases
        get them in `lids`.
        """
        parts: dict[str, Any] = {}
        down = np.zeros_like(self.closure)
        if self.neck is not None:
            parts["neck"] = self.neck if motion.neck is None else motion.neck + self.neck
        if self.eyes is not None:
            parts["eyes"] = self.eyes if motion.eyes is None else motion.eyes + self.eyes
            down = looking_down(self.eyes)
        if self.eyes is not None or np.any(self.closure) or np.any(self.offset):
            parts |= _lids(motion, self.closure, down, self.offset)
        return replace(motion, **parts)


def add_life(motion: FaceMotion, prosody: Prosody | None = None, life: Life | None = None) -> FaceMotion:
    """The motion with blinks, gaze and head motion; the same for the same arguments (see `LifeMotion.added_to`).

    Its metadata states what was added (`life`).

    Args:
        motion: at any frame rate; its first frame is the beginning of the sound.
        prosody: of the sound, at 25 frames per second; None for a face that does not speak.
        life: what is added; None for the defaults.
    """
    life = life or Life()
    made = life_motion(motion, prosody, life).added_to(motion)
    return replace(made, meta={**motion.meta, "life": life.summary()})


def life_motion(motion: FaceMotion, prosody: Prosody | None, life: Life, start_seconds: float = 0.0) -> LifeMotion:
    """What a face does by itself during a motion. Of the motion, only its length, frame rate and emotion count.

    Args:
        motion: at any frame rate: the same blinks, saccades and nods come at the same times.
        prosody: of the sound, at 25 frames per second; None for a face that does not speak.
        life: what there is.
        start_seconds: time of the motion's first frame after the sound's start; below zero before it. Blinks and
            saccades are planned from the sound's start on.
    """
    num_frames, fps = motion.num_frames, motion.fps
    seconds = start_seconds + np.arange(num_frames) / fps
    voice = Phrasing.silent(1) if prosody is None else phrasing(prosody)
    neck = eyes = None
    if life.head_motion:
        emotion = emotion_of(motion.meta)
        neck = neck_rotations(seconds, voice, prosody, emotion, life.head_strength, life.breathing, life.seed)
        neck = neck * _column(life.presence, num_frames)
    if life.gaze:
        fixations = plan_gaze(0.0, seconds[-1], voice, life.seed)
        offsets = fixations.offsets_at(seconds) * _column(life.saccade_strength, num_frames)
        turned = neck if life.neck is None else life.neck
        turned = np.zeros((num_frames, 3)) if turned is None else turned
        eyes = eye_rotations(offsets, turned, life.look_at, life.look_at_weight, life.places)
        eyes = eyes * _column(life.presence, num_frames)
    closure = np.zeros((num_frames, 2))
    if life.blinks:
        blinks = plan_blinks(0.0, seconds[-1] + 1 / fps, voice, life.blink_interval_seconds, life.seed)
        closure = np.clip(blinks.closure_at(seconds) * _column(life.blink_strength, num_frames), 0.0, 1.0)
        closure = _whole_blinks(closure, _column(life.presence, num_frames)[:, 0] >= 1.0)
    return LifeMotion(neck, eyes, closure, _column(life.eyelid_open_offset, num_frames))


def emotion_of(meta: dict[str, Any]) -> EmotionTrack | None:
    """The emotion over time that a motion's metadata states, or None."""
    stored = meta.get("emotion_track")
    try:
        if stored:
            return EmotionTrack(stored["times_seconds"], stored["emotion_weights"], stored["intensity"])
        intensity = meta.get("intensity")
        return EmotionTrack.constant(meta["emotion"], 1.0 if intensity is None else float(intensity))
    except (KeyError, TypeError, ValueError, InputError):
        return None


def _lids(motion: FaceMotion, closure: np.ndarray, down: np.ndarray, offset: np.ndarray) -> dict[str, Any]:
    """The expression, or the lids, with blinks, with lids that follow the eyes, and with the offset.

    Args:
        motion: the motion.
        closure: (T, 2) of the blinks, 0 to 1.
        down: (T, 2) radians that the eyes look down.
        offset: (T, 1) -1 closed to 1 wide open.
    """
    follow = _LID_PER_RADIAN_DOWN * np.maximum(down, 0.0)
    names = motion.meta.get("expression_names") or ()
    if not set(BLINK_COMPONENTS) <= set(names):
        shut = np.zeros((motion.num_frames, 2)) if motion.lids is None else motion.lids
        for part in (np.clip(-offset, 0.0, 1.0), follow, closure):
            shut = 1 - (1 - shut) * (1 - np.clip(part, 0.0, 1.0))
        return {"lids": shut}
    expression = motion.expression.copy()
    widen = np.clip(offset, 0.0, 1.0) + _LID_PER_RADIAN_UP * np.maximum(-down, 0.0)
    for eye, side in enumerate(("Left", "Right")):
        blink = names.index(f"eyeBlink{side}")
        closes = sum(
            share * np.clip(expression[:, names.index(name + side)], 0.0, 1.0)
            for name, share in _CLOSES.items()
            if name + side in names
        )
        open_, closed = expression[:, blink], np.clip(1.0 - closes, 0.0, 1.0)
        # The lids go the rest of the way to closed; where the model has closed them further, they stay.
        rest = np.maximum(closed - open_, 0.0)
        kept = np.ones(motion.num_frames)
        for part in (np.clip(-offset[:, 0], 0.0, 1.0), follow[:, eye], closure[:, eye]):
            kept = kept * (1 - np.clip(part, 0.0, 1.0))
        expression[:, blink] = open_ + rest * (1 - kept)
        if f"eyeWide{side}" in names:
            wide = names.index(f"eyeWide{side}")
            raised = np.maximum(expression[:, wide], np.minimum(expression[:, wide] + widen[:, eye], 1.0))
            # Lids that close are wide no longer.
            expression[:, wide] = np.where(raised > 0, raised * (1 - closure[:, eye]), raised)
    return {"expression": expression}


def _whole_blinks(closure: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """The closure (T, 2) without the blinks that meet a frame that is not allowed (T,)."""
    if allowed.all():
        return closure
    moving = closure.any(axis=1)
    number = np.cumsum(np.diff(moving, prepend=False) & moving)  # of the blink, from 1
    spoilt = np.unique(number[moving & ~allowed])
    return np.where((moving & ~np.isin(number, spoilt))[:, None], closure, 0.0)


def _column(values: Curve, num_frames: int) -> np.ndarray:
    """(T, 1) the values, or the one value, of every frame."""
    return np.broadcast_to(np.asarray(values, np.float64), (num_frames,))[:, None]
