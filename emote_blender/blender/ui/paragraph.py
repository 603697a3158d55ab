"""Sentences in panels: wrapped to the width of the region that is drawn."""

from __future__ import annotations

import functools
import textwrap
from typing import Any, Literal

import bpy

from ..narrow import present

_PIXELS_PER_LETTER = 6.5
_LETTERS_PER_ICON = 3

Icon = Literal["NONE", "INFO", "ERROR", "CANCEL", "CHECKMARK", "BLANK1"]


def letters_per_line() -> int:
    """Number of letters that fit into one line of the region that is drawn."""
    region, scale = bpy.context.region, present(present(bpy.context.preferences).system).ui_scale
    return max(20, int(region.width / (_PIXELS_PER_LETTER * scale)) - 4) if region else 40


def paragraph(layout: bpy.types.UILayout, text: str, icon: Icon) -> None:
    """Draw a sentence in as many lines as it needs, translated if there is a translation."""
    translate: Any = bpy.app.translations.pgettext_iface  # the stubs say that it returns nothing
    text = translate(text)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(paragraph_lines(text, icon, letters_per_line())):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE", translate=False)


def paragraph_lines(text: str, icon: Icon, width: int) -> list[str]:
    """The text in lines of at most `width` letters, including an icon before each line."""
    return list(_wrapped(text, width if icon == "NONE" else width - _LETTERS_PER_ICON))


@functools.lru_cache(maxsize=64)
def _wrapped(text: str, width: int) -> tuple[str, ...]:
    return tuple(textwrap.wrap(text, width))
