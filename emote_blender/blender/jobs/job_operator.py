"""Operators whose work takes time: at once for scripts, on a thread with progress and Cancel in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ...errors import Cancelled, EmoteError
from ..narrow import present
from ..refusal import Result, refuse
from . import worker

_TICK_SECONDS = 0.1

if TYPE_CHECKING:
    _Operator = bpy.types.Operator
else:
    _Operator = object  # a plain mixin at run time: only the registered class derives from Blender's


class JobOperator(_Operator):
    """Base of such operators, beside `bpy.types.Operator`.

    A subclass makes the request (`prepare`), gives its work (`work_of`) and applies the result (`finish`). `prepare`
    and `finish` are called on the main thread; the work touches no bpy.
    """

    _job: worker.Job | None = None
    _timer: bpy.types.Timer | None = None

    def prepare(self, context: bpy.types.Context) -> Any:
        """The request; raises EmoteError for every mistake that can be found before the work begins."""
        raise NotImplementedError

    def title_of(self, request: Any) -> str:
        """What is being made, as the subject of a sentence."""
        raise NotImplementedError

    def work_of(self, request: Any) -> worker.Work:
        """The work that the request asks for."""
        raise NotImplementedError

    def finish(self, context: bpy.types.Context, request: Any, result: Any) -> None:
        """Apply the result and report it; raises EmoteError if that is no longer possible."""
        raise NotImplementedError

    def refuse(self, context: bpy.types.Context, error: EmoteError) -> Result:
        """Report why there is no result, and return the operator's result."""
        return refuse(self, error)

    def run_now(self, context: bpy.types.Context) -> Result:
        """Do all the work before returning the operator's result."""
        try:
            request = self.prepare(context)
            self.finish(context, request, worker.run_alone(self.work_of(request)))
        except EmoteError as error:
            return self.refuse(context, error)
        return {"FINISHED"}

    def run_in_window(self, context: bpy.types.Context) -> Result:
        """Start the work on a thread, with progress in the panel and the status bar."""
        try:
            self.start_job(self.prepare(context))
        except EmoteError as error:
            return self.refuse(context, error)
        manager = present(context.window_manager)
        self._timer = manager.event_timer_add(_TICK_SECONDS, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def start_job(self, request: Any) -> None:
        """Start the thread; `modal` does the rest."""
        self._request = request
        self._shown: tuple[int, float, str] | None = None
        self._status = StatusText()
        self._job = worker.Job(self.title_of(request), self.work_of(request))
        self._job.start()

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Show the progress; finish when the work has ended, cancel on Esc."""
        job = present(self._job)
        if event.type == "ESC" and event.value == "PRESS":
            job.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        # Cancelling does not wait for the step that runs: its result is dropped, and the next job waits for it.
        if not job.done and not job.cancelled:
            self._show_progress(context, job)
            return {"PASS_THROUGH"}
        self._clean_up(context, job)
        try:
            if job.cancelled:
                raise Cancelled("Cancelled; nothing was changed")
            self.finish(context, self._request, job.result())
        except EmoteError as error:
            return self.refuse(context, error)
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Stop the job. Blender calls this when another file is loaded or the operator's window is closed."""
        if self._job is not None:
            self._job.cancel()
            self._clean_up(context, self._job)

    def _show_progress(self, context: bpy.types.Context, job: worker.Job) -> None:
        """Redraw the sidebars, not the viewports, if the progress has changed."""
        workspace = present(context.workspace)
        shown = (workspace.session_uid, round(job.fraction, 2), job.text)
        if shown != self._shown:
            self._shown = shown
            self._status.show(workspace, f"EMOTE: {shown[2]} ({shown[1]:.0%}), Esc to cancel")
            redraw_panels(context)

    def _clean_up(self, context: bpy.types.Context, job: worker.Job) -> None:
        job.release()
        if self._timer is not None:
            present(context.window_manager).event_timer_remove(self._timer)
            self._timer = None
        self._status.clear()
        redraw_panels(context)


class StatusText:
    """A line in the status bar that follows the user between workspaces, as each has a status bar of its own."""

    def __init__(self) -> None:
        # Not the workspace itself, which may be deleted meanwhile.
        self._workspace_uid: int | None = None

    def show(self, workspace: bpy.types.WorkSpace, text: str) -> None:
        """Show the text in this workspace and in no other."""
        if workspace.session_uid != self._workspace_uid:
            self.clear()
        self._workspace_uid = workspace.session_uid
        workspace.status_text_set(text)

    def clear(self) -> None:
        """Clear the status bar."""
        for workspace in bpy.data.workspaces:
            if workspace.session_uid == self._workspace_uid:
                workspace.status_text_set(None)
        self._workspace_uid = None


def draw_progress(layout: bpy.types.UILayout) -> bool:
    """Draw the job's progress and a Cancel button, and return whether a job is running."""
    job = worker.running()
    if job is None:
        return False
    row = layout.row(align=True)
    row.progress(factor=job.fraction, text=job.text)
    row.operator("emote.cancel", text="", icon="CANCEL")
    return True


def redraw_panels(context: bpy.types.Context) -> None:
    """Redraw the regions that may show our panel or preferences."""
    region_types = {"VIEW_3D": "UI", "SEQUENCE_EDITOR": "UI", "PREFERENCES": "WINDOW"}
    for window in present(context.window_manager).windows:
        for area in window.screen.areas:
            for region in area.regions:
                if region.type == region_types.get(area.type):
                    region.tag_redraw()
