"""A take that gets another emotion: exact, quick, and nothing else of it changes."""

import time
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from wordless_strip import new_wordless_strip

from emote_blender.blender.jobs import features, live_emotion, worker
from emote_blender.blender.jobs.rerender import PREVIEW_PROPERTY
from emote_blender.blender.takes.store import kept_raw
from emote_blender.emotion import EmotionTrack, one_hot
from emote_blender.motion_tools.emotion_timeline import Moment, constant_track, track_of_moments
from emote_blender.pipeline import EMOTEPipeline


@pytest.fixture
def line(scene, head, speech_wav, make_tiny_folder, tmp_path):
    """A head with one take, "Line", spoken with anger at 1, from a strip on frame 11."""
    features.forget_features()
    head.emote.model = str(make_tiny_folder(tmp_path / "tiny", num_expression=6))
    head.emote.emotion = "ANGER"
    strip = new_wordless_strip(scene, "Line", str(speech_wav), channel=1, frame_start=11)
    bpy.ops.emote.generate(strip="Line")
    yield SimpleNamespace(strip=strip, take=head.emote.takes[0])
    features.forget_features()


def raw(head, index=0):
    return kept_raw(head.emote.takes[index].action)


def curves(head, index=0):
    """All key points of a take."""
    points = {}
    for layer in head.emote.takes[index].action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                for curve in bag.fcurves:
                    values = np.empty(2 * len(curve.keyframe_points), np.float32)
                    curve.keyframe_points.foreach_get("co", values)
                    points[bag.slot_handle, curve.data_path, curve.array_index] = values
    return points


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def test_a_take_with_another_emotion_is_the_take_that_was_generated_with_it(scene, head, line):
    head.emote.emotion, head.emote.amount = "HAPPY", 1.5
    bpy.ops.emote.generate(strip="Line")
    head.emote.active_take = 0
    assert bpy.ops.emote.rerender() == {"FINISHED"}
    assert np.array_equal(raw(head, 0).emotional.expression, raw(head, 1).emotional.expression)
    assert raw(head, 0).emotional.meta == raw(head, 1).emotional.meta
    assert np.array_equal(raw(head, 0).neutral.expression, raw(head, 1).neutral.expression)


def test_its_name_and_label_say_the_new_emotion_and_its_place_stays(head, line):
    place = (line.take.frame_start, line.take.duration_seconds)
    assert line.take.name == "Line · Anger 1.00"
    head.emote.emotion, head.emote.amount = "SAD", 0.3
    bpy.ops.emote.rerender()
    assert (line.take.name, line.take.emotion) == ("Line · Sad 0.30", "Sad 0.30")
    assert line.take.action.name == line.take.name
    assert (line.take.frame_start, line.take.duration_seconds) == place


def test_a_name_that_the_artist_gave_stays(head, line):
    line.take.name = "the good one"
    head.emote.emotion = "SAD"
    bpy.ops.emote.rerender()
    assert line.take.name == "the good one"


def test_only_the_chosen_take_changes(scene, head, line):
    head.emote.emotion = "SAD"
    bpy.ops.emote.generate(strip="Line")
    other = curves(head, 1)
    head.emote.emotion = "FEAR"
    bpy.ops.emote.rerender(take=head.emote.takes[0].name)
    assert same(curves(head, 1), other)
    assert raw(head, 0).emotional.meta["emotion"] == "fear"
    assert raw(head, 1).emotional.meta["emotion"] == "sad"


def test_nothing_is_decoded_or_encoded(head, line, monkeypatch):
    monkeypatch.setattr(EMOTEPipeline, "encode", lambda *_, **__: pytest.fail("encoded again"))
    head.emote.emotion = "SAD"
    bpy.ops.emote.rerender()


def test_a_take_whose_strip_is_gone_can_still_change(scene, head, line):
    scene.sequence_editor.strips.remove(line.strip)
    head.emote.emotion = "SAD"
    assert bpy.ops.emote.rerender() == {"FINISHED"}


def test_without_kept_features_the_strip_is_encoded_again(head, line):
    features.forget_features()
    head.emote.emotion = "SAD"
    assert bpy.ops.emote.rerender() == {"FINISHED"}
    assert raw(head).emotional.meta["emotion"] == "sad"


def test_without_kept_features_and_strip_one_sentence_says_so(scene, head, line):
    features.forget_features()
    scene.sequence_editor.strips.remove(line.strip)
    before = curves(head)
    head.emote.emotion = "SAD"
    with pytest.raises(RuntimeError, match="cannot get another emotion: .*no sound strip.*; generate a new take"):
        bpy.ops.emote.rerender()
    assert same(curves(head), before)


def test_a_strip_that_was_trimmed_since_is_not_taken_for_the_line(scene, head, line):
    features.forget_features()
    line.strip.split(frame=20, split_method="SOFT")
    with pytest.raises(RuntimeError, match="its strip 'Line' was trimmed since"):
        bpy.ops.emote.rerender()


def test_another_model_is_refused(head, line, make_tiny_folder, tmp_path):
    head.emote.model = str(make_tiny_folder(tmp_path / "other", name="other", num_expression=6))
    with pytest.raises(RuntimeError, match="was made with the model tiny_log_mel, and the head is set to other"):
        bpy.ops.emote.rerender()


def test_emotion_over_time_is_that_of_the_take_s_place(scene, head, line):
    for seconds, emotion in ((0.0, "NEUTRAL"), (10 / 25 + 0.5, "ANGER")):  # in the middle of the line
        moment = head.emote.moments.add()
        moment.time, moment.emotion, moment.transition = seconds, emotion, 0.0
    head.emote.over_time = True
    bpy.ops.emote.rerender()
    track = EmotionTrack.from_meta(raw(head).emotional.meta)
    weights, _ = track.at(np.array([0.4, 0.6]))
    assert weights.argmax(axis=1).tolist() == [0, 6]
    assert line.take.emotion == "Neutral, Anger"


def test_live_off_leaves_the_take_alone(head, line):
    before = curves(head)
    head.emote.amount, head.emote.emotion = 2.0, "SAD"
    assert same(curves(head), before)


def test_live_lets_the_take_in_use_follow(head, line):
    head.emote.live = True
    head.emote.amount = 2.0
    assert raw(head).emotional.meta["intensity"] == 2.0
    assert line.take.emotion == "Anger 2.00"
    head.emote.amount = 1.0
    head.emote.live = False
    found = curves(head)
    bpy.ops.emote.generate(strip="Line")
    assert all(np.array_equal(values, list(curves(head, 1).values())[k]) for k, values in enumerate(found.values()))


def test_live_leaves_alternates_and_takes_that_are_not_shown_alone(scene, head, line):
    bpy.ops.emote.generate(strip="Line")  # now in use
    head.emote.live, head.emote.active_take = True, 0  # the alternate is shown
    before = curves(head, 0), curves(head, 1)
    head.emote.amount = 2.0
    assert same(curves(head, 0), before[0])
    assert same(curves(head, 1), before[1])


def test_a_preview_is_near_the_exact_take_and_leaves_the_raw_motion(scene):
    """With the open model, whose emotions are real: at most a quarter of what the emotion adds."""
    bpy.ops.emote.add_head()
    (head,) = [item for item in scene.objects if "emote_head" in item and item.type == "MESH"]
    head.emote.emotion = "ANGER"
    bpy.ops.emote.generate(transcript="none", audio="tests/data/anger_line.wav", head=head.name)
    take, before = head.emote.takes[0], raw(head)
    neutral = before.neutral.expression
    for amount in (0.5, 1.6):
        track = constant_track(one_hot("anger"), amount)
        assert live_emotion.preview(head, take, track)
        assert take.action[PREVIEW_PROPERTY]
        assert np.array_equal(raw(head).emotional.expression, before.emotional.expression)
        shown = curves(head)
        head.emote.amount = amount
        bpy.ops.emote.rerender(head=head.name)
        assert PREVIEW_PROPERTY not in take.action
        exact = raw(head).emotional.expression
        added = np.abs(exact - neutral).mean()
        difference = [
            np.abs(shown[key][1::2] - values[1::2]).mean()
            for key, values in curves(head).items()
            if key in shown and "key_blocks" in key[1] and len(shown[key]) == len(values)
        ]
        assert np.mean(difference) < 0.25 * added
        head.emote.amount = 1.0
        bpy.ops.emote.rerender(head=head.name)


@pytest.mark.parametrize("track", [
    constant_track(one_hot("happy"), 1.0),
    track_of_moments([Moment(0, one_hot("anger")), Moment(1, one_hot("sad"))]),
])  # fmt: skip
def test_what_scaling_cannot_show_is_not_previewed(head, line, track):
    before = curves(head)
    assert not live_emotion.preview(head, line.take, track)
    assert same(curves(head), before)


def test_undo_gives_the_take_before(scene, head, line):
    bpy.ops.ed.undo_push(message="before")
    before = curves(head)
    head.emote.emotion = "SAD"
    bpy.ops.emote.rerender()
    bpy.ops.ed.undo_push(message="rerendered")
    assert not same(curves(head), before)
    bpy.ops.ed.undo()
    head = bpy.data.objects["Head"]
    assert same(curves(head), before)
    assert raw(head).emotional.meta["emotion"] == "anger"
    bpy.ops.ed.redo()
    assert raw(bpy.data.objects["Head"]).emotional.meta["emotion"] == "sad"


def test_a_take_without_action_is_named(head, line):
    bpy.data.actions.remove(line.take.action)
    with pytest.raises(RuntimeError, match="the action of take .* was deleted"):
        bpy.ops.emote.rerender()
    head.emote.live = True
    head.emote.amount = 0.5  # raises nothing


def settle():
    """Do what the timer does in a window, until it has nothing more to do."""
    for _ in range(2000):
        if live_emotion._tick() is None:
            return
        time.sleep(0.005)
    pytest.fail("the exact rendering never ended")


def test_a_slider_at_rest_is_rendered_exactly_on_a_thread(head, line):
    live_emotion.preview(head, line.take, constant_track(one_hot("anger"), 1.8))
    head.emote.amount = 1.8
    live_emotion._due[head.session_uid] = 0.0
    settle()
    assert raw(head).emotional.meta["intensity"] == pytest.approx(1.8)
    assert PREVIEW_PROPERTY not in line.take.action
    assert worker.running() is None  # nobody waits for it


def test_a_take_that_is_removed_meanwhile_is_left_out(head, line):
    live_emotion._due[head.session_uid] = 0.0
    live_emotion._tick()
    bpy.ops.emote.take_remove()
    settle()
    assert not len(head.emote.takes)
    live_emotion._due[head.session_uid] = 0.0
    settle()  # there is no take any more


def test_what_was_rendered_for_a_state_that_was_undone_is_dropped(head, line):
    before = curves(head)
    head.emote.amount = 2.0
    live_emotion._due[head.session_uid] = 0.0
    live_emotion._tick()
    live_emotion._resume()  # as after undo
    settle()
    assert same(curves(head), before)


def test_why_a_take_cannot_follow_is_shown_until_it_can(scene, head, line):
    features.forget_features()
    path = line.strip.sound.filepath
    scene.sequence_editor.strips.remove(line.strip)
    head.emote.live = True
    head.emote.amount = 2.0
    assert "cannot get another emotion" in live_emotion.problem_of(head)
    new_wordless_strip(scene, "Line", path, channel=1, frame_start=11)
    head.emote.amount = 1.5
    assert live_emotion.problem_of(head) == ""
    assert raw(head).emotional.meta["intensity"] == 1.5
