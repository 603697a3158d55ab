"""The choices that a scene remembers: head, sound, transcript; and model, speaker, emotion, intensity for its heads.

Each head has a model, a speaker and an emotion of its own (`head_settings`). Those here stay for scripts: what is set
here is copied to the scene's heads.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy

from ...emotion import DEFAULT_EMOTION, DEFAULT_INTENSITY, MAX_INTENSITY
from ...files.paths import DEFAULT_HEAD, DEFAULT_MODEL
from ..head.rig import is_head
from ..scene.strips import sound_strips, strip_scene
from ..settings.transcript import language_property, transcript_property
from . import model_info
from .head_copy import copy_to_heads
from .head_settings import EMOTION_ITEMS


def _is_head(self: EMOTE_PG_settings, candidate: bpy.types.Object) -> bool:
    return is_head(candidate)


def _strip_names(self: EMOTE_PG_settings, context: bpy.types.Context, text: str) -> list[str]:
    return [strip.name for strip in sound_strips(strip_scene(context)) if text.lower() in strip.name.lower()]


def _model_names(self: EMOTE_PG_settings, context: bpy.types.Context, text: str) -> list[str]:
    return [name for name in model_info.model_names() if text.lower() in name.lower()]


def _head_names(self: EMOTE_PG_settings, context: bpy.types.Context, text: str) -> list[str]:
    return [name for name in model_info.head_names() if text.lower() in name.lower()]


def _speaker_names(self: EMOTE_PG_settings, context: bpy.types.Context, text: str) -> list[str]:
    return [name for name in model_info.model_info(self.model).speakers if text.lower() in name.lower()]


def _model_changed(self: EMOTE_PG_settings, context: bpy.types.Context) -> None:
    model_info.refresh()
    if self.speaker and self.speaker not in model_info.model_info(self.model).speakers:
        self.speaker = ""
    copy_to_heads(self, "model")


def _copied(name: str) -> Callable[[EMOTE_PG_settings, bpy.types.Context], None]:
    return lambda self, context: copy_to_heads(self, name)


# Not stored in the file: an error of an earlier sitting says nothing about this one.
_last_results: dict[int, str] = {}


def _last_result(self: EMOTE_PG_settings) -> str:
    return _last_results.get(self.id_data.session_uid, "")


def _set_last_result(self: EMOTE_PG_settings, sentence: str) -> None:
    _last_results[self.id_data.session_uid] = sentence


class EMOTE_PG_settings(bpy.types.PropertyGroup):
    """The settings of a scene, which the panel shows and the Generate button uses."""

    head: bpy.props.PointerProperty(
        name="Head",
        description="Head that speaks; empty for the active one, or the only one",
        type=bpy.types.Object,
        poll=_is_head,
    )
    new_head: bpy.props.StringProperty(
        name="New Head",
        description="Head to add: one that is installed, or a head folder",
        default=DEFAULT_HEAD,
        search=_head_names,
        search_options={"SUGGESTION"},
    )
    source: bpy.props.EnumProperty(
        name="Sound",
        description="Where the speech comes from",
        items=[
            ("STRIP", "Strip", "A sound strip of the Video Sequencer: its audible part, at its place on the timeline"),
            ("FILE", "File", "A sound file"),
        ],
    )
    strip: bpy.props.StringProperty(
        name="Strip",
        description="Sound strip to speak; empty for the active one, or the only one",
        search=_strip_names,
        search_options={"SUGGESTION"},
    )
    audio: bpy.props.StringProperty(
        name="File",
        description="Sound file to speak: wav, flac, ogg, mp3, or what else Blender can play",
        subtype="FILE_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    frame_start: bpy.props.IntProperty(
        name="Start Frame",
        description="Frame at which the file's sound begins",
        default=1,
        min=-1048574,
        max=1048574,
    )
    model: bpy.props.StringProperty(
        name="Model",
        description="Speech model: one that is installed, or a model folder",
        default=DEFAULT_MODEL,
        search=_model_names,
        search_options={"SUGGESTION"},
        update=_model_changed,
    )
    emotion: bpy.props.EnumProperty(
        name="Emotion",
        description="What the voice feels",
        items=EMOTION_ITEMS,
        default=DEFAULT_EMOTION.upper(),
        update=_copied("emotion"),
    )
    intensity: bpy.props.FloatProperty(
        name="Intensity",
        description="How strongly it is felt: 0 mild, 1 medium, 2 high",
        default=DEFAULT_INTENSITY,
        min=0.0,
        max=MAX_INTENSITY,
        precision=2,
        step=10,
        update=_copied("intensity"),
    )
    transcript: transcript_property(set())  # of the sound file; a strip has its own
    language: language_property(set())
    speaker: bpy.props.StringProperty(
        name="Speaker",
        description="Whose way of speaking, one of the model's; empty for its first",
        search=_speaker_names,
        search_options={"SUGGESTION"},
        update=_copied("speaker"),
    )
    last_result: bpy.props.StringProperty(
        name="Last Result",
        description="What the last take was, or why there is none",
        get=_last_result,
        set=_set_last_result,
    )


def scene_settings(scene: bpy.types.Scene) -> EMOTE_PG_settings:
    """The settings of a scene."""
    return scene.emote  # type: ignore[attr-defined] # a pointer property that `register` adds
