"""Generate Speech Animation: at once for scripts, on a thread with progress and Cancel for the button."""

from __future__ import annotations

import bpy

from ..emotion import MAX_INTENSITY
from ..errors import Cancelled, EmoteError
from ..motion import FaceMotion
from . import generation, jobs
from .head_rig import choose_head
from .operators import may_animate
from .properties import EMOTION_ITEMS, strip_scene
from .requirements import missing_sentence
from .transcripts import language_property, transcript_property

_TICK_SECONDS = 0.1


class EMOTE_OT_generate(bpy.types.Operator):
    """Let the head speak the sound with the chosen emotion, as a new action"""

    bl_idname = "emote.generate"
    bl_label = "Generate Speech Animation"
    # Not REGISTER: redo would run the model again at every change of a slider.
    bl_options = {"UNDO"}

    # Nothing is remembered from call to call: what is left out comes from the scene.
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
        # Not min and max: a script that asks for 3 should be told, not be given 2.
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

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            request = self._request(context)
            motion = generation.compute(request)
        except EmoteError as error:
            return self._refuse(context, error)
        return self._finish(context, request, motion)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
            request = self._request(context)
        except EmoteError as error:
            return self._refuse(context, error)
        self._start(context, request)
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TICK_SECONDS, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            self._job.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        # Cancelling does not wait for the step that runs: its result is dropped when it comes.
        if not self._job.done and not self._job.cancelled:
            self._show_progress(context)
            return {"PASS_THROUGH"}
        self._clean_up(context)
        return self._conclude(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender calls this when it ends a running operator itself: another file is loaded, or it quits."""
        self._job.cancel()
        self._clean_up(context)

    def _start(self, context: bpy.types.Context, request: generation.Request) -> None:
        """Starts the job; the rest is up to `modal` and `_conclude`."""
        self._request_made = request
        self._shown: tuple[float, str] | None = None
        self._job = jobs.Job(
            request.take_name, lambda progress, cancelled: generation.compute(request, progress, cancelled)
        )
        self._job.start()

    def _conclude(self, context: bpy.types.Context) -> set[str]:
        """Ends the job: its motion becomes a take, or its error a sentence."""
        self._job.release()
        if self._job.cancelled:
            return self._refuse(context, Cancelled("Cancelled; nothing was changed"), level="INFO")
        try:
            motion = self._job.result()
        except EmoteError as error:
            return self._refuse(context, error)
        return self._finish(context, self._request_made, motion)

    def _request(self, context: bpy.types.Context) -> generation.Request:
        """What to do, from the arguments that were given and the scene's settings for the others."""
        settings = context.scene.emote

        def given(name: str):
            return getattr(self if self.properties.is_property_set(name) else settings, name)

        strip, audio = self.strip, self.audio
        # The words belong to the sound: an argument, else the strip says them, or the settings for their file.
        transcript = self.transcript if self.properties.is_property_set("transcript") else None
        language = self.language if self.properties.is_property_set("language") else None
        if not strip and not audio and settings.source == "FILE":
            transcript = settings.transcript if transcript is None else transcript
            language = settings.language if language is None else language
        if not strip and not audio:
            strip, audio = ("", settings.audio) if settings.source == "FILE" else (settings.strip, "")
            if settings.source == "FILE" and not audio:
                from ..errors import InputError

                raise InputError("no sound file is chosen; choose a file, or a strip")
        choices = generation.Choices(
            head=choose_head(context, self.head, settings.head),
            strip=strip,
            audio=audio,
            frame_start=given("frame_start"),
            emotion=given("emotion").lower(),
            intensity=given("intensity"),
            speaker=given("speaker"),
            model=given("model") or settings.model,
            transcript=transcript,
            language=language,
        )
        return generation.prepare(strip_scene(context), choices)

    def _finish(self, context: bpy.types.Context, request: generation.Request, motion: FaceMotion) -> set[str]:
        try:
            action, frame_start = generation.finish(request, motion)
        except EmoteError as error:
            return self._refuse(context, error)
        context.scene.emote.last_result = generation.describe_take(action, motion, frame_start)
        for warning in (*request.warnings, *generation.misfits(motion)):
            self.report({"WARNING"}, warning)
        self.report({"INFO"}, context.scene.emote.last_result)
        return {"FINISHED"}

    def _refuse(self, context: bpy.types.Context, error: EmoteError, level: str = "ERROR") -> set[str]:
        context.scene.emote.last_result = str(error)
        self.report({level}, str(error))
        return {"CANCELLED"}

    def _show_progress(self, context: bpy.types.Context) -> None:
        """Redraws the sidebars, not the viewports, when there is something new."""
        shown = (round(self._job.fraction, 2), self._job.text)
        if shown != self._shown:
            self._shown = shown
            context.workspace.status_text_set(f"EMOTE: {shown[1]} ({shown[0]:.0%}), Esc to cancel")
            redraw_sidebars(context)

    def _clean_up(self, context: bpy.types.Context) -> None:
        self._job.release()
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        context.workspace.status_text_set(None)
        redraw_sidebars(context)


def redraw_sidebars(context: bpy.types.Context) -> None:
    """Returns nothing; has the sidebars that may show our panel drawn again."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "SEQUENCE_EDITOR"}:
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
