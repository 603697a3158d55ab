"""From a config file to the task object that the trainer runs."""

from __future__ import annotations

from collections.abc import Mapping

from ..run.config import RunConfig
from ..run.task import RunInputs, Task


def make_task(config: RunConfig, inputs: RunInputs) -> Task:
    """The task that a config names, one of `config.TASKS`."""
    return _task_class(config).from_config(config.tables, inputs)


def _task_class(config: RunConfig) -> type[Task]:
    """The class of a config's task; imported here, so that a run loads no code of the other tasks."""
    match config.task:
        case "flint":
            from .flint.flint_task import FLINTTask

            return FLINTTask
        case "emotion" if _is_on_mead(config):
            from .emotion.video_emotion_task import VideoEmotionTask

            return VideoEmotionTask
        case "emotion":
            from .emotion.emotion_task import EmotionTask

            return EmotionTask
        case "lips":
            from .lips.lips_task import LipsTask

            return LipsTask
        case "encoder":
            from .encoder.encoder_task import EncoderTask

            return EncoderTask
        case "emote":
            from .emote.emote_task import EMOTETask

            return EMOTETask
    raise ValueError(f"unknown task {config.task!r}")


def _is_on_mead(config: RunConfig) -> bool:
    """True if only the network over frames is trained, on MEAD's features of real videos."""
    data = config.tables.get("data")
    return isinstance(data, Mapping) and data.get("type") == "mead"
