"""The lip reader: mouth crops to phones. It is trained with CTC on the corpus; the losses use its front end only."""

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
"""CTC's blank is the last output, so that output `c` is phone class `c`."""


@dataclass(frozen=True)
class LipReaderConfig:
    """layers, activation: of the front end, see `VisualFrontEndConfig`. dim, num_layers, num_heads, intermediate_size,
    dropout: of the transformer over time."""

    layers: str = "resnet18"
    activation: str = "relu"
    dim: int = 256
    num_layers: int = 3
    num_heads: int = 4
    intermediate_size: int = 512
    dropout: float = 0.1

    @classmethod
    def tiny(cls) -> LipReaderConfig:
        """About 1 ms per frame on one CPU core."""
        return cls("tiny", dim=64, num_layers=2, num_heads=4, intermediate_size=128, dropout=0.0)


class LipReader(nn.Module):
    """Front end, transformer over time whose heads see by distance (ALiBi), linear head over phones and blank."""

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
        """Front-end features (B, T, D) of grey mouth crops (B, T, 96, 96) in [0, 1]; see `VisualFrontEnd.features`."""
        return self.front_end.features(crops)

    def forward(self, crops: Tensor) -> Tensor:
        """Log-probabilities (B, T, classes + 1) of crops (B, T, 96, 96): phone classes, then CTC's blank."""
        return self.head(self.encoder(self.projection(self.features(crops)))).log_softmax(-1)


@dataclass(frozen=True, eq=False)
class CTCTargets:
    """What is said in B clips. phones: (N,) int64, sequences one after the other; lengths: (B,) int64."""

    phones: Tensor
    lengths: Tensor


def ctc_targets(labels: Tensor) -> CTCTargets:
    """Phone sequences of labels (B, L) at 50 Hz: each run of one class is one phone.

    A silence counts as a phone. Two equal phones in a row look like one, here as on a face.
    """
    sequences = [torch.unique_consecutive(row) for row in labels]
    lengths = torch.tensor([len(sequence) for sequence in sequences], dtype=torch.int64, device=labels.device)
    return CTCTargets(torch.cat(sequences), lengths)


def ctc_loss(log_probabilities: Tensor, targets: CTCTargets) -> Tensor:
    """Mean over clips of -log p(phones), divided by the number of phones (Graves et al. 2006).

    A clip with more phones than frames can say has no alignment and counts as zero.
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
    """Cross-entropy of the phones alone, blank aside, against labels (B, 2 T) at 50 Hz, two for each frame.

    It says when each phone is seen, which CTC has to find out; with few training steps that makes the difference.
    """
    phones = log_probabilities[..., :BLANK].log_softmax(-1)
    pairs = labels.unflatten(1, (-1, 2))  # (B, T, 2)
    return -phones.gather(-1, pairs).mean()


def greedy_decode(log_probabilities: Tensor) -> list[list[int]]:
    """Phone classes of each clip of (B, T, classes + 1): each frame's likeliest, repeats joined, blanks removed."""
    best = log_probabilities.argmax(-1)
    return [[int(c) for c in torch.unique_consecutive(row) if c != BLANK] for row in best]


def edit_distance(found: Sequence[int], wanted: Sequence[int]) -> int:
    """Fewest insertions, deletions and replacements that turn one sequence into the other (Levenshtein 1966)."""
    row = list(range(len(wanted) + 1))
    for i, one in enumerate(found, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(wanted, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (one != other))
    return row[-1]


def phone_error_rate(found: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]]) -> float:
    """Edits per wanted phone over all clips, silences left out of both; 0 is perfect, and more than 1 is possible."""
    pairs = [
        ([c for c in f if c != SILENCE], [c for c in w if c != SILENCE]) for f, w in zip(found, wanted, strict=True)
    ]
    return sum(edit_distance(f, w) for f, w in pairs) / max(1, sum(len(w) for _, w in pairs))
