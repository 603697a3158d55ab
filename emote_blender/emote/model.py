"""EMOTE: audio features and a condition per frame to expression coefficients and jaw rotation."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..speech_model.config import EMOTEConfig, Wav2Vec2EncoderConfig
from .attention import TransformerEncoder
from .audio_encoder import AudioEncoder
from .flint import MotionPrior
from .log_mel import LogMelEncoder
from .wav2vec2 import Wav2Vec2Encoder


def build_audio_encoder(config: EMOTEConfig) -> AudioEncoder:
    """The audio encoder of a configuration, with random weights."""
    if isinstance(config.audio_encoder, Wav2Vec2EncoderConfig):
        return Wav2Vec2Encoder(config.audio_encoder)
    return LogMelEncoder(config.audio_encoder)


class SequenceEncoder(nn.Module):
    """Projection of the audio features."""

    def __init__(self, in_dim: int, out_dim: int):
        super().__init__()
        self.linear = nn.Linear(in_dim, out_dim)

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, out_dim) from features (B, T, in_dim)."""
        return self.linear(features)


class StyleEmbedding(nn.Module):
    """Linear embedding of the condition; it may change from frame to frame and need not be one-hot."""

    def __init__(self, num_conditions: int, dim: int):
        super().__init__()
        self.map = nn.Linear(num_conditions, dim)

    def forward(self, condition: Tensor) -> Tensor:
        """(B, T, dim) from condition (B, T, C)."""
        return self.map(condition)


class StackLinear(nn.Module):
    """Concatenates groups of frames and projects each to one latent."""

    def __init__(self, frames_per_latent: int, in_dim: int, out_dim: int):
        super().__init__()
        self.frames_per_latent = frames_per_latent
        self.linear = nn.Linear(frames_per_latent * in_dim, out_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Latents (B, ceil(T / frames), out_dim) of x (B, T, in_dim), padded with zeros at the end of time."""
        x = F.pad(x, (0, 0, 0, -x.shape[1] % self.frames_per_latent))
        return self.linear(x.reshape(x.shape[0], x.shape[1] // self.frames_per_latent, -1))


class SequenceDecoder(nn.Module):
    """Projected audio and condition to latents of the frozen motion prior, and to motion."""

    def __init__(self, config: EMOTEConfig):
        super().__init__()
        decoder, flint = config.decoder, config.flint
        self.post_bug_fix = decoder.post_bug_fix
        dim = 2 * decoder.feature_dim
        self.obj_vector = StyleEmbedding(config.num_conditions, decoder.feature_dim)
        self.bert_decoder = TransformerEncoder(
            decoder.num_layers,
            dim,
            decoder.num_heads,
            decoder.intermediate_size,
            dropout=decoder.dropout,
            period=decoder.period,
        )
        self.motion_prior = MotionPrior(flint)
        self.decoder = nn.Linear(dim, decoder.feature_dim)
        self.squasher_2 = StackLinear(flint.frames_per_latent, decoder.feature_dim, flint.feature_dim)
        self.motion_prior.requires_grad_(False)

    def train(self, mode: bool = True) -> "SequenceDecoder":
        """Self in training mode, except for the motion prior, whose batch norm must keep its running statistics."""
        super().train(mode)
        self.motion_prior.eval()
        return self

    def latents(self, hidden: Tensor, condition: Tensor) -> Tensor:
        """Latents (B, L, D) of projected audio (B, T, F) and condition (B, T, C)."""
        return self.styled_latents(hidden, self.obj_vector(condition))

    def styled_latents(self, hidden: Tensor, style: Tensor) -> Tensor:
        """Latents (B, L, D) of projected audio (B, T, F) and embedded condition (B, T, F)."""
        x = torch.cat([hidden, style], dim=-1)  # (B, T, 2F)
        transformed = self.bert_decoder(x) if self.post_bug_fix else x
        return self.squasher_2(self.decoder(transformed))


class EMOTE(nn.Module):
    """The speech model. Attribute names are those of the official checkpoint; FLAME is not part of it."""

    def __init__(self, config: EMOTEConfig):
        super().__init__()
        self.config = config
        self.audio_model = build_audio_encoder(config)
        self.sequence_encoder = SequenceEncoder(config.audio_encoder.dim, config.decoder.feature_dim)
        self.sequence_decoder = SequenceDecoder(config)

    def encode_audio(
        self, samples: Tensor, num_frames: int, statistics: object | None = None, phones: Tensor | None = None
    ) -> Tensor:
        """Audio features (B, T, D) of samples (B, N) in [-1, 1] at the model's sample rate, N = T * samples per frame.

        Args:
            samples: the sound.
            num_frames: T.
            statistics: from `clip_statistics`, if the samples are a window of a longer clip.
            phones: (B, 2 T, classes) given phones, from a transcript: rows that sum to 1 replace the phone posteriors,
                rows of zeros keep them. Only for an encoder with a phone head (`config.audio_encoder.num_phones`).
        """
        if phones is None:
            return self.audio_model(samples, num_frames, statistics)
        return self.audio_model(samples, num_frames, statistics, phones)

    def phone_posteriors(self, samples: Tensor, num_frames: int, statistics: Any = None) -> Tensor:
        """Probabilities (B, 2 T, classes) of the phone classes at 50 Hz, of an encoder with a phone head."""
        if not isinstance(self.audio_model, LogMelEncoder):
            raise TypeError(f"{type(self.audio_model).__name__} has no phone head")
        return self.audio_model.phone_posteriors(samples, num_frames, statistics)

    def clip_statistics(self, samples: Tensor) -> Any:
        """Statistics of a whole clip (N,), needed to encode windows of it; None if the encoder needs none."""
        return self.audio_model.clip_statistics(samples)

    def latents(self, features: Tensor, condition: Tensor) -> Tensor:
        """Latent sequence (B, ceil(T / frames per latent), D) of audio features (B, T, D) and condition (B, T, C).

        The condition's columns are emotions, intensities, speakers; it is the spec's `prior_input_sequence`.
        """
        return self.sequence_decoder.latents(self.sequence_encoder(features), condition)

    def decode_latents(self, latents: Tensor, num_frames: int) -> tuple[Tensor, Tensor]:
        """Expression (B, T, E) and jaw axis-angle in radians (B, T, 3) of latents, cut to `num_frames`."""
        motion = self.sequence_decoder.motion_prior.decode(latents)[:, :num_frames]
        return motion[..., : self.config.num_expression], motion[..., self.config.num_expression :]

    def decode(self, features: Tensor, emotion: Tensor, intensity: Tensor, speaker: Tensor) -> tuple[Tensor, Tensor]:
        """Expression (B, T, E) and jaw (B, T, 3) of audio features (B, T, D) and a condition per frame.

        Args:
            features: the audio features.
            emotion: (B, T, emotions) weights that sum to 1.
            intensity: (B, T, intensities) weights that sum to 1.
            speaker: (B, T, speakers) weights that sum to 1.
        """
        condition = torch.cat([emotion, intensity, speaker], dim=-1).to(features.dtype)
        return self.decode_latents(self.latents(features, condition), features.shape[1])

    def forward(
        self, samples: Tensor, num_frames: int, emotion: Tensor, intensity: Tensor, speaker: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Expression (B, T, E) and jaw (B, T, 3) of samples (B, N) and a condition per frame."""
        return self.decode(self.encode_audio(samples, num_frames), emotion, intensity, speaker)

    def load_motion_prior(self, prior: MotionPrior) -> None:
        """Take over the decoder of a trained FLINT."""
        self.sequence_decoder.motion_prior.motion_decoder.load_state_dict(prior.motion_decoder.state_dict())
