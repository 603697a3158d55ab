"""What a face follows beside the sound: words that are there, words that are to be recognised, or nothing.

`plan_words` reads settings and belongs to the main thread; `recognise_planned` touches no bpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...errors import Cancelled, EmoteError
from ...transcript.language import AUTO
from ...transcript.language_tags import is_automatic
from ...transcript.recognisers.interface import Recognition
from ...transcript.timed_transcript import TimedTranscript
from ..blend_paths import beside_blend
from ..scene.sound_part import LENGTHENED
from ..scene.strips import FileSound, StripSound
from ..settings.recogniser_info import recogniser_folder
from ..settings.transcript_state import (
    NONE,
    WRITTEN,
    change_since,
    holds_own_words,
    kept_cues,
    mode_of,
    one_line,
    recognised_language,
)
from .recognition import Place, no_speech_sentence, recognise

if TYPE_CHECKING:
    from ...speech_model.config import EMOTEConfig

# What a script gives instead of words.
AUTO_WORDS, NO_WORDS = "auto", "none"


@dataclass(frozen=True)
class PlannedWords:
    """What is followed beside the sound.

    Attributes:
        transcript: the spoken words; None for the sound alone. If they are to be recognised, what is followed if that
            is not possible.
        language: that is spoken.
        to_recognise: whether the words are to be recognised.
        recogniser_folder: folder of the speech recogniser; empty for the one that comes with the add-on.
        may_be_left_out: whether the sound alone is followed if the words cannot be, as nobody wrote them.
        warnings: what the user should know, one sentence each.
    """

    transcript: str | TimedTranscript | None = None
    language: str = AUTO
    to_recognise: bool = False
    recogniser_folder: str = ""
    may_be_left_out: bool = False
    warnings: tuple[str, ...] = ()


def plan_words(
    sound: StripSound | FileSound, place: Place | None, given: str | None, language: str | None, config: EMOTEConfig
) -> PlannedWords:
    """What is followed beside a sound.

    Args:
        sound: the sound.
        place: where its words are kept; None for a sound without such a place, whose words are recognised.
        given: the words, a file with them, "auto", "none" or an empty text; None for what is kept.
        language: that is spoken; None for what is kept.
        config: of the speech model.

    Raises:
        InputError: if the words cannot be used.
        ModelError: if words cannot be pronounced here.
    """
    from ...pipeline import uses_transcript

    kept = place.find() if place is not None else None
    is_able = uses_transcript(config)
    spoken = language or (kept.language if kept is not None else "") or AUTO
    automatic = PlannedWords(None, spoken, is_able, recogniser_folder(), is_able)
    if given is not None:
        if given.strip().lower() in ("", NO_WORDS):
            return PlannedWords()
        if given.strip().lower() == AUTO_WORDS:
            return automatic
        transcript, warnings = _read(given, sound)
    else:
        if kept is None:
            return automatic
        mode, is_empty = mode_of(kept), not kept.transcript.strip()
        if mode == NONE or (mode == WRITTEN and is_empty):
            return PlannedWords()
        change = change_since(kept, place.part if place is not None else None)
        is_untouched = not holds_own_words(kept)
        if is_empty:
            return automatic
        if is_untouched and change:
            return replace(automatic, transcript=kept.transcript if change == LENGTHENED else None)
        spoken = recognised_language(kept) or spoken if is_automatic(spoken) else spoken
        if is_untouched and is_able:
            return PlannedWords(kept.transcript, spoken, may_be_left_out=True)
        cues = kept_cues(kept)
        transcript, warnings = (sound.timed_from_start(cues), ()) if cues is not None else _read(kept.transcript, sound)
        if change:
            warnings = (*warnings, stale_sentence(sound.name, change))
    if not is_able:
        return PlannedWords(
            warnings=(f"the model {config.name} cannot use a transcript; the sound alone was followed",)
        )
    _require_language(spoken)
    return PlannedWords(transcript, spoken, warnings=warnings)


def stale_sentence(name: str, change: str) -> str:
    """The sentence for corrected words of a sound that has changed."""
    return f"since the words of {name!r} were recognised, {change}; check them, or recognise them again"


def recognise_planned(
    sound: StripSound | FileSound,
    planned: PlannedWords,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Recognition | None, PlannedWords]:
    """The recognised words, or None, and what is then followed: those words, or the sound alone with a warning.

    Raises:
        Cancelled: if `cancelled` returns True.
    """
    try:
        found = recognise(sound, planned.language, planned.recogniser_folder, progress, cancelled)
        if found.words:
            _require_language(found.language)  # a recogniser may know one that espeak-ng does not speak
    except Cancelled:
        raise
    except EmoteError as error:
        if planned.transcript is None:
            return None, without_words(planned, str(error))
        return None, replace(planned, warnings=(f"{error}; the words from before were followed",))
    if not found.words:
        return None, without_words(planned, no_speech_sentence(sound.name))
    language = found.language if is_automatic(planned.language) else planned.language
    return found, replace(planned, transcript=one_line(found.text), language=language)


def without_words(planned: PlannedWords, reason: str) -> PlannedWords:
    """The sound alone, with a warning that says why."""
    return PlannedWords(warnings=(*planned.warnings, f"{reason}; the sound alone was followed"))


def _require_language(language: str) -> None:
    """Raise InputError if espeak-ng does not speak the language."""
    from ...transcript.pronunciation import require_language  # here, as enabling the add-on needs no pronunciation

    require_language(language)


def _read(given: str, sound: StripSound | FileSound) -> tuple[str | TimedTranscript, tuple[str, ...]]:
    """The words that a text or a file gives, with times that count from the beginning of the sound, and warnings."""
    from ...transcript.text import read_transcript  # here, as enabling the add-on needs no readers of files

    transcript = read_transcript(beside_blend(given.strip()))
    if isinstance(transcript, str):
        return transcript, ()
    return sound.timed_from_start(transcript), transcript.warnings
