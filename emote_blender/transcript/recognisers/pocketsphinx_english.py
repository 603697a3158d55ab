"""English by pocketsphinx and the model in its wheel: built in, no download."""

from __future__ import annotations

import numpy as np

from ...errors import InputError, ModelError
from ...sample_store import Samples
from . import pocketsphinx_worker
from .built_in import NAME, find_library, is_english
from .credible_words import credible_words
from .interface import IsCancelled, Progress, RecognisedWord, Recognition
from .pocketsphinx_pool import CURE, DecodedWord, decode_utterances
from .utterances import SAMPLE_RATE, find_utterances, group_utterances

LANGUAGE = "en-us"
# Utterances are recognised together up to this length. Of 14 lines with pauses, 20 % of the words were wrong as wholes,
# and 22 % divided at every pause; of a monologue 2 % in stretches of 8 s, and 6 % in stretches of 15 s.
_TOGETHER_SECONDS, _LONGEST_PAUSE_SECONDS = 8.0, 1.0
_PEAK = 0.7  # of full scale, for every utterance
# A long sound in which none of so many utterances, spread evenly, is credible is not recognised further.
_SAMPLE = 16
_PADDING = np.zeros(SAMPLE_RATE // 5, np.int16)


class PocketsphinxEnglish:
    """The recogniser that is built in. It understands US English; its methods may be called from any thread."""

    name = NAME
    languages = (LANGUAGE,)

    def __init__(self) -> None:
        """Find the library and its model.

        Raises:
            ModelError: if either is missing.
        """
        library = find_library()
        if library is None:
            raise ModelError(f"the words cannot be recognised without pocketsphinx, which is not installed; {CURE}")
        self._library = library
        model = self._library / "model" / "en-us"
        if not model.is_dir():
            raise ModelError(f"{model} not found: pocketsphinx has no model; {CURE}")

    def recognise(
        self,
        samples: Samples,
        language: str = "auto",
        progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Recognition:
        """The words of a sound; see `Recogniser.recognise`. There are none in music, noise or another language.

        The same sound gives the same words: no utterance depends on those before it.

        Raises:
            InputError: if the language is not English.
            ModelError: if pocketsphinx does not run.
            Cancelled: if `cancelled` returns True.
        """
        if not is_english(language):
            raise InputError(f"{NAME} understands en only, found the language {language!r}")
        groups = group_utterances(find_utterances(samples), _TOGETHER_SECONDS, _LONGEST_PAUSE_SECONDS)
        utterances = [(group[0][0], group[-1][1]) for group in groups]
        order, num_sampled = _order(len(utterances))
        words: dict[int, list[RecognisedWord]] = {}
        done, total = 0, sum(stop - start for start, stop in utterances)
        if progress is not None:
            progress(0.0, "Recognising the words")

        def pcm(index: int) -> bytes:
            start, stop = utterances[index]
            return to_pcm(samples[start:stop])

        for index, found in decode_utterances(order, pcm, self._library, cancelled):
            start, stop = utterances[index]
            words[index] = _words(found, start / SAMPLE_RATE, stop / SAMPLE_RATE)
            done += stop - start
            if progress is not None:
                progress(done / total, "Recognising the words")
            if len(words) == num_sampled and not any(map(credible_words, words.values())):
                break
        found_words = [word for index in sorted(words) for word in words[index]]
        return Recognition(tuple(credible_words(found_words)), LANGUAGE, NAME)


def _order(num_utterances: int) -> tuple[list[int], int]:
    """The order in which utterances are decoded, and how many at its beginning are spread evenly over the sound."""
    if num_utterances < 3 * _SAMPLE:
        return list(range(num_utterances)), num_utterances
    sample = [(2 * part + 1) * num_utterances // (2 * _SAMPLE) for part in range(_SAMPLE)]
    return [*sample, *sorted(set(range(num_utterances)) - set(sample))], _SAMPLE


def to_pcm(samples: np.ndarray) -> bytes:
    """16-bit PCM of an utterance (N,) with its peak at a fixed level and silence around it."""
    samples = np.asarray(samples, dtype=np.float32)
    samples = samples - samples.mean()
    peak = float(np.abs(samples).max())
    scaled = np.rint(samples * (32767 * _PEAK / peak if peak > 0 else 0.0)).astype("<i2")
    return np.concatenate([_PADDING, scaled, _PADDING]).astype("<i2").tobytes()


def _words(found: list[DecodedWord], start_seconds: float, stop_seconds: float) -> list[RecognisedWord]:
    """The words of an utterance that lasts from `start_seconds` to `stop_seconds`, without fillers."""
    rate = pocketsphinx_worker.FRAMES_PER_SECOND
    begin = start_seconds - len(_PADDING) / SAMPLE_RATE
    words = []
    for text, first, last, probability in found:
        if text[0] in "<[+":  # silence, noise, breath
            continue
        start, end = (min(max(begin + frame / rate, start_seconds), stop_seconds) for frame in (first, last + 1))
        words.append(RecognisedWord(text.split("(")[0], start, end, min(1.0, probability)))
    return words
