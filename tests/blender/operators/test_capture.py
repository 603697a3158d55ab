"""From a video to a take: with the sound beside it and without, mixed anew, cancelled, and refused with a reason."""

import time
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from face_videos import require_landmarker

pytest.importorskip("av", reason="the videos of these tests are written with PyAV")
from filmed_strips import cut, film, new_movie_strip
from flame_with_mouth import make_flame_with_mouth
from wordless_strip import new_wordless_strip

from emote_blender.blender.head.build import add_head
from emote_blender.blender.jobs import capture, worker
from emote_blender.blender.operators.capture import CaptureJob
from emote_blender.blender.settings.landmarker_info import refresh_landmarker
from emote_blender.blender.takes.store import kept_raw
from emote_blender.files.paths import add_search_folder, remove_search_folder

TICK = SimpleNamespace(type="TIMER", value="NOTHING")
ESCAPE = SimpleNamespace(type="ESC", value="PRESS")


@pytest.fixture(scope="module")
def landmarker():
    require_landmarker()


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """16 frames of a face that moves to the right."""
    return film(tmp_path_factory.mktemp("videos") / "clip.mp4")


@pytest.fixture
def actor(landmarker, scene, open_head, open_head_model_folder):
    """The open head, and a speech model with random weights."""
    head = add_head(bpy.context, open_head)
    head.emote.model = str(open_head_model_folder)
    return head


@pytest.fixture
def strip(scene, video):
    """The video on frames 11 to 26."""
    return new_movie_strip(scene, video)


@pytest.fixture
def voice(scene, speech_wav):
    """A sound of 25 frames that begins 4 frames after the video."""
    return new_wordless_strip(scene, "Voice", str(speech_wav), 3, 15)


def left_behind():
    """What decoding may leave in the file."""
    return [*bpy.data.images, *bpy.data.textures, *bpy.data.movieclips]


def newest(head):
    return head.emote.takes[-1]


def values(head, name, frames):
    """(T,) values of a shape key as it plays."""
    scene, found = bpy.context.scene, []
    for frame in frames:
        scene.frame_set(frame)
        found.append(head.data.shape_keys.key_blocks[name].value)
    return np.array(found)


def test_a_movie_strip_becomes_a_take_of_its_frames(actor, strip):
    assert bpy.ops.emote.capture() == {"FINISHED"}
    take = newest(actor)
    assert (take.name, take.line, take.frame_start) == ("Clip · Video", "Clip", 11)
    assert take.duration_seconds == pytest.approx(16 / 25)
    assert take.has_capture
    assert take.capture.lips == take.capture.jaw == 1.0
    assert "the face seen in 100%" in bpy.context.scene.emote.last_result
    raw = kept_raw(take.action)
    assert raw.emotional.meta["video"]["name"] == "clip.mp4"
    assert raw.captured.motion.num_frames == 16
    assert raw.captured.seen.all()
    assert left_behind() == []


@pytest.mark.once
def test_the_take_shows_the_fitted_face(actor, strip):
    bpy.ops.emote.capture()
    motion = kept_raw(newest(actor).action).captured.motion
    names = motion.meta["expression_names"]
    strongest = names[np.abs(motion.expression).mean(0).argmax()]
    shown = values(actor, strongest, range(14, 18))
    np.testing.assert_allclose(shown, motion.expression[3:7, names.index(strongest)], atol=2e-3)


@pytest.mark.once
def test_only_the_shown_part_is_captured(actor, strip):
    cut(strip, 14, 22)
    bpy.ops.emote.capture()
    assert newest(actor).frame_start == 14
    assert kept_raw(newest(actor).action).captured.motion.num_frames == 8


@pytest.mark.once
def test_a_video_file_begins_at_its_frame(actor, video):
    bpy.ops.emote.capture(filepath=str(video), frame_start=40)
    assert (newest(actor).line, newest(actor).frame_start) == ("clip", 40)


def test_mouth_and_jaw_are_the_sounds_and_the_rest_is_the_videos(actor, strip, voice):
    bpy.ops.emote.generate(strip="Voice")
    spoken = kept_raw(newest(actor).action).emotional
    assert bpy.ops.emote.capture() == {"FINISHED"}
    take = newest(actor)
    assert (take.line, take.frame_start, take.capture.lips, take.capture.brows) == ("Voice", 15, 0.0, 1.0)
    raw = kept_raw(take.action)
    np.testing.assert_array_equal(raw.emotional.expression, spoken.expression)
    assert raw.captured.start_seconds == pytest.approx(4 / 25)
    names = spoken.meta["expression_names"]
    frames = np.arange(17, 20)  # 2 to 4 of the sound, 6 to 8 of the video
    for name, motion, number in (("mouthFunnel", spoken, 2), ("browInnerUp", raw.captured.motion, 6)):
        expected = motion.expression[number : number + 3, names.index(name)]
        np.testing.assert_allclose(values(actor, name, frames), np.clip(expected, -10, 10), atol=3e-3)


def test_a_share_is_changed_without_reading_the_video_again(actor, strip, voice, monkeypatch):
    bpy.ops.emote.capture()
    take = newest(actor)
    raw = kept_raw(take.action)
    index = raw.emotional.meta["expression_names"].index("mouthFunnel")
    monkeypatch.setattr(capture, "compute", None)
    take.capture.lips = 1.0
    shown = values(actor, "mouthFunnel", range(17, 20))
    np.testing.assert_allclose(shown, raw.captured.motion.expression[6:9, index], atol=3e-3)
    take.capture.lips = 0.5
    half = (raw.captured.motion.expression[6:9, index] + raw.emotional.expression[2:5, index]) / 2
    np.testing.assert_allclose(values(actor, "mouthFunnel", range(17, 20)), half, atol=3e-3)


@pytest.mark.once
def test_shares_are_set_at_once_and_only_of_takes_with_a_video(actor, strip, voice):
    bpy.ops.emote.generate(strip="Voice")
    with pytest.raises(RuntimeError, match="keeps no face of a video"):
        bpy.ops.emote.capture_mix(shares="ALL_FROM_VIDEO")
    bpy.ops.emote.capture()
    frames = range(17, 20)
    from_sound = values(actor, "mouthFunnel", frames)
    bpy.ops.emote.capture_mix(shares="ALL_FROM_VIDEO")
    assert newest(actor).capture.lips == newest(actor).capture.jaw == 1.0
    assert np.abs(values(actor, "mouthFunnel", frames) - from_sound).max() > 0.02
    bpy.ops.emote.capture_mix(shares="MOUTH_FROM_SOUND")
    np.testing.assert_allclose(values(actor, "mouthFunnel", frames), from_sound, atol=1e-6)


def test_the_offset_moves_the_picture_against_the_sound(actor, strip, voice):
    bpy.ops.emote.capture()
    take = newest(actor)
    raw = kept_raw(take.action)
    index = raw.emotional.meta["expression_names"].index("browInnerUp")
    take.capture.offset_seconds = 0.08
    shown = values(actor, "browInnerUp", range(17, 20))
    np.testing.assert_allclose(shown, raw.captured.motion.expression[8:11, index], atol=3e-3)


@pytest.mark.once
def test_without_a_sound_beside_it_the_whole_face_is_the_videos_and_that_is_said(actor, strip, capfd):
    bpy.ops.emote.capture(use_sound=True)
    assert newest(actor).capture.lips == 1.0
    assert "no sound strip lies beside 'Clip'" in capfd.readouterr().out


@pytest.mark.once
def test_the_sound_can_be_left_out(actor, strip, voice):
    bpy.ops.emote.capture(use_sound=False)
    assert (newest(actor).line, newest(actor).capture.jaw) == ("Clip", 1.0)


@pytest.mark.once
def test_the_take_gets_another_emotion_and_keeps_its_video(actor, strip, voice):
    bpy.ops.emote.capture()
    before = kept_raw(newest(actor).action)
    actor.emote.emotion = "ANGER"
    bpy.ops.emote.rerender()
    after = kept_raw(newest(actor).action)
    assert not np.array_equal(before.emotional.expression, after.emotional.expression)
    np.testing.assert_array_equal(before.captured.motion.expression, after.captured.motion.expression)
    assert newest(actor).name.endswith("Video")


@pytest.mark.once
def test_a_character_is_captured_through_its_table(landmarker, scene, strip):
    import character_rigs as rigs

    character = rigs.arkit_character()
    bpy.ops.emote.capture(head=character.mesh.name)
    motion = kept_raw(newest(character.mesh).action).captured.motion
    names = motion.meta["expression_names"]
    found = values(character.mesh, "head.ARKit_browInnerUp", [16])
    assert found == pytest.approx(motion.expression[5, names.index("browInnerUp")], abs=0.03)


@pytest.mark.once
@pytest.mark.parametrize("is_installed", [False, True])
def test_a_flame_head_gets_the_face_in_its_own_components(landmarker, scene, strip, tmp_path, is_installed):
    """With its head folder it is fitted itself; without, the open head is, and its motion is converted."""
    model = make_flame_with_mouth()
    if is_installed:
        model.save(tmp_path / "my_flame")
        add_search_folder(tmp_path)
    try:
        head = add_head(bpy.context, model)
        assert bpy.ops.emote.capture() == {"FINISHED"}
    finally:
        remove_search_folder(tmp_path)
    motion = kept_raw(newest(head).action).captured.motion
    assert motion.num_expression == model.num_expression
    assert "expression_names" not in motion.meta
    assert ("transfer" in motion.meta) == (not is_installed)


@pytest.mark.once
def test_a_person_is_chosen_by_number(actor, scene, tmp_path):
    path = film(tmp_path / "two.mp4", 4, faces=((80.0, 150.0, 1.0), (250.0, 150.0, 0.8)))
    bpy.ops.emote.capture(filepath=str(path), person=2)
    track = next(reversed(capture._tracks.values()))
    assert track.points[0, :, 0].mean() == pytest.approx(250, abs=8)
    with pytest.raises(RuntimeError, match="shows 2 faces at once"):
        bpy.ops.emote.capture(filepath=str(path), person=3)


@pytest.mark.once
def test_a_person_is_chosen_by_a_place(actor, scene, tmp_path):
    path = film(tmp_path / "two.mp4", 4, faces=((80.0, 150.0, 1.0), (250.0, 150.0, 0.8)))
    bpy.ops.emote.capture(filepath=str(path), place=(245.0, 140.0))
    track = next(reversed(capture._tracks.values()))
    assert track.points[0, :, 0].mean() == pytest.approx(250, abs=8)


@pytest.mark.once
def test_the_neutral_frame_is_that_of_the_timeline(actor, strip):
    bpy.ops.emote.capture(neutral_frame=16)
    (first,) = kept_raw(newest(actor).action).emotional.meta["video"]["neutral_seconds"]
    assert first == pytest.approx(5 / 25 - 0.1, abs=0.03)  # the frames around it count
    with pytest.raises(RuntimeError, match="neutral frame 99 is not in the video, which is on frames 11 to 27"):
        bpy.ops.emote.capture(neutral_frame=99)


@pytest.mark.once
def test_a_video_without_a_face_leaves_nothing(actor, scene, tmp_path):
    path = film(tmp_path / "empty.mp4", 4, faces=())
    with pytest.raises(RuntimeError, match="no face was found in 'empty'"):
        bpy.ops.emote.capture(filepath=str(path))
    assert [*actor.emote.takes, *bpy.data.actions, *left_behind()] == []


def test_a_missing_landmarker_is_said_and_how_to_get_it(head, strip, monkeypatch):
    monkeypatch.setattr("emote_blender.capture.video.landmarker.search_folders", list)
    refresh_landmarker()
    try:
        with pytest.raises(RuntimeError, match="The face landmarker, .* is missing: press Install Face Landmarker"):
            bpy.ops.emote.capture()
    finally:
        monkeypatch.undo()
        refresh_landmarker()


@pytest.fixture
def drive():
    """A function that runs `script(operator, context)` inside the operator."""
    registered = []

    def drive(script):
        class EMOTE_OT_filmed(CaptureJob, bpy.types.Operator):
            """Capture in a test"""

            bl_idname = "emote.filmed"
            bl_label = "Filmed"

            def execute(self, context):
                script(self, context)
                return {"FINISHED"}

        bpy.utils.register_class(EMOTE_OT_filmed)
        registered.append(EMOTE_OT_filmed)
        bpy.ops.emote.filmed()

    yield drive
    for cls in registered:
        bpy.utils.unregister_class(cls)
    worker.stop_all()


def ticked(operator, context):
    """The result of the operator after ticks of its timer."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        result = operator.modal(context, TICK)
        if result & {"FINISHED", "CANCELLED"}:
            return result
        time.sleep(0.005)
    raise AssertionError("the capture does not end")


def test_in_a_window_the_timer_decodes_and_a_thread_finds_the_face(actor, strip, drive):
    bpy.ops.emote.capture()
    at_once = kept_raw(newest(actor).action).captured.motion
    capture.forget_tracks()

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert ticked(operator, context) == {"FINISHED"}

    drive(script)
    assert len(actor.emote.takes) == 2
    np.testing.assert_array_equal(kept_raw(newest(actor).action).captured.motion.expression, at_once.expression)
    assert left_behind() == []


def test_a_cancelled_capture_leaves_nothing(actor, strip, drive):
    capture.forget_tracks()

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert len(bpy.data.images) == 1
        operator.modal(context, TICK)
        operator.modal(context, ESCAPE)
        assert operator.modal(context, TICK) == {"CANCELLED"}
        assert operator._job.join(20)

    drive(script)
    assert [*actor.emote.takes, *bpy.data.actions, *left_behind()] == []
