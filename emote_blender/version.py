"""The add-on's version, which is written in its manifest only."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@functools.cache
def package_version() -> str:
    """The version in `blender_manifest.toml` (installed) or `addon_manifest.toml` (checkout), such as "0.1.0"."""
    installed = _PACKAGE / "blender_manifest.toml"
    manifest = installed if installed.is_file() else _PACKAGE.parent / "addon_manifest.toml"
    return tomllib.loads(manifest.read_text(encoding="utf-8"))["version"]
