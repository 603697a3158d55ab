"""Tables that people write: CSV as spreadsheets save it, or JSON Lines. Errors name file, line, column and cure."""

from __future__ import annotations

import difflib
import logging
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .csv_records import Layout, Record, column_name, csv_records, find_layout
from .json_lines import json_records
from .text_file import read_text_file

logger = logging.getLogger(__name__)

_MAX_BYTES = 64 << 20
_ADVICE = "save it as CSV in UTF-8 (in Excel: Save As, CSV UTF-8)"
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".jsonlines")
# The logical values of spreadsheets in several languages.
_YES = frozenset(
    "yes y true on 1 ja wahr oui vrai sí si verdadero vero sim verdadeiro waar tak prawda да истина".split()
)
_NO = frozenset("no n false off 0 nein falsch non faux falso não nao onwaar nie fałsz нет ложь".split())
_SPREADSHEET_ERROR = re.compile(r"#{3,}|#[¡¿]?[A-ZÀ-ÞА-Я/0]+[!?]|#N/?[ADV]|Err:\d{3}")
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[ '’]\d{3})+(?![\d '’])")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class TableRow:
    """One row.

    Attributes:
        place: "jobs.csv line 3", for error sentences; with the row of a spreadsheet if that is another number.
        line: line of the file where the row begins, from 1.
        values: text by column, stripped; "" if the row leaves it out.
        problem: a sentence about why the row cannot be used, which begins with `place`; "" if it can.
        has_decimal_commas: whether a comma can only be a decimal comma, as commas do not separate the columns.
    """

    place: str
    line: int
    values: dict[str, str]
    problem: str = ""
    has_decimal_commas: bool = False

    def require_usable(self) -> None:
        """Raise InputError if the row cannot be used."""
        if self.problem:
            raise InputError(self.problem)

    def number(self, column: str, default: float) -> float:
        """The column as a finite number, or `default` if it is empty; raises InputError for anything else."""
        text = self.values[column]
        if not text:
            return default
        value = parse_number(text, self.has_decimal_commas)
        if value is None:
            raise InputError(f"{self.place}: {column} must be a number, found {text!r}; write for example 1.5")
        return value

    def switch(self, column: str) -> bool | None:
        """Whether the column says yes or no; None if it is empty. Raises InputError for anything else."""
        text = self.values[column]
        if not text:
            return None
        word = unicodedata.normalize("NFKC", text).casefold()
        if word not in _YES | _NO:
            raise InputError(f"{self.place}: {column} must be yes or no, found {text!r}")
        return word in _YES


def read_table(
    path: str | Path,
    required: tuple[str, ...],
    optional: tuple[str, ...] = (),
    numbers: Collection[str] = (),
    switches: Collection[str] = (),
    warn: Callable[[str], None] = logger.warning,
    instead: Mapping[str, str] | None = None,
) -> list[TableRow]:
    """The rows of a CSV or JSON Lines file, blank lines left out.

    CSV may be separated by comma, semicolon, tab or vertical bar, and in UTF-8, UTF-16 or a code page. A file is JSON
    Lines if its name ends in .jsonl or .ndjson, or its text begins with an object.

    Args:
        path: the file.
        required: columns that the header of a CSV file must have.
        optional: columns that it may have; no others are allowed.
        numbers: columns that may hold numbers in JSON.
        switches: columns that may hold true and false in JSON.
        warn: called with a sentence about what had to be assumed of the file.
        instead: optional columns that may stand in place of a required one, by its name.

    Raises:
        InputError: if the file as a whole cannot be used. What is wrong with a row is in the row.
    """
    path = Path(path)
    text, code_page = read_text_file(path, "CSV file", _MAX_BYTES, _ADVICE)
    if code_page:
        found = re.search(r"\w*[^\x00-\x7f]\w*", text)
        sample = found[0] if found else ""
        warn(
            f"{path} is not in UTF-8; it was read as {code_page}, with letters as in {sample[:40]!r}. If they are "
            "wrong, save the file as CSV UTF-8"
        )
    names = (*required, *optional)
    start = text.lstrip()[:20]
    if start.startswith("<"):
        raise InputError(f"{path} is a web page or XML; {_ADVICE}")
    if not start:
        raise InputError(f"{path} is empty; its first line must name the columns {', '.join(names)}")
    if path.suffix.lower() in _JSON_SUFFIXES or re.match(r'\{\s*["}]|\[\s*[{[]', start):
        return _json_rows(path, text, names, numbers, switches)
    return _csv_rows(path, text, required, names, instead or {})


def parse_number(text: str, has_decimal_commas: bool = False) -> float | None:
    """The finite number that a cell holds; None if it is none, or may be two.

    It may have a decimal comma, separators of thousands, and a per cent sign. "1,500" is 1.5 if a comma can only be a
    decimal comma, else it is none.
    """
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()
    divisor = 100.0 if text.endswith("%") else 1.0
    text = text.removesuffix("%").rstrip()
    if grouped := _GROUPED.match(text):
        text = re.sub("[ '’]", "", grouped[0]) + text[grouped.end() :]
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}", text):
        text = text.replace(",", "")
    elif re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d*|[+-]?\d{1,3}(\.\d{3}){2,}", text):
        text = text.replace(".", "").replace(",", ".")
    elif has_decimal_commas or not re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text) / divisor
    return value if abs(value) < float("inf") else None


def _json_rows(
    path: Path, text: str, names: tuple[str, ...], numbers: Collection[str], switches: Collection[str]
) -> list[TableRow]:
    """The rows of JSON Lines."""
    lines = [line for line in (line.strip() for line in text.splitlines()) if line]
    if lines[0].startswith("[") or lines[0] == "{":
        raise InputError(f"{path} is one piece of JSON; write one object on each line (JSON Lines)")
    rows = []
    for record in json_records(text, names, numbers, switches):
        place = f"{path} line {record.line}"
        values = dict.fromkeys(names, "") | record.values
        problem = record.problem or _value_problem(values)
        rows.append(TableRow(place, record.line, values, f"{place}: {problem}" if problem else ""))
    return rows


def _csv_rows(
    path: Path, text: str, required: tuple[str, ...], names: tuple[str, ...], instead: Mapping[str, str]
) -> list[TableRow]:
    """The rows of CSV below its header."""
    text = text.removesuffix("\x1a")  # the end of a file of DOS
    layout = find_layout(text, required, names, instead)
    header = layout.header
    columns = [column_name(cell) for cell in header.cells] if header else []
    if header is None or not any(columns):
        raise InputError(f"{path} names no columns; its first line must be a header with {', '.join(names)}")
    missing = [column for column in required if not {column, instead.get(column)} & {*columns}]
    _check_header(columns, header, missing, names, f"{path} line {header.line}")
    rows = []
    for record in csv_records(text, layout.separator, layout.start):
        if record.number <= header.number or not (any(record.cells) or record.open_quote is not None):
            continue
        place = f"{path} line {record.line}" + (f" (row {record.number})" if record.number != record.line else "")
        named = {column: cell for column, cell in zip(columns, record.cells, strict=False) if column}
        values = dict.fromkeys(names, "") | named
        problem = _record_problem(record, columns, layout) or _value_problem(values)
        problem = f"{place}: {problem}" if problem else ""
        rows.append(TableRow(place, record.line, values, problem, layout.separator != ","))
    return rows


def _check_header(columns: list[str], header: Record, missing: list[str], names: tuple[str, ...], place: str) -> None:
    """Raise InputError naming the first column that is unknown, doubled or missing."""
    if header.open_quote is not None:
        raise InputError(f"{place}: a column's name begins with a quote and does not end with one; remove the quote")
    for cell, column in zip(header.cells, columns, strict=True):
        if cell and column not in names:
            similar = difflib.get_close_matches(column, names, 1)
            advice = f"did you mean {similar[0]}? " if similar else ""
            raise InputError(f"{place}: unknown column {cell!r}; {advice}the columns are {', '.join(names)}")
        if column and columns.count(column) > 1:
            raise InputError(f"{place}: column {column!r} appears twice")
    if missing:
        raise InputError(f"{place}: column {missing[0]!r} is missing; found {', '.join(filter(None, columns))}")


def _record_problem(record: Record, columns: list[str], layout: Layout) -> str:
    """Why the cells do not fit the columns; "" if they do."""
    named = [bool(column) for column in columns]
    if record.open_quote is not None:
        index = record.open_quote
        name = f"column {columns[index]}" if index < len(columns) and columns[index] else f"cell {index + 1}"
        return (
            f"not valid CSV: {name} begins with a quote and does not end with one; put quotes around the whole cell, "
            'and write a quote inside it twice ("")'
        )
    num_columns = len(columns) if all(named) else 1 + max(i for i, has_name in enumerate(named) if has_name)
    for index, cell in enumerate(record.cells):
        if cell and index >= num_columns:
            return (
                f"{len(record.cells)} values for {num_columns} columns, the first too many is {cell[:60]!r}; "
                f"put quotes around a text that has a {layout.separator_name}"
            )
        if cell and not named[index]:
            return f"{cell[:60]!r} stands in column {index + 1}, which has no name; name the column, or empty the cell"
    return ""


def _value_problem(values: dict[str, str]) -> str:
    """Why a value cannot be one; "" if all can."""
    for column, value in values.items():
        if _NO_CHARACTER.search(value):
            return f"{column} has a character that is none; write the text again"
        if _SPREADSHEET_ERROR.fullmatch(value):
            return f"{column} is {value}, which a spreadsheet shows in place of a value; correct the cell there"
    return ""
