"""Files as memory-mapped bytes, and errors that name the file."""

from __future__ import annotations

import mmap
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import InputError
from .inert import RefusedPickle

DAMAGE = (ValueError, TypeError, LookupError, OverflowError, MemoryError, SyntaxError, RecursionError, EOFError)
ZIP_DAMAGE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, struct.error, zlib.error, AttributeError)


def map_file(path: Path) -> memoryview:
    """The bytes of a file as a memory map.

    Raises:
        InputError: if the file cannot be read or is empty.
    """
    try:
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check its name and its rights") from error
    except ValueError:
        raise InputError(f"{path} is empty; copy or download it again") from None


def forget_pages(data: memoryview) -> None:
    """Let the system free the pages of a mapped file; they are read from disk again when needed."""
    if isinstance(data.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
        data.obj.madvise(mmap.MADV_DONTNEED)


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn an error about a file into an InputError that names the file."""
    try:
        yield
    except InputError:
        raise
    except RefusedPickle as error:
        raise InputError(f"{path} {error}; nothing of it was run, download it again from its authors' page") from error
    except (*DAMAGE, *ZIP_DAMAGE, OSError) as error:
        reason = str(error).split("\n")[0][:120] or type(error).__name__
        raise InputError(f"{path} is damaged or of another kind ({reason}); copy or download it again") from error


def safe_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries of a zip by name.

    Raises:
        RefusedPickle: if a name leads out of the archive or occurs twice, or an entry is encrypted.
    """
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise RefusedPickle(f"has an entry {name[:80]!r} that leads out of the archive")
        if name in entries:
            raise RefusedPickle(f"has two entries called {name[:80]!r}")
        if entry.flag_bits & 1:
            raise RefusedPickle(f"has the encrypted entry {name[:80]!r}")
        entries[name] = entry
    return entries
