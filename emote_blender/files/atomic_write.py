"""Files that the user asked for: found unwritable before the work begins, and never left half-written."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError


def check_writable(path: str | Path) -> None:
    """Returns nothing; raises InputError if a file at `path` could not be written. Leaves nothing behind."""
    path = Path(path)
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; give the name of a file to write")
    if not os.path.isdir(path.parent):
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not exist; create it first")
    try:
        if _exists(path) and not os.access(path, os.W_OK):
            raise InputError(f"{path} cannot be written: it is read-only; choose another name")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _exists(path: Path) -> bool:
    """Whether something is at `path`; unlike `Path.exists` it raises ValueError for a null in the name."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _unwritable(path: Path, error: Exception) -> InputError:
    """The sentence for a file that the system refuses to write."""
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"{path} cannot be written ({reason}); choose another folder or name")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside `path`, with its suffix, to write to; it takes the place of `path` if the block succeeds.

    Raises:
        InputError: if the file cannot be written (no room, no permission); what was at `path` stays as it was.
    """
    path = Path(path)
    check_writable(path)
    # A sibling, so that what a .blend says relative to itself stays true; a fresh name, made with the user's umask.
    stem = f".emote-{uuid.uuid4().hex[:12]}"
    temporary = path.with_name(stem + path.suffix)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        for leftover in path.parent.glob(stem + "*"):
            leftover.unlink(missing_ok=True)
