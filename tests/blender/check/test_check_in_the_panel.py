"""What a person sees of the checks: after Generate, in the sub-panel, by the button; and what it costs."""

import sys
from pathlib import Path

import bpy
import numpy as np
import pytest
from counted_steps import counted_steps
from moving_mesh import mesh_track
from wordless_strip import new_wordless_strip

from emote_blender.blender.check.find import FIXES, TOPICS, problems
from emote_blender.blender.check.shown import forget_checks, shown_problems
from emote_blender.blender.ui.check import CheckPanel

sys.path.append(str(Path(__file__).parent.parent / "ui"))
from test_panel_state import drawn


@pytest.fixture
def motion_file(make_motion, tmp_path):
    """A motion file of the tiny face."""
    make_motion(20).save(tmp_path / "line.npz")
    return tmp_path / "line.npz"


def test_a_take_on_a_head_that_cannot_move_says_why(scene, head, motion_file, capfd):
    head.show_only_shape_key = True
    bpy.ops.emote.apply_motion(filepath=str(motion_file))
    sentence = problems(bpy.context, head)[0].sentence
    assert "pin" in sentence
    assert f"Warning: {sentence}" in capfd.readouterr().out
    assert scene.emote.last_result.endswith(f"; but {sentence}")


def test_a_take_on_a_head_that_moves_says_nothing_else(scene, head, motion_file, capfd):
    bpy.ops.emote.apply_motion(filepath=str(motion_file))
    assert "Warning" not in capfd.readouterr().out
    assert "but" not in scene.emote.last_result


def test_generate_says_that_the_face_cannot_move(scene, head, speech_wav, make_tiny_folder, tmp_path, capfd):
    pytest.importorskip("onnxruntime", reason="runs a model")
    head.parent.data.pose_position = "REST"
    new_wordless_strip(scene, "Line 01", str(speech_wav), channel=1, frame_start=1)
    bpy.ops.emote.generate(model=str(make_tiny_folder(tmp_path / "tiny", num_expression=6)))
    sentence = "the rig 'Head Rig' is in rest position, so jaw and neck stand still: set it to Pose Position"
    assert f"Warning: {sentence}" in capfd.readouterr().out
    assert scene.emote.last_result.endswith(f"; but {sentence}")


def test_the_button_reports_every_problem(speaking, capfd):
    speaking.show_only_shape_key = True
    speaking.parent.data.pose_position = "REST"
    assert bpy.ops.emote.check() == {"FINISHED"}
    said = capfd.readouterr().out
    for problem in problems(bpy.context, speaking):
        assert problem.sentence in said


def test_the_button_says_that_all_is_well(scene, speaking, ramp_wav, capfd):
    scene.sync_mode = "AUDIO_SYNC"
    new_wordless_strip(scene, "line", str(ramp_wav(seconds=0.8)), channel=1, frame_start=1)
    bpy.ops.emote.check()
    assert "Nothing keeps 'Head' from moving" in capfd.readouterr().out


def test_the_panel_shows_what_is_well_and_a_fix_for_what_is_not(speaking):
    speaking.show_only_shape_key = True
    bpy.context.view_layer.update()
    rows = drawn(CheckPanel)
    texts = [text for _, text in rows]
    assert "Rig" in texts
    assert "Shape keys" not in texts
    assert ("emote.fix", "Turn Pin Off") in rows
    assert ("emote.check", None) in rows


def test_every_problem_of_every_check_has_a_fix_that_there_is():
    """A fix that a check names and nobody wrote would fail only when its problem is met."""
    import inspect

    from emote_blender.blender.check import ownership, playback, rig, rivals, shape_keys, sound, timing

    source = "".join(
        inspect.getsource(module) for module in (ownership, playback, rivals, rig, shape_keys, sound, timing)
    )
    for identifier in FIXES:
        assert source.count(f'"{identifier}"') >= 1
    assert len(TOPICS) == 6


def test_a_redraw_without_a_change_computes_nothing(speaking, monkeypatch):
    from emote_blender.blender.check import shown

    monkeypatch.setattr(shown, "_MOST_SECONDS", 1e9)
    bpy.context.view_layer.update()
    first = shown_problems(bpy.context, speaking)
    assert shown_problems(bpy.context, speaking) is first
    bpy.context.scene.frame_set(5)
    assert shown_problems(bpy.context, speaking) is first
    speaking.show_only_shape_key = True
    bpy.context.view_layer.update()
    assert shown_problems(bpy.context, speaking) is not first


def test_hundreds_of_takes_and_keys_are_checked_in_few_steps_for_each(scene, speaking, owners):
    """200 takes, of which 20 are in use, and 300 keys on the mesh."""
    for number in range(294):
        speaking.shape_key_add(name=f"mine {number}", from_mix=False)
    first = speaking.emote.takes[0].action
    for number in range(1, 200):
        take = speaking.emote.takes.add()
        take.name, take.action, take.scene, take.line = f"take {number}", first.copy(), scene, f"line {number}"
        take.frame_start, take.fps, take.duration_seconds, take.in_use = 1, 25.0, 0.8, number % 10 == 0
        for owner in owners:
            track = owner.animation_data.nla_tracks.new()
            strip = track.strips.new(take.name, 1, take.action)
            strip.action_slot = next(slot for slot in take.action.slots if slot.target_id_type == owner.id_type)
            track.mute = not take.in_use
    forget_checks()
    for _ in range(2):
        problems(bpy.context, speaking)
    assert counted_steps(problems, bpy.context, speaking) < 500 * 100
    assert not np.isnan(mesh_track(speaking)).any()
