"""Tables of characters as files: a table made for one character is a preset for others with the same names.

A file is JSON: `{"format": "EMOTE mapping", "version": 1, "name": ..., "rows": [{"source": ..., "target": ...}, ...]}`.
A row may leave out what has a default. Anything unknown, doubled or out of range is refused with one sentence.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files.atomic_write import replacing
from ..files.dataclass_reader import FieldError, read_dataclass
from ..files.text_file import read_text_file
from .mapping import BONE_CHANNELS, KEY, FaceMapping, MappingRow
from .name_words import MEANINGS, VISEME_WORDS, words_of

FORMAT, VERSION = "EMOTE mapping", 1
MAX_BYTES = 4 << 20
MAX_ROWS = 4000
_MAX_LETTERS = 255  # of a name; Blender's are shorter
_GREATEST = 1e6  # of a number
_FEWEST_LETTERS = 4  # of a name that may have another prefix
_NUMBERS = ("strength", "offset", "low", "high")
_DEFAULTS = {
    field.name: field.default for field in dataclasses.fields(MappingRow) if field.name not in ("source", "target")
}


@dataclass(frozen=True)
class _MappingFile:
    """The fields of a file.

    Attributes:
        format: always `FORMAT`.
        version: `VERSION`.
        rows: the table.
        name: what the user calls it.
    """

    format: str
    version: int
    rows: tuple[MappingRow, ...]
    name: str = ""


def write_mapping(mapping: FaceMapping, path: str | Path) -> None:
    """Write a table to a file, whole or not at all; reading it gives the same table.

    Raises:
        InputError: if the table has too many rows, or the file cannot be written.
    """
    path = Path(path)
    if len(mapping.rows) > MAX_ROWS:
        raise InputError(f"the table has {len(mapping.rows)} rows, a file can hold {MAX_ROWS}; remove some")
    rows = []
    for number, row in enumerate(mapping.rows, 1):
        _check_row(row, number, "the table")
        values = dataclasses.asdict(row)
        rows.append({name: value for name, value in values.items() if value != _DEFAULTS.get(name, object())})
    content = {"format": FORMAT, "version": VERSION, "name": mapping.name, "rows": rows}
    with replacing(path) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def read_mapping(path: str | Path) -> FaceMapping:
    """The table in a file that `write_mapping` wrote, or that a person wrote likewise.

    Raises:
        InputError: if the file is not such a table.
    """
    path = Path(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path} is no file; choose a mapping preset (.json)")
    text, _ = read_text_file(path, "mapping preset (.json)", MAX_BYTES)
    content = _parsed(text, path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f'{path} is no mapping preset: it lacks "format": "{FORMAT}"; choose one that was saved here')
    version = content.get("version")
    if version != VERSION or type(version) is not int:
        newer = type(version) is int and version > VERSION
        advice = "update the add-on" if newer else "save the preset again"
        raise InputError(f"{path} has version {_short(version)}, this add-on reads version {VERSION}; {advice}")
    rows = content.get("rows")
    if isinstance(rows, list) and len(rows) > MAX_ROWS:
        raise InputError(f"{path} has {len(rows)} rows, at most {MAX_ROWS} can be read; is it the right file?")
    try:
        read = read_dataclass(_MappingFile, content)
    except FieldError as error:
        raise InputError(f"{path}: {_short(str(error), 200)}") from None
    for number, row in enumerate(read.rows, 1):
        _check_row(row, number, str(path))
    if len(read.name) > _MAX_LETTERS:
        raise InputError(f"{path}: its name has {len(read.name)} letters, allowed are {_MAX_LETTERS}")
    return FaceMapping(read.rows, read.name)


def fitting(
    mapping: FaceMapping, key_names: Sequence[str], bone_names: Sequence[str]
) -> tuple[FaceMapping, tuple[str, ...]]:
    """The rows whose targets a character has, and the names of the targets that it lacks.

    A shape key that only has another prefix or spelling is the same: Bob_jawOpen of a preset is Anna.Jaw_Open here.

    Args:
        mapping: a table, perhaps of another character.
        key_names: the character's shape keys.
        bone_names: its bones.

    Raises:
        InputError: if it has none of the targets.
    """
    keys, bones = frozenset(key_names), frozenset(bone_names)
    targets = dict.fromkeys(row.target for row in mapping.rows if row.channel == KEY)
    renamed = _same_words([name for name in targets if name not in keys], [*targets], key_names)
    rows: list[MappingRow] = []
    lacking: dict[str, None] = {}
    for row in mapping.rows:
        target = renamed.get(row.target, row.target) if row.channel == KEY else row.target
        if target in (keys if row.channel == KEY else bones):
            rows.append(dataclasses.replace(row, target=target))
        else:
            lacking[row.target] = None
    if lacking and not rows:
        shown = ", ".join([*lacking][:3]) + (", ..." if len(lacking) > 3 else "")
        raise InputError(
            f"the preset is for another character: this one has none of its {len(lacking)} targets ({shown})"
        )
    return FaceMapping(tuple(rows), mapping.name), tuple(lacking)


def _same_words(lacking: Sequence[str], targets: Sequence[str], key_names: Sequence[str]) -> dict[str, str]:
    """The shape key with the same words at its end, and the fewest before, for targets that are not there by name."""
    words = {name: words_of(name).all for name in targets}
    prefix: tuple[str, ...] = ()
    for length in range(1, max(map(len, words.values()), default=0)):
        beginning, count = Counter(each[:length] for each in words.values()).most_common(1)[0]
        if count <= max(2, len(words) / 2) or beginning[-1] in MEANINGS or beginning[-1] in VISEME_WORDS:
            break
        prefix = beginning
    endings: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in set(key_names) - set(targets):
        every = words_of(name).all
        for start in range(len(every)):
            endings["".join(every[start:])].append((start, name))
    found = {}
    for name in lacking:
        own = words[name][len(prefix) :] if words[name][: len(prefix)] == prefix else words[name]
        candidates = sorted(endings.get("".join(own), []))[:2]
        is_clear = len(candidates) == 1 or (len(candidates) == 2 and candidates[0][0] < candidates[1][0])
        if is_clear and len("".join(own)) >= _FEWEST_LETTERS:
            found[name] = candidates[0][1]
    return found


def _parsed(text: str, path: Path) -> Any:
    """The values of a JSON text; raises InputError with one sentence."""
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=_without_doubles)
    except RecursionError:
        raise InputError(f"{path} is nested too deeply; it is no mapping preset") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is no JSON: {error.msg} in line {error.lineno}; save the preset again") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}; save the preset again") from None


def _no_number(constant: str) -> None:
    raise ValueError(f"it holds {constant}, which is no number")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(
            f"field {_short(next(name for name in names if names.count(name) > 1))} stands twice in an object"
        )
    return values


def _check_row(row: MappingRow, number: int, origin: str) -> None:
    """Raise InputError if a row holds what no table can hold."""

    def refuse(problem: str) -> None:
        raise InputError(f"{origin}: row {number} {problem}")

    for name in ("source", "target"):
        value = getattr(row, name)
        if not value or len(value) > _MAX_LETTERS or not value.isprintable():
            refuse(f"has no usable {name} ({_short(value)}); give a name of 1 to {_MAX_LETTERS} letters")
    if row.channel != KEY and row.channel not in BONE_CHANNELS:
        refuse(f"has the channel {_short(row.channel)}; choose {KEY} or one of {', '.join(BONE_CHANNELS)}")
    for name in _NUMBERS:
        value = getattr(row, name)
        if not math.isfinite(value) or abs(value) > _GREATEST:
            refuse(f"has {name} {_short(value)}; give a number between -{_GREATEST:g} and {_GREATEST:g}")
    if row.low > row.high:
        refuse(f"has low {row.low:g} above high {row.high:g}; swap them")


def _short(value: object, length: int = 60) -> str:
    """A value as a sentence may show it."""
    text = value if isinstance(value, str) and length > 60 else repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."
