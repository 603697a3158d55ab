"""Search for models and heads: by path, in the user's folders, the installed package, a checkout; in this order.

A model is a folder with config.json, a head is a folder with head.json.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ModelError
from .pasted_path import pasted_path, unquoted

MODEL_FILE = "config.json"
HEAD_FILE = "head.json"
DEFAULT_MODEL = "emote_open"
DEFAULT_HEAD = "open_head"

_PACKAGE = Path(__file__).resolve().parents[1]
_user_folders: list[Path] = []


def add_search_folder(path: str | Path) -> None:
    """Search for models and heads in this folder too, before the shipped ones."""
    folder = Path(path).expanduser()
    if folder not in _user_folders:
        _user_folders.append(folder)


def remove_search_folder(path: str | Path) -> None:
    """Undo `add_search_folder`."""
    folder = Path(path).expanduser()
    if folder in _user_folders:
        _user_folders.remove(folder)


def search_folders() -> list[Path]:
    """The folders in which a name is searched for, best first; some may not exist."""
    from_environment = [
        Path(part).expanduser() for part in os.environ.get("EMOTE_MODELS", "").split(os.pathsep) if part
    ]
    return [*_user_folders, *from_environment, _PACKAGE / "models", _PACKAGE.parent / "models"]


def find_model(name_or_path: str | Path) -> Path:
    """The model folder of this name or path; raises ModelError with the searched folders."""
    return _find(name_or_path, MODEL_FILE, "model")


def find_head(name_or_path: str | Path) -> Path:
    """The head folder of this name or path; raises ModelError with the searched folders."""
    return _find(name_or_path, HEAD_FILE, "head")


def is_name(text: str) -> bool:
    """Whether a text is the name of a model or head, not a path."""
    return text not in ("", ".", "..") and not any(separator in text for separator in "/\\")


def available_models() -> dict[str, Path]:
    """Model folders by name, sorted by name."""
    return _available(MODEL_FILE)


def available_heads() -> dict[str, Path]:
    """Head folders by name, sorted by name."""
    return _available(HEAD_FILE)


def _available(file_name: str) -> dict[str, Path]:
    """Folders that hold `file_name`, by name; of two with the same name, the first that is found."""
    found: dict[str, Path] = {}
    for folder in search_folders():
        try:
            children = sorted(folder.iterdir()) if folder.is_dir() else []
        except OSError:
            continue
        for child in children:
            if (child / file_name).is_file():
                found.setdefault(child.name, child)
    return dict(sorted(found.items()))


def _find(name_or_path: str | Path, file_name: str, kind: str) -> Path:
    """The folder that holds `file_name`, by path or by name."""
    text = unquoted(str(name_or_path))
    path = Path(text) if is_name(text) else pasted_path(str(name_or_path))
    if text and os.path.isfile(path / file_name):
        return path
    if is_name(text):
        for folder in search_folders():
            if os.path.isfile(folder / text / file_name):
                return folder / text
    advice = f"choose a {kind} in Preferences or pass --{kind}"
    if os.path.isfile(path):
        raise ModelError(f"{path} is a file; a {kind} is a folder with {file_name}; {advice}")
    if text and (os.path.isdir(path) or not is_name(text)):
        raise ModelError(f"{path / file_name} not found; {advice}")
    names = ", ".join(_available(file_name)) or "none"
    raise ModelError(f"{kind} {text!r} not found (available: {names}); {advice}")
