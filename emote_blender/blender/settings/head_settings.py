"""What a head remembers: sound, emotion, model, speaker and takes. Stored on its mesh object as `head.emote`."""

from __future__ import annotations

from typing import Any, Literal

import bpy

from ...emotion import DEFAULT_EMOTION, DEFAULT_INTENSITY, EMOTIONS, MAX_INTENSITY
from ...files.paths import DEFAULT_MODEL
from ...motion_tools.emotion_timeline import DEFAULT_TRANSITION_SECONDS, MAX_AMOUNT
from ..scene import changes
from . import model_info
from .character_settings import EMOTE_PG_character
from .live import changed
from .model_choice import model_choice_property, speaker_choice_property
from .sound_settings import audio_property, frame_start_property, source_property, strip_property
from .take_settings import EMOTE_PG_take
from .transcript import (
    cues_property,
    language_changed,
    language_property,
    mode_property,
    num_fitting_property,
    num_words_property,
    recognised_property,
    recognition_property,
    transcript_property,
    words_changed,
)

EMOTION_ITEMS = [(name.upper(), name.capitalize(), f"The voice speaks with {name}") for name in EMOTIONS]
EMOTION_ITEMS[EMOTIONS.index("neutral")] = ("NEUTRAL", "Neutral", "No emotion: the words alone move the face")
MIX = "MIX"
EMOTION_OR_MIX_ITEMS = [*EMOTION_ITEMS, (MIX, "Mix", "Several emotions at once, each with its own weight")]

_AMOUNT_DESCRIPTION = (
    "How strong the emotion is: 0 neutral, 0.65 the model's mildest, 1 medium, 2 high. "
    "Below 0.65 it is mixed with neutral"
)
_OVERRIDABLE: set[Literal["LIBRARY_OVERRIDABLE"]] = {"LIBRARY_OVERRIDABLE"}


def _number(
    name: str,
    description: str,
    default: float,
    high: float,
    unit: Any = "NONE",
    *,
    low: float = 0.0,
    step: int = 10,
) -> Any:
    return bpy.props.FloatProperty(
        name=name,
        description=description,
        default=default,
        min=low,
        max=high,
        unit=unit,
        # Blender takes the digits before the point off the precision of times.
        precision=4 if unit == "TIME_ABSOLUTE" else 2,
        step=step,
        override=_OVERRIDABLE,
        update=changed("emotion"),
    )


def _emotion(description: str, default: str) -> Any:
    return bpy.props.EnumProperty(
        name="Emotion",
        description=description,
        items=EMOTION_OR_MIX_ITEMS,
        default=default.upper(),
        override=_OVERRIDABLE,
        update=changed("emotion"),
    )


def _weight(name: str) -> Any:
    default = 1.0 if name == DEFAULT_EMOTION else 0.0
    return _number(
        name.capitalize(),
        f"Share of {name} in the mix. The weights are divided by their sum; all 0 is neutral",
        default,
        1.0,
    )


def _note_change(self: EMOTE_PG_head, context: bpy.types.Context) -> None:
    changes.note()


def _model_changed(self: EMOTE_PG_head, context: bpy.types.Context) -> None:
    model_info.refresh()
    if self.speaker and self.speaker not in model_info.model_info(self.model).speakers:
        self.speaker = ""


class EMOTE_PG_weights(bpy.types.PropertyGroup):
    """The shares of the eight emotions in a mix."""

    neutral: _weight("neutral")
    happy: _weight("happy")
    sad: _weight("sad")
    surprise: _weight("surprise")
    fear: _weight("fear")
    disgust: _weight("disgust")
    anger: _weight("anger")
    contempt: _weight("contempt")


class EMOTE_PG_moment(bpy.types.PropertyGroup):
    """A line of the list of emotions over time."""

    time: _number(
        "Time",
        "When the emotion changes to this one, seconds on the timeline: the middle of the transition",
        0.0,
        1e6,
        "TIME_ABSOLUTE",
        low=-1e6,
    )
    emotion: _emotion("The emotion from this time on", DEFAULT_EMOTION)
    mix: bpy.props.StringProperty(
        name="Mix",
        description="Several emotions with their weights, such as happy 0.6 + surprise 0.4",
        default="happy 0.6 + surprise 0.4",
        override=_OVERRIDABLE,
        update=changed("emotion"),
    )
    amount: _number("Amount", _AMOUNT_DESCRIPTION, 1.0, MAX_AMOUNT)
    transition: _number(
        "Transition",
        "Length of the change from the emotion before, seconds; 0 for a cut",
        DEFAULT_TRANSITION_SECONDS,
        60.0,
        "TIME_ABSOLUTE",
    )
    # What made the line, and replaces it when it is used again: MARKERS, SUGGESTION; empty if it was added by hand.
    made_by: bpy.props.StringProperty(options={"HIDDEN"}, override=_OVERRIDABLE)


class EMOTE_PG_head(bpy.types.PropertyGroup):
    """The settings of a head, on its mesh object."""

    emotion: _emotion("What the voice feels", DEFAULT_EMOTION)
    amount: _number("Amount", _AMOUNT_DESCRIPTION, 1.0, MAX_AMOUNT)
    weights: bpy.props.PointerProperty(type=EMOTE_PG_weights, override=_OVERRIDABLE)
    over_time: bpy.props.BoolProperty(
        name="Over Time",
        description="Let the emotion change during the line: the weights and the intensity count, which can be keyed, "
        "and the list of moments writes keys for them",
        override=_OVERRIDABLE,
        update=changed("emotion"),
    )
    intensity: _number(
        "Intensity",
        "How strongly the weighted emotions are felt: 0 the model's mildest, 1 medium, 2 high",
        DEFAULT_INTENSITY,
        MAX_INTENSITY,
    )
    moments: bpy.props.CollectionProperty(type=EMOTE_PG_moment, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"})
    active_moment: bpy.props.IntProperty(
        name="Moment", description="The chosen line of the list", default=-1, min=-1, override=_OVERRIDABLE
    )
    # Digest of the keys that the list wrote: keys that differ were set by hand and are never overwritten.
    keys_digest: bpy.props.StringProperty(options={"HIDDEN"}, override=_OVERRIDABLE)
    keys_fps: bpy.props.FloatProperty(options={"HIDDEN"}, override=_OVERRIDABLE)
    live: bpy.props.BoolProperty(
        name="Live",
        description="Let the take in use follow every change of its head's emotion at once. "
        "If this is off, changes count for the next take",
        default=False,
        override=_OVERRIDABLE,
    )
    model: bpy.props.StringProperty(
        name="Model",
        description="Speech model: one that is installed, or a model folder",
        default=DEFAULT_MODEL,
        search=model_info.search_models,
        search_options={"SUGGESTION"},
        override=_OVERRIDABLE,
        update=_model_changed,
    )
    speaker: bpy.props.StringProperty(
        name="Speaker",
        description="Whose way of speaking, one of the model's; empty for its first",
        search=model_info.search_speakers,
        search_options={"SUGGESTION"},
        override=_OVERRIDABLE,
    )
    model_choice: model_choice_property()
    speaker_choice: speaker_choice_property()
    source: source_property(_note_change)
    strip: strip_property(_note_change)
    audio: audio_property(_note_change)
    frame_start: frame_start_property(_note_change)
    # The words of the sound file; a strip has its own.
    transcript: transcript_property(set(), words_changed)
    language: language_property(set(), language_changed)
    transcript_mode: mode_property()
    recognised: recognised_property()
    recognition: recognition_property()
    cues: cues_property()
    num_words: num_words_property()
    num_fitting: num_fitting_property()
    character: bpy.props.PointerProperty(type=EMOTE_PG_character, override=_OVERRIDABLE)
    takes: bpy.props.CollectionProperty(type=EMOTE_PG_take, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"})
    compared_take: bpy.props.StringProperty(
        name="Compared Take", description="The take that Compare goes back to", override=_OVERRIDABLE
    )
    active_take: bpy.props.IntProperty(
        name="Take", description="The take that the panel shows", default=-1, min=-1, override=_OVERRIDABLE
    )


def head_settings(head: bpy.types.Object) -> EMOTE_PG_head:
    """The settings of a head."""
    return head.emote  # type: ignore[attr-defined] # a pointer property that `register` adds
