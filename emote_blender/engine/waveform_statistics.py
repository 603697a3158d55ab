"""The statistics of a whole clip by which Wav2Vec 2.0 is normalised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..sample_store import Samples

_VARIANCE_FLOOR = 1e-7  # of Wav2Vec2FeatureExtractor
_PIECE = 1 << 18


@dataclass(frozen=True, eq=False)
class WaveformStatistics:
    """Statistics of a whole clip.

    Attributes:
        mean: mean of the samples.
        variance: variance of the samples.
        conv_mean: (C,) mean of the first convolution's response to the normalised samples.
        conv_variance: (C,) its variance.
    """

    mean: float
    variance: float
    conv_mean: np.ndarray
    conv_variance: np.ndarray

    def from_frame(self, frame: int) -> WaveformStatistics:
        """The same statistics: every window of the clip is normalised alike."""
        return self


def normalized(samples: np.ndarray, mean: float, variance: float) -> np.ndarray:
    """Samples of mean 0 and variance 1."""
    return ((samples - np.float32(mean)) / np.float32(np.sqrt(variance + _VARIANCE_FLOOR))).astype(np.float32)


def measure(samples: Samples, kernel: np.ndarray, bias: np.ndarray | None, stride: int) -> WaveformStatistics:
    """Statistics of a clip (N,) and of its convolution with a kernel (C, 1, K), without computing the response.

    A response is a weighted sum of K samples, so its mean and variance over time follow from the mean and the K x K
    covariance of these K samples.
    """
    parts = [slice(start, start + _PIECE) for start in range(0, len(samples), _PIECE)]
    mean = sum(float(samples[part].sum(dtype=np.float64)) for part in parts) / len(samples)
    deviations = (np.square(samples[part] - np.float32(mean)).sum(dtype=np.float64) for part in parts)
    variance = sum(map(float, deviations)) / len(samples)
    weights = kernel[:, 0].astype(np.float64)
    size = weights.shape[1]
    count = max((len(samples) - size) // stride + 1, 1)
    total, products = np.zeros(size), np.zeros((size, size))
    step = _PIECE // stride * stride
    for start in range(0, count * stride, step):
        piece = normalized(samples[start : start + step + size - stride], mean, variance).astype(np.float64)
        if len(piece) < size:
            break
        taps = np.lib.stride_tricks.sliding_window_view(piece, size)[::stride]  # (responses, K)
        total += taps.sum(0)
        products += np.einsum("tk,tl->kl", taps, taps)
    average = total / count
    covariance = products / count - np.outer(average, average)
    conv_mean = (weights * average).sum(1) + (0 if bias is None else bias)
    conv_variance = np.einsum("ck,kl,cl->c", weights, covariance, weights).clip(min=0)
    return WaveformStatistics(mean, variance, conv_mean.astype(np.float32), conv_variance.astype(np.float32))
