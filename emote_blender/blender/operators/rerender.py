"""Update Take: the take that the panel shows, with the emotion that its head has now."""

from __future__ import annotations

import bpy

from ...errors import EmoteError, InputError
from ...motion import FaceMotion
from ..head.linked import linked_sentence
from ..jobs import live_emotion, rerender, worker
from ..jobs.job_operator import JobOperator
from ..jobs.ready import may_animate
from ..narrow import window_scene
from ..refusal import Result
from ..scene import emotion_keys
from ..settings.chosen_head import chosen_head
from ..settings.head_settings import head_settings
from ..settings.properties import note_result


class EMOTE_OT_rerender(JobOperator, bpy.types.Operator):
    """Give the take in use the emotion that is chosen now; its place, sliders and hand edits stay"""

    bl_idname = "emote.rerender"
    bl_label = "Update Take"
    bl_options = {"UNDO"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the chosen one", options={"SKIP_SAVE"}
    )
    take: bpy.props.StringProperty(
        name="Take", description="Name of the take; empty for the one that the panel shows", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    def execute(self, context: bpy.types.Context) -> Result:
        return self.run_now(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        return self.run_now(context) if bpy.app.background else self.run_in_window(context)

    def title_of(self, request: rerender.Request) -> str:
        return f"The take {request.take_name!r}"

    def work_of(self, request: rerender.Request) -> worker.Work:
        return lambda progress, cancelled: rerender.compute(request, progress, cancelled)

    def prepare(self, context: bpy.types.Context) -> rerender.Request:
        """The request for the chosen take with the present emotion."""
        head = chosen_head(context, self.head)
        if head.library is not None:
            raise InputError(linked_sentence(head, head.library))
        settings = head_settings(head)
        if self.take:
            take = settings.takes.get(self.take)
            if take is None:
                names = ", ".join(repr(item.name) for item in settings.takes) or "none"
                raise InputError(f"head {head.name!r} has no take {self.take!r}; its takes are {names}")
        else:
            take = live_emotion.shown_take(head)
            if take is None:
                raise InputError(f"head {head.name!r} has no take; generate one first")
        emotion_keys.bring_up_to_date(head)
        return rerender.prepare(head, take, live_emotion.track_for(head, take))

    def finish(self, context: bpy.types.Context, request: rerender.Request, motion: FaceMotion) -> None:
        head = next((item for item in bpy.data.objects if item.session_uid == request.head_uid), None)
        take = head_settings(head).takes.get(request.take_name) if head is not None else None
        if head is None or take is None:
            raise InputError(f"take {request.take_name!r} was removed while it was made; nothing was changed")
        rerender.apply(head, take, motion)
        scene = window_scene(context)
        # Blender shows changed curves only once it evaluates a frame.
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        result = f"{take.name}: {motion.duration_seconds:.1f} s"
        note_result(scene, result, head.session_uid)
        self.report({"INFO"}, result)

    def refuse(self, context: bpy.types.Context, error: EmoteError) -> Result:
        note_result(window_scene(context), str(error))
        return super().refuse(context, error)
