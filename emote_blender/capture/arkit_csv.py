"""ARKit's blend shapes as CSV, as the app Live Link Face writes them and Unreal and Unity read them.

A file of the app has the columns Timecode, BlendShapeCount, 52 shapes and 9 angles, and a row per frame. Tables of
other apps are read, too: any order and spelling of the columns, other separators, decimal commas, times in seconds.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.atomic_write import replacing
from ..files.table import parse_number
from ..motion import FaceMotion
from .clock import format_timecode, number_unit, parse_timecode, seconds_of_timecodes, time_titles
from .columns import COLUMN_NAMES, columns_of_motion, known_column
from .recording import Recording, Rows, in_usual_units, require_shapes

_SEPARATORS = (",", ";", "\t", "|")
_LINES_BEFORE_HEADER = 20
_SHOWN = 5
_LARGEST_SUM = 1e6  # of a row's values; 52 shapes in per cent and 9 angles in degrees sum to less than 9000


@dataclass(frozen=True)
class Layout:
    """Where the values of a table stand.

    Attributes:
        separator: the character between cells.
        names: names of the columns that are read.
        cells: number of the cell of each.
        time: number of the cell with the time, or None.
        time_title: its title.
        count: number of the cell with the count of shapes, or None.
        num_cells: cells of a row.
        mark: text of the first cell of rows that are frames; "" for all rows.
        unused: titles of other columns.
    """

    separator: str
    names: tuple[str, ...]
    cells: tuple[int, ...]
    time: int | None = None
    time_title: str = ""
    count: int | None = None
    num_cells: int = 0
    mark: str = ""
    unused: tuple[str, ...] = ()


def read_arkit_csv(lines: Iterator[tuple[int, str]], place: str) -> Recording:
    """The frames of a CSV file.

    Args:
        lines: numbers and texts of its lines.
        place: the file, for error sentences.

    Raises:
        InputError: if it has no column of a blend shape, or no frame.
    """
    layout = _find_layout(lines, place)
    notes = []
    if layout.unused:
        more = f" and {len(layout.unused) - _SHOWN} more" if len(layout.unused) > _SHOWN else ""
        notes.append(f"columns that are not used: {', '.join(layout.unused[:_SHOWN])}{more}")
    return read_rows(lines, layout, place, notes)


def read_rows(lines: Iterable[tuple[int, str]], layout: Layout, place: str, notes: list[str]) -> Recording:
    """The frames in the rows below a header.

    Args:
        lines: numbers and texts of the lines.
        layout: where the values stand.
        place: the file, for error sentences.
        notes: sentences that were found before.
    """
    require_shapes(layout.names, place)
    rows = Rows(place, len(layout.names))
    whole: list[float] = []
    frames: list[float] = []
    start, timed = "", layout.time is not None
    for number, line in lines:
        cells = _cells(line, layout.separator)
        if layout.mark and cells[0].strip() != layout.mark:
            continue
        values = _values(cells, layout)
        if isinstance(values, str):
            rows.lose(f"line {number} {values}")
            continue
        if timed and layout.time is not None:
            text = cells[layout.time].strip()
            time = parse_timecode(text)
            if time is None:
                plain = parse_number(text, layout.separator != ",")
                time = None if plain is None else (plain, np.nan)
            if time is None:
                rows.lose(f"line {number} has no time in {layout.time_title!r}")
                continue
            start = start or text
            whole.append(time[0])
            frames.append(time[1])
        rows.add(values)
    values_found, more = in_usual_units(layout.names, rows.array())
    seconds, count = _seconds(np.array(whole), np.array(frames), layout.time_title) if timed else (np.empty(0), None)
    return Recording(layout.names, values_found, seconds, start, count, (*notes, *rows.notes(), *more))


def write_arkit_csv(motion: FaceMotion, path: str | Path) -> None:
    """Write a motion as Live Link Face does, a row per frame, whole or not at all.

    Timecodes begin at zero and count sixtieths of a second, as the app's do at any frame rate.

    Raises:
        InputError: if the motion's components have no names, or the file cannot be written.
    """
    columns = columns_of_motion(motion)
    values = np.stack([columns[name] for name in COLUMN_NAMES], axis=1)
    titles = ",".join(name[0].upper() + name[1:] for name in COLUMN_NAMES)
    form = ",".join(["%.10f"] * len(COLUMN_NAMES))
    with replacing(path) as temporary, temporary.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"Timecode,BlendShapeCount,{titles}\n")
        for frame, row in enumerate(values):
            time = format_timecode(frame / motion.fps)
            file.write(
                f"{time},{len(COLUMN_NAMES)},{form % tuple(row.tolist())}\n".replace("-0.0000000000", "0.0000000000")
            )


def _find_layout(lines: Iterator[tuple[int, str]], place: str) -> Layout:
    """The layout by the first line that names blend shapes; reads up to it."""
    first = ""
    for _, line in itertools.islice(lines, _LINES_BEFORE_HEADER):
        first = first or line
        best = max(
            (_layout(_cells(line, separator), separator) for separator in _SEPARATORS), key=lambda x: len(x.names)
        )
        if best.names:
            return best
    found = f"its first line is {first[:60]!r}" if first else "it is empty"
    raise InputError(
        f"{place} has no line that names ARKit's blend shapes ({found}); choose a CSV file of Live Link Face, whose "
        "first line begins with Timecode,BlendShapeCount,EyeBlinkLeft"
    )


def _layout(titles: list[str], separator: str) -> Layout:
    """The layout that a line of titles describes; a column whose name came before is left out."""
    titles = [title.strip() for title in titles]
    time = time_titles(titles)
    names: dict[str, int] = {}
    unused, count = [], None
    for number, title in enumerate(titles):
        name = known_column(title)
        if name is not None and name not in names:
            names[name] = number
        elif title.casefold() == "blendshapecount":
            count = number
        elif title and number != time:
            unused.append(title)
    time_title = titles[time] if time is not None else ""
    return Layout(
        separator, tuple(names), tuple(names.values()), time, time_title, count, len(titles), unused=tuple(unused)
    )


def _cells(line: str, separator: str) -> list[str]:
    """The cells of a line."""
    return next(csv.reader([line], delimiter=separator)) if '"' in line else line.split(separator)


def _values(cells: list[str], layout: Layout) -> list[float] | str:
    """The numbers of a row, or why it has none."""
    if layout.count is not None and layout.count < len(cells) and cells[layout.count].strip() == "0":
        return "has a count of 0, as when the app lost the face"
    if len(cells) < layout.num_cells or any(cell.strip() for cell in cells[layout.num_cells :]):
        return f"has {len(cells)} values for {layout.num_cells} columns"
    try:
        values = [float(cells[number]) for number in layout.cells]
    except ValueError:
        values = []
        for name, number in zip(layout.names, layout.cells, strict=True):
            value = parse_number(cells[number], layout.separator != "," or "," in cells[number])
            if value is None:
                return f"has {cells[number].strip()[:30]!r} as {name}"
            values.append(value)
    if not sum(map(abs, values)) < _LARGEST_SUM:
        wrong = max(range(len(values)), key=lambda column: np.nan_to_num(abs(values[column]), nan=np.inf))
        return f"has {cells[layout.cells[wrong]].strip()[:30]!r} as {layout.names[wrong]}"
    return values


def _seconds(whole: np.ndarray, frames: np.ndarray, title: str) -> tuple[np.ndarray, float | None]:
    """(T,) seconds of the times of rows, and what their timecodes count; `frames` is NaN where a time was a number."""
    if np.isnan(frames).all():
        return whole * number_unit(title, whole), None
    return seconds_of_timecodes(whole, np.nan_to_num(frames))
