"""Where the user keeps models and heads: the folder in the preferences, and the extension's own."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...errors import InputError
from ...files.paths import add_search_folder, remove_search_folder
from ..narrow import present
from . import model_info

# The add-on's name in Blender: `emote_blender`, or `bl_ext.user_default.emote_blender` when installed.
ROOT_PACKAGE = __package__.rsplit(".", 2)[0]

_searched: list[Path] = []


def apply_models_folder(folder: str) -> None:
    """Search for models in this folder and in the extension's own, and no longer in former ones."""
    forget_models_folder()
    folders = [Path(folder)] if folder else []
    if ROOT_PACKAGE.startswith("bl_ext."):
        folders.append(Path(bpy.utils.extension_path_user(ROOT_PACKAGE, path="models")))
    for path in folders:
        add_search_folder(path)
        _searched.append(path)
    model_info.refresh()


def forget_models_folder() -> None:
    """Undo `apply_models_folder`."""
    while _searched:
        remove_search_folder(_searched.pop())
    model_info.refresh()


def stored_models_folder() -> str:
    """The folder in the preferences; empty if there is none or the add-on runs without preferences."""
    addon = present(bpy.context.preferences).addons.get(ROOT_PACKAGE)
    preferences = addon.preferences if addon is not None else None
    return getattr(preferences, "models_folder", "")


def writable_models_folder() -> Path:
    """Where the user's models go: the folder in the preferences, or the extension's own."""
    if stored := stored_models_folder():
        return Path(stored)
    if ROOT_PACKAGE.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(ROOT_PACKAGE, path="models", create=True))
    raise InputError("there is no models folder; choose one in the add-on's preferences")
