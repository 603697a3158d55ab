"""Refinement of a take after inference: strengths, lips, smoothing and delay, applied to its raw motion.

Every parameter is a number, or one value per frame for a slider with keyframes. The defaults give the raw motion back
bit for bit. The steps, in their order:

1. Emotion Strength: from the neutral rendering through the emotional one, on a line, rotations on an arc.
2. Upper, Lower and Jaw Strength, Asymmetry.
3. Smoothing: a Gaussian kernel, symmetric in time, so that nothing is delayed.
4. Closures: where the raw motion closes the lips in speech (p, b, m), steps 2 and 3 may neither part nor cross them.
5. Lip Close Offset, F/V Contact and Lip Open Offset.
6. Prediction Delay.

`RefinementMaps` holds what the coefficients do to a head's mesh; `flame.refinement_maps` computes it once for a head.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from ..files.named_numbers import named_numbers
from ..motion import FaceMotion
from .raw_take import RawTake
from .rotation import (
    axis_angle_to_matrix,
    axis_angle_to_quaternion,
    continuous_quaternions,
    quaternion_to_axis_angle,
    slerp,
)

Value = float | np.ndarray

RANGES: dict[str, tuple[float, float]] = {
    "emotion_strength": (0.0, 2.0),
    "upper_strength": (0.0, 2.0),
    "lower_strength": (0.0, 2.0),
    "jaw_strength": (0.0, 2.0),
    "lip_close_offset": (-1.0, 1.0),
    "fv_contact": (-1.0, 1.0),
    "lip_open_offset": (-0.2, 0.2),
    "upper_smoothing": (0.0, 0.5),
    "lower_smoothing": (0.0, 0.5),
    "prediction_delay": (-1.0, 1.0),
    "asymmetry": (-1.0, 1.0),
}
"""Lowest and highest value of each parameter."""

CLOSE_MM, CONTACT_MM, OPEN_MM = 2.0, 2.0, 10.0
"""Millimetres of an offset of 1: lips closer at a closure, lower lip nearer the teeth on f and v, lips parted."""

_CLOSED_MM, _OPEN_MM = 0.8, 2.8  # gap beyond the gap at rest up to which lips are closed, and from which they are open
_SPOKEN_MM = (2.0, 4.0)  # a closure belongs to speech if the lips are this far open shortly before or after it
_SPOKEN_SECONDS = 0.4  # p, b and m last 0.05 to 0.15 s
# On f and v the lower lip is about where the lips meet at rest, at the upper teeth, and the upper lip is lifted. Each
# pair is the height or the gap at which the weight begins to change and at which it has changed. On 24 spoken lines of
# the open model in four emotions, 88 % of the frames of f and v had a weight above a half, and 1.5 % of the others.
_AT_TEETH_MM, _LIFTED_MM, _NOT_LIFTED_MM = (-2.5, -0.5), (0.8, 2.0), (5.0, 7.0)
_HIGHEST_MM = 2.0  # the lower lip is brought no higher than this on f and v
_PRESS_MM = 1.5  # lips are pressed no further than this beyond the gap at rest
_LIP_OFFSETS = ("lip_close_offset", "fv_contact", "lip_open_offset")
_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))  # full width at half maximum of a Gaussian, in standard deviations
_REACH = 3.5  # standard deviations at which the Gaussian is cut off


@dataclass(frozen=True, eq=False)
class Refinement:
    """How a take's motion is changed; each parameter is a number or (T,) values, one per frame of the raw motion.

    Attributes:
        emotion_strength: 0 is the neutral rendering, 1 the emotional one; without a neutral rendering it has no effect.
        upper_strength: factor of what moves brows, lids and forehead.
        lower_strength: factor of what moves mouth, cheeks and chin, the jaw's rotation included.
        jaw_strength: factor of the jaw's rotation, on top of `lower_strength`.
        lip_close_offset: above 0 presses the lips more where they close in speech, below 0 less; 1 is 2 mm.
        fv_contact: above 0 brings the lower lip nearer to the upper teeth on f and v, below 0 less near; 1 is 2 mm.
        lip_open_offset: above 0 parts the lips, but not where they close in speech; below 0 brings them together until
            they meet. 1 would be 10 mm.
        upper_smoothing: width at half height of the Gaussian that smooths the upper face, seconds.
        lower_smoothing: the same for the lower face and the jaw, seconds. Closures stay closed.
        prediction_delay: seconds by which the face moves later; below 0 earlier. The first and last pose are held.
        asymmetry: at 1 the character's left side moves 1.5 times and the right side 0.5 times as far; at -1 the other
            way round.
    """

    emotion_strength: Value = 1.0
    upper_strength: Value = 1.0
    lower_strength: Value = 1.0
    jaw_strength: Value = 1.0
    lip_close_offset: Value = 0.0
    fv_contact: Value = 0.0
    lip_open_offset: Value = 0.0
    upper_smoothing: Value = 0.0
    lower_smoothing: Value = 0.0
    prediction_delay: Value = 0.0
    asymmetry: Value = 0.0

    def changes(self, *names: str) -> bool:
        """Whether any of these parameters, or of all without names, differs from its default at any frame."""
        return any(np.any(np.asarray(getattr(self, name)) != _DEFAULTS[name]) for name in names or _DEFAULTS)

    @classmethod
    def parse(cls, text: str) -> Refinement:
        """The parameters in a text such as "emotion_strength=0.5, jaw_strength=1.2"; an empty text gives the defaults.

        Semicolons may separate them, too, and a value may have a decimal comma.

        Raises:
            InputError: if a parameter is unknown, named twice or out of its range, or its value is no number.
        """
        return cls(**named_numbers(text, RANGES, "refinement", "parameter"))

    def summary(self) -> dict[str, float]:
        """The parameters that differ from their defaults, for metadata; keyed ones by their mean."""
        return {name: float(np.mean(getattr(self, name))) for name in _DEFAULTS if self.changes(name)}

    def check(self, num_frames: int) -> None:
        """Raise ValueError if a parameter is not finite, or is neither a number nor (num_frames,)."""
        for name in _DEFAULTS:
            values = np.asarray(getattr(self, name), np.float64)
            if values.shape not in ((), (num_frames,)):
                raise ValueError(f"{name} must be a number or ({num_frames},) values, found {values.shape}")
            if not np.isfinite(values).all():
                raise ValueError(f"{name} holds values that are not finite numbers")


_DEFAULTS: dict[str, float] = {field.name: float(field.default) for field in fields(Refinement)}  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class LipMaps:
    """The middle of the mouth, as a function of coefficients and jaw, and the coefficients that move the lips.

    Points are in the face model's axes, in the head's own unit of length.

    Attributes:
        points: (P, 3) vertices at the middle of the lips at rest, the upper lip's first.
        num_upper: number of points on the upper lip.
        directions: (P, 3, E) displacement of the points by each component at 1.
        jaw_weights: (P,) skinning weight of the jaw.
        jaw_joint: (3,) the joint about which the jaw turns.
        closing: (E,) coefficients that bring the lips one millimetre nearer.
        opening: (E,) coefficients that part the lips by one millimetre.
        lower_up: (E,) coefficients that lift the lower lip by one millimetre.
        lower_down: (E,) coefficients that lower it by one millimetre.
        millimetre: length of a millimetre on a head of usual size, in the head's unit.
    """

    points: np.ndarray
    num_upper: int
    directions: np.ndarray
    jaw_weights: np.ndarray
    jaw_joint: np.ndarray
    closing: np.ndarray
    opening: np.ndarray
    lower_up: np.ndarray
    lower_down: np.ndarray
    millimetre: float

    def gap(self, expression: np.ndarray, jaw: np.ndarray) -> np.ndarray:
        """(T,) opening between the lips beyond that of the face at rest, mm; the measure is `flame.measure.lip_gap`."""
        upper, lower = self.heights(expression, jaw)
        return upper - lower

    def heights(self, expression: np.ndarray, jaw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(T,) heights of the upper lip's lowest and of the lower lip's highest point, above those at rest, mm.

        Pose correctives and the jaw joint's own motion are left out.

        Args:
            expression: (T, E) coefficients.
            jaw: (T, 3) axis-angle, radians.
        """
        num_frames, num_points = len(expression), len(self.points)
        moved = np.einsum("te,ce->tc", expression, self.directions.reshape(num_points * 3, -1))
        position = moved.reshape(num_frames, num_points, 3) + self.points
        turned_height = np.einsum("tc,tpc->tp", axis_angle_to_matrix(jaw)[:, 1], position - self.jaw_joint)
        height = position[..., 1]
        height = height + self.jaw_weights * (turned_height + self.jaw_joint[1] - height)
        upper, lower = height[:, : self.num_upper].min(1), height[:, self.num_upper :].max(1)
        at_rest = self.points[: self.num_upper, 1].min(), self.points[self.num_upper :, 1].max()
        return (upper - at_rest[0]) / self.millimetre, (lower - at_rest[1]) / self.millimetre


@dataclass(frozen=True, eq=False)
class RefinementMaps:
    """What the expression components of a head do to its mesh, as far as refinement needs it.

    A map is (E, E), for columns of coefficients, or (E,) for a diagonal one.

    Attributes:
        upper: the part of each component that moves the upper face; the rest of it moves the lower face.
        left: what the character's left side does more than the right side, from -1 to 1.
        lips: the lips, or None if they were not found.
    """

    upper: np.ndarray
    left: np.ndarray
    lips: LipMaps | None = None


def refine(raw: RawTake, refinement: Refinement, face: RefinementMaps) -> FaceMotion:
    """The motion of a take with its refinement; with the defaults it is `raw.emotional` itself.

    Args:
        raw: the take.
        refinement: the parameters.
        face: the maps of the take's expression components.

    Raises:
        ValueError: if a parameter is not finite, or its length or that of the neutral rendering is not that of the
            motion.
    """
    generated = raw.emotional
    refinement.check(generated.num_frames)
    if not refinement.changes():
        return generated
    motion = with_emotion_strength(raw, refinement.emotion_strength)
    expression, jaw = _scaled(motion, refinement, face)
    expression, jaw = _smoothed(expression, jaw, motion.fps, refinement, face)
    if face.lips is not None and _moves_lips(refinement):
        contacts = _spoken_contacts(generated, face.lips)
        for _ in range(2):  # lips that roll move less and less; the second step corrects the first
            expression = _with_closures_kept(expression, jaw, contacts, face.lips)
        expression = _with_lip_offsets(expression, jaw, contacts, refinement, face.lips)
    motion = replace(motion, expression=expression, jaw=jaw)
    if refinement.changes("prediction_delay"):
        delay_frames = np.asarray(refinement.prediction_delay, np.float64) * motion.fps
        motion = motion.sampled(np.arange(motion.num_frames) - delay_frames, motion.fps)
    return motion


def with_emotion_strength(raw: RawTake, strength: Value) -> FaceMotion:
    """The emotional motion with its difference from the neutral one scaled."""
    emotional, neutral = raw.emotional, raw.neutral
    if neutral is None or np.all(np.asarray(strength) == 1.0):
        return emotional
    if neutral.expression.shape != emotional.expression.shape:
        raise ValueError(
            f"the neutral rendering is {neutral.expression.shape}, the emotional one {emotional.expression.shape}"
        )
    weight = _per_frame(strength)
    expression = neutral.expression + weight * (emotional.expression - neutral.expression)
    start, end = axis_angle_to_quaternion(neutral.jaw), axis_angle_to_quaternion(emotional.jaw)
    jaw = quaternion_to_axis_angle(slerp(start, end, np.broadcast_to(np.asarray(strength), len(start))))
    return replace(emotional, expression=expression, jaw=jaw.astype(np.float32))


def _scaled(motion: FaceMotion, refinement: Refinement, face: RefinementMaps) -> tuple[np.ndarray, np.ndarray]:
    """Expression and jaw with the strengths of the regions and the asymmetry."""
    expression, jaw = motion.expression, motion.jaw
    upper, lower = _per_frame(refinement.upper_strength), _per_frame(refinement.lower_strength)
    if refinement.changes("upper_strength", "lower_strength"):
        expression = lower * expression + (upper - lower) * _apply(face.upper, expression)
    if refinement.changes("asymmetry"):
        expression = expression + 0.5 * _per_frame(refinement.asymmetry) * _apply(face.left, expression)
    if refinement.changes("lower_strength", "jaw_strength"):
        jaw = lower * _per_frame(refinement.jaw_strength) * jaw  # the axis stays: the rotation's angle is scaled
    return expression, jaw


def _smoothed(
    expression: np.ndarray, jaw: np.ndarray, fps: float, refinement: Refinement, face: RefinementMaps
) -> tuple[np.ndarray, np.ndarray]:
    """Expression and jaw, smoothed by region."""
    upper_frames, lower_frames = (
        np.asarray(seconds, np.float64) * fps for seconds in (refinement.upper_smoothing, refinement.lower_smoothing)
    )
    if np.array_equal(upper_frames, lower_frames):
        expression = smooth(expression, upper_frames)
    elif upper_frames.any() or lower_frames.any():
        upper = _apply(face.upper, expression)
        expression = smooth(upper, upper_frames) + smooth(expression - upper, lower_frames)
    if lower_frames.any():
        quaternions = smooth(continuous_quaternions(axis_angle_to_quaternion(jaw)), lower_frames)
        jaw = quaternion_to_axis_angle(quaternions).astype(np.float32)
    return expression, jaw


def smooth(values: np.ndarray, width_frames: Value) -> np.ndarray:
    """Values (T, C) averaged over time with a Gaussian; a straight line, the first and the last value stay.

    The kernel is symmetric, so that nothing is delayed. Beyond the ends the values continue point-symmetrically.

    Args:
        values: (T, C) values.
        width_frames: full width at half maximum in frames, one number or (T,); 0 leaves a frame as it is.
    """
    sigma = np.atleast_1d(np.asarray(width_frames, np.float64)) / _FWHM
    reach = int(np.ceil(_REACH * sigma.max(initial=0.0)))
    num_frames = len(values)
    if not reach or num_frames < 2:
        return values
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    offsets = np.arange(1, reach + 1)
    with np.errstate(divide="ignore"):
        kernel = np.exp(-0.5 * (offsets / sigma[:, None]) ** 2)  # (1 or T, reach); a width of 0 gives zeros
    total = 1.0 + 2.0 * kernel.sum(1, keepdims=True)
    kernel = (kernel / total).astype(values.dtype)
    result = (1.0 / total).astype(values.dtype) * values
    for offset in offsets:
        before = padded[reach - offset : reach - offset + num_frames]
        after = padded[reach + offset : reach + offset + num_frames]
        result += kernel[:, offset - 1 : offset] * (before + after)
    return result


def _moves_lips(refinement: Refinement) -> bool:
    """Whether a step after the emotion strength can part or close the lips."""
    return refinement.changes("lower_strength", "jaw_strength", "asymmetry", "lower_smoothing", *_LIP_OFFSETS)


@dataclass(frozen=True, eq=False)
class _Contacts:
    """Where the generated motion has contacts of speech.

    Attributes:
        gap: (T,) its opening of the lips beyond that at rest, mm.
        closure: (T,) how far a frame belongs to a closure (p, b, m), 0 to 1.
        at_teeth: (T,) how far the lower lip is at the upper teeth (f, v), 0 to 1.
    """

    gap: np.ndarray
    closure: np.ndarray
    at_teeth: np.ndarray


def _spoken_contacts(generated: FaceMotion, lips: LipMaps) -> _Contacts:
    """The contacts of lips and teeth; a contact belongs to speech if the lips are open shortly before or after it."""
    upper, lower = lips.heights(generated.expression, generated.jaw)
    gap = upper - lower
    reach = max(1, round(_SPOKEN_SECONDS * generated.fps))
    padded = np.pad(gap, reach, mode="edge")
    nearness = np.cos(np.linspace(-0.5, 0.5, 2 * reach + 3)[1:-1] * np.pi) ** 2  # else a contact would begin at a jerk
    widest = (np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1) * nearness).max(1)
    spoken = _rise(widest, *_SPOKEN_MM)
    at_teeth = _rise(lower, *_AT_TEETH_MM) * _rise(gap, *_LIFTED_MM) * (1.0 - _rise(gap, *_NOT_LIFTED_MM))
    return _Contacts(gap, spoken * (1.0 - _rise(gap, _CLOSED_MM, _OPEN_MM)), spoken * at_teeth)


def _with_closures_kept(expression: np.ndarray, jaw: np.ndarray, contacts: _Contacts, lips: LipMaps) -> np.ndarray:
    """The expression with the lips neither parted nor crossed where the generated motion closes them in speech."""
    gap = lips.gap(expression, jaw)
    parted = np.maximum(gap - np.maximum(contacts.gap, 0.0), 0.0) * contacts.closure
    crossed = np.maximum(np.minimum(contacts.gap, 0.0) - gap, 0.0) * contacts.closure
    return _moved(expression, (parted, lips.closing), (crossed, lips.opening))


def _with_lip_offsets(
    expression: np.ndarray, jaw: np.ndarray, contacts: _Contacts, refinement: Refinement, lips: LipMaps
) -> np.ndarray:
    """The expression with the offsets of the lips."""
    if not refinement.changes(*_LIP_OFFSETS):
        return expression
    upper, lower = lips.heights(expression, jaw)
    gap = upper - lower
    press = CLOSE_MM * np.asarray(refinement.lip_close_offset)
    lift = CONTACT_MM * np.asarray(refinement.fv_contact)
    part = OPEN_MM * np.asarray(refinement.lip_open_offset)
    closing = np.clip(gap + _PRESS_MM, 0.0, np.maximum(press, 0.0)) * contacts.closure
    closing = closing + np.clip(gap, 0.0, np.maximum(-part, 0.0))
    opening = np.maximum(-press, 0.0) * contacts.closure + np.maximum(part, 0.0) * (1.0 - contacts.closure)
    lifting = np.clip(_HIGHEST_MM - lower, 0.0, np.maximum(lift, 0.0)) * contacts.at_teeth
    lowering = np.maximum(-lift, 0.0) * contacts.at_teeth
    return _moved(
        expression,
        (closing, lips.closing),
        (opening, lips.opening),
        (lifting, lips.lower_up),
        (lowering, lips.lower_down),
    )


def _moved(expression: np.ndarray, *moves: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The expression (T, E) with movements of the lips added, each (T,) millimetres of (E,) coefficients."""
    for millimetres, coefficients in moves:
        if millimetres.any():
            expression = expression + (millimetres[:, None] * coefficients).astype(expression.dtype)
    return expression


def _apply(mapping: np.ndarray, expression: np.ndarray) -> np.ndarray:
    """A map of `RefinementMaps` applied to (T, E) coefficients."""
    if mapping.ndim == 1:
        return expression * mapping
    # Official Blender builds have a numpy without BLAS, whose matrix product is many times slower than einsum.
    return np.einsum("te,fe->tf", expression, mapping)


def _per_frame(value: Value) -> np.ndarray:
    """A parameter as (1, 1) or (T, 1) float32."""
    return np.asarray(value, np.float32).reshape(-1, 1)


def _rise(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Smooth weights: 0 up to `start`, 1 from `end` on."""
    part = np.clip((values - start) / (end - start), 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)
