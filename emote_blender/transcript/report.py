"""How well a transcript matches a sound: each word's place, and what does not match in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NOT_FOUND, MISFIT = "not found", "sounds different"

_MOST_SENTENCES = 8
_FEWEST_OUTSIDE = 3  # words at an end of a text that is spoken in part


@dataclass(frozen=True)
class AlignedWord:
    """A word of the transcript and its place in the sound.

    Attributes:
        text: the word as it is written.
        start_seconds: start of the word; if it does not match, the place where it would have to be.
        end_seconds: its end.
        reason: why the word was not followed; empty if it was.
    """

    text: str
    start_seconds: float
    end_seconds: float
    reason: str = ""

    @property
    def fits(self) -> bool:
        """Whether the word was followed."""
        return not self.reason


@dataclass(frozen=True)
class TranscriptReport:
    """How well a transcript matches a clip.

    Attributes:
        language: code of its language.
        words: its words, in order; of a long text, those near the part that is spoken.
        other_sound: (start, end) in seconds of sound that is not in the transcript.
        ignored: whether so little matches that no word was followed.
        share_of_sound: share of the speech in the sound that matching words explain, 0 to 1.
        num_elsewhere: number of words of a long text that are not in `words`.
        times_off: seconds by which the words are later than the times of their cues, if those were not used.
    """

    language: str
    words: tuple[AlignedWord, ...]
    other_sound: tuple[tuple[float, float], ...] = ()
    ignored: bool = False
    share_of_sound: float = 1.0
    num_elsewhere: int = 0
    times_off: float | None = None

    @property
    def share(self) -> float:
        """Share of the words that were followed."""
        return 0.0 if self.ignored else self.num_fitting / self.num_words

    @property
    def num_words(self) -> int:
        """Number of the words of the whole text."""
        return len(self.words) + self.num_elsewhere

    @property
    def num_fitting(self) -> int:
        """Number of the words that match the sound, followed or not."""
        return sum(word.fits for word in self.words)

    @property
    def num_outside(self) -> int:
        """Number of words of the text before and after the part that is spoken; 0 if it is spoken as a whole."""
        first, last = self._part()
        return self.num_words - (last - first)

    def _part(self) -> tuple[int, int]:
        """(first, last + 1) of the words that are spoken in the sound.

        A word or two that do not match at the beginning or the end are taken for wrong words, not for words outside.
        """
        fits = [index for index, word in enumerate(self.words) if word.fits]
        if self.ignored or not fits:
            return 0, self.num_words
        first, last = fits[0], fits[-1] + 1
        fewest = 1 if self.num_elsewhere else _FEWEST_OUTSIDE
        return (first if first >= fewest else 0), (last if len(self.words) - last >= fewest else len(self.words))

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        return {
            "language": self.language,
            "share_followed": round(self.share, 3),
            "share_of_sound": 0.0 if self.ignored else round(self.share_of_sound, 3),
            "words": [
                {
                    "text": word.text,
                    "start": round(word.start_seconds, 2),
                    "end": round(word.end_seconds, 2),
                    "fits": word.fits and not self.ignored,
                    "reason": word.reason or (self.ignored and "transcript ignored") or "",
                }
                for word in self.words
            ],
            "words_elsewhere": self.num_elsewhere,
            "other_sound": [[round(start, 2), round(end, 2)] for start, end in self.other_sound],
        }

    def summary(self) -> dict[str, Any]:
        """The part of the report that a motion's metadata keeps."""
        return {
            "language": self.language,
            "words": self.num_words,
            "outside": self.num_outside,
            "fitting": self.num_fitting,
            "followed": 0 if self.ignored else self.num_fitting,
            "share_of_sound": 0.0 if self.ignored else round(self.share_of_sound, 3),
            "misfits": self.sentences(),
        }

    def sentences(self) -> list[str]:
        """What does not match, one sentence each, in the order of the clip; empty if all words match."""
        num_fitting, first, last = self.num_fitting, *self._part()
        if self.ignored:
            fitting = f"{num_fitting} of {self.num_words} words do"
            if 2 * num_fitting > self.num_words:  # a few short words fit somewhere in any sound
                fitting = f"it has words for {100 * self.share_of_sound:.0f} % of the speech"
            return [
                f"the transcript does not fit the sound ({fitting}, read as {self.language!r}); the sound alone was "
                "followed; check the text and its language"
            ]
        found = [*self._misfits(self.words[first:last]), *self._other_sounds()]
        found.sort()
        sentences = [*self._about_times(), *self._about_the_part(), *(text for _, text in found[:_MOST_SENTENCES])]
        if len(found) > _MOST_SENTENCES:
            more = len(found) - _MOST_SENTENCES
            sentences.append(f"{more} more places do not fit; {num_fitting} of {last - first} words were followed")
        return sentences

    def _about_times(self) -> list[str]:
        """A sentence if the times of the cues were not used."""
        if self.times_off is None:
            return []
        how = f"{abs(self.times_off):.1f} s too {'early' if self.times_off > 0 else 'late'}"
        return [f"the times of the transcript do not fit the sound (about {how}); its words were followed without them"]

    def _about_the_part(self) -> list[str]:
        """A sentence if only a part of the text is spoken."""
        first, last = self._part()
        if not self.num_outside:
            return []
        part = _shortened(" ".join(word.text for word in self.words[first:last]), 80)
        return [
            f"the sound holds a part of the transcript, {part!r}; {self.num_outside} of its {self.num_words} words "
            f"are not in this sound"
        ]

    def _misfits(self, words: tuple[AlignedWord, ...]) -> list[tuple[float, str]]:
        """(seconds, sentence) for each run of words that do not match."""
        stretches: list[list[AlignedWord]] = []
        for before, word in zip((None, *words), words):
            if not word.fits:
                if before is None or before.fits:
                    stretches.append([])
                stretches[-1].append(word)
        found = []
        for stretch in stretches:
            start = stretch[0].start_seconds
            names = _shortened(" ".join(word.text for word in stretch), 60)
            some = f"word {names!r}" if len(stretch) == 1 else f"words {names!r}"
            is_absent = all(word.reason == NOT_FOUND for word in stretch)
            what = ("do" if len(stretch) > 1 else "does") + " not fit the sound"
            what = ("were" if len(stretch) > 1 else "was") + " not found" if is_absent else what
            found.append((start, f"{some} at {start:.1f} s {what}; the sound was followed there"))
        return found

    def _other_sounds(self) -> list[tuple[float, str]]:
        """(seconds, sentence) for each stretch of sound without a word of the transcript nearby."""
        first, last = self._part()
        misfits = [word for word in self.words[first:last] if not word.fits]
        found = []
        for start, end in self.other_sound:
            is_misfit = any(word.start_seconds < end + 0.3 and word.end_seconds > start - 0.3 for word in misfits)
            if not is_misfit:
                what = f"{end - start:.1f} s of sound from {start:.1f} s are not in the transcript"
                found.append((start, f"{what}; the sound was followed there"))
        return found


def _shortened(text: str, length: int) -> str:
    """The text, or its beginning and its end with dots between."""
    return text if len(text) <= length else f"{text[: length // 2 - 1]}...{text[-(length // 2 - 2) :]}"
