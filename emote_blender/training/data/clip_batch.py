"""What one training step needs, wherever it comes from: generated corpus, MEAD, or a folder of motions."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from torch import Tensor

LABELS_PER_FRAME = 2  # phone labels at 50 Hz


@dataclass(frozen=True, eq=False)
class ClipBatch:
    """B clips of T frames at 25 fps; what a source does not know is None.

    samples: (B, 640 T) waveforms at 16 kHz in [-1, 1].
    motion: (B, T, E + 3) expression coefficients, then jaw axis-angle in radians.
    condition: (B, T, C) emotions, intensities, speakers, as `EMOTE.latents` takes it.
    valid: (B, T) bool; False where a clip was padded or its face was not seen.
    mel: (B, M, L) spectrogram that takes the place of the samples, augmented.
    labels: (B, 2 T) int64 phone classes at 50 Hz.
    phones: (B, 2 T, classes) what a transcript would tell the encoder, rows of zeros where it tells nothing.
    articulation: (B, T, 7) channels of `corpus.articulation`.
    shape: (B, S) identity coefficients.
    emotion_features: (B, T, D) per frame of the real video, from the emotion network.
    emotion, intensity: (B,) int64 class of the whole clip.
    """

    samples: Tensor
    motion: Tensor
    condition: Tensor
    valid: Tensor
    mel: Tensor | None = None
    labels: Tensor | None = None
    phones: Tensor | None = None
    articulation: Tensor | None = None
    shape: Tensor | None = None
    emotion_features: Tensor | None = None
    emotion: Tensor | None = None
    intensity: Tensor | None = None

    def tensors(self) -> dict[str, Tensor]:
        """What is known, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}

    def to(self, device) -> ClipBatch:
        """The batch on a device."""
        return replace(self, **{name: value.to(device) for name, value in self.tensors().items()})
