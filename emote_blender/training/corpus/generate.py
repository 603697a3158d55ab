"""The corpus on disk: shards of synthetic speech with phone times, the same for the same seed, resumable.

The folder of a part has its shards and part.json, which records the settings and the code that they were made with.

A shard is an .npz file with about six minutes of speech from one engine:

    samples        (N,) int16      16 kHz; U utterances, each padded with zeros to whole frames at 25 fps
    frame_offsets  (U + 1,) int64  first frame of each utterance, then the number of frames
    phone_classes  (P,) int16      phones of all utterances
    phone_times    (P, 2) float32  start and end of each phone, seconds from the start of its utterance
    phone_offsets  (U + 1,) int64  first phone of each utterance, then P
    speakers       (U,) text       engine and voice
    texts          (U,) text       the words
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...audio import FRAME_SAMPLES
from ...files.atomic_write import atomic_file, write_json
from ...motion_tools.timing import MOTION_FPS
from .engines import catalogue
from .engines.utterance import Utterance
from .source_digest import source_digest

logger = logging.getLogger(__name__)

SHARD_SECONDS = 360.0
SHORTEST_SECONDS, LONGEST_SECONDS = 0.6, 20.0


@dataclass(frozen=True)
class CorpusPart:
    """One part of a corpus: speech of one engine.

    Attributes:
        name: of its folder.
        engine: one of `catalogue.ENGINES` or `catalogue.UNSEEN_ENGINES`.
        hours: duration of the speech.
        seed: of its texts and voices.
        voices: names of the voices; None: all.
    """

    name: str
    engine: str
    hours: float
    seed: int
    voices: tuple[str, ...] | None = None


# The parts that the shipped weights are trained on (FULL, VARIED, NEURAL) and evaluated on (VALIDATION).
FULL_CORPUS = (
    CorpusPart("espeak", "espeak", 6.0, 101),
    CorpusPart("espeak_languages", "espeak_languages", 3.0, 102),
    CorpusPart("festival", "festival", 4.0, 103),
    CorpusPart("flite", "flite", 3.0, 104),
)
VARIED_CORPUS = (  # single words, commands, lists, pauses, breaths, a drifting rate: see `varied_text` and `variation`
    CorpusPart("espeak_varied", "espeak_varied", 3.0, 111),
    CorpusPart("flite_varied", "flite_varied", 3.0, 114),
    CorpusPart("festival_varied", "festival_varied", 1.0, 113),
)
NEURAL_CORPUS = (  # phone times from predicted durations and the sound's level: to be aligned by a model
    CorpusPart("hibari", "hibari", 15.0, 14),
    CorpusPart("kokoro", "kokoro", 5.0, 14),
)
FULL_VALIDATION = (
    CorpusPart("espeak_validation", "espeak", 0.1, 901),
    CorpusPart("festival_validation", "festival", 0.1, 903),
    CorpusPart("flite_validation", "flite", 0.2, 904),
)
JUDGE_VALIDATION = (  # voices that behave like people, with phones from a forced alignment
    CorpusPart("kokoro_unseen_validation", "kokoro_unseen", 0.2, 906),
    CorpusPart("joe_validation", "joe", 0.2, 907),
)
UNSEEN_VALIDATION = (  # voices and languages that no weights are trained on
    CorpusPart("festival_unseen_validation", "festival_unseen", 0.2, 905),
)


def generate_part(part: CorpusPart, folder: Path, shard_seconds: float = SHARD_SECONDS) -> list[Path]:
    """The shards of a part; missing ones are synthesised, so that a stopped run continues where it stopped.

    All shards are made again if part.json records other settings, or other code that decides the speech.

    Each shard has its own seed and its own process, because an engine's library keeps state from one sentence to the
    next. So a shard does not depend on the order in which shards are made.

    Args:
        part: the part.
        folder: the corpus's; the part has its own folder in it.
        shard_seconds: approximate duration of a shard.

    Raises:
        InputError: the engine is not installed.
    """
    catalogue.require_engines((part.engine,))
    part_folder = folder / part.name
    part_folder.mkdir(parents=True, exist_ok=True)
    description = {**part.__dict__, "shard_seconds": shard_seconds, "code": code_digest(part.engine)}
    record = part_folder / "part.json"
    if record.is_file():
        _remove_stale(part_folder, record, description)
    write_json(record, description)

    count = max(1, round(part.hours * 3600 / shard_seconds))
    seconds = part.hours * 3600 / count
    paths = [part_folder / f"{i:03d}.npz" for i in range(count)]
    started, made = time.monotonic(), 0
    for i, path in enumerate(paths):
        if path.is_file():
            continue
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=write_shard, args=(part, i, seconds, path))
        process.start()
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"shard {path} could not be made (exit code {process.exitcode})")
        made += 1
    if made:
        elapsed = time.monotonic() - started
        hours = made * seconds / 3600
        logger.info(
            "%s: %.2f h in %.0f s, %.2f hours of speech per minute", part.name, hours, elapsed, 60 * hours / elapsed
        )
    return paths


def read_shard(path: Path) -> Iterator[Utterance]:
    """The utterances of a shard."""
    with np.load(path) as archive:
        data = {name: archive[name] for name in archive.files}
    for i, (speaker, text) in enumerate(zip(data["speakers"], data["texts"], strict=True)):
        first, last = data["frame_offsets"][i : i + 2] * FRAME_SAMPLES
        spoken = slice(*data["phone_offsets"][i : i + 2])
        yield Utterance(
            data["samples"][first:last],
            data["phone_classes"][spoken],
            data["phone_times"][spoken],
            str(speaker),
            str(text),
        )


def code_digest(engine: str) -> str:
    """Digest of the code that decides an engine's speech (`catalogue.sources`, `write_shard`).

    Comments and docstrings do not count.
    """
    return source_digest(*catalogue.sources(engine), write_shard)


def _remove_stale(folder: Path, record: Path, description: dict[str, Any]) -> None:
    """Delete the shards of a part if its record names other settings or other code.

    Shards of older versions, whose record does not name the code, are kept.
    """
    try:
        made_with = json.loads(record.read_text(encoding="utf-8"))
    except ValueError:  # the record was cut short
        made_with = {}
    wanted = json.loads(json.dumps(description))  # as JSON returns it: tuples become lists
    changed = [key for key in wanted if key != "code" and made_with.get(key) != wanted[key]]
    if not changed and made_with.get("code", wanted["code"]) != wanted["code"]:
        changed = ["the code that makes its speech"]
    stale = sorted(folder.glob("*.npz")) if changed else []
    if stale:
        logger.warning("%s: %s changed; its shards are made again (%d)", folder.name, ", ".join(changed), len(stale))
    for path in stale:
        path.unlink()


def write_shard(part: CorpusPart, index: int, seconds: float, path: Path) -> None:
    """Synthesise shard `index` of a part and write it atomically.

    Args:
        part: the part.
        index: of the shard; it decides the seed.
        seconds: duration of the speech, at least.
        path: the file to write.
    """
    seed = zlib.crc32(f"{part.engine} {part.seed} {index}".encode())
    samples, classes, times, speakers, texts = [], [], [], [], []
    frame_offsets, phone_offsets = [0], [0]
    for utterance in catalogue.utterances(part.engine, seed, part.voices):
        if frame_offsets[-1] >= seconds * MOTION_FPS:
            break
        duration = len(utterance.samples) / catalogue.SAMPLE_RATE
        if not SHORTEST_SECONDS <= duration <= LONGEST_SECONDS or len(utterance.phone_classes) < 2:
            continue
        frames = -(-len(utterance.samples) // FRAME_SAMPLES)
        samples.append(np.pad(utterance.samples, (0, frames * FRAME_SAMPLES - len(utterance.samples))))
        classes.append(utterance.phone_classes)
        times.append(utterance.phone_times)
        speakers.append(utterance.speaker)
        texts.append(utterance.text)
        frame_offsets.append(frame_offsets[-1] + frames)
        phone_offsets.append(phone_offsets[-1] + len(utterance.phone_classes))
    with atomic_file(path) as temporary:
        np.savez(
            temporary,
            samples=np.concatenate(samples),
            frame_offsets=np.asarray(frame_offsets, np.int64),
            phone_classes=np.concatenate(classes),
            phone_times=np.concatenate(times),
            phone_offsets=np.asarray(phone_offsets, np.int64),
            speakers=np.asarray(speakers),
            texts=np.asarray(texts),
        )
