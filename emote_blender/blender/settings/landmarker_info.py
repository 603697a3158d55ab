"""The folder of the face landmarker, which finds faces in videos: chosen, of the extension, or among the models.

The extension is a zip of its own, `emote_face_landmarker`. It is data: its folder is read, and no code of it is called.
"""

from __future__ import annotations

import functools
import sys
import tomllib
import zipfile
import zlib
from pathlib import Path
from types import ModuleType

import bpy

from ...capture.video.landmarker import FOLDER_NAME, SHAPES, find_landmarker
from ...capture.video.network_files import GRAPHS_FILE, read_networks
from ...errors import EmoteError, InputError, ModelError
from ..bundle import MANIFEST
from ..narrow import present
from ..scene import changes
from .recogniser_info import addon_preferences

EXTENSION = "emote_face_landmarker"
MISSING = (
    f"The face landmarker, which finds faces in videos, is missing: press Install Face Landmarker and choose "
    f"{EXTENSION}-….zip, which lies where the add-on's zip is from"
)
_MAX_MANIFEST_BYTES = 1 << 16


@functools.lru_cache(maxsize=16)
def _problem_of(folder: str, extension: ModuleType | None) -> str:
    """Why a folder cannot be used; empty if it can. Read from disk once, until `refresh_landmarker`.

    Args:
        folder: the folder.
        extension: the module of the extension if the folder is its; another one whenever Blender installs it.
    """
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


def _extension() -> ModuleType | None:
    """The module of the extension, as Blender loaded it, if it is enabled; else None."""
    for addon in present(bpy.context.preferences).addons:
        if addon.module.startswith("bl_ext.") and addon.module.endswith(f".{EXTENSION}"):
            module = sys.modules.get(addon.module)
            if module is not None and module.__file__:
                return module
    return None


def _place() -> tuple[str, ModuleType | None]:
    """The folder, empty if there is none, and the module of the extension if the folder is its."""
    if chosen := getattr(addon_preferences(), "landmarker_folder", ""):
        return chosen, None
    extension = _extension()
    if extension is not None:
        return str(Path(str(extension.__file__)).parent), extension
    return _found(), None


def landmarker_problem() -> str:
    """Why videos cannot be captured, as far as the landmarker goes; empty if they can. Cached for drawing."""
    folder, extension = _place()
    return _problem_of(folder, extension) if folder else MISSING


def landmarker_folder() -> Path:
    """The folder of the landmarker as it is on the disk now; raises ModelError if there is none that can be used."""
    refresh_landmarker()
    if problem := landmarker_problem():
        raise ModelError(problem)
    return Path(_place()[0])


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


def check_landmarker_zip(path: Path) -> None:
    """Raise InputError unless a file is the zip of the extension, by the name in its manifest."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MANIFEST) as file:
            name = tomllib.loads(file.read(_MAX_MANIFEST_BYTES).decode()).get("id")
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no zip of an extension ({error}); choose {EXTENSION}-….zip") from error
    if name != EXTENSION:
        raise InputError(f"{path.name} holds the extension {name!r}; choose {EXTENSION}-….zip")


def use_extension() -> None:
    """Take the extension's networks from now on, whatever folder was chosen.

    Raises:
        ModelError: if the extension is not there, or damaged.
    """
    if _extension() is None:
        raise ModelError("Blender did not install the face landmarker; its console says why")
    preferences = addon_preferences()
    if preferences is not None and preferences.landmarker_folder:
        preferences.landmarker_folder = ""
        present(bpy.context.preferences).is_dirty = True
    landmarker_folder()


def refresh_landmarker() -> None:
    """Clear the cache, so that folders are read from disk when they are next needed."""
    _problem_of.cache_clear()
    _found.cache_clear()
    changes.note()
