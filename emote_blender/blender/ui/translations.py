"""Translations of the interface, as Blender looks them up."""

from __future__ import annotations

from typing import Any

import bpy

from .translation_table import LOCALES, TABLE

_NAME = __name__
# Blender looks labels of operators up in a context of their own, all other texts in the default one.
_CONTEXTS = ("*", "Operator")


def translations() -> dict[str, dict[tuple[str, str], str]]:
    """The translated texts of each locale, by context and text."""
    return {
        locale: {(context, row[0]): row[number] for row in TABLE for context in _CONTEXTS}
        for number, locale in enumerate(LOCALES, start=1)
    }


def add_translations() -> None:
    """Let Blender translate the add-on's texts."""
    texts: Any = translations()  # the stubs lack the contexts
    bpy.app.translations.register(_NAME, texts)


def remove_translations() -> None:
    """Undo `add_translations`."""
    bpy.app.translations.unregister(_NAME)
