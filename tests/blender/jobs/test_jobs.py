"""Work on a thread: progress, result, error, cancelling."""

import threading
import time

import pytest

from emote_blender.blender.jobs import worker
from emote_blender.errors import Cancelled, InputError


@pytest.fixture
def start():
    """A function that starts a job, and lets go of it after the test."""
    started = []

    def start(work):
        started.append(worker.Job("take", work))
        started[-1].start()
        return started[-1]

    yield start
    for job in started:
        job.cancel()
        job.release()
        assert job.join(10)


def test_job_gives_back_what_its_work_gave(start):
    job = start(lambda progress, cancelled: 42)
    assert job.result() == 42
    assert job.done


def test_work_runs_on_another_thread(start):
    job = start(lambda progress, cancelled: threading.current_thread())
    assert job.result() is not threading.current_thread()


def test_progress_is_seen_from_outside(start):
    reported, go_on = threading.Event(), threading.Event()

    def work(progress, cancelled):
        progress(0.4, "Listening")
        reported.set()
        go_on.wait(10)

    job = start(work)
    assert reported.wait(10)
    assert (job.fraction, job.text) == (0.4, "Listening")
    go_on.set()


def test_error_of_the_work_is_raised_by_result(start):
    def work(progress, cancelled):
        raise InputError("line.wav is empty; choose another")

    with pytest.raises(InputError, match="line.wav is empty"):
        start(work).result()


def test_cancelled_work_stops_and_says_so(start):
    def work(progress, cancelled):
        while not cancelled():
            time.sleep(0.005)
        raise Cancelled("cancelled")

    job = start(work)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result()


def test_result_of_a_job_that_was_cancelled_too_late_is_dropped(start):
    job = start(lambda progress, cancelled: 42)
    while not job.done:
        time.sleep(0.005)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result()


def test_released_job_no_longer_runs(start):
    job = start(lambda progress, cancelled: None)
    assert worker.running() is job
    job.release()
    assert worker.running() is None


def test_next_job_waits_for_the_step_of_a_cancelled_one(start):
    began, end_step, order = threading.Event(), threading.Event(), []

    def slow(progress, cancelled):
        began.set()
        end_step.wait(10)
        order.append("cancelled job ends its step")

    first = start(slow)
    assert began.wait(10)
    first.cancel()
    first.release()
    second = start(lambda progress, cancelled: order.append("next job works"))
    time.sleep(0.2)
    assert (worker.running(), second.text) == (second, "Waiting for the cancelled work to stop")
    end_step.set()
    second.result()
    assert order == ["cancelled job ends its step", "next job works"]


def test_work_on_the_main_thread_waits_for_the_step_of_a_cancelled_job(start):
    began, order = threading.Event(), []

    def slow(progress, cancelled):
        began.set()
        time.sleep(0.3)
        order.append("cancelled job ends its step")

    job = start(slow)
    assert began.wait(10)
    job.cancel()
    job.release()
    worker.run_alone(lambda progress, cancelled: order.append("script works"))
    assert order == ["cancelled job ends its step", "script works"]


def test_job_that_waits_can_be_cancelled(start):
    began, end_step = threading.Event(), threading.Event()

    def slow(progress, cancelled):
        began.set()
        end_step.wait(10)

    start(slow)
    assert began.wait(10)
    waiting = start(lambda progress, cancelled: 42)
    waiting.cancel()
    assert waiting.join(5)
    with pytest.raises(Cancelled):
        waiting.result()
    end_step.set()


def test_work_that_fails_lets_the_next_begin(start):
    def broken(progress, cancelled):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start(broken).result()
    assert start(lambda progress, cancelled: 42).result() == 42


def test_stopping_ends_the_threads_of_all_jobs_the_released_ones_too(start):
    def work(progress, cancelled):
        while not cancelled():
            time.sleep(0.005)
        time.sleep(0.2)

    first = start(work)
    first.cancel()
    first.release()
    second = start(work)
    worker.stop_all()
    assert first.done
    assert second.done
    assert worker.running() is None


def test_buttons_are_grey_while_a_job_runs(start, head):
    import bpy

    go_on = threading.Event()
    start(lambda progress, cancelled: go_on.wait(10))
    with pytest.raises(RuntimeError, match="is being made; wait or cancel"):
        bpy.ops.emote.apply_motion(filepath="line.npz")
    go_on.set()


def test_cancel_operator_cancels_the_job(start):
    import bpy

    job = start(lambda progress, cancelled: None)
    bpy.ops.emote.cancel()
    assert job.cancelled


def test_cancel_operator_is_grey_when_nothing_runs():
    import bpy

    with pytest.raises(RuntimeError, match="Nothing is being made"):
        bpy.ops.emote.cancel()
