"""Annotations in tiers: which tier holds the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .written_cue import WrittenCue

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

    Their name decides: words, else sentences, else the tier with the longest labels that is not known to hold phones
    or notes.
    """
    with_words = [Tier(tier.name, _with_words(tier.cues), tier.language) for tier in tiers]
    with_words = [tier for tier in with_words if tier.cues]
    # A name such as "words - notes" or "phone words" is that of something else.
    plausible = [tier for tier in with_words if not _OTHER.search(tier.name.replace("_", " ")) or _is_maus(tier.name)]
    for pattern in (_WORDS, _SENTENCES):
        chosen = [tier for tier in plausible if pattern.search(tier.name.replace("_", " "))]
        if chosen:
            return chosen
    return sorted(plausible or with_words, key=lambda tier: -_label_length(tier))[:1]


def _is_maus(name: str) -> bool:
    return name.upper().startswith("ORT")


def _with_words(cues: Sequence[WrittenCue]) -> tuple[WrittenCue, ...]:
    return tuple(cue for cue in cues if any(map(str.isalnum, cue.text)) and not _NO_WORDS.fullmatch(cue.text.strip()))


def _label_length(tier: Tier) -> float:
    """Average number of letters of its labels."""
    return sum(len(cue.text) for cue in tier.cues) / len(tier.cues)
