"""How well the aligned words of a text match a sound: word by word, and as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .alignment import OTHER_SOUND, AlignmentCosts
from .phones import CLASSES, SILENCE, VISEMES

RATE = 50  # posteriors per second

# Nats by which a word's phones may be less likely than the best classes; the second limit is for a word next to other
# sound. Found with voices that the open model was trained on (flite) and with voices that it was not (festival's
# Italian, Czech, Finnish and Catalan ones, which it encodes badly): lower limits would reject right words of those.
_MISFIT, _MISFIT_BESIDE_OTHER = 2.6, 1.6
_BESIDE = 2  # frames
# A text is that of the sound if it is spoken in full (its mean misfit is below the first number, or its share of
# certain words above the second), or if it explains the sound: this share of the speech, with so many nats of evidence
# per second of speech.
_SPOKEN_MISFIT, _SPOKEN_SHARE, _CERTAIN, _ABSENT = 1.6, 0.45, 1.5, 5.0
_EXPLAINED_SHARE, _EXPLAINED_NATS = 0.65, 13.0
# In both cases the evidence must be above what the best of so many places in text and sound reaches by chance.
_CHANCE = 2.0
# Probabilities of a phone, and of its class in the whole sound, are at least this as evidence.
_LEAST_POSTERIOR, _LEAST_PRIOR = 2e-3, 5e-3

_VISEME_OF = np.array([[name in names for names in VISEMES.values()] for name in CLASSES], dtype=np.float32)  # (C, V)


@dataclass(frozen=True, eq=False)
class Fit:
    """How well the words of a text match a sound.

    Attributes:
        misfit: (T,) nats by which the given class is less likely than the most likely one.
        misfits: (W,) mean misfit of each word's phones; infinite for a word without frames.
        fits: (W,) bool: words that match.
        share_of_sound: share of the frames with speech that belong to words that match; 0 without speech.
        evidence: nats by which the words that match are likelier than any phones, less the cost of what is left out
            between them.
        is_spoken: whether it is the text of the sound, or contains it.
    """

    misfit: np.ndarray
    misfits: np.ndarray
    fits: np.ndarray
    share_of_sound: float
    evidence: float
    is_spoken: bool


def measure_fit(
    posteriors: np.ndarray,
    sounding: np.ndarray,
    phones: np.ndarray,
    word_of: np.ndarray,
    costs: AlignmentCosts,
    num_phones: int,
) -> Fit:
    """How well the words match where they were aligned.

    Args:
        posteriors: (T, C) probabilities of the phone classes at 50 Hz.
        sounding: (T,) from `align`.
        phones: (P,) classes of the phones of all words.
        word_of: (P,) word of each phone.
        costs: those of the alignment.
        num_phones: number of phones of the whole text, of which these may be a part.
    """
    given = given_classes(sounding, phones)
    misfit = _misfit(posteriors, given, costs.floor)
    misfits, beside_other = _word_misfits(sounding, misfit, word_of)
    fits = misfits <= np.where(beside_other, _MISFIT_BESIDE_OTHER, _MISFIT)
    lengths = np.bincount(word_of)
    speech = posteriors.argmax(axis=1) != SILENCE
    followed = sounding >= 0
    followed[followed] = fits[word_of[sounding[followed]]]
    num_speech = int(speech.sum())
    share = (speech & followed).sum() / max(num_speech, 1)
    evidence = _evidence(posteriors, sounding, phones, fits[word_of])
    evidence -= costs.between(lengths, np.unique(word_of[sounding[sounding >= 0]]))
    mean = np.average(np.minimum(misfits, _ABSENT), weights=lengths)
    certain = np.average(misfits <= _CERTAIN, weights=lengths)
    in_full = mean <= _SPOKEN_MISFIT or certain >= _SPOKEN_SHARE
    explains = share >= _EXPLAINED_SHARE and evidence * RATE >= _EXPLAINED_NATS * num_speech
    by_chance = _CHANCE * np.log(max(num_speech, 1) * num_phones)
    is_spoken = bool((in_full or explains) and evidence > by_chance)
    return Fit(misfit, misfits, fits, float(share), float(evidence), is_spoken)


def given_classes(sounding: np.ndarray, phones: np.ndarray) -> np.ndarray:
    """(T,) the class of each frame's phone of the text, silence between."""
    return np.where(sounding >= 0, phones[np.maximum(sounding, 0)], SILENCE)


def _evidence(posteriors: np.ndarray, sounding: np.ndarray, phones: np.ndarray, counts: np.ndarray) -> float:
    """Sum over the phones with `counts` (P,) of the mean log-ratio of posterior and prior in their frames, in nats.

    A phone counts once however long it is, as its frames say the same. The prior is the share of a class in the sound.
    """
    frames = np.flatnonzero(sounding >= 0)
    phone = sounding[frames]
    classes = phones[phone]
    prior = np.maximum(posteriors.mean(axis=0), _LEAST_PRIOR)
    ratio = np.log(np.maximum(posteriors[frames, classes], _LEAST_POSTERIOR) / prior[classes])
    num_frames = np.bincount(phone, minlength=len(phones))
    return float((np.bincount(phone, ratio, minlength=len(phones)) / np.maximum(num_frames, 1))[counts].sum())


def _misfit(posteriors: np.ndarray, given: np.ndarray, floor: float) -> np.ndarray:
    """(T,) nats by which the given class (T,) is less likely than the most likely one.

    It is the mean of this difference for phones and for visemes: a phone of the right mouth shape is half as wrong.
    """
    phones = np.log(posteriors.astype(np.float64) + floor)
    visemes = np.log(posteriors.astype(np.float64) @ _VISEME_OF + floor)
    frames = np.arange(len(given))
    sound = phones.max(axis=1) - phones[frames, given]
    shape = visemes.max(axis=1) - visemes[frames, _VISEME_OF[given].argmax(axis=1)]
    return 0.5 * (sound + shape)


def _word_misfits(sounding: np.ndarray, misfit: np.ndarray, word_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(W,) mean misfit of each word's phones, infinite for a word without frames; and (W,) bool.

    The latter is True for a word next to other sound, or to a word that was left out between two others.

    Args:
        sounding: (T,) from `align`.
        misfit: (T,) from `_misfit`.
        word_of: (P,) word of each phone.
    """
    spoken = np.flatnonzero(sounding >= 0)
    frames = np.bincount(sounding[spoken], minlength=len(word_of))
    cost = np.bincount(sounding[spoken], misfit[spoken], minlength=len(word_of)) / np.maximum(frames, 1)
    lengths = np.bincount(word_of)
    is_present = np.bincount(word_of, frames) > 0
    misfits = np.where(is_present, np.bincount(word_of, cost) / lengths, np.inf)
    beside = np.zeros(len(lengths), dtype=bool)
    first_and_last = np.flatnonzero(is_present)[[0, -1]] if is_present.any() else (0, -1)
    left_out = ~is_present
    left_out[: first_and_last[0]] = left_out[first_and_last[1] + 1 :] = False
    beside[1:] |= left_out[:-1]
    beside[:-1] |= left_out[1:]
    other = np.concatenate([[0], np.cumsum(sounding == OTHER_SOUND)])
    word_at = word_of[sounding[spoken]]  # ascending, as the words are spoken in order
    for word in np.flatnonzero(is_present):
        first, last = np.searchsorted(word_at, (word, word + 1))
        start, stop = spoken[first] - _BESIDE, spoken[last - 1] + 1 + _BESIDE
        beside[word] |= other[min(stop, len(sounding))] > other[max(start, 0)]
    return misfits, beside
