"""Generate Speech Animation: at once for scripts, on a thread with progress and Cancel for the button."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy

from ...emotion import MAX_INTENSITY
from ...errors import EmoteError, InputError
from ...motion import FaceMotion
from ..check.find import worst_after
from ..jobs import generation, worker
from ..jobs.job_operator import JobOperator
from ..jobs.ready import may_animate
from ..narrow import window_scene
from ..refusal import Result
from ..requirements import missing_sentence
from ..scene import emotion_keys
from ..scene.find_head import choose_head
from ..scene.strips import strip_scene
from ..settings.head_copy import take_over
from ..settings.head_settings import EMOTION_ITEMS, head_settings
from ..settings.properties import scene_settings
from ..settings.transcript import language_property, transcript_property


class EMOTE_OT_generate(JobOperator, bpy.types.Operator):
    """Animate the head to speak the sound with the chosen emotion, as a new action"""

    bl_idname = "emote.generate"
    bl_label = "Generate Speech Animation"
    # Not REGISTER: redo would run the model again at every change of a slider.
    bl_options = {"UNDO"}

    # SKIP_SAVE: no value is remembered from call to call; what is left out comes from the scene.
    strip: bpy.props.StringProperty(name="Strip", description="Name of a sound strip", options={"SKIP_SAVE"})
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
    transcript: transcript_property({"SKIP_SAVE"})
    language: language_property({"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        missing = missing_sentence()
        if missing:
            cls.poll_message_set(missing)
            return False
        return may_animate(cls)

    def execute(self, context: bpy.types.Context) -> Result:
        return self.run_now(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        # In background Blender runs no modal operator.
        return self.run_now(context) if bpy.app.background else self.run_in_window(context)

    def title_of(self, request: generation.Request) -> str:
        return f"The take {request.take_name!r}"

    def work_of(self, request: generation.Request) -> worker.Work:
        return lambda progress, cancelled: generation.compute(request, progress, cancelled)

    def prepare(self, context: bpy.types.Context) -> generation.Request:
        """The request, from the given arguments and, for all others, the settings of head and scene."""
        scene = window_scene(context)
        settings = scene_settings(scene)
        self._asked_in = scene.session_uid

        head = choose_head(context, self.head, settings.head)
        caution = ""
        if head.library is None:
            take_over(settings, head)
            caution = emotion_keys.bring_up_to_date(head)
        own = head_settings(head)

        def given(name: str, otherwise: Any) -> Any:
            return getattr(self, name) if self.properties.is_property_set(name) else otherwise

        strip, audio = self.strip, self.audio
        # The words belong to the sound: without an argument, the strip has them, or the settings for their file.
        transcript = self.transcript if self.properties.is_property_set("transcript") else None
        language = self.language if self.properties.is_property_set("language") else None
        if not strip and not audio and settings.source == "FILE":
            transcript = settings.transcript if transcript is None else transcript
            language = settings.language if language is None else language
        if not strip and not audio:
            strip, audio = ("", settings.audio) if settings.source == "FILE" else (settings.strip, "")
            if settings.source == "FILE" and not audio:
                raise InputError("no sound file is chosen; choose a file, or a strip")
        choices = generation.Choices(
            head=head,
            strip=strip,
            audio=audio,
            frame_start=given("frame_start", settings.frame_start),
            emotion=given("emotion", None),
            intensity=given("intensity", None),
            speaker=given("speaker", own.speaker),
            model=given("model", "") or own.model,
            transcript=transcript,
            language=language,
        )
        request = generation.prepare(strip_scene(context), choices)
        return replace(request, warnings=(caution, *request.warnings)) if caution else request

    def finish(self, context: bpy.types.Context, request: generation.Request, motion: FaceMotion) -> None:
        action, frame_start = generation.finish(request, motion)
        result = generation.describe_take(action, motion, frame_start)
        trouble = worst_after(context, request.head_uid)
        for warning in (*request.warnings, *generation.misfits(motion), *trouble):
            self.report({"WARNING"}, warning)
        self._show_result("; but ".join((result, *trouble)))
        self.report({"INFO"}, result)

    def refuse(self, context: bpy.types.Context, error: EmoteError) -> Result:
        self._show_result(str(error))
        return super().refuse(context, error)

    def _show_result(self, result: str) -> None:
        """Show a line in the panel of the scene that the job was started in; the window may show another by now."""
        for scene in bpy.data.scenes:
            if scene.session_uid == self._asked_in:
                scene_settings(scene).last_result = result
