"""Frozen dataclasses from the plain values of a JSON or TOML file, read strictly."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

Dataclass = TypeVar("Dataclass")


class FieldError(ValueError):
    """A value that a dataclass cannot take; its text is a sentence in the words of a JSON file.

    Attributes:
        place: keys from the outermost table to the field; of an entry of a list, `key[index]`.
        problem: "missing", "unknown", "table" (no table), "list" (no list), "length", "choice" (none of a few),
            "type", or "value" (a value that the dataclass itself refuses).
        expected: names of the known fields ("unknown") or of the choices, the type, the length, or the dataclass's
            own error text.
        found: the value.
    """

    def __init__(self, place: tuple[str, ...], problem: str, expected: Any = None, found: Any = None) -> None:
        self.place, self.problem, self.expected, self.found = place, problem, expected, found
        super().__init__(place, problem, expected, found)

    def __str__(self) -> str:
        name = ".".join(self.place)
        match self.problem:
            case "missing" | "unknown":
                return f"{self.problem} field {name}"
            case "table":
                return f"{name or 'the file'} must hold an object, found {type(self.found).__name__}"
            case "list":
                return f"{name} must be a list, found {self.found!r}"
            case "length":
                return f"{name} must have {self.expected} entries, found {self.found}"
            case "choice":
                return f"{name} must be one of {', '.join(map(str, self.expected))}, found {self.found!r}"
            case "type":
                return f"{name} must be {self.expected.__name__}, found {self.found!r}"
        return str(self.expected)


def read_dataclass(
    cls: type[Dataclass], values: object, place: tuple[str, ...] = (), complete: bool = False
) -> Dataclass:
    """An instance of dataclass `cls` from the values of a table.

    Args:
        cls: fields of int, float, bool, str, Path, Literal, tuple[X, ...], tuple[X, Y], dict[str, X], `X | None` and
            other dataclasses (tables); in a union of dataclasses, the table's `type` chooses the one with that `type`.
        values: the table.
        place: keys that lead to the table, for errors.
        complete: whether fields with a default must be there too, except those with `since` in their metadata, which
            files from before that version lack.

    Raises:
        FieldError: a key is unknown or missing, or a value is of the wrong kind.
    """
    if not isinstance(values, Mapping):
        raise FieldError(place, "table", found=values)
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise FieldError((*place, str(key)), "unknown", tuple(fields))
    read = {}
    for name, field in fields.items():
        if name in values:
            read[name] = _convert(hints[name], values[name], (*place, name), complete)
        elif not _may_be_left_out(field, complete):
            raise FieldError((*place, name), "missing", hints[name])
    try:
        return cls(**read)
    except FieldError:
        raise
    except ValueError as error:
        raise FieldError(place, "value", str(error)) from None


def _may_be_left_out(field: dataclasses.Field, complete: bool) -> bool:
    if complete:
        return "since" in field.metadata
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _convert(hint: Any, value: object, place: tuple[str, ...], complete: bool) -> Any:
    """`value` as the annotated type, or FieldError."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return read_dataclass(hint, value, place, complete)
    if origin is Literal:
        if type(value) not in map(type, arguments) or value not in arguments:
            raise FieldError(place, "choice", arguments, value)
        return value
    if origin in (types.UnionType, typing.Union):
        choices = [argument for argument in arguments if argument is not types.NoneType]
        if value is None and len(choices) < len(arguments):
            return None
        if len(choices) == 1:
            return _convert(choices[0], value, place, complete)
        return read_dataclass(_choose_by_type(choices, value, place), value, place, complete)
    if origin is tuple:
        return _convert_tuple(arguments, value, place, complete)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise FieldError(place, "table", found=value)
        return {key: _convert(arguments[1], item, (*place, key), complete) for key, item in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value).expanduser()
    if type(value) is not hint:
        raise FieldError(place, "type", hint, value)
    return value


def _convert_tuple(arguments: tuple[Any, ...], value: object, place: tuple[str, ...], complete: bool) -> tuple:
    """A list as tuple[X, ...] or tuple[X, Y]."""
    if not isinstance(value, list | tuple):
        raise FieldError(place, "list", found=value)
    if arguments[-1] is Ellipsis:
        arguments = arguments[:1] * len(value)
    elif len(value) != len(arguments):
        raise FieldError(place, "length", len(arguments), len(value))
    *outer, name = place
    return tuple(
        _convert(hint, item, (*outer, f"{name}[{index}]"), complete)
        for index, (hint, item) in enumerate(zip(arguments, value))
    )


def _choose_by_type(classes: list[Any], value: object, place: tuple[str, ...]) -> type:
    """The dataclass whose `type` field is the value's `type`."""
    found = value.get("type") if isinstance(value, Mapping) else None
    for cls in classes:
        if cls.type == found:
            return cls
    raise FieldError((*place, "type"), "choice", tuple(cls.type for cls in classes), found)
