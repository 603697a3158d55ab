"""A library with a head, ways to have that head in another file, and what it does there."""

import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np

from emote_blender.blender.check.find import problems
from emote_blender.blender.head.build import add_head
from emote_blender.blender.scene.find_head import heads_in

REPOSITORY = Path(__file__).parents[3]


def shown(head, frame: float) -> np.ndarray:
    """(V, 3) places of a head's vertices in the scene, as Blender evaluates them at a frame."""
    bpy.context.scene.frame_set(int(frame))
    evaluated = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    evaluated.to_mesh_clear()
    matrix = np.array(evaluated.matrix_world)
    return points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def face_moves(head) -> bool:
    """Whether shape keys and jaw move the mesh between two frames of the motion."""
    return bool(np.abs(shown(head, 4) - shown(head, 14)).max() > 1e-3)


def keys_move(head) -> bool:
    """Whether the value of a shape key changes."""
    blocks = head.data.shape_keys.key_blocks
    values = []
    for frame in (4, 14):
        bpy.context.scene.frame_set(frame)
        values.append([block.value for block in blocks])
    return values[0] != values[1]


def serious(head) -> list:
    """What Check finds, but for what is only good to know: these takes have no sound."""
    return [problem for problem in problems(bpy.context, head) if problem.severity != "INFO"]


def save_library(path: Path, face) -> Path:
    cast = bpy.data.collections.new("Cast")
    bpy.context.scene.collection.children.link(cast)
    layers = bpy.context.view_layer.layer_collection.children
    bpy.context.view_layer.active_layer_collection = layers["Cast"]
    add_head(bpy.context, face)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    empty_file()
    return path


def empty_file() -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def link(library, kind="collections", names=("Cast",)) -> list:
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        setattr(wanted, kind, list(names))
    return getattr(wanted, kind)


def link_collection(library) -> bpy.types.Collection:
    (cast,) = link(library)
    bpy.context.scene.collection.children.link(cast)
    return cast


def link_objects(library, names=("Head", "Head Rig")) -> list:
    objects = link(library, "objects", names)
    for item in objects:
        bpy.context.scene.collection.objects.link(item)
    return objects


def link_instance(library, location=(0, 0, 0)) -> bpy.types.Object:
    (cast,) = link(library)
    empty = bpy.data.objects.new("Cast", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", cast
    empty.location = location
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.update()
    return empty


def nested_collection(library):
    """The linked collection lies in a collection of the file that is excluded in a second view layer."""
    cast = link_collection(library)
    scene = bpy.context.scene
    outer = bpy.data.collections.new("Shot Cast")
    scene.collection.children.link(outer)
    outer.children.link(cast)
    scene.collection.children.unlink(cast)
    scene.view_layers.new("Other").layer_collection.children["Shot Cast"].children["Cast"].exclude = True


def override(cast, editable=False) -> bpy.types.Object:
    """The head of a hierarchy that Blender's own command has overridden."""
    cast.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=editable)
    if cast in bpy.context.scene.collection.children.values():
        bpy.context.scene.collection.children.unlink(cast)
    (head,) = (head for head in heads_in(bpy.context.scene) if head.override_library)
    return head


def the_head() -> bpy.types.Object:
    """The only head that is shown; one of a collection that is only instanced counts."""
    heads = heads_in(bpy.context.scene)
    (head,) = [head for head in heads if head in bpy.context.view_layer.objects.values()] or heads
    return head


def save_and_reload(folder) -> bpy.types.Object:
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))
    return the_head()


def change_library(library, statements) -> None:
    """Change a .blend in another Blender, as somebody else would while this one has it linked."""
    script = "\n".join(
        ["import bpy", f"bpy.ops.wm.open_mainfile(filepath={str(library)!r})", "head = bpy.data.objects['Head']"]
        + ["rig = bpy.data.objects['Head Rig']", "cast = bpy.data.collections.get('Cast')", statements]
        + ["bpy.ops.wm.save_mainfile()", "import os; os._exit(0)"]
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=120)


MORE_OBJECTS = """
hat = bpy.data.objects.new("Hat", bpy.data.meshes.new("Hat"))
cast.objects.link(hat)
hat.parent = rig
"""
MORE_KEYS = """
head.shape_key_add(name="added", from_mix=False).value = 0.0
for key in head.data.shape_keys.key_blocks:
    key.points[0].co.z += 1.0
"""
