"""English by pocketsphinx and the model in its wheel: built in, no download."""

from __future__ import annotations

import functools
import json
import os
import queue
import re
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ...errors import Cancelled, InputError, ModelError
from ...sample_store import Samples
from . import pocketsphinx_worker
from .interface import IsCancelled, Progress, RecognisedWord, Recognition
from .utterances import SAMPLE_RATE, find_utterances

NAME, LANGUAGE = "pocketsphinx", "en-us"
_MOST_WORKERS = 4
_PEAK = 0.7  # of full scale, for every utterance
_PADDING = np.zeros(SAMPLE_RATE // 5, np.int16)
_CURE = "install the Python library pocketsphinx or the add-on's zip that includes it, or write the transcript"

Word = tuple[str, int, int, float]  # as written, first frame, last frame, posterior probability


class PocketsphinxEnglish:
    """The recogniser that is built in. It understands US English; its methods may be called from any thread."""

    name = NAME
    languages = (LANGUAGE,)

    def __init__(self) -> None:
        """Find the library and its model.

        Raises:
            ModelError: if either is missing.
        """
        spec = find_spec("pocketsphinx")
        if spec is None or spec.origin is None:
            raise ModelError(f"the words cannot be recognised without pocketsphinx, which is not installed; {_CURE}")
        self._library = Path(spec.origin).parent
        self._model = self._library / "model"
        if not (self._model / "en-us").is_dir():
            raise ModelError(f"{self._model / 'en-us'} not found: pocketsphinx has no model; {_CURE}")

    def recognise(
        self,
        samples: Samples,
        language: str = "auto",
        progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Recognition:
        """The words of a sound; see `Recogniser.recognise`.

        The same sound gives the same words: no utterance depends on those before it.

        Raises:
            ModelError: if pocketsphinx does not run.
        """
        if not is_english(language):
            raise InputError(f"{NAME} understands en only, found the language {language!r}")
        utterances = find_utterances(samples)
        words: list[list[RecognisedWord]] = [[] for _ in utterances]
        done, total = 0, sum(stop - start for start, stop in utterances)
        for index, found in self._decode(samples, utterances, cancelled):
            start, stop = utterances[index]
            words[index] = _words(found, start / SAMPLE_RATE, stop / SAMPLE_RATE)
            done += stop - start
            if progress is not None:
                progress(done / total, "Recognising the words")
        return Recognition(tuple(word for part in words for word in part), LANGUAGE, NAME)

    def _decode(
        self, samples: Samples, utterances: list[tuple[int, int]], cancelled: IsCancelled | None
    ) -> Iterator[tuple[int, list[Word]]]:
        """(index, words) of each utterance, in the order in which they are done."""
        if not utterances:
            return
        if not _runs_programs():
            yield from self._decode_here(samples, utterances, cancelled)
            return
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for index in range(len(utterances)):
            waiting.put(index)
        reading = threading.Lock()  # samples on disk are read by one thread at a time

        def pcm(index: int) -> bytes:
            start, stop = utterances[index]
            with reading:
                return to_pcm(samples[start:stop])

        results: queue.SimpleQueue[tuple[int, list[Word]] | ModelError] = queue.SimpleQueue()
        workers = [self._start_worker() for _ in range(min(_num_workers(), len(utterances)))]
        threads = [
            threading.Thread(target=_serve, args=(worker, waiting, pcm, results.put), daemon=True) for worker in workers
        ]
        try:
            for thread in threads:
                thread.start()
            for _ in utterances:
                yield _next_result(results, cancelled)
        finally:
            for worker in workers:
                worker.kill()
            for thread in threads:
                thread.join()
            for worker in workers:
                worker.communicate()

    def _start_worker(self) -> subprocess.Popen[bytes]:
        """A running program of `pocketsphinx_worker`; raises ModelError if it cannot be started."""
        program = [sys.executable, "-I", pocketsphinx_worker.__file__, str(self._library.parent)]
        pipe = subprocess.PIPE
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows only
        try:
            return subprocess.Popen(
                program, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=self._model, creationflags=flags
            )
        except OSError as error:
            raise ModelError(f"{NAME} cannot be started ({error.strerror}); write the transcript") from error

    def _decode_here(
        self, samples: Samples, utterances: list[tuple[int, int]], cancelled: IsCancelled | None
    ) -> Iterator[tuple[int, list[Word]]]:
        """As `_decode`, in this process: where there is no Python to run a program with."""
        with _decoder_lock:
            decoder = _open_decoder(str(self._model))
            for index, (start, stop) in enumerate(utterances):
                if cancelled is not None and cancelled():
                    raise Cancelled("cancelled; nothing was written")
                yield index, pocketsphinx_worker.decode(decoder, to_pcm(samples[start:stop]))


def is_english(language: str) -> bool:
    """Whether a language tag means English, or leaves it open."""
    return re.split(r"[-_]", language.strip().lower())[0] in ("", "auto", "en", "eng", "english")


def to_pcm(samples: np.ndarray) -> bytes:
    """16-bit PCM of an utterance (N,) with its peak at a fixed level and silence around it."""
    samples = np.asarray(samples, dtype=np.float32)
    samples = samples - samples.mean()
    peak = float(np.abs(samples).max())
    scaled = np.rint(samples * (32767 * _PEAK / peak if peak > 0 else 0.0)).astype("<i2")
    return np.concatenate([_PADDING, scaled, _PADDING]).astype("<i2").tobytes()


_decoder_lock = threading.Lock()


@functools.lru_cache(maxsize=1)
def _open_decoder(model: str):
    try:
        return pocketsphinx_worker.open_decoder(model)
    except (ImportError, RuntimeError, ValueError) as error:
        raise ModelError(f"pocketsphinx does not run ({error}); {_CURE}") from error


def _runs_programs() -> bool:
    """Whether `sys.executable` is a Python; inside Blender it may be missing, or Blender itself."""
    return bool(sys.executable) and Path(sys.executable).name.lower().startswith("python")


def _num_workers() -> int:
    return max(1, min(_MOST_WORKERS, os.cpu_count() or 1))


def _serve(
    worker: subprocess.Popen[bytes],
    waiting: queue.SimpleQueue[int],
    pcm: Callable[[int], bytes],
    put: Callable[[tuple[int, list[Word]] | ModelError], None],
) -> None:
    """Let a worker decode the waiting utterances one after another, until none is left or it ends."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    while True:
        try:
            index = waiting.get_nowait()
        except queue.Empty:
            return
        data = pcm(index)
        try:
            worker.stdin.write(struct.pack("<I", len(data)) + data)
            worker.stdin.flush()
            put((index, [tuple(word) for word in json.loads(worker.stdout.readline())]))
        except (OSError, ValueError):
            put(ModelError(f"pocketsphinx ended unexpectedly (exit code {worker.wait()}); {_CURE}"))
            return


def _next_result(
    results: queue.SimpleQueue[tuple[int, list[Word]] | ModelError], cancelled: IsCancelled | None
) -> tuple[int, list[Word]]:
    """The next result of any worker; raises ModelError, and Cancelled while waiting for it."""
    while True:
        if cancelled is not None and cancelled():
            raise Cancelled("cancelled; nothing was written")
        try:
            result = results.get(timeout=0.25)
        except queue.Empty:
            continue
        if isinstance(result, ModelError):
            raise result
        return result


def _words(found: list[Word], start_seconds: float, stop_seconds: float) -> list[RecognisedWord]:
    """The words of an utterance that lasts from `start_seconds`, without fillers."""
    rate = pocketsphinx_worker.FRAMES_PER_SECOND
    begin = start_seconds - len(_PADDING) / SAMPLE_RATE
    words = []
    for text, first, last, probability in found:
        if text[0] in "<[+":  # silence, noise, breath
            continue
        start, end = (min(max(begin + frame / rate, start_seconds), stop_seconds) for frame in (first, last + 1))
        words.append(RecognisedWord(text.split("(")[0], start, end, min(1.0, probability)))
    return words
