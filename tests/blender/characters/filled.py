"""Characters whose property group is filled by hand, as the tests of takes need them."""

from collections.abc import Mapping

import bpy
import numpy as np
from character_rigs import PLACEMENTS, Character
from character_shapes import arkit_shapes


def fill(character: Character, rows: Mapping[str, str] | None = None, jaw: str = "", placement: str = "tilted") -> None:
    """Set a character up.

    Args:
        character: the character.
        rows: source of each shape key; by default each key of an ARKit character by the end of its name.
        jaw: BONE, KEY or NONE; by default what the character has.
        placement: as it was built.
    """
    group = character.mesh.emote.character
    names = arkit_shapes(True)
    if rows is None:
        rows = {key: next(name for name in sorted(names) if key.endswith(name)) for key in character.key_names}
    for other in character.others:
        group.meshes.add().mesh = other
    for key, source in rows.items():
        row = group.rows.add()
        row.source, row.target = source, key
    group.armature = character.armature
    for role in ("jaw", "neck", "head", "left_eye", "right_eye"):
        setattr(group, f"{role}_bone", character.bones.get(role, ""))
    group.jaw = jaw or ("BONE" if "jaw" in character.bones else "KEY")
    to_data, _ = PLACEMENTS[placement]
    group.axes = (np.asarray(to_data) / np.linalg.norm(to_data, axis=0)).T.ravel()
    group.is_set_up = True


def values_at(frame: int, mesh_object: bpy.types.Object) -> dict[str, float]:
    """The evaluated values of a mesh's shape keys at a frame."""
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    return {key.name: key.value for key in mesh_object.evaluated_get(graph).data.shape_keys.key_blocks[1:]}
