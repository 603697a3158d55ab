"""Generate Speech Animation: at once for scripts, on a thread with progress and Cancel for the button."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bpy

from ...emotion import MAX_INTENSITY
from ...errors import EmoteError, InputError
from ..characters.choose import head_or_character
from ..jobs import generation
from ..jobs.ready import may_animate
from ..requirements import missing_sentence
from ..scene import emotion_keys
from ..scene.emotion_track import unread_animation
from ..scene.strips import chosen_strips, line_scene, selected_strips, strip_scene
from ..settings.chosen_head import own_settings
from ..settings.head_settings import EMOTION_ITEMS
from ..settings.transcript import language_property, transcript_property
from .speech_job import SpeechJob

if TYPE_CHECKING:
    from ..settings.transcript import SpeechSettings


class EMOTE_OT_generate(SpeechJob, bpy.types.Operator):
    """Let the head speak the sound with the chosen emotion, as a take beside its other animation"""

    bl_idname = "emote.generate"
    bl_label = "Generate Speech Animation"
    # Not REGISTER: redo would run the model again at every change of a slider.
    bl_options = {"UNDO"}

    # SKIP_SAVE: no value is remembered from call to call; what is left out comes from the scene.
    strip: bpy.props.StringProperty(name="Strip", description="Name of a sound strip", options={"SKIP_SAVE"})
    strips: bpy.props.EnumProperty(
        name="Strips",
        description="Which strips are spoken",
        items=[
            ("ONE", "One", "The given strip, or the chosen one"),
            ("SELECTED", "All Selected Strips", "Every selected sound strip, one after the other"),
        ],
        options={"SKIP_SAVE"},
    )
    audio: bpy.props.StringProperty(
        name="File",
        description="Sound file, instead of a strip",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    frame_start: bpy.props.IntProperty(
        name="Start Frame", description="Frame at which the file's sound begins", default=1, options={"SKIP_SAVE"}
    )
    head: bpy.props.StringProperty(name="Head", description="Name of the head", options={"SKIP_SAVE"})
    emotion: bpy.props.EnumProperty(
        name="Emotion", description="What the voice feels", items=EMOTION_ITEMS, options={"SKIP_SAVE"}
    )
    intensity: bpy.props.FloatProperty(
        name="Intensity",
        description=f"How strongly it is felt: 0 mild, 1 medium, {MAX_INTENSITY:g} high",
        default=1.0,
        # Not min and max: a script that asks for 3 should get an error, not 2.
        soft_min=0.0,
        soft_max=MAX_INTENSITY,
        options={"SKIP_SAVE"},
    )
    speaker: bpy.props.StringProperty(
        name="Speaker", description="Whose way of speaking; empty for the model's first", options={"SKIP_SAVE"}
    )
    model: bpy.props.StringProperty(name="Model", description="Speech model: name or folder", options={"SKIP_SAVE"})
    transcript: transcript_property({"SKIP_SAVE"}, None, "Also: auto to recognise them, none for the sound alone")
    language: language_property({"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        missing = missing_sentence()
        if missing:
            cls.poll_message_set(missing)
            return False
        return may_animate(cls, sets_up=True)

    def prepare(self, context: bpy.types.Context) -> list[generation.Request]:
        """The requests, from the given arguments and, for all others, the settings of head and scene."""
        self.begin(context)
        head, set_up = head_or_character(context, self.head)
        self._head_uid = head.session_uid
        own = own_settings(context, head)
        caution = (emotion_keys.bring_up_to_date(head) if head.library is None else "") or unread_animation(head)
        strip, audio = self.strip, self.audio
        if self.strips == "ONE" and not strip and not audio:
            strip, audio = ("", own.audio) if own.source == "FILE" else (own.strip, "")
            if own.source == "FILE" and not audio:
                raise InputError("no sound file is chosen; choose a file, or a strip")
        if audio and self.strips == "ONE" and not strip:
            requests = [generation.prepare(line_scene(context, head), self._choices(head, own, "", audio))]
        else:
            requests = self._strip_requests(context, head, own, strip)
        cautions = (*set_up, *filter(None, [caution]))
        if cautions:
            requests[0] = replace(requests[0], warnings=(*cautions, *requests[0].warnings))
        return requests

    def _strip_requests(
        self, context: bpy.types.Context, head: bpy.types.Object, own: SpeechSettings, strip: str
    ) -> list[generation.Request]:
        """The requests for the selected strips, or for one: a meta strip or a scene strip gives those inside it."""
        if self.strips == "SELECTED":
            scene = strip_scene(context, head=head)
            placed = selected_strips(scene)
            if not placed:
                raise InputError(f"no sound strip of scene {scene.name!r} is selected; select the strips to speak")
        else:
            scene = strip_scene(context, strip, head)
            placed = chosen_strips(scene, strip)
        requests = []
        for name in [item.name for item in placed]:
            try:
                requests.append(generation.prepare(scene, self._choices(head, own, name, "")))
            except EmoteError as error:
                if len(placed) == 1:
                    raise
                self._left_out.append(error)
        if not requests:
            raise self._left_out[0]
        return requests

    def _choices(self, head: bpy.types.Object, own: SpeechSettings, strip: str, audio: str) -> generation.Choices:
        """What is asked for of one sound: the given arguments, and the head's settings for all others."""

        def given(name: str, otherwise: Any) -> Any:
            return getattr(self, name) if self.properties.is_property_set(name) else otherwise

        # The words belong to the sound: without an argument, the strip has them, or the head for its own file.
        is_own_file = bool(audio) and not self.audio
        return generation.Choices(
            head=head,
            strip=strip,
            audio=audio,
            frame_start=given("frame_start", own.frame_start),
            emotion=given("emotion", None),
            intensity=given("intensity", None),
            speaker=given("speaker", own.speaker),
            model=given("model", "") or own.model,
            transcript=given("transcript", None),
            language=given("language", None),
            is_own_file=is_own_file,
        )
