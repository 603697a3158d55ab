"""The place of a sound in a long text, with random texts and posteriors of which half are right."""

import numpy as np
import pytest
from counted_steps import counted_steps

from emote_blender.errors import Cancelled
from emote_blender.transcript import locating
from emote_blender.transcript.locating import locate
from emote_blender.transcript.phones import CLASSES

NUM_CLASSES = len(CLASSES)
PASSAGE = 400  # phones, as 500 letters have


def text(num_passages: int, seed: int = 0) -> list[list[int]]:
    return np.random.default_rng(seed).integers(1, NUM_CLASSES, (num_passages, PASSAGE)).tolist()


def spoken(phones: list[int], right: float = 0.55, seed: int = 1) -> np.ndarray:
    """Posteriors of 4 frames for each phone, of which a share has another class as its most likely one."""
    rng = np.random.default_rng(seed)
    understood = np.where(rng.random(len(phones)) < right, phones, rng.integers(1, NUM_CLASSES, len(phones)))
    posteriors = 0.35 * np.eye(NUM_CLASSES)[np.repeat(understood, 4)]
    return posteriors + 0.65 * rng.dirichlet(np.full(NUM_CLASSES, 0.3), len(posteriors))


@pytest.mark.parametrize("start, length", [(0, 60), (5000, 60), (12_345, 240), (39_700, 300)])
def test_the_passages_of_a_sound_are_found(start, length):
    passages = text(100)
    phones = [phone for passage in passages for phone in passage]
    places = locate(spoken(phones[start : start + length]), passages)
    needed = range(start // PASSAGE, (start + length - 1) // PASSAGE + 1)
    assert set(needed) <= {place.passage for place in places}
    assert len(places) <= len(needed) + 4


def test_the_passages_before_and_after_a_leap_are_found_and_not_those_between():
    passages = text(100)
    phones = [phone for passage in passages for phone in passage]
    places = locate(spoken(phones[4000:4300] + phones[30_000:30_300]), passages)
    found = {place.passage for place in places}
    assert {10, 75} <= found
    assert not found & set(range(15, 71))


def test_passages_of_a_long_sound_have_the_time_in_which_they_are_spoken(monkeypatch):
    monkeypatch.setattr(locating, "_MOST_CELLS", 3e7)  # every fourth probe
    passages = text(30)
    places = locate(spoken([phone for passage in passages for phone in passage]), passages)
    assert [place.passage for place in places] == list(range(30))
    for place in places:
        begin, end = 4 * PASSAGE * place.passage, 4 * PASSAGE * (place.passage + 1)
        assert place.start <= begin
        assert end <= place.stop
        assert place.stop - place.start < 8 * 4 * PASSAGE


def test_silence_and_a_text_without_phones_have_no_place():
    silence = np.tile(np.eye(NUM_CLASSES)[0], (200, 1))
    assert locate(silence, text(20)) == []
    assert locate(spoken([1, 2, 3, 4]), [[], []]) == []


def test_a_sentence_that_the_text_repeats_is_found_at_one_of_its_places():
    passages = text(60)
    refrain = passages[7]
    for index in range(3, 60, 4):
        passages[index] = refrain
    places = locate(spoken(refrain[100:300]), passages)
    assert {place.passage for place in places} & set(range(3, 60, 4))


def test_the_search_is_cancelled_before_a_probe():
    with pytest.raises(Cancelled):
        locate(spoken(text(1)[0]), text(100), cancelled=lambda: True)


def test_the_steps_of_a_search_grow_no_faster_than_the_text():
    few, many = (counted_steps(locate, spoken(text(1)[0][:250]), text(length)) for length in (11, 110))
    assert many < 10 * few
