"""What the panels of the tab EMOTE have in common, and the two sidebars that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..narrow import present
from ..settings.head_settings import EMOTE_PG_head, head_settings
from ..settings.properties import EMOTE_PG_settings, scene_settings
from .panel_state import PanelState

# The suffix of a panel's class in each space that has the tab.
_SPACES = {"VIEW_3D": "view3d", "SEQUENCE_EDITOR": "sequencer"}

if TYPE_CHECKING:
    _Panel = bpy.types.Panel
else:
    _Panel = object  # a plain mixin at run time: only the registered classes derive from Blender's


class SidebarPanel(_Panel):
    """Base of the tab's panels; `in_both_sidebars` makes the registered classes of it."""

    bl_region_type = "UI"
    bl_category = "EMOTE"


def in_both_sidebars(
    panel: type[SidebarPanel], parent: type[SidebarPanel] | None = None
) -> tuple[type[bpy.types.Panel], ...]:
    """The classes of a panel to register: EMOTE_PT_<name>_view3d and EMOTE_PT_<name>_sequencer.

    Blender remembers for each sidebar which panels are open.

    Args:
        panel: a class with `draw`, named after what it shows.
        parent: the panel in which this one lies; None for the tab's own.
    """
    return tuple(
        type(
            class_name(panel, space),
            (panel, bpy.types.Panel),
            {
                "__doc__": panel.__doc__,
                "__module__": panel.__module__,
                "bl_space_type": space,
                **({} if parent is None else {"bl_parent_id": class_name(parent, space)}),
            },
        )
        for space in _SPACES
    )


def class_name(panel: type[SidebarPanel], space: str) -> str:
    """The name of a panel's class in this space."""
    name = panel.__name__.removesuffix("Panel").lower()
    return f"EMOTE_PT_{name}_{_SPACES[space]}" if name != "tab" else f"EMOTE_PT_{_SPACES[space]}"


def two_columns(layout: bpy.types.UILayout, *, decorate: bool = False) -> bpy.types.UILayout:
    """A column with names on the left, values on the right, and keying decorators if asked for."""
    column = present(layout).column()
    column.use_property_split = True
    column.use_property_decorate = decorate
    return column


def shown_head(state: PanelState) -> bpy.types.Object | None:
    """The head that the panel shows."""
    return bpy.data.objects.get((state.head, state.head_library)) if state.head else None


def shown_settings(context: bpy.types.Context, state: PanelState) -> EMOTE_PG_head | EMOTE_PG_settings:
    """The settings that the panel shows: the head's, or the scene's if no head is chosen."""
    head = shown_head(state)
    return scene_settings(present(context.scene)) if head is None else head_settings(head)
