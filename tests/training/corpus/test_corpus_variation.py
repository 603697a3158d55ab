"""Joined phrases, pauses, breaths and warped time: the labels go where the sound goes."""

import random

import numpy as np
import pytest

from emote_blender.training.corpus import phones
from emote_blender.training.corpus.engines import variation
from emote_blender.training.corpus.engines.utterance import SAMPLE_RATE, Utterance
from emote_blender.training.corpus.text import varied_text


def clicks(times: list[float], duration: float, names: list[str]) -> Utterance:
    """Silence with a click in the middle of each phone; phones last 0.1 s from the times given."""
    samples = np.zeros(round(duration * SAMPLE_RATE), np.int16)
    for time in times:
        centre = round((time + 0.05) * SAMPLE_RATE)
        samples[centre - 8 : centre + 8] = 20000
    spans = np.array([(time, time + 0.1) for time in times], np.float32)
    return Utterance(samples, np.array([phones.CLASS_INDEX[n] for n in names], np.int16), spans, "test:clicks")


def click_times(utterance: Utterance) -> np.ndarray:
    """Centres of the clicks in seconds."""
    loud = np.flatnonzero(np.abs(utterance.samples.astype(int)) > 6000) / SAMPLE_RATE
    return np.array([group.mean() for group in np.split(loud, np.flatnonzero(np.diff(loud) > 0.02) + 1)])


def test_warped_time_moves_the_labels_with_the_sound():
    utterance = clicks([0.3, 0.9, 1.6, 2.3], 3.0, ["AA", "P", "IY", "M"])
    warped = variation.time_warped(utterance, 0.15, 0.12, np.random.default_rng(3))
    assert len(warped.samples) < 0.95 * len(utterance.samples)
    assert click_times(warped) == pytest.approx(warped.phone_times.mean(1), abs=0.002)


def test_a_steady_warp_scales_time_by_its_factor():
    utterance = clicks([0.5], 2.0, ["AA"])
    warped = variation.time_warped(utterance, 0.18, 0.0, np.random.default_rng(0))
    assert len(warped.samples) / len(utterance.samples) == pytest.approx(np.exp(-0.18), abs=1e-3)
    assert warped.phone_times[0] == pytest.approx(np.array([0.5, 0.6]) * np.exp(-0.18), abs=1e-3)


def test_a_warp_stays_within_its_drift():
    utterance = clicks([0.1 + 0.2 * i for i in range(40)], 9.0, ["AA"] * 40)
    warped = variation.time_warped(utterance, 0.0, 0.12, np.random.default_rng(1))
    spacing = np.diff(warped.phone_times[:, 0]) / 0.2
    assert spacing.min() >= np.exp(-0.12) - 1e-3
    assert spacing.max() <= np.exp(0.12) + 1e-3
    assert spacing.std() > 0.02


def test_a_played_up_tone_does_not_alias():
    tone = 15000 * np.sin(2 * np.pi * 7600 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)  # 9100 Hz after the warp
    utterance = Utterance(tone.astype(np.int16), np.zeros(1, np.int16), np.array([[0, 1]], np.float32), "test")
    warped = variation.time_warped(utterance, 0.18, 0.0, np.random.default_rng(0))
    assert warped.samples[200:-200].std() < 0.1 * tone.std()


@pytest.mark.parametrize("seed", range(8))
def test_joined_phrases_keep_their_sounds_under_their_labels(seed):
    first, second = clicks([0.4, 0.8], 1.2, ["AA", "IY"]), clicks([0.2], 0.6, ["AE"])
    joined = variation.join_phrases([first, second], np.random.default_rng(seed))
    assert click_times(joined) == pytest.approx(joined.phone_times.mean(1), abs=0.002)
    assert [phones.CLASSES[number] for number in joined.phone_classes] == ["AA", "IY", "AE"]


def test_half_of_the_clips_begin_with_their_first_sound():
    phrase = clicks([0.4], 1.0, ["AA"])
    starts = [variation.join_phrases([phrase], np.random.default_rng(seed)).phone_times[0, 0] for seed in range(400)]
    assert np.mean(np.array(starts) < 1e-6) == pytest.approx(0.5, abs=0.08)  # 3 deviations of 400 draws


def test_some_clips_begin_within_the_closure_of_a_bilabial_and_none_within_a_vowel():
    cut = {
        name: np.mean(
            [
                np.diff(variation.join_phrases([clicks([0.4], 1.0, [name])], np.random.default_rng(s)).phone_times[0])
                < 0.0995
                for s in range(300)
            ]
        )
        for name in ("P", "AA")
    }
    assert cut["AA"] == 0
    assert cut["P"] == pytest.approx(1 / 12, abs=0.05)


def test_single_words_are_long_enough_for_a_shard():
    joined = variation.join_phrases([clicks([0.1], 0.3, ["P"])], np.random.default_rng(0))
    assert len(joined.samples) / SAMPLE_RATE >= variation.SHORTEST_CLIP_SECONDS - 0.1


def test_breaths_are_sound_without_a_label():
    phrase = clicks([0.0], 0.2, ["AA"])
    heard = 0
    for seed in range(40):
        joined = variation.join_phrases([phrase, phrase], np.random.default_rng(seed))
        begin, end = joined.phone_times[0, 1] + 0.05, joined.phone_times[1, 0]
        gap = joined.samples[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)].astype(float)
        heard += bool(len(gap) and np.abs(gap).max() > 300)
    assert 5 <= heard <= 25  # 35 % of 40


def test_silence_alone_is_no_clip():
    silent = Utterance(np.zeros(16000, np.int16), np.zeros(1, np.int16), np.array([[0, 1]], np.float32), "test")
    assert variation.join_phrases([silent], np.random.default_rng(0)) is None
    assert list(variation.varied([[silent]], random.Random(1))) == []


def test_varied_clips_are_the_same_for_the_same_seed():
    clips = [[clicks([0.4, 0.8], 1.2, ["AA", "P"])]] * 5
    first, second = (list(variation.varied(clips, random.Random(4))) for _ in range(2))
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(first, second, strict=True))


def test_a_third_of_the_single_words_begin_with_the_lips_together():
    rng = random.Random(2)
    share = np.mean([varied_text.english_word(rng)[0] in "pbm" for _ in range(600)])
    assert 0.33 < share < 0.60  # a third, and those among the other words


def test_phrases_range_from_one_word_to_a_sentence():
    rng = random.Random(3)
    lengths = np.array([len(varied_text.english_phrase(rng).split()) for _ in range(300)])
    assert np.mean(lengths == 1) > 0.1
    assert np.mean(lengths >= 6) > 0.25
