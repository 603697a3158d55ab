import numpy as np
import pytest

from emote_blender.emotion import EMOTIONS, EmotionTrack
from emote_blender.errors import InputError


def write(tmp_path, text):
    path = tmp_path / "track.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_emotions_stand_in_the_order_of_the_condition():
    for index, name in enumerate(EMOTIONS):
        emotion, _ = EmotionTrack.constant(name).condition(3, 25)
        assert np.array_equal(emotion, np.eye(8)[[index] * 3])


def test_upper_case_names_are_the_same_emotion():
    assert EmotionTrack.constant("ANGER").emotion_weights.argmax() == EMOTIONS.index("anger")


@pytest.mark.parametrize(
    "intensity, levels",
    [(0, [1, 0, 0]), (0.25, [0.75, 0.25, 0]), (1, [0, 1, 0]), (1.5, [0, 0.5, 0.5]), (2, [0, 0, 1])],
)
def test_intensity_is_a_mix_of_the_two_nearest_levels(intensity, levels):
    _, found = EmotionTrack.constant("sad", intensity).condition(2, 25)
    assert found.dtype == np.float32
    assert np.array_equal(found, [levels, levels])


def test_between_keys_the_condition_is_a_straight_line_and_is_held_outside(tmp_path):
    track = EmotionTrack.from_csv(write(tmp_path, "time_seconds,emotion,intensity\n1,happy,0\n3,sad,2\n"))
    weights, intensity = track.at(np.array([-1.0, 0.0, 1.0, 1.5, 2.0, 3.0, 99.0]))
    assert np.allclose(weights[:, EMOTIONS.index("sad")], [0, 0, 0, 0.25, 0.5, 1, 1])
    assert np.allclose(weights[:, EMOTIONS.index("happy")], [1, 1, 1, 0.75, 0.5, 0, 0])
    assert np.allclose(intensity, [0, 0, 0, 0.5, 1, 2, 2])


def test_frame_k_has_the_condition_of_its_time(tmp_path):
    track = EmotionTrack.from_csv(write(tmp_path, "time_seconds,emotion,intensity\n0,neutral,0\n2,anger,2\n"))
    _, intensity = track.condition(50, 25)
    expected = np.arange(50) / 25
    assert np.allclose(intensity @ [0, 1, 2], expected, atol=1e-6)


def test_two_keys_at_one_time_are_a_cut(tmp_path):
    text = "time_seconds,emotion\n0,happy\n1,happy\n1,anger\n2,anger\n"
    weights, _ = EmotionTrack.from_csv(write(tmp_path, text)).at(np.array([0.99, 1.0]))
    assert weights[0, EMOTIONS.index("happy")] == 1
    assert weights[1, EMOTIONS.index("anger")] == 1


@pytest.mark.parametrize("num_keys", [1, 2, 7])
def test_the_condition_always_sums_to_one(num_keys):
    generator = np.random.default_rng(num_keys)
    track = EmotionTrack(
        np.sort(generator.uniform(0, 4, num_keys)),
        generator.dirichlet(np.ones(8), num_keys),
        generator.uniform(0, 2, num_keys),
    )
    emotion, intensity = track.condition(125, 25)
    assert np.allclose(emotion.sum(1), 1, atol=1e-6)
    assert np.allclose(intensity.sum(1), 1, atol=1e-6)


def test_an_unknown_emotion_lists_what_is_allowed():
    with pytest.raises(InputError, match="unknown emotion 'furious'; choose one of neutral, happy, .*, contempt"):
        EmotionTrack.constant("furious")


@pytest.mark.parametrize("intensity", [-0.1, 2.1, float("nan"), float("inf")])
def test_an_intensity_outside_its_range_says_the_range(intensity):
    with pytest.raises(InputError, match=r"outside 0 to 2"):
        EmotionTrack.constant("happy", intensity)


@pytest.mark.parametrize(
    "rows, sentence",
    [
        ("", r"track\.csv has no rows"),
        ("0,furious,1\n", r"line 2: unknown emotion 'furious'"),
        ("0,happy,3\n", r"line 2: intensity 3 is outside"),
        ("0,happy,very\n", r"line 2: intensity must be a number, found 'very'"),
        ("0,happy,1\n,sad,1\n", r"line 3: time_seconds is empty"),
        ("2,happy,1\n1,sad,1\n", r"line 3: time 1 s comes after 2 s"),
        ("soon,happy,1\n", r"line 2: time_seconds must be a number"),
    ],
)
def test_a_wrong_track_file_names_its_line(tmp_path, rows, sentence):
    with pytest.raises(InputError, match=sentence):
        EmotionTrack.from_csv(write(tmp_path, "time_seconds,emotion,intensity\n" + rows))


@pytest.mark.parametrize(
    "times, weights, intensity",
    [
        ([], np.zeros((0, 8)), []),
        ([0.0], np.eye(7)[:1], [1.0]),
        ([0.0], 0.5 * np.eye(8)[:1], [1.0]),
        ([1.0, 0.0], np.eye(8)[:2], [1.0, 1.0]),
        ([np.nan], np.eye(8)[:1], [1.0]),
    ],
)
def test_a_track_made_wrongly_by_code_is_a_value_error(times, weights, intensity):
    with pytest.raises(ValueError):
        EmotionTrack(np.array(times), weights, np.array(intensity))
