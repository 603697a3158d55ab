"""The commands `capture --mead` and `capture --folder`: all videos of a folder as training data, by several processes.

A run may be stopped at any time and started again: a clip that is done, or that cannot be used, is not looked at again
unless its files or the settings changed.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from ....capture.video.landmarker import Landmarker, find_landmarker
from ....capture.video.network_files import WEIGHTS_FILE as LANDMARKER_WEIGHTS
from ....errors import Cancelled, EmoteError, InputError
from ....files.atomic_write import check_writable, remove_leftovers, write_json
from ....files.paths import HEAD_FILE, find_head
from ....flame.model import FaceModel
from ....steps import Step, no_step, reported_step
from ....version import package_version
from ...networks.emotion_network import EmotionNetwork, load_official_emotion_network
from ...networks.folder import CONFIG_FILE, load_network
from .captured_clip import Tools, capture_clip
from .journal import Journal, Outcome, digest_of, stamp
from .layouts import Layout
from .videos import FilmedClip, LeftOut

logger = logging.getLogger(__name__)

REPORT_FILE = "report.json"


@dataclass(frozen=True)
class CaptureSettings:
    """How clips are captured. It can be pickled.

    Attributes:
        head: name or folder of the head.
        emotion_network: folder or checkpoint of the network for emotion features; None for no features.
        mirrored: whether the videos are mirrored.
        view_degrees: the camera's angle of view; None for the usual one.
    """

    head: str
    emotion_network: Path | None = None
    mirrored: bool = False
    view_degrees: float | None = None

    def open(self) -> Tools:
        """The tools; raises EmoteError if head or networks are missing."""
        network = None if self.emotion_network is None else open_emotion_network(self.emotion_network)
        return Tools(FaceModel.load(find_head(self.head)), Landmarker(), network, self.mirrored, self.view_degrees)

    def summary(self) -> dict[str, Any]:
        """All that decides results, for digests and the report."""
        path = self.emotion_network
        network = None if path is None else stamp(path / CONFIG_FILE if path.is_dir() else path)
        return {
            "head": stamp(find_head(self.head) / HEAD_FILE),
            "landmarker": stamp(find_landmarker() / LANDMARKER_WEIGHTS),
            "emotion_network": network,
            "mirrored": self.mirrored,
            "view": self.view_degrees,
            "version": package_version(),
        }


def open_emotion_network(path: Path) -> EmotionNetwork:
    """The network in a folder of this project, or in a checkpoint of the authors'; raises EmoteError."""
    return load_network(path, EmotionNetwork) if path.is_dir() else load_official_emotion_network(path)


@dataclass(frozen=True)
class RunResult:
    """What a run did.

    Attributes:
        captured: clips that are there now.
        left_out: clips that are not, with the reason.
        num_before: clips of which an earlier run had decided.
    """

    captured: list[Outcome]
    left_out: list[LeftOut]
    num_before: int


def capture_all(
    clips: Sequence[FilmedClip],
    left_out: Sequence[LeftOut],
    folder: Path,
    layout: Layout,
    settings: CaptureSettings,
    num_processes: int = 1,
    step: Step = no_step,
) -> RunResult:
    """Capture clips that are not there yet, and write a report (report.json).

    Args:
        clips: the clips.
        left_out: what was left out before, for the report.
        folder: where the result goes.
        layout: how it is written there.
        settings: of the capture.
        num_processes: how many clips are captured at once.
        step: called with the fraction that is done.

    Raises:
        EmoteError: something that all clips need is missing, or nothing can be written.
        KeyboardInterrupt: the run was cancelled; what was captured stays.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made ({error.strerror}); choose another place") from error
    check_writable(folder / REPORT_FILE)
    decides = settings.summary()
    journal = Journal(folder)
    for place in {place for clip in clips for place in layout.folders(clip.name)}:
        remove_leftovers(place)
    digests = {clip.name: digest_of(clip, decides) for clip in clips}
    missing = [clip for clip in clips if not _is_done(journal, layout, clip.name, digests[clip.name])]
    jobs = [_Job(clip, digests[clip.name], layout) for clip in missing]
    try:
        for outcome in _outcomes(jobs, settings, num_processes, step):
            journal.add(outcome)
    finally:
        known = [journal.outcomes[clip.name] for clip in clips if clip.name in journal.outcomes]
        captured = [outcome for outcome in known if not outcome.why]
        unusable = [LeftOut(outcome.name, outcome.why) for outcome in known if outcome.why]
        result = RunResult(captured, [*left_out, *unusable], len(clips) - len(missing))
        _write_report(folder / REPORT_FILE, result, decides, len(clips))
    return result


def _is_done(journal: Journal, layout: Layout, name: str, digest: str) -> bool:
    """Whether a clip was captured or found unusable before, with the same files and settings."""
    outcome = journal.outcomes.get(name)
    return outcome is not None and outcome.digest == digest and (bool(outcome.why) or layout.holds(name))


def _write_report(path: Path, result: RunResult, settings: dict[str, Any], num_clips: int) -> None:
    num_frames = sum(outcome.num_frames for outcome in result.captured)
    report = {
        "clips": num_clips,
        "captured": len(result.captured),
        "left_out": [{"name": left.name, "why": left.why} for left in result.left_out],
        "frames": num_frames,
        "seen_frames": sum(outcome.num_seen for outcome in result.captured),
        "remarks": {outcome.name: outcome.remarks for outcome in result.captured if outcome.remarks},
        "settings": settings,
    }
    try:
        write_json(path, report)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); make room and start again") from error


# ---------------------------------------------------------------- one clip


@dataclass(frozen=True)
class _Job:
    clip: FilmedClip
    digest: str
    layout: Layout


def _do(job: _Job, tools: Tools, step: Step) -> Outcome:
    """Capture and write a clip; a clip that cannot be used is not there afterwards."""
    name = job.clip.name
    try:
        found = capture_clip(job.clip, tools, step)
    except Cancelled:
        raise
    except EmoteError as error:
        job.layout.remove(name)
        return Outcome(name, job.digest, str(error))
    except Exception as error:  # a fault of ours must not cost the other clips; this one is tried again
        logger.exception("%s could not be captured", job.clip.video)
        job.layout.remove(name)
        return Outcome(name, "", f"unexpected {type(error).__name__}: {error}")
    job.layout.write(name, found)
    return Outcome(name, job.digest, "", found.motion.num_frames, int(found.valid.sum()), list(found.remarks))


# ---------------------------------------------------------------- processes


def _outcomes(jobs: Sequence[_Job], settings: CaptureSettings, num_processes: int, step: Step) -> Iterator[Outcome]:
    """Yield the outcome of each job, as they are done."""
    if not jobs:
        return
    tools = settings.open()  # also where other processes open their own: what is missing is said once, and now
    if num_processes > 1:
        yield from _by_processes(jobs, settings, min(num_processes, len(jobs)), step)
        return
    for number, job in enumerate(jobs):

        def part(fraction: float, text: str, number: int = number) -> None:
            step((number + fraction) / len(jobs), "capturing")

        yield _do(job, tools, part)


def _by_processes(jobs: Sequence[_Job], settings: CaptureSettings, num_processes: int, step: Step) -> Iterator[Outcome]:
    """Yield the outcomes of jobs that several processes do."""
    context = multiprocessing.get_context("spawn")  # a fork would share the networks' threads
    stop = context.Event()
    pool = ProcessPoolExecutor(num_processes, context, _open_worker, (settings, stop))
    waiting, running = deque(jobs), dict[Future[Outcome], _Job]()
    num_done = 0
    try:
        while waiting or running:
            while waiting and len(running) < 2 * num_processes:
                job = waiting.popleft()
                running[pool.submit(_work, job)] = job
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                del running[future]
                num_done += 1
                yield outcome
            step(num_done / len(jobs), "capturing")
    except BrokenProcessPool as error:
        names = ", ".join(sorted(job.clip.name for job in running.values()))
        raise InputError(
            f"a process ended while {names} were captured, perhaps for want of memory; start again, with fewer "
            "--processes"
        ) from error
    finally:
        stop.set()  # the processes end at their next frame
        pool.shutdown(wait=True, cancel_futures=True)


_worker: tuple[Tools, Event] | None = None


def _open_worker(settings: CaptureSettings, stop: Event) -> None:
    """Prepare a process: its networks, one thread, no interrupts of its own, and an end with its parent."""
    global _worker
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    _worker = settings.open(), stop


def _end_with(parent: Any) -> None:
    """End this process when its parent has ended, however that came."""
    with suppress(OSError):
        parent.join()
    os._exit(1)


def _work(job: _Job) -> Outcome:
    assert _worker is not None  # opened with the process
    tools, stop = _worker
    is_stopped: Callable[[], bool] = stop.is_set
    return _do(job, tools, reported_step(no_step, is_stopped))
