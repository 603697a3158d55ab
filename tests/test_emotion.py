import numpy as np
import pytest

from emote_blender.emotion import EMOTIONS, EmotionTrack, normalised_weights, parse_mix
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


def random_track(seed: int, num_keys: int = 6) -> EmotionTrack:
    generator = np.random.default_rng(seed)
    times = np.sort(generator.uniform(0, 9, num_keys))
    times[3] = times[2]  # a cut
    return EmotionTrack(times, generator.dirichlet(np.ones(8), num_keys), generator.uniform(0, 2, num_keys))


@pytest.mark.parametrize("seed", range(5))
def test_a_track_of_mixes_reads_back_from_its_file_bit_for_bit(tmp_path, seed):
    track = random_track(seed)
    track.to_csv(tmp_path / "track.csv")
    found = EmotionTrack.from_csv(tmp_path / "track.csv")
    assert np.array_equal(found.times, track.times)
    assert np.array_equal(found.emotion_weights, track.emotion_weights)
    assert np.array_equal(found.intensity, track.intensity)


def test_a_track_of_single_emotions_is_written_with_their_names(tmp_path):
    track = EmotionTrack(np.array([0, 1.5]), np.eye(8)[[0, 6]], np.array([1, 2.0]))
    track.to_csv(tmp_path / "track.csv")
    assert (tmp_path / "track.csv").read_text() == "time_seconds,emotion,intensity\n0,neutral,1\n1.5,anger,2\n"


def test_mixes_and_weights_that_do_not_sum_to_1_are_divided_by_their_sum(tmp_path):
    by_name = EmotionTrack.from_csv(write(tmp_path, "time_seconds,emotion\n0,happy 3 + surprise 1\n"))
    by_weight = EmotionTrack.from_csv(write(tmp_path, "time_seconds,surprise,happy,anger\n0,1,3,\n"))
    for track in (by_name, by_weight):
        assert track.emotion_weights[0, [1, 3]] == pytest.approx([0.75, 0.25])


def test_a_huge_number_in_a_mix_outweighs_the_others():
    assert parse_mix("happy " + "9" * 400 + " + sad 1") == pytest.approx(np.eye(8)[1])


def test_weights_of_any_size_are_divided_by_their_sum():
    rows = np.array([[1e308] * 8, [1e-300] * 8, [0] * 8, [np.nan, -1, 3, 1, np.inf, 0, 0, 0]])
    assert normalised_weights(rows) == pytest.approx(
        np.array([[0.125] * 8, [0.125] * 8, np.eye(8)[0], [0, 0, 0.75, 0.25, 0, 0, 0, 0]])
    )


def test_weights_that_are_all_0_are_neutral(tmp_path):
    track = EmotionTrack.from_csv(write(tmp_path, "time_seconds,happy,anger\n0,0,0\n"))
    assert np.array_equal(track.emotion_weights, np.eye(8)[:1])


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("time_seconds,emotion\n-1,happy\n", r"line 2: time_seconds is -1; times count from the sound's start"),
        ("time_seconds,emotion\nnan,happy\n", r"line 2: time_seconds must be a number, found 'nan'"),
        ("time_seconds,happy,anger\n0,1,nan\n", r"line 2: anger must be a number, found 'nan'"),
        ("time_seconds,happy,anger\n0,1,-0.5\n", r"line 2: anger is -0.5; write a weight from 0 on"),
        ("time_seconds,happy,anger\n0,1,0\n1,,\n", r"line 3: emotion is empty"),
        ("time_seconds,emotion,happy\n0,sad,1\n", r"line 2: emotion and happy are both given"),
        ("time_seconds,emotion\n0,happy 0.6 + furious\n", r"line 2: unknown emotion 'furious'"),
        ("time_seconds,emotion\n0,happy 0.6 + 0.4\n", r"line 2: '0.4' in the mix .* write for example happy 0.6"),
        ("time_seconds,emotion\n0,happy 0 + sad 0\n", r"line 2: the weights of the mix .* are all 0"),
        ("time_seconds,fury\n0,1\n", r"unknown column 'fury'; the columns are time_seconds"),
    ],
)
def test_a_wrong_mix_file_names_line_column_and_cure(tmp_path, text, sentence):
    with pytest.raises(InputError, match=sentence):
        EmotionTrack.from_csv(write(tmp_path, text))


def test_a_track_that_begins_before_the_sound_is_not_written(tmp_path):
    with pytest.raises(InputError, match="begins at -1 s"):
        EmotionTrack(np.array([-1.0]), np.eye(8)[:1], np.ones(1)).to_csv(tmp_path / "track.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("track", [random_track(0), EmotionTrack.constant("anger", 1.5)])
def test_a_track_reads_back_from_the_metadata_of_its_motion(track):
    from emote_blender.pipeline import describe_track

    found = EmotionTrack.from_meta(describe_track(track))
    assert np.array_equal(found.emotion_weights, track.emotion_weights)
    assert np.array_equal(found.intensity, track.intensity)


@pytest.mark.parametrize("meta", [{}, {"emotion": "rage", "intensity": 1}, {"emotion_track": {"times_seconds": [0]}}])
def test_metadata_without_a_track_gives_none(meta):
    assert EmotionTrack.from_meta(meta) is None


def test_a_mix_may_have_decimal_commas():
    np.testing.assert_array_equal(parse_mix("happy 0,6 + sad ,2"), parse_mix("happy 0.6 + sad .2"))
