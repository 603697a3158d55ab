"""What the preferences show of speech recognisers: the chosen folder's, and those that were downloaded."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ...errors import EmoteError, InputError
from ...transcript.recognisers.catalogue import CATALOGUE, CatalogueModel
from ...transcript.recognisers.onnx_families import find_onnx_model
from ..narrow import present
from ..scene import changes
from .models_folder import ROOT_PACKAGE


@dataclass(frozen=True)
class RecogniserInfo:
    """What a folder holds.

    Attributes:
        text: the recogniser's name, languages, size and licence, for people.
        problem: why the folder cannot be used; empty if it can.
    """

    text: str = ""
    problem: str = ""


@functools.lru_cache(maxsize=16)
def recogniser_info(folder: str) -> RecogniserInfo:
    """What a folder holds; read from disk once, until `refresh_recognisers`."""
    try:
        found = find_onnx_model(folder)
    except EmoteError as error:
        return RecogniserInfo(problem=str(error))
    languages = found.languages
    parts = [
        found.name,
        found.precision or "full precision",
        ", ".join(languages[:8]) + (f" and {len(languages) - 8} more" if len(languages) > 8 else "")
        if languages
        else "",
        size_text(found.num_bytes),
        str(found.card.get("licence", "")),
    ]
    return RecogniserInfo(text=" · ".join(filter(None, parts)))


def refresh_recognisers() -> None:
    """Clear the cache, so that folders are read from disk when they are next needed."""
    recogniser_info.cache_clear()
    downloaded.cache_clear()
    changes.note()


def size_text(num_bytes: int) -> str:
    """A size as file managers write it: "670 MB"."""
    return f"{num_bytes / 1e6:.0f} MB" if num_bytes < 1e9 else f"{num_bytes / 1e9:.1f} GB"


def recognisers_folder() -> Path:
    """Where downloaded recognisers are kept, one folder each; it may be missing.

    Raises:
        InputError: if the add-on has no folder of its own, as it is not installed as an extension.
    """
    if not ROOT_PACKAGE.startswith("bl_ext."):
        raise InputError("only the add-on's zip has a folder for downloads; install it, or give `directory`")
    return Path(bpy.utils.extension_path_user(ROOT_PACKAGE, path="recognisers"))


def catalogue_model(name: str) -> CatalogueModel:
    """The recogniser of the catalogue by its name; raises InputError."""
    for model in CATALOGUE:
        if model.name == name:
            return model
    raise InputError(f"unknown recogniser {name!r}; choose one of {', '.join(model.name for model in CATALOGUE)}")


def catalogue_lines(model: CatalogueModel) -> tuple[str, str, str]:
    """What is shown of a recogniser that can be downloaded: name and languages; size, licence and checksum; author."""
    return (
        f"{model.title}: {model.languages_text}",
        f"{size_text(model.num_bytes)} · {model.licence} · SHA-256 {model.largest.sha256[:16]}…",
        model.attribution,
    )


@functools.lru_cache(maxsize=16)
def downloaded(model: CatalogueModel) -> str:
    """What was downloaded of a recogniser: "whole", "part" or ""; read from disk once, until `refresh_recognisers`."""
    try:
        folder = recognisers_folder() / model.name
    except InputError:
        return ""
    if not folder.is_dir():
        return ""
    return "part" if recogniser_info(str(folder)).problem else "whole"


def addon_preferences() -> Any:
    """The add-on's preferences, or None if it runs without."""
    addon = present(bpy.context.preferences).addons.get(ROOT_PACKAGE)
    return addon.preferences if addon is not None else None


def recogniser_folder() -> str:
    """The folder of the recogniser in the preferences; empty for the one that is built in."""
    return getattr(addon_preferences(), "recogniser_folder", "")


def choose_recogniser(folder: str) -> None:
    """Choose the folder of a recogniser in the preferences, if there are any; "" for the one that is built in."""
    preferences = addon_preferences()
    if preferences is not None:
        preferences.recogniser_folder = folder
        present(bpy.context.preferences).is_dirty = True
    refresh_recognisers()
