"""Online Manual in the context menu of the add-on's buttons: the page of the manual for each operator."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import bpy

from ..bundle import MANIFEST, read_manifest

_PACKAGE = Path(__file__).parents[2]
_PATH = "docs/manual/"  # below the website
# The manual as it lies in an installed extension, and in a checkout.
_FOLDERS = (_PACKAGE / "manual", _PACKAGE.parent / "docs" / "manual")
_FIRST_SPEECH, _FILES, _TRANSCRIPT = "first-speech.md", "batch.md", "transcript.md"
_EMOTION, _REFINE, _EXPORT, _DIALOGUE = "emotion-over-time.md", "refine.md", "export.md", "dialogue.md"
_CAPTURE, _VIDEO = "capture.md", "video.md"
_CHARACTERS, _ALIVE, _TROUBLE, _RECOGNISERS = "characters.md", "alive.md", "troubleshooting.md", "recognisers.md"
# The first pattern that fits an operator counts.
PAGES = {
    "make_animatable": _CHARACTERS,
    "add_sound": _FIRST_SPEECH,
    "*character*": _CHARACTERS,
    "*mapping*": _CHARACTERS,
    "*moment*": _EMOTION,
    "*emotion*": _EMOTION,
    "rerender": _EMOTION,
    "*pose*": _EMOTION,
    "refine_*": _REFINE,
    "update_gaze": _ALIVE,
    "alive_*": _ALIVE,
    "*blink*": _ALIVE,
    "bake_*": _EXPORT,
    "take_transcript": _TRANSCRIPT,
    "transcribe": _TRANSCRIPT,
    "take_edit*": _REFINE,
    "take_unlock*": _REFINE,
    "take_*_asset": _CAPTURE,
    "take_*": _DIALOGUE,
    "adopt_takes": _DIALOGUE,
    "*dialogue": _DIALOGUE,
    "remove_line": _DIALOGUE,
    "choose_head": _DIALOGUE,
    "pin_head": _DIALOGUE,
    "use_selected": _DIALOGUE,
    "capture*": _VIDEO,
    "choose_movie": _VIDEO,
    "install_landmarker": _VIDEO,
    "*_recogniser": _RECOGNISERS,
    "check": _TROUBLE,
    "fix": _TROUBLE,
    "convert": _FILES,
    "apply_motion": _FILES,
    "import_capture": _CAPTURE,
    "export_motion": _CAPTURE,
    "*": _FIRST_SPEECH,
}


def manual_map() -> tuple[str, tuple[tuple[str, str], ...]]:
    """Where the manual is, and the place of each operator in it, as Blender asks for it."""
    operators: Any = bpy.ops.emote  # type: ignore[attr-defined] # the stubs know Blender's own ones
    return _base(), tuple((f"bpy.ops.emote.{name}", f"{_page(name)}#emote-{name}") for name in dir(operators))


def _page(name: str) -> str:
    """The page of an operator."""
    return next(page for pattern, page in PAGES.items() if fnmatch(name, pattern))


def _base() -> str:
    """The manual's address: on the website that the manifest names, or the files that came with the add-on."""
    try:
        website = read_manifest(_PACKAGE / MANIFEST).get("website")
    except FileNotFoundError:  # a checkout
        website = None
    if website:
        return f"{website.rstrip('/')}/{_PATH}"
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
    return f"{folder.as_uri()}/"


def add_manual() -> None:
    """Let Blender ask for the manual."""
    bpy.utils.register_manual_map(manual_map)


def remove_manual() -> None:
    """Undo `add_manual`."""
    bpy.utils.unregister_manual_map(manual_map)
