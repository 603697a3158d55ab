"""CSV text to records, as spreadsheets and people write it; the separator is found by the names of the columns.

Python's csv module would do, but for blanks outside quotes, line numbers, and a row whose quotes are wrong: it then
takes the rest of the file for one cell.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

# Blanks, and marks without width or for the direction of writing, which are copied along with names and paths.
_INVISIBLE = "\ufeff\u200b\u200e\u200f\u2060\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_EDGES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + _INVISIBLE
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_REST_OF_LINE = re.compile(r"[^\r\n]*")
# A line that Excel reads and writes to name the separator: sep=;
_SEPARATOR_LINE = re.compile(r'["\s]*sep= *([^\r\n"\w ])["\s,;|]*?(?:\r\n|\r|\n|$)', re.IGNORECASE)
_RECORDS_BEFORE_HEADER = 10  # a title, an empty line, a comment


@dataclass(frozen=True)
class Record:
    """One record of a CSV file.

    Attributes:
        line: line of the file where it begins, from 1.
        number: number of the record, from 1; spreadsheets show it as the row.
        cells: its texts without the blanks around them.
        open_quote: index of a cell that begins with a quote and does not end with one; the last cell, as the record
            ends with the line. None if all is well.
    """

    line: int
    number: int
    cells: list[str]
    open_quote: int | None = None


@dataclass(frozen=True)
class Layout:
    """How a CSV file is written.

    Attributes:
        separator: the character between cells.
        start: place in the text where the records begin.
        header: the record that names the columns; None if the file is empty.
    """

    separator: str
    start: int
    header: Record | None

    @property
    def separator_name(self) -> str:
        """The separator in words."""
        return _SEPARATORS.get(self.separator, repr(self.separator))


def trim(text: str) -> str:
    """The text without blanks and invisible marks at its ends."""
    return text.strip(_EDGES)


def column_name(cell: str) -> str:
    """The name of a column as it is compared: "Head-Motion:" is head_motion."""
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", cell).casefold()).strip("_")


def find_layout(
    text: str, required: Collection[str], names: Collection[str], instead: Mapping[str, str] | None = None
) -> Layout:
    """The separator with which a record has all required columns, and most known ones; else most known ones.

    Args:
        text: the text of the file.
        required: columns that the header must have.
        names: all columns that it may have.
        instead: columns that may stand in place of a required one, by its name.
    """
    declared = _SEPARATOR_LINE.match(text)
    start = declared.end() if declared else 0
    candidates = [*([declared[1]] if declared else []), *_SEPARATORS]
    best, most = Layout(candidates[0], start, None), (False, -1, 0)
    for separator in dict.fromkeys(candidates):
        filled = (record for record in csv_records(text, separator, start) if any(record.cells))
        for place, record in enumerate(itertools.islice(filled, _RECORDS_BEFORE_HEADER)):
            found = {column_name(cell) for cell in record.cells}
            has_all = all(column in found or (instead or {}).get(column) in found for column in required)
            score = has_all, len(found.intersection(names)), -place
            if score > most and (place == 0 or score[0]):
                best, most = Layout(separator, start, record), score
    return best


def csv_records(text: str, separator: str, start: int = 0) -> Iterator[Record]:
    """Yield the records from `start` on, also empty ones.

    A line ends with CR, LF or both; other line separators of Unicode are part of a cell. Blanks may surround quotes.
    """
    quoted_cell, quote, plain_cell = _patterns(separator)
    position = start
    line = 1 + len(_LINE_BREAK.findall(text, 0, start))
    number = 0
    while position < len(text):
        number += 1
        first_line, cells, open_quote = line, list[str](), None
        while True:
            if cell := quoted_cell.match(text, position):
                cells.append(trim(cell[1].replace('""', '"')))
                line += len(_LINE_BREAK.findall(cell[1]))
            elif quote.match(text, position):
                open_quote = len(cells)
                cell = _REST_OF_LINE.match(text, position)
                cells.append("")
            else:
                cell = plain_cell.match(text, position)
                cells.append(trim(cell[0]) if cell else "")
            position = cell.end() if cell else position
            if not text.startswith(separator, position):
                break
            position += 1
        line_break = _LINE_BREAK.match(text, position)
        position = line_break.end() if line_break else position
        line += 1
        yield Record(first_line, number, cells, open_quote)


@cache
def _patterns(separator: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Patterns of a quoted cell with its text in group 1, of blanks and a quote, and of a cell without quotes."""
    escaped = re.escape(separator)
    blanks = rf"(?:(?![\r\n{escaped}])[\s{_INVISIBLE}])*"
    quoted_cell = rf'{blanks}"([^"]*(?:""[^"]*)*)"{blanks}(?=[{escaped}\r\n]|\Z)'
    return re.compile(quoted_cell), re.compile(rf'{blanks}"'), re.compile(rf"[^\r\n{escaped}]*")
