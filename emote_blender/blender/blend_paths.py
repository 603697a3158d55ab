"""Paths as Blender's fields hold them: `//` stands for the folder of the .blend, and people paste them."""

from __future__ import annotations

import re
from pathlib import Path

import bpy

from ..errors import InputError
from ..files.pasted_path import pasted_path, unquoted
from ..files.paths import find_head, find_model

_NAME = re.compile(r"[\w-]+")  # of a model or head; no file has to be looked for


def absolute(path: str) -> str:
    """The file or folder that a field names, as `pasted_path` reads it; a name stays, and so does an empty text.

    Raises:
        InputError: if the path is beside the .blend and that was never saved, or no file of this system can have it.
    """
    path = unquoted(path)
    if not path or _NAME.fullmatch(path):
        return path
    return str(pasted_path(beside_blend(path)))


def beside_blend(text: str) -> str:
    """The text with the .blend's folder in place of a leading `//`; any other text as it is.

    Raises:
        InputError: if it is a path beside the .blend and that was never saved.
    """
    path = unquoted(text)
    if not path.startswith("//"):
        return text
    if not bpy.data.filepath:
        raise InputError(f"{path} is beside the .blend, which has no place yet; save the .blend first")
    return bpy.path.abspath(path)


def whole_folder(path: str) -> str:
    """The folder that a text pasted into the preferences names; the text as it is, if no folder can have its path."""
    try:
        return str(pasted_path(bpy.path.abspath(unquoted(path)))) if path else ""
    except InputError:
        return path


def stem(path: str) -> str:
    """The name of the file that a field names, without its suffix; "" if the field names none."""
    try:
        return Path(absolute(path)).stem
    except InputError:
        return ""


def find_model_folder(name_or_path: str) -> Path:
    """The folder of a speech model that a field names; raises InputError or ModelError if there is none."""
    return find_model(absolute(name_or_path))


def find_head_folder(name_or_path: str) -> Path:
    """The folder of a head that a field names; raises InputError or ModelError if there is none."""
    return find_head(absolute(name_or_path))
