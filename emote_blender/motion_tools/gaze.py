"""Gaze: where the eyes look, as saccades and fixations, and how the two eyes turn towards a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .prosody import Phrasing
from .rotation import axis_angle_to_matrix

# S. Lee, J. Badler and N. Badler, Eyes Alive, SIGGRAPH 2002: a person who talks looks at the listener for 3.1 s and
# away for 0.9 s on average, one who listens 7.9 s and 0.4 s. Sizes of saccades are exponential with a mean of 6.9
# degrees, at most 27.5. A saccade takes 25 ms and 2.4 ms per degree (the main sequence: A. Bahill et al., Mathematical
# Biosciences 24, 1975). The odds are those of directions in steps of 45 degrees: left, left and up, up, ...
TALKING_SECONDS = 3.1, 0.93
LISTENING_SECONDS = 7.9, 0.43
AMPLITUDE_DEGREES, LARGEST_DEGREES = 6.9, 27.5
SACCADE_SECONDS, SACCADE_SECONDS_PER_DEGREE = 0.025, 0.0024
_DIRECTION_ODDS = np.array([15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79])

# While looking at a face, the eyes go between its eyes and mouth, 2 to 3 degrees apart at a metre.
_FACE_DEGREES = 1.4  # standard deviation around the face's middle
_FACE_SECONDS = 0.8  # mean of a fixation on a part of the face
_DRIFT_DEGREES = 0.12  # standard deviation of drift and microsaccades within a fixation (Cherici et al., JOV 12, 2012)
_SHORTEST_FIXATION = 0.15

# Speakers look away as they begin to speak, and back as they end (A. Kendon, Acta Psychologica 26, 1967).
_PHRASE_REACH = 1.0  # seconds that a look away or back may move

# Rotation of the eyeballs, degrees: sideways, down, up, those of ARKit's shapes in the open head.
LIMITS_DEGREES = 28.0, 24.0, 22.0
_SOFT = 0.75  # of a limit from which on angles are compressed


@dataclass(frozen=True, eq=False)
class EyePlaces:
    """Places in the head at rest, in the face model's axes: y up, z forward, x to the character's left.

    Heads may have any size: distances are compared with that between the eyes.

    Attributes:
        eyes: (2, 3) middle of the left and of the right eyeball.
        neck: (3,) joint about which the neck turns.
    """

    eyes: np.ndarray
    neck: np.ndarray

    @property
    def middle(self) -> np.ndarray:
        """(3,) the point between the eyes."""
        return self.eyes.mean(axis=0)

    @property
    def scale(self) -> float:
        """Size of the head, in human heads."""
        return max(float(np.linalg.norm(self.eyes[0] - self.eyes[1])), 1e-9) / _HUMAN_EYES


_HUMAN_EYES = 0.063  # metres between a person's eyes
HUMAN = EyePlaces(np.array([[0.0315, 0.0, 0.0], [-0.0315, 0.0, 0.0]]), np.array([0.0, -0.11, -0.08]))
LISTENER_METRES = 1.2  # distance of a listener that the eyes converge on if they have no target


@dataclass(frozen=True, eq=False)
class Fixations:
    """Fixations, in order: offsets from what the head looks at.

    Attributes:
        times: (N,) beginning of the saccade that leads to each fixation, seconds; the first is at the start.
        offsets: (N, 2) degrees to the character's left, and up.
        seed: of the drift within fixations.
    """

    times: np.ndarray
    offsets: np.ndarray
    seed: int

    @property
    def amplitudes(self) -> np.ndarray:
        """(N - 1,) size of each saccade, degrees."""
        return np.linalg.norm(np.diff(self.offsets, axis=0), axis=1)

    def offsets_at(self, seconds: np.ndarray) -> np.ndarray:
        """(T, 2) offset at the times (T,), degrees to the left and up."""
        shown = np.repeat(self.offsets[:1], len(seconds), axis=0)
        if len(self.times) > 1:
            # Two saccades never overlap, so each time lies in the last saccade begun or in the fixation after it.
            number = np.clip(np.searchsorted(self.times, seconds, side="right") - 1, 0, None)
            duration = SACCADE_SECONDS + SACCADE_SECONDS_PER_DEGREE * np.concatenate([[0.0], self.amplitudes])
            part = np.clip((seconds - self.times[number]) / duration[number], 0.0, 1.0)
            moved = part**2 * (3 - 2 * part)  # its peak velocity is that of saccades, 1.5 times the mean
            before = self.offsets[np.maximum(number - 1, 0)]
            shown = before + (self.offsets[number] - before) * moved[:, None]
        return shown + _drift(seconds, self.seed)


def plan_gaze(start: float, end: float, phrasing: Phrasing, seed: int = 0) -> Fixations:
    """Fixations between two times, seconds: on the listener's face, and away. The same for the same arguments."""
    random = np.random.default_rng([seed, 2])
    times, offsets = [start], [np.zeros(2)]
    clock = start
    while clock < end:
        spoken = phrasing.speech_at(np.array([clock]))[0] > 0.5
        look_seconds, away_seconds = TALKING_SECONDS if spoken else LISTENING_SECONDS
        leave = _moved_to(clock + _duration(look_seconds, random), phrasing.phrase_starts, clock)
        while True:
            clock += _duration(_FACE_SECONDS, random)
            if clock >= leave - _SHORTEST_FIXATION:
                break
            times.append(clock)
            offsets.append(_FACE_DEGREES * random.standard_normal(2))
        clock = leave
        back = _moved_to(clock + _duration(away_seconds, random), phrasing.phrase_ends, clock)
        size = min(random.exponential(AMPLITUDE_DEGREES), LARGEST_DEGREES)
        angle = random.choice(8, p=_DIRECTION_ODDS / _DIRECTION_ODDS.sum()) * np.pi / 4
        times.append(clock)
        offsets.append(offsets[-1] + size * np.array([np.cos(angle), np.sin(angle)]))
        clock = back
        times.append(clock)
        offsets.append(_FACE_DEGREES * random.standard_normal(2))
    inside = np.array(times) < max(end, start + 1e-9)
    return Fixations(np.array(times)[inside], np.array(offsets)[inside], seed)


def eye_rotations(
    offsets: np.ndarray,
    neck: np.ndarray,
    target: np.ndarray | None = None,
    weight: np.ndarray | float = 1.0,
    places: EyePlaces = HUMAN,
) -> np.ndarray:
    """(T, 6) rotation of the left and of the right eye as axis-angle, radians, in the head's frame.

    Both eyes converge on one point, and turn against the neck's rotation, as the vestibulo-ocular reflex makes them.
    Neither turns about its line of sight (Listing's law). Beyond three quarters of the range, angles are compressed.

    Args:
        offsets: (T, 2) degrees by which the eyes look past the point, to the left and up.
        neck: (T, 3) rotation of the neck as axis-angle, radians.
        target: (T, 3) the point, in the frame of the unturned neck and the unit of `places`; None for a listener
            straight ahead.
        weight: (T,) or a number: 0 looks at the listener straight ahead, 1 at the target.
        places: of the eyes and the neck.
    """
    num_frames = len(offsets)
    ahead = places.middle + np.array([0.0, 0.0, LISTENER_METRES * places.scale])
    point = np.repeat(ahead[None], num_frames, axis=0)
    if target is not None:
        share = np.broadcast_to(np.asarray(weight, np.float64), (num_frames,))[:, None]
        point = _between_directions(point, np.asarray(target, np.float64), share, places)
    unturn = np.swapaxes(axis_angle_to_matrix(np.asarray(neck, np.float64)), 1, 2)
    point = np.einsum("tij,tj->ti", unturn, point - places.neck) + places.neck
    rotations = []
    for eye in places.eyes:
        angles = _angles(point - eye) + offsets
        rotations.append(_axis_angle(_within_limits(angles)))
    return np.concatenate(rotations, axis=1)


def looking_down(eyes: np.ndarray) -> np.ndarray:
    """(T, 2) how far the left and the right eye look down, radians; below zero up."""
    return np.asarray(eyes, np.float64)[:, [0, 3]]


def _between_directions(start: np.ndarray, end: np.ndarray, share: np.ndarray, places: EyePlaces) -> np.ndarray:
    """Points (T, 3) on the way from one to the other as the eyes see them: directions and distances are blended."""
    middle, nearest = places.middle, 0.05 * places.scale
    angles = _angles(start - middle) * (1 - share) + _angles(end - middle) * share
    reach = [np.maximum(np.linalg.norm(point - middle, axis=1, keepdims=True), nearest) for point in (start, end)]
    # Convergence follows the inverse of the distance.
    distance = 1 / ((1 - share) / reach[0] + share / reach[1])
    yaw, pitch = np.radians(angles).T
    direction = np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=1)
    return middle + distance * direction


def _angles(direction: np.ndarray) -> np.ndarray:
    """(T, 2) degrees of directions (T, 3) to the left and up."""
    x, y, z = direction.T
    return np.degrees(np.stack([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))], axis=1))


def _within_limits(angles: np.ndarray) -> np.ndarray:
    """Angles (T, 2) compressed into what eyeballs do."""
    sideways, down, up = LIMITS_DEGREES
    left, height = angles.T
    return np.stack([_compressed(left, sideways), _compressed(height, np.where(height < 0, down, up))], axis=1)


def _compressed(angle: np.ndarray, limit: np.ndarray | float) -> np.ndarray:
    """The angle, which approaches `limit` instead of crossing it."""
    knee = _SOFT * limit
    room = limit - knee
    over = np.maximum(np.abs(angle) - knee, 0.0)
    return np.where(over > 0, np.sign(angle) * (knee + room * (1 - np.exp(-over / room))), angle)


def _axis_angle(angles: np.ndarray) -> np.ndarray:
    """(T, 3) the rotation without twist that turns +z to the direction of the angles (T, 2), degrees."""
    yaw, pitch = np.radians(angles).T
    x, y, z = np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)
    sine = np.hypot(x, y)
    scale = np.divide(np.arctan2(sine, z), sine, out=np.ones_like(sine), where=sine > 1e-12)
    return np.stack([-y * scale, x * scale, np.zeros_like(x)], axis=1)


def _duration(mean: float, random: np.random.Generator) -> float:
    """A time of this mean, seconds: gamma with a standard deviation of 0.7 of the mean, no shorter than a fixation."""
    return max(_SHORTEST_FIXATION, mean * float(random.gamma(2.0, 0.5)))


def _moved_to(time: float, moments: np.ndarray, earliest: float) -> float:
    """The time, or the nearest of the moments if it is near enough and after `earliest`."""
    later = moments[moments >= earliest + _SHORTEST_FIXATION]
    if not len(later):
        return time
    nearest = float(later[np.argmin(np.abs(later - time))])
    return nearest if abs(nearest - time) < _PHRASE_REACH else time


def _drift(seconds: np.ndarray, seed: int) -> np.ndarray:
    """(T, 2) slow movement within fixations, degrees."""
    random = np.random.default_rng([seed, 3])
    frequencies = np.array([0.31, 0.73, 1.3, 2.1])
    weights = 1 / np.sqrt(frequencies)
    weights *= _DRIFT_DEGREES * np.sqrt(2) / np.linalg.norm(weights)
    phases = random.uniform(0, 2 * np.pi, (4, 2))
    waves = np.sin(2 * np.pi * frequencies[None, :, None] * seconds[:, None, None] + phases)
    return np.einsum("tfa,f->ta", waves, weights)
