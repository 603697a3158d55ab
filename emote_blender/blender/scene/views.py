"""The 3D views of the window that a command was given in."""

from __future__ import annotations

import bpy

from ..narrow import expect, present


def show_selected(context: bpy.types.Context, shown: bpy.types.Object) -> None:
    """Frame the selected objects in the context's 3D view, else in the window's largest one.

    Do nothing without a window (in background). A view that looks through the camera stays as it is: it shows what will
    be rendered.

    Args:
        context: of an operator.
        shown: an object that a view in Local View takes in.
    """
    found = None if bpy.app.background else _view3d(context)
    if found is None:
        return
    area, region = found
    space = expect(area.spaces.active, bpy.types.SpaceView3D)
    if space.local_view is not None:
        shown.local_view_set(space, True)
    if present(space.region_3d).view_perspective == "CAMERA":
        return
    with context.temp_override(area=area, region=region):
        present(context.view_layer).update()
        bpy.ops.view3d.view_selected()


def _view3d(context: bpy.types.Context) -> tuple[bpy.types.Area, bpy.types.Region] | None:
    """The area and the main region of a 3D view."""
    if context.window is None:
        return None
    areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
    if not areas:
        return None
    area = context.area if context.area in areas else max(areas, key=lambda each: each.width * each.height)
    return area, next(region for region in area.regions if region.type == "WINDOW")
