"""A head that speaks, and an action of the artist's."""

import bpy
import pytest
from moving_mesh import mesh_track, stands_still

from emote_blender.blender.takes.make import apply_motion


@pytest.fixture
def speaking(scene, head, make_motion):
    """The tiny head with a take of 20 frames."""
    scene.frame_start, scene.frame_end = 1, 30
    apply_motion(head, make_motion(20), scene, 1, "line")
    assert not stands_still(mesh_track(head))
    return head


@pytest.fixture
def owners(speaking):
    """The data-blocks that the take animates: shape keys and armature."""
    return speaking.data.shape_keys, speaking.parent


@pytest.fixture
def own_action():
    """A function that makes an action of the artist's with two keys of value `value`, on one channel."""

    def make(owner, path: str, value: float, index: int = 0) -> bpy.types.Action:
        action = bpy.data.actions.new("Mine")
        slot = action.slots.new(id_type=owner.id_type, name=owner.name)
        bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
        curve = bag.fcurves.new(path, index=index)
        for frame in (1, 30):
            curve.keyframe_points.insert(frame, value)
        return action

    return make
