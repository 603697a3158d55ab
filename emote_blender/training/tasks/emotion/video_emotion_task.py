"""Training of the video emotion network on the features of MEAD's real videos, as published (spec/EMOTE.md 7):
`train emotion --config video_emotion_mead`. `emotion_task` trains it on films of the generated corpus instead."""

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
    """`[model]`: the network, in `[model.video]`."""

    video: VideoEmotionConfig = VideoEmotionConfig()

    def __post_init__(self) -> None:
        wanted = len(EMOTIONS), NUM_INTENSITIES
        if (self.video.num_expressions, self.video.num_intensities) != wanted:
            raise ValueError("video: MEAD needs num_expressions = {} and num_intensities = {}".format(*wanted))


@dataclass(frozen=True)
class VideoEmotionSettings:
    """A config file of `train emotion` whose `[data]` is of type "mead"."""

    data: FeatureSettings
    model: VideoEmotionModelSettings = VideoEmotionModelSettings()


class VideoEmotionTask(Task):
    """The network over frames learns the emotion and intensity of a clip.

    Most of MEAD's clips are shorter than a window. The network knows no positions and attends to every frame, so frames
    of padding would dilute a clip's and tell how long it is. Hence they are masked: a clip reads the same alone, in any
    batch, and in the shorter windows that EMOTE's second stage shows it.
    """

    name = "emotion"

    def __init__(
        self,
        settings: VideoEmotionSettings,
        training: FeatureBatches,
        held_out: FeatureBatches,
        initial: Path | None = None,
    ) -> None:
        """initial: a run or checkpoint to go on from."""
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
        """The sum of both cross-entropies."""
        expression, intensity = video_emotion_loss(module(batch.features, batch.valid), batch.emotion, batch.intensity)
        return expression + intensity, {"video_expression": expression, "video_intensity": intensity}

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Means over the held-out clips: `video_loss`, which counts, and its terms; shares of clips whose expression is
        recognised, also for each emotion that is there, and whose intensity is.

        `intensity_accuracy_felt` leaves out neutral, which MEAD has at one level only.
        """
        device = next(module.parameters()).device
        found: dict[str, list[Tensor]] = {}
        for batch in self.held_out.first_epoch(self.settings.data.validation_batches):
            for name, values in _figures(module, batch.to(device)).items():
                found.setdefault(name, []).append(values.float().cpu())
        means = {name: torch.cat(parts) for name, parts in found.items()}
        return {name: float(values.mean()) for name, values in means.items() if len(values)}

    def export(self, module: nn.Module, folder: Path) -> None:
        """Writes the network's folder, which `[perceptual] video_emotion` of EMOTE's configs names."""
        assert isinstance(module, VideoEmotionNetwork)
        save_network(module, folder)


def _figures(module: nn.Module, batch: FeatureBatch) -> dict[str, Tensor]:
    """What `validate` takes the means of, a value per clip that it is about."""
    seen = module(batch.features, batch.valid)
    size = len(batch.emotion)
    expression, intensity = video_emotion_loss(seen, batch.emotion, batch.intensity)
    expression_right = seen.expression.argmax(-1) == batch.emotion
    intensity_right = seen.intensity.argmax(-1) == batch.intensity
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
