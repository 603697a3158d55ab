"""What the panel shows of models: names, speakers, face, licence. Read from disk on a change, never while drawing."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import bpy

from ...errors import EmoteError
from ...files.paths import available_heads, available_models, find_model
from ..blend_paths import absolute
from ..scene import changes


@dataclass(frozen=True)
class ModelInfo:
    """What the panel shows of a speech model.

    Attributes:
        face: basis of the heads that it can move; empty if the model cannot be used.
        licence: its licence.
        speakers: names of its speakers.
        problem: why it cannot be used; empty if it can.
        num_expression: number of its expression components.
        expression_names: names of the components, or None.
        uses_transcript: whether it can use a transcript.
    """

    face: str = ""
    licence: str = ""
    speakers: tuple[str, ...] = ()
    problem: str = ""
    num_expression: int = 0
    expression_names: tuple[str, ...] | None = None
    uses_transcript: bool = False


def model_info(name_or_path: str) -> ModelInfo:
    """What a model's folder says, for the name or path in a field; cached until `refresh`."""
    try:
        return _read_info(absolute(name_or_path))
    except EmoteError as error:
        return ModelInfo(problem=str(error))


@functools.lru_cache(maxsize=16)
def _read_info(name_or_path: str) -> ModelInfo:
    """What a model's folder says. Paths are absolute here, since `//` is another folder in another .blend."""
    from ...pipeline import uses_transcript
    from ...speech_model.config import load_config

    try:
        config = load_config(find_model(name_or_path))
    except EmoteError as error:
        return ModelInfo(problem=str(error))
    return ModelInfo(
        config.face,
        config.licence,
        config.speakers,
        num_expression=config.num_expression,
        expression_names=config.expression_names,
        uses_transcript=uses_transcript(config),
    )


@functools.cache
def model_names() -> tuple[str, ...]:
    """Names of the installed models; cached until `refresh`."""
    return tuple(available_models())


@functools.cache
def head_names() -> tuple[str, ...]:
    """Names of the installed heads; cached until `refresh`."""
    return tuple(available_heads())


def refresh() -> None:
    """Clear the cache, so that models and heads are read from disk when they are next needed."""
    for cached in (_read_info, model_names, head_names):
        cached.cache_clear()
    changes.note()


def search_models(settings: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> list[str]:
    """The installed models whose names contain a text, for a search field of settings."""
    return [name for name in model_names() if text.lower() in name.lower()]


def search_speakers(settings: Any, context: bpy.types.Context, text: str) -> list[str]:
    """The speakers of the chosen model whose names contain a text, for a search field of settings."""
    return [name for name in model_info(settings.model).speakers if text.lower() in name.lower()]
