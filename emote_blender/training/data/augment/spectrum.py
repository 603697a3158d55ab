"""Augmentation of log-mel spectrograms (B, M, L) that makes one voice sound like another.

The front end removes level and long-term spectrum (`emote.log_mel`). What still distinguishes voices is where their
formants lie, how sharp they are and how fast they move, and the spectral envelope of each phone. These are varied here.
"""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor, from_numpy

from ....emote.log_mel import warp_mels

_CEPSTRA = 12  # cepstral coefficients that are mixed: they describe the envelope, not the harmonics
_BLUR = 5  # width of the moving average, in mels or in steps of 10 ms
_CONTRAST = (-0.7, 0.5)  # log of the contrast factor: vocoders smooth the spectrum, diphones have sharp edges


def shift_formants(mel: Tensor, share: float, largest: float, bend: float, rng: np.random.Generator) -> Tensor:
    """Spectrograms whose mel axis is warped in a fraction of the clips, as by another length of the vocal tract.

    Args:
        mel: (B, M, L).
        share: fraction of clips.
        largest: the warp factor lies between exp(-largest) and exp(largest).
        bend: largest change of the log factor from the middle of the axis to its ends, one end up and the other down:
            throat and mouth do not grow in proportion.
        rng: random numbers.
    """
    if share == 0:
        return mel
    size, mels, _ = mel.shape
    chosen = rng.random(size) < share
    stretch = np.where(chosen, rng.uniform(-largest, largest, size), 0.0)
    slope = np.where(chosen, rng.uniform(-bend, bend, size), 0.0) if bend else np.zeros(size)
    place = np.linspace(-1, 1, mels)
    steps = np.exp(stretch[:, None] + slope[:, None] * place)  # (B, M) source mels per mel
    position = np.cumsum(steps, 1) - steps[:, :1]
    return warp_mels(mel, from_numpy(position).float())


def vary_contrast(mel: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Spectrograms sharpened or blurred along the mel axis, and along time, each in a fraction `share` of the clips."""
    if share == 0:
        return mel
    for axis in (1, 2):
        factor = np.where(rng.random(len(mel)) < share, np.exp(rng.uniform(*_CONTRAST, len(mel))), 1.0)
        along = mel.movedim(axis, 2)
        padded = F.pad(along, (_BLUR // 2, _BLUR // 2), mode="replicate")
        smooth = F.avg_pool1d(padded, _BLUR, stride=1).movedim(2, axis)
        mel = smooth + (mel - smooth) * from_numpy(factor).float()[:, None, None]
    return mel


def mix_cepstra(mel: Tensor, largest: float, rng: np.random.Generator) -> Tensor:
    """Spectrograms whose envelopes pass through a random linear map near the identity, one map per clip.

    The cepstra of the same sounds in two voices differ roughly by such a map. It changes each phone's envelope in its
    own way, which no equaliser does. In "stochastic feature mapping" (Cui, Goel and Kingsbury 2015) the maps are
    estimated between speakers; here they are drawn at random.

    Args:
        mel: (B, M, L).
        largest: largest standard deviation of a map's entries, relative to the variation of the coefficients in the
            clip; each clip's is drawn between 0 and this.
        rng: random numbers.
    """
    if largest == 0:
        return mel
    size, mels, _ = mel.shape
    order, place = np.arange(_CEPSTRA)[:, None], np.arange(mels) + 0.5
    cosines = np.cos(np.pi * order * place / mels) * np.sqrt(2 / mels)
    cosines[0] /= np.sqrt(2)
    basis = from_numpy(cosines).float()  # (C, M), orthonormal rows
    cepstra = basis @ mel
    spread = cepstra.std(2) + 1e-3
    strength = rng.uniform(0, largest, (size, 1, 1))
    entries = from_numpy(strength * rng.standard_normal((size, _CEPSTRA, _CEPSTRA))).float()
    change = (entries * spread[:, :, None] / spread[:, None, :]) @ cepstra
    return (mel + basis.T @ change).clamp(-5.0, 5.0)


def mask(mel: Tensor, amount: float, count: int, rng: np.random.Generator) -> None:
    """Set bands of up to 11 mels, and stretches of up to 0.15 s, to the mean, in place.

    SpecAugment (Park et al. 2019) without time warping; the front end's mean is 0.

    Args:
        mel: (B, M, L), changed.
        amount: 0 to 1; a band is masked with a probability of 0.5 `amount`, a stretch with 0.4 `amount`.
        count: draws per clip, each of one band and one stretch.
        rng: random numbers.
    """
    _, mels, length = mel.shape
    for clip in mel:
        for _ in range(count):
            if rng.random() < 0.5 * amount:
                width = int(rng.integers(1, 12))
                start = int(rng.integers(mels - width))
                clip[start : start + width] = 0
            if rng.random() < 0.4 * amount:
                width = int(rng.integers(2, 16))
                start = int(rng.integers(length - width))
                clip[:, start : start + width] = 0
