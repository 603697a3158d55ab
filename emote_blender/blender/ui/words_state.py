"""What the panel says about the words of the chosen sound."""

from __future__ import annotations

from dataclasses import dataclass

from ...transcript.recognisers.choose import has_recogniser
from ..scene.sound_part import SoundPart
from ..settings.recogniser_info import recogniser_folder
from ..settings.transcript_state import NONE, TranscriptSettings, change_since, describe_words, holds_own_words, mode_of

RECOGNISED, OPTIONAL, UNUSED = "Words (recognised if left empty)", "Words (optional)", "Words (not used)"


@dataclass(frozen=True)
class WordsState:
    """The words of a sound.

    Attributes:
        placeholder: what the empty field says.
        line: where the words come from, in a few words; empty if there is nothing to say.
        is_used: whether the words in the field count.
        are_own: whether they were written or corrected by hand.
        is_outdated: whether the sound or the language was changed since they were recognised.
        remark: a sentence about that; else empty.
    """

    placeholder: str = OPTIONAL
    line: str = ""
    is_used: bool = True
    are_own: bool = False
    is_outdated: bool = False
    remark: str = ""


def words_state(words: TranscriptSettings, part: SoundPart | None) -> WordsState:
    """The state of the words of a sound, of which this part of its file is spoken."""
    is_used, are_own = mode_of(words) != NONE, holds_own_words(words)
    placeholder = RECOGNISED if has_recogniser(words.language, recogniser_folder()) else OPTIONAL
    change = change_since(words, part) if is_used else ""
    remark = ""
    if change:
        cure = "check them, or recognise them again" if are_own else "they are recognised again when you generate"
        remark = f"Since the words were recognised, {change}: {cure}"
    return WordsState(
        placeholder=placeholder if is_used else UNUSED,
        line=describe_words(words),
        is_used=is_used,
        are_own=are_own,
        is_outdated=bool(change),
        remark=remark,
    )
