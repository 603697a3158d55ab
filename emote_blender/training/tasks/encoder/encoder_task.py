"""`train encoder`: trains a small Wav2Vec 2.0 stack from random weights, as a start for EMOTE.

The convolutions first learn to predict the log-mel spectrogram, most of what a short training can extract from a
waveform. Then the transformer above them learns the phones of the corpus (spec/DEFAULT_MODEL.md, "What mattered"). The
result is a Hugging Face folder for `[start] audio_encoder`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....emote.log_mel import LogMelSpectrogram
from ....emote.wav2vec2 import VARIANCE_FLOOR, Wav2Vec2Encoder
from ....speech_model.config import LogMelEncoderConfig, Wav2Vec2EncoderConfig
from ...corpus import phones
from ...data.clip_batch import LABELS_PER_FRAME, ClipBatch
from ...data.corpus.parts import find_parts
from ...data.corpus.speech_batches import BatchSource, DrawSettings, SpeechBatches
from ...run.config import build_settings
from ...run.task import RunInputs, Task


@dataclass(frozen=True)
class EncoderData:
    """`[data]`: prepared parts of the corpus below `--data`.

    Attributes:
        shares: sampling weight of each training part.
        validation: the held-out part.
        batch_size: windows in a batch.
        num_frames: frames of a window.
        amount: see `speech_batches.DrawSettings`.
        validation_batches: number of held-out batches.
    """

    shares: dict[str, float]
    validation: str
    batch_size: int = 16
    num_frames: int = 96
    amount: float = 0.3
    validation_batches: int = 4


@dataclass(frozen=True)
class EncoderSettings:
    """A config file of `train encoder`.

    Attributes:
        encoder: the architecture.
        data: the corpus.
        mel_weight: weight of the spectrogram's error.
        phones_from: first step at which the phones' error counts.
        num_mels: bands of the spectrogram.
    """

    encoder: Wav2Vec2EncoderConfig
    data: EncoderData
    mel_weight: float = 1.0
    phones_from: int = 300
    num_mels: int = 64


class WarmedEncoder(nn.Module):
    """A Wav2Vec 2.0 encoder and two auxiliary linear heads."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        config = settings.encoder
        self.spectrogram = LogMelSpectrogram(settings.num_mels)
        self.encoder = Wav2Vec2Encoder(config)
        self.mel_head = nn.Linear(config.conv_dim[-1], settings.num_mels)
        self.phone_head = nn.Linear(config.dim, LABELS_PER_FRAME * len(phones.CLASSES))

    def terms(self, batch: ClipBatch) -> dict[str, Tensor]:
        """The terms: `mel` (smooth L1 error at 50 Hz), `phones` (cross-entropy), `phone_error` (fraction wrong)."""
        if batch.labels is None:
            raise ValueError("a batch of the corpus is needed: this one has no labels")
        frames = batch.motion.shape[1]
        samples = batch.samples
        variance = samples.var(dim=1, keepdim=True, correction=0)
        normalized = (samples - samples.mean(dim=1, keepdim=True)) / torch.sqrt(variance + VARIANCE_FLOOR)
        convolved = self.encoder.model.feature_extractor(normalized)  # (B, C, about 2 T)
        steps = F.interpolate(convolved, size=2 * frames, mode="linear", align_corners=True)
        mel = self.mel_head(steps.transpose(1, 2))  # (B, 2 T, M)
        wanted = self.spectrogram(samples).unflatten(-1, (-1, 2)).mean(-1).transpose(1, 2)
        features = F.interpolate(convolved, size=frames, mode="linear", align_corners=True)
        hidden, _ = self.encoder.model.feature_projection(features.transpose(1, 2))
        hidden = self.encoder.model.encoder(self.encoder.model._mask_hidden_states(hidden)).last_hidden_state
        logits = self.phone_head(hidden).unflatten(-1, (LABELS_PER_FRAME, -1)).flatten(1, 2)  # (B, 2 T, classes)
        return {
            "mel": F.smooth_l1_loss(mel, wanted),
            "phones": F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), label_smoothing=0.05),
            "phone_error": (logits.argmax(-1) != batch.labels).float().mean(),
        }


class EncoderTask(Task):
    """Trains the encoder as the module's docstring describes.

    Args:
        settings: the config file.
        inputs: what the command line gives.

    Raises:
        InputError: the data is missing.
    """

    name = "encoder"

    def __init__(self, settings: EncoderSettings, inputs: RunInputs) -> None:
        self.settings = settings
        data, folder = settings.data, inputs.data_folder("the folder of the prepared corpus")
        mel = LogMelEncoderConfig(num_mels=settings.num_mels)
        plain = DrawSettings(batch_size=data.batch_size, num_frames=data.num_frames, amount=0.0)
        shares = tuple(data.shares.values())
        held_out = BatchSource(find_parts(folder, (data.validation,)), (1.0,), mel, plain)
        augmented = replace(plain, amount=data.amount)
        trained = BatchSource(find_parts(folder, tuple(data.shares)), shares, mel, augmented, inputs.seed)
        self._trained, self._validation = SpeechBatches(trained), SpeechBatches(held_out)

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> EncoderTask:
        """The task of a config file; see `Task.from_config`."""
        return cls(build_settings(EncoderSettings, tables, inputs.config), inputs)

    def modules(self) -> WarmedEncoder:
        """A new encoder with its heads."""
        return WarmedEncoder(self.settings)

    def batch(self, number: int) -> ClipBatch:
        """Training batch `number`."""
        return self._trained[number]

    def loss(self, module: nn.Module, batch: ClipBatch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum of the terms (phones count from `phones_from` on), and the terms by name."""
        assert isinstance(module, WarmedEncoder)
        terms = module.terms(batch)
        phones_weight = 1.0 if step >= self.settings.phones_from else 0.0
        return self.settings.mel_weight * terms["mel"] + phones_weight * terms["phones"], terms

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Means over the validation batches; `phones` comes first and selects the best checkpoint."""
        assert isinstance(module, WarmedEncoder)
        device, count = next(module.parameters()).device, self.settings.data.validation_batches
        rows = [module.terms(self._validation[number].to(device)) for number in range(count)]
        return {
            name: float(torch.stack([row[name] for row in rows]).mean()) for name in ("phones", "phone_error", "mel")
        }

    def export(self, module: nn.Module, folder: Path) -> None:
        """Write a Hugging Face folder: config.json and model.safetensors of the Wav2Vec 2.0 model."""
        assert isinstance(module, WarmedEncoder)
        module.encoder.model.save_pretrained(folder)
