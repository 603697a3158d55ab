"""The choices that a scene remembers: the pinned head, the head to add, and for its heads sound, model and emotion.

Each head has a sound, a model, a speaker and an emotion of its own (`head_settings`). Those here stay for scripts: what
is set here is copied to the scene's heads.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy

from ...emotion import DEFAULT_EMOTION, DEFAULT_INTENSITY, MAX_INTENSITY
from ...files.paths import DEFAULT_HEAD, DEFAULT_MODEL
from ..head.rig import is_head
from ..narrow import present
from ..scene.find_head import choose_head
from . import model_info
from .dialogue_settings import EMOTE_PG_dialogue
from .head_copy import copy_to_heads
from .head_settings import EMOTION_ITEMS, EMOTE_PG_head, head_settings
from .model_choice import model_choice_property, speaker_choice_property
from .sound_settings import audio_property, frame_start_property, source_property, strip_property
from .transcript import (
    cues_property,
    language_property,
    mode_property,
    num_fitting_property,
    num_words_property,
    recognised_property,
    recognition_property,
    transcript_property,
    words_changed,
)
from .video_settings import EMOTE_PG_video


def _is_head(self: EMOTE_PG_settings, candidate: bpy.types.Object) -> bool:
    return is_head(candidate)


def _head_names(self: EMOTE_PG_settings, context: bpy.types.Context, text: str) -> list[str]:
    return [name for name in model_info.head_names() if text.lower() in name.lower()]


def _model_changed(self: EMOTE_PG_settings, context: bpy.types.Context) -> None:
    model_info.refresh()
    if self.speaker and self.speaker not in model_info.model_info(self.model).speakers:
        self.speaker = ""
    copy_to_heads(self, "model")


def _copied(name: str) -> Callable[[EMOTE_PG_settings, bpy.types.Context], None]:
    return lambda self, context: copy_to_heads(self, name)


def _transcript_changed(self: EMOTE_PG_settings, context: bpy.types.Context) -> None:
    words_changed(self, context)
    for name in ("recognised", "recognition", "cues", "transcript"):
        copy_to_heads(self, name)


# Not stored in the file: an error of an earlier sitting says nothing about this one.
# The sentence of each scene, and the head that it is about: session identifiers, 0 for no head in particular.
_last_results: dict[int, tuple[str, int]] = {}


def note_result(scene: bpy.types.Scene, sentence: str, head_uid: int = 0) -> None:
    """Remember what the last take of a scene was, or why there is none, for the panel of the head that it is about."""
    _last_results[scene.session_uid] = sentence, head_uid


def result_about(scene: bpy.types.Scene, head: bpy.types.Object | None) -> str:
    """The last result of a scene; empty if it is about another head."""
    sentence, about = _last_results.get(scene.session_uid, ("", 0))
    return sentence if head is None or about in (0, head.session_uid) else ""


def _last_result(self: EMOTE_PG_settings) -> str:
    return _last_results.get(present(self.id_data).session_uid, ("", 0))[0]


def _set_last_result(self: EMOTE_PG_settings, sentence: str) -> None:
    _last_results[present(self.id_data).session_uid] = sentence, 0


class EMOTE_PG_settings(bpy.types.PropertyGroup):
    """The settings of a scene, which the panel shows and the Generate button uses."""

    head: bpy.props.PointerProperty(
        name="Pinned Head",
        description="Head that speaks whatever is selected; empty for the selected one, or the only one",
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
    dialogue: bpy.props.PointerProperty(
        type=EMOTE_PG_dialogue, name="Dialogue", description="Which strip is spoken by which head"
    )
    video: bpy.props.PointerProperty(type=EMOTE_PG_video, name="Video", description="The video whose face is captured")
    source: source_property(_copied("source"))
    strip: strip_property(_copied("strip"))
    audio: audio_property(_copied("audio"))
    frame_start: frame_start_property(_copied("frame_start"))
    model: bpy.props.StringProperty(
        name="Model",
        description="Speech model: one that is installed, or a model folder",
        default=DEFAULT_MODEL,
        search=model_info.search_models,
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
    model_choice: model_choice_property()
    speaker_choice: speaker_choice_property()
    # The words of the sound file; a strip has its own.
    transcript: transcript_property(set(), _transcript_changed)
    language: language_property(set(), _copied("language"))
    transcript_mode: mode_property(_copied("transcript_mode"))
    recognised: recognised_property()
    recognition: recognition_property()
    cues: cues_property()
    num_words: num_words_property()
    num_fitting: num_fitting_property()
    speaker: bpy.props.StringProperty(
        name="Speaker",
        description="Whose way of speaking, one of the model's; empty for its first",
        search=model_info.search_speakers,
        search_options={"SUGGESTION"},
        update=_copied("speaker"),
    )
    last_result: bpy.props.StringProperty(
        name="Last Result",
        description="What the last take was, or why there is none",
        get=_last_result,
        set=_set_last_result,
    )

    @property
    def chosen(self) -> EMOTE_PG_head:
        """The settings of the chosen head, which presets set; raises InputError if no head is chosen."""
        return head_settings(choose_head(bpy.context, pinned=self.head))


def scene_settings(scene: bpy.types.Scene) -> EMOTE_PG_settings:
    """The settings of a scene."""
    return scene.emote  # type: ignore[attr-defined] # a pointer property that `register` adds
