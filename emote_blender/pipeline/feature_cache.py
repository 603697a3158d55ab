"""Features of clips that were encoded before, in memory and on disk: another emotion needs no encoding.

A clip's features are found by what they follow from: the samples, the model's files, the transcript and the package's
version. Both stores are bounded, and what was not used for longest goes first. A damaged or unreadable file counts as
missing, and a folder that cannot be written to is left alone: a cache never makes work fail.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import threading
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..audio import Waveform
from ..files.atomic_write import atomic_file
from ..motion_tools.raw_take import Prosody
from ..transcript.report import AlignedWord, TranscriptReport
from ..transcript.timed_transcript import TimedTranscript
from ..version import package_version
from .emote_pipeline import AudioFeatures

logger = logging.getLogger(__name__)

MEMORY_BYTES = 64 << 20
DISK_BYTES = 256 << 20
_SUFFIX = ".features"
_MAGIC = b"EMOTE features 2\n"
_DIGEST_BYTES = 32
_MODEL_LETTERS = 16
_PIECE_SAMPLES = 1 << 20
_PIECE_BYTES = 1 << 22


class FeatureCache:
    """Features by key. Several threads may use one cache, several processes one folder."""

    def __init__(
        self, folder: Path | None = None, memory_bytes: int = MEMORY_BYTES, disk_bytes: int = DISK_BYTES
    ) -> None:
        """Make a cache.

        Args:
            folder: where files are kept, made when it is needed; None to keep features in memory only.
            memory_bytes: most bytes of features in memory.
            disk_bytes: most bytes of files in the folder.
        """
        self.folder = folder
        self.memory_bytes, self.disk_bytes = memory_bytes, disk_bytes
        self._in_memory: OrderedDict[str, AudioFeatures] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> AudioFeatures | None:
        """The features of a key, or None."""
        with self._lock:
            features = self._in_memory.get(key)
            if features is not None:
                self._in_memory.move_to_end(key)
                return features
        features = self._read(key)
        if features is not None:
            self._remember(key, features)
        return features

    def put(self, key: str, features: AudioFeatures) -> None:
        """Keep the features of a key."""
        self._remember(key, features)
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(self.folder / f"{key}{_SUFFIX}") as temporary:
                temporary.write_bytes(_to_bytes(key, features))
            self._remove_oldest_files()
        except OSError as error:
            logger.debug("features are not kept on disk: %s", error)

    def clear(self) -> None:
        """Forget what is in memory; files stay."""
        with self._lock:
            self._in_memory.clear()

    def _remember(self, key: str, features: AudioFeatures) -> None:
        with self._lock:
            self._in_memory[key] = features
            self._in_memory.move_to_end(key)
            while sum(item.values.nbytes for item in self._in_memory.values()) > self.memory_bytes:
                self._in_memory.popitem(last=False)

    def _read(self, key: str) -> AudioFeatures | None:
        """The features in a key's file; None if it is missing or damaged."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}{_SUFFIX}"
        try:
            if path.stat().st_size > self.disk_bytes:
                return None
            content = path.read_bytes()
            features = _from_bytes(key, content)
        except OSError:
            return None
        # numpy's reader of damaged files raises errors of many kinds, none of them documented.
        except Exception as error:
            logger.debug("%s is damaged and is not used: %s", path, error)
            return None
        try:
            os.utime(path)  # it was used now
        except OSError:
            pass
        return features

    def _remove_oldest_files(self) -> None:
        """Remove the files that were not used for longest until the rest fits."""
        assert self.folder is not None
        files = []
        for path in self.folder.glob(f"*{_SUFFIX}"):
            try:
                status = path.stat()
            except OSError:
                continue  # another process removed it
            files.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.disk_bytes:
                return
            try:
                path.unlink(missing_ok=True)
            except OSError:
                continue  # in use, on Windows
            total -= size


def feature_key(
    waveform: Waveform, model: str, transcript: str | TimedTranscript | None, language: str, complete: bool
) -> str:
    """The key of a clip's features: a digest of what they follow from; its beginning is that of the model's digest.

    Args:
        waveform: the clip.
        model: digest of the model's files (`model_digest`) with the name of the engine that runs it.
        transcript: the spoken words, or None.
        language: of the transcript.
        complete: as in `EMOTEPipeline.encode`.
    """
    digest = hashlib.sha256()
    samples = waveform.samples
    facts = [package_version(), model, waveform.sample_rate, len(samples), complete]
    words = asdict(transcript) if isinstance(transcript, TimedTranscript) else transcript
    digest.update(json.dumps([*facts, words, language if transcript is not None else ""]).encode())
    for start in range(0, len(samples), _PIECE_SAMPLES):
        piece = samples[start : min(start + _PIECE_SAMPLES, len(samples))]
        digest.update(np.ascontiguousarray(piece, dtype=np.float32).tobytes())
    return model[:_MODEL_LETTERS] + digest.hexdigest()[_MODEL_LETTERS:]


def is_of_model(key: str, model: str) -> bool:
    """Whether a key of features was made with the model of this digest."""
    return key[:_MODEL_LETTERS] == model[:_MODEL_LETTERS]


def model_digest(folder: Path) -> str:
    """A digest of the files that decide a model's features; raises OSError if one cannot be read."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".json", ".safetensors", ".onnx") or not path.is_file():
            continue
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    return digest.hexdigest()


def _to_bytes(key: str, features: AudioFeatures) -> bytes:
    """A file's content: a line that says what it is, a digest of the rest, and an .npz archive."""
    report = features.transcript_report
    meta = {
        "key": key,
        "fps": features.fps,
        "model": features.model,
        "padding": features.padding,
        "transcript_report": None if report is None else asdict(report),
    }
    archive = io.BytesIO()
    arrays = {"values": features.values}
    if features.prosody is not None:
        arrays |= {"loudness_db": features.prosody.loudness_db, "pitch_hz": features.prosody.pitch_hz}
    np.savez(archive, meta=np.array(json.dumps(meta)), **arrays)
    content = archive.getvalue()
    return _MAGIC + hashlib.sha256(content).digest() + content


def _from_bytes(key: str, content: bytes) -> AudioFeatures:
    """What `_to_bytes` wrote; raises ValueError for anything else, before it is parsed."""
    start = len(_MAGIC) + _DIGEST_BYTES
    archive = content[start:]
    if content[: len(_MAGIC)] != _MAGIC or content[len(_MAGIC) : start] != hashlib.sha256(archive).digest():
        raise ValueError("the digest does not match")
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        values, meta = arrays["values"], json.loads(str(arrays["meta"]))
        prosody = Prosody(arrays["loudness_db"], arrays["pitch_hz"]) if "pitch_hz" in arrays else None
    if meta["key"] != key:
        raise ValueError("the file was renamed")
    report = _report_of(meta["transcript_report"])
    return AudioFeatures(values, meta["fps"], meta["model"], tuple(meta["padding"]), report, prosody)


def _report_of(fields: dict[str, Any] | None) -> TranscriptReport | None:
    if fields is None:
        return None
    words = tuple(AlignedWord(**word) for word in fields["words"])
    other = tuple((start, end) for start, end in fields["other_sound"])
    return TranscriptReport(**{**fields, "words": words, "other_sound": other})
