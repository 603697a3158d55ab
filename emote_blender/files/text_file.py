"""Text files in the encodings in which people have them."""

from __future__ import annotations

import codecs
from pathlib import Path

from ..errors import InputError
from .code_pages import decode_code_page

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ADVICE = "save it as plain text in UTF-8"
_UNPACK = "unpack it"
# How files begin that are not plain text: what they are, and what to do.
_OTHER_FILES = (
    (b"PK\x03\x04", "a zip file", _ADVICE),
    (b"\xd0\xcf\x11\xe0", "a file of Microsoft Office", _ADVICE),
    (b"{\\rtf", "rich text (RTF)", _ADVICE),
    (b"%PDF", "a PDF", _ADVICE),
    (b"\x1f\x8b", "compressed (gzip)", _UNPACK),
    (b"RIFF", "a sound or video file", "give the text file"),
)
_IN_ZIP = (
    (b"xl/", "a workbook of Excel"),
    (b"opendocument.spreadsheet", "a spreadsheet of LibreOffice"),
    (b"Index/", "a document of Apple's Numbers or Pages"),
    (b"word/", "a document of Word"),
    (b"opendocument.text", "a document of LibreOffice"),
)


def read_text_file(path: Path, kind: str, max_bytes: int, advice: str = _ADVICE) -> tuple[str, str]:
    """The text of a file, and the name of the code page that was assumed; "" for UTF-8 and UTF-16.

    Args:
        path: the file.
        kind: what it should be, for error sentences: "CSV file".
        max_bytes: the largest size.
        advice: what to do with a file of another kind.

    Raises:
        InputError: if it cannot be read, or is not text, or its encoding is not certain.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)  # a device or a pipe does not tell its size
    except FileNotFoundError as error:
        raise InputError(f"{path} not found; check the path of the {kind}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read ({reason}); choose a {kind}") from error
    if len(data) > max_bytes:
        raise InputError(f"{path} is larger than {max_bytes >> 20} MB; is it the right {kind}?")
    return decode_text(data, str(path), advice)


def decode_text(data: bytes, name: str, advice: str = _ADVICE) -> tuple[str, str]:
    """The text of a file's bytes, and the code page that was assumed; see `read_text_file`.

    The text has no byte order mark. Raises InputError that begins with `name`.
    """
    for start, what, other_advice in _OTHER_FILES:
        if data.startswith(start):
            if start == b"PK\x03\x04":
                what = next((document for part, document in _IN_ZIP if part in data), what)
            is_own = advice is _ADVICE or other_advice is _UNPACK
            raise InputError(f"{name} is {what}; {other_advice if is_own else advice}")
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data:
        encoding = _utf16_without_mark(data)
        if encoding is None:
            raise InputError(f"{name} is not a text file; {advice}")
    try:
        text = data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if encoding is None and not _is_damaged_utf8(data):
            found = decode_code_page(data)
            if found is not None:
                return found
            raise InputError(f"{name} is not in UTF-8, and its code page is not certain; {advice}") from error
        line = data[: error.start].decode(encoding or "utf-8").count("\n") + 1
        shown = (encoding or "utf-8").upper().removesuffix("-LE").removesuffix("-BE")
        raise InputError(f"{name} is damaged: line {line} is not {shown}; {advice}") from error
    if "\0" in text:
        raise InputError(f"{name} is not a text file; {advice}")
    return text, ""


def _utf16_without_mark(data: bytes) -> str | None:
    """The byte order of UTF-16 that begins with ASCII characters; None if it is not that."""
    start = data[:16]
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
        if len(data) % 2 == 0 and zeros.count(0) > 0.7 * len(zeros) and start.count(0) == zeros.count(0):
            return encoding
    return None


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether most of the characters beyond ASCII are UTF-8: no code page gives such bytes by chance."""
    damaged = data.decode("utf-8", "replace")
    num_wrong = damaged.count("\ufffd")
    return sum(letter > "\x7f" for letter in damaged) - num_wrong > num_wrong
