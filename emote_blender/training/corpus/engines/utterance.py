"""What a speech engine gives: a sentence's sound and the times of its phones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ....audio import SAMPLE_RATE
from .. import phones

APT_LINE = (
    "apt-get install --no-install-recommends espeak-ng libespeak-ng1 flite festival "
    "festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k wamerican"
)


@dataclass(frozen=True, eq=False)
class Utterance:
    """One synthesised sentence.

    samples: (N,) int16, mono, 16 kHz.
    phone_classes: (P,) int16, indices into `phones.CLASSES`.
    phone_times: (P, 2) float32, start and end of each phone in seconds from the first sample.
    speaker: engine and voice, for instance "flite:slt".
    text: what is said.
    """

    samples: np.ndarray
    phone_classes: np.ndarray
    phone_times: np.ndarray
    speaker: str
    text: str = ""


def to_utterance(
    samples: np.ndarray,
    sample_rate: int,
    segments: list[tuple[str, float, float]],
    symbol_classes: Callable[[str], tuple[str, ...] | None],
    speaker: str,
    text: str = "",
) -> Utterance:
    """Engine output as an `Utterance`: resampled to 16 kHz, level 20000 of 32767, symbols as phone classes.

    segments: (symbol, start s, end s); a symbol of two classes (diphthong, affricate) is cut in equal parts, one
        without a class is dropped and an unknown one (None) counts as a breath (HH).
    """
    from scipy.signal import resample_poly

    samples = samples.astype(np.float64)
    if sample_rate != SAMPLE_RATE:
        divisor = math.gcd(sample_rate, SAMPLE_RATE)
        samples = resample_poly(samples, SAMPLE_RATE // divisor, sample_rate // divisor)
    peak = np.abs(samples).max(initial=0.0)
    samples = (samples * (20000.0 / max(peak, 1e-9))).astype(np.int16)
    rows = []
    for symbol, start, end in segments:
        names = symbol_classes(symbol)
        names = ("HH",) if names is None else names
        share = (end - start) / max(len(names), 1)
        rows += [(phones.CLASS_INDEX[n], start + i * share, start + (i + 1) * share) for i, n in enumerate(names)]
    table = np.asarray(rows, np.float64).reshape(-1, 3)
    return Utterance(samples, table[:, 0].astype(np.int16), table[:, 1:].astype(np.float32), speaker, text)
