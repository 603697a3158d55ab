"""Phone times of neural voices from the durations that their model predicts, with pauses found by sound level.

A model's durations run late by a constant, and the phone before a pause contains part of the pause. Labels made from
them as they are teach the mouth to stay open in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .misaki_phones import PAUSES, STRESS, classes_of

TimedSymbol = tuple[str, float, float]
"""A symbol with its start and end in seconds."""

_STEP = 0.01  # seconds, of the level
_QUIET = -32.0  # dB relative to the loud parts: a pause
_LOUD = 98  # percentile of the level that stands for the loud parts
_REACH = 0.12  # seconds by which the sound of a pause may lie outside of its predicted time
_LONGEST_SIDE = 60  # steps that a pause may extend to either side of its quietest one
_SHORTEST_AT_MARK, _SHORTEST_AT_SPACE = 0.05, 0.11  # seconds
_CLOSURE = 0.06  # seconds of silence before a stop that belong to it
_SHORTEST_PHONE = 0.02  # seconds that a pause leaves of its neighbours
_STOPS = frozenset("PBTDKG")


@dataclass
class _Span:
    """A phone or a pause.

    Attributes:
        symbol: of the phone; " " for a pause.
        start: seconds.
        end: seconds.
        is_marked: True for a pause with punctuation, or at the start or end.
    """

    symbol: str
    start: float
    end: float
    is_marked: bool = False

    @property
    def is_pause(self) -> bool:
        return self.symbol == " "


def symbol_times(symbols: Sequence[str], durations: np.ndarray, sample_rate: int) -> list[TimedSymbol]:
    """The times of symbols that follow each other.

    Args:
        symbols: S symbols.
        durations: (S,) duration of each, in samples.
        sample_rate: of the samples.
    """
    ends = np.cumsum(np.asarray(durations, np.float64)) / sample_rate
    starts = np.r_[0.0, ends[:-1]]
    return [(symbol, float(start), float(end)) for symbol, start, end in zip(symbols, starts, ends, strict=True)]


def cut_pauses(
    samples: np.ndarray, sample_rate: int, symbols: Sequence[TimedSymbol], lag: float = 0.0
) -> list[TimedSymbol]:
    """The phones of an utterance and the pauses between them, " ", where the sound is quiet.

    A pause that is written but not made belongs to its neighbours. Stress marks belong to the phone that follows, and
    other marks to the phone before.

    Args:
        samples: (N,) float32 mono, full scale 1.
        sample_rate: of the samples.
        symbols: of misaki with their predicted times, as the model speaks them, from "$" to "$".
        lag: seconds by which the predicted times are late.
    """
    spans = _joined([(symbol, start - lag, end - lag) for symbol, start, end in symbols])
    level = _level(samples, sample_rate)
    quiet = level < np.percentile(level, _LOUD) + _QUIET
    kept = []
    for i, span in enumerate(spans):
        if span.is_pause:
            before = spans[i - 1] if i else None
            after = spans[i + 1] if i + 1 < len(spans) else None
            found = _find_pause(span, before, after, level, quiet, len(samples) / sample_rate)
            span.start, span.end = found or ((span.start + span.end) / 2,) * 2
            if before:
                before.end = span.start
            if after:
                after.start = span.end
            if not found:
                continue
        kept.append(span)
    return [(span.symbol, max(0.0, span.start), span.end) for span in kept if span.end > max(span.start, 0.0)]


def _joined(symbols: Sequence[TimedSymbol]) -> list[_Span]:
    """The phones and pauses of a list of symbols, with what marks and neighbouring pauses belong to."""
    spans: list[_Span] = []
    stress_start: float | None = None
    for symbol, start, end in symbols:
        if end <= start:
            continue
        is_pause = symbol in PAUSES
        if symbol in STRESS:
            stress_start = start if stress_start is None else stress_start
        elif is_pause and spans and spans[-1].is_pause:
            spans[-1].end = end
            spans[-1].is_marked |= symbol != " "
            stress_start = None
        elif not classes_of(symbol):
            if spans:
                spans[-1].end = end
        else:
            start = start if stress_start is None else stress_start
            spans.append(_Span(" " if is_pause else symbol, start, end, is_pause and symbol != " "))
            stress_start = None
    return spans


def _level(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """The level (N / step,) in dB."""
    step = int(sample_rate * _STEP)
    count = len(samples) // step
    return 10 * np.log10((samples[: count * step].reshape(count, step) ** 2).mean(1) + 1e-10)


def _find_pause(
    span: _Span, before: _Span | None, after: _Span | None, level: np.ndarray, quiet: np.ndarray, duration: float
) -> tuple[float, float] | None:
    """Start and end in seconds of the quiet part of the sound near a pause; None if there is none.

    The first and the last pause reach to the start and the end of the sound.

    Args:
        span: the pause.
        before: the phone before it; None at the start.
        after: the phone after it; None at the end.
        level: (L,) dB, of steps of 10 ms.
        quiet: (L,) bool.
        duration: of the sound in seconds.
    """
    rate = round(1 / _STEP)
    is_edge = before is None or after is None
    reach = _REACH if span.is_marked or is_edge else 0.0
    first = max(0, int((span.start - reach) * rate))
    last = min(len(level), int((span.end + reach) * rate) + 1)
    if last <= first:
        return None
    if is_edge:
        middle = 0 if before is None else len(level) - 1
    else:
        middle = first + int(np.argmin(level[first:last]))
    if not quiet[middle]:
        return None
    left = right = middle
    while left > 0 and quiet[left - 1] and middle - left < _LONGEST_SIDE:
        left -= 1
    while right < len(level) - 1 and quiet[right + 1] and right - middle < _LONGEST_SIDE:
        right += 1
    start = 0.0 if before is None else max(left / rate, before.start + _SHORTEST_PHONE)
    end = duration if after is None else (right + 1) / rate
    if after is not None:
        if classes_of(after.symbol)[0] in _STOPS:
            end = max(left / rate, end - _CLOSURE)
        end = min(end, after.end - _SHORTEST_PHONE)
    shortest = _SHORTEST_AT_MARK if span.is_marked else _SHORTEST_AT_SPACE
    return (start, end) if end > start and (is_edge or end - start >= shortest) else None
