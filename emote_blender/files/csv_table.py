"""CSV files written by a person: a header line, then rows. Errors name the file and the line."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class CSVRow:
    """One row.

    Attributes:
        place: "jobs.csv line 3", for error sentences.
        line: the number of the row's last line in the file, from 1.
        values: text per column, stripped; "" if the row leaves it out.
    """

    place: str
    line: int
    values: dict[str, str]

    def number(self, column: str, default: float) -> float:
        """The column as a finite number, or `default` if it is empty; raises InputError for anything else."""
        text = self.values[column]
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if value != value or value in (float("inf"), float("-inf")):
            raise InputError(f"{self.place}: {column} must be a number, found {text!r}")
        return value


def read_csv_table(path: str | Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[CSVRow]:
    """The rows of a CSV file (UTF-8, comma or semicolon), blank lines left out.

    Args:
        path: the file.
        required: columns that the header must have.
        optional: columns that it may have; no others are allowed.

    Raises:
        InputError: if the file cannot be read, or its header or a row does not fit.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is larger than {_MAX_BYTES >> 20} MB; is it the right CSV file?")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path} not found; check the path of the CSV file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file in UTF-8; save it as CSV in UTF-8") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); choose a CSV file") from error
    if "\0" in text:
        raise InputError(f"{path} is not a text file; save it as CSV in UTF-8")
    lines = text.splitlines(keepends=True)
    delimiter = ";" if lines and ";" in lines[0] and "," not in lines[0] else ","
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[CSVRow] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            place = f"{path} line {reader.line_num}"
            if header is None:
                header = [cell.lower() for cell in cells]
                _check_header(header, required, optional, place)
                continue
            if len(cells) > len(header) and any(cells[len(header) :]):
                raise InputError(f"{place}: {len(cells)} values for {len(header)} columns; quote text that has a comma")
            values = dict.fromkeys((*required, *optional), "") | dict(zip(header, cells, strict=False))
            rows.append(CSVRow(place, reader.line_num, values))
    except csv.Error as error:
        raise InputError(f"{path} line {reader.line_num}: not valid CSV ({error})") from error
    if header is None:
        raise InputError(f"{path} is empty; its first line must name the columns {', '.join((*required, *optional))}")
    return rows


def _check_header(header: list[str], required: tuple[str, ...], optional: tuple[str, ...], place: str) -> None:
    """Raise InputError naming the first column that is missing, doubled or unknown."""
    allowed = (*required, *optional)
    for column in header:
        if column not in allowed:
            raise InputError(f"{place}: unknown column {column!r}; the columns are {', '.join(allowed)}")
        if header.count(column) > 1:
            raise InputError(f"{place}: column {column!r} appears twice")
    for column in required:
        if column not in header:
            raise InputError(f"{place}: column {column!r} is missing; found {', '.join(header)}")
