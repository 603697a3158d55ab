"""The head in Add > Mesh (Shift+A)."""

from __future__ import annotations

import bpy

from ..narrow import present


def draw_speaking_head(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draw Speaking Head; in Edit Mode the menu adds to the edited mesh, where a head has no place."""
    if context.mode == "OBJECT":
        layout = present(menu.layout)
        layout.separator()
        layout.operator("emote.add_head", text="Speaking Head", icon="USER")


def add_to_menu() -> None:
    """Add the entry to the menu."""
    bpy.types.VIEW3D_MT_mesh_add.append(draw_speaking_head)


def remove_from_menu() -> None:
    """Undo `add_to_menu`."""
    bpy.types.VIEW3D_MT_mesh_add.remove(draw_speaking_head)
