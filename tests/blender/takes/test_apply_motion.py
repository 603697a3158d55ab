"""Motions on heads: keys at the right times, exact values, nothing of the artist's overwritten."""

import bpy
import numpy as np
import pytest
from counted_steps import counted_steps
from mathutils import Quaternion, Vector

from emote_blender.blender.compat import action_channelbag
from emote_blender.blender.head.axes import to_blender
from emote_blender.blender.head.build import add_head
from emote_blender.blender.scene.scene_file import set_frame_rate
from emote_blender.blender.takes.make import apply_motion
from emote_blender.blender.takes.store import kept_raw
from emote_blender.errors import EmoteError, InputError
from emote_blender.motion import FaceMotion

RATES = [12.0, 24.0, 25.0, 30 / 1.001, 30.0, 60.0]
MODES = ["QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"]


def curves(owner):
    """F-curves by (path, index) of the only take in use of a data-block."""
    (strip,) = owner.animation_data.nla_tracks["EMOTE"].strips
    return {(c.data_path, c.array_index): c for c in action_channelbag(strip.action, strip.action_slot).fcurves}


def jaw_rotation(head):
    """The jaw bone's rotation as a quaternion, after the scene was evaluated, whatever its mode."""
    evaluated = head.parent.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return evaluated.pose.bones["jaw"].matrix_basis.to_quaternion()


def angle_between(first, second):
    """Radians between two rotations."""
    return min(first.rotation_difference(second).angle, first.rotation_difference(-second).angle)


def rotation_of(axis_angle):
    vector = Vector(axis_angle)
    return Quaternion(vector.normalized(), vector.length) if vector.length else Quaternion()


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("frame_start", [1, -30, 1001])
def test_each_frame_shows_the_motion_of_its_time(scene, head, make_motion, fps, frame_start):
    set_frame_rate(scene, fps)
    motion = make_motion(num_frames=50)
    apply_motion(head, motion, scene, frame_start)
    keys = head.data.shape_keys.key_blocks
    for frame in range(frame_start, frame_start + int(49 / 25 * fps), 3):
        position = (frame - frame_start) / fps * motion.fps
        before = int(position)
        part = position - before
        after = min(before + 1, 49)
        expected = motion.expression[before] * (1 - part) + motion.expression[after] * part
        scene.frame_set(frame)
        shown = [keys[f"component{i}"].value for i in range(6)]
        np.testing.assert_allclose(shown, expected, atol=1e-5)


@pytest.mark.parametrize("fps", RATES)
def test_peak_lands_on_the_frame_nearest_its_time(scene, head, fps):
    set_frame_rate(scene, fps)
    expression = np.zeros((100, 6))
    expression[:, 2] = np.maximum(0, 1 - np.abs(np.arange(100) - 50) / 4)  # a peak at 2 s
    apply_motion(head, FaceMotion(expression, np.zeros((100, 3)), 25), scene, frame_start=11)
    shown = []
    for frame in range(11, 11 + int(4 * fps)):
        scene.frame_set(frame)
        shown.append(head.data.shape_keys.key_blocks["component2"].value)
    assert 11 + int(np.argmax(shown)) == pytest.approx(11 + 2 * fps, abs=0.5)


@pytest.mark.parametrize("mode", MODES)
def test_bones_turn_alike_in_every_rotation_mode(scene, head, make_motion, mode):
    head.parent.pose.bones["jaw"].rotation_mode = mode
    motion = make_motion(num_frames=30)
    apply_motion(head, motion, scene, 1)
    for frame in range(30):
        scene.frame_set(1 + frame)
        assert angle_between(jaw_rotation(head), rotation_of(motion.jaw[frame])) < 2e-3


@pytest.mark.parametrize("mode", MODES)
def test_rotation_curves_have_no_jumps(scene, head, mode):
    head.parent.pose.bones["jaw"].rotation_mode = mode
    turn = np.linspace(-4.0, 4.0, 200)
    jaw = np.stack([turn, 0.3 * np.sin(turn), 0.2 * np.cos(turn)], axis=1)
    apply_motion(head, FaceMotion(np.zeros((200, 6)), jaw, 25), scene, 1)
    for (path, _), curve in curves(head.parent).items():
        values = np.array([point.co.y for point in curve.keyframe_points])[8:-8]  # without the transitions
        # Near no rotation the axis of an axis-angle has no direction to keep; it may turn there, but not flip.
        limit = 1.2 if path.endswith("axis_angle") else 0.4
        assert len(values) == 1 or np.abs(np.diff(values)).max() < limit


def test_evaluated_mesh_equals_the_face_model_in_every_frame(scene, head, face, make_motion):
    motion = make_motion(num_frames=12, eyes=True, neck=True)
    apply_motion(head, motion, scene, 1)
    head.modifiers["Subdivision"].show_viewport = False
    expected = face.vertices(motion.expression, motion.jaw, eyes=motion.eyes, neck=motion.neck)
    for frame in range(12):
        scene.frame_set(1 + frame)
        mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
        shown = np.array([vertex.co for vertex in mesh.vertices])
        np.testing.assert_allclose(shown, to_blender(expected[frame]), atol=1e-5)


def test_keys_stand_on_whole_frames_with_straight_lines_between(scene, head, make_motion):
    set_frame_rate(scene, 30 / 1.001)
    apply_motion(head, make_motion(num_frames=25), scene, 7)
    curve = curves(head.data.shape_keys)['key_blocks["component0"].value', 0]
    frames = [point.co.x for point in curve.keyframe_points]
    assert frames == list(range(7 - 9, 7 + 30 + 9))  # with 0.3 s before and after the line
    assert {point.interpolation for point in curve.keyframe_points} == {"LINEAR"}


def test_channel_that_stays_at_rest_has_no_curve(scene, head, make_motion):
    motion = make_motion(num_frames=25)
    motion.expression[:, 4] = 0.0
    motion.jaw[:, 1:] = 0.0
    apply_motion(head, motion, scene, 1)
    assert 'key_blocks["component4"].value' not in {path for path, _ in curves(head.data.shape_keys)}
    assert list(curves(head.parent)) == [('pose.bones["jaw"].rotation_euler', 0)]


def test_no_pose_is_held_before_and_after_the_line(scene, head, make_motion):
    apply_motion(head, make_motion(num_frames=25), scene, 10)
    for frame in (-50, 2, 3 + 7 + 25 + 7, 500):
        scene.frame_set(frame)
        assert [key.value for key in head.data.shape_keys.key_blocks[1:]] == [0.0] * 8
        assert jaw_rotation(head).angle == 0.0


def test_values_beyond_the_slider_range_are_not_clamped(scene, head):
    expression = np.tile(np.array([7.5, -6.0, 0, 0, 0, 0]), (5, 1)) * np.linspace(0.5, 1, 5)[:, None]
    apply_motion(head, FaceMotion(expression, np.zeros((5, 3)), 25), scene, 1)
    scene.frame_set(5)
    keys = head.data.shape_keys.key_blocks
    assert (keys["component0"].value, keys["component1"].value) == pytest.approx((7.5, -6.0))


def test_one_action_has_a_slot_for_the_shape_keys_and_one_for_the_bones(scene, head, make_motion):
    action = apply_motion(head, make_motion(), scene, 1, "Line 01")
    assert action.name == "Line 01 · Anger"
    assert {slot.target_id_type for slot in action.slots} == {"KEY", "OBJECT"}
    for owner in (head.data.shape_keys, head.parent):
        (strip,) = owner.animation_data.nla_tracks["EMOTE"].strips
        assert strip.action == action
        assert owner.animation_data.action is None


def test_earlier_takes_survive_saving(scene, head, make_motion, tmp_path):
    for emotion in ("anger", "happy", "sad"):
        apply_motion(head, make_motion(emotion=emotion), scene, 1, "Line 01")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "takes.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "takes.blend"))
    assert {"Line 01 · Anger", "Line 01 · Happy", "Line 01 · Sad"} <= {action.name for action in bpy.data.actions}


def test_the_artists_own_action_is_kept_untouched(scene, head, make_motion):
    head.parent.keyframe_insert("location", frame=3)
    own = head.parent.animation_data.action
    slot = head.parent.animation_data.action_slot
    before = [point.co[:] for curve in action_channelbag(own, slot).fcurves for point in curve.keyframe_points]
    apply_motion(head, make_motion(), scene, 1)
    after = [point.co[:] for curve in action_channelbag(own, slot).fcurves for point in curve.keyframe_points]
    assert head.parent.animation_data.action == own
    assert head.parent.animation_data.action_slot == slot
    assert after == before


def test_same_name_twice_gives_two_actions(scene, head, make_motion):
    first = apply_motion(head, make_motion(), scene, 1, "Line 01")
    second = apply_motion(head, make_motion(), scene, 1, "Line 01")
    assert first != second
    assert second.name == "Line 01 · Anger (2)"


def test_take_keeps_its_raw_motion_in_the_file(scene, head, make_motion, tmp_path):
    set_frame_rate(scene, 60)
    motion = make_motion(eyes=True, speaker="A")
    apply_motion(head, motion, scene, 1, "take")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "take.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "take.blend"))
    kept = kept_raw(bpy.data.actions["take · Anger"]).emotional
    np.testing.assert_array_equal(kept.expression, motion.expression)
    np.testing.assert_array_equal(kept.jaw, motion.jaw)
    np.testing.assert_array_equal(kept.eyes, motion.eyes)
    assert (kept.fps, kept.meta, kept.neck) == (25.0, motion.meta, None)


def test_action_without_a_take_says_so(scene):
    with pytest.raises(InputError, match="holds no take"):
        kept_raw(bpy.data.actions.new("walk"))


def test_bones_that_only_the_last_take_turned_come_back_to_rest(scene, head, make_motion):
    apply_motion(head, make_motion(neck=True, eyes=True), scene, 1)
    scene.frame_set(9)
    apply_motion(head, make_motion(), scene, 1)
    scene.frame_set(9)
    for name in ("neck", "left_eye", "right_eye"):
        assert head.parent.pose.bones[name].matrix_basis.to_quaternion().angle == pytest.approx(0, abs=1e-6)


def test_pose_that_the_artist_gave_the_neck_stays(scene, head, make_motion):
    head.parent.pose.bones["neck"].rotation_euler.x = 0.5
    apply_motion(head, make_motion(), scene, 1)
    scene.frame_set(5)
    assert head.parent.pose.bones["neck"].rotation_euler.x == pytest.approx(0.5)


def test_components_are_matched_by_name_not_by_place(scene, head, make_motion):
    motion = make_motion()
    turned = FaceMotion(
        motion.expression[:, ::-1],
        motion.jaw,
        25,
        meta={**motion.meta, "expression_names": motion.meta["expression_names"][::-1]},
    )
    apply_motion(head, turned, scene, 1)
    scene.frame_set(4)
    assert head.data.shape_keys.key_blocks["component1"].value == pytest.approx(float(motion.expression[3, 1]))


def test_components_without_names_go_by_number(scene, make_face):
    head = add_head(bpy.context, make_face(named=False, basis="flame2020"))
    expression = np.tile(np.arange(6) / 8, (3, 1))
    apply_motion(head, FaceMotion(expression, np.zeros((3, 3)), 25, meta={"face": "flame2020"}), scene, 1)
    scene.frame_set(2)
    assert head.data.shape_keys.key_blocks["Exp004"].value == pytest.approx(0.5)


@pytest.mark.parametrize(
    "change",
    [{"face": "flame2020", "expression_names": None}, {"expression_names": ["a", "b", "c", "d", "e", "f"]}],
)
def test_motion_of_another_face_is_refused_and_nothing_changes(scene, head, make_motion, change):
    with pytest.raises(EmoteError, match="choose the head that the model was made for"):
        apply_motion(head, make_motion(**change), scene, 1)
    assert not bpy.data.actions


@pytest.mark.parametrize("count", [5, 7])
def test_motion_with_another_number_of_names_than_components_is_refused(scene, head, make_motion, count):
    with pytest.raises(InputError, match=f"names {count} expression components but holds 6"):
        apply_motion(head, make_motion(expression_names=[f"component{i}" for i in range(count)]), scene, 1)


def test_nla_tweak_mode_is_refused(scene, head, make_motion):
    apply_motion(head, make_motion(), scene, 1)
    data = head.parent.animation_data
    data.nla_tracks["EMOTE"].strips[0].select = True
    data.use_tweak_mode = True
    assert data.use_tweak_mode
    with pytest.raises(InputError, match="tweak mode"):
        apply_motion(head, make_motion(), scene, 1)


def test_apply_motion_operator_names_the_action_and_says_what_it_did(scene, head, make_motion, tmp_path):
    path = tmp_path / "Zeile 01.npz"
    make_motion(num_frames=50).save(path)
    assert bpy.ops.emote.apply_motion(filepath=str(path), head="Head", frame_start=12) == {"FINISHED"}
    assert scene.emote.last_result == "Zeile 01 · Anger: 2.0 s from frame 12"
    curve = curves(head.data.shape_keys)['key_blocks["component0"].value', 0]
    assert curve.keyframe_points[0].co.x == 12 - 8


def test_apply_motion_operator_refuses_a_bad_file(scene, head, tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    with pytest.raises(RuntimeError, match="bad.npz is not a motion file"):
        bpy.ops.emote.apply_motion(filepath=str(tmp_path / "bad.npz"))
    with pytest.raises(RuntimeError, match="none.npz not found"):
        bpy.ops.emote.apply_motion(filepath=str(tmp_path / "none.npz"))
    assert not bpy.data.actions


def test_apply_motion_is_grey_without_a_head(scene):
    with pytest.raises(RuntimeError, match="or press Add Head"):
        bpy.ops.emote.apply_motion(filepath="line.npz")


def test_one_undo_takes_a_take_away(scene, head, make_motion, tmp_path):
    make_motion().save(tmp_path / "line.npz")
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.emote.apply_motion("EXEC_DEFAULT", True, filepath=str(tmp_path / "line.npz"))
    assert bpy.data.actions
    bpy.ops.ed.undo()
    assert not bpy.data.actions


def test_no_step_of_applying_a_motion_is_made_for_each_key(scene, head):
    def steps(num_frames: int) -> int:
        rng = np.random.default_rng(0)
        motion = FaceMotion(rng.normal(0, 0.3, (num_frames, 6)), rng.normal(0, 0.1, (num_frames, 3)), 25)
        return counted_steps(apply_motion, head, motion, scene, 1, f"{num_frames} frames")

    steps(100)  # the first one sets up what both use
    few, many = steps(100), steps(2000)
    assert many - few < 2 * 1900  # a frame has 10 keys: 6 components, 4 numbers of the jaw's quaternion
