"""Forced alignment of a known text: Viterbi search over the posteriors of a phone head.

Every phone may follow silence, every word may follow other sound (words that are not in the text), and any word may be
left out. The search keeps only states near the best one. It stores one row of scores per block of frames, from which a
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
_FASTEST = 3  # states per frame: words of one phone each
_AHEAD = 1000  # states beyond what can be reached without leaving out words, about 100 words
_NEVER = -np.inf


@dataclass(frozen=True)
class AlignmentCosts:
    """Costs of the search, in nats unless stated otherwise.

    Attributes:
        floor: probability added to every posterior, so that a phone with a posterior of zero is still possible.
        other_frame: cost of a frame of other sound, on top of the cost of the best class.
        other_entry: cost of the beginning of other sound.
        left_out: cost of leaving out a word.
        left_out_phone: additional cost for each phone of that word.
        beam: difference to the best state beyond which a state is dropped.
    """

    floor: float = 2e-3
    other_frame: float = 2.2
    other_entry: float = 4.0
    left_out: float = 6.0
    left_out_phone: float = 1.0
    beam: float = 400.0


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

    def __init__(self, states: _States, first: int, last: int, costs: AlignmentCosts) -> None:
        self.low = int(states.start[first])
        self.high = int(states.start[last]) if last <= states.num_words else states.num_states
        self.first = first
        inside = slice(self.low, self.high)
        self.column = states.column[inside]
        self.step, self.skip = states.step[inside], states.skip[inside]
        self.other = states.start[first:last] - self.low  # (w,) each word's first state
        self.is_word = np.arange(first, last) < states.num_words
        self.left_out = states.left_out[first:last]
        self.entry_cost = costs.other_entry

    def exits(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(w,) best score with the words before each done, and the state that has it (see `_Trail.exit`)."""
        before = np.where(self.other > 0, score[self.other - 1], _NEVER)
        options = np.stack([before, score[self.other], score[self.other + 1]])
        which = options.argmax(0)
        return options[which, np.arange(len(which))], which

    def entries(self, exits: np.ndarray) -> np.ndarray:
        """(w,) best score with which each word can begin, with or without leaving out words before it."""
        return np.maximum.accumulate(exits + self.left_out) - self.left_out

    def sources(self, exits: np.ndarray) -> np.ndarray:
        """(w,) the word of the window whose `exits` each of `entries` came from."""
        value = exits + self.left_out
        is_best = value >= np.maximum.accumulate(value)
        return np.maximum.accumulate(np.where(is_best, np.arange(len(value)), 0))

    def advance(
        self, score: np.ndarray, entries: np.ndarray, emission: np.ndarray, move: np.ndarray | None
    ) -> np.ndarray:
        """(n,) scores after one more frame; fills `move` if given.

        Args:
            score: (n,) scores before the frame.
            entries: (w,) from `entries`.
            emission: (n,) log-probability of the frame in each state.
            move: (n,) int8 filled with _STEP, _SKIP or _ENTRY; unchanged where a state stays.
        """
        best = score.copy()
        for kind, distance, allowed in ((_STEP, 1, self.step), (_SKIP, 2, self.skip)):
            option = score[:-distance] + allowed[distance:]
            if move is not None:
                move[distance:][option > best[distance:]] = kind
            np.maximum(best[distance:], option, out=best[distance:])
        words = self.is_word
        for place, option in (
            (self.other, entries - self.entry_cost),
            (self.other + 1, entries),
            (self.other[words] + 2, entries[words]),
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
) -> np.ndarray:
    """(T,) int64 alignment: in each frame the index of a phone, counted through all words, PAUSE or OTHER_SOUND.

    Args:
        posteriors: (T, C) probabilities of the phone classes.
        words: classes of each word's phones, at least one per word.
        costs: costs of the search.
        cancelled: called once per block of frames.

    Raises:
        Cancelled: if `cancelled` returns True.
    """
    if not words or not all(len(phones) for phones in words):
        raise ValueError("every word needs a phone")
    states = _States(words, posteriors.shape[1], costs)
    emissions = _emissions(posteriors, costs)
    blocks = [emissions[start : start + _BLOCK] for start in range(0, len(emissions), _BLOCK)]
    windows: list[_Window] = []
    saved: list[np.ndarray | None] = []
    score: np.ndarray | None = None
    for block in _asking(blocks, cancelled):
        window, score = _next_window(states, windows[-1] if windows else None, score, len(block), costs)
        windows.append(window)
        saved.append(score)
        score, _ = _run(window, score, block)
    assert score is not None  # there is at least one frame
    state = _best_end(windows[-1], score, states)
    path = np.empty(len(emissions), dtype=np.int64)
    end = len(emissions)
    for window, first_score, block in _asking(list(zip(windows, saved, blocks))[::-1], cancelled):
        _, trail = _run(window, first_score, block, keep=True)
        assert trail is not None
        for frame in range(len(block) - 1, -1, -1):
            path[end - len(block) + frame] = state
            state = _state_before(window, trail, frame, state)
        end -= len(block)
    return states.label[path]


def _emissions(posteriors: np.ndarray, costs: AlignmentCosts) -> np.ndarray:
    """(T, C + 1) log-probabilities of the classes, and of other sound."""
    log = np.log(posteriors.astype(np.float64) + costs.floor)
    return np.concatenate([log, log.max(axis=1, keepdims=True) - costs.other_frame], axis=1)


def _next_window(
    states: _States, window: _Window | None, score: np.ndarray | None, num_frames: int, costs: AlignmentCosts
) -> tuple[_Window, np.ndarray | None]:
    """The window of the next block and its scores before its first frame; None before the clip's first frame."""
    if window is None or score is None:
        low, high = 0, 0
    else:
        alive = np.flatnonzero(score >= score.max() - costs.beam) + window.low
        low, high = int(alive[0]), int(alive[-1])
    reach = high + _FASTEST * num_frames + _AHEAD
    first = int(np.searchsorted(states.start, low, side="right")) - 1
    last = int(np.searchsorted(states.start, reach, side="right"))
    following = _Window(states, first, min(last, states.num_words + 1), costs)
    if window is None or score is None:
        return following, None
    moved = np.full(following.high - following.low, _NEVER)
    shared = slice(following.low, min(window.high, following.high))
    moved[: shared.stop - shared.start] = score[shared.start - window.low : shared.stop - window.low]
    return following, moved


def _run(
    window: _Window, score: np.ndarray | None, block: np.ndarray, keep: bool = False
) -> tuple[np.ndarray, _Trail | None]:
    """Scores (n,) after a block of emissions (L, C + 1), and the trail through it if `keep`."""
    num_states, num_words = window.high - window.low, len(window.other)
    trail = None
    if keep:
        shape = (len(block), num_words)
        move = np.zeros((len(block), num_states), dtype=np.int8)
        trail = _Trail(move, np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int8))
    for frame, emission in enumerate(block):
        if score is None:  # the clip begins: no word was spoken yet
            score = np.full(num_states, _NEVER)
            exits, which = np.full(num_words, _NEVER), np.zeros(num_words, dtype=np.int64)
            exits[0] = 0.0
        else:
            exits, which = window.exits(score)
        entries = window.entries(exits)
        if trail is not None:
            trail.source[frame], trail.exit[frame] = window.sources(exits), which
        score = window.advance(score, entries, emission[window.column], trail.move[frame] if trail else None)
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


def _best_end(window: _Window, score: np.ndarray, states: _States) -> int:
    """The best state at the end of the clip: the end of a word, with the cost of leaving out all words after it."""
    exits, which = window.exits(score)
    rest = states.left_out[-1] - window.left_out
    word = int(np.argmax(exits - rest))
    if exits[word] == _NEVER:  # not one word fits into the clip
        return window.low + int(score.argmax())
    return window.low + int(window.other[word]) + (-1, 0, 1)[which[word]]


def _asking(items: Sequence, cancelled: Callable[[], bool] | None) -> Iterator:
    """The items in order; raises Cancelled if `cancelled` returns True before one."""
    for item in items:
        if cancelled is not None and cancelled():
            raise Cancelled("cancelled; nothing was written")
        yield item
