"""FLINT, the motion prior: a variational autoencoder of face motion with one latent per `2 ** quant_factor` frames."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..speech_model.config import FLINTConfig
from .attention import TransformerEncoder

KERNEL_SIZE = 5
LEAKY_SLOPE = 0.2


@dataclass(frozen=True, eq=False)
class LatentDistribution:
    """The distribution of a motion's latent sequence.

    Attributes:
        mean: (B, L, D) mean.
        logvar: (B, L, D) logarithm of the variance.
    """

    mean: Tensor
    logvar: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Latents (B, L, D) drawn with the reparametrisation trick."""
        noise = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype, device=self.mean.device)
        return self.mean + torch.exp(0.5 * self.logvar) * noise

    def kl_divergence(self) -> Tensor:
        """KL divergence from the unit Gaussian, summed over latent dimensions, averaged over latents (spec 5)."""
        return -0.5 * (1 + self.logvar - self.mean**2 - self.logvar.exp()).sum(dim=-1).mean()


def _block(conv: nn.Module, dim: int) -> nn.Sequential:
    """Convolution, leaky ReLU, batch norm, in this order (spec 3.5)."""
    return nn.Sequential(conv, nn.LeakyReLU(LEAKY_SLOPE), nn.BatchNorm1d(dim))


def _conv(in_dim: int, out_dim: int, stride: int = 1) -> nn.Conv1d:
    return nn.Conv1d(in_dim, out_dim, KERNEL_SIZE, stride, KERNEL_SIZE // 2, padding_mode="replicate")


def _transformer(config: FLINTConfig) -> TransformerEncoder:
    return TransformerEncoder(config.num_layers, config.feature_dim, config.num_heads, config.intermediate_size)


class FLINTEncoder(nn.Module):
    """Motion to the distribution of its latents; needed in training only."""

    def __init__(self, config: FLINTConfig):
        super().__init__()
        dim = config.feature_dim
        blocks = [_block(_conv(config.num_features, dim, stride=2), dim)]
        for _ in range(config.quant_factor - 1):
            blocks.append(_block(_conv(dim, dim), dim).append(nn.MaxPool1d(2)))
        self.squasher = nn.Sequential(*blocks)
        self.encoder_linear_embedding = nn.Linear(dim, dim)
        self.encoder_transformer = _transformer(config)
        self.mean = nn.Linear(dim, dim)
        self.logvar = nn.Linear(dim, dim)

    def forward(self, motion: Tensor) -> LatentDistribution:
        """Distribution of the latents of motion (B, T, E + 3); T is a multiple of the frames per latent."""
        x = self.squasher(motion.transpose(1, 2)).transpose(1, 2)  # (B, L, D)
        x = self.encoder_transformer(self.encoder_linear_embedding(x))
        return LatentDistribution(self.mean(x), self.logvar(x))


class FLINTDecoder(nn.Module):
    """Latents to motion."""

    def __init__(self, config: FLINTConfig):
        super().__init__()
        dim = config.feature_dim
        first = nn.ConvTranspose1d(dim, dim, KERNEL_SIZE, stride=2, padding=KERNEL_SIZE // 2, output_padding=1)
        blocks = [_block(first, dim)]
        blocks += [_block(_conv(dim, dim), dim) for _ in range(config.quant_factor - 1)]
        self.expander = nn.ModuleList(blocks)
        self.decoder_linear_embedding = nn.Linear(dim, dim)
        self.decoder_transformer = _transformer(config)
        self.post_transformer_linear = nn.Linear(dim, dim)
        self.cross_smooth_layer = nn.Conv1d(dim, config.num_features, KERNEL_SIZE, padding=KERNEL_SIZE // 2)

    def forward(self, latents: Tensor) -> Tensor:
        """Motion (B, L * frames per latent, E + 3) of latents (B, L, D)."""
        x = self.expander[0](latents.transpose(1, 2))  # (B, D, 2L)
        for block in self.expander[1:]:
            x = block(x).repeat_interleave(2, dim=2)
        x = self.decoder_transformer(self.decoder_linear_embedding(x.transpose(1, 2)))  # (B, T, D)
        x = self.post_transformer_linear(x)
        return self.cross_smooth_layer(x.transpose(1, 2)).transpose(1, 2)


class MotionPrior(nn.Module):
    """The part of FLINT that EMOTE contains: the decoder, under its name in checkpoints."""

    def __init__(self, config: FLINTConfig):
        super().__init__()
        self.config = config
        self.motion_decoder = FLINTDecoder(config)

    def decode(self, latents: Tensor) -> Tensor:
        """Motion (B, L * frames per latent, E + 3) of latents (B, L, D): expression, then jaw axis-angle in radians."""
        return self.motion_decoder(latents)


class FLINT(MotionPrior):
    """The whole motion prior: encoder and decoder."""

    def __init__(self, config: FLINTConfig):
        super().__init__(config)
        self.motion_encoder = FLINTEncoder(config)

    def encode(self, motion: Tensor) -> LatentDistribution:
        """Distribution of the latents of motion (B, T, E + 3).

        Raises:
            ValueError: if T is no multiple of the frames per latent.
        """
        if motion.shape[1] % self.config.frames_per_latent or not motion.shape[1]:
            raise ValueError(
                f"motion has {motion.shape[1]} frames, which is no multiple of {self.config.frames_per_latent}"
            )
        return self.motion_encoder(motion)

    def forward(
        self, motion: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, LatentDistribution, Tensor]:
        """Reconstruction (B, T, E + 3), distribution and the sampled latents of motion (B, T, E + 3)."""
        distribution = self.encode(motion)
        latents = distribution.sample(generator)
        return self.decode(latents), distribution, latents
