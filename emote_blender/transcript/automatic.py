"""A transcript without typing: the words of a sound, by a speech recogniser."""

from __future__ import annotations

from ..audio import SAMPLE_RATE, Waveform
from .language import AUTO
from .language_tags import is_automatic
from .pronunciation import find_language
from .recognisers.choose import open_recogniser
from .recognisers.interface import IsCancelled, Progress, Recognition


def recognise_words(
    waveform: Waveform,
    language: str = AUTO,
    folder: str = "",
    progress: Progress | None = None,
    cancelled: IsCancelled | None = None,
) -> Recognition:
    """The words of a sound; none if it holds no speech, or a language that the recogniser does not understand.

    Args:
        waveform: any sample rate.
        language: tag or name of the language that is spoken, or "auto".
        folder: folder of a recogniser that the user chose; "" for the one that is built in.
        progress: called with a fraction 0 to 1 and a text.
        cancelled: called about once per second.

    Raises:
        InputError: if the language is unknown, or the recogniser does not understand it.
        ModelError: if there is no recogniser for the language, or it cannot be used.
        Cancelled: if `cancelled` returns True.
    """
    language = language_code(language)
    recogniser = open_recogniser(language, folder)
    sound = waveform.resampled(SAMPLE_RATE)
    return recogniser.recognise(sound.samples, language, progress, cancelled)


def language_code(language: str) -> str:
    """The code of a language by any tag or name, or "auto"; raises InputError if it is unknown."""
    return AUTO if is_automatic(language) else find_language(language)
