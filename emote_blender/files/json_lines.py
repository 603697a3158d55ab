"""JSON Lines: an object on each line. Its values become the texts that a CSV file would have."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from .csv_records import column_name, trim

_EXAMPLE = '{"audio": "line.wav", "emotion": "anger"}'
_KINDS = {str: "text", bool: "true or false", list: "a list", dict: "an object", int: "a number", float: "a number"}


@dataclass(frozen=True)
class JSONRecord:
    """One line.

    Attributes:
        line: number of the line, from 1.
        values: text by the name of its column; "" for null.
        problem: why the line cannot be read; "" if it can.
    """

    line: int
    values: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def json_records(
    text: str, names: Collection[str], numbers: Collection[str], switches: Collection[str]
) -> Iterator[JSONRecord]:
    """Yield the lines that are not blank.

    Args:
        text: the text of the file.
        names: the keys that an object may have.
        numbers: those whose values may be numbers.
        switches: those whose values may be true, false, 0 or 1.
    """
    for line, content in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if not trim(content):
            continue
        values: dict[str, str] = {}
        problem = ""
        try:
            found = json.loads(trim(content), object_pairs_hook=_Pairs)
        except RecursionError:
            problem = f"is nested too deeply; write one object with plain values, such as {_EXAMPLE}"
        except json.JSONDecodeError as error:
            problem = f"is not valid JSON ({error.msg} at character {error.colno}); write one object such as {_EXAMPLE}"
        except ValueError:  # an integer of thousands of digits
            problem = "has a number that is too long; write a shorter one"
        else:
            if isinstance(found, _Pairs):
                values, problem = _values(found, names, numbers, switches)
            else:
                problem = f"is {_kind(found)}; write one object such as {_EXAMPLE}"
        yield JSONRecord(line, values, problem)


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of an object, also doubled ones."""


def _values(
    pairs: _Pairs, names: Collection[str], numbers: Collection[str], switches: Collection[str]
) -> tuple[dict[str, str], str]:
    """Texts by column, and the first problem or ""."""
    values: dict[str, str] = {}
    for key, value in pairs:
        name = column_name(key)
        if name not in names:
            return values, f"has the unknown key {key!r}; the keys are {', '.join(names)}"
        if name in values:
            return values, f"has the key {key!r} twice; leave one out"
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None:
            values[name] = ""
        elif isinstance(value, str):
            values[name] = trim(value)
        elif is_number and (name in numbers or name in switches):
            values[name] = repr(value)
        elif isinstance(value, bool) and name in switches:
            values[name] = str(value).lower()
        else:
            wanted = "a number" if name in numbers else "true or false" if name in switches else "text in quotes"
            return values, f"{name} must be {wanted}, found {_kind(value)}"
    return values, ""


def _kind(value: object) -> str:
    """What a value is, in words; short values as they are."""
    if isinstance(value, _Pairs):
        return "an object"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return _KINDS[type(value)]
