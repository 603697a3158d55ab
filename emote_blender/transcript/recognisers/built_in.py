"""The recogniser that is built in, as far as it can be known without loading it."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from ..language_tags import is_automatic

NAME = "pocketsphinx"


def find_library() -> Path | None:
    """The folder of the package pocketsphinx, which is not imported; None if it is missing or its import is blocked."""
    try:
        spec = find_spec(NAME)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def is_english(language: str) -> bool:
    """Whether a language tag or name means English, or leaves it open."""
    words = re.findall(r"[a-z]+", language.lower())
    return is_automatic(language) or "english" in words or words[:1] in (["en"], ["eng"])
