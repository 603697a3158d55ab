"""An operator whose work runs on a thread: its end, its cancelling, and what the status bar shows meanwhile.

Blender runs no modal operator in background. An operator of these tests therefore drives its own job from `execute`:
a real operator in the real context, with events made here.
"""

import threading
from types import SimpleNamespace

import bpy
import pytest

from emote_blender.blender.jobs import job_operator, worker
from emote_blender.blender.jobs.job_operator import JobOperator, StatusText
from emote_blender.errors import InputError

TICK = SimpleNamespace(type="TIMER", value="NOTHING")
ESCAPE = SimpleNamespace(type="ESC", value="PRESS")
MOUSE = SimpleNamespace(type="MOUSEMOVE", value="NOTHING")


@pytest.fixture
def drive():
    """A function that runs `script(operator, context)` inside a real operator, whose work is given."""
    registered = []

    def drive(script, work=lambda progress, cancelled: 42, base=JobOperator):
        class EMOTE_OT_driven(base, bpy.types.Operator):  # type: ignore[valid-type,misc] # the base is an argument
            """Run a job in a test"""

            bl_idname = "emote.driven"
            bl_label = "Driven"
            finished = []

            def prepare(self, context):
                return "request"

            def title_of(self, request):
                return "The test"

            def work_of(self, request):
                return work

            def finish(self, context, request, result):
                self.finished.append(result)

            def execute(self, context):
                script(self, context)
                return {"FINISHED"}

        bpy.utils.register_class(EMOTE_OT_driven)
        registered.append(EMOTE_OT_driven)
        bpy.ops.emote.driven()
        return EMOTE_OT_driven.finished

    yield drive
    for cls in registered:
        bpy.utils.unregister_class(cls)
    worker.stop_all()


@pytest.fixture
def status(monkeypatch):
    """The status text of each workspace by its name, as Blender was last told it; Blender lets nobody read it."""
    shown = {}
    set_text = bpy.types.WorkSpace.status_text_set

    def noting(workspace, text):
        shown[workspace.name] = text
        set_text(workspace, text)

    monkeypatch.setattr(bpy.types.WorkSpace, "status_text_set", noting)
    return shown


@pytest.fixture
def workspaces():
    """Blender's own workspaces, which the empty file lacks."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    return bpy.data.workspaces


def blocked():
    """Work that reports, then waits; the events that say it has begun and let it go on."""
    began, go_on = threading.Event(), threading.Event()

    def work(progress, cancelled):
        progress(0.4, "Listening")
        began.set()
        go_on.wait(10)
        return 42

    return work, began, go_on


def test_work_that_ends_is_finished_on_the_next_tick(drive):
    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert operator._job.join(10)
        assert operator.modal(context, MOUSE) == {"PASS_THROUGH"}
        assert operator.modal(context, TICK) == {"FINISHED"}
        assert worker.running() is None

    assert drive(script) == [42]


def test_escape_ends_the_operator_at_once_while_the_step_still_runs(drive):
    work, began, go_on = blocked()

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert began.wait(10)
        assert operator.modal(context, TICK) == {"PASS_THROUGH"}
        assert operator.modal(context, ESCAPE) == {"RUNNING_MODAL"}
        assert operator.modal(context, TICK) == {"CANCELLED"}
        assert worker.running() is None
        assert not operator._job.done
        go_on.set()

    assert drive(script, work) == []


def test_next_operator_waits_for_the_step_that_was_cancelled(drive):
    work, began, go_on = blocked()

    def script(operator, context):
        operator.start_job("first")
        assert began.wait(10)
        operator.modal(context, ESCAPE)
        operator.modal(context, TICK)
        first = operator._job
        operator.start_job("second")
        assert not operator._job.join(0.2)
        go_on.set()
        assert operator._job.join(10)
        assert first.join(10)  # its thread may outlive its work by a moment
        assert operator.modal(context, TICK) == {"FINISHED"}

    assert drive(script, work) == [42]


def test_operator_that_blender_ends_itself_stops_its_job(drive, status):
    work, began, go_on = blocked()

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert began.wait(10)
        operator.modal(context, TICK)
        operator.cancel(context)
        assert operator._job.cancelled
        assert worker.running() is None
        assert set(status.values()) == {None}
        go_on.set()

    assert drive(script, work) == []


@pytest.fixture
def other_window(monkeypatch):
    """The functions that Blender is asked to call later, as in a Blender with windows."""
    later = []
    timers = SimpleNamespace(register=lambda function, first_interval: later.append(function))
    app = SimpleNamespace(background=False, timers=timers)
    monkeypatch.setattr(job_operator, "bpy", SimpleNamespace(app=app, context=bpy.context, ops=bpy.ops, data=bpy.data))
    yield later
    job_operator.forget_orphan()


def test_job_whose_window_is_closed_goes_on_in_another(drive, other_window):
    work, began, go_on = blocked()

    def script(operator, context):
        operator.start_job("request")
        assert began.wait(10)
        job = operator._job
        operator.cancel(context)
        assert not job.cancelled
        assert len(other_window) == 1
        operator._job = operator._request = None  # as another operator begins
        assert operator.adopt_job()
        assert not operator.adopt_job()
        assert (operator._job, operator._request, worker.running()) == (job, "request", job)
        assert operator.modal(context, TICK) == {"PASS_THROUGH"}
        go_on.set()
        assert job.join(10)
        assert operator.modal(context, TICK) == {"FINISHED"}
        assert worker.running() is None

    assert drive(script, work) == [42]


def test_job_whose_window_is_closed_ends_when_a_file_is_loaded(drive, other_window):
    work, began, go_on = blocked()

    def script(operator, context):
        operator.start_job("request")
        assert began.wait(10)
        operator.cancel(context)
        job_operator.forget_orphan()
        assert operator._job.cancelled
        assert not operator.adopt_job()
        go_on.set()

    assert drive(script, work) == []


def test_operator_that_is_ended_before_its_job_began_has_nothing_to_stop(drive):
    drive(lambda operator, context: operator.cancel(context))


def test_sentence_of_the_work_is_reported(drive):
    def work(progress, cancelled):
        raise InputError("line.wav is empty; choose another")

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert operator._job.join(10)
        assert operator.modal(context, TICK) == {"CANCELLED"}

    with pytest.raises(RuntimeError, match="line.wav is empty; choose another"):
        drive(script, work)


def test_fault_in_the_code_is_raised_and_leaves_no_job_behind(drive, status):
    def work(progress, cancelled):
        raise ZeroDivisionError

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert operator._job.join(10)
        with pytest.raises(ZeroDivisionError):
            operator.modal(context, TICK)
        assert worker.running() is None

    drive(script, work)


def test_progress_is_shown_in_the_status_bar_and_taken_away(drive, status):
    work, began, go_on = blocked()

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert began.wait(10)
        operator.modal(context, TICK)
        assert status == {context.workspace.name: "EMOTE: Listening (40%), Esc to cancel"}
        go_on.set()
        assert operator._job.join(10)
        operator.modal(context, TICK)
        assert status == {context.workspace.name: None}

    drive(script, work)


def test_status_text_follows_the_user_into_another_workspace(drive, status, workspaces):
    work, began, go_on = blocked()

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert began.wait(10)
        for name in ("Layout", "Animation"):
            with context.temp_override(workspace=workspaces[name]):
                elsewhere = SimpleNamespace(workspace=workspaces[name], window_manager=context.window_manager)
                operator.modal(elsewhere, TICK)
        assert (status["Layout"], status["Animation"]) == (None, "EMOTE: Listening (40%), Esc to cancel")
        go_on.set()
        assert operator._job.join(10)
        operator.modal(context, TICK)
        assert set(status.values()) == {None}

    drive(script, work)


def test_workspace_that_is_deleted_meanwhile_needs_no_clearing(status, workspaces):
    line = StatusText()
    line.show(workspaces["Sculpting"], "EMOTE: Listening")
    bpy.data.batch_remove([workspaces["Sculpting"]])
    line.show(workspaces["Layout"], "EMOTE: Listening")
    line.clear()
    assert status["Layout"] is None
