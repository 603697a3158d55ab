"""Paths as Blender's fields hold them: `//` stands for the folder of the .blend."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..errors import InputError
from ..files.paths import find_head, find_model


def absolute(path: str) -> str:
    """The path with the .blend's folder in place of a leading `//`; any other path, or a name, as it is.

    Raises:
        InputError: if the path is beside the .blend and that was never saved.
    """
    if not path.startswith("//"):
        return path
    if not bpy.data.filepath:
        raise InputError(f"{path} is beside the .blend, which has no place yet; save the .blend first")
    return bpy.path.abspath(path)


def find_model_folder(name_or_path: str) -> Path:
    """The folder of a speech model that a field names; raises InputError or ModelError if there is none."""
    return find_model(absolute(name_or_path))


def find_head_folder(name_or_path: str) -> Path:
    """The folder of a head that a field names; raises InputError or ModelError if there is none."""
    return find_head(absolute(name_or_path))
