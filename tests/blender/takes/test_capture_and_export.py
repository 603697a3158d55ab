"""Captures onto heads and takes to files: exact where nothing was changed, as played where it was."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.head.build import add_head
from emote_blender.capture.motion_files import load_motion
from emote_blender.flame.model import FaceModel
from emote_blender.motion import FaceMotion
from tests.live_link import COLUMNS, SHAPES, live_link_csv, recorded, table_of

OPEN_HEAD = "models/open_head"


@pytest.fixture(scope="module")
def open_face():
    return FaceModel.load(OPEN_HEAD)


@pytest.fixture
def open_head(scene, open_face):
    return add_head(bpy.context, open_face)


@pytest.fixture
def capture(tmp_path):
    """A capture of 1.5 s at 60 fps, within the range of the head's shape keys."""
    values = recorded(90)
    path = tmp_path / "MySlate_3_iPhone.csv"
    path.write_text(live_link_csv(values))
    return path, values


def shown(head, name):
    return head.data.shape_keys.key_blocks[name].value


@pytest.mark.parametrize("fps", [24, 25, 60])
def test_a_capture_comes_out_of_a_head_as_it_went_in(scene, open_head, capture, tmp_path, fps):
    """CSV to head to CSV at any frame rate of the scene, at the precision of float32."""
    scene.render.fps = fps
    path, values = capture
    assert bpy.ops.emote.import_capture(filepath=str(path), frame_start=11) == {"FINISHED"}
    assert bpy.ops.emote.export_motion(filepath=str(tmp_path / "out.csv")) == {"FINISHED"}
    _, times, back = table_of((tmp_path / "out.csv").read_text())
    assert times[-1] == "00:00:01:29.000"
    np.testing.assert_allclose(back[:, : len(SHAPES)], values[:, : len(SHAPES)], rtol=2**-22, atol=1e-10)
    np.testing.assert_allclose(back[:, len(SHAPES) :], values[:, len(SHAPES) :], atol=5e-7)


def test_a_capture_moves_the_head_at_its_times(scene, open_head, capture):
    path, values = capture
    scene.render.fps = 30
    bpy.ops.emote.import_capture(filepath=str(path), frame_start=11)
    for frame in (11, 20, 40, 55):
        scene.frame_set(frame)
        row = values[2 * (frame - 11)]
        assert shown(open_head, "mouthSmileLeft") == pytest.approx(row[COLUMNS.index("MouthSmileLeft")], abs=1e-5)
        jaw = open_head.parent.pose.bones["jaw"].matrix_basis.to_quaternion().angle
        expected = np.hypot(
            0.4 * row[COLUMNS.index("JawOpen")], 0.12 * (row[COLUMNS.index("JawLeft")] - row[COLUMNS.index("JawRight")])
        )
        assert jaw == pytest.approx(expected, abs=1e-4)


def test_head_angles_turn_the_neck_unless_they_are_left_out(scene, open_head, capture):
    bpy.ops.emote.import_capture(filepath=str(capture[0]), frame_start=1)
    scene.frame_set(10)
    assert open_head.parent.pose.bones["neck"].matrix_basis.to_quaternion().angle > 0.05
    bpy.ops.emote.import_capture(filepath=str(capture[0]), frame_start=1, head_rotation=False)
    scene.frame_set(10)
    assert open_head.parent.pose.bones["neck"].matrix_basis.to_quaternion().angle < 1e-6


def test_a_capture_can_begin_where_its_sound_does(scene, open_head, tmp_path):
    ramp = np.linspace(0, 1, 61)[:, None].astype(np.float32)
    path = tmp_path / "ramp.csv"
    path.write_text(live_link_csv(ramp, columns=["MouthFunnel"]))
    bpy.ops.emote.import_capture(filepath=str(path), frame_start=1, start="13:04:31:30")
    scene.frame_set(1)
    assert shown(open_head, "mouthFunnel") == pytest.approx(0.5, abs=1e-5)


def test_apply_motion_takes_captures_too(open_head, capture):
    bpy.ops.emote.apply_motion(filepath=str(capture[0]), frame_start=1)
    assert open_head.emote.takes[0].line == "MySlate_3_iPhone"


def test_a_refined_take_is_exported_as_it_plays(scene, open_head, capture, tmp_path):
    scene.render.fps = 60
    bpy.ops.emote.import_capture(filepath=str(capture[0]), frame_start=1)
    open_head.emote.takes[0].refine.jaw_strength = 0.5
    bpy.ops.emote.export_motion(filepath=str(tmp_path / "out.csv"))
    back = table_of((tmp_path / "out.csv").read_text())[2]
    np.testing.assert_allclose(
        back[:, COLUMNS.index("JawOpen")], 0.5 * capture[1][:, COLUMNS.index("JawOpen")], atol=1e-5
    )


def test_blinks_and_gaze_are_exported_as_they_play(scene, open_head, open_face, tmp_path):
    still = FaceMotion(
        np.zeros((250, 50)), np.zeros((250, 3)), 25, meta={"expression_names": list(open_face.expression_names)}
    )
    still.save(tmp_path / "still.npz")
    bpy.ops.emote.apply_motion(filepath=str(tmp_path / "still.npz"), frame_start=1)
    alive = open_head.emote.takes[0].alive
    alive.blinks = alive.gaze = alive.head_motion = True
    bpy.ops.emote.export_motion(filepath=str(tmp_path / "out.csv"), fps=25)
    values = table_of((tmp_path / "out.csv").read_text())[2]
    assert len(values) == 250
    assert values[:, COLUMNS.index("EyeBlinkLeft")].max() > 0.9
    assert np.ptp(values[:, COLUMNS.index("LeftEyeYaw")]) > 0.01
    assert np.ptp(values[:, COLUMNS.index("HeadPitch")]) > 0.001
    for frame in (30, 100, 200):
        scene.frame_set(1 + frame)
        assert shown(open_head, "eyeBlinkLeft") == pytest.approx(values[frame, COLUMNS.index("EyeBlinkLeft")], abs=1e-4)


def test_a_generated_take_is_exported_at_60_fps_and_as_the_format_says(open_head, open_face, tmp_path):
    motion = FaceMotion(
        np.full((25, 50), 0.25), np.zeros((25, 3)), 25, meta={"expression_names": list(open_face.expression_names)}
    )
    motion.save(tmp_path / "line.npz")
    bpy.ops.emote.apply_motion(filepath=str(tmp_path / "line.npz"), frame_start=1)
    bpy.ops.emote.export_motion(filepath=str(tmp_path / "line"))
    assert len(table_of((tmp_path / "line.csv").read_text())[2]) == 60
    bpy.ops.emote.export_motion(filepath=str(tmp_path / "line"), format="JSON")
    assert load_motion(tmp_path / "line.json").num_frames == 25
    bpy.ops.emote.export_motion(filepath=str(tmp_path / "again.npz"), fps=50)
    assert load_motion(tmp_path / "again.npz").num_frames == 50


def test_no_action_is_left_by_a_file_that_cannot_be_read(open_head, tmp_path):
    before = set(bpy.data.actions)
    path = tmp_path / "bad.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(RuntimeError, match="has no line that names ARKit's blend shapes"):
        bpy.ops.emote.import_capture(filepath=str(path))
    path.write_text(live_link_csv(recorded(3)))
    with pytest.raises(RuntimeError, match="a start is seconds or a timecode"):
        bpy.ops.emote.import_capture(filepath=str(path), start="soon")
    assert set(bpy.data.actions) == before


def test_what_was_assumed_of_a_capture_is_reported(open_head, tmp_path, capsys):
    path = tmp_path / "take.csv"
    path.write_text(live_link_csv(recorded(30), np.full(30, 100.0)))
    bpy.ops.emote.import_capture(filepath=str(path))
    assert "its rows are taken as 60 fps" in capsys.readouterr().out


def test_a_capture_can_be_dropped_where_a_head_is(scene, face, capture):
    handler = bpy.types.EMOTE_FH_capture
    assert {".csv", ".json", ".npz", ".txt"} <= set(handler.bl_file_extensions.split(";"))
    assert handler.bl_import_operator == "emote.import_capture"
    assert not handler.poll_drop(bpy.context)
