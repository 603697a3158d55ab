"""Previews: they show what a take would do, and leave exactly what was there."""

import bpy
import pytest
from character_rigs import arkit_character, drive_key
from measured_lips import lip_gap_mm

from emote_blender.blender.characters.preview_watch import preview_problem
from emote_blender.blender.settings.window_settings import window_settings

pytestmark = pytest.mark.ends

ODD = 0.3330000042915344  # a value that a float32 holds, and no round number


@pytest.fixture(params=["QUATERNION", "AXIS_ANGLE", "YZX"])
def anna(scene, request):
    """An ARKit character whose jaw is a bone in any rotation mode, set up and posed a little."""
    character = arkit_character(name="Anna", prefix="", rotation_mode=request.param)
    jaw = character.armature.pose.bones["jaw"]
    jaw.rotation_quaternion = (0.9950041770935059, 0.0, 0.0998334139585495, 0.0)
    jaw.rotation_euler = (0.1, 0.2, -0.3)
    jaw.rotation_axis_angle = (0.2, 0.0, 1.0, 0.0)
    jaw.location = (0.001, 0.002, 0.003)
    character.mesh.data.shape_keys.key_blocks["mouthFunnel"].value = ODD
    bpy.ops.emote.set_up_character(object="Anna")
    return character


def pose(character):
    """Every number that a preview could touch."""
    values = [key.value for mesh in (character.mesh, *character.others) for key in mesh.data.shape_keys.key_blocks]
    for bone in character.armature.pose.bones:
        for part in ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale"):
            values += list(getattr(bone, part))
    return values


def sliders():
    return window_settings(bpy.context)


def choose(character, target):
    rows = character.mesh.emote.character.rows
    character.mesh.emote.character.active_row = next(i for i, entry in enumerate(rows) if entry.target == target)


def test_the_jaw_slider_opens_the_mouth_and_puts_everything_back(anna):
    before, closed = pose(anna), lip_gap_mm(anna.mesh)
    sliders().preview_jaw = 0.5
    assert lip_gap_mm(anna.mesh) > closed + 3
    sliders().preview_jaw = 1.0
    sliders().preview_jaw = 0.0
    assert pose(anna) == before


def test_the_rows_slider_moves_its_key_on_all_meshes(anna):
    before = pose(anna)
    choose(anna, "browInnerUp")
    sliders().preview_row = 1.0
    meshes = [mesh for mesh in (anna.mesh, *anna.others) if "browInnerUp" in mesh.data.shape_keys.key_blocks]
    assert len(meshes) > 1
    assert all(mesh.data.shape_keys.key_blocks["browInnerUp"].value == 1.0 for mesh in meshes)
    sliders().preview_row = 0.0
    assert pose(anna) == before


def test_one_slider_ends_the_other_and_another_row_ends_both(anna):
    before = pose(anna)
    choose(anna, "browInnerUp")
    sliders().preview_jaw = 1.0
    sliders().preview_row = 1.0
    assert sliders().preview_jaw == 0.0
    choose(anna, "mouthPucker")
    assert sliders().preview_row == 0.0
    assert pose(anna) == before


def test_saving_a_file_saves_no_preview(anna, tmp_path):
    before = pose(anna)
    sliders().preview_jaw = 1.0
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert pose(anna) == before
    assert sliders().preview_jaw == 0.0


def test_a_change_of_frame_ends_a_preview(scene, anna):
    before = pose(anna)
    choose(anna, "mouthPucker")
    sliders().preview_row = 0.7
    scene.frame_set(5)
    assert pose(anna) == before


def test_keyed_values_survive_a_preview(scene, anna):
    keys = anna.mesh.data.shape_keys
    block = keys.key_blocks["mouthPucker"]
    for frame, value in ((1, 0.25), (11, 0.75)):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    scene.frame_set(6)
    before = block.value
    choose(anna, "mouthPucker")
    sliders().preview_row = 1.0
    assert block.value == 1.0
    sliders().preview_row = 0.0
    assert block.value == before
    scene.frame_set(11)
    assert block.value == pytest.approx(0.75)


def test_an_undo_step_made_during_a_preview_is_put_right(scene, anna):
    before = list(anna.armature.pose.bones["jaw"].rotation_quaternion)
    names = anna.mesh.name, anna.armature.name
    bpy.ops.ed.undo_push(message="before")
    sliders().preview_jaw = 1.0
    bpy.ops.ed.undo_push(message="something else, while the mouth was open")
    sliders().preview_jaw = 0.0
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    mesh, armature = (bpy.data.objects[name] for name in names)
    assert not mesh.emote.character.preview_kept
    assert list(armature.pose.bones["jaw"].rotation_quaternion) == before


def test_a_driven_key_says_why_it_does_not_move(anna):
    before = pose(anna)
    for mesh in (anna.mesh, *anna.others):
        if "mouthPucker" in mesh.data.shape_keys.key_blocks:
            drive_key(mesh, "mouthPucker", "0.0")
    choose(anna, "mouthPucker")
    sliders().preview_row = 1.0
    assert preview_problem() == "a driver sets the shape key 'mouthPucker'; remove the driver to move it"
    sliders().preview_row = 0.0
    assert pose(anna) == before


def test_a_lost_target_says_so(anna):
    choose(anna, "mouthPucker")
    anna.mesh.emote.character.rows[anna.mesh.emote.character.active_row].target = "gone"
    sliders().preview_row = 1.0
    assert "shape key 'gone' is gone" in preview_problem()
