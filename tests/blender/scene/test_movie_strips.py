"""Which movie strip is meant, which part of its file it shows, and which sound strip belongs to it."""

import bpy
import pytest

pytest.importorskip("av", reason="the videos of these tests are written with PyAV")
from filmed_strips import cut, film, new_movie_strip, with_sound
from wordless_strip import new_wordless_strip

from emote_blender.blender.scene.movie_strips import find_movie, shown_movie, sound_beside, whole_movie
from emote_blender.errors import InputError


def in_sequencer(scene, operator, **arguments):
    """Run an operator of the sequencer on a scene's strips."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = scene
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        assert operator(**arguments) == {"FINISHED"}


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """16 frames at 25 fps."""
    return film(tmp_path_factory.mktemp("videos") / "clip.mp4", faces=())


@pytest.fixture
def strip(scene, video):
    """A strip on frames 11 to 26."""
    return new_movie_strip(scene, video)


def test_the_only_strip_is_meant(strip):
    assert find_movie(bpy.context) == strip


def test_of_several_strips_the_active_one_is_meant(scene, strip, video):
    other = new_movie_strip(scene, video, "Other", 3)
    scene.sequence_editor.active_strip = None
    with pytest.raises(InputError, match="choose one of 'Clip', 'Other'"):
        find_movie(bpy.context)
    scene.sequence_editor.active_strip = other
    assert find_movie(bpy.context) == other
    assert find_movie(bpy.context, "Clip") == strip


def test_an_unknown_strip_is_named(strip):
    with pytest.raises(InputError, match="movie strip 'Nobody' not found; choose one of 'Clip'"):
        find_movie(bpy.context, "Nobody")


def test_a_scene_without_movies_says_so(scene):
    with pytest.raises(InputError, match="has no movie strip"):
        find_movie(bpy.context)


def test_the_whole_file_is_shown_from_the_strips_start(strip, video):
    shown = shown_movie(strip)
    assert (shown.name, shown.frame_start) == ("Clip", 11)
    assert (shown.part.path, shown.part.first, shown.part.num_frames, shown.part.fps) == (video, 0, 16, 25.0)


def test_handles_cut_the_part(strip):
    cut(strip, 15, 20)
    shown = shown_movie(strip)
    assert (shown.frame_start, shown.part.first, shown.part.num_frames) == (15, 4, 5)


def test_frames_that_only_hold_the_last_picture_are_left_out(strip):
    cut(strip, 15, 40)
    assert shown_movie(strip).part.num_frames == 12


def test_a_strip_that_plays_frame_by_frame_has_the_scenes_rate(scene, video):
    scene.render.fps = 50
    shown = shown_movie(new_movie_strip(scene, video))
    assert (shown.part.num_frames, shown.part.fps) == (16, 50.0)


@pytest.mark.once  # bpy 5.2 crashes in the operator that adds such a strip, if there is no window on the screen
def test_a_strip_that_plays_in_real_time_has_the_files_rate(scene, video):
    """The interface adds strips so (Adjust Playback Rate); Python's function does not."""
    scene.render.fps = 50
    scene.sequence_editor_create()
    in_sequencer(
        scene,
        bpy.ops.sequencer.movie_strip_add,
        filepath=str(video),
        frame_start=11,
        channel=1,
        use_framerate=False,
        adjust_playback_rate=True,
        sound=False,
    )
    strip = scene.sequence_editor.strips[0]
    shown = shown_movie(strip)
    assert (shown.frame_start, shown.part.num_frames, shown.part.fps) == (11, 16, 25.0)
    cut(strip, 19, 35)
    shown = shown_movie(strip)
    assert (shown.frame_start, shown.part.first, shown.part.num_frames) == (19, 4, 8)


def test_a_flipped_strip_is_captured_as_it_is_shown(strip):
    strip.use_flip_x = True
    assert shown_movie(strip).part.flip_x


def test_a_strip_in_reverse_is_refused(strip):
    strip.use_reverse_frames = True
    with pytest.raises(InputError, match="'Clip' plays in reverse"):
        shown_movie(strip)


def test_a_retimed_strip_is_refused(scene, strip):
    strip.select = True
    scene.sequence_editor.active_strip = strip
    in_sequencer(scene, bpy.ops.sequencer.retiming_key_add, timeline_frame=15)
    with pytest.raises(InputError, match="'Clip' is retimed"):
        shown_movie(strip)


def test_a_strip_whose_file_is_gone_is_refused(scene, tmp_path):
    path = film(tmp_path / "gone.mp4", 3, faces=())
    strip = new_movie_strip(scene, path)
    path.unlink()
    with pytest.raises(InputError, match="gone.mp4 not found"):
        shown_movie(strip)


def test_a_file_begins_where_it_is_asked_to(video):
    shown = whole_movie(video, 7)
    assert (shown.name, shown.frame_start, shown.part.num_frames) == ("clip", 7, 16)


def test_the_sound_of_the_same_file_belongs_to_the_movie(scene, video, speech_samples, speech_wav, tmp_path):
    path = with_sound(video, tmp_path / "clip.mkv", speech_samples)
    strip = new_movie_strip(scene, path)
    new_wordless_strip(scene, "Music", str(speech_wav), 3, 11)
    own = new_wordless_strip(scene, "Clip Sound", str(path), 4, 11)
    assert sound_beside(strip).strip == own
    scene.sequence_editor.active_strip = own
    assert find_movie(bpy.context) == strip


def test_the_only_sound_at_the_time_of_a_movie_belongs_to_it(scene, strip, speech_wav):
    assert sound_beside(strip) is None
    own = new_wordless_strip(scene, "Voice", str(speech_wav), 3, 14)
    new_wordless_strip(scene, "Later", str(speech_wav), 3, 60)
    assert sound_beside(strip).strip == own


def test_of_two_sounds_at_once_none_is_guessed(scene, strip, speech_wav):
    new_wordless_strip(scene, "Voice", str(speech_wav), 3, 11)
    new_wordless_strip(scene, "Music", str(speech_wav), 4, 11)
    assert sound_beside(strip) is None
