"""Articulation + loudness + emotion → what the open head's components do, frame by frame.

The open model's targets are made here, so the quality of its acting is the quality of this file. Everything follows
from what can be heard and from the condition (emotion, intensity, speaker): blinks, gaze, tremor and drift, which no
audio predicts, are left to refinement after inference.

The order of work: speech moves jaw and lips; the emotion adds a posture that follows the phrases and yields where the
lips are needed for rounding; stressed syllables move the brows; contacts come last and win over everything, because
a p, b or m with open lips is the first thing a viewer sees. Poses follow the facial action units of Ekman & Friesen's
FACS, tuned by looking at the open head.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ....audio import FRAME_SAMPLES
from .articulation import CHANNELS
from .liveliness import UPPER_FACE, Variation, later, phrase_onsets, swelling

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
"""The open head's 50 components in its order (a test compares them with models/open_head)."""

LEVELS = (0.45, 0.72, 1.00)  # how much of a pose the intensities 0, 1, 2 show

JAW_RANGE = 0.31  # radians at jaw channel 1, before amplitude
_MAX_JAW = 0.33
_CLOSE_ANGLE = 0.25  # radians of jaw that mouthClose = 1 undoes on the open head
_CLOSE_MM = 19.4  # lip opening that mouthClose = 1 undoes
_PARTING_MM = {"mouthLowerDown": 8.0, "mouthUpperUp": 7.0, "noseSneer": 3.0, "mouthFunnel": 10.0, "mouthStretch": 1.0}
"""Lip opening in millimetres per unit of a component (both sides where it has two), measured on the open head; for the
stretch, which opens the lips near the corners only, what mouthClose must undo there."""
_PRESS_MM = 1.0  # lips press together by this much, so that a slightly weak prediction still closes them


@dataclass(frozen=True)
class Emotion:
    """How one emotion looks at full level. Names without Left or Right mean both sides.

    Attributes:
        held: posture in speech and in pauses.
        speaking: posture added while speaking.
        pausing: posture added in pauses.
        accent: added on stressed syllables.
        jaw_pausing: radians of jaw added in pauses.
        jaw_speaking: radians of jaw added while speaking.
        mouth: amplitude of articulation, 1 is plain speech.
    """

    held: Mapping[str, float] = field(default_factory=dict)
    speaking: Mapping[str, float] = field(default_factory=dict)
    pausing: Mapping[str, float] = field(default_factory=dict)
    accent: Mapping[str, float] = field(default_factory=dict)
    jaw_pausing: float = 0.0
    jaw_speaking: float = 0.0
    mouth: float = 1.0


@dataclass(frozen=True)
class Speaker:
    """Habits of one speaker.

    Attributes:
        mouth: amplitude of articulation.
        feeling: strength of emotions.
        brows: strength of brow accents.
        smile: smile carried along while speaking without emotion.
        lopsided: the left side's surplus over the right, -1..1 (as a share of 20 %).
        raised_brow: extra lift of the left outer brow on accents.
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
        pausing={"mouthUpperUp": 0.25, "mouthLowerDown": 0.15},
        accent={"browInnerUp": 0.35, "browOuterUp": 0.35},
        jaw_pausing=0.04,
        mouth=1.10,
    ),
    "sad": Emotion(
        held={"browInnerUp": 1.45, "browDown": 0.45, "mouthFrown": 1.25, "eyeBlink": 0.16, "eyeLookDown": 0.28},
        speaking={"mouthShrugLower": 0.20},
        pausing={"mouthShrugLower": 0.50},
        accent={"browInnerUp": 0.15},
        mouth=0.70,
    ),
    "surprise": Emotion(
        held={"browInnerUp": 1.15, "browOuterUp": 1.15, "eyeWide": 1.0},
        pausing={"mouthFunnel": 0.25},
        accent={"browInnerUp": 0.20, "browOuterUp": 0.20, "eyeWide": 0.10},
        jaw_pausing=0.18,
        jaw_speaking=0.05,
        mouth=1.25,
    ),
    "fear": Emotion(
        held={"browInnerUp": 1.50, "browDown": 0.75, "eyeWide": 1.1, "mouthStretch": 0.95, "mouthFrown": 0.40},
        speaking={"mouthLowerDown": 0.16},
        pausing={"mouthLowerDown": 0.38, "mouthUpperUp": 0.08},
        accent={"eyeWide": 0.15, "mouthStretch": 0.10},
        jaw_pausing=0.06,
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
            "mouthUpperUp": 0.45,
        },
        speaking={"mouthShrugLower": 0.15, "mouthLowerDown": 0.10},
        pausing={"mouthShrugLower": 0.40},
        accent={"noseSneer": 0.20, "browDown": 0.15},
        mouth=0.90,
    ),
    "anger": Emotion(
        held={"browDown": 1.30, "eyeWide": 0.45, "noseSneer": 0.45, "mouthFrown": 0.65, "jawForward": 0.50},
        speaking={"mouthLowerDown": 0.34, "mouthStretch": 0.20},
        pausing={"mouthPress": 0.80, "mouthShrugLower": 0.40},
        accent={"browDown": 0.20, "noseSneer": 0.30, "eyeWide": 0.15},
        mouth=1.20,
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
        mouth=0.85,
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
    """Loudness of each frame relative to the loud parts of the clip.

    Args:
        samples: (N,) waveform at 16 kHz, -1..1.
        num_frames: frames wanted; time after the samples is silent.

    Returns:
        (num_frames,) float32, 0 at 35 dB below the clip's loud parts and in digital silence, 1 at their level.
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
    variation: Variation | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Expression components and jaw rotation of an utterance spoken with an emotion.

    Args:
        articulation: (T, 7) channels of `articulation.tracks`.
        loudness: (T,) of `loudness`.
        emotion: a key of `EMOTIONS`; neutral looks the same at every intensity.
        intensity: 0 (mild) to 2 (high), continuous.
        speaker: a key of `SPEAKERS`.
        variation: how this utterance differs; the emotion's plain style without one.

    Returns:
        expression (T, 50) float32 in the order of `EXPRESSION_NAMES`, and jaw (T, 3) float32 axis-angle in radians.

    Raises:
        KeyError: unknown emotion or speaker.
        ValueError: intensity outside 0..2 or lengths that differ.
    """
    if not 0 <= intensity <= 2:
        raise ValueError(f"intensity {intensity} is outside 0..2")
    if articulation.shape != (len(loudness), len(CHANNELS)):
        raise ValueError(f"articulation {articulation.shape} does not fit loudness {loudness.shape}")
    style, habits = EMOTIONS[emotion], SPEAKERS[speaker]
    if emotion == "neutral":
        intensity = 1.0  # only its brow accents would change
    if variation is not None:
        style, habits = _varied(style, habits, variation)
    level = float(np.interp(intensity, (0, 1, 2), LEVELS)) * habits.feeling
    channels = dict(zip(CHANNELS, articulation.T.astype(np.float64), strict=True))
    loud = np.asarray(loudness, np.float64)
    speaking = _smooth(np.clip((loud - 0.25) / 0.25, 0, 1), 5)
    stress = np.clip(5 * (_smooth(loud, 1.5) - _smooth(loud, 10)), 0, 1)
    if variation is not None:
        onsets = _smooth(phrase_onsets(_smooth(np.clip((loud - 0.25) / 0.25, 0, 1), 2)), 1.2)
        stress = _spoken_stress(stress, loud, speaking, variation.swell)
        drive = later(np.clip(stress + 2 * variation.swell * onsets, 0, 1.2), variation.accent_seconds)
    else:
        drive = stress

    amplitude = habits.mouth * (1 + (style.mouth - 1) * level) * (0.88 + 0.20 * _smooth(loud, 2))
    values, jaw_angle = _speech(channels, amplitude)
    dropped = style.jaw_pausing * (1 - speaking) + style.jaw_speaking * speaking
    jaw_angle += level * dropped * (1 - np.maximum(0.7 * channels["round"], 0.7 * channels["teeth"]))
    feeling = _feeling(style, level, speaking, channels["round"])
    if variation is not None:
        feeling[:, _IS_UPPER] *= swelling(variation.swell, stress, speaking, onsets)[:, None]
        values += _cheeks(style, level, variation.cheeks, stress, channels)
    values += feeling
    values += _accents(style, habits, level, drive)
    values += _habitual_smile(habits, speaking, channels["round"])
    values = _lopsided(values, habits.lopsided)
    values[:, _COLUMN["mouthSmile"]] *= 1 - 0.7 * np.clip(
        values[:, _COLUMN["mouthFrown"]], 0, 1
    )  # no smiling 'ee' in a sad face
    jaw_angle = np.clip(jaw_angle, 0, _MAX_JAW)
    sealed, tucked = _gate(channels["close"]), _gate(channels["tuck"])
    jaw_angle *= 1 - np.maximum(0.35 * sealed, 0.2 * tucked)  # the jaw helps, so that the lips need not travel alone
    values = _contacts(values, jaw_angle, sealed, tucked)

    jaw = np.zeros((len(loud), 3))
    jaw[:, 0] = jaw_angle
    return np.clip(values, 0, 1.5).astype(np.float32), jaw.astype(np.float32)


def faces(
    articulation: np.ndarray,
    loudness: np.ndarray,
    conditions: Sequence[tuple[str, float, str]],
    variation: Variation | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The same utterance under several conditions: ground truth for telling emotion and content apart.

    Args:
        conditions: C of (emotion, intensity, speaker); the rest as in `face`.

    Returns:
        expression (C, T, 50) and jaw (C, T, 3).
    """
    made = [face(articulation, loudness, *condition, variation) for condition in conditions]
    return np.stack([expression for expression, _ in made]), np.stack([jaw for _, jaw in made])


def _varied(style: Emotion, habits: Speaker, variation: Variation) -> tuple[Emotion, Speaker]:
    """Style and habits as an utterance shows them."""
    shown = replace(
        style,
        held=variation.pose(style.held),
        speaking=variation.pose(style.speaking),
        pausing=variation.pose(style.pausing),
        accent=variation.pose(style.accent),
    )
    return shown, replace(
        habits,
        mouth=habits.mouth * variation.mouth,
        feeling=habits.feeling * variation.feeling,
        brows=habits.brows * variation.accents,
        lopsided=habits.lopsided + variation.lopsided,
    )


def _spoken_stress(stress: np.ndarray, loud: np.ndarray, speaking: np.ndarray, swell: float) -> np.ndarray:
    """(T,) stress in comparison with the speech around, not with the silence: a phrase's last syllable is not stressed
    because a pause follows. Fades in with `swell`, so that none changes nothing."""
    heard = np.clip((loud - 0.25) / 0.25, 0, 1)
    around = _smooth(loud * heard, 10) / np.maximum(_smooth(heard, 10), 0.05)
    compared = speaking * np.clip(8 * (_smooth(loud, 1.5) - around), 0, 1)
    share = min(1.0, swell / 0.15)
    return (1 - share) * stress + share * compared


def _cheeks(
    style: Emotion, level: float, amount: float, stress: np.ndarray, channels: dict[str, np.ndarray]
) -> np.ndarray:
    """(T, 50) cheeks that rise with spread lips, and with stress where the emotion smiles or squints."""
    values = np.zeros((len(stress), len(EXPRESSION_NAMES)))
    smiling = level * max(style.held.get("cheekSquint", 0.0), style.held.get("cheekSquintLeft", 0.0))
    spread = _smooth(np.clip(channels["width"], 0, 1), 1.0)
    _add(values, "cheekSquint", amount * (0.7 * spread + 0.6 * smiling * (_smooth(stress, 1.0) - 0.3)))
    return values


def _speech(channels: dict[str, np.ndarray], amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 50) components and (T,) jaw angle of plain articulation, without contacts."""
    jaw, rounding, teeth = channels["jaw"], channels["round"], channels["teeth"]
    spread = np.clip(channels["width"], 0, 1) * (1 - 0.5 * channels["close"])
    values = np.zeros((len(jaw), len(EXPRESSION_NAMES)))
    jaw_angle = JAW_RANGE * jaw * (1 + (amplitude - 1) * (1 - 0.6 * rounding))  # a louder "oo" is no wider
    unrounded = 1 - 0.8 * rounding
    _add(values, "mouthPucker", 1.12 * rounding * (1 - 0.6 * jaw))
    _add(values, "mouthFunnel", rounding * (0.08 + 0.70 * jaw + 0.55 * teeth))
    _add(values, "mouthStretch", 0.36 * spread * amplitude)
    _add(values, "mouthSmile", 0.13 * spread * amplitude)
    _add(values, "mouthLowerDown", (0.42 * teeth + 0.20 * jaw) * unrounded * amplitude)
    _add(values, "mouthUpperUp", (0.28 * teeth + 0.15 * jaw) * unrounded * amplitude)
    _add(values, "tongueUp", channels["tongue"] * np.clip(jaw_angle / 0.12, 0, 1))
    return values, jaw_angle


def _feeling(style: Emotion, level: float, speaking: np.ndarray, rounding: np.ndarray) -> np.ndarray:
    """(T, 50) emotional posture: a little stronger while speaking, yielding the lips to rounding."""
    values = np.zeros((len(speaking), len(EXPRESSION_NAMES)))
    for pose, envelope in (
        (style.held, 0.80 + 0.20 * speaking),
        (style.speaking, speaking),
        (style.pausing, 1 - speaking),
    ):
        for name, weight in pose.items():
            _add(values, name, weight * level * envelope)
    values[:, _IS_MOUTH] *= (1 - 0.6 * rounding)[:, None]
    values[:, _PARTING_COLUMNS] *= (1 - 0.6 * rounding)[:, None]
    return values


def _accents(style: Emotion, habits: Speaker, level: float, stress: np.ndarray) -> np.ndarray:
    """(T, 50) movements of brows, eyes and nose on stressed syllables."""
    values = np.zeros((len(stress), len(EXPRESSION_NAMES)))
    strength = habits.brows * (0.4 + 0.6 * level) * stress
    for name, weight in style.accent.items():
        _add(values, name, weight * strength)
    _add(values, "browOuterUpLeft", habits.raised_brow * strength)
    return values


def _habitual_smile(habits: Speaker, speaking: np.ndarray, rounding: np.ndarray) -> np.ndarray:
    """(T, 50) the speaker's own smile in speech."""
    values = np.zeros((len(speaking), len(EXPRESSION_NAMES)))
    _add(values, "mouthSmile", habits.smile * speaking * (1 - 0.6 * rounding))
    return values


def _contacts(values: np.ndarray, jaw_angle: np.ndarray, sealed: np.ndarray, tucked: np.ndarray) -> np.ndarray:
    """Components with lips closed where `sealed` is 1 and the lower lip at the upper teeth where `tucked` is 1.

    What parts the lips fades out; what is left of it, and of the jaw, is undone by mouthClose.
    """
    values = values.copy()
    yielding = 1 - np.maximum(0.95 * sealed, 0.92 * tucked)
    values[:, _PARTING_COLUMNS] *= yielding[:, None]
    values[:, _COLUMN["jawForward"]] *= (1 - np.maximum(0.3 * sealed, 0.7 * tucked))[:, None]  # the lip could not reach
    values[:, _COLUMN["mouthStretch"]] *= (1 - 0.3 * np.maximum(sealed, tucked))[:, None]
    values[:, _COLUMN["noseSneer"]] *= (1 - 0.25 * sealed)[:, None]
    parted_mm = sum(mm * values[:, _COLUMN[name]].max(axis=1) for name, mm in _PARTING_MM.items())
    closing = np.maximum(
        sealed * (jaw_angle / _CLOSE_ANGLE + (parted_mm + _PRESS_MM) / _CLOSE_MM),
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


def _gate(contact: np.ndarray) -> np.ndarray:
    """0..1, full from 0.85 on: a contact that is nearly made counts as made."""
    x = np.clip((contact - 0.25) / 0.60, 0, 1)
    return x * x * (3 - 2 * x)


def _lopsided(values: np.ndarray, amount: float) -> np.ndarray:
    """Components with the left side's stronger by `amount` x 10 % and the right side's weaker."""
    return values * (1 + 0.1 * amount * (_LEFT.astype(float) - _RIGHT.astype(float)))


def _add(values: np.ndarray, name: str, weight: np.ndarray) -> None:
    """Add (T,) weight to a component, or to both sides of it."""
    for column in _COLUMN[name]:
        values[:, column] += weight


def _smooth(track: np.ndarray, sigma_frames: float) -> np.ndarray:
    """Gaussian smoothing, edges held."""
    reach = int(np.ceil(3 * sigma_frames))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_frames) ** 2)
    return np.convolve(np.pad(track, reach, mode="edge"), kernel / kernel.sum(), "valid")
