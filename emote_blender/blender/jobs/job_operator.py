"""Operators whose work takes time: at once for scripts, on a thread with progress and Cancel in a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import bpy

from ...errors import Cancelled, EmoteError
from ..narrow import present
from ..refusal import Result, refuse
from . import worker

if TYPE_CHECKING:
    _Operator = bpy.types.Operator
else:
    _Operator = object  # a plain mixin at run time: only the registered class derives from Blender's


class JobOperator(_Operator):
    """Base of such operators, beside `bpy.types.Operator`.

    A subclass makes the request (`prepare`), gives its work (`work_of`) and applies the result (`finish`). `prepare`
    and `finish` are called on the main thread; the work touches no bpy.
    """

    # Attributes that `finish` needs, which another operator gets if this one's window is closed.
    kept: ClassVar[tuple[str, ...]] = ("_request",)
    # Between two calls of `modal` while the work goes on.
    tick_seconds: ClassVar[float] = 0.1

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
            if not self.adopt_job():
                self.start_job(self.prepare(context))
        except EmoteError as error:
            return self.refuse(context, error)
        manager = present(context.window_manager)
        self._timer = manager.event_timer_add(self.tick_seconds, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def start_job(self, request: Any) -> None:
        """Start the thread; `modal` does the rest."""
        self._request = request
        self._follow(worker.Job(self.title_of(request), self.work_of(request)))
        present(self._job).start()

    def has_orphan(self) -> bool:
        """Whether an operator like this one has left a job behind."""
        return _orphan is not None and _orphan.operator == self.bl_idname

    def adopt_job(self) -> bool:
        """Go on with the job of an operator like this one whose window was closed, and return whether there is one."""
        global _orphan
        if _orphan is None or not self.has_orphan():
            return False
        for name, value in _orphan.kept.items():
            setattr(self, name, value)
        self._follow(_orphan.job)
        _orphan.job.follow()
        _orphan = None
        return True

    def _follow(self, job: worker.Job) -> None:
        self._shown: tuple[int, float, str] | None = None
        self._status = StatusText()
        self._job = job

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
        """Blender ends the operator: its window was closed, and the job goes on in another; or a file is loaded."""
        global _orphan
        if self._job is None:
            return
        self._clean_up(context, self._job)
        if self._job.cancelled or bpy.app.background:
            self._job.cancel()
            return
        _orphan = Orphan(self.bl_idname, self._job, {name: getattr(self, name) for name in self.kept})
        bpy.app.timers.register(_find_window, first_interval=self.tick_seconds)

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


@dataclass(frozen=True)
class Orphan:
    """A job whose operator Blender has ended.

    Attributes:
        operator: identifier of the operator.
        job: the job, whose thread still works.
        kept: the attributes that the next operator needs.
    """

    operator: str
    job: worker.Job
    kept: dict[str, Any]


_orphan: Orphan | None = None


def _find_window() -> None:
    """Go on with an orphaned job in a window that is left; a timer, which Blender drops when a file is loaded."""
    orphan = _orphan
    windows = present(bpy.context.window_manager).windows
    if orphan is None or not windows:
        forget_orphan()
        return
    group, name = orphan.operator.lower().split("_ot_")
    with bpy.context.temp_override(window=windows[0], screen=windows[0].screen):
        getattr(getattr(bpy.ops, group), name)("INVOKE_DEFAULT")


@bpy.app.handlers.persistent
def forget_orphan(*_: object) -> None:
    """Cancel a job whose operator has ended, when another file is loaded or the add-on is disabled."""
    global _orphan
    if _orphan is not None:
        _orphan.job.cancel()
        _orphan = None


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
