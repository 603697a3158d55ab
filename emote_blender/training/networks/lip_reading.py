"""The lip reader, from mouth crops to phones, trained with CTC on the corpus. The losses use its front end only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...emote.attention import TransformerEncoder
from ..corpus.phones import CLASSES, SILENCE
from .visual_front_end import VisualFrontEnd, VisualFrontEndConfig

BLANK = len(CLASSES)
"""CTC's blank is the last class, so that class `c` is phone class `c`."""


@dataclass(frozen=True)
class LipReaderConfig:
    """Sizes of the lip reader.

    Attributes:
        layers: of the front end, see `VisualFrontEndConfig`.
        activation: of the front end, see `VisualFrontEndConfig`.
        dim: width of the transformer over time.
        num_layers: its layers.
        num_heads: its attention heads.
        intermediate_size: width of its feed-forward layers.
        dropout: its dropout probability in training.
    """

    layers: str = "resnet18"
    activation: str = "relu"
    dim: int = 256
    num_layers: int = 3
    num_heads: int = 4
    intermediate_size: int = 512
    dropout: float = 0.1

    @classmethod
    def tiny(cls) -> LipReaderConfig:
        """Sizes with which a frame takes about 1 ms on one CPU core."""
        return cls("tiny", dim=64, num_layers=2, num_heads=4, intermediate_size=128, dropout=0.0)


class LipReader(nn.Module):
    """A visual front end, a transformer over time with ALiBi, and a linear head for phones and blank."""

    def __init__(self, config: LipReaderConfig) -> None:
        super().__init__()
        self.config = config
        self.front_end = VisualFrontEnd(VisualFrontEndConfig(config.layers, config.activation))
        self.projection = nn.Linear(self.front_end.config.feature_dim, config.dim)
        self.encoder = TransformerEncoder(
            config.num_layers, config.dim, config.num_heads, config.intermediate_size, config.dropout
        )
        self.head = nn.Linear(config.dim, len(CLASSES) + 1)

    def features(self, crops: Tensor) -> Tensor:
        """Front-end features (B, T, D) of grey mouth crops (B, T, 96, 96); see `VisualFrontEnd.features`."""
        return self.front_end.features(crops)

    def forward(self, crops: Tensor) -> Tensor:
        """Log-probabilities (B, T, classes + 1) of the phone classes and CTC's blank, for crops (B, T, 96, 96)."""
        return self.head(self.encoder(self.projection(self.features(crops)))).log_softmax(-1)


@dataclass(frozen=True, eq=False)
class CTCTargets:
    """The phone sequences of B clips.

    Attributes:
        phones: (N,) int64, the sequences one after the other.
        lengths: (B,) int64, their lengths.
    """

    phones: Tensor
    lengths: Tensor


def ctc_targets(labels: Tensor) -> CTCTargets:
    """The phone sequences of labels (B, L) at 50 Hz: each run of one class is one phone.

    A silence counts as a phone. Two equal phones in a row count as one; they look the same on a face.
    """
    sequences = [torch.unique_consecutive(row) for row in labels]
    lengths = torch.tensor([len(sequence) for sequence in sequences], dtype=torch.int64, device=labels.device)
    return CTCTargets(torch.cat(sequences), lengths)


def ctc_loss(log_probabilities: Tensor, targets: CTCTargets) -> Tensor:
    """The mean over clips of -log p(phones) divided by the number of phones (Graves et al. 2006).

    A clip with more phones than frames cannot be aligned and counts as zero.
    """
    frames = torch.full((len(log_probabilities),), log_probabilities.shape[1], dtype=torch.int64)
    return F.ctc_loss(
        log_probabilities.transpose(0, 1),
        targets.phones,
        frames.to(log_probabilities.device),
        targets.lengths,
        blank=BLANK,
        zero_infinity=True,
    )


def frame_loss(log_probabilities: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of the phones, without the blank, for labels (B, 2 T) at 50 Hz, two per frame.

    It gives the time of each phone, which CTC has to find by itself. This matters when the training is short.
    """
    phones = log_probabilities[..., :BLANK].log_softmax(-1)
    pairs = labels.unflatten(1, (-1, 2))  # (B, T, 2)
    return -phones.gather(-1, pairs).mean()


def greedy_decode(log_probabilities: Tensor) -> list[list[int]]:
    """The phone classes of each clip: the most probable class of each frame, with repeats merged and blanks removed."""
    best = log_probabilities.argmax(-1)
    return [[int(c) for c in torch.unique_consecutive(row) if c != BLANK] for row in best]


def edit_distance(found: Sequence[int], wanted: Sequence[int]) -> int:
    """The fewest insertions, deletions and replacements that turn one sequence into the other (Levenshtein 1966)."""
    row = list(range(len(wanted) + 1))
    for i, one in enumerate(found, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(wanted, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (one != other))
    return row[-1]


def phone_error_rate(found: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]]) -> float:
    """The number of edits per wanted phone over all clips, without silences; 0 is perfect, and it can exceed 1."""
    pairs = [
        ([c for c in f if c != SILENCE], [c for c in w if c != SILENCE]) for f, w in zip(found, wanted, strict=True)
    ]
    return sum(edit_distance(f, w) for f, w in pairs) / max(1, sum(len(w) for _, w in pairs))
