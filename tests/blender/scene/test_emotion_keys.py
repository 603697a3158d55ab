"""Emotion over time in Blender: keys, the list of moments, markers, CSV files, and the track that Generate reads."""

import bpy
import numpy as np
import pytest
from counted_steps import counted_steps
from wordless_strip import new_wordless_strip

from emote_blender.blender.compat import slot_curves
from emote_blender.blender.jobs import generation
from emote_blender.blender.scene.emotion_keys import PATHS, owner_of_keys
from emote_blender.blender.scene.emotion_track import head_track, span_in, unread_animation
from emote_blender.blender.scene.scene_file import set_frame_rate
from emote_blender.emotion import EMOTIONS, EmotionTrack, one_hot
from emote_blender.motion_tools.emotion_timeline import Moment, constant_track, track_of_moments

ANGER, HAPPY = EMOTIONS.index("anger"), EMOTIONS.index("happy")


@pytest.fixture
def model(make_tiny_folder, tmp_path):
    """A speech model of a few thousand random weights for the tiny face."""
    return make_tiny_folder(tmp_path / "tiny", num_expression=6)


def track(head, scene, frame_start=0.0, seconds=10.0):
    return head_track(head, span_in(scene, frame_start, seconds))


def add_moment(head, seconds, emotion, amount=1.0, transition=0.5):
    line = head.emote.moments.add()
    line.time, line.emotion, line.amount, line.transition = seconds, emotion, amount, transition
    return line


def assert_same(found: EmotionTrack, expected: EmotionTrack, atol=2e-4):
    seconds = np.arange(0, 10, 1 / 25)
    for one, other in zip(found.at(seconds), expected.at(seconds), strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.65, 1.0, 1.7, 2.0])
def test_one_emotion_and_amount_are_a_constant_track(scene, head, amount):
    head.emote.emotion, head.emote.amount = "ANGER", amount
    expected = constant_track(one_hot("anger"), amount)
    found = track(head, scene)
    assert len(found.times) == 1
    assert np.array_equal(found.emotion_weights, expected.emotion_weights)
    assert np.array_equal(found.intensity, expected.intensity)


def test_a_mix_is_divided_by_its_sum_and_all_zero_is_neutral(scene, head):
    head.emote.emotion = "MIX"
    head.emote.weights.neutral, head.emote.weights.happy, head.emote.weights.surprise = 0.0, 0.9, 0.3
    assert track(head, scene).emotion_weights[0] == pytest.approx([0, 0.75, 0, 0.25, 0, 0, 0, 0], abs=1e-6)
    head.emote.weights.happy = head.emote.weights.surprise = 0.0
    assert np.array_equal(track(head, scene).emotion_weights, np.eye(8)[:1])


def test_keys_set_by_hand_are_read_at_the_frames_of_the_line(scene, head):
    head.emote.over_time = True
    for frame, anger in ((100, 0.0), (150, 1.0)):
        head.emote.weights.anger, head.emote.weights.neutral = anger, 1 - anger
        for name in ("anger", "neutral"):
            head.keyframe_insert(f"emote.weights.{name}", frame=frame)
    for curve in slot_curves(head):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    scene.frame_set(1)
    weights, _ = track(head, scene, frame_start=100, seconds=2.0).at(np.array([0.0, 0.5, 1.0, 2.0]))
    assert weights[:, ANGER] == pytest.approx([0, 0.25, 0.5, 1], abs=1e-3)
    assert scene.frame_current == 1


def test_a_keyed_amount_is_read_too(scene, head):
    head.emote.emotion = "ANGER"
    for frame, amount in ((0, 0.0), (50, 2.0)):
        head.emote.amount = amount
        head.keyframe_insert("emote.amount", frame=frame)
    weights, intensity = track(head, scene).at(np.array([0.0, 2.0]))
    assert weights[:, ANGER] == pytest.approx([0, 1])
    assert intensity == pytest.approx([0, 2])


def test_a_keyed_emotion_changes_at_its_key(scene, head):
    for frame, emotion in ((0, "ANGER"), (50, "SAD")):
        head.emote.emotion = emotion
        head.keyframe_insert("emote.emotion", frame=frame)
    weights, _ = track(head, scene).at(np.array([0.0, 1.96, 2.0, 3.0]))
    assert weights.argmax(axis=1).tolist() == [ANGER, ANGER, EMOTIONS.index("sad"), EMOTIONS.index("sad")]


def test_a_driven_property_counts_as_it_is_now(scene, head):
    head.emote.over_time = True
    head.emote.weights.anger, head.emote.weights.neutral = 1.0, 0.0
    head.driver_add("emote.intensity").driver.expression = "1.5"
    bpy.context.view_layer.update()
    found = track(head, scene)
    assert len(found.times) == 1
    assert found.intensity == pytest.approx([1.5])


def test_animation_that_is_not_read_is_reported(scene, head):
    assert unread_animation(head) == ""
    head.keyframe_insert("emote.amount", frame=1)
    assert unread_animation(head) == ""
    action = head.animation_data.action
    head.animation_data.action = None
    strip = head.animation_data.nla_tracks.new().strips.new("Pushed down", 1, action)
    assert "animated by an NLA strip, of which only the value at the current frame counts" in unread_animation(head)
    strip.mute = True
    assert unread_animation(head) == ""
    head.driver_add("emote.weights.anger")
    assert "animated by a driver" in unread_animation(head)


def test_a_cycling_curve_is_read_to_the_end_of_the_line(scene, head):
    head.emote.over_time = True
    for frame, value in ((0, 0.0), (10, 2.0), (20, 0.0)):
        head.emote.intensity = value
        head.keyframe_insert("emote.intensity", frame=frame)
    slot_curves(head)[0].modifiers.new("CYCLES")
    _, intensity = track(head, scene, seconds=4.0).at(np.array([0.4, 1.2, 2.0, 3.6]))
    assert intensity == pytest.approx([2, 2, 2, 2], abs=1e-3)


def test_muted_curves_do_not_count(scene, head):
    head.emote.over_time = True
    head.emote.intensity = 2.0
    head.keyframe_insert("emote.intensity", frame=1)
    head.emote.intensity = 0.5
    slot_curves(head)[0].mute = True
    assert track(head, scene).intensity == pytest.approx([0.5])


def test_the_list_writes_keys_that_give_its_track(scene, head):
    head.emote.over_time = True
    add_moment(head, 0.0, "NEUTRAL")
    add_moment(head, 2.4, "ANGER", 1.5)
    add_moment(head, 4.0, "HAPPY", 0.3, transition=0.0)
    assert owner_of_keys(head) == "LIST"
    assert {curve.data_path for curve in slot_curves(head)} == set(PATHS)
    moments = [Moment(0, one_hot("neutral")), Moment(2.4, one_hot("anger"), 1.5), Moment(4, one_hot("happy"), 0.3, 0)]
    assert_same(track(head, scene), track_of_moments(moments))


def test_times_are_those_of_the_timeline_and_the_track_begins_with_its_line(scene, head):
    head.emote.over_time = True
    add_moment(head, 0.0, "NEUTRAL")
    add_moment(head, 4.0, "ANGER", transition=0.0)
    weights, _ = track(head, scene, frame_start=75).at(np.array([0.96, 1.0]))  # frame 75 is at 3 s
    assert weights[:, ANGER].round(3).tolist() == [0, 1]


def test_the_list_leaves_keys_alone_that_were_set_by_hand(scene, head):
    head.emote.over_time = True
    head.emote.weights.sad = 0.7
    head.keyframe_insert("emote.weights.sad", frame=10)
    add_moment(head, 0.0, "ANGER")
    assert owner_of_keys(head) == "ARTIST"
    (curve,) = slot_curves(head)
    assert curve.keyframe_points[0].co[:] == pytest.approx((10, 0.7))
    bpy.ops.emote.replace_emotion_keys()
    assert owner_of_keys(head) == "LIST"


def test_a_key_that_was_moved_by_hand_is_never_overwritten(scene, head):
    add_moment(head, 0.0, "NEUTRAL")
    add_moment(head, 2.0, "ANGER")
    curve = next(curve for curve in slot_curves(head) if curve.data_path.endswith("anger"))
    curve.keyframe_points[1].co.y = 0.4
    head.emote.moments[1].amount = 2.0
    assert bpy.ops.emote.add_moment(at_playhead=False) == {"FINISHED"}
    bpy.ops.emote.remove_moment()
    assert curve.keyframe_points[1].co.y == pytest.approx(0.4)
    assert owner_of_keys(head) == "ARTIST"


def test_other_animation_of_the_head_stays(scene, head):
    head.keyframe_insert("location", frame=5)
    action = head.animation_data.action
    add_moment(head, 0.0, "ANGER")
    bpy.ops.emote.remove_moment(index=0)
    assert head.animation_data.action == action
    assert {curve.data_path for curve in slot_curves(head)} == {"location"}


def test_an_emptied_list_leaves_no_keys_and_no_action(scene, head):
    add_moment(head, 0.0, "ANGER")
    assert len(bpy.data.actions) == 1
    bpy.ops.emote.remove_moment(index=0)
    assert not slot_curves(head)
    assert len(bpy.data.actions) == 0


def test_a_copied_head_has_keys_of_its_own(scene, head):
    add_moment(head, 0.0, "ANGER")
    copy = head.copy()
    scene.collection.objects.link(copy)
    copy.emote.moments[0].emotion = "SAD"
    assert track_weights(head, scene)[ANGER] == 1
    assert track_weights(copy, scene)[EMOTIONS.index("sad")] == 1


def track_weights(head, scene):
    head.emote.over_time = True
    return track(head, scene).emotion_weights[0].round(6)


def test_moments_keep_their_seconds_when_the_frame_rate_changes(scene, head, speech_wav, model):
    head.emote.over_time = True
    head.emote.model = str(model)
    add_moment(head, 0.0, "NEUTRAL")
    add_moment(head, 0.5, "ANGER", 2.0, transition=0.0)
    set_frame_rate(scene, 60.0)
    bpy.ops.emote.generate(transcript="none", audio=str(speech_wav), frame_start=0)
    last = max(curve.range()[1] for curve in slot_curves(head))
    assert last == pytest.approx(30)
    assert track(head, scene).at(np.array([0.48, 0.52]))[0][:, ANGER].round(3).tolist() == [0, 1]


def test_the_playhead_gives_the_time_of_a_new_moment(scene, head):
    scene.frame_set(61)
    head.emote.emotion, head.emote.amount = "FEAR", 1.2
    bpy.ops.emote.add_moment()
    bpy.ops.emote.add_moment(at_playhead=False)
    times = [(line.time, line.emotion, line.amount) for line in head.emote.moments]
    assert times == [
        (pytest.approx(61 / 25), "FEAR", pytest.approx(1.2)),
        (pytest.approx(61 / 25 + 1), "FEAR", pytest.approx(1.2)),
    ]
    assert head.emote.over_time


def test_markers_named_after_emotions_become_moments(scene, head):
    for frame, name in [
        (0, "Happy"), (50, "anger 1.5"), (75, "happy 0.6 + surprise 0.4"), (90, "Sad: she turns away"),
        (20, "Scene 3"), (30, "Happy birthday"), (40, "F_40"),
    ]:  # fmt: skip
        scene.timeline_markers.new(name, frame=frame)
    assert bpy.ops.emote.moments_from_markers() == {"FINISHED"}
    found = [
        (line.time, line.emotion, line.mix if line.emotion == "MIX" else "", line.amount) for line in head.emote.moments
    ]
    assert found == [
        (0.0, "HAPPY", "", 1.0),
        (2.0, "ANGER", "", 1.5),
        (3.0, "MIX", "happy 0.6 + surprise 0.4", 1.0),
        (pytest.approx(3.6), "SAD", "", 1.0),
    ]
    assert owner_of_keys(head) == "LIST"


def test_markers_read_again_replace_their_own_lines_only(scene, head):
    add_moment(head, 7.0, "DISGUST")
    marker = scene.timeline_markers.new("anger", frame=25)
    bpy.ops.emote.moments_from_markers()
    marker.frame = 50
    bpy.ops.emote.moments_from_markers()
    assert sorted((line.time, line.emotion) for line in head.emote.moments) == [(2.0, "ANGER"), (7.0, "DISGUST")]


def test_without_such_markers_one_sentence_says_how_to_name_them(scene, head):
    scene.timeline_markers.new("Happy birthday", frame=3)
    with pytest.raises(RuntimeError, match="no timeline marker .* anger 1.5 .'Happy birthday' cannot be read"):
        bpy.ops.emote.moments_from_markers()
    assert not len(head.emote.moments)


def steps_for_markers(scene, head, count):
    """The steps of reading so many markers."""
    scene.timeline_markers.clear()
    for index in range(count):
        scene.timeline_markers.new(EMOTIONS[index % 8], frame=index * 10)
    steps = counted_steps(bpy.ops.emote.moments_from_markers)
    assert len(head.emote.moments) == count
    return steps


def test_the_cost_of_many_markers_grows_with_their_number(scene, head):
    few, many = (steps_for_markers(scene, head, count) for count in (100, 1_000))
    assert many < 15 * few  # 10 times; 100 times where each looks at all others
    assert owner_of_keys(head) == "LIST"


def test_a_mix_that_cannot_be_read_is_named_with_its_line(scene, head, speech_wav):
    head.emote.over_time = True
    add_moment(head, 0.0, "NEUTRAL")
    line = add_moment(head, 1.0, "MIX")
    line.mix = "happy 0.6 + furious"
    with pytest.raises(RuntimeError, match="emotions over time, line 2: unknown emotion 'furious'"):
        bpy.ops.emote.generate(transcript="none", audio=str(speech_wav))


def test_keys_go_to_a_csv_file_and_back(scene, head, tmp_path):
    head.emote.over_time = True
    add_moment(head, 0.0, "NEUTRAL")
    add_moment(head, 2.0, "ANGER", 0.4)
    add_moment(head, 4.0, "HAPPY", 2.0, transition=0.0)
    scene.frame_start, scene.frame_end = 0, 249
    before = track(head, scene)
    bpy.ops.emote.export_emotion(filepath=str(tmp_path / "track.csv"))
    assert_same(EmotionTrack.from_csv(tmp_path / "track.csv"), before)
    with pytest.raises(RuntimeError, match="has keys already; switch on Replace Keys"):
        bpy.ops.emote.import_emotion(filepath=str(tmp_path / "track.csv"))
    bpy.ops.emote.import_emotion(filepath=str(tmp_path / "track.csv"), replace=True)
    assert owner_of_keys(head) == "ARTIST"  # what was imported is no longer the list's
    assert_same(track(head, scene), before)


def test_imported_emotions_begin_with_the_line(scene, head, speech_wav, tmp_path):
    new_wordless_strip(scene, "Line 01", str(speech_wav), channel=1, frame_start=101)
    (tmp_path / "track.csv").write_text("time_seconds,emotion,intensity\n0,happy,1\n0.4,anger,2\n")
    bpy.ops.emote.import_emotion(filepath=str(tmp_path / "track.csv"))
    assert slot_curves(head)[0].range()[:] == pytest.approx((101, 111))
    assert_same(track(head, scene, frame_start=101), EmotionTrack.from_csv(tmp_path / "track.csv"))


def test_emotion_and_keys_survive_saving(scene, head, tmp_path):
    head.emote.over_time = True
    add_moment(head, 1.0, "ANGER", 1.5)
    add_moment(head, 2.0, "MIX")
    before = track(head, scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    head, scene = bpy.data.objects["Head"], bpy.context.scene
    assert owner_of_keys(head) == "LIST"
    assert np.array_equal(track(head, scene).emotion_weights, before.emotion_weights)


@pytest.mark.parametrize(
    "arguments, emotion, intensity",
    [
        ({"emotion": "SAD", "intensity": 0.5}, "sad", 0.5),
        ({"intensity": 0.0}, "anger", 0.0),
        ({"emotion": "SAD"}, "sad", 1.5),
        ({}, "happy", 1.25),
    ],
)
def test_arguments_of_a_script_go_before_the_head_s_own_emotion(
    monkeypatch, scene, head, speech_wav, model, arguments, emotion, intensity
):
    head.emote.emotion, head.emote.amount, head.emote.over_time = "ANGER", 1.5, True
    add_moment(head, 0.0, "HAPPY", 1.25)
    made = []
    compute = generation.compute
    monkeypatch.setattr(generation, "compute", lambda request, *rest: made.append(request) or compute(request, *rest))
    bpy.ops.emote.generate(transcript="none", audio=str(speech_wav), model=str(model), **arguments)
    assert np.array_equal(made[0].track.emotion_weights, one_hot(emotion)[None])
    assert made[0].track.intensity.tolist() == [intensity]


def test_suggestions_fill_the_list_with_the_chosen_emotion_and_replace_only_themselves(scene, head, speech_wav):
    new_wordless_strip(scene, "Line 01", str(speech_wav), channel=1, frame_start=51)
    add_moment(head, 9.0, "SAD")
    head.emote.emotion = "ANGER"
    for _ in range(2):
        assert bpy.ops.emote.suggest_emotion() == {"FINISHED"}
    lines = [(line.emotion, line.made_by) for line in head.emote.moments]
    assert lines[0] == ("SAD", "")
    assert len(lines) > 1
    assert set(lines[1:]) == {("ANGER", "SUGGESTION")}
    assert head.emote.moments[1].time == pytest.approx(51 / 25)
    assert owner_of_keys(head) == "LIST"


def test_a_suggestion_needs_an_emotion_that_the_artist_chose(scene, head, speech_wav):
    new_wordless_strip(scene, "Line 01", str(speech_wav), channel=1, frame_start=1)
    with pytest.raises(RuntimeError, match="choose an emotion first"):
        bpy.ops.emote.suggest_emotion()
    assert not len(head.emote.moments)
