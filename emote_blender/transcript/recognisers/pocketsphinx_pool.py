"""Utterances decoded by pocketsphinx in programs of their own, or in this process where there is no Python to run."""

from __future__ import annotations

import functools
import json
import logging
import os
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ...errors import Cancelled, ModelError
from . import pocketsphinx_worker
from .interface import IsCancelled

logger = logging.getLogger(__name__)

# As written, first frame, last frame, posterior probability.
DecodedWord = tuple[str, int, int, float]

CURE = "install the Python library pocketsphinx or the add-on's zip that includes it, or write the transcript"
_MOST_WORKERS = 4
_WAIT_SECONDS = 0.25  # between two calls of `cancelled`


def decode_utterances(
    order: Sequence[int],
    pcm: Callable[[int], bytes],
    library: Path,
    cancelled: IsCancelled | None = None,
) -> Iterator[tuple[int, list[DecodedWord]]]:
    """(index, words) of each utterance, as soon as it is decoded. Closing the iterator stops the work.

    Args:
        order: indices of the utterances, in the order in which they are begun.
        pcm: 16-bit samples of an utterance at 16 kHz; called by one thread at a time.
        library: folder of the package pocketsphinx.
        cancelled: called several times per second.

    Raises:
        ModelError: if pocketsphinx does not run.
        Cancelled: if `cancelled` returns True.
    """
    if not order:
        return
    workers = _start_workers(library, len(order))
    if workers:
        try:
            yield from _decode_by(workers, order, pcm, cancelled)
            return
        except _DoesNotRunError as error:  # before any result, such as a Python of another version than Blender's
            logger.info("pocketsphinx does not run in %s (%s)", sys.executable, error)
    yield from _decode_here(order, pcm, library, cancelled)


class _DoesNotRunError(Exception):
    """A worker's reason for not decoding anything."""


def _decode_by(
    workers: list[subprocess.Popen[bytes]],
    order: Sequence[int],
    pcm: Callable[[int], bytes],
    cancelled: IsCancelled | None,
) -> Iterator[tuple[int, list[DecodedWord]]]:
    """As `decode_utterances`, by running workers, which are ended; raises _DoesNotRunError if they cannot decode."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in order:
        waiting.put(index)
    results: queue.SimpleQueue[tuple[int, list[DecodedWord]] | Exception] = queue.SimpleQueue()
    reading = threading.Lock()
    threads = [
        threading.Thread(target=_serve, args=(worker, waiting, pcm, reading, results), daemon=True)
        for worker in workers
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in order:
            yield _next_result(results, cancelled)
    finally:
        for worker in workers:
            worker.kill()
        for thread in threads:
            thread.join()
        for worker in workers:
            worker.communicate()


def _start_workers(library: Path, num_utterances: int) -> list[subprocess.Popen[bytes]]:
    """Running programs of `pocketsphinx_worker`; none if `sys.executable` is no Python that can be run.

    Inside Blender it may be missing, or Blender itself; and a system may forbid it.
    """
    if not sys.executable or not Path(sys.executable).name.lower().startswith("python"):
        return []
    program = [sys.executable, "-I", pocketsphinx_worker.__file__, str(library.parent)]
    pipe = subprocess.PIPE
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(min(num_utterances, _MOST_WORKERS, max(1, (os.cpu_count() or 1) // 2))):
            workers.append(
                subprocess.Popen(
                    program,
                    stdin=pipe,
                    stdout=pipe,
                    stderr=subprocess.DEVNULL,
                    cwd=library / "model",
                    creationflags=flags,
                )
            )
    except OSError as error:
        logger.info("%s cannot be run (%s)", sys.executable, error)
    return workers


def _serve(
    worker: subprocess.Popen[bytes],
    waiting: queue.SimpleQueue[int],
    pcm: Callable[[int], bytes],
    reading: threading.Lock,
    results: queue.SimpleQueue[tuple[int, list[DecodedWord]] | Exception],
) -> None:
    """Let a worker decode the waiting utterances one after another, until none is left or something fails."""
    while True:
        try:
            index = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            with reading:
                data = pcm(index)
            results.put((index, _ask(worker, data)))
        except Exception as error:  # raised again by `_next_result`
            results.put(error)
            return


def _ask(worker: subprocess.Popen[bytes], data: bytes) -> list[DecodedWord]:
    """The words of an utterance; raises ModelError or _DoesNotRunError if the worker fails."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(struct.pack("<I", len(data)) + data)
        worker.stdin.flush()
    except OSError:
        pass  # it ended, and its last line may say why
    line = worker.stdout.readline()
    if not line.endswith(b"\n"):
        raise ModelError(f"pocketsphinx ended unexpectedly (exit code {worker.wait()}); {CURE}")
    answer = json.loads(line)
    if isinstance(answer, str):
        raise _DoesNotRunError(answer)
    return [tuple(word) for word in answer]


def _next_result(
    results: queue.SimpleQueue[tuple[int, list[DecodedWord]] | Exception], cancelled: IsCancelled | None
) -> tuple[int, list[DecodedWord]]:
    """The next result of any worker; raises what a worker's thread raised, and Cancelled while waiting."""
    while True:
        _check(cancelled)
        try:
            result = results.get(timeout=_WAIT_SECONDS)
        except queue.Empty:
            continue
        if isinstance(result, Exception):
            raise result
        return result


def _check(cancelled: IsCancelled | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled("cancelled; nothing was written")


_decoder_lock = threading.Lock()


def _decode_here(
    order: Sequence[int], pcm: Callable[[int], bytes], library: Path, cancelled: IsCancelled | None
) -> Iterator[tuple[int, list[DecodedWord]]]:
    """As `decode_utterances`, in this process: slower, and Blender's interface waits for every utterance."""
    for index in order:
        _check(cancelled)
        with _decoder_lock:
            words = pocketsphinx_worker.decode(_open_decoder(str(library / "model")), pcm(index))
        yield index, words


@functools.cache
def _open_decoder(model: str) -> Any:
    try:
        return pocketsphinx_worker.open_decoder(model)
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"pocketsphinx does not run ({error}); {CURE}") from error
