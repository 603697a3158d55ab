"""Paths as people type and paste them: in quotes, as file URLs, of another system, in another form of Unicode."""

from __future__ import annotations

import ntpath
import os
import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote_to_bytes

from ..errors import InputError
from .csv_records import trim

_QUOTES = "\"'`“”„‟‘’‚‛«»‹›＂＇"
_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]|\\\\[^\\]")
_NETWORK_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_ESCAPED_SIGN = re.compile(r"""\\[\s'"&()\[\]{};<>!$#*?|~`]""")
_LONGEST_NAME, _LONGEST_PATH = 255, 4095  # bytes, of Linux and macOS
_LONGEST_WINDOWS_PATH = 240  # of 260: a temporary file beside it has a longer name


def pasted_path(text: str | Path, folder: str | Path = "") -> Path:
    """The path that a typed or pasted text means; a relative one is relative to `folder`.

    A file that has the text as its name is taken as it is. Otherwise the path may be in quotes, have blanks around it,
    be a file URL, begin with ~, have backslashes before blanks (as terminals paste them) or between folders (of
    Windows), and have composed or decomposed letters. The first of these readings that exists is taken; if none does,
    it is the likeliest, for a file to write or for an error sentence.

    Raises:
        InputError: if no file of this system can have the path.
    """
    readings = _readings(str(text))
    for reading in readings:
        path = _as_on_disk(reading, folder)
        if os.path.exists(path):
            return path
    path = _as_on_disk(readings[-1], folder)
    if sentence := impossible_path(path):
        raise InputError(sentence)
    return path


def unquoted(text: str) -> str:
    """The text without blanks, invisible marks and pairs of quotes around it."""
    while True:
        shorter = trim(text)
        if shorter.startswith("& ") and shorter[2:3] in ("'", '"'):  # what PowerShell makes of a dropped file
            shorter = shorter[2:]
        if len(shorter) > 1 and shorter[0] in _QUOTES and shorter[-1] in _QUOTES:
            shorter = shorter[1:-1]
        if shorter == text:
            return text
        text = shorter


def impossible_path(path: Path) -> str:
    """A sentence about why no file of this system can have the path; "" if one can."""
    text = str(path)
    if os.name != "nt" and _WINDOWS_PATH.match(text):
        return f"{text} is a path of Windows, and this is another system; give the path that the file has here"
    if _NETWORK_ADDRESS.match(text):
        text = re.sub(":/(?!/)", "://", text, count=1)  # a path has no doubled slash
        return f"{text} is an address in a network; download the file, and give its path here"
    longest = max(path.parts, key=_num_bytes, default="")
    if os.name != "nt" and _num_bytes(longest) > _LONGEST_NAME:
        return f"the name {longest[:40]}... has {_num_bytes(longest)} bytes, and names have at most 255; shorten it"
    if os.name != "nt" and _num_bytes(text) > _LONGEST_PATH:
        return f"the path {text[:40]}... has {_num_bytes(text)} bytes, and paths have at most 4095; shorten it"
    return ""


def extended_windows_path(path: str) -> str:
    r"""An absolute path of Windows, with the prefix \\?\ if it is too long without."""
    path = ntpath.normpath(path)
    if len(path) <= _LONGEST_WINDOWS_PATH or path.startswith("\\\\?\\"):
        return path
    return "\\\\?\\UNC\\" + path[2:] if path.startswith("\\\\") else "\\\\?\\" + path


def _readings(text: str) -> list[str]:
    """What the text may mean: itself first, the likeliest last."""
    readings = [text, unquoted(text)]
    if readings[-1].lower().startswith("file:"):
        readings.append(_path_of_url(readings[-1]))
    readings.append(os.path.expanduser(readings[-1]))
    plain = readings[-1]
    if os.name != "nt" and "\\" in plain and not _WINDOWS_PATH.match(plain):
        without_escapes = re.sub(r"\\(.)", r"\1", plain)
        with_slashes = plain.replace("\\", "/")
        is_escaped = _ESCAPED_SIGN.search(plain) is not None
        readings += [with_slashes, without_escapes] if is_escaped else [without_escapes, with_slashes]
    return list(dict.fromkeys(readings))


def _path_of_url(url: str) -> str:
    r"""The path of a file URL: file:///home/a%20b, file:///C:/a, file://localhost/a, file://server/share (\\server)."""
    path = os.fsdecode(unquote_to_bytes(url[len("file:") :]))
    if match := re.fullmatch(r"/*([A-Za-z])[:|]([\\/].*)", path, re.DOTALL):
        return f"{match[1]}:{match[2]}"
    if not path.startswith("//"):
        return path
    host, slash, rest = path[2:].partition("/")
    return slash + rest if host.lower() in ("", "localhost") else path


def _as_on_disk(reading: str, folder: str | Path) -> Path:
    """The reading in the folder; each part that exists only with composed or decomposed letters has these."""
    is_foreign = os.name != "nt" and _WINDOWS_PATH.match(reading) or _NETWORK_ADDRESS.match(reading)
    path = Path(reading) if is_foreign and not os.path.exists(Path(folder, reading)) else Path(folder, reading)
    if os.name == "nt" and len(whole := os.path.abspath(path)) > _LONGEST_WINDOWS_PATH:
        path = Path(extended_windows_path(whole))
    if reading.isascii() or os.path.exists(path):
        return path
    found = Path(path.anchor)
    for part in path.parts[len(found.parts) :]:
        forms = (part, *(unicodedata.normalize(form, part) for form in ("NFC", "NFD")))
        found /= next((form for form in forms if os.path.exists(found / form)), part)
    return found


def _num_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
