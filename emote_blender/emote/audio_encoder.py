"""The interface of the audio encoders: a waveform to one feature vector per frame of motion."""

from torch import Tensor, nn


class AudioEncoder(nn.Module):
    """Base of the audio encoders, each with a `forward(samples (B, N), num_frames, statistics=None) -> (B, T, D)`.

    An encoder with a phone head (`num_phones` of its config) also takes `phones` in `forward`, and has
    `phone_posteriors(samples, num_frames, statistics=None) -> (B, 2 T, classes)`.
    """

    def clip_statistics(self, samples: Tensor) -> object | None:
        """Statistics of a whole clip (N,), needed to encode windows of it; None if the encoder needs none."""
        return None
