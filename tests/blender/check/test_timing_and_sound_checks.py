"""What puts takes out of time, or out of hearing: found, named, and mended where Blender allows it."""

import bpy
import numpy as np
import pytest
from moving_mesh import found, mend, mesh_track, stands_still

from emote_blender.blender.check.find import problems
from emote_blender.blender.compat import new_sound_strip
from emote_blender.blender.takes.make import apply_motion


@pytest.fixture
def strip(scene, speaking, ramp_wav):
    """The strip that the take is of: 0.8 s from frame 1."""
    scene.sync_mode = "AUDIO_SYNC"
    return new_sound_strip(scene, "line", str(ramp_wav(seconds=0.8)), channel=1, frame_start=1)


def sentences(head):
    """Every sentence about a head."""
    found(head, "")
    return [problem.sentence for problem in problems(bpy.context, head)]


def test_a_take_with_its_strip_has_no_problem(speaking, strip):
    assert sentences(speaking) == []


def moved_in_range(scene, head):
    """Whether the mesh moves within the frames that are played."""
    start, end = scene.frame_start, scene.frame_end
    if scene.use_preview_range:
        start, end = scene.frame_preview_start, scene.frame_preview_end
    shots = []
    for frame in range(start, end + 1, 3):
        scene.frame_set(frame)
        mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
        shots.append(np.array([vertex.co for vertex in mesh.vertices]))
    return np.abs(np.stack(shots) - shots[0]).max() > 1e-4


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("start, end", [(100, 130), (90, 90)])
def test_a_range_beside_the_take_is_extended_over_it(scene, speaking, preview, start, end):
    if preview:
        scene.use_preview_range = True
        scene.frame_preview_start, scene.frame_preview_end = start, end
    else:
        scene.frame_start, scene.frame_end = start, end
    problem = found(speaking, "RANGE")
    assert problem.severity == "ERROR"
    played = "the preview range" if preview else "the scene's range"
    assert f"lies at frames 1 to 20, but {played} is {start} to {end}" in problem.sentence
    mend(speaking, "RANGE")
    assert found(speaking, "RANGE") is None
    assert moved_in_range(scene, speaking)


def test_a_take_that_is_partly_in_range_is_not_named(scene, speaking):
    scene.frame_start, scene.frame_end = 15, 40
    assert found(speaking, "RANGE") is None


def values_in_seconds(head, seconds):
    """The first shape key that moves, at these times of the take's line."""
    scene, take = bpy.context.scene, head.emote.takes[0]
    fps = scene.render.fps / scene.render.fps_base
    key = head.data.shape_keys.key_blocks["component1"]
    values = []
    for second in seconds:
        frame = take.frame_start + second * fps
        scene.frame_set(int(frame), subframe=frame % 1.0)
        values.append(key.value)
    return np.array(values)


@pytest.mark.parametrize("before, after", [(25, 50), (24, 60), (60, 24)])
def test_a_take_follows_another_frame_rate(scene, head, make_motion, ramp_wav, before, after):
    scene.render.fps, scene.sync_mode = before, "AUDIO_SYNC"
    scene.frame_end = 200
    strip = new_sound_strip(scene, "line", str(ramp_wav(seconds=0.8)), channel=1, frame_start=1)
    apply_motion(head, make_motion(20), scene, strip.frame_final_start, "line")
    seconds = np.linspace(0.1, 0.6, 6)
    values = values_in_seconds(head, seconds)
    scene.render.fps = after
    assert np.abs(values_in_seconds(head, seconds) - values).max() > 0.05
    sentence = f"was made at {before} fps, but the scene plays at {after}: retime it"
    assert any(sentence in found for found in sentences(head))
    mend(head, "RETIME")
    assert not any("fps" in found or "not where" in found for found in sentences(head))
    np.testing.assert_allclose(values_in_seconds(head, seconds), values, atol=0.03)  # keys lie on other frames


def test_time_stretching_is_set_back(scene, speaking, strip):
    before = mesh_track(speaking)
    scene.render.frame_map_old, scene.render.frame_map_new = 100, 200
    assert np.abs(mesh_track(speaking) - before).max() > 1e-4
    mend(speaking, "TIME_STRETCH")
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)
    assert sentences(speaking) == []


def test_playback_of_every_frame_is_a_hint_with_a_fix(scene, speaking, strip):
    scene.sync_mode = "NONE"
    assert found(speaking, "SYNC").severity == "INFO"
    mend(speaking, "SYNC")
    assert scene.sync_mode == "AUDIO_SYNC"
    assert sentences(speaking) == []


def test_playback_that_leaves_viewports_out_is_an_error(speaking, strip):
    screen = bpy.context.screen
    if screen is None:
        pytest.skip("this Blender has no screen in background")
    screen.use_play_3d_editors = screen.use_play_top_left_3d_editor = False
    try:
        assert found(speaking, "PLAYBACK_EDITORS").severity == "ERROR"
        mend(speaking, "PLAYBACK_EDITORS")
        assert screen.use_play_3d_editors
    finally:
        screen.use_play_3d_editors = True


def mute_strip(scene, strip):
    strip.mute = True


def mute_channel(scene, strip):
    scene.sequence_editor.channels[strip.channel].mute = True


def no_volume(scene, strip):
    strip.volume = 0.0


def animated_to_nothing(scene, strip):
    """Volume keyed to 0 on the strip's frames, and 1 after them."""
    for frame, volume in ((1, 0.0), (60, 0.0), (61, 1.0)):
        strip.volume = volume
        strip.keyframe_insert("volume", frame=frame)
    scene.frame_set(70)


@pytest.mark.parametrize("spoil", [mute_strip, mute_channel, no_volume, animated_to_nothing])
def test_a_muted_strip_is_unmuted(scene, speaking, strip, spoil):
    other = new_sound_strip(scene, "other", strip.sound.filepath, channel=2, frame_start=1)
    other.mute = True
    spoil(scene, strip)
    assert "'line' is muted" in found(speaking, "SOUND_MUTED").sentence
    mend(speaking, "SOUND_MUTED")
    assert sentences(speaking) == []
    assert other.mute


@pytest.mark.parametrize("setting, value", [("use_audio", False), ("audio_volume", 0.0)])
def test_a_scene_without_sound_gets_it_back(scene, speaking, strip, setting, value):
    setattr(scene, setting, value)
    assert "sound of the scene 'Scene' is off" in found(speaking, "SCENE_AUDIO").sentence
    mend(speaking, "SCENE_AUDIO")
    assert sentences(speaking) == []


def test_a_missing_sound_file_is_named(speaking, strip, tmp_path):
    strip.sound.filepath = str(tmp_path / "gone.wav")
    assert sentences(speaking)[0].startswith("the sound file of the strip 'line' is missing")


def test_a_take_follows_a_strip_that_was_moved(scene, speaking, strip):
    scene.frame_set(8)
    value = speaking.data.shape_keys.key_blocks["component1"].value
    strip.frame_start = 11
    assert any(
        "begins at frame 1, which is not where its sound is (strip 'line'): retime it" in sentence
        for sentence in sentences(speaking)
    )
    assert not any("trimmed" in sentence for sentence in sentences(speaking))
    mend(speaking, "RETIME")
    assert sentences(speaking) == []
    scene.frame_set(18)
    assert speaking.data.shape_keys.key_blocks["component1"].value == pytest.approx(value, abs=1e-5)


def trim_start(strip):
    strip.frame_final_start = 8


def trim_end(strip):
    strip.frame_final_end = 12


@pytest.mark.parametrize("trim", [trim_start, trim_end])
def test_a_strip_that_was_trimmed_is_named(speaking, strip, trim):
    trim(strip)
    assert any("'line' was trimmed since its take was made" in sentence for sentence in sentences(speaking))
    assert not any("not where its sound is" in sentence for sentence in sentences(speaking))


def test_a_take_without_a_strip_is_a_hint(scene, speaking):
    name = speaking.emote.takes[0].name
    assert sentences(speaking) == [
        f"the take {name!r} has no sound strip in the scene 'Scene', so it plays without a voice: add its sound to the "
        "sequencer"
    ]


def test_an_idle_take_needs_no_sound(speaking, strip):
    bpy.ops.emote.alive_idle(head=speaking.name)
    assert len(speaking.emote.takes) == 2
    assert sentences(speaking) == []


def test_a_take_of_another_scene_is_a_hint(scene, speaking, strip):
    speaking.emote.takes[0].scene = bpy.data.scenes.new("Edit")
    assert "follows the scene 'Edit', not this one" in sentences(speaking)[0]
    assert not stands_still(mesh_track(speaking))
