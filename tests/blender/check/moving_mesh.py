"""How a head's mesh moves, and what the checks find."""

import bpy
import numpy as np

from emote_blender.blender.check.find import FIXES, problems
from emote_blender.blender.check.problem import in_order
from emote_blender.blender.check.shown import shown_problems

FRAMES = range(3, 23, 4)


def mesh_track(head) -> np.ndarray:
    """(frames, vertices, 3) the evaluated mesh in the scene, at several frames of the take."""
    bpy.context.view_layer.update()  # as a window does after every change; setting the frame alone reports none
    shots = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        evaluated = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
        mesh = evaluated.to_mesh()
        points = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", points)
        evaluated.to_mesh_clear()
        shots.append(points.reshape(-1, 3))
    return np.stack(shots)


def stands_still(track: np.ndarray) -> bool:
    """Whether no vertex moves by more than 0.01 mm."""
    return bool(np.abs(track - track[0]).max() < 1e-5)


def found(head, identifier: str):
    """The problem that this fix mends, or None; as found now, and as a panel shows it after the next redraw."""
    bpy.context.view_layer.update()
    shown = [problem for topic in shown_problems(bpy.context, head).values() for problem in topic]
    now = problems(bpy.context, head)
    assert in_order(shown) == now, "the panel shows what was"
    assert {fix for problem in now for fix in problem.fixes} <= FIXES.keys()
    return next((problem for problem in now if identifier in problem.fixes), None)


def mend(head, identifier: str) -> None:
    """Press the fix's button."""
    assert bpy.ops.emote.fix(problem=identifier, head=head.name) == {"FINISHED"}
