"""The small audio encoder of the open model: log-mel spectrogram, convolution and attention blocks, phone head.

It replaces Wav2Vec 2.0 in a model that is trained from scratch in a few CPU minutes. With so little training, a log-mel
front end is far better than a raw convolution stack (spec/DEFAULT_MODEL.md).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..speech_model.clip_statistics import LogMelStatistics, measure_log_mel
from ..speech_model.config import LogMelEncoderConfig
from ..speech_model.log_mel import FFT_SIZE, FLOOR, FRAME_SAMPLES, HOP, LIMIT, SAMPLE_RATE, WINDOW, mel_filters
from .audio_encoder import AudioEncoder

PIECE = 60 * SAMPLE_RATE  # samples per step when a clip is measured
PHONES_PER_FRAME = 2  # 50 Hz
WARP_TEMPERATURE = 0.05  # softmax temperature (nats per phone) of the warp-factor weights


def warp_mels(mel: Tensor, position: Tensor) -> Tensor:
    """Spectrograms (B, M, L) whose mel band `i` is the band `position[:, i]` (B, M), interpolated between bands."""
    position = position.clamp(max=mel.shape[1] - 1)
    lower = position.floor().clamp(max=mel.shape[1] - 2)
    part = (position - lower)[..., None]
    index = lower.long()[..., None].expand_as(mel)
    return mel.gather(1, index) * (1 - part) + mel.gather(1, index + 1) * part


class LogMelSpectrogram(nn.Module):
    """Log-mel features that are independent of the level of the voice and of the amount of silence around it.

    Power is relative to the loudest moment of the passage; mean and deviation are taken over its louder spectra only.
    See `speech_model.clip_statistics`.
    """

    filters: Tensor
    window: Tensor
    constant: Tensor  # spectrum of a constant, relative to its first bin

    def __init__(self, num_mels: int) -> None:
        super().__init__()
        self.register_buffer("filters", torch.from_numpy(mel_filters(num_mels)), persistent=False)
        window = torch.hann_window(WINDOW)
        self.register_buffer("window", window, persistent=False)
        before = (FFT_SIZE - WINDOW) // 2  # torch.stft's place of a window in the FFT
        constant = torch.fft.rfft(F.pad(window, (before, FFT_SIZE - WINDOW - before)))
        self.register_buffer("constant", (constant / constant[0])[:, None], persistent=False)

    def forward(self, samples: Tensor, statistics: LogMelStatistics | None = None, first: int = 0) -> Tensor:
        """(B, M, N / HOP), about -5 (silence) to 5, of samples (B, N).

        Args:
            samples: N is a multiple of HOP.
            statistics: those of the clip of which all samples are windows; if None, each item is a whole clip.
            first: index of the first spectrum in the clip.
        """
        power = self.power(samples)
        count = power.shape[2]
        clips = [statistics] if statistics is not None else [measure_log_mel(each.numpy(force=True)) for each in power]
        spectra = [clip.of_spectra(first, count) for clip in clips]
        mean = power.new_tensor(np.stack([each.mean for each in spectra]))
        loudest, deviation = (
            power.new_tensor(np.stack(values))[:, None]  # (B, 1, L)
            for values in ([each.loudest for each in spectra], [each.deviation for each in spectra])
        )
        # A sound that is louder than the voice is made as loud.
        mel = torch.log(power / torch.maximum(loudest, power.mean(1, keepdim=True)) + FLOOR)
        return ((mel - mean) / deviation).clamp(-LIMIT, LIMIT)

    def power(self, samples: Tensor) -> Tensor:
        """Mel power (B, M, N / HOP); silence is assumed around the samples."""
        spectrum = torch.stft(
            samples, FFT_SIZE, HOP, WINDOW, self.window, center=True, pad_mode="constant", return_complex=True
        )[:, :, :-1]
        # A constant part of the samples would leak into the lowest bands; this removes it from each window.
        spectrum = spectrum - spectrum[:, :1] * self.constant
        return torch.einsum("bft,fm->bmt", spectrum.real**2 + spectrum.imag**2, self.filters)


class ConvolutionBlock(nn.Module):
    """Gated depthwise convolution, optional self-attention, feed-forward; each residual (Conformer-like)."""

    def __init__(self, dim: int, num_heads: int, kernel_size: int, feedforward_dim: int, attention: bool) -> None:
        super().__init__()
        self.conv_norm = nn.LayerNorm(dim)
        self.conv_in = nn.Linear(dim, 2 * dim)
        self.depthwise = nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2, groups=dim)
        self.depthwise_norm = nn.LayerNorm(dim)
        self.conv_out = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(0.0)  # training sets its rate; no part of the architecture
        self.num_heads = num_heads
        self.attention = attention
        if attention:
            self.attention_norm = nn.LayerNorm(dim)
            self.attention_in = nn.Linear(dim, 3 * dim)
            self.attention_out = nn.Linear(dim, dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.feedforward_in = nn.Linear(dim, feedforward_dim)
        self.feedforward_out = nn.Linear(feedforward_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, dim) -> (B, T, dim)."""
        hidden = F.glu(self.conv_in(self.conv_norm(x)), -1)
        hidden = self.depthwise(hidden.transpose(1, 2)).transpose(1, 2)
        x = x + self.dropout(self.conv_out(F.silu(self.depthwise_norm(hidden))))
        if self.attention:
            B, T, D = x.shape
            packed = self.attention_in(self.attention_norm(x)).view(B, T, 3, self.num_heads, D // self.num_heads)
            query, key, value = packed.permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(query, key, value)
            x = x + self.dropout(self.attention_out(mixed.transpose(1, 2).reshape(B, T, D)))
        return x + self.dropout(self.feedforward_out(F.silu(self.feedforward_in(self.feedforward_norm(x)))))


class LogMelEncoder(AudioEncoder):
    """Waveform to features at 25 fps, and phone logits at 50 Hz on the way.

    A convolution stem reduces the spectrogram to 25 Hz; `num_blocks` blocks follow, every second one with attention.
    The phone head then gives the posteriors of two phones per frame. They, or given phones, are embedded and added to
    the features, so that the phones reach the motion directly; `num_motion_blocks` blocks, all with attention, follow.
    """

    def __init__(self, config: LogMelEncoderConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim

        def block(attention: bool) -> ConvolutionBlock:
            feedforward_dim = config.feedforward_ratio * dim
            return ConvolutionBlock(dim, config.num_heads, config.kernel_size, feedforward_dim, attention)

        self.spectrogram = LogMelSpectrogram(config.num_mels)
        self.stem = nn.ModuleList(
            [
                nn.Conv1d(config.num_mels, dim, 5, padding=2),
                nn.Conv1d(dim, dim, 4, stride=2, padding=1),
                nn.Conv1d(dim, dim, 4, stride=2, padding=1),
            ]
        )
        self.blocks = nn.ModuleList(block(attention=i % 2 == 1) for i in range(config.num_blocks))
        self.phone_norm = nn.LayerNorm(dim)
        self.phone_head = nn.Linear(dim, PHONES_PER_FRAME * config.num_phones)
        self.phone_embedding = nn.Linear(PHONES_PER_FRAME * config.num_phones, dim, bias=False)
        self.motion_blocks = nn.ModuleList(block(attention=True) for _ in range(config.num_motion_blocks))
        self.output_norm = nn.LayerNorm(dim)

    def log_mel(self, samples: Tensor, num_frames: int, statistics: LogMelStatistics | None = None) -> Tensor:
        """Spectrogram of exactly `num_frames` frames and `padding_frames` of silence before and after them.

        The silence is the context of a sound at the edge of the clip: a p at the beginning is encoded like one after a
        pause.

        Args:
            samples: (B, N) at 16 kHz. Cut or padded with zeros to num_frames * 640.
            num_frames: frames of motion.
            statistics: statistics of the clip from the frame on at which the samples, a window of it, begin
                (`LogMelStatistics.from_frame`); if None, each item is a whole clip.

        Returns:
            (B, num_mels, 4 * (num_frames + 2 * padding_frames)).
        """
        wanted = num_frames * FRAME_SAMPLES
        samples = F.pad(samples[:, :wanted], (0, max(0, wanted - samples.shape[1])))
        margin = self.config.padding_frames * FRAME_SAMPLES
        return self.spectrogram(
            F.pad(samples, (margin, margin)), statistics, 0 if statistics is None else -margin // HOP
        )

    def encode_log_mel(self, mel: Tensor, phones: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features (B, T, dim) at 25 fps and phone logits (B, 2 T, classes) of a spectrogram from `log_mel`.

        Args:
            mel: from `log_mel`.
            phones: (B, 2 T, classes) given phones, from a transcript: rows that sum to 1 replace the posteriors, rows
                of zeros keep them.
        """
        hidden = mel
        for layer in self.stem:
            hidden = F.gelu(layer(hidden))
        hidden = hidden.transpose(1, 2)  # (B, T with padding, dim)
        for layer in self.blocks:
            hidden = layer(hidden)
        hidden = self.phone_norm(hidden)
        logits = self.phone_head(hidden).unflatten(-1, (PHONES_PER_FRAME, self.config.num_phones))
        posteriors, margin = logits.softmax(-1), self.config.padding_frames
        if phones is not None:
            given = F.pad(phones.unflatten(1, (-1, PHONES_PER_FRAME)), (0, 0, 0, 0, margin, margin))
            posteriors = torch.where(given.sum(-1, keepdim=True) > 0.5, given, posteriors)
        hidden = hidden + self.phone_embedding(posteriors.flatten(-2))
        for layer in self.motion_blocks:
            hidden = layer(hidden)
        real = slice(margin, hidden.shape[1] - margin)
        return self.output_norm(hidden)[:, real], logits[:, real].flatten(1, 2)

    def encode_warped(self, mel: Tensor, phones: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features (B, T, dim) and phone posteriors (B, 2 T, classes), normalised for the length of the vocal tract.

        A longer tract has lower formants. The spectrogram is encoded once per warp factor (`tract_lengths`), and the
        results averaged; the factors with the least entropy of the phone posteriors count most (`WARP_TEMPERATURE`).
        Lee & Rose, "Speaker normalization using efficient frequency warping procedures" (1996), choose one factor.

        Args:
            mel: from `log_mel`.
            phones: see `encode_log_mel`.
        """
        count, (clips, mels, _) = len(self.config.tract_lengths), mel.shape
        steps = 1 / torch.tensor(self.config.tract_lengths, device=mel.device)
        position = steps[:, None] * torch.arange(mels, device=mel.device)
        warped = warp_mels(mel.repeat(count, 1, 1), position.repeat_interleave(clips, 0))
        given = None if phones is None else phones.repeat(count, 1, 1)
        features, logits = self.encode_log_mel(warped, given)
        posteriors = logits.softmax(-1)
        entropy = -(posteriors * logits.log_softmax(-1)).sum(-1).mean(1).unflatten(0, (count, clips))
        weights = (-entropy / WARP_TEMPERATURE).softmax(0)[..., None, None]
        averages = [(weights * each.unflatten(0, (count, clips))).sum(0) for each in (features, posteriors)]
        return averages[0], averages[1]

    def forward(
        self,
        samples: Tensor,
        num_frames: int,
        statistics: LogMelStatistics | None = None,
        phones: Tensor | None = None,
    ) -> Tensor:
        """Features (B, T, dim) of samples (B, N) at 16 kHz; see `log_mel` and `encode_log_mel` for the rest."""
        return self.encode_warped(self.log_mel(samples, num_frames, statistics), phones)[0]

    def phone_posteriors(self, samples: Tensor, num_frames: int, statistics: LogMelStatistics | None = None) -> Tensor:
        """Probabilities (B, 2 T, num_phones) of the phone classes at 50 Hz, of samples (B, N) at 16 kHz."""
        return self.encode_warped(self.log_mel(samples, num_frames, statistics))[1]

    def clip_statistics(self, samples: Tensor) -> LogMelStatistics:
        """Statistics of samples (N,), in pieces; the mel power of an hour of speech takes 90 MB."""
        context = 4 * HOP  # as far as the window of a piece's first and last frame reaches
        pieces = []
        for start in range(0, max(len(samples), 1), PIECE):
            before = min(start, context)
            piece = samples[start - before : start + PIECE + context]
            power = self.spectrogram.power(F.pad(piece, (0, -len(piece) % HOP))[None])
            pieces.append(power[..., before // HOP : (before + PIECE) // HOP])
        return measure_log_mel(torch.cat(pieces, dim=2)[0].numpy(force=True))
