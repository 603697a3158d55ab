"""What `capture --mead` or `--folder` has done so far, a line for each clip, so that a killed run can go on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ....errors import InputError
from .videos import FilmedClip

JOURNAL_FILE = "capture.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What became of a clip.

    Attributes:
        name: of the clip.
        digest: of all that decides the result.
        why: why it was left out, one sentence; "" if it was captured.
        num_frames: of the captured clip.
        num_seen: frames in which the face was seen.
        remarks: one sentence each.
    """

    name: str
    digest: str
    why: str = ""
    num_frames: int = 0
    num_seen: int = 0
    remarks: list[str] = field(default_factory=list)


class Journal:
    """The outcomes of a folder's clips, on disk.

    Attributes:
        outcomes: by name, the newest of each clip.
    """

    def __init__(self, folder: Path) -> None:
        """Read the journal of a folder, if it has one; raises InputError if it cannot be read or written."""
        self._path = folder / JOURNAL_FILE
        self.outcomes: dict[str, Outcome] = {}
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n" if lines else "")  # the last line may have been cut off
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self._path} cannot be used ({error}); delete it to begin anew") from error
        for line in filter(None, lines):
            try:
                outcome = Outcome(**json.loads(line))
                self.outcomes[outcome.name] = outcome
            except (ValueError, TypeError):
                continue  # cut off by a crash, or of another version: the clip is captured again

    def add(self, outcome: Outcome) -> None:
        """Add an outcome; raises InputError if it cannot be written."""
        self.outcomes[outcome.name] = outcome
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
        except OSError as error:
            raise InputError(f"{self._path} cannot be written ({error.strerror}); make room and start again") from error


def digest_of(clip: FilmedClip, settings: dict[str, Any]) -> str:
    """A digest of all that decides the result of a clip: its files by size and time, its labels, the settings."""
    files = [clip.video, *([clip.audio] if clip.audio else [])]
    labels = clip.emotion, clip.intensity, clip.speaker
    decides = json.dumps([[stamp(path) for path in files], labels, settings], sort_keys=True)
    return hashlib.sha256(decides.encode(errors="backslashreplace")).hexdigest()


def stamp(path: Path) -> list[Any]:
    """Path, size and time of a file, by which a change of it is noticed."""
    found = path.stat()
    return [str(path.resolve()), found.st_size, found.st_mtime_ns]
