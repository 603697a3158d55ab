"""Amounts, mixes and moments: what an artist writes, and the track that follows."""

import itertools

import numpy as np
import pytest

from emote_blender.emotion import EMOTIONS, EmotionTrack, one_hot
from emote_blender.errors import InputError
from emote_blender.motion_tools.emotion_timeline import (
    Moment,
    amount_of_intensity,
    amount_of_track,
    begins_with_emotion,
    constant_track,
    emotion_of_amount,
    mix_text,
    parse_emotion,
    simplified,
    track_label,
    track_of_moments,
    visible_strength,
)

ANGER, HAPPY, NEUTRAL = one_hot("anger"), one_hot("happy"), one_hot("neutral")


@pytest.mark.parametrize("intensity", [0.0, 0.1, 1 / 3, 0.5, 0.99, 1.0, 1.7, 2.0])
def test_an_amount_made_from_an_intensity_is_that_intensity_without_neutral(intensity):
    weights, found = emotion_of_amount(ANGER, amount_of_intensity(intensity))
    assert np.array_equal(weights, ANGER)
    assert found == pytest.approx(intensity, abs=1e-6)


def test_amount_0_is_neutral_and_the_way_to_it_has_no_jump():
    amounts = np.linspace(0, 2, 2001)
    states = np.array([[*weights, intensity] for weights, intensity in (emotion_of_amount(ANGER, a) for a in amounts)])
    assert np.array_equal(states[0], [*NEUTRAL, 0.0])
    assert np.abs(np.diff(states, axis=0)).max() < 0.004


def test_the_face_moves_further_from_neutral_with_every_step_of_the_amount(open_head):
    """Measured on the shipped model and head; up to 1 the visible strength is the amount itself within 0.12."""
    from emote_blender.audio import load_audio
    from emote_blender.pipeline import EMOTEPipeline

    pytest.importorskip("onnxruntime")
    pipeline = EMOTEPipeline.from_pretrained("emote_open")
    features = pipeline.encode(load_audio("tests/data/anger_line.wav"))
    directions = open_head.shapedirs[..., open_head.num_shape :].reshape(-1, open_head.num_expression)
    neutral = pipeline.generate(features, EmotionTrack.constant("neutral")).expression
    amounts = [0.0, 0.325, 0.65, 0.825, 1.0, 1.5, 2.0]
    strengths = []
    for emotion in EMOTIONS[1:]:
        faces = [pipeline.generate(features, constant_track(one_hot(emotion), amount)).expression for amount in amounts]
        distance = np.array([np.sqrt(np.mean(((face - neutral) @ directions.T) ** 2)) for face in faces])
        assert (np.diff(distance) > 0).all(), emotion
        strengths.append(distance / distance[amounts.index(1.0)])
    assert np.mean(strengths, axis=0) == pytest.approx([visible_strength(amount) for amount in amounts], abs=0.12)


@pytest.mark.parametrize("amount", [-0.1, 2.1, float("nan")])
def test_an_amount_outside_its_range_says_the_range(amount):
    with pytest.raises(InputError, match="outside 0 to 2"):
        emotion_of_amount(ANGER, amount)


def test_a_transition_lies_around_its_time():
    track = track_of_moments([Moment(0.0, NEUTRAL, 1.0), Moment(2.4, ANGER, 1.5, 0.5)])
    assert track.times == pytest.approx([0.0, 2.15, 2.65])
    weights, intensity = track.at(np.array([1.0, 2.15, 2.4, 2.65, 9.0]))
    assert weights[:, EMOTIONS.index("anger")] == pytest.approx([0, 0, 0.5, 1, 1])
    assert intensity == pytest.approx([1, 1, 1.25, 1.5, 1.5])


def test_transitions_never_overlap_however_near_the_moments_are():
    track = track_of_moments([Moment(k / 10, one_hot(EMOTIONS[k]), 1.0, 5.0) for k in range(8)])
    weights, _ = track.at(np.arange(8) / 10)
    assert (np.diff(track.times) >= 0).all()
    # In the middle of its transition each emotion is half there; it is fully there between two transitions.
    assert weights[np.arange(1, 8), np.arange(1, 8)] == pytest.approx(np.full(7, 0.5))


def test_a_transition_of_0_is_a_cut():
    weights, _ = track_of_moments([Moment(0, HAPPY), Moment(1, ANGER, 1, 0.0)]).at(np.array([0.999, 1.0]))
    assert weights[:, EMOTIONS.index("anger")].tolist() == [0, 1]


def test_moments_may_be_given_in_any_order_and_the_last_of_one_time_counts():
    moments = [Moment(0, NEUTRAL), Moment(1, HAPPY), Moment(1, ANGER), Moment(2, NEUTRAL, 0.5)]
    expected = track_of_moments([moments[0], moments[2], moments[3]])
    for order in itertools.permutations([0, 2, 3]):
        track = track_of_moments([moments[index] for index in order])
        assert np.array_equal(track.times, expected.times)
        assert np.array_equal(track.emotion_weights, expected.emotion_weights)
    assert np.array_equal(track_of_moments(moments).emotion_weights, expected.emotion_weights)


@pytest.mark.parametrize(
    "moments, sentence",
    [
        ([], "the list of emotions is empty"),
        ([Moment(float("nan"), ANGER)], "time of a moment is nan"),
        ([Moment(0, ANGER, 3)], "amount 3 is outside"),
        ([Moment(0, ANGER, 1, -1)], "transition lasts -1 s"),
    ],
)
def test_a_wrong_moment_is_one_sentence(moments, sentence):
    with pytest.raises(InputError, match=sentence):
        track_of_moments(moments)


def test_ten_thousand_moments_are_a_track():
    moments = [Moment(k * 0.1, one_hot(EMOTIONS[k % 8])) for k in range(10_000)]
    assert len(track_of_moments(moments).times) >= 10_000


@pytest.mark.parametrize(
    "text, mix, amount",
    [
        ("Happy", {"happy": 1}, 1.0),
        ("  ANGER 1.5 ", {"anger": 1}, 1.5),
        ("anger1,5", {"anger": 1}, 1.5),
        ("neutral 0", {"neutral": 1}, 0.0),
        ("happy 0.6 + surprise 0.4", {"happy": 0.6, "surprise": 0.4}, 1.0),
        ("happy 3+surprise 1 at 1.25", {"happy": 0.75, "surprise": 0.25}, 1.25),
        ("sad + fear", {"sad": 0.5, "fear": 0.5}, 1.0),
        ("anger at 2", {"anger": 1}, 2.0),
        ("anger 1.5: he shouts", {"anger": 1}, 1.5),
        ("Sad (turns away)", {"sad": 1}, 1.0),
        ("fear #2", {"fear": 1}, 1.0),
    ],
)
def test_an_emotion_is_read_as_a_person_writes_it(text, mix, amount):
    weights, found = parse_emotion(text)
    assert weights == pytest.approx([mix.get(name, 0.0) for name in EMOTIONS])
    assert found == amount


@pytest.mark.parametrize(
    "text",
    ["Happy birthday", "anger 7", "anger -1", "happy ++ sad", "happy 0 + sad 0", "", "angry", "anger 1.5.2", "+"],
)
def test_a_text_that_is_no_emotion_is_refused_with_one_sentence(text):
    with pytest.raises(InputError, match="choose one of|outside 0 to 2|write for example"):
        parse_emotion(text)


def test_only_texts_that_begin_with_an_emotion_are_meant_as_one():
    assert begins_with_emotion("Happy birthday")
    assert not begins_with_emotion("Scene 3, happy end")
    assert not begins_with_emotion("unhappy")
    assert not begins_with_emotion("")


def test_a_mix_reads_back_from_its_text():
    weights = np.array([0, 0.6, 0, 0.4, 0, 0, 0, 0])
    assert mix_text(weights) == "happy 0.6 + surprise 0.4"
    assert parse_emotion(mix_text(weights))[0] == pytest.approx(weights)
    assert mix_text(ANGER) == "anger"


@pytest.mark.parametrize("amount", [0.0, 0.1, 0.65, 0.8, 1.0, 1.99, 2.0])
def test_the_amount_of_a_track_is_the_one_it_was_made_with(amount):
    weights = np.array([0, 0.6, 0, 0.4, 0, 0, 0, 0])
    found = amount_of_track(constant_track(weights, amount))
    assert found[1] == pytest.approx(amount if amount else 0.65)  # without any emotion left there is no amount
    assert found[0] == pytest.approx(weights if amount else NEUTRAL)


@pytest.mark.parametrize(
    "track, label",
    [
        (constant_track(ANGER, 1.5), "Anger 1.50"),
        (constant_track(ANGER, 0.4), "Anger 0.40"),
        (constant_track(NEUTRAL, 1.0), "Neutral"),
        (constant_track(np.array([0, 0.6, 0, 0.4, 0, 0, 0, 0]), 1), "Happy 0.6 + Surprise 0.4 at 1.00"),
        (track_of_moments([Moment(0, NEUTRAL), Moment(1, ANGER), Moment(2, HAPPY)]), "Neutral, Anger, Happy"),
        (track_of_moments([Moment(0, ANGER, 0.7), Moment(1, ANGER, 2)]), "Anger, changing"),
        (track_of_moments([Moment(k, one_hot(EMOTIONS[k])) for k in range(8)]), "Neutral, Happy, … Contempt"),
    ],
)
def test_a_track_has_a_label_for_the_list_of_takes(track, label):
    assert track_label(track) == label


def test_sampled_frames_become_the_few_keys_that_they_lie_between():
    track = track_of_moments([Moment(0, NEUTRAL), Moment(1, ANGER, 2, 0.4), Moment(3, HAPPY, 0.5, 0.0)])
    frames = np.arange(100) / 25
    few = simplified(EmotionTrack(frames, *track.at(frames)))
    assert len(few.times) <= 8
    for found, expected in zip(few.at(frames), track.at(frames), strict=True):
        assert np.abs(found - expected).max() <= 1e-4
