"""The result of a speech engine: the sound of a sentence and the times of its phones."""

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
    """One synthetic sentence.

    Attributes:
        samples: (N,) int16 mono at 16 kHz.
        phone_classes: (P,) int16 indices into `phones.CLASSES`.
        phone_times: (P, 2) float32 start and end of each phone in seconds from the first sample.
        speaker: engine and voice, such as "flite:slt".
        text: the words.
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
    """An engine's output as an `Utterance`, resampled to 16 kHz and scaled to a peak of 20000 of 32767.

    Args:
        samples: (N,) mono, of any scale.
        sample_rate: of the samples.
        segments: (symbol, start, end) of each phone, in seconds.
        symbol_classes: the classes of a symbol. The segment of a symbol with two classes (diphthong, affricate) is cut
            into equal parts; a symbol without classes is dropped; for None, an unknown symbol, the class is HH.
        speaker: engine and voice.
        text: the words.
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
