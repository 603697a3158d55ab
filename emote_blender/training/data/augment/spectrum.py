"""What makes one voice's spectrogram look like another's: augmentation of log-mel spectrograms (B, M, L).

The front end takes out level and long-term spectrum (`emote.log_mel_encoder`); what is left of a voice is where its
formants lie, how sharp they are, how briskly they move and how each phone is coloured. These are varied here.
"""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor, from_numpy

from ....emote.log_mel import read_mels

_CEPSTRA = 12  # coefficients of the cosine transform along the mels that are mixed: envelopes, not harmonics
_BLUR = 5  # mels, and steps of 10 ms, over which contrast is measured
_CONTRAST = (-0.7, 0.5)  # logarithm of the factor on it: a vocoder smooths, a diphone has edges


def shift_formants(mel: Tensor, share: float, largest: float, bend: float, rng: np.random.Generator) -> Tensor:
    """The mel axis of a share of the clips stretched or squeezed, as by a shorter or longer vocal tract.

    largest: of the stretch, whose factor is up to exp(±largest). bend: up to so much more at the upper end and less at
    the lower one, or the other way round: throat and mouth do not grow in proportion.
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
    return read_mels(mel, from_numpy(position).float())


def vary_contrast(mel: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Formants sharper or duller, and movement brisker or smoother, in a share of the clips each."""
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
    """Each clip's spectral envelope through a random linear map near the identity, the same throughout the clip.

    Between two speakers the same sounds differ roughly by such a map of their cepstra: each phone's envelope changes in
    its own way, which no equaliser does. "Stochastic feature mapping" of Cui, Goel and Kingsbury (2015) takes the maps
    from speakers; here they are drawn.

    largest: of the standard deviation of the map's entries, drawn for each clip from 0 up to it; relative to how much
        the coefficients vary in the clip.
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
    """Sets bands of up to 11 mels, and stretches of up to 0.15 s, to the mean in some clips (SpecAugment).

    count: how often both are drawn for each clip.
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
