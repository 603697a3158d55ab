"""Variation of synthetic speech: pauses and breaths between phrases, and a drifting rate and pitch."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .. import phones
from .utterance import SAMPLE_RATE, Utterance

SHORTEST_CLIP_SECONDS = 0.68  # shorter clips are padded with silence
_FADE_SECONDS = 0.004
_OVERSAMPLING = 4
_GRID = 1000  # Hz, rate at which a time warp is integrated
_BILABIAL_CLASSES = frozenset(phones.CLASS_INDEX[name] for name in phones.BILABIALS)


def varied(clips: Iterable[list[Utterance]], rng: random.Random) -> Iterator[Utterance]:
    """The clips of an engine's `varied_clips`, each joined and time-warped; half of them also shifted as a whole.

    Clips without a sound are skipped. espeak's clips are not shifted: its voices differ in pitch and formants already.
    """
    for phrases in clips:
        generator = np.random.default_rng(rng.randrange(2**63))
        joined = join_phrases(phrases, generator)
        if joined is None:
            continue
        shift = float(generator.uniform(-0.18, 0.18)) if generator.random() < 0.5 else 0.0
        if phrases[0].speaker.startswith("espeak"):
            shift = 0.0
        drift = float(generator.uniform(0, 0.12))
        yield time_warped(joined, shift, drift, generator)


def join_phrases(phrases: Sequence[Utterance], generator: np.random.Generator) -> Utterance | None:
    """Several phrases joined into one utterance, with pauses between them; None if nothing is spoken.

    The engine's silence around each phrase is removed. Some pauses contain a breath. Half of the utterances begin with
    the first sound; of those that begin with p, b or m, one in six begins within the closure.
    """
    spoken = [trimmed for phrase in phrases if (trimmed := _without_silence(phrase)) is not None]
    if not spoken:
        return None
    begins_at_once = generator.random() < 0.5
    parts = [np.zeros(_count(0.0 if begins_at_once else generator.uniform(0.05, 0.7)))]
    classes: list[int] = []
    times: list[tuple[float, float]] = []
    for number, phrase in enumerate(spoken):
        if number:
            parts.append(_pause(generator))
        if number or not begins_at_once:
            if generator.random() < (0.35 if number else 0.2):
                parts.append(_breath(generator))
        start = sum(map(len, parts)) / SAMPLE_RATE
        gain = 10 ** (-generator.uniform(0, 6) / 20) if number else 1.0
        parts.append(phrase.samples * gain)
        classes += phrase.phone_classes.tolist()
        times += (phrase.phone_times.astype(np.float64) + start).tolist()
    parts.append(np.zeros(_count(generator.uniform(0.05, 0.5))))
    missing = SHORTEST_CLIP_SECONDS - sum(map(len, parts)) / SAMPLE_RATE
    if missing > 0:
        parts.append(np.zeros(_count(missing)))
    samples = np.concatenate(parts)
    if generator.random() < 0.5:  # recordings are never digitally silent
        samples += generator.standard_normal(len(samples)) * 32768 * 10 ** (generator.uniform(-80, -55) / 20)
    joined = Utterance(
        samples.round().clip(-32768, 32767).astype(np.int16),
        np.asarray(classes, np.int16),
        np.asarray(times, np.float32).reshape(-1, 2),
        phrases[0].speaker,
        " ".join(phrase.text for phrase in phrases),
    )
    if begins_at_once and classes[0] in _BILABIAL_CLASSES and generator.random() < 1 / 6:
        begin, end = times[0]
        return cut(joined, begin + float(generator.uniform(0.1, 0.6)) * (end - begin))
    return joined


def cut(utterance: Utterance, seconds: float) -> Utterance:
    """The utterance without its first `seconds`, and without the phones that end there."""
    first = round(seconds * SAMPLE_RATE)
    times = utterance.phone_times.astype(np.float64) - first / SAMPLE_RATE
    kept = times[:, 1] > 1e-6
    return Utterance(
        utterance.samples[first:],
        utterance.phone_classes[kept],
        np.clip(times[kept], 0, None).astype(np.float32),
        utterance.speaker,
        utterance.text,
    )


def time_warped(utterance: Utterance, shift: float, drift: float, generator: np.random.Generator) -> Utterance:
    """The utterance resampled to another speed that drifts over time.

    Pitch and formants change with the speed, as if a person of another size spoke. The phone times follow the sound.

    Args:
        utterance: the utterance.
        shift: log of the constant speed factor.
        drift: largest absolute value of the log of the drifting factor, which passes through random values at random
            times 0.3 to 1 s apart.
        generator: random numbers.
    """
    duration = len(utterance.samples) / SAMPLE_RATE
    grid = np.arange(0, duration + 2 / _GRID, 1 / _GRID)
    knots = np.cumsum(np.r_[0.0, generator.uniform(0.3, 1.0, int(duration / 0.3) + 2)])
    values = generator.uniform(-drift, drift, len(knots))
    rate = np.exp(shift + _eased(grid, knots, values))
    warped = np.r_[0.0, np.cumsum(1 / rate[:-1])] / _GRID  # warped time of each point of the grid
    end = float(np.interp(duration, grid, warped))
    positions = np.interp(np.arange(int(end * SAMPLE_RATE)) / SAMPLE_RATE, warped, grid)
    fine = _oversampled(utterance.samples.astype(np.float64), float(rate.max()))
    samples = np.interp(positions * SAMPLE_RATE * _OVERSAMPLING, np.arange(len(fine)), fine)
    return Utterance(
        samples.round().clip(-32768, 32767).astype(np.int16),
        utterance.phone_classes,
        np.interp(utterance.phone_times, grid, warped).astype(np.float32),
        utterance.speaker,
        utterance.text,
    )


def _eased(grid: np.ndarray, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The values at the knots, interpolated on the grid by half cosines."""
    position = np.interp(grid, knots, np.arange(len(knots)))
    lower = np.minimum(position.astype(int), len(knots) - 2)
    share = 0.5 - 0.5 * np.cos(np.pi * (position - lower))
    return values[lower] * (1 - share) + values[lower + 1] * share


def _oversampled(samples: np.ndarray, rate: float) -> np.ndarray:
    """The samples at 64 kHz, low-pass filtered so that nothing aliases when played `rate` times as fast."""
    from scipy.signal import firwin, resample_poly

    filter_ = firwin(40 * _OVERSAMPLING + 1, 0.97 / (_OVERSAMPLING * max(1.0, rate)))
    return resample_poly(samples, _OVERSAMPLING, 1, window=filter_)


def _without_silence(utterance: Utterance) -> Utterance | None:
    """The utterance from its first to its last sound, faded in and out over 4 ms; None if it is silent."""
    spoken = np.flatnonzero(utterance.phone_classes != phones.SILENCE)
    if not len(spoken):
        return None
    kept = slice(spoken[0], spoken[-1] + 1)
    begin, end = utterance.phone_times[kept][0, 0], min(utterance.phone_times[kept][-1, 1] + 0.03, 1e6)
    samples = utterance.samples[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)].astype(np.float64)
    fade = np.minimum(1, np.arange(len(samples)) / (_FADE_SECONDS * SAMPLE_RATE))
    return Utterance(
        samples * fade * fade[::-1],
        utterance.phone_classes[kept],
        utterance.phone_times[kept] - round(begin * SAMPLE_RATE) / SAMPLE_RATE,
        utterance.speaker,
        utterance.text,
    )


def _pause(generator: np.random.Generator) -> np.ndarray:
    """A silence of 0.12 to 1.5 s, mostly a short one."""
    return np.zeros(_count(0.12 + 1.4 * generator.random() ** 2.5))


def _breath(generator: np.random.Generator) -> np.ndarray:
    """The noise of breathing in: 0.15 to 0.5 s, band-limited, rising and falling, and a short silence.

    Its level is 17 to 32 dB below speech. It has no phone: the mouth is at rest.
    """
    count = _count(generator.uniform(0.15, 0.5))
    spectrum = np.fft.rfft(generator.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    centre, width = generator.uniform(1200, 3500), generator.uniform(0.5, 1.0)  # Hz, octaves
    spectrum *= np.exp(-0.5 * (np.log2(np.maximum(frequency, 50) / centre) / width) ** 2)
    noise = np.fft.irfft(spectrum, count)
    phase = np.linspace(0, 1, count) ** generator.uniform(0.6, 1.2)
    noise *= np.sin(np.pi * phase) ** 1.5
    level = 4000 * 10 ** (-generator.uniform(17, 32) / 20)  # speech with a peak of 20000 has an RMS of about 4000
    rest = np.zeros(_count(generator.uniform(0.03, 0.15)))
    return np.concatenate([noise / max(float(noise.std()), 1e-9) * level, rest])


def _count(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
