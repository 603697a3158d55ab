"""The asset catalog EMOTE, a line in the file in which Blender keeps the catalogs of a folder; pictures of assets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...files.atomic_write import replacing
from ..narrow import expect, present

CATALOG = "6d6b2f0e-5f37-4f0e-9a52-3c1c1f7d3e41"  # of our own making; only has to be the same everywhere
_FILE = "blender_assets.cats.txt"
_HEADER = "# This is an Asset Catalog Definition file for Blender.\n\nVERSION 1\n\n"


def put_into_catalog(actions: list[bpy.types.Action]) -> None:
    """Put assets into the catalog EMOTE; it shows under that name once `define_catalog` has written it."""
    for action in actions:
        present(action.asset_data).catalog_id = CATALOG


def define_catalog(context: bpy.types.Context) -> Path | None:
    """Add the catalog to the definitions for the .blend's folder and return their path; None for an unsaved .blend.

    As Blender does, the definitions of an asset library serve the files below it.

    Raises:
        InputError: if the file cannot be written.
    """
    if not bpy.data.filepath:
        return None
    folder = Path(bpy.data.filepath).parent
    libraries = present(present(context.preferences).filepaths).asset_libraries
    roots = [Path(library.path) for library in libraries if library.path]
    path = next((root for root in roots if folder.is_relative_to(root)), folder) / _FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else _HEADER
    if CATALOG not in text:
        with replacing(path) as temporary:
            ending = "" if text.endswith("\n") else "\n"
            temporary.write_text(f"{text}{ending}{CATALOG}:EMOTE:EMOTE\n", encoding="utf-8")
    return path


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 4) float32 pixels of a PNG, from the bottom row up."""
    image = bpy.data.images.load(str(path))
    try:
        source: Any = image.pixels  # the stubs take arrays of floats for single floats
        pixels = np.empty(len(source), np.float32)
        source.foreach_get(pixels)
        return pixels.reshape(image.size[1], image.size[0], -1)
    finally:
        bpy.data.images.remove(image)


def set_preview(action: bpy.types.Action, pixels: np.ndarray) -> None:
    """Make (H, W, 4) pixels, from the bottom row up, the picture of an asset."""
    preview = expect(action.preview_ensure(), bpy.types.ImagePreview)
    preview.image_size = pixels.shape[1], pixels.shape[0]
    target: Any = preview.image_pixels_float
    target.foreach_set(np.ascontiguousarray(pixels, np.float32).ravel())
