"""Forced alignment of a known text: Viterbi search over the posteriors of a phone head.

Every phone may follow silence, every word may follow other sound (words that are not in the text), and any words may be
left out: at the beginning and the end of the text nearly for nothing, as a sound may hold a part of a text. Limits of
time for the words keep the search of a long text small. It stores one row of scores per block of frames, from which a
block is searched again on the way back, so that memory does not grow with clip times text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import Cancelled
from .phones import SILENCE

# Values of an alignment in frames without a phone of the text.
PAUSE, OTHER_SOUND = -1, -2

_STAY, _STEP, _SKIP, _ENTRY = range(4)
_BLOCK = 256  # frames
_LONGEST_WORD = 150  # frames after the last one in which a word may begin until the search drops it
_NEVER = -np.inf


@dataclass(frozen=True)
class AlignmentCosts:
    """Costs of the search, in nats unless stated otherwise.

    Attributes:
        floor: probability added to every posterior, so that a phone with a posterior of zero is still possible.
        other_frame: cost of a frame of other sound, on top of the cost of the best class.
        other_entry: cost of the beginning of other sound.
        left_out: cost of leaving out a word between two others.
        left_out_phone: additional cost for each phone of that word.
        leap: highest cost of leaving out words between two others, however many.
        part: cost of leaving out the beginning of the text, and of leaving out its end.
    """

    floor: float = 2e-3
    other_frame: float = 2.2
    other_entry: float = 4.0
    left_out: float = 6.0
    left_out_phone: float = 1.0
    leap: float = 30.0
    part: float = 2.0

    def between(self, lengths: np.ndarray, spoken: np.ndarray) -> float:
        """The cost of all that is left out between the words that are spoken.

        Args:
            lengths: (W,) number of phones of each word.
            spoken: indices of the spoken words, ascending.
        """
        before = np.concatenate([[0.0], np.cumsum(self.left_out + self.left_out_phone * lengths)])
        return float(np.minimum(before[spoken[1:]] - before[spoken[:-1] + 1], self.leap).sum())


DEFAULT_COSTS = AlignmentCosts()


class _States:
    """The states of a text in order.

    Each word has a state of other sound, then silence and phone for each of its phones; the end has other sound and
    silence once more.

    Attributes:
        column: (N,) column of the emissions: a class, or the one after the last for other sound.
        label: (N,) value of a state in an alignment: a phone of the text, PAUSE or OTHER_SOUND.
        start: (W + 1,) first state of each word, and of the end.
        step: (N,) 0 where a state may follow the state before it, else -inf.
        skip: (N,) 0 where a state may follow the second state before it, else -inf.
        left_out: (W + 1,) cost of leaving out all words before each.
    """

    def __init__(self, words: Sequence[Sequence[int]], num_classes: int, costs: AlignmentCosts) -> None:
        lengths = np.array([len(phones) for phones in words], dtype=np.int64)
        phones = np.array([phone for word in words for phone in word], dtype=np.int64)
        self.start = np.concatenate([[0], np.cumsum(1 + 2 * lengths)])
        num_states = int(self.start[-1]) + 2
        silence = np.ones(num_states, dtype=bool)
        silence[self.start] = False
        # Word w's phones stand behind its other sound at 2, 4, ...
        first_phone = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        place = np.repeat(self.start[:-1] - 2 * first_phone, lengths) + 2 * np.arange(len(phones)) + 2
        silence[place] = False
        self.column = np.full(num_states, SILENCE, dtype=np.int64)
        self.column[place], self.column[self.start] = phones, num_classes
        self.label = np.full(num_states, PAUSE, dtype=np.int64)
        self.label[place], self.label[self.start] = np.arange(len(phones)), OTHER_SOUND
        step, skip = np.zeros(num_states), np.full(num_states, _NEVER)
        step[self.start] = _NEVER  # entered from another word
        step[self.start + 1] = _NEVER
        step[self.start[:-1] + 2] = _NEVER  # a word's beginning, which has limits, is always an entry
        skip[place] = 0.0
        skip[self.start[:-1] + 2] = _NEVER
        self.step, self.skip = step, skip
        self.left_out = np.concatenate([[0.0], np.cumsum(costs.left_out + costs.left_out_phone * lengths)])

    @property
    def num_words(self) -> int:
        """W."""
        return len(self.start) - 1

    @property
    def num_states(self) -> int:
        """N."""
        return len(self.column)


@dataclass(eq=False)
class _Trail:
    """The predecessors of a window's states in each frame of a block (L frames, n states, w words).

    Attributes:
        move: (L, n) int8: _STAY, _STEP, _SKIP or _ENTRY.
        source: (L, w) int32 word whose end, or wait, led to the beginning of each word.
        exit: (L, w) int8 way into each word: 0 from the phone before it, 1 from its other sound, 2 from its silence.
    """

    move: np.ndarray
    source: np.ndarray
    exit: np.ndarray


class _Window:
    """The states of words [first, last) of the text in one block of frames; `last` may include the end."""

    def __init__(self, states: _States, first: int, last: int, limits: np.ndarray, costs: AlignmentCosts) -> None:
        self.low = int(states.start[first])
        self.high = int(states.start[last]) if last <= states.num_words else states.num_states
        inside = slice(self.low, self.high)
        self.column = states.column[inside]
        self.step, self.skip = states.step[inside], states.skip[inside]
        self.other = states.start[first:last] - self.low  # (w,) each word's first state
        self.left_out = states.left_out[first:last]
        self.rest = states.left_out[-1] - self.left_out
        self.entry_cost, self.leap, self.part = costs.other_entry, costs.leap, costs.part
        self.limits = limits[first : min(last, states.num_words)]

    def beginnings(self) -> np.ndarray:
        """(w,) like `exits`, before the first frame: words may be left out at the beginning of the text."""
        return -np.minimum(self.left_out, self.part)

    def endings(self) -> np.ndarray:
        """(w,) score of leaving out the rest of the text, from each word on."""
        return -np.minimum(self.rest, self.part)

    def exits(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(w,) best score with the words before each done, and the state that has it (see `_Trail.exit`)."""
        before = np.where(self.other > 0, score[self.other - 1], _NEVER)
        options = np.stack([before, score[self.other], score[self.other + 1]])
        which = options.argmax(0)
        return options[which, np.arange(len(which))], which

    def entries(self, exits: np.ndarray) -> np.ndarray:
        """(w,) best score with which each word can begin, with or without leaving out words before it."""
        one_by_one = np.maximum.accumulate(exits + self.left_out) - self.left_out
        return np.maximum(one_by_one, np.maximum.accumulate(exits) - self.leap)

    def sources(self, exits: np.ndarray) -> np.ndarray:
        """(w,) the word of the window whose `exits` each of `entries` came from."""
        value = exits + self.left_out
        leaps = np.maximum.accumulate(exits) - self.leap > np.maximum.accumulate(value) - self.left_out
        return np.where(leaps, _last_best(exits), _last_best(value))

    def advance(
        self, score: np.ndarray, entries: np.ndarray, emission: np.ndarray, frame: int, move: np.ndarray | None
    ) -> np.ndarray:
        """(n,) scores after one more frame; fills `move` if given.

        Args:
            score: (n,) scores before the frame.
            entries: (w,) from `entries`.
            emission: (n,) log-probability of the frame in each state.
            frame: its index in the clip.
            move: (n,) int8 filled with _STEP, _SKIP or _ENTRY; unchanged where a state stays.
        """
        best = score.copy()
        for kind, distance, allowed in ((_STEP, 1, self.step), (_SKIP, 2, self.skip)):
            option = score[:-distance] + allowed[distance:]
            if move is not None:
                move[distance:][option > best[distance:]] = kind
            np.maximum(best[distance:], option, out=best[distance:])
        may_begin = (self.limits[:, 0] <= frame) & (frame < self.limits[:, 1])
        for place, option in (
            (self.other, entries - self.entry_cost),
            (self.other + 1, entries),
            (self.other[: len(may_begin)] + 2, np.where(may_begin, entries[: len(may_begin)], _NEVER)),
        ):
            if move is not None:
                better = option > best[place]
                move[place[better]] = _ENTRY
            best[place] = np.maximum(best[place], option)
        return best + emission


def align(
    posteriors: np.ndarray,
    words: Sequence[Sequence[int]],
    costs: AlignmentCosts = DEFAULT_COSTS,
    cancelled: Callable[[], bool] | None = None,
    limits: np.ndarray | None = None,
) -> np.ndarray:
    """(T,) int64 alignment: in each frame the index of a phone, counted through all words, PAUSE or OTHER_SOUND.

    Args:
        posteriors: (T, C) probabilities of the phone classes.
        words: classes of each word's phones, at least one per word.
        costs: costs of the search.
        cancelled: called once per block of frames.
        limits: (W, 2) first frame in which each word may begin, and the frame after the last one; None for no limits.
            The search takes time and memory in proportion to the words that may be spoken at a time.

    Raises:
        Cancelled: if `cancelled` returns True.
    """
    if not words or not all(len(phones) for phones in words):
        raise ValueError("every word needs a phone")
    states = _States(words, posteriors.shape[1], costs)
    emissions = _emissions(posteriors, costs)
    starts = range(0, len(emissions), _BLOCK)
    windows = _windows(states, starts, len(emissions), limits, costs)
    saved: list[np.ndarray | None] = []
    score: np.ndarray | None = None
    for start, window, before in _asking(list(zip(starts, windows, [None, *windows])), cancelled):
        score = None if score is None or before is None else _moved(score, before, window)
        saved.append(score)
        score, _ = _run(window, score, emissions, start)
    assert score is not None  # there is at least one frame
    state = _best_end(windows[-1], score)
    path = np.empty(len(emissions), dtype=np.int64)
    for start, window, first_score in _asking(list(zip(starts, windows, saved))[::-1], cancelled):
        _, trail = _run(window, first_score, emissions, start, keep=True)
        assert trail is not None
        for frame in range(len(trail.move) - 1, -1, -1):
            path[start + frame] = state
            state = _state_before(window, trail, frame, state)
    return states.label[path]


def _emissions(posteriors: np.ndarray, costs: AlignmentCosts) -> np.ndarray:
    """(T, C + 1) log-probabilities of the classes, and of other sound."""
    log = np.log(posteriors.astype(np.float64) + costs.floor)
    return np.concatenate([log, log.max(axis=1, keepdims=True) - costs.other_frame], axis=1)


def _windows(
    states: _States, starts: Sequence[int], num_frames: int, limits: np.ndarray | None, costs: AlignmentCosts
) -> list[_Window]:
    """The window of each block: the words that may be spoken in it, and the one after them."""
    if limits is None:
        limits = np.tile(np.array([0, num_frames]), (states.num_words, 1))
    # A word is kept as long as one before it, or after it, is needed, so that windows are ranges and overlap.
    opens = np.minimum.accumulate(limits[::-1, 0])[::-1]
    closes = np.maximum.accumulate(np.maximum(limits[:, 1], limits[:, 0] + 1)) + _LONGEST_WORD
    windows = []
    for start in starts:
        last = int(np.searchsorted(opens, start + _BLOCK))
        first = min(int(np.searchsorted(closes, start, side="right")), last)
        windows.append(_Window(states, first, last + 1, limits, costs))
    return windows


def _moved(score: np.ndarray, window: _Window, following: _Window) -> np.ndarray:
    """The scores of a window's states in the window that follows."""
    moved = np.full(following.high - following.low, _NEVER)
    shared = slice(following.low, min(window.high, following.high))
    moved[: shared.stop - shared.start] = score[shared.start - window.low : shared.stop - window.low]
    return moved


def _run(
    window: _Window, score: np.ndarray | None, emissions: np.ndarray, start: int, keep: bool = False
) -> tuple[np.ndarray, _Trail | None]:
    """Scores (n,) after the block that begins at frame `start`, and the trail through it if `keep`.

    `score` holds the scores before the block; None at the beginning of the clip.
    """
    num_states, num_words = window.high - window.low, len(window.other)
    frames = range(start, min(start + _BLOCK, len(emissions)))
    trail = None
    if keep:
        shape = (len(frames), num_words)
        move = np.zeros((len(frames), num_states), dtype=np.int8)
        trail = _Trail(move, np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int8))
    for frame in frames:
        if score is None:
            score = np.full(num_states, _NEVER)
            exits, which = window.beginnings(), np.zeros(num_words, dtype=np.int64)
        else:
            exits, which = window.exits(score)
        entries = window.entries(exits)
        if trail is not None:
            trail.source[frame - start], trail.exit[frame - start] = window.sources(exits), which
        moves = None if trail is None else trail.move[frame - start]
        score = window.advance(score, entries, emissions[frame, window.column], frame, moves)
    assert score is not None
    return score, trail


def _state_before(window: _Window, trail: _Trail, frame: int, state: int) -> int:
    """The state in the frame before, on the best path to `state` in a frame of the block."""
    move = trail.move[frame, state - window.low]
    if move != _ENTRY:
        return state - int(move)
    word = int(np.searchsorted(window.other, state - window.low, side="right")) - 1
    word = int(trail.source[frame, word])
    return window.low + int(window.other[word]) + (-1, 0, 1)[trail.exit[frame, word]]


def _best_end(window: _Window, score: np.ndarray) -> int:
    """The best state at the end of the clip: the end of a word, with or without words that are left out after it."""
    exits, which = window.exits(score)
    word = int(np.argmax(exits + window.endings()))
    if exits[word] == _NEVER:  # not one word fits into the clip
        return window.low + int(score.argmax())
    return window.low + int(window.other[word]) + (-1, 0, 1)[which[word]]


def _last_best(values: np.ndarray) -> np.ndarray:
    """(w,) index of the last of the highest values up to each one."""
    is_best = values >= np.maximum.accumulate(values)
    return np.maximum.accumulate(np.where(is_best, np.arange(len(values)), 0))


def _asking(items: Sequence, cancelled: Callable[[], bool] | None) -> Iterator:
    """The items in order; raises Cancelled if `cancelled` returns True before one."""
    for item in items:
        if cancelled is not None and cancelled():
            raise Cancelled("cancelled; nothing was written")
        yield item
