"""Head motion: posture, drift, nods and breath, as rotations of the neck that follow the voice."""

from __future__ import annotations

import numpy as np

from ..emotion import EMOTIONS, EmotionTrack
from .prosody import Phrasing, semitones
from .raw_take import Prosody

# Rotations are (pitch, yaw, roll) in degrees about the face model's axes x, y, z: pitch is positive downwards, yaw to
# the character's left, roll when the head leans to the character's right.

# The head moves in 90 % of speaking time and in 13 % of the pauses (U. Hadar et al., Language and Speech 26, 1983).
_SILENT_SHARE = 0.35
# Standard deviations of what goes on all the time: octaves of smooth noise, each with half the amplitude of the slower
# one, so that the power density falls with the cube of the frequency.
_DRIFT_DEGREES = np.array([1.1, 1.5, 0.8])
_DRIFT_KNOTS_SECONDS = 3.2, 1.6, 0.8, 0.4, 0.2
# A phrase after a pause begins with a wide movement (U. Hadar et al., Advances in Neurology 42, 1984).
_POSTURE_DEGREES = np.array([1.3, 2.6, 1.4])
_POSTURE_SECONDS = 0.9
# Sharp movements mark peaks of loudness and stress (ibid.); their height varies.
_NOD_DEGREES = 3.8  # of the strongest stress
_NOD_SHARE = 0.75  # of the stressed syllables
_NOD_RAISED_SHARE, _NOD_RAISED = 0.2, 0.7  # of the nods that go up, and how far in downward nods
_NOD_ASIDE = np.array([1.0, 0.35, 0.25])  # what a nod turns and leans the head aside, at most, in nods
_NOD_SECONDS = 0.16, 0.34  # down, and back
_NOD_LAG_SECONDS = 0.04
# The head rises with the pitch of the voice; K. Munhall et al. (Psychological Science 15, 2004) report a correlation.
_DEGREES_PER_SEMITONE = -0.18
# Quiet breath: 12 to 20 a minute; its amplitude is set by eye.
_BREATH_HZ, _BREATH_DEGREES = 0.25, 0.45

# What each emotion does to the posture at full intensity. A head bent forward for sadness and raised for joy are
# findings of H. Wallbott (European Journal of Social Psychology 28, 1998); the other signs and all sizes are ours.
_TILT_DEGREES = {
    "neutral": (0.0, 0.0, 0.0),
    "happy": (-1.5, 0.0, 1.5),
    "sad": (5.0, 0.0, -2.0),
    "surprise": (-3.0, 0.0, 0.0),
    "fear": (-2.0, 1.5, 0.0),
    "disgust": (-1.5, 3.0, 1.0),
    "anger": (3.0, 0.0, 0.0),
    "contempt": (-2.5, -2.0, 2.5),
}


def neck_rotations(
    seconds: np.ndarray,
    phrasing: Phrasing,
    prosody: Prosody | None,
    emotion: EmotionTrack | None = None,
    strength: np.ndarray | float = 1.0,
    breathing: np.ndarray | float = 1.0,
    seed: int = 0,
) -> np.ndarray:
    """(T, 3) rotation of the neck as axis-angle, radians, in the face model's axes.

    Args:
        seconds: (T,) times from the start of the sound, ascending; they may lie before and after it.
        phrasing: of the voice.
        prosody: of the voice, or None for a face that does not speak.
        emotion: for the posture, or None.
        strength: (T,) or a number that scales everything but the breath.
        breathing: (T,) or a number that scales the breath.
        seed: another number gives other motion.
    """
    speech = phrasing.speech_at(seconds)
    degrees = _drift(seconds, seed) * (_SILENT_SHARE + (1 - _SILENT_SHARE) * speech)[:, None]
    degrees += _postures(seconds, phrasing, seed)
    degrees += _nods(seconds, phrasing, seed)
    if prosody is not None:
        degrees[:, 0] += _DEGREES_PER_SEMITONE * _slow_pitch(seconds, prosody, phrasing.fps) * speech
    if emotion is not None:
        degrees += _tilt(seconds, emotion)
    degrees *= np.broadcast_to(strength, seconds.shape)[:, None]
    degrees[:, 0] += np.broadcast_to(breathing, seconds.shape) * _breath(seconds, seed)
    return np.radians(degrees)


def _drift(seconds: np.ndarray, seed: int) -> np.ndarray:
    """(T, 3) smooth noise, degrees."""
    octaves = [
        _noise(seconds, knots, np.random.default_rng([seed, 4, number])) * 0.5**number
        for number, knots in enumerate(_DRIFT_KNOTS_SECONDS)
    ]
    scale = np.sqrt(sum(0.25**number for number in range(len(octaves))))
    return _DRIFT_DEGREES * sum(octaves) / scale


def _noise(seconds: np.ndarray, knot_seconds: float, random: np.random.Generator) -> np.ndarray:
    """(T, 3) smooth noise of about unit variance through random values every `knot_seconds`.

    The knots are counted from the time zero, so that a face has the same motion at a time wherever it is cut.
    """
    position = seconds / knot_seconds
    lowest = int(np.floor(position[0])) - 1
    count = int(np.floor(position[-1])) + 3 - lowest
    # Negative times, of a transition before the sound, have a stream of their own.
    later = random.standard_normal((max(0, lowest + count), 3))
    earlier = random.spawn(1)[0].standard_normal((max(0, -lowest), 3))[::-1]
    values = np.concatenate([earlier, later])[-count:] if lowest < 0 else later[lowest:]
    number = np.floor(position).astype(int) - lowest
    part = (position - np.floor(position))[:, None]
    # Cubic B-spline: its second derivative has no jumps.
    weights = (
        (1 - part) ** 3 / 6,
        (3 * part**3 - 6 * part**2 + 4) / 6,
        (-3 * part**3 + 3 * part**2 + 3 * part + 1) / 6,
        part**3 / 6,
    )
    return 1.6 * sum(weight * values[number + step] for step, weight in zip((-1, 0, 1, 2), weights))


def _postures(seconds: np.ndarray, phrasing: Phrasing, seed: int) -> np.ndarray:
    """(T, 3) a posture that changes where a phrase begins, degrees; zero before the first one."""
    random = np.random.default_rng([seed, 5])
    targets = _POSTURE_DEGREES * np.clip(random.standard_normal((len(phrasing.phrase_starts), 3)), -2, 2)
    posture, before = np.zeros((len(seconds), 3)), np.zeros(3)
    for start, target in zip(phrasing.phrase_starts, targets):
        first = np.searchsorted(seconds, start - 0.3)
        posture[first:] += (target - before) * _step((seconds[first:] - start + 0.3) / _POSTURE_SECONDS)[:, None]
        before = target
    return posture


def _nods(seconds: np.ndarray, phrasing: Phrasing, seed: int) -> np.ndarray:
    """(T, 3) nods on stressed syllables, degrees."""
    random = np.random.default_rng([seed, 6])
    chance, size, way, turn, lean = random.random((len(phrasing.stress_times), 5)).T
    nodded = chance <= _NOD_SHARE
    way_factor = np.where(way < _NOD_RAISED_SHARE, -_NOD_RAISED, 1.0)
    heights = (_NOD_DEGREES * phrasing.stress_strengths * (0.5 + size) * way_factor)[nodded]
    aside = np.stack([np.ones(len(turn)), 2 * turn - 1, 2 * lean - 1], axis=1)[nodded] * _NOD_ASIDE
    lowest = phrasing.stress_times[nodded] + _NOD_LAG_SECONDS
    down, back = _NOD_SECONDS
    first, last = np.searchsorted(seconds, lowest - down), np.searchsorted(seconds, lowest + back)
    nods = np.zeros((len(seconds), 3))
    if not len(lowest) or (last - first).max() == 0:
        return nods
    frames = first[:, None] + np.arange((last - first).max())  # (N, W): the frames of each nod
    is_inside = frames < last[:, None]
    frames = np.minimum(frames, len(seconds) - 1)
    shift = seconds[frames] - lowest[:, None]
    course = is_inside * heights[:, None] * _step(np.where(shift < 0, shift / down + 1, 1 - shift / back))
    np.add.at(nods, frames, course[:, :, None] * aside[:, None])
    return nods


def _slow_pitch(seconds: np.ndarray, prosody: Prosody, fps: float) -> np.ndarray:
    """(T,) pitch above the voice's median, semitones, smoothed to what a head can follow."""
    values = semitones(prosody, fps)
    width = max(1, round(0.36 * fps))
    window = np.hanning(width + 2)[1:-1]
    smooth = np.convolve(
        np.pad(values, (width // 2, width - 1 - width // 2), mode="edge"), window / window.sum(), "valid"
    )
    return np.interp(seconds * fps, np.arange(len(smooth)), smooth)


def _tilt(seconds: np.ndarray, emotion: EmotionTrack) -> np.ndarray:
    """(T, 3) posture of the emotion, degrees; half of it at intensity 0, all of it at 2."""
    weights, intensity = emotion.at(seconds)
    postures = np.array([_TILT_DEGREES[name] for name in EMOTIONS])
    return weights @ postures * (0.5 + 0.25 * intensity)[:, None]


def _breath(seconds: np.ndarray, seed: int) -> np.ndarray:
    """(T,) rise and fall of the head with the breath, degrees; no two breaths are equally long."""
    random = np.random.default_rng([seed, 7])
    phases = random.uniform(0, 2 * np.pi, 3)
    wander = 0.6 * np.sin(2 * np.pi * 0.041 * seconds + phases[0]) + 0.4 * np.sin(
        2 * np.pi * 0.083 * seconds + phases[1]
    )
    return _BREATH_DEGREES * np.sin(2 * np.pi * _BREATH_HZ * seconds + phases[2] + wander)


def _step(part: np.ndarray) -> np.ndarray:
    """A step from 0 to 1 with minimum jerk (T. Flash and N. Hogan, Journal of Neuroscience 5, 1985)."""
    part = np.clip(part, 0.0, 1.0)
    return part**3 * (10 - 15 * part + 6 * part**2)
