"""The open head's faces for the emotions: set, keyed, and as assets."""

import subprocess
import sys

import bpy
import numpy as np
import pytest

from emote_blender.blender.compat import action_channelbag
from emote_blender.blender.head.asset_catalog import CATALOG
from emote_blender.blender.head.build import add_head, load_face_model
from emote_blender.blender.head.emotion_poses import read_poses
from emote_blender.emotion import EMOTIONS
from emote_blender.errors import ModelError
from emote_blender.files.paths import find_head

FOLDER = find_head("open_head") / "emotions"


@pytest.fixture
def open_head(scene):
    return add_head(bpy.context, load_face_model("open_head"))


def values(head) -> dict[str, float]:
    return {key.name: key.value for key in head.data.shape_keys.key_blocks if key.value and key.name != "Basis"}


def test_the_shipped_poses_are_what_their_source_writes(tmp_path):
    source = find_head("open_head") / "source" / "emotion_poses.py"
    subprocess.run([sys.executable, source, "-o", tmp_path], check=True, capture_output=True)
    assert (tmp_path / "poses.json").read_bytes() == (FOLDER / "poses.json").read_bytes()


def test_every_emotion_has_a_small_picture():
    assert {path.stem for path in FOLDER.glob("*.png")} == set(EMOTIONS)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 150_000


def test_a_pose_sets_shape_keys_and_jaw(open_head):
    pose = read_poses()["surprise"]
    assert bpy.ops.emote.apply_emotion_pose(emotion="SURPRISE") == {"FINISHED"}
    assert values(open_head) == pytest.approx(pose.expression)
    assert open_head.parent.pose.bones["jaw"].rotation_euler.x == pytest.approx(pose.jaw)


def test_the_next_pose_takes_the_last_one_away_and_leaves_other_keys_alone(open_head):
    open_head.data.shape_keys.key_blocks["tongueUp"].value = 0.5
    bpy.ops.emote.apply_emotion_pose(emotion="ANGER")
    bpy.ops.emote.apply_emotion_pose(emotion="HAPPY", amount=0.5)
    expected = {name: weight / 2 for name, weight in read_poses()["happy"].expression.items()}
    assert values(open_head) == pytest.approx({**expected, "tongueUp": 0.5})


@pytest.mark.parametrize("mode", ["XYZ", "QUATERNION", "AXIS_ANGLE"])
def test_keys_of_two_poses_play_from_one_to_the_other(scene, open_head, mode):
    jaw = open_head.parent.pose.bones["jaw"]
    jaw.rotation_mode = mode
    for frame, emotion in ((1, "SURPRISE"), (21, "SAD")):
        scene.frame_set(frame)
        bpy.ops.emote.apply_emotion_pose(emotion=emotion, insert_keys=True)
    poses = read_poses()
    for frame, emotion in ((1, "surprise"), (21, "sad")):
        scene.frame_set(frame)
        assert values(open_head) == pytest.approx(poses[emotion].expression, abs=1e-6)
        assert jaw.matrix_basis.to_euler().x == pytest.approx(poses[emotion].jaw, abs=1e-5)
    scene.frame_set(11)
    wide = values(open_head)["eyeWideLeft"]
    assert 0.2 < wide < poses["surprise"].expression["eyeWideLeft"] - 0.2


def test_auto_keying_keys_the_face(scene, open_head):
    scene.tool_settings.use_keyframe_insert_auto = True
    bpy.ops.emote.apply_emotion_pose(emotion="FEAR")
    assert open_head.data.shape_keys.animation_data.action is not None


def test_a_head_with_other_components_is_refused(head):
    with pytest.raises(RuntimeError, match="no expression components of the open head's names"):
        bpy.ops.emote.apply_emotion_pose(head=head.name)


def assets() -> list[bpy.types.Action]:
    return [action for action in bpy.data.actions if action.asset_data]


def test_eight_assets_hold_the_faces_with_pictures(open_head):
    assert bpy.ops.emote.make_pose_assets() == {"FINISHED"}
    assert {action.name for action in assets()} == {f"Emotion {emotion.capitalize()}" for emotion in EMOTIONS}
    for action in assets():
        pose = read_poses()[action.name.split()[1].lower()]
        assert {slot.target_id_type for slot in action.slots} == {"KEY", "OBJECT"}
        keys = next(slot for slot in action.slots if slot.target_id_type == "KEY")
        held = {curve.data_path: curve.evaluate(1) for curve in action_channelbag(action, keys).fcurves}
        expected = {f'key_blocks["{name}"].value': weight for name, weight in pose.expression.items()}
        assert {path: value for path, value in held.items() if value} == pytest.approx(expected)
        assert tuple(action.preview.image_size) == (96, 96)
        pixels = np.empty(4 * 96 * 96, np.float32)
        action.preview.image_pixels_float.foreach_get(pixels)
        assert pixels.std() > 0.1
        assert action.asset_data.catalog_id == CATALOG
    assert not bpy.data.images


def test_assets_are_made_once(open_head):
    bpy.ops.emote.make_pose_assets()
    bpy.data.actions.remove(bpy.data.actions["Emotion Fear"])
    bpy.ops.emote.make_pose_assets()
    assert len(assets()) == len(EMOTIONS)
    assert len(bpy.data.actions) == len(EMOTIONS)


def test_an_assigned_asset_gives_the_face(scene, open_head):
    bpy.ops.emote.make_pose_assets()
    action = bpy.data.actions["Emotion Happy"]
    animation = open_head.data.shape_keys.animation_data_create()
    animation.action = action
    animation.action_slot = next(slot for slot in action.slots if slot.target_id_type == "KEY")
    scene.frame_set(1)
    assert values(open_head) == pytest.approx(read_poses()["happy"].expression)


def test_the_pose_library_reaches_the_jaw_alone(open_head):
    """What Blender does with a pose asset: it evaluates the action on the armature. Shape keys need our operator."""
    bpy.ops.emote.make_pose_assets()
    open_head.parent.pose.apply_pose_from_action(bpy.data.actions["Emotion Surprise"], evaluation_time=1)
    assert values(open_head) == {}


def test_the_catalog_is_written_beside_a_saved_file_once(open_head, tmp_path):
    catalogs = tmp_path / "blender_assets.cats.txt"
    catalogs.write_text("VERSION 1\n\n11111111-1111-1111-1111-111111111111:Mine:Mine", encoding="utf-8")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    for _ in range(2):
        bpy.ops.emote.make_pose_assets()
    text = catalogs.read_text(encoding="utf-8")
    assert "11111111-1111-1111-1111-111111111111:Mine:Mine\n" in text
    assert text.count(f"{CATALOG}:EMOTE:EMOTE\n") == 1


def test_an_unsaved_file_writes_no_catalog(open_head, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bpy.ops.emote.make_pose_assets()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "poses": {}}', '{"format": 2, "poses": {}}'])
def test_damaged_poses_are_one_sentence(tmp_path, text):
    (tmp_path / "poses.json").write_text(text)
    with pytest.raises(ModelError, match=r"poses\.json"):
        read_poses(tmp_path)
