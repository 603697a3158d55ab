"""Constants and filters of the log-mel spectrogram that the torch and the numpy encoder share."""

from __future__ import annotations

import math

import numpy as np

from .config import LOG_MEL_FPS, LOG_MEL_SAMPLE_RATE

SAMPLE_RATE = LOG_MEL_SAMPLE_RATE
FRAME_SAMPLES = SAMPLE_RATE // LOG_MEL_FPS
FFT_SIZE, WINDOW, HOP = 512, 400, 160  # 25 ms windows every 10 ms
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
SILENT = 1e-8  # power; a clip that never exceeds it holds digital silence
FLOOR = 1e-6  # power, relative to the clip's loudest moment (-60 dB): what is below is silence
# Soft threshold of speech: nepers of power below the clip's loudest spectrum.
SPEECH_LEVEL, SPEECH_STEEPNESS = 4.5, 2.0
LOWEST_MEAN = -9.0  # of a band without sound: not down to the floor
DEVIATION_FLOOR = 0.3
LIMIT = 5.0


def mel_filters(num_mels: int) -> np.ndarray:
    """Triangular mel filters, (FFT_SIZE // 2 + 1, num_mels), peaks of 1 (O'Shaughnessy's mel scale)."""
    lowest, highest = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, num_mels + 2) / 2595) - 1)
    frequency = np.arange(FFT_SIZE // 2 + 1)[:, None] * SAMPLE_RATE / FFT_SIZE
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    filters = np.minimum((frequency - left) / (centre - left), (right - frequency) / (right - centre)).clip(min=0)
    empty = filters.sum(0) == 0  # narrower than one bin of the FFT: take the nearest bin
    filters[np.abs(frequency - centre).argmin(0)[empty], np.flatnonzero(empty)] = 1.0
    return filters.astype(np.float32)
