"""Text recordings of the apps Face Cap and iFacialMocap.

Face Cap writes a line "bs,NAME,..." with the names of the shapes, and for each frame "k,TIME,..." with the time in
milliseconds, position (3) and angles (3) of the head, angles of the left and of the right eye (2 each), and shapes.
iFacialMocap sends a line per frame, NAME-VALUE|NAME-VALUE|...|=head#X,Y,Z,...|rightEye#X,Y,Z|leftEye#X,Y,Z|, the shapes
in per cent. Angles are degrees about the axes of Unity, in which both apps are made: x down, y to the own right, z to
the own left, as in Live Link Face.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from .arkit_csv import Layout, read_rows
from .columns import known_column
from .recording import Recording

_HEAD_CELL, _EYES_CELL, _SHAPES_CELL = 5, 8, 12
_PAIR = re.compile(r"([A-Za-z_]+)[-&](-?[\d.,eE+-]+)")
_ANGLES = ("Pitch", "Yaw", "Roll")  # about x, y, z


def is_face_cap(line: str) -> bool:
    """Whether a file's first line is one of Face Cap."""
    return re.match(r"(info|bs|k),", line) is not None


def is_ifacialmocap(line: str) -> bool:
    """Whether a file's first line is a frame of iFacialMocap."""
    return line.count("|") > 10 and _PAIR.match(line) is not None


def read_face_cap(lines: Iterator[tuple[int, str]], place: str) -> Recording:
    """The frames of a recording of Face Cap; raises InputError if it has none."""
    titles: list[str] = []
    for _, line in lines:
        if line.startswith("bs,"):
            titles = line.split(",")[1:]
            break
    found = {known_column(title): _SHAPES_CELL + number for number, title in enumerate(titles)}
    found |= {f"head{angle}": _HEAD_CELL + number for number, angle in enumerate(_ANGLES)}
    for eye, part in enumerate(("leftEye", "rightEye")):
        found |= {f"{part}{angle}": _EYES_CELL + 2 * eye + number for number, angle in enumerate(_ANGLES[:2])}
    columns = {name: cell for name, cell in found.items() if name is not None} if titles else {}
    layout = Layout(
        ",", tuple(columns), tuple(columns.values()), 1, "time in ms", num_cells=_SHAPES_CELL + len(titles), mark="k"
    )
    return read_rows(lines, layout, place, [])


def read_ifacialmocap(lines: Iterator[tuple[int, str]], place: str) -> Recording:
    """The frames of a recording of iFacialMocap; raises InputError if it has none."""
    number, first = next(lines)
    names = tuple(_frame(first))
    cells = tuple(range(len(names)))

    def rows() -> Iterator[tuple[int, str]]:
        for line_number, line in itertools.chain([(number, first)], lines):
            frame = _frame(line)
            yield line_number, "|".join(frame.get(name, "") for name in names)

    return read_rows(rows(), Layout("|", names, cells, num_cells=len(names)), place, [])


def _frame(line: str) -> dict[str, str]:
    """The values of a frame of iFacialMocap by names of columns."""
    values: dict[str, str] = {}
    for part in line.split("|"):
        pair = _PAIR.fullmatch(part.strip())
        name = known_column(pair[1]) if pair else None
        if pair and name:
            values[name] = pair[2]
            continue
        title, _, numbers = part.strip(" =").partition("#")
        if title in ("head", "leftEye", "rightEye"):
            values |= {f"{title}{angle}": text for angle, text in zip(_ANGLES, numbers.split(","), strict=False)}
    return values
