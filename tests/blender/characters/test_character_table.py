"""What the table of a character may name: keys with other ranges, bone channels, and what is gone meanwhile."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

from character_rigs import arkit_character, drive_key  # noqa: E402
from filled import fill, motion_of, turn_of, values_at  # noqa: E402

from emote_blender.blender.check.find import problems  # noqa: E402
from emote_blender.blender.head.rig import rig_of  # noqa: E402
from emote_blender.blender.takes.make import apply_motion  # noqa: E402
from emote_blender.blender.takes.rewrite import rewrite  # noqa: E402
from emote_blender.errors import InputError  # noqa: E402

PREFIX = "head.ARKit_"


@pytest.fixture
def character(scene):
    built = arkit_character()
    fill(built)
    return built


def add_row(character, source, target, channel, strength=1.0, offset=0.0, low=-3.0, high=3.0):
    row = character.mesh.emote.character.rows.add()
    row.source, row.target, row.channel = source, target, channel
    row.strength, row.offset, row.low, row.high = strength, offset, low, high
    return row


def row_of(character, key):
    return next(row for row in character.mesh.emote.character.rows if row.target == PREFIX + key)


def local_turn(character, name, frame) -> np.ndarray:
    """(3,) a bone's own rotation, axis-angle in its own axes."""
    bpy.context.scene.frame_set(frame)
    rig = character.armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    axis, angle = rig.pose.bones[name].matrix_basis.to_quaternion().to_axis_angle()
    return np.array(axis * angle)


def test_a_key_whose_slider_ends_at_ten_is_given_ten_times(scene):
    character = arkit_character(key_range=(0.0, 10.0))
    fill(character)
    apply_motion(character.mesh, motion_of(browInnerUp=0.5), scene)
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(5.0)


@pytest.mark.parametrize("key_range", [(-1.0, 1.0), (-10.0, 10.0), (0.0, 2.0)])
def test_other_ranges_count_from_nought_to_one(scene, key_range):
    character = arkit_character()
    for mesh in (character.mesh, *character.others):
        for key in mesh.data.shape_keys.key_blocks:
            key.slider_min, key.slider_max = key_range
    fill(character)
    apply_motion(character.mesh, motion_of(browInnerUp=0.5), scene)
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)


def test_one_key_goes_both_ways_by_two_rows(character, scene):
    rows = character.mesh.emote.character.rows
    for index in reversed(range(len(rows))):
        if rows[index].target == PREFIX + "mouthRight":
            rows.remove(index)
    add_row(character, "mouthRight", PREFIX + "mouthLeft", "KEY", strength=-1.0, low=-1.0, high=0.0)
    apply_motion(character.mesh, motion_of(mouthRight=0.5), scene, 1)
    assert values_at(5, character.mesh)[PREFIX + "mouthLeft"] == pytest.approx(-0.5)


def test_strength_and_limits_count(character, scene):
    row = row_of(character, "browInnerUp")
    row.strength, row.high = 2.0, 0.75
    apply_motion(character.mesh, motion_of(browInnerUp=0.25), scene, 1, "weak")
    apply_motion(character.mesh, motion_of(browInnerUp=1.0), scene, 60, "strong")
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)
    assert values_at(65, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.75)


def test_a_row_that_is_off_moves_nothing(character, scene):
    row_of(character, "browInnerUp").enabled = False
    apply_motion(character.mesh, motion_of(browInnerUp=1.0, jawForward=0.5), scene)
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == 0.0


def test_an_offset_stays_where_no_take_plays(character, scene):
    character.mesh.emote.character.calibrate = False
    row_of(character, "mouthSmileLeft").offset = 0.25
    apply_motion(character.mesh, motion_of(mouthSmileLeft=0.5), scene)
    assert values_at(5, character.mesh)[PREFIX + "mouthSmileLeft"] == pytest.approx(0.75)
    assert values_at(60, character.mesh)[PREFIX + "mouthSmileLeft"] == pytest.approx(0.25)
    bpy.ops.emote.take_remove(head=character.mesh.name)
    assert values_at(5, character.mesh)[PREFIX + "mouthSmileLeft"] == 0.0


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "YZX"])
def test_rows_turn_a_bone_in_its_own_axes_together(scene, mode):
    character = arkit_character(rotation_mode=mode)
    fill(character)
    root = character.bones["root"]
    add_row(character, "browInnerUp", root, "ROTATION_X", strength=0.5)
    add_row(character, "cheekPuff", root, "ROTATION_X", strength=0.25)
    add_row(character, "jawForward", root, "ROTATION_Z", strength=-0.5)
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, cheekPuff=0.5, jawForward=0.25), scene)
    np.testing.assert_allclose(local_turn(character, root, 5), [0.375, 0.0, -0.125], atol=1e-3)


def test_a_row_turns_the_jaw_on_top_of_its_opening(character, scene):
    jaw = character.bones["jaw"]
    apply_motion(character.mesh, motion_of(jaw=0.25), scene, 1, "plain")
    opening = local_turn(character, jaw, 5)
    add_row(character, "jawForward", jaw, "ROTATION_Y", strength=0.5)
    apply_motion(character.mesh, motion_of(jaw=0.25, jawForward=0.5), scene, 60, "with row")
    np.testing.assert_allclose(local_turn(character, jaw, 65), opening + [0.0, 0.25, 0.0], atol=1e-3)


def test_rows_move_and_scale_a_bone(scene):
    character = arkit_character(placement="centimetres")
    fill(character, placement="centimetres")
    jaw = character.bones["jaw"]
    add_row(character, "jawForward", jaw, "LOCATION_Y", strength=0.02)
    add_row(character, "cheekPuff", jaw, "SCALE_X", strength=0.5)
    apply_motion(character.mesh, motion_of(jawForward=0.5, cheekPuff=0.5), scene)
    bpy.context.scene.frame_set(5)
    bone = character.armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones[jaw]
    np.testing.assert_allclose(bone.location, [0.0, 1.0, 0.0], atol=1e-4)  # 1 cm
    np.testing.assert_allclose(bone.scale, [1.25, 1.0, 1.0], atol=1e-4)


def test_vanished_keys_and_bones_are_named_and_the_rest_moves(character, scene):
    character.mesh.emote.character.calibrate = False
    add_row(character, "cheekPuff", "tail", "ROTATION_X")
    character.mesh.shape_key_remove(character.mesh.data.shape_keys.key_blocks[PREFIX + "mouthFunnel"])
    character.mesh.data.shape_keys.key_blocks[PREFIX + "cheekPuff"].name = "renamed"
    character.mesh.emote.character.left_eye_bone = "gone"
    apply_motion(character.mesh, motion_of(cheekPuff=0.5, mouthFunnel=0.5, jaw=0.25, browInnerUp=0.5), scene)
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)
    assert np.linalg.norm(turn_of(character, "jaw", 5)) == pytest.approx(0.25, abs=1e-3)
    keys, bones = rig_of(character.mesh).missing
    assert "2 shape keys" in keys
    assert PREFIX + "mouthFunnel" in keys
    assert "tail" in bones
    assert "gone" in bones
    found = [problem for problem in problems(bpy.context, character.mesh) if PREFIX + "mouthFunnel" in problem.sentence]
    assert len(found) == 1
    assert "set the character up again" in found[0].sentence


def test_a_key_that_vanishes_later_leaves_the_rest_of_the_take(character, scene):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, mouthFunnel=0.5), scene)
    character.mesh.shape_key_remove(character.mesh.data.shape_keys.key_blocks[PREFIX + "mouthFunnel"])
    rewrite(character.mesh, character.mesh.emote.takes[0])
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)


def test_a_character_of_which_nothing_is_left_is_refused(character):
    for mesh in (character.mesh, *character.others):
        mesh.shape_key_clear()
    bpy.data.objects.remove(character.armature)
    with pytest.raises(InputError, match="set it up again"):
        rig_of(character.mesh)


def test_a_character_without_keys_speaks_by_its_jaw_bone(character, scene):
    for mesh in (character.mesh, *character.others):
        mesh.shape_key_clear()
    apply_motion(character.mesh, motion_of(jaw=0.25), scene)
    assert np.linalg.norm(turn_of(character, "jaw", 5)) == pytest.approx(0.25, abs=1e-3)
    problems(bpy.context, character.mesh)


def test_a_character_that_lost_its_armature_speaks_by_its_keys(character, scene):
    bpy.data.objects.remove(character.armature)
    apply_motion(character.mesh, motion_of(jaw=0.25, browInnerUp=0.5), scene)
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)
    assert any("jaw" in sentence for sentence in rig_of(character.mesh).missing)


def test_driven_and_muted_keys_of_any_mesh_are_found_and_mended(character, scene):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, tongueOut=0.5), scene)
    teeth, brows = character.others
    drive_key(teeth, PREFIX + "tongueOut")
    brows.data.shape_keys.key_blocks[PREFIX + "browInnerUp"].mute = True
    found = {problem.fix: problem.sentence for problem in problems(bpy.context, character.mesh)}
    assert PREFIX + "tongueOut" in found["KEYS_DRIVEN"]
    assert PREFIX + "browInnerUp" in found["KEYS_MUTED"]
    for fix in ("KEYS_DRIVEN", "KEYS_MUTED"):
        bpy.ops.emote.fix(problem=fix, head=character.mesh.name)
    assert not {"KEYS_DRIVEN", "KEYS_MUTED"} & {problem.fix for problem in problems(bpy.context, character.mesh)}
    assert values_at(5, teeth)[PREFIX + "tongueOut"] == pytest.approx(0.5)


def test_a_character_that_speaks_has_no_problem(character, scene):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, jaw=0.25), scene)  # nothing that moves the teeth's keys
    assert [problem.sentence for problem in problems(bpy.context, character.mesh) if problem.severity != "INFO"] == []


def test_a_jaw_that_a_constraint_holds_is_named_whatever_it_is_called(scene):
    character = arkit_character(bone_names="reallusion")
    fill(character)
    apply_motion(character.mesh, motion_of(jaw=0.25), scene)
    bone = character.armature.pose.bones[character.bones["jaw"]]
    constraint = bone.constraints.new("COPY_ROTATION")
    constraint.target = character.armature
    found = {problem.fix for problem in problems(bpy.context, character.mesh)}
    assert "JAW_CONSTRAINED" in found
    bone.constraints.remove(constraint)
    bone.rotation_mode = "XYZ"
    assert "JAW_ROTATION_MODE" in {problem.fix for problem in problems(bpy.context, character.mesh)}


def test_keys_of_the_user_on_another_mesh_are_found(character, scene):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, frames=50), scene)
    brows = character.others[1]
    key = brows.data.shape_keys.key_blocks[PREFIX + "browInnerUp"]
    key.keyframe_insert("value", frame=10)
    key.keyframe_insert("value", frame=30)
    assert "RIVAL_MUTE" in {problem.fix for problem in problems(bpy.context, character.mesh)}


def test_a_character_survives_saving(character, scene, tmp_path):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, jaw=0.25), scene)
    names = character.mesh.name, character.others[1].name
    path = tmp_path / "character.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    face, brows = (bpy.data.objects[name] for name in names)
    rig = rig_of(face)
    assert brows in rig.other_meshes
    rewrite(face, face.emote.takes[0])
    for mesh in (face, brows):
        assert values_at(5, mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)


@pytest.mark.parametrize("jaw", ["bone", "key"])
def test_an_emotions_face_is_set_on_every_mesh(scene, jaw):
    character = arkit_character(jaw=jaw)
    fill(character)
    assert bpy.ops.emote.apply_emotion_pose(head=character.mesh.name, emotion="SURPRISE", insert_keys=True) == {
        "FINISHED"
    }
    assert values_at(1, character.mesh)[PREFIX + "browInnerUp"] > 0.1
    brows = values_at(1, character.others[1])
    assert brows[PREFIX + "browInnerUp"] == values_at(1, character.mesh)[PREFIX + "browInnerUp"]
    if jaw == "bone":
        assert turn_of(character, "jaw", 1)[0] > 0.02
    else:
        assert values_at(1, character.mesh)[PREFIX + "jawOpen"] > 0.05


def test_the_faces_of_the_emotions_become_assets_of_a_character(character):
    assert bpy.ops.emote.make_pose_assets(head=character.mesh.name) == {"FINISHED"}
    action = bpy.data.actions["Emotion Surprise Character"]
    paths = {curve.data_path for bag in action.layers[0].strips[0].channelbags for curve in bag.fcurves}
    assert f'key_blocks["{PREFIX}browInnerUp"].value' in paths
    assert f'pose.bones["{character.bones["jaw"]}"].rotation_quaternion' in paths
