"""Config files of `train`: TOML, read strictly. An error names the table and the key."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ...errors import InputError
from ...files.dataclass_reader import FieldError, read_dataclass
from .settings import TrainerSettings

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
TASKS = "flint", "emotion", "lips", "encoder", "emote"

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class RunConfig:
    """The contents of a config file.

    Attributes:
        name: the file's name, for messages.
        task: one of `TASKS`.
        trainer: the table `[trainer]`.
        tables: the remaining tables, which the task reads.
    """

    name: str
    task: str
    trainer: TrainerSettings
    tables: dict[str, Any]

    @property
    def record(self) -> dict[str, Any]:
        """All settings of the file as plain values, including the defaults of `[trainer]`."""
        return {"task": self.task, "trainer": dataclasses.asdict(self.trainer), **self.tables}


def shipped_configs() -> list[str]:
    """Names of the configs that come with the project."""
    return sorted(path.stem for path in CONFIGS.glob("*.toml"))


def load_run_config(name_or_path: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The config with a name (one of `shipped_configs`) or path.

    Args:
        name_or_path: for example `flint_v2`, or a file. A file with `extends = "other.toml"` inherits every setting
            that it does not set itself.
        overrides: settings of the form `table.key=value` that replace those of the file. The value is written as in
            TOML, or as a plain word. A table in braces replaces the file's table; it is not merged, unlike the tables
            of a file that extends another.

    Raises:
        InputError: a file is missing or not valid TOML, or a key is unknown, missing or of the wrong type.
    """
    path = _find(name_or_path, None)
    data = _read(path, ())
    for override in overrides:
        data = _overridden(data, override)
    task, trainer = data.pop("task", None), data.pop("trainer", None)
    if task not in TASKS:
        found = "missing" if task is None else f"must be one of {', '.join(TASKS)}, found {task!r}"
        raise InputError(f"{path.name}: task: {found}")
    if trainer is None:
        raise InputError(f"{path.name}: [trainer]: missing")
    return RunConfig(path.name, task, build_settings(TrainerSettings, trainer, path.name, "trainer"), data)


def build_settings(cls: type[Settings], table: object, where: str, name: str = "") -> Settings:
    """An instance of the dataclass `cls` from a TOML table; fields without a default are required.

    Args:
        cls: frozen dataclass whose fields have types that `read_dataclass` supports.
        table: the table's values.
        where: the file's name, for errors.
        name: the table's name, for errors, such as "loss"; "" for the whole file.

    Raises:
        InputError: for example `emote_v1_stage2.toml: [loss] lip_reading: must be a number, found 'high'`.
    """
    try:
        return read_dataclass(cls, table, tuple(name.split(".")) if name else ())
    except FieldError as error:
        raise InputError(f"{where}: {_sentence(error)}; correct the config file") from None


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path in quotes"}


def _sentence(error: FieldError) -> str:
    """What is wrong in a config file, as `[table] key: ...`."""
    *outer, key = error.place or ("",)
    table, name = f"[{'.'.join(error.place)}]", ".".join(error.place)
    place = f"[{'.'.join(outer)}] {key}" if outer else key
    match error.problem:
        case "missing":
            return f"{table if dataclasses.is_dataclass(error.expected) else place}: missing"
        case "unknown":
            return f"{place}: unknown setting (known: {', '.join(error.expected)})"
        case "table":
            return f"{name}: must be a table, found {error.found!r}"
        case "list":
            return f"{place}: must be a list, found {error.found!r}"
        case "length":
            return f"{place}: must have {error.expected} entries, found {error.found}"
        case "choice":
            return f"{place}: must be one of {', '.join(map(str, error.expected))}, found {error.found!r}"
        case "type":
            return f"{place}: must be {_KINDS[error.expected]}, found {error.found!r}"
    return f"{table} {error.expected}" if error.place else str(error.expected)


def _find(name_or_path: str | Path, beside: Path | None) -> Path:
    """The file with a name or path; for `extends`, first looked up next to the extending file `beside`."""
    text = str(name_or_path)
    candidates = [Path(text).expanduser()]
    if beside is not None:
        candidates = [beside.parent / text, beside.parent / f"{text}.toml", *candidates]
    if not any(separator in text for separator in "/\\"):
        candidates += [CONFIGS / text, CONFIGS / f"{text}.toml"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    said = f"{beside.name}: extends: " if beside else ""
    raise InputError(
        f"{said}config {text!r} not found; give a .toml file or one of {', '.join(shipped_configs()) or 'none'}"
    )


def _read(path: Path, readers: tuple[Path, ...]) -> dict[str, Any]:
    """The tables of a file merged over those of the file that it extends; `readers`: the files that extend this one."""
    if path.resolve() in readers:
        raise InputError(f"{path.name}: extends: it extends itself by way of {readers[-1].name}")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); choose another config file") from error
    except ValueError as error:  # also UnicodeDecodeError and TOMLDecodeError
        raise InputError(f"{path.name} is not valid TOML ({error}); correct the config file") from error
    extended = data.pop("extends", None)
    if extended is None:
        return data
    if not isinstance(extended, str):
        raise InputError(f"{path.name}: extends: must be text, found {extended!r}; correct the config file")
    return _merge(_read(_find(extended, path), (*readers, path.resolve())), data)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`; tables are merged unless their `type` differs."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            is_other_kind = value.get("type", old.get("type")) != old.get("type")
            value = dict(value) if is_other_kind else _merge(old, value)
        merged[key] = value
    return merged


def _overridden(data: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The tables with one setting `table.key=value` changed; a table as value replaces the old table."""
    key, equals, value = text.partition("=")
    names = key.strip().split(".")
    if not equals or not all(name.replace("_", "").replace("-", "").isalnum() for name in names):
        raise InputError(f"--set {text}: write it as table.key=value, for example --set trainer.num_steps=100")
    try:
        found: Any = tomllib.loads(f"value = {value}")["value"]
    except ValueError:  # a word without quotes
        found = value.strip()
    if isinstance(found, Mapping):  # overwrite the old table first, so that nothing is merged
        data = _overridden(data, f"{key}=0")
    nested = found
    for name in reversed(names):
        nested = {name: nested}
    return _merge(data, nested)
