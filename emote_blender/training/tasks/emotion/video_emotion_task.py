"""The published training of the video emotion network, on features of MEAD's real videos (spec/EMOTE.md 7).

The command is `train emotion --config video_emotion_mead`. `emotion_task` trains the network on rendered pictures of
the generated corpus instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ....emotion import EMOTIONS, NUM_INTENSITIES
from ...data.mead.features import FeatureBatch, FeatureBatches, FeatureSettings, open_features
from ...networks.folder import save_network
from ...networks.video_emotion import VideoEmotionConfig, VideoEmotionNetwork, video_emotion_loss
from ...run.config import build_settings
from ...run.folder import load_weights
from ...run.task import RunInputs, Task


@dataclass(frozen=True)
class VideoEmotionModelSettings:
    """`[model]`: the architecture.

    Attributes:
        video: the network over frames, in `[model.video]`.
    """

    video: VideoEmotionConfig = VideoEmotionConfig()

    def __post_init__(self) -> None:
        wanted = len(EMOTIONS), NUM_INTENSITIES
        if (self.video.num_expressions, self.video.num_intensities) != wanted:
            raise ValueError("video: MEAD needs num_expressions = {} and num_intensities = {}".format(*wanted))


@dataclass(frozen=True)
class VideoEmotionSettings:
    """A config file of `train emotion` whose `[data]` has type "mead"; see the class of each table."""

    data: FeatureSettings
    model: VideoEmotionModelSettings = VideoEmotionModelSettings()


class VideoEmotionTask(Task):
    """Trains the network over frames to recognise the emotion and intensity of a clip.

    Most of MEAD's clips are shorter than a window. The network has no positional encoding and attends to all frames, so
    padded frames would dilute the features and reveal the length of the clip. They are masked: the result for a clip is
    the same alone, in any batch, and in the shorter windows of EMOTE's second stage.

    Args:
        settings: the tables of a config file.
        training: training batches.
        held_out: batches for validation.
        initial: a run or checkpoint to continue from.
    """

    name = "emotion"

    def __init__(
        self,
        settings: VideoEmotionSettings,
        training: FeatureBatches,
        held_out: FeatureBatches,
        initial: Path | None = None,
    ) -> None:
        self.settings, self.training, self.held_out, self.initial = settings, training, held_out, initial

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> VideoEmotionTask:
        """The task of a config file; see `Task.from_config`."""
        settings = build_settings(VideoEmotionSettings, tables, inputs.config)
        folder = inputs.data_folder("the folder of the processed MEAD")
        batches = open_features(folder, settings.data, settings.model.video.feature_dim, inputs.seed)
        return cls(settings, *batches, inputs.init)

    @property
    def num_batches(self) -> int | None:
        """Whole batches in an epoch."""
        return self.training.num_batches

    def modules(self) -> VideoEmotionNetwork:
        """A new network."""
        network = VideoEmotionNetwork(self.settings.model.video)
        if self.initial is not None:
            load_weights(network, self.initial)
        return network

    def batch(self, number: int) -> FeatureBatch:
        """Training batch `number`."""
        return self.training[number]

    def loss(self, module: nn.Module, batch: FeatureBatch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of the two cross-entropies, and both by name."""
        expression, intensity = video_emotion_loss(module(batch.features, batch.valid), batch.emotion, batch.intensity)
        return expression + intensity, {"video_expression": expression, "video_intensity": intensity}

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Means over the held-out clips: `video_loss`, its terms, and the accuracies of expression and intensity.

        The accuracy of expression is also given for each emotion that occurs. `intensity_accuracy_felt` excludes
        neutral, which MEAD has at one level only.
        """
        device = next(module.parameters()).device
        found: dict[str, list[Tensor]] = {}
        for batch in self.held_out.first_epoch(self.settings.data.validation_batches):
            for name, values in _figures(module, batch.to(device)).items():
                found.setdefault(name, []).append(values.float().cpu())
        means = {name: torch.cat(parts) for name, parts in found.items()}
        return {name: float(values.mean()) for name, values in means.items() if len(values)}

    def export(self, module: nn.Module, folder: Path) -> None:
        """Write the network's folder, as `[perceptual] video_emotion` of EMOTE's configs reads it."""
        assert isinstance(module, VideoEmotionNetwork)
        save_network(module, folder)


def _figures(module: nn.Module, batch: FeatureBatch) -> dict[str, Tensor]:
    """The figures of `validate` for each clip that they apply to."""
    found = module(batch.features, batch.valid)
    size = len(batch.emotion)
    expression, intensity = video_emotion_loss(found, batch.emotion, batch.intensity)
    expression_right = found.expression.argmax(-1) == batch.emotion
    intensity_right = found.intensity.argmax(-1) == batch.intensity
    figures = {
        "video_loss": (expression + intensity).expand(size),
        "video_expression": expression.expand(size),
        "video_intensity": intensity.expand(size),
        "expression_accuracy": expression_right,
        "intensity_accuracy": intensity_right,
        "intensity_accuracy_felt": intensity_right[batch.emotion != EMOTIONS.index("neutral")],
    }
    for index, name in enumerate(EMOTIONS):
        figures[f"expression_accuracy_{name}"] = expression_right[batch.emotion == index]
    return figures
