"""The folder of the face landmarker, which finds faces in videos: the preferences' one, or one among the models."""

from __future__ import annotations

import functools
from pathlib import Path

import bpy

from ...capture.video.landmarker import FOLDER_NAME, SHAPES, find_landmarker
from ...capture.video.network_files import GRAPHS_FILE, read_networks
from ...errors import EmoteError, InputError, ModelError
from ..narrow import present
from ..scene import changes
from .recogniser_info import addon_preferences

MISSING = (
    "The face landmarker is missing, which finds faces in videos and is not part of the add-on: press Add Face "
    "Landmarker and choose its folder"
)


@functools.lru_cache(maxsize=16)
def _problem_of(folder: str) -> str:
    """Why a folder cannot be used; empty if it can. Read from disk once, until `refresh_landmarker`."""
    try:
        read_networks(Path(folder), SHAPES)
    except EmoteError as error:
        return str(error)
    return ""


@functools.cache
def _found() -> str:
    """The folder among the models; empty if there is none."""
    try:
        return str(find_landmarker())
    except ModelError:
        return ""


def landmarker_problem() -> str:
    """Why videos cannot be captured, as far as the landmarker goes; empty if they can. Cached for drawing."""
    folder = getattr(addon_preferences(), "landmarker_folder", "") or _found()
    return _problem_of(folder) if folder else MISSING


def landmarker_folder() -> Path:
    """The folder of the landmarker as it is on the disk now; raises ModelError if there is none that can be used."""
    refresh_landmarker()
    if problem := landmarker_problem():
        raise ModelError(problem)
    return Path(getattr(addon_preferences(), "landmarker_folder", "") or _found())


def choose_landmarker(folder: Path) -> Path:
    """Keep a folder of the landmarker, or one in which it is, in the preferences.

    Raises:
        InputError: if the folder holds none, or the add-on has no preferences.
        ModelError: if it is damaged.
    """
    found = next((place for place in (folder, folder / FOLDER_NAME) if (place / GRAPHS_FILE).is_file()), None)
    if found is None:
        raise InputError(
            f"{folder} holds no face landmarker; choose the folder {FOLDER_NAME}, in which {GRAPHS_FILE} lies"
        )
    read_networks(found, SHAPES)
    preferences = addon_preferences()
    if preferences is None:
        raise InputError("the add-on has no preferences here; put the folder where your models are")
    preferences.landmarker_folder = str(found)
    present(bpy.context.preferences).is_dirty = True
    refresh_landmarker()
    return found


def refresh_landmarker() -> None:
    """Clear the cache, so that folders are read from disk when they are next needed."""
    _problem_of.cache_clear()
    _found.cache_clear()
    changes.note()
