import numpy as np
import pytest

from emote_blender.errors import Cancelled
from emote_blender.transcript import alignment
from emote_blender.transcript.alignment import OTHER_SOUND, PAUSE, AlignmentCosts, align

NUM_CLASSES = 6


def heard(classes: list[int], certainty: float = 0.9, num_classes: int = NUM_CLASSES) -> np.ndarray:
    """Posteriors (T, C) that hear these classes."""
    posteriors = np.full((len(classes), num_classes), (1 - certainty) / (num_classes - 1))
    posteriors[np.arange(len(classes)), classes] = certainty
    return posteriors


def test_phones_are_found_where_they_sound_with_a_pause_between():
    sounding = align(heard([0, 0, 1, 1, 1, 2, 2, 0, 0, 0, 3, 3, 0]), [[1, 2], [3]])
    assert sounding.tolist() == [PAUSE] * 2 + [0, 0, 0, 1, 1] + [PAUSE] * 3 + [2, 2] + [PAUSE]


def test_a_pause_may_stand_inside_a_word():
    assert align(heard([1, 1, 0, 0, 0, 2, 2]), [[1, 2]]).tolist() == [0, 0, PAUSE, PAUSE, PAUSE, 1, 1]


def test_sound_that_is_not_in_the_text_is_other_sound():
    extra = [4, 5, 4, 5, 4, 5, 4, 5, 4, 5] * 2
    sounding = align(heard([1] * 5 + [2] * 5 + extra + [3] * 5), [[1, 2], [3]])
    assert sounding.tolist() == [0] * 5 + [1] * 5 + [OTHER_SOUND] * 20 + [2] * 5


def test_a_word_that_is_not_heard_is_left_out():
    classes = [1] * 6 + [2] * 6 + [3] * 6 + [1] * 6
    sounding = align(heard(classes), [[1, 2], [4, 5, 4, 5], [3, 1]])
    assert sounding.tolist() == [0] * 6 + [1] * 6 + [6] * 6 + [7] * 6


def test_words_that_come_after_the_end_of_the_clip_are_left_out():
    sounding = align(heard([1] * 6 + [2] * 6), [[1, 2], *[[4, 5, 3]] * 50])
    assert sounding.tolist() == [0] * 6 + [1] * 6


def test_words_before_the_beginning_of_the_clip_are_left_out():
    sounding = align(heard([1] * 6 + [2] * 6), [*[[4, 5, 3]] * 50, [1, 2]])
    assert sounding.tolist() == [150] * 6 + [151] * 6


def test_a_phone_that_is_not_the_likeliest_still_gets_its_place():
    posteriors = heard([1] * 6 + [5] * 6 + [2] * 6)
    posteriors[6:12, 3] = 0.3
    assert align(posteriors, [[1, 3, 2]]).tolist() == [0] * 6 + [1] * 6 + [2] * 6


def every_path_score(
    posteriors: np.ndarray, words: list[list[int]], costs: AlignmentCosts, labels=None, limits=None
) -> float:
    """Score of the best path, and nothing clever about it: a full matrix of transitions between all states.

    With `labels`, of the best path that has these labels; with `limits`, as `align` takes them.
    """
    log = np.log(posteriors + costs.floor)
    emission = {True: log.max(axis=1) - costs.other_frame}
    states, label = [], 0
    for word, phones in enumerate(words):
        states.append((word, "other", 0, OTHER_SOUND, emission[True]))
        for index, phone in enumerate(phones):
            states.append((word, "pause", index, PAUSE, log[:, 0]))
            states.append((word, "phone", index, label, log[:, phone]))
            label += 1
    states += [(len(words), "other", 0, OTHER_SOUND, emission[True]), (len(words), "pause", 0, PAUSE, log[:, 0])]
    left_out = [costs.left_out + costs.left_out_phone * len(phones) for phones in words]

    def words_done(state: tuple | None) -> int | None:
        if state is None:
            return 0
        word, kind, index = state[:3]
        if kind == "phone":
            return word + 1 if index == len(words[word]) - 1 else None
        return word if index == 0 else None

    def cost(before: tuple | None, after: tuple, frame: int) -> float:
        if before is after:
            return 0.0
        word, kind, index = after[:3]
        if limits is not None and (kind, index) == ("phone", 0) and not limits[word][0] <= frame < limits[word][1]:
            return np.inf
        if before is not None and before[0] == word and kind != "other":
            if (before[1], before[2], kind) in (("pause", index, "phone"), ("phone", index - 1, kind)):
                return 0.0
            if (before[1], before[2]) == ("phone", index - 1):
                return 0.0
        done = words_done(before)
        if done is None or done > word or index > 0:
            return np.inf
        skipped = min(sum(left_out[done:word]), costs.leap, *([costs.part] if before is None else []))
        return skipped + (costs.other_entry if kind == "other" else 0.0)

    def allowed(state: tuple, frame: int) -> float:
        return state[4][frame] if labels is None or labels[frame] == state[3] else -np.inf

    score = [allowed(state, 0) - cost(None, state, 0) for state in states]
    for frame in range(1, len(posteriors)):
        score = [
            allowed(after, frame) + max(value - cost(before, after, frame) for value, before in zip(score, states))
            for after in states
        ]
    ends = [
        value - min(sum(left_out[done:]), costs.part)
        for value, state in zip(score, states)
        if (done := words_done(state)) is not None
    ]
    return max(ends)


@pytest.mark.parametrize("seed", range(8))
def test_no_path_is_better_than_the_one_found(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(alignment, "_BLOCK", int(rng.integers(2, 9)))
    words = [rng.integers(1, NUM_CLASSES, rng.integers(1, 4)).tolist() for _ in range(rng.integers(1, 5))]
    posteriors = rng.dirichlet(np.full(NUM_CLASSES, 0.3), int(rng.integers(8, 26)))
    costs = AlignmentCosts(
        other_frame=rng.uniform(0.2, 2),
        other_entry=rng.uniform(0, 3),
        left_out=rng.uniform(0, 4),
        left_out_phone=rng.uniform(0, 2),
        leap=rng.uniform(2, 8),
        part=rng.uniform(0, 3),
    )
    found = align(posteriors, words, costs)
    best = every_path_score(posteriors, words, costs)
    assert every_path_score(posteriors, words, costs, found) == pytest.approx(best, abs=1e-9)
    monkeypatch.undo()  # between blocks, words that may not begin yet cannot be left out beforehand
    start = rng.integers(-4, len(posteriors), len(words))
    limits = np.stack([start, start + rng.integers(1, 20, len(words))], axis=1)
    found = align(posteriors, words, costs, limits=limits)
    best = every_path_score(posteriors, words, costs, limits=limits)
    assert every_path_score(posteriors, words, costs, found, limits) == pytest.approx(best, abs=1e-9)


def test_blocks_and_limits_do_not_change_the_alignment_of_a_longer_clip(monkeypatch):
    rng = np.random.default_rng(5)
    words = [rng.integers(1, 39, rng.integers(1, 7)).tolist() for _ in range(60)]
    classes = [phone for word in words for phone in np.repeat(word, 5).tolist() + [0] * int(rng.integers(0, 9))]
    posteriors = 0.6 * heard(classes, num_classes=39) + 0.4 * rng.dirichlet(np.full(39, 0.2), len(classes))
    whole = align(posteriors, words)
    monkeypatch.setattr(alignment, "_BLOCK", 40)
    word_of = np.repeat(np.arange(len(words)), [len(word) for word in words])
    begins = np.array([np.flatnonzero(np.isin(whole, np.flatnonzero(word_of == k)))[0] for k in range(len(words))])
    limits = np.stack([begins - rng.integers(0, 60, 60), begins + rng.integers(1, 60, 60)], axis=1)
    assert (align(posteriors, words, limits=limits) == whole).all()
    flat = np.array([phone for word in words for phone in word])
    assert (np.where(whole >= 0, flat[np.maximum(whole, 0)], 0) == classes).mean() > 0.99


def test_a_word_begins_within_its_limits():
    classes = [0] * 3 + [1] * 4 + [2] * 4 + [0] * 3 + [1] * 4 + [2] * 4 + [0] * 3
    for first, limits in ((3, (0, 9)), (14, (9, 25))):
        sounding = align(heard(classes), [[1, 2]], limits=np.array([limits]))
        assert np.flatnonzero(sounding == 0)[0] == first


def test_words_far_apart_in_time_cost_no_more_than_those_nearby():
    """10,000 words, of which 20 may be spoken at a time: the windows hold few."""
    starts = np.arange(10_000) * 3
    states = alignment._States([[1, 2, 3]] * 10_000, NUM_CLASSES, AlignmentCosts())
    limits = np.stack([starts - 30, starts + 30], axis=1)
    windows = alignment._windows(states, range(0, 30_000, alignment._BLOCK), 30_000, limits, AlignmentCosts())
    assert max(len(window.other) for window in windows) < 170
    assert all(after.low < before.high for before, after in zip(windows, windows[1:]))


def test_cancelling_stops_the_alignment():
    with pytest.raises(Cancelled):
        align(heard([1, 2]), [[1]], cancelled=lambda: True)


def test_a_word_without_phones_is_refused():
    with pytest.raises(ValueError):
        align(heard([1, 2]), [[1], []])
