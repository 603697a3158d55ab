"""The batch that a training step takes, from any source: generated corpus, MEAD, or a folder of motions."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from torch import Tensor

LABELS_PER_FRAME = 2  # phone labels at 50 Hz


@dataclass(frozen=True, eq=False)
class ClipBatch:
    """B clips of T frames at 25 fps; what a source does not know is None.

    Attributes:
        samples: (B, 640 T) waveforms at 16 kHz in [-1, 1].
        motion: (B, T, E + 3) expression coefficients, then jaw axis-angle in radians.
        condition: (B, T, C) emotion, intensity and speaker columns, as `EMOTE.latents` takes them.
        valid: (B, T) bool; False where a clip was padded or no face was found.
        mel: (B, M, L) augmented spectrogram, used instead of the samples.
        labels: (B, 2 T) int64 phone classes at 50 Hz.
        phones: (B, 2 T, classes) given phones, one-hot, as from a transcript; rows of zeros where none are given.
        articulation: (B, T, 7) channels of `corpus.motion.articulation`.
        shape: (B, S) identity coefficients.
        emotion_features: (B, T, D) features of each frame of the real video, from the emotion network.
        emotion: (B,) int64 index into `emotion.EMOTIONS`, of the whole clip.
        intensity: (B,) int64, 0 (mild) to 2 (high), of the whole clip.
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
        """The tensors that are not None, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}

    def to(self, device) -> ClipBatch:
        """The batch on a device."""
        return replace(self, **{name: value.to(device) for name, value in self.tensors().items()})
