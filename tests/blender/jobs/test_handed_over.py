"""Frames that one thread decodes and another takes: order, errors, a second reading, cancelling."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from emote_blender.blender.jobs.handed_over import HandedOverFrames
from emote_blender.capture.video.frames import Frame
from emote_blender.errors import Cancelled, InputError

pytestmark = pytest.mark.once


class ListedFrames:
    """Frames from a list, which notes the thread that decodes them."""

    def __init__(self, num_frames, broken_at=None):
        self.size, self.duration_seconds, self.notes = (4, 2), num_frames / 25, ["a note"]
        self.num_frames, self.broken_at = num_frames, broken_at
        self.threads = set()

    def __iter__(self):
        for number in range(self.num_frames):
            self.threads.add(threading.current_thread())
            if number == self.broken_at:
                raise InputError("the disk is gone; put it back")
            yield Frame(number / 25, np.full((2, 4, 3), number, np.uint8))


def served(frames, work):
    """The result of work on another thread, while this one serves it."""
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(work)
        while not result.done():
            frames.serve(0.001)
        return result.result()


def test_all_frames_arrive_in_order_and_are_decoded_on_the_serving_thread():
    listed = ListedFrames(50)
    frames = HandedOverFrames(listed)
    found = served(frames, lambda: [int(frame.picture[0, 0, 0]) for frame in frames])
    assert found == list(range(50))
    assert listed.threads == {threading.current_thread()}
    assert (frames.size, frames.duration_seconds, frames.notes) == ((4, 2), 2.0, ["a note"])


def test_a_reading_that_was_left_begins_anew():
    frames = HandedOverFrames(ListedFrames(50))

    def work():
        first = [frame.seconds for frame, _ in zip(frames, range(3), strict=False)]
        return first, [frame.seconds for frame in frames]

    first, whole = served(frames, work)
    assert first == whole[:3]
    assert len(whole) == 50


def test_what_decoding_raises_reaches_the_worker():
    frames = HandedOverFrames(ListedFrames(5, broken_at=3))
    with pytest.raises(InputError, match="the disk is gone"):
        served(frames, lambda: list(frames))


def test_a_worker_that_is_cancelled_does_not_wait_for_frames():
    frames = HandedOverFrames(ListedFrames(5))
    frames.cancelled = lambda: True
    with ThreadPoolExecutor(1) as pool, pytest.raises(Cancelled):
        pool.submit(lambda: list(frames)).result(timeout=20)


def test_no_more_than_a_few_frames_wait():
    listed = ListedFrames(50)
    frames = HandedOverFrames(listed)
    iterator = iter(frames)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(next, iterator)
        while not first.done():
            frames.serve(0.0)
        frames.serve(10.0)
    assert frames._reading.waiting.qsize() == 8
