"""Annotations in tiers: which tier holds the words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from .written_cue import DamagedText, WrittenCue

# Names of tiers, the best first: words one by one, then sentences. MAUS names its words ORT-MAU, the aligner of MFA
# "Anna - words"; utt, trs and similar are common in corpora.
_WORDS = re.compile(r"\b(?:words?|wrds?|ort|orth\w*|tokens?|wörter|wort|mots?|palabras?)\b", re.IGNORECASE)
_SENTENCES = re.compile(
    r"transc\w*|\btr[snc]\b|\btext|utt|sentence|phrase|speech|subtitle|caption|spoken|dialog|satz|äußerung",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"phon|\bph\b|\bphn\b|segment|\bmau\b|\bkan\b|\bsam\b|\bipa\b|syll|silb|tone|tobi|break|\bpos\b|lemma|gloss|transl|"
    r"\bft\b|\bge\b|morph|note|comment|gesture|gaze|pitch|f0|formant|\bvot\b|stress",
    re.IGNORECASE,
)
_PHONES = re.compile(r"phon|\b(?:ph|phn|mau|kan|sam|ipa)\b", re.IGNORECASE)
_LONGEST_PHONES = 3.0  # letters, on average
_SHORTEST_LABELS = 0.4  # of a speaker's tier, as a share of the longest labels
_MOST_OVERLAP = 0.5  # speakers interrupt each other less
# Labels of what is no word.
_NO_WORDS = re.compile(
    r"<[^<>]*>|\{[^{}]*\}|sil|silence|sp|spn|pau|pause|h#|#+|\.+|-+|_+|xxx|yyy|eps|breath|noise|unk", re.IGNORECASE
)


@dataclass(frozen=True)
class Tier:
    """A tier of annotations.

    Attributes:
        name: as the file has it.
        cues: its annotations in order.
        language: language tag; "" if the file names none.
    """

    name: str
    cues: tuple[WrittenCue, ...]
    language: str = ""


def tiers_of_words(tiers: Sequence[Tier]) -> list[Tier]:
    """The tiers with the spoken words: one, or one per speaker; without labels of what is no word.

    Their name decides: words, else sentences, else those with the longest labels that are not known to hold phones or
    notes.

    Raises:
        DamagedText: if there are only phones.
    """
    with_words = [Tier(tier.name, _with_words(tier.cues), tier.language) for tier in tiers]
    with_words = [tier for tier in with_words if tier.cues]
    # A name such as "words - notes" or "phone words" is that of something else.
    plausible = [tier for tier in with_words if not _OTHER.search(tier.name.replace("_", " ")) or _is_maus(tier.name)]
    for pattern in (_WORDS, _SENTENCES):
        chosen = [tier for tier in plausible if pattern.search(tier.name.replace("_", " "))]
        if chosen:
            return _of_speakers(chosen)
    candidates = plausible or with_words
    if candidates and all(map(_has_phones, candidates)):
        raise DamagedText("holds phones and no words; add a tier with the words, or give them as a text")
    longest = max(map(_label_length, candidates), default=0.0)
    return _of_speakers([tier for tier in candidates if _label_length(tier) >= _SHORTEST_LABELS * longest])


def _of_speakers(tiers: Sequence[Tier]) -> list[Tier]:
    """The tiers without those that say at the same time what another one says: translations, other spellings."""
    chosen: list[Tier] = []
    for tier in tiers:
        if all(_share_of_time(tier, other) < _MOST_OVERLAP for other in chosen):
            chosen.append(tier)
    return chosen


def _share_of_time(tier: Tier, other: Tier) -> float:
    """Share of a tier's cues whose middle lies in a cue of the other."""
    spans = sorted((cue.start_seconds, cue.end_seconds or cue.start_seconds) for cue in other.cues)
    starts = [start for start, _ in spans]
    num_inside = 0
    for cue in tier.cues:
        middle = (cue.start_seconds + (cue.end_seconds or cue.start_seconds)) / 2
        place = bisect_right(starts, middle) - 1
        num_inside += place >= 0 and middle <= spans[place][1]
    return num_inside / len(tier.cues)


def _is_maus(name: str) -> bool:
    return name.upper().startswith("ORT")


def _with_words(cues: Sequence[WrittenCue]) -> tuple[WrittenCue, ...]:
    return tuple(cue for cue in cues if any(map(str.isalnum, cue.text)) and not _NO_WORDS.fullmatch(cue.text.strip()))


def _has_phones(tier: Tier) -> bool:
    return _PHONES.search(tier.name.replace("_", " ")) is not None and _label_length(tier) <= _LONGEST_PHONES


def _label_length(tier: Tier) -> float:
    """Average number of letters of its labels."""
    return sum(len(cue.text) for cue in tier.cues) / len(tier.cues)
