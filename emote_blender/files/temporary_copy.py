"""Bytes as a file for libraries that read files only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError


@contextmanager
def temporary_copy(blocks: Iterable[bytes], suffix: str, name: str) -> Iterator[Path]:
    """A file in the temporary folder that holds the blocks, and is deleted at the end.

    Args:
        blocks: its content.
        suffix: of its name.
        name: what the sentence calls the content.

    Raises:
        InputError: if it cannot be written there.
    """
    num_bytes = 0
    folder = None
    try:
        folder = tempfile.TemporaryDirectory(prefix="emote-")
        copy = Path(folder.name) / f"copy{suffix}"
        with copy.open("wb") as file:
            for block in blocks:
                num_bytes += len(block)
                file.write(block)
    except OSError as error:
        if folder is not None:
            folder.cleanup()
        where = tempfile.tempdir or "the temporary folder"
        raise InputError(
            f"{name} needs {max(num_bytes / 1e6, 0.1):.1f} MB in {where} while it is read, which cannot be written "
            f"({error.strerror}); make room there, or set the environment variable TMPDIR to another folder"
        ) from error
    with folder:
        yield copy
