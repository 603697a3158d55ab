"""Whose words a transcript holds: none yet, recognised ones, or the artist's; and what was recognised where.

A transcript is one line in a field, with three hidden companions: the words as they were recognised, the facts about
that recognition, and the times of words that came with times. Words in the field that are neither recognised nor empty
are the artist's, whatever the mode says: files of earlier versions have no mode.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Protocol

from ...transcript.recognisers.interface import Recognition
from ...transcript.timed_transcript import Cue, TimedTranscript
from ..scene.sound_part import SoundPart

AUTO_MODE, WRITTEN, NONE = "AUTO", "WRITTEN", "NONE"
MODE_ITEMS = [
    (AUTO_MODE, "Auto", "The words in the field; if there are none, they are recognised and written into it"),
    (WRITTEN, "Written", "The words in the field are the artist's: nothing is recognised"),
    (NONE, "None", "No words: the sound alone is followed. The field keeps what is in it"),
]
_MOST_SHOWN = 4  # uncertain words
_MOST_LETTERS = 24  # of an uncertain word: languages without spaces have long ones
_MOST_PAIRS = 2_000_000  # of equal words in two texts that are compared word by word, about a second
_SAME_TEXT = 0.5  # words in common from which on a text is a correction of another


class TranscriptSettings(Protocol):
    """The settings of a strip, a head or a scene that hold the words of a sound."""

    transcript: str
    language: str
    transcript_mode: str
    recognised: str
    recognition: str
    cues: str
    num_words: int
    num_fitting: int


@dataclass(frozen=True)
class Recognised:
    """What is kept about recognised words beside their text.

    Attributes:
        recogniser: name of the recogniser.
        language: tag of the language that was recognised.
        asked: the language that was set then; "auto" to find it out.
        uncertain: the words that the recogniser was not sure of, in the order of the sound.
        part: the part of the sound file that was recognised; None if it is not known.
    """

    recogniser: str = ""
    language: str = ""
    asked: str = ""
    uncertain: tuple[str, ...] = ()
    part: SoundPart | None = None


def one_line(text: str) -> str:
    """A text as a field of one line holds it: line breaks are spaces."""
    return " ".join(text.split())


def mode_of(words: TranscriptSettings) -> str:
    """The mode that counts: words that were not recognised are written ones, unless no words are wanted."""
    if words.transcript_mode == AUTO_MODE and words.transcript.strip() and words.transcript != words.recognised:
        return WRITTEN
    return words.transcript_mode


def mode_after_typing(words: TranscriptSettings) -> str:
    """The mode of a field that was just changed: clearing it lets the words be recognised again."""
    if words.transcript.strip():
        return AUTO_MODE if words.transcript == words.recognised else WRITTEN
    return NONE if words.transcript_mode == NONE else AUTO_MODE


def holds_own_words(words: TranscriptSettings) -> bool:
    """Whether the field holds words that the artist wrote or corrected."""
    return bool(words.transcript.strip()) and words.transcript != words.recognised


def keep_recognition(words: TranscriptSettings, found: Recognition, part: SoundPart | None) -> None:
    """Write recognised words into the field, with what is known about them."""
    facts = Recognised(found.recogniser, found.language, words.language, found.uncertain, part)
    words.recognition = json.dumps(asdict(facts))
    words.recognised = one_line(found.text)
    words.cues = ""
    words.transcript = words.recognised


def recognised_facts(words: TranscriptSettings) -> Recognised | None:
    """What is known of the recognised words; None if nothing was recognised, or a script has damaged it."""
    if not words.recognised:
        return None
    try:
        fields = json.loads(words.recognition)
        recogniser, language, asked = (str(fields[name]) for name in ("recogniser", "language", "asked"))
        part = _read_part(fields["part"]) if fields["part"] else None
        return Recognised(recogniser, language, asked, tuple(map(str, fields["uncertain"])), part)
    except (ValueError, TypeError, KeyError, OverflowError):
        return Recognised()


def _read_part(fields: dict[str, Any]) -> SoundPart:
    end = fields["end_seconds"]
    start = float(fields["start_seconds"])
    retiming = str(fields.get("retiming", ""))  # older parts do not have it
    return SoundPart(
        str(fields["file"]), int(fields["num_bytes"]), start, None if end is None else float(end), retiming
    )


def recognised_language(words: TranscriptSettings) -> str:
    """The language that was recognised, if the field holds those words or a correction of them; else empty."""
    facts = recognised_facts(words)
    if facts is None:
        return ""
    if words.transcript != words.recognised:
        matcher = SequenceMatcher(None, words.recognised.split(), words.transcript.split(), autojunk=False)
        if matcher.quick_ratio() < _SAME_TEXT:
            return ""
    return facts.language


def change_since(words: TranscriptSettings, now: SoundPart | None) -> str:
    """What was changed since the words in the field were recognised, as a clause; empty if they are still good.

    Args:
        words: the settings; words that the artist wrote anew were recognised in nothing.
        now: the part of the sound file that is spoken; None if it is not known.
    """
    facts = recognised_facts(words)
    if facts is None or facts.part is None or now is None or not words.transcript.strip():
        return ""
    is_untouched = words.transcript == words.recognised
    if is_untouched and words.language != facts.asked:
        return "the language was changed"
    return facts.part.change(now) if is_untouched or recognised_language(words) else ""


def keep_cues(words: TranscriptSettings, transcript: TimedTranscript) -> None:
    """Write words with times, which count from the beginning of the sound file, into the field."""
    cues = [(text, cue.start_seconds, cue.end_seconds) for cue in transcript.cues if (text := one_line(cue.text))]
    words.cues = json.dumps({"language": transcript.language, "cues": cues}, ensure_ascii=False)
    words.transcript = " ".join(text for text, _, _ in cues)


def kept_cues(words: TranscriptSettings) -> TimedTranscript | None:
    """The words with the times in the sound file that are kept of them.

    None if there are none, or the words are other ones by now. A corrected word has the time of the cue that held the
    word before.
    """
    kept = _read_cues(words.cues)
    if kept is None:
        return None
    texts = [cue.text for cue in kept.cues]
    if " ".join(texts) != words.transcript:
        texts = _shared_out(texts, words.transcript.split())
    cues = tuple(replace(cue, text=text) for cue, text in zip(kept.cues, texts, strict=True) if text)
    return replace(kept, cues=cues) if cues else None


def _read_cues(written: str) -> TimedTranscript | None:
    """What `keep_cues` wrote; None if there is nothing, or a script has damaged it."""
    try:
        fields = json.loads(written)
        read = (Cue(one_line(str(text)), float(start), float(end)) for text, start, end in fields["cues"])
        cues = tuple(cue for cue in read if cue.text and math.isfinite(cue.start_seconds + cue.end_seconds))
        return TimedTranscript(cues, str(fields["language"])) if cues else None
    except (ValueError, TypeError, KeyError):
        return None


def _shared_out(texts: list[str], corrected: list[str]) -> list[str]:
    """The corrected words, shared out among the texts that they were; all empty if they are another text."""
    before = [word for text in texts for word in text.split()]
    cue_of = [number for number, text in enumerate(texts) for _ in text.split()]
    shares: list[list[str]] = [[] for _ in texts]
    changes, num_same = _changes(before, corrected)
    for start, end, first, last in changes:
        for place in range(first, last):
            # An added word goes to the word before it; several for one are spread over its place.
            index = start + (place - first) * (end - start) // (last - first) if end > start else max(0, start - 1)
            shares[cue_of[index]].append(corrected[place])
    if num_same < _SAME_TEXT * len(corrected):
        return [""] * len(texts)
    return [" ".join(share) for share in shares]


def _changes(before: list[str], corrected: list[str]) -> tuple[list[tuple[int, int, int, int]], int]:
    """Which words became which, as ranges in both that follow each other, and how many words are the same.

    Texts so long that comparing them word by word would stop Blender are compared at their ends only.
    """
    shorter = min(len(before), len(corrected))
    head = next((number for number in range(shorter) if before[number] != corrected[number]), shorter)
    tail = next((n for n in range(shorter - head) if before[-1 - n] != corrected[-1 - n]), shorter - head)
    old, new = before[head : len(before) - tail], corrected[head : len(corrected) - tail]
    in_old, in_new = Counter(old), Counter(new)
    changes = [(number, number + 1, number, number + 1) for number in range(head)]
    if sum(count * in_new[word] for word, count in in_old.items()) > _MOST_PAIRS:
        num_same = (in_old & in_new).total()
        changes.append((head, head + len(old), head, head + len(new)))
    else:
        codes = SequenceMatcher(None, old, new).get_opcodes()
        num_same = sum(end - start for kind, start, end, _, _ in codes if kind == "equal")
        changes.extend((head + a, head + b, head + c, head + d) for _, a, b, c, d in codes)
    first, last = len(before) - tail, len(corrected) - tail
    changes.extend((first + n, first + n + 1, last + n, last + n + 1) for n in range(tail))
    return changes, head + num_same + tail


def describe_words(words: TranscriptSettings) -> str:
    """A line for the panel about where the words come from; empty if there is nothing to say."""
    mode, facts = mode_of(words), recognised_facts(words)
    if mode == NONE:
        return "Sound alone"
    if not words.transcript.strip():
        return ""
    if (cues := _read_cues(words.cues)) is not None and " ".join(cue.text for cue in cues.cues) == words.transcript:
        return "1 cue with times" if len(cues.cues) == 1 else f"{len(cues.cues)} cues with times"
    if facts is None:
        return ""
    if words.transcript != words.recognised:
        return "Corrected" if recognised_language(words) else ""
    line = f"Recognised ({facts.recogniser})" if facts.recogniser else "Recognised"
    if not (number := len(facts.uncertain)):
        return line
    shown = ", ".join(_shortened(word) for word in facts.uncertain[:_MOST_SHOWN]) + (
        ", …" if number > _MOST_SHOWN else ""
    )
    return f"{line}, {number} {'word' if number == 1 else 'words'} uncertain: {shown}"


def _shortened(word: str) -> str:
    return word if len(word) <= _MOST_LETTERS else f"{word[: _MOST_LETTERS - 1]}…"
