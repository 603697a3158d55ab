"""Menus of installed models and of speakers, over the text properties `model` and `speaker` that scripts set."""

from __future__ import annotations

import functools
from pathlib import PurePath
from typing import Any

import bpy

from . import model_info

_Item = tuple[str, str, str]


def model_choice_property() -> Any:
    """A menu of the installed models, and of the folder that is chosen now."""
    return bpy.props.EnumProperty(
        name="Model",
        description="Speech model",
        items=lambda self, context: _model_items(model_info.model_names(), self.model),
        get=lambda self: _place(_model_items(model_info.model_names(), self.model), self.model),
        set=_choose_model,
        options={"SKIP_SAVE"},
    )


def speaker_choice_property() -> Any:
    """A menu of the model's speakers."""
    return bpy.props.EnumProperty(
        name="Speaker",
        description="Whose way of speaking",
        items=lambda self, context: _speaker_items(model_info.model_info(self.model).speakers),
        get=lambda self: _place(_speaker_items(model_info.model_info(self.model).speakers), self.speaker),
        set=_choose_speaker,
        options={"SKIP_SAVE"},
    )


def _choose_model(self: Any, number: int) -> None:
    self.model = _model_items(model_info.model_names(), self.model)[number][0]


def _choose_speaker(self: Any, number: int) -> None:
    self.speaker = _speaker_items(model_info.model_info(self.model).speakers)[number][0]


# Blender keeps no reference to the texts of computed items: these caches do.
@functools.lru_cache(maxsize=64)
def _model_items(names: tuple[str, ...], chosen: str) -> list[_Item]:
    others = [] if chosen in names else [chosen]
    return [(name, PurePath(name).name or name, name) for name in (*names, *others)]


@functools.lru_cache(maxsize=64)
def _speaker_items(names: tuple[str, ...]) -> list[_Item]:
    return [(name, name, "") for name in names] or [("NONE", "None", "The model cannot be used")]


def _place(items: list[_Item], chosen: str) -> int:
    """Number of the chosen item; the first if it is none of them."""
    return next((number for number, item in enumerate(items) if item[0] == chosen), 0)
