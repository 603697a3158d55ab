"""Wav2Vec 2.0, the audio encoder of the published EMOTE."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..speech_model.config import Wav2Vec2EncoderConfig
from .audio_encoder import AudioEncoder

VARIANCE_FLOOR = 1e-7  # of Wav2Vec2FeatureExtractor


def resample(features: Tensor, num_frames: int) -> Tensor:
    """Features (B, C, L) resampled linearly to (B, C, T); first and last are kept.

    Equal to `F.interpolate` with aligned corners, which cannot be exported for one frame.
    """
    last = features.shape[2] - 1
    frames = torch.arange(num_frames, device=features.device, dtype=features.dtype)
    step = torch.full((), last, device=features.device, dtype=features.dtype) / frames.max().clamp(min=1)
    position = frames * step
    lower = position.floor().clamp(max=last)
    part = position - lower
    upper = (lower + 1).clamp(max=last)
    return features[:, :, lower.long()] * (1 - part) + features[:, :, upper.long()] * part


@dataclass(frozen=True, eq=False)
class Wav2Vec2Statistics:
    """Statistics of a whole clip.

    Attributes:
        mean: mean of the samples.
        variance: variance of the samples.
        conv_mean: (C,) mean of the first convolution's response to the normalised samples; None without such a norm.
        conv_variance: (C,) its variance, or None.
    """

    mean: Tensor
    variance: Tensor
    conv_mean: Tensor | None
    conv_variance: Tensor | None

    def from_frame(self, frame: int) -> "Wav2Vec2Statistics":
        """The same statistics: every window of the clip is normalised alike."""
        return self


class Wav2Vec2Encoder(AudioEncoder):
    """Wav2Vec 2.0 with its convolution features resampled to frames of motion before the transformer (spec 2)."""

    CHUNK = 1 << 17  # samples per step when a clip is measured: 54 MB of responses at the official size

    def __init__(self, config: Wav2Vec2EncoderConfig):
        from transformers import Wav2Vec2Config, Wav2Vec2Model

        super().__init__()
        self.model = Wav2Vec2Model(Wav2Vec2Config(**config.to_huggingface(), attn_implementation="sdpa"))

    def forward(self, samples: Tensor, num_frames: int, statistics: Wav2Vec2Statistics | None = None) -> Tensor:
        """Features (B, T, D) of samples (B, N) in [-1, 1].

        `statistics` are those of the clip of which the samples are a window; if None, each item is a whole clip.
        """
        if statistics is None:
            mean = samples.mean(dim=1, keepdim=True)
            variance = samples.var(dim=1, keepdim=True, correction=0)
        else:
            mean, variance = statistics.mean, statistics.variance
        normalized = (samples - mean) / torch.sqrt(variance + VARIANCE_FLOOR)
        if statistics is None:
            return self.encode_normalized(normalized, num_frames)
        return self.encode_normalized(normalized, num_frames, statistics.conv_mean, statistics.conv_variance)

    def encode_normalized(
        self, normalized: Tensor, num_frames: int, conv_mean: Tensor | None = None, conv_variance: Tensor | None = None
    ) -> Tensor:
        """Features (B, T, D) of normalised samples (B, N); (C,) statistics of the first convolution over the clip."""
        features = self._convolve(normalized, conv_mean, conv_variance)  # (B, C, L), about 50 Hz
        features = resample(features, num_frames)
        hidden, _ = self.model.feature_projection(features.transpose(1, 2))
        hidden = self.model._mask_hidden_states(hidden)  # SpecAugment; does nothing in eval mode
        return self.model.encoder(hidden).last_hidden_state

    def clip_statistics(self, samples: Tensor) -> Wav2Vec2Statistics:
        """Statistics of samples (N,), in pieces, so that memory does not grow with the clip."""
        mean, variance = samples.mean(), samples.var(correction=0)
        first = self.model.feature_extractor.conv_layers[0]
        if not isinstance(getattr(first, "layer_norm", None), nn.GroupNorm):
            return Wav2Vec2Statistics(mean, variance, None, None)
        kernel, stride = first.conv.kernel_size[0], first.conv.stride[0]
        step = self.CHUNK // stride * stride
        count = 0
        # Sums are kept on the CPU: not every GPU has float64.
        total, squares = torch.zeros(2, first.conv.out_channels, dtype=torch.float64)
        for start in range(0, max(len(samples) - kernel + 1, 1), step):
            piece = (samples[start : start + step + kernel - stride] - mean) / torch.sqrt(variance + VARIANCE_FLOOR)
            if len(piece) < kernel:
                break
            response = first.conv(piece[None, None])[0]  # (C, L)
            count += response.shape[1]
            total += response.sum(dim=1).cpu().double()
            squares += (response**2).sum(dim=1).cpu().double()
        conv_mean = total / count
        conv_variance = (squares / count - conv_mean**2).clamp_min(0)
        device = samples.device
        return Wav2Vec2Statistics(mean, variance, conv_mean.float().to(device), conv_variance.float().to(device))

    def _convolve(self, normalized: Tensor, conv_mean: Tensor | None, conv_variance: Tensor | None) -> Tensor:
        """Convolution features (B, C, L); the first layer's norm over time uses the clip's statistics if given."""
        extractor = self.model.feature_extractor
        if conv_mean is None or conv_variance is None:
            return extractor(normalized)
        first = extractor.conv_layers[0]
        norm = first.layer_norm
        hidden = first.conv(normalized[:, None])
        hidden = F.batch_norm(hidden, conv_mean, conv_variance, norm.weight, norm.bias, eps=norm.eps)
        hidden = first.activation(hidden)
        for layer in extractor.conv_layers[1:]:
            hidden = layer(hidden)
        return hidden
