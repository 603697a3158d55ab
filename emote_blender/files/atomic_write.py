"""Files and folders that are written whole or not at all.

Each is written under a fresh name beside its final one and renamed at the end. So no reader sees a half-written file,
and two processes can write the same file at once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError

_LEFTOVER = re.compile(r"\.emote-[0-9a-f]{12}(\..*)?")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """A path beside `path`, with its suffix, to write to; the file there replaces `path` if the block succeeds.

    Raises:
        OSError: if the file cannot be written; `path` is then unchanged, and nothing else is left behind.
    """
    path = Path(path)
    temporary = temporary_beside(path)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        for leftover in path.parent.glob(temporary.stem + "*"):
            leftover.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """A name that no other process uses, with the suffix of `path`.

    It is beside `path`, so that it is on the same disk and relative paths in a .blend stay valid.
    """
    return path.with_name(f".emote-{os.urandom(6).hex()}{path.suffix}")


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left half-written in a folder; nobody else may be writing there."""
    for path in [*folder.glob(".emote-*")]:
        if not _LEFTOVER.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON in UTF-8, whole or not at all; raises OSError."""
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """As `atomic_file`, for a file that the user named.

    Raises:
        InputError: if the file cannot be written (no space, no permission); `path` is then unchanged.
    """
    path = Path(path)
    check_writable(path)
    try:
        with atomic_file(path) as temporary:
            yield temporary
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` to write into; it is renamed to `folder` if the block succeeds, else removed.

    Raises:
        InputError: if the folder cannot be written.
    """
    place = folder.resolve()  # "." has no siblings by name
    unfinished = temporary_beside(place)
    try:
        unfinished.mkdir()
        yield unfinished
        if place.is_dir():
            place.rmdir()  # an empty one
        os.replace(unfinished, place)
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); choose another place") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def check_writable(path: str | Path) -> None:
    """Raise InputError if no file can be written at `path`. Leaves nothing behind."""
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


def check_new_folder(folder: Path) -> None:
    """Raise InputError unless `folder` can be made and is empty so far; its parent folder is made."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"{folder} already holds something; give a new folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(folder.parent, os.W_OK):
            raise InputError(f"{folder} cannot be made: {folder.parent} is read-only; choose another place")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{folder} cannot be made ({reason}); choose another place") from error


def _exists(path: Path) -> bool:
    """Whether `path` exists; unlike `Path.exists` it raises ValueError for a null character in the name."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _unwritable(path: Path, error: Exception) -> InputError:
    """The error for a file that the system refuses to write."""
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"{path} cannot be written ({reason}); choose another folder or name")
