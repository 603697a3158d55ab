"""The .blend that the command line writes: a head that speaks with its sound, when it is opened."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.compat import strip_timing
from emote_blender.blender.scene.find_head import heads_in
from emote_blender.blender.scene.placed_strip import sound_strips
from emote_blender.blender.scene.scene_file import SceneWords, write_blend
from emote_blender.blender.scene.sound_part import part_of_strip
from emote_blender.blender.scene.strips import find_strip, read_strip
from emote_blender.blender.settings.transcript_state import change_since, describe_words, kept_cues
from emote_blender.blender.takes.store import kept_raw
from emote_blender.errors import InputError
from emote_blender.motion_tools.life import Life
from emote_blender.motion_tools.raw_take import RawTake
from emote_blender.motion_tools.refine import Refinement
from emote_blender.transcript.recognisers.interface import RecognisedWord, Recognition
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript


@pytest.fixture
def head_folder(face, tmp_path):
    """The tiny face as a head folder."""
    face.save(tmp_path / "tiny_head")
    return tmp_path / "tiny_head"


@pytest.mark.parametrize("fps", [25.0, 24.0, 30 / 1.001])
def test_written_file_holds_head_sound_animation_camera_and_light(head_folder, make_motion, ramp_wav, tmp_path, fps):
    path = tmp_path / "Mein Film.blend"
    motion = make_motion(num_frames=100)
    write_blend(path, RawTake(motion), head_folder, ramp_wav(), fps=fps)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    assert scene.render.fps / scene.render.fps_base == pytest.approx(fps)
    head = heads_in(scene)[0]
    assert head.emote.takes[-1].action.name == "ramp · Anger"
    assert scene.camera is not None
    assert [item for item in scene.objects if item.type == "LIGHT"]
    assert (scene.frame_start, scene.frame_end) == (1, int(np.ceil(4 * fps)))
    strip = sound_strips(scene)[0]
    assert strip_timing(strip).left == 1
    scene.frame_set(1 + int(fps))
    shown = [head.data.shape_keys.key_blocks[f"component{i}"].value for i in range(6)]
    position = int(fps) / fps * 25
    expected = motion.expression[int(position)] + (position % 1) * (
        motion.expression[int(position) + 1] - motion.expression[int(position)]
    )
    np.testing.assert_allclose(shown, expected, atol=1e-5)


def test_sound_travels_inside_the_file(head_folder, make_motion, ramp_wav, tmp_path):
    sound = ramp_wav()
    write_blend(tmp_path / "film.blend", RawTake(make_motion()), head_folder, sound)
    sound.unlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "film.blend").rename(tmp_path / "elsewhere/film.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "elsewhere/film.blend"))
    waveform = read_strip(find_strip(bpy.context.scene)).decode()
    assert 10 * waveform.samples[-1:][0] == pytest.approx(4.0, abs=0.05)


def test_viewports_look_through_the_camera(head_folder, make_motion, ramp_wav, tmp_path):
    write_blend(tmp_path / "film.blend", RawTake(make_motion()), head_folder, ramp_wav())
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "film.blend"))
    views = [area.spaces.active for screen in bpy.data.screens for area in screen.areas if area.type == "VIEW_3D"]
    assert views
    assert {space.region_3d.view_perspective for space in views} == {"CAMERA"}


def test_folder_that_does_not_exist_is_refused(head_folder, make_motion, ramp_wav, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        write_blend(tmp_path / "nowhere/film.blend", RawTake(make_motion()), head_folder, ramp_wav())


def test_motion_that_does_not_fit_leaves_no_file(head_folder, make_motion, ramp_wav, tmp_path):
    from emote_blender.errors import ModelError

    with pytest.raises(ModelError):
        write_blend(
            tmp_path / "film.blend", RawTake(make_motion(face="x", expression_names=None)), head_folder, ramp_wav()
        )
    assert not list(tmp_path.glob("*.blend*"))


def test_former_file_is_replaced_without_a_backup(head_folder, make_motion, ramp_wav, tmp_path):
    (tmp_path / "film.blend").write_bytes(b"old")
    write_blend(tmp_path / "film.blend", RawTake(make_motion()), head_folder, ramp_wav())
    assert (tmp_path / "film.blend").stat().st_size > 1000
    assert [path.name for path in tmp_path.iterdir() if "film" in path.name] == ["film.blend"]


def test_life_becomes_settings_of_the_take(make_motion, head_folder, ramp_wav, tmp_path):
    motion = make_motion(num_frames=100)
    life = Life(blinks=False, seed=5, head_strength=0.7)
    write_blend(tmp_path / "film.blend", RawTake(motion), head_folder, ramp_wav(), life=life)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "film.blend"))
    (take,) = heads_in(bpy.context.scene)[0].emote.takes
    alive = take.alive
    assert (alive.blinks, alive.gaze, alive.head_motion, alive.seed) == (False, True, True, 5)
    assert alive.head_strength == pytest.approx(0.7)
    paths = {curve.data_path for bag in take.action.layers[0].strips[0].channelbags for curve in bag.fcurves}
    assert 'pose.bones["neck"].rotation_euler' in paths


def test_refinement_becomes_sliders_of_the_take(make_motion, head_folder, ramp_wav, tmp_path):
    motion = make_motion(num_frames=100)
    refinement = Refinement(jaw_strength=0.5, prediction_delay=0.1)
    write_blend(tmp_path / "film.blend", RawTake(motion, motion), head_folder, ramp_wav(), refinement=refinement)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "film.blend"))
    take = heads_in(bpy.context.scene)[0].emote.takes[-1]
    assert (take.refine.jaw_strength, take.refine.upper_strength) == (0.5, 1.0)
    assert take.refine.prediction_delay == pytest.approx(0.1)
    assert kept_raw(take.action).neutral is not None
    bpy.context.scene.frame_set(26)
    jaw = heads_in(bpy.context.scene)[0].parent.pose.bones["jaw"]
    angle = jaw.matrix_basis.to_quaternion().angle
    assert angle == pytest.approx(0.5 * np.linalg.norm((motion.jaw[22] + motion.jaw[23]) / 2), abs=1e-3)


def words_of_file(path, take, head_folder, sound, words):
    """The settings of the strip in a written file, as generating again there reads them."""
    write_blend(path, take, head_folder, sound, words=words)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    (strip,) = bpy.context.scene.sequence_editor.strips
    return strip.emote


def test_recognised_words_are_kept_in_the_strip(make_motion, head_folder, ramp_wav, tmp_path):
    motion = make_motion(20, transcript={"words": 2, "fitting": 1})
    said = (RecognisedWord("hello", 0.1, 0.5, 0.9), RecognisedWord("whirled", 0.5, 0.9, 0.2))
    words = SceneWords("auto", "auto", Recognition(said, "en-us", "pocketsphinx"))
    kept = words_of_file(tmp_path / "film.blend", RawTake(motion), head_folder, ramp_wav(), words)
    assert (kept.transcript, kept.transcript_mode, kept.num_words, kept.num_fitting) == ("hello whirled", "AUTO", 2, 1)
    assert describe_words(kept) == "Recognised (pocketsphinx), 1 word uncertain: whirled"
    scene = bpy.context.scene
    assert change_since(kept, part_of_strip(find_strip(scene))) == ""


def test_written_words_and_subtitles_are_kept_in_the_strip(make_motion, head_folder, ramp_wav, tmp_path):
    subtitles = TimedTranscript((Cue("Hello", 0.5, 1.0), Cue("world", 2.0, 3.0)))
    for given, language in ((subtitles, "auto"), ("Hello\nworld", "en-gb")):
        words = SceneWords(given, language)
        kept = words_of_file(tmp_path / "film.blend", RawTake(make_motion(20)), head_folder, ramp_wav(), words)
        assert (kept.transcript, kept.transcript_mode, kept.language) == ("Hello world", "WRITTEN", language)
        assert kept_cues(kept) == (subtitles if given is subtitles else None)
