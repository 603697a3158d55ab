"""Seven articulation channels at 25 fps from timed phones: the movement of the mouth, without emotion.

Every phone has a target and a dominance for each channel. A channel is the mean of the targets weighted by dominance,
which decays exponentially outside the phone (Cohen & Massaro, "Modeling coarticulation in synthetic visual speech",
1993). Contacts (lip to lip, lip to teeth) are not averaged: they are envelopes that reach 1 on every p, b, m and f, v,
and close the jaw while they last.

Frame k of a motion is on screen during [k/25, (k+1)/25) seconds and has the pose of the middle, (k + 0.5)/25 seconds.
Lips move before the sound does, so the articulation runs `LEAD_SECONDS` ahead of the audio.
"""

import numpy as np

from ....motion_tools.timing import MOTION_FPS
from .. import phones as phone_classes

CHANNELS: tuple[str, ...] = ("jaw", "width", "round", "close", "tuck", "teeth", "tongue")
"""The channels, each 0 to 1, but `width` -1 to 1 and `tongue` 0 to 2.

jaw: opening. width: mouth corners apart (+) or together (-). round: lips pushed forward. close: lips pressed together.
tuck: lower lip at the upper teeth. teeth: lips parted so that the teeth show. tongue: tip raised to the
upper gums (1), or put out between the teeth (2).
"""

LEAD_SECONDS = 0.020
_RATE = 100  # Hz, rate at which the envelopes are computed
# Decay of dominance outside a phone, for jaw, width, round, teeth, tongue.
_SPREAD_SECONDS = np.array([0.050, 0.070, 0.080, 0.050, 0.045])
_REACH_SECONDS = 1.0  # phones further away than this are ignored
_ONSET_SECONDS = 0.04  # full dominance begins this far inside a phone, or after a quarter of it if that is earlier
_SILENCE_ONSET_SECONDS = 0.02
_MIN_HOLD_SECONDS = 0.070  # a shorter contact could fall between two frames
_ATTACK_SECONDS, _RELEASE_SECONDS = 0.055, 0.040  # lips close more slowly than they burst open
_SMOOTHING_SECONDS = 0.013
# The mouth comes to rest within this time after the last phone before a pause, and leaves it this long before the next.
_SETTLING_SECONDS, _OPENING_SECONDS = 0.070, 0.032
_SHORTEST_REST_SECONDS = (0.10, 0.18)  # shorter pauses do not bring the mouth to rest, longer ones do so fully

# Targets of jaw, width, round, teeth, tongue; then the dominance of the same five.
_TABLE = {
    "sil": (0.00, 0.00, 0.00, 0.00, 0.00, 1.00, 0.40, 0.40, 0.80, 0.50),
    "IY": (0.20, 0.75, 0.00, 0.50, 0.35, 1.00, 1.00, 0.80, 0.80, 0.80),
    "IH": (0.28, 0.45, 0.00, 0.35, 0.25, 1.00, 0.80, 0.70, 0.70, 0.70),
    "EH": (0.46, 0.45, 0.00, 0.30, 0.10, 1.00, 0.90, 0.70, 0.70, 0.70),
    "AE": (0.68, 0.50, 0.00, 0.30, 0.05, 1.10, 0.90, 0.70, 0.70, 0.70),
    "AA": (0.85, 0.10, 0.00, 0.15, 0.00, 1.20, 0.80, 0.70, 0.70, 0.70),
    "AO": (0.62, -0.35, 0.50, 0.05, 0.00, 1.10, 0.90, 1.00, 0.70, 0.70),
    "OW": (0.42, -0.60, 0.78, 0.00, 0.00, 1.10, 1.00, 1.30, 0.70, 0.70),
    "UH": (0.28, -0.40, 0.52, 0.00, 0.05, 1.00, 0.90, 1.00, 0.70, 0.70),
    "UW": (0.14, -0.75, 0.95, 0.00, 0.05, 1.40, 1.30, 1.60, 0.70, 0.70),
    "AH": (0.52, 0.05, 0.00, 0.15, 0.00, 1.00, 0.70, 0.70, 0.60, 0.60),
    "AX": (0.32, 0.05, 0.05, 0.10, 0.05, 0.60, 0.40, 0.40, 0.40, 0.40),
    "ER": (0.28, -0.30, 0.45, 0.15, 0.20, 1.00, 0.80, 0.90, 0.60, 0.70),
    "YU": (0.14, -0.60, 0.90, 0.05, 0.35, 1.40, 1.00, 1.50, 0.60, 0.80),
    "EU": (0.38, -0.50, 0.75, 0.05, 0.15, 1.00, 1.00, 1.00, 0.60, 0.70),
    "P": (0.08, 0.00, 0.00, 0.00, 0.00, 0.90, 0.15, 0.12, 0.60, 0.30),
    "B": (0.08, 0.00, 0.00, 0.00, 0.00, 0.90, 0.15, 0.12, 0.60, 0.30),
    "M": (0.06, 0.00, 0.00, 0.00, 0.00, 0.90, 0.15, 0.12, 0.60, 0.30),
    "F": (0.10, 0.15, 0.00, 0.30, 0.00, 0.90, 0.25, 0.20, 0.90, 0.30),
    "V": (0.10, 0.15, 0.00, 0.30, 0.00, 0.90, 0.25, 0.20, 0.90, 0.30),
    "TH": (0.23, 0.15, 0.00, 0.30, 2.00, 0.80, 0.25, 0.18, 0.60, 1.00),
    "DH": (0.23, 0.15, 0.00, 0.30, 2.00, 0.60, 0.25, 0.18, 0.50, 1.00),
    "T": (0.15, 0.15, 0.00, 0.30, 0.95, 0.70, 0.18, 0.12, 0.50, 1.00),
    "D": (0.17, 0.15, 0.00, 0.30, 0.95, 0.70, 0.18, 0.12, 0.50, 1.00),
    "N": (0.18, 0.10, 0.00, 0.20, 0.95, 0.60, 0.18, 0.12, 0.40, 1.00),
    "S": (0.06, 0.35, 0.00, 0.80, 0.60, 1.20, 0.60, 0.35, 1.20, 1.00),
    "Z": (0.07, 0.35, 0.00, 0.75, 0.60, 1.20, 0.60, 0.35, 1.20, 1.00),
    "L": (0.30, 0.10, 0.00, 0.20, 1.00, 0.70, 0.18, 0.12, 0.40, 1.00),
    "SH": (0.10, -0.35, 0.62, 0.60, 0.45, 1.10, 0.90, 1.00, 1.10, 1.00),
    "ZH": (0.12, -0.35, 0.62, 0.55, 0.45, 1.10, 0.90, 1.00, 1.10, 1.00),
    "K": (0.24, 0.05, 0.00, 0.10, 0.10, 0.50, 0.12, 0.10, 0.30, 0.40),
    "G": (0.24, 0.05, 0.00, 0.10, 0.10, 0.50, 0.12, 0.10, 0.30, 0.40),
    "NG": (0.24, 0.05, 0.00, 0.10, 0.10, 0.50, 0.12, 0.10, 0.30, 0.40),
    "X": (0.28, 0.05, 0.00, 0.15, 0.05, 0.50, 0.12, 0.10, 0.30, 0.40),
    "HH": (0.32, 0.05, 0.05, 0.10, 0.00, 0.25, 0.08, 0.08, 0.10, 0.20),
    "R": (0.22, -0.30, 0.50, 0.15, 0.35, 0.70, 0.70, 0.80, 0.50, 0.80),
    "RT": (0.25, 0.05, 0.00, 0.15, 0.80, 0.60, 0.18, 0.12, 0.40, 0.90),
    "W": (0.08, -0.80, 1.00, 0.00, 0.00, 1.60, 1.20, 1.70, 0.60, 0.50),
    "Y": (0.18, 0.50, 0.05, 0.30, 0.40, 0.80, 0.70, 0.60, 0.60, 0.70),
}
_TARGET = np.array([_TABLE[name][:5] for name in phone_classes.CLASSES])  # (39, 5)
_DOMINANCE = np.array([_TABLE[name][5:] for name in phone_classes.CLASSES])  # (39, 5)
_IS_BILABIAL = np.array([name in phone_classes.BILABIALS for name in phone_classes.CLASSES])
_IS_LABIODENTAL = np.array([name in phone_classes.LABIODENTALS for name in phone_classes.CLASSES])


def tracks(phones: np.ndarray, num_frames: int) -> np.ndarray:
    """The articulation channels of an utterance.

    Args:
        phones: (P, 3) rows of class index, start and end in seconds, ascending. P may be 0. Gaps between phones are
            interpolated.
        num_frames: number of frames; the mouth returns to rest after the last phone.

    Returns:
        (num_frames, 7) in the order of `CHANNELS`; frame k is the pose at (k + 0.5) / 25 seconds.
    """
    phones = np.asarray(phones, np.float64).reshape(-1, 3)
    centres = (np.arange(num_frames) + 0.5) / MOTION_FPS
    if not len(phones) or not num_frames:
        return np.zeros((num_frames, len(CHANNELS)), np.float32)
    classes, starts, ends = _with_silence_around(phones, num_frames / MOTION_FPS)
    starts, ends = starts - LEAD_SECONDS, ends - LEAD_SECONDS
    times = (np.arange(int(np.ceil(num_frames * _RATE / MOTION_FPS)) + 1) + 0.5) / _RATE
    close = _contact(times, starts, ends, _IS_BILABIAL[classes], early_release=0.25)
    tuck = _contact(times, starts, ends, _IS_LABIODENTAL[classes], early_release=0.1)
    jaw, width, rounding, teeth, tongue = _blend(times, classes, starts, ends).T
    jaw = jaw * (1 - np.maximum(0.80 * close, 0.65 * tuck))
    teeth = teeth * (1 - close)
    channels = (jaw, width, rounding, close, tuck, teeth, tongue)
    sampled = [np.interp(centres, times, smooth(channel, _SMOOTHING_SECONDS * _RATE)) for channel in channels]
    moving = 1 - _rest(centres, classes, starts, ends)
    is_contact = np.isin(CHANNELS, ("close", "tuck"))
    return (np.stack(sampled, axis=1) * np.where(is_contact, 1, moving[:, None])).astype(np.float32)


def frame_labels(phones: np.ndarray, num_labels: int, rate: float) -> np.ndarray:
    """The phone class at the middle of each step of 1/rate seconds.

    Args:
        phones: (P, 3) rows of class index, start and end in seconds.
        num_labels: number of steps.
        rate: steps per second.

    Returns:
        (num_labels,) int64; silence between phones. The labels follow the sound, without the lead of the mouth.
    """
    labels = np.full(num_labels, phone_classes.SILENCE, np.int64)
    for phone, start, end in np.asarray(phones, np.float64).reshape(-1, 3):
        # Step i belongs to the phone if start <= (i + 0.5) / rate < end; 1e-6 absorbs rounding in sums of durations.
        first = max(int(np.ceil(start * rate - 0.5 - 1e-6)), 0)
        labels[first : max(int(np.ceil(end * rate - 0.5 - 1e-6)), 0)] = int(phone)
    return labels


def _with_silence_around(phones: np.ndarray, duration_seconds: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes, starts and ends of the phones, with a silence before and after: speech starts and ends at rest."""
    first, last = phones[0, 1], phones[:, 2].max()
    before = (phone_classes.SILENCE, min(first, 0.0) - 0.5, first)
    after = (phone_classes.SILENCE, last, max(last, duration_seconds) + 0.5)
    rows = np.vstack([before, phones, after])
    return rows[:, 0].astype(int), rows[:, 1], rows[:, 2]


def _blend(times: np.ndarray, classes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The dominance-weighted targets (T, 5), in blocks of ten seconds to limit memory."""
    onset = np.where(classes == phone_classes.SILENCE, _SILENCE_ONSET_SECONDS, _ONSET_SECONDS)
    onset = np.minimum((ends - starts) * 0.25, onset)
    blocks = []
    for block in np.array_split(times, max(1, len(times) // (10 * _RATE))):
        near = (starts < block[-1] + _REACH_SECONDS) & (ends > block[0] - _REACH_SECONDS)
        begin, end = (starts + onset)[near, None], (ends - onset)[near, None]
        distance = np.maximum(0, np.maximum(begin - block, block - end))  # (P, T) seconds
        weight = _DOMINANCE[classes[near], :, None] * np.exp(-distance[:, None] / _SPREAD_SECONDS[:, None])  # (P, 5, T)
        target = _TARGET[classes[near], :, None]
        blocks.append(((weight * target).sum(0) / (weight.sum(0) + 1e-9)).T)
    return np.concatenate(blocks)


def _rest(times: np.ndarray, classes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The envelope (T,) of rest: 1 within pauses, 0 in speech.

    Dominance alone decays so slowly that the mouth would stay ajar in pauses.
    """
    spoken = classes != phone_classes.SILENCE
    if not spoken.any():
        return np.ones(len(times))
    begins, finishes = np.sort(starts[spoken]), np.sort(ends[spoken])
    last = np.concatenate([[-np.inf], finishes])[np.searchsorted(finishes, times, side="right")]
    following = np.concatenate([begins, [np.inf]])[np.searchsorted(begins, times, side="right")]
    inside = np.searchsorted(begins, times, side="right") > np.searchsorted(finishes, times, side="right")
    shortest, long = _SHORTEST_REST_SECONDS
    settled = smoothstep((times - last) / _SETTLING_SECONDS) * smoothstep((following - times) / _OPENING_SECONDS)
    return np.where(inside, 0.0, settled * smoothstep((following - last - shortest) / (long - shortest)))


def _contact(
    times: np.ndarray, starts: np.ndarray, ends: np.ndarray, wanted: np.ndarray, early_release: float
) -> np.ndarray:
    """The envelope (T,) of a contact: 1 during every `wanted` phone, with cosine flanks.

    A contact lasts at least `_MIN_HOLD_SECONDS`. It ends before the last fraction `early_release` of a long phone, in
    which p and b burst.
    """
    envelope = np.zeros(len(times))
    for start, end in zip(starts[wanted], ends[wanted], strict=True):
        end = end - early_release * (end - start)
        missing = max(0.0, _MIN_HOLD_SECONDS - (end - start))
        begin, end = start - missing / 2, end + missing / 2
        part = slice(*np.searchsorted(times, (begin - _ATTACK_SECONDS, end + _RELEASE_SECONDS)))
        outside = np.maximum((begin - times[part]) / _ATTACK_SECONDS, (times[part] - end) / _RELEASE_SECONDS)
        flank = np.clip(1 - outside, 0, 1)
        envelope[part] = np.maximum(envelope[part], 0.5 - 0.5 * np.cos(np.pi * flank))
    return envelope


def smoothstep(x: np.ndarray) -> np.ndarray:
    """The cubic from 0 at x = 0 to 1 at x = 1, constant outside, whose slope is 0 at both ends."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def smooth(track: np.ndarray, sigma: float) -> np.ndarray:
    """A track (T,) smoothed by a Gaussian of `sigma` steps; the edges are extended."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(np.pad(track, reach, mode="edge"), kernel / kernel.sum(), "valid")
