"""Arrays by name in a zip archive as numpy writes it (.npz), read from files that may be damaged or hostile."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import IO

import numpy as np

from ..errors import InputError

_MAX_ROWS = 10_000_000  # 46 hours at 60 fps
_MAX_BYTES = 2 << 30


def read_arrays(
    source: str | Path | IO[bytes], known: Collection[str], label: str, kind: str = "motion file"
) -> dict[str, np.ndarray]:
    """The arrays of an archive by name; others than the known ones are left out.

    Args:
        source: the archive: a file's path, or an open file.
        known: names of the arrays to read; "meta" is text, all others are numbers.
        label: what the archive is, for messages.
        kind: what kind of file is wanted, for messages.

    Raises:
        InputError: for pickled objects and for false sizes.
        Exception: of many kinds, from zipfile and numpy, for content that is no such archive.
    """
    import zipfile  # here, as it takes longer to import than the rest of the add-on

    arrays = {}
    with zipfile.ZipFile(source) as archive:
        entries = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if sum(info.file_size for info in entries.values()) > _MAX_BYTES:
            raise InputError(f"{label} holds more than {_MAX_BYTES >> 30} GB; choose a {kind} written by EMOTE")
        for name in entries.keys() & set(known):
            with archive.open(entries[name]) as entry:
                version = np.lib.format.read_magic(entry)
                read_header = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }.get(version)
                if read_header is None:
                    raise InputError(f"{label}: {name} is in an unknown array format {version}; generate it again")
                shape, _, dtype = read_header(entry)
            # The announced size is checked before numpy makes room for it.
            num_bytes = dtype.itemsize * int(np.prod([int(size) for size in shape], dtype=object) if shape else 1)
            if dtype.hasobject or dtype.kind not in ("U" if name == "meta" else "fiu"):
                raise InputError(f"{label}: {name} holds {dtype}, not numbers; choose a {kind} written by EMOTE")
            if num_bytes > entries[name].file_size or (shape and shape[0] > _MAX_ROWS):
                raise InputError(f"{label}: {name} announces {shape} values that the file does not hold")
            with archive.open(entries[name]) as entry:
                arrays[name] = np.lib.format.read_array(entry, allow_pickle=False)
    return arrays
