"""Expression components and jaw of the open head, frame by frame, from articulation, loudness and emotion.

The targets of the open model are made here; its acting cannot be better than this file. All motion follows from the
sound and the condition (emotion, intensity, speaker). Blinks, gaze, tremor and drift cannot be predicted from sound;
they are added after inference.

The order of computation: speech moves jaw and lips. The emotion adds a posture that follows the phrases and is reduced
where the lips round. It parts the lips only as far as speech does, so that it neither hides the words nor keeps the
mouth open in pauses. Stressed syllables move the brows. Contacts come last and override everything, because a p, b or m
with open lips is the first error that a viewer notices. Poses follow the action units of FACS (Ekman & Friesen 1978)
and were tuned by eye on the open head.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ....audio import FRAME_SAMPLES
from .articulation import CHANNELS, smooth, smoothstep
from .liveliness import PLAIN, UPPER_FACE, Liveliness, phrase_onsets, swelling

EXPRESSION_NAMES: tuple[str, ...] = (
    *(f"eye{part}{side}" for side in ("Left", "Right")
      for part in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")),
    *("jawForward", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *(f"mouth{part}{side}" for part in ("Smile", "Frown", "Dimple", "Stretch") for side in ("Left", "Right")),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *(f"mouth{part}{side}" for part in ("Press", "LowerDown", "UpperUp") for side in ("Left", "Right")),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    *("cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut", "tongueUp"),
)  # fmt: skip
"""The open head's 50 components in order (a test compares them with models/open_head)."""

LEVELS = (0.45, 0.72, 1.00)  # strength of the poses at the intensities 0, 1, 2

JAW_RANGE = 0.31  # radians at jaw channel 1, before amplitude
_MAX_JAW = 0.33
_CLOSE_ANGLE = 0.25  # jaw angle in radians that mouthClose = 1 compensates on the open head
_CLOSE_MM = 19.4  # lip opening in millimetres that mouthClose = 1 compensates
_PARTING_MM = {"mouthLowerDown": 8.0, "mouthUpperUp": 7.0, "noseSneer": 3.0, "mouthFunnel": 10.0, "mouthStretch": 1.0}
"""Lip opening in millimetres per unit of a component (of both sides, if it has two), measured on the open head.

mouthStretch opens the lips near the corners only; its value is what mouthClose must compensate there.
"""
_ROUND_YIELD, _TUCK_YIELD = 0.90, 0.60  # by how much an emotion's mouth gives way to rounded lips, and to f and v
_PULLING = ("noseSneer", "mouthStretch")  # they part the lips, but are no opening; the lips stay closed by mouthClose
_FULL_SHARE_MM = 9.0  # lip opening by speech from which an emotion parts the lips fully
_PRESS_MM = 1.0  # the lips are pressed together by this much, so that a slightly weak prediction still closes them


@dataclass(frozen=True)
class Emotion:
    """The poses of an emotion at full level, as weights of components. A name without Left or Right means both sides.

    Attributes:
        held: posture in speech and in pauses.
        speaking: posture added while speaking.
        pausing: posture added in pauses.
        accent: pose added on stressed syllables.
        jaw_pausing: jaw angle added in pauses, radians.
        jaw_speaking: jaw angle added while speaking, radians.
        mouth: factor on the amplitude of articulation.
        open_rest: the mouth is open in pauses; otherwise the lips are closed there, whatever the pose.
    """

    held: Mapping[str, float] = field(default_factory=dict)
    speaking: Mapping[str, float] = field(default_factory=dict)
    pausing: Mapping[str, float] = field(default_factory=dict)
    accent: Mapping[str, float] = field(default_factory=dict)
    jaw_pausing: float = 0.0
    jaw_speaking: float = 0.0
    mouth: float = 1.0
    open_rest: bool = False


@dataclass(frozen=True)
class Speaker:
    """The habits of a speaker.

    Attributes:
        mouth: factor on the amplitude of articulation.
        feeling: factor on the strength of emotions.
        brows: factor on accents.
        smile: weight of a smile while speaking, in every emotion.
        lopsided: asymmetry, -1 to 1; at 1 the left side is 10 % stronger and the right side 10 % weaker.
        raised_brow: additional weight of browOuterUpLeft on accents.
    """

    mouth: float = 1.0
    feeling: float = 1.0
    brows: float = 1.0
    smile: float = 0.0
    lopsided: float = 0.0
    raised_brow: float = 0.0


SPEAKERS: dict[str, Speaker] = {
    "even": Speaker(),
    "lively": Speaker(mouth=1.12, feeling=1.08, brows=1.8, smile=0.12, lopsided=0.5),
    "reserved": Speaker(mouth=0.80, feeling=0.80, brows=0.5, lopsided=-0.3),
    "broad": Speaker(mouth=1.25, feeling=1.0, brows=1.2, lopsided=-0.8, raised_brow=0.35),
}

EMOTIONS: dict[str, Emotion] = {
    "neutral": Emotion(accent={"browInnerUp": 0.25, "browOuterUp": 0.20}),
    "happy": Emotion(
        held={"mouthSmile": 0.95, "cheekSquint": 0.80, "eyeSquint": 0.20, "browOuterUp": 0.25, "browInnerUp": 0.20},
        speaking={"mouthUpperUp": 0.20, "mouthDimple": 0.15},
        pausing={"mouthDimple": 0.15},
        accent={"browInnerUp": 0.35, "browOuterUp": 0.35},
        mouth=1.05,
    ),
    "sad": Emotion(
        held={"browInnerUp": 1.45, "browDown": 0.45, "mouthFrown": 1.25, "eyeBlink": 0.16, "eyeLookDown": 0.28},
        speaking={"mouthShrugLower": 0.20},
        pausing={"mouthShrugLower": 0.50},
        accent={"browInnerUp": 0.15},
        mouth=0.80,
    ),
    "surprise": Emotion(
        held={"browInnerUp": 1.15, "browOuterUp": 1.15, "eyeWide": 1.0},
        pausing={"mouthFunnel": 0.25},
        accent={"browInnerUp": 0.20, "browOuterUp": 0.20, "eyeWide": 0.10},
        jaw_pausing=0.14,
        jaw_speaking=0.035,
        mouth=1.08,
        open_rest=True,
    ),
    "fear": Emotion(
        held={"browInnerUp": 1.50, "browDown": 0.75, "eyeWide": 1.1, "mouthStretch": 0.95, "mouthFrown": 0.40},
        speaking={"mouthLowerDown": 0.16},
        pausing={"mouthPress": 0.30},
        accent={"eyeWide": 0.15, "mouthStretch": 0.10},
        jaw_speaking=0.02,
        mouth=0.95,
    ),
    "disgust": Emotion(
        held={
            "noseSneer": 1.15,
            "browDown": 0.60,
            "eyeSquint": 0.75,
            "cheekSquint": 0.60,
            "mouthFrown": 0.70,
            "mouthUpperUp": 0.32,
        },
        speaking={"mouthShrugLower": 0.15, "mouthLowerDown": 0.06},
        pausing={"mouthShrugLower": 0.40},
        accent={"noseSneer": 0.20, "browDown": 0.15},
        mouth=0.90,
    ),
    "anger": Emotion(
        held={"browDown": 1.30, "eyeWide": 0.45, "noseSneer": 0.45, "mouthFrown": 0.65, "jawForward": 0.50},
        speaking={"mouthLowerDown": 0.24, "mouthStretch": 0.20},
        pausing={"mouthPress": 0.80, "mouthShrugLower": 0.40},
        accent={"browDown": 0.20, "noseSneer": 0.30, "eyeWide": 0.15},
        mouth=1.12,
    ),
    "contempt": Emotion(
        held={
            "mouthSmileLeft": 0.65,
            "mouthDimpleLeft": 0.90,
            "cheekSquintLeft": 0.40,
            "browOuterUpLeft": 0.90,
            "browDownRight": 0.60,
            "browDownLeft": 0.10,
            "eyeBlink": 0.24,
            "mouthLeft": 0.18,
        },
        pausing={"mouthPressLeft": 0.30},
        accent={"browOuterUpLeft": 0.20},
        mouth=0.90,
    ),
}

_COLUMN: dict[str, tuple[int, ...]] = {name: (index,) for index, name in enumerate(EXPRESSION_NAMES)}
_COLUMN |= {
    name.removesuffix("Left"): (index, EXPRESSION_NAMES.index(name.removesuffix("Left") + "Right"))
    for index, name in enumerate(EXPRESSION_NAMES)
    if name.endswith("Left") and name != "mouthLeft"
}
_LEFT = np.array([name.endswith("Left") and name != "mouthLeft" for name in EXPRESSION_NAMES])
_RIGHT = np.array([name.endswith("Right") and name != "mouthRight" for name in EXPRESSION_NAMES])
_PARTING_COLUMNS = [column for name in ("mouthLowerDown", "mouthUpperUp", "mouthFunnel") for column in _COLUMN[name]]
_IS_UPPER = np.array([name.startswith(UPPER_FACE) for name in EXPRESSION_NAMES])
_IS_MOUTH = np.array([name.startswith("mouth") for name in EXPRESSION_NAMES])


def loudness(samples: np.ndarray, num_frames: int) -> np.ndarray:
    """The loudness of each frame relative to the loud parts of the clip.

    Args:
        samples: (N,) waveform at 16 kHz in [-1, 1].
        num_frames: number of frames; the time after the samples is silent.

    Returns:
        (num_frames,) from 0 (35 dB below the loud parts, or digital silence) to 1 (the level of the loud parts, which
        is the 97th percentile of the clip).
    """
    if num_frames == 0:
        return np.zeros(0, np.float32)
    samples = np.asarray(samples, np.float64)[: num_frames * FRAME_SAMPLES]
    samples = np.pad(samples, (0, num_frames * FRAME_SAMPLES - len(samples)))
    power = np.convolve(
        np.pad((samples.reshape(-1, FRAME_SAMPLES) ** 2).mean(axis=1), 1, mode="edge"), (0.25, 0.5, 0.25), "valid"
    )
    decibels = 10 * np.log10(power + 1e-10)
    top = max(np.percentile(decibels, 97), -60.0)
    return np.clip(1 + (decibels - top) / 35, 0, 1).astype(np.float32)


def face(
    articulation: np.ndarray,
    loudness: np.ndarray,
    emotion: str,
    intensity: float,
    speaker: str,
    liveliness: Liveliness = PLAIN,
) -> tuple[np.ndarray, np.ndarray]:
    """The expression components and the jaw rotation of an utterance spoken with an emotion.

    Args:
        articulation: (T, 7) channels of `articulation.tracks`.
        loudness: (T,), see the function `loudness`.
        emotion: a key of `EMOTIONS`; neutral is the same at every intensity.
        intensity: 0 (mild) to 2 (high), continuous.
        speaker: a key of `SPEAKERS`.
        liveliness: how much the face moves with the voice.

    Returns:
        Expression (T, 50) in the order of `EXPRESSION_NAMES`, and jaw (T, 3) axis-angle in radians.

    Raises:
        KeyError: the emotion or the speaker is unknown.
        ValueError: the intensity is outside 0..2, or the lengths differ.
    """
    if not 0 <= intensity <= 2:
        raise ValueError(f"intensity {intensity} is outside 0..2")
    if articulation.shape != (len(loudness), len(CHANNELS)):
        raise ValueError(f"articulation {articulation.shape} does not fit loudness {loudness.shape}")
    style, habits = EMOTIONS[emotion], SPEAKERS[speaker]
    if emotion == "neutral":
        intensity = 1.0  # it would change the brow accents only
    level = float(np.interp(intensity, (0, 1, 2), LEVELS)) * (habits.feeling * liveliness.feeling)
    channels = dict(zip(CHANNELS, articulation.T.astype(np.float64), strict=True))
    loud = np.asarray(loudness, np.float64)
    audible = np.clip((loud - 0.25) / 0.25, 0, 1)
    speaking = smooth(audible, 5)
    onsets = smooth(phrase_onsets(smooth(audible, 2)), 1.2)
    stress = _stress(loud, audible, speaking, liveliness.swell)

    amplitude = habits.mouth * (1 + (style.mouth - 1) * level) * (0.88 + 0.20 * smooth(loud, 2))
    values, jaw_angle = _speech(channels, amplitude)
    resting = _resting(articulation)
    agape = np.minimum(1 - speaking, smooth(resting, 1.5)) if style.open_rest else np.zeros(len(loud))
    # An emotion parts the lips only as far as speech does. So it neither holds the mouth open nor hides the words.
    opening_mm = jaw_angle / _CLOSE_ANGLE * _CLOSE_MM + _parted_mm(values)
    share = np.maximum(np.clip(opening_mm / _FULL_SHARE_MM, 0, 1), agape)
    jaw_angle += level * (style.jaw_pausing * agape + style.jaw_speaking * share * (1 - 0.7 * channels["round"]))
    feeling = _feeling(style, level, speaking, channels)
    feeling[:, _PARTING_COLUMNS] *= share[:, None]
    feeling[:, _IS_UPPER] *= swelling(liveliness.swell, stress, speaking, onsets)[:, None]
    values += _cheeks(style, level, liveliness.cheeks, stress, channels)
    values += feeling
    drive = np.clip(stress + 2 * liveliness.swell * onsets, 0, 1.2)
    values += _accents(style, habits, level, liveliness.accents * drive)
    values += _habitual_smile(habits, speaking, channels["round"])
    values = _lopsided(values, habits.lopsided)
    # Spread vowels add a smile, which a sad face must not show.
    values[:, _COLUMN["mouthSmile"]] *= 1 - 0.7 * np.clip(values[:, _COLUMN["mouthFrown"]], 0, 1)
    jaw_angle = np.clip(jaw_angle, 0, _MAX_JAW)
    sealed, tucked = _gate(channels["close"]), _gate(channels["tuck"])
    jaw_angle *= 1 - np.maximum(0.35 * sealed, 0.2 * tucked)  # the jaw helps the lips to close
    pulled_mm = _parted_mm(values, _PULLING)
    values = _contacts(values, jaw_angle, sealed, tucked)
    _add(values, "mouthClose", (1 - share) * (1 - sealed) * pulled_mm / _CLOSE_MM)

    jaw = np.zeros((len(loud), 3))
    jaw[:, 0] = jaw_angle
    return np.clip(values, 0, 1.5).astype(np.float32), jaw.astype(np.float32)


def resting_pose(emotion: str) -> tuple[np.ndarray, float]:
    """The expression (50,) and the jaw angle in radians of an emotion at full level in a pause.

    Args:
        emotion: a key of `EMOTIONS`.
    """
    style, values = EMOTIONS[emotion], np.zeros((1, len(EXPRESSION_NAMES)))
    for pose in (style.held, style.pausing):
        for name, weight in pose.items():
            _add(values, name, np.array([weight]))
    if not style.open_rest:
        values[:, _PARTING_COLUMNS] = 0
        _add(values, "mouthClose", _parted_mm(values, _PULLING) / _CLOSE_MM)
    return values[0], style.jaw_pausing


def _stress(loud: np.ndarray, audible: np.ndarray, speaking: np.ndarray, swell: float) -> np.ndarray:
    """The stress (T,) of syllables, 0 to 1: how much louder they are than their surroundings.

    In the plain style the surroundings include pauses, so that the last syllable of a phrase counts as stressed. From a
    `swell` of 0.15 on, they are the surrounding speech only.
    """
    syllable = smooth(loud, 1.5)
    plain = np.clip(5 * (syllable - smooth(loud, 10)), 0, 1)
    around = smooth(loud * audible, 10) / np.maximum(smooth(audible, 10), 0.05)
    compared = speaking * np.clip(8 * (syllable - around), 0, 1)
    share = min(1.0, swell / 0.15)
    return (1 - share) * plain + share * compared


def _cheeks(
    style: Emotion, level: float, amount: float, stress: np.ndarray, channels: dict[str, np.ndarray]
) -> np.ndarray:
    """The weights (T, 50) of the cheeks, which rise with spread lips, and with stress if the emotion squints."""
    values = np.zeros((len(stress), len(EXPRESSION_NAMES)))
    smiling = level * max(style.held.get("cheekSquint", 0.0), style.held.get("cheekSquintLeft", 0.0))
    spread = smooth(np.clip(channels["width"], 0, 1), 1.0)
    _add(values, "cheekSquint", amount * (0.7 * spread + 0.6 * smiling * (smooth(stress, 1.0) - 0.3)))
    return values


def _speech(channels: dict[str, np.ndarray], amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The components (T, 50) and the jaw angle (T,) of plain articulation, without contacts."""
    jaw, rounding, teeth = channels["jaw"], channels["round"], channels["teeth"]
    spread = np.clip(channels["width"], 0, 1) * (1 - 0.5 * channels["close"])
    values = np.zeros((len(jaw), len(EXPRESSION_NAMES)))
    jaw_angle = JAW_RANGE * jaw * (1 + (amplitude - 1) * (1 - 0.6 * rounding))  # a louder "oo" does not open wider
    unrounded = 1 - 0.8 * rounding
    _add(values, "mouthPucker", 1.12 * rounding * (1 - 0.6 * jaw))
    _add(values, "mouthFunnel", rounding * (0.08 + 0.70 * jaw + 0.55 * teeth))
    _add(values, "mouthStretch", 0.36 * spread * amplitude)
    _add(values, "mouthSmile", 0.13 * spread * amplitude)
    _add(values, "mouthLowerDown", (0.42 * teeth + 0.20 * jaw) * unrounded * amplitude)
    _add(values, "mouthUpperUp", (0.28 * teeth + 0.15 * jaw) * unrounded * amplitude)
    # The tongue reaches its place however far the jaw is open, but has no room between teeth that are nearly closed.
    raised, out = np.clip(1.25 * channels["tongue"], 0, 1), np.clip((channels["tongue"] - 1.05) / 0.25, 0, 1)
    reach = np.clip(jaw_angle / 0.04, 0, 1) + np.clip(4 * (jaw_angle - 0.10), 0, 0.4)
    _add(values, "tongueUp", raised * reach)
    _add(values, "tongueOut", out * np.clip((jaw_angle - 0.03) / 0.025, 0, 1) * (0.30 + 1.5 * jaw_angle))
    return values, jaw_angle


def _feeling(style: Emotion, level: float, speaking: np.ndarray, channels: dict[str, np.ndarray]) -> np.ndarray:
    """The emotional posture (T, 50), a little stronger while speaking.

    At the mouth it is weaker where the lips round and where the lower lip touches the teeth.
    """
    values = np.zeros((len(speaking), len(EXPRESSION_NAMES)))
    for pose, envelope in (
        (style.held, 0.80 + 0.20 * speaking),
        (style.speaking, speaking),
        (style.pausing, 1 - speaking),
    ):
        for name, weight in pose.items():
            _add(values, name, weight * level * envelope)
    rounding, tucked = channels["round"], _gate(channels["tuck"])
    rounded = smoothstep(rounding / 0.8)
    values[:, _IS_MOUTH] *= ((1 - _ROUND_YIELD * rounded) * (1 - _TUCK_YIELD * tucked))[:, None]
    values[:, _PARTING_COLUMNS] *= (1 - 0.6 * rounding)[:, None]
    return values


def _accents(style: Emotion, habits: Speaker, level: float, stress: np.ndarray) -> np.ndarray:
    """The accents (T, 50) of brows, eyes and nose on stressed syllables."""
    values = np.zeros((len(stress), len(EXPRESSION_NAMES)))
    strength = habits.brows * (0.4 + 0.6 * level) * stress
    for name, weight in style.accent.items():
        _add(values, name, weight * strength)
    _add(values, "browOuterUpLeft", habits.raised_brow * strength)
    return values


def _habitual_smile(habits: Speaker, speaking: np.ndarray, rounding: np.ndarray) -> np.ndarray:
    """The speaker's own smile (T, 50) while speaking."""
    values = np.zeros((len(speaking), len(EXPRESSION_NAMES)))
    _add(values, "mouthSmile", habits.smile * speaking * (1 - 0.6 * rounding))
    return values


def _contacts(values: np.ndarray, jaw_angle: np.ndarray, sealed: np.ndarray, tucked: np.ndarray) -> np.ndarray:
    """The components with lips closed where `sealed` is 1, and the lower lip at the upper teeth where `tucked` is 1.

    Components that part the lips fade out. mouthClose compensates what is left of them, and the open jaw.
    """
    values = values.copy()
    yielding = 1 - np.maximum(0.95 * sealed, 0.92 * tucked)
    values[:, _PARTING_COLUMNS] *= yielding[:, None]
    values[:, _COLUMN["jawForward"]] *= (1 - np.maximum(0.3 * sealed, 0.7 * tucked))[:, None]  # else out of reach
    values[:, _COLUMN["mouthStretch"]] *= (1 - 0.3 * np.maximum(sealed, tucked))[:, None]
    values[:, _COLUMN["noseSneer"]] *= (1 - 0.25 * sealed)[:, None]
    closing = np.maximum(
        sealed * (jaw_angle / _CLOSE_ANGLE + (_parted_mm(values) + _PRESS_MM) / _CLOSE_MM),
        tucked * jaw_angle / _CLOSE_ANGLE,
    )
    _add(values, "mouthClose", closing)
    _add(values, "mouthPress", 0.22 * sealed)
    _add(values, "mouthRollLower", 0.12 * sealed + 0.72 * tucked * (1 - sealed))
    _add(values, "mouthRollUpper", 0.12 * sealed)
    values[:, _COLUMN["mouthFrown"]] *= (1 - 0.8 * tucked)[:, None]
    _add(values, "mouthShrugLower", 0.35 * tucked * (1 - sealed))
    _add(values, "mouthUpperUp", 0.40 * tucked * (1 - sealed))
    return values


def _parted_mm(values: np.ndarray, names: Iterable[str] = tuple(_PARTING_MM)) -> np.ndarray:
    """The lip opening (T,) in millimetres that components of values (T, 50) cause, without the jaw."""
    parted = np.zeros(len(values))
    for name in names:
        parted += _PARTING_MM[name] * values[:, _COLUMN[name]].max(axis=1)
    return parted


def _resting(channels: np.ndarray) -> np.ndarray:
    """The envelope (T,) of rest: 1 where all articulation channels (T, 7) are at rest, which only pauses are."""
    return 1 - smoothstep(np.abs(channels).sum(axis=1, dtype=np.float64) / 0.15)


def _gate(contact: np.ndarray) -> np.ndarray:
    """Smoothstep from 0 at 0.25 to 1 at 0.85: an almost complete contact counts as complete."""
    return smoothstep((contact - 0.25) / 0.60)


def _lopsided(values: np.ndarray, amount: float) -> np.ndarray:
    """The components with the left side stronger and the right side weaker by `amount` x 10 %."""
    return values * (1 + 0.1 * amount * (_LEFT.astype(float) - _RIGHT.astype(float)))


def _add(values: np.ndarray, name: str, weight: np.ndarray) -> None:
    """Add (T,) weight to a component, or to both sides of it."""
    for column in _COLUMN[name]:
        values[:, column] += weight
