"""A head that speaks, with its take as the active action or in the NLA."""

import bpy
import pytest
from moving_mesh import mesh_track, stands_still

from emote_blender.blender.takes.make import apply_motion


@pytest.fixture
def speaking(scene, head, make_motion):
    """The tiny head with a take of 20 frames."""
    scene.frame_start, scene.frame_end = 1, 30
    action = apply_motion(head, make_motion(20), scene, 1, "line")
    if len(head.emote.takes):
        return head
    take = head.emote.takes.add()
    take.name, take.line, take.action, take.scene = "line", "line", action, scene
    take.frame_start, take.fps, take.duration_seconds = 1, 25.0, 0.8
    for owner in (head.data.shape_keys, head.parent):
        data = owner.animation_data
        data.action = None
        track = data.nla_tracks.new()
        track.name = "EMOTE"
        strip = track.strips.new("line", 1, action)
        strip.action_slot = next(slot for slot in action.slots if slot.target_id_type == owner.id_type)
        strip.extrapolation = "NOTHING"
    assert not stands_still(mesh_track(head))
    return head


@pytest.fixture
def owners(speaking):
    """The data-blocks that the take animates: shape keys and armature."""
    return speaking.data.shape_keys, speaking.parent


@pytest.fixture
def own_action(speaking):
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
