import numpy as np
import pytest

from emote_blender.training.corpus import phones
from emote_blender.training.corpus.motion import articulation

JAW, WIDTH, ROUND, CLOSE, TUCK, TEETH, TONGUE = range(7)


def spoken(text: str, start: float = 0.2, length: float = 0.08) -> np.ndarray:
    """Rows of (class, start, end): the named phones one after the other, `length` seconds each."""
    names = text.split()
    times = start + length * np.arange(len(names) + 1)
    return np.array([(phones.CLASS_INDEX[n], a, b) for n, a, b in zip(names, times[:-1], times[1:], strict=True)])


def test_a_frame_shows_the_middle_of_its_time_on_screen_a_little_ahead_of_the_sound():
    # one long p from 0.40 to 0.60: closed in exactly the frames whose middle lies in it, 20 ms early, less its burst
    row = np.array([(phones.CLASS_INDEX["P"], 0.40, 0.60)])
    close = articulation.tracks(row, 25)[:, CLOSE]
    middles = (np.arange(25) + 0.5) / 25
    held = (middles > 0.40 - articulation.LEAD_SECONDS) & (middles < 0.55 - articulation.LEAD_SECONDS)
    assert close[held].min() > 0.95
    assert close[(middles < 0.30) | (middles > 0.62)].max() < 0.05


@pytest.mark.parametrize("phone", sorted(phones.BILABIALS))
@pytest.mark.parametrize("length", [0.03, 0.05, 0.08, 0.14])
def test_lips_close_for_two_frames_on_every_bilabial_wherever_it_falls(phone, length):
    for offset in np.arange(0, 0.04, 0.005):
        row = np.vstack(
            [spoken("AA", 0.20 + offset, 0.1), (phones.CLASS_INDEX[phone], 0.3 + offset, 0.3 + offset + length)]
        )
        row = np.vstack([row, spoken("IY", row[-1, 2], 0.1)])
        close = articulation.tracks(row, 25)[:, CLOSE]
        assert (close > 0.84).sum() >= 2, (offset, close.round(2))


@pytest.mark.parametrize("phone", sorted(phones.LABIODENTALS))
def test_the_lower_lip_reaches_the_teeth_on_f_and_v(phone):
    for offset in np.arange(0, 0.04, 0.005):
        tuck = articulation.tracks(spoken(f"AA {phone} IY", 0.2 + offset, 0.06), 25)[:, TUCK]
        assert (tuck > 0.84).sum() >= 2


def test_the_jaw_is_held_back_while_the_lips_are_closed():
    channels = articulation.tracks(spoken("AA M AA", length=0.12), 25)
    closed = channels[:, CLOSE] > 0.9
    assert channels[closed, JAW].max() < 0.15 < 0.5 < channels[:, JAW].max()


def test_vowels_open_the_mouth_and_round_vowels_round_it():
    open_vowel, spread, rounded = (
        articulation.tracks(spoken(f"K {v} K", length=0.12), 25).max(axis=0) for v in ("AA", "IY", "UW")
    )
    assert open_vowel[JAW] > 0.6 > 0.25 > spread[JAW]
    assert spread[WIDTH] > 0.5
    assert rounded[ROUND] > 0.75 > 0.1 > max(open_vowel[ROUND], spread[ROUND])


def test_rounding_begins_before_its_vowel():
    channels = articulation.tracks(spoken("IY T UW", length=0.12), 25)
    in_the_t = int(0.38 * 25)
    assert channels[in_the_t, ROUND] > 0.2


def test_the_mouth_is_at_rest_before_and_well_after_speech():
    channels = articulation.tracks(spoken("AA IY UW", start=0.6), 60)
    assert np.abs(channels[:8]).max() < 0.03
    assert np.abs(channels[-20:]).max() < 0.03


def test_a_short_pause_does_not_shut_the_mouth_and_a_long_one_does():
    def jaw_between(pause):
        rows = np.vstack([spoken("AA", 0.2, 0.15), spoken("AA", 0.35 + pause, 0.15)])
        rows = np.insert(rows, 1, (phones.SILENCE, 0.35, 0.35 + pause), axis=0)
        return articulation.tracks(rows, 60)[8 : int((0.35 + pause) * 25), JAW].min()

    assert jaw_between(0.06) > 0.15
    assert jaw_between(0.6) < 0.02


@pytest.mark.parametrize("vowel", ["AA", "IY", "UW", "S"])
@pytest.mark.parametrize("pause", [0.26, 0.4, 1.0])
def test_the_mouth_rests_in_all_frames_of_a_pause_but_the_first_and_the_last(vowel, pause):
    for offset in np.arange(0, 0.04, 0.01):
        rows = np.vstack([spoken(vowel, 0.4 + offset, 0.15), spoken(vowel, 0.55 + offset + pause, 0.15)])
        channels = articulation.tracks(rows, 60)
        silent = (articulation.frame_labels(rows, 120, 50).reshape(60, 2) == phones.SILENCE).all(axis=1)
        away = np.convolve(~silent, np.ones(3), "same") == 0  # two or more frames from speech
        assert away[12:30].any()
        assert np.abs(channels[away]).max() < 0.03, offset


@pytest.mark.parametrize("num_frames", [0, 1, 8, 37, 333])
def test_the_number_of_frames_is_what_was_asked(num_frames):
    channels = articulation.tracks(spoken("HH AH L OW"), num_frames)
    assert channels.shape == (num_frames, 7)
    assert channels.dtype == np.float32


def test_silence_alone_and_no_phones_are_a_mouth_at_rest():
    assert np.abs(articulation.tracks(np.array([(0, 0.0, 2.0)]), 50)).max() < 1e-6
    assert not articulation.tracks(np.zeros((0, 3)), 50).any()


def test_channels_keep_their_range():
    rng = np.random.default_rng(0)
    names = rng.choice(phones.CLASSES, 200)
    channels = articulation.tracks(spoken(" ".join(names), length=0.06), 310)
    assert channels[:, [JAW, ROUND, CLOSE, TUCK, TEETH, TONGUE]].min() >= 0
    assert np.abs(channels[:, :TONGUE]).max() <= 1 + 1e-6
    assert channels[:, TONGUE].max() <= 2


def test_a_long_clip_is_the_same_as_its_pieces():
    rows = spoken(" ".join(["AA", "M", "IY", "S", "UW", "F"] * 60), start=0.2, length=0.1)  # 36 s: several blocks
    whole = articulation.tracks(rows, 925)
    first = articulation.tracks(rows[rows[:, 2] < 20], 440)
    np.testing.assert_allclose(whole[:438], first[:438], atol=1e-5)  # the last frames know their future


def test_shifting_the_phones_by_frames_shifts_the_channels():
    early, late = spoken("AA M IY F UW", start=0.4), spoken("AA M IY F UW", start=0.4 + 5 / 25)
    np.testing.assert_allclose(articulation.tracks(early, 40)[:30], articulation.tracks(late, 40)[5:35], atol=2e-3)


def test_the_same_phones_give_the_same_channels():
    rows = spoken("B AA T")
    assert (articulation.tracks(rows, 30) == articulation.tracks(rows.copy(), 30)).all()


def test_labels_name_the_phone_in_the_middle_of_each_step():
    labels = articulation.frame_labels(np.array([(3, 0.00, 0.10), (7, 0.10, 0.17)]), 12, 50)
    assert labels.tolist() == [3] * 5 + [7] * 3 + [0] * 4


def test_labels_keep_their_place_through_noise_in_summed_durations():
    # 0.02 s steps added up one by one are not multiples of 0.02 in floating point
    edges = np.cumsum(np.full(501, 0.32)) - 0.32
    rows = np.array([(i % 39, a, b) for i, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True))])
    labels = articulation.frame_labels(rows, 500 * 16, 50)
    assert (labels == np.repeat(np.arange(500) % 39, 16)).all()


def test_phones_beyond_the_last_label_are_cut():
    assert articulation.frame_labels(np.array([(4, 0.0, 9.0)]), 3, 50).tolist() == [4, 4, 4]
