"""Tables from files, on a character: what it has of a preset's targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from ...retarget.mapping import MappingRow
from ...retarget.mapping_file import fitting, read_mapping
from ..settings.head_settings import head_settings
from ..settings.live import together
from .set_up import write_rows

_SHOWN_NAMES = 5


@dataclass(frozen=True)
class Preset:
    """The rows of a preset that fit a character.

    Attributes:
        rows: the rows.
        lacking: which targets the character lacks, as a sentence; empty if it has all.
    """

    rows: tuple[MappingRow, ...]
    lacking: str


def read_preset(name: str, path: str, keys: Sequence[str], bones: Sequence[str]) -> Preset:
    """The rows of a file whose targets a character has.

    Args:
        name: the character's, for messages.
        path: the file.
        keys: names of its shape keys.
        bones: names of its bones.

    Raises:
        InputError: if the file cannot be read, or the character has none of its targets.
    """
    found, lacking = fitting(read_mapping(path), keys, bones)
    if not lacking:
        return Preset(found.rows, "")
    shown = ", ".join(lacking[:_SHOWN_NAMES]) + (", ..." if len(lacking) > _SHOWN_NAMES else "")
    return Preset(
        found.rows, f"{name} lacks {len(lacking)} of the preset's targets ({shown}): these rows were left out"
    )


def use_preset(head: bpy.types.Object, preset: Preset) -> None:
    """Replace the table of a character by a preset's rows."""
    settings = head_settings(head)
    character = settings.character
    with together("character", head, settings):
        write_rows(character, [(row, 1.0, True) for row in preset.rows])
        character.active_row = 0 if len(character.rows) else -1
