"""What every speech recogniser takes and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ...sample_store import Samples

Progress = Callable[[float, str], None]
IsCancelled = Callable[[], bool]

# Confidence of words that are marked for the user: with pocketsphinx a quarter of the words, of which 37 % are wrong,
# against 15 % of the others (880 words in 100 lines).
UNCERTAIN_BELOW = 0.5


@dataclass(frozen=True)
class RecognisedWord:
    """A word that a recogniser understood.

    Attributes:
        text: as it is written.
        start_seconds: its start in the sound.
        end_seconds: its end.
        confidence: the recogniser's probability of it, 0 to 1; 1 if the recogniser gives none.
    """

    text: str
    start_seconds: float
    end_seconds: float
    confidence: float = 1.0

    @property
    def is_uncertain(self) -> bool:
        """Whether the recogniser was so unsure of the word that someone should check it."""
        return self.confidence < UNCERTAIN_BELOW


@dataclass(frozen=True)
class Recognition:
    """What a recogniser understood of a sound.

    Attributes:
        words: in the order of the sound; empty if no speech was found.
        language: tag of the language that was recognised, such as "en-us".
        recogniser: name of the recogniser, for reports.
    """

    words: tuple[RecognisedWord, ...]
    language: str
    recogniser: str

    @property
    def text(self) -> str:
        """The words with spaces between them."""
        return " ".join(word.text for word in self.words)

    @property
    def uncertain(self) -> tuple[str, ...]:
        """The words that the recogniser is not sure of, in the order of the sound."""
        return tuple(word.text for word in self.words if word.is_uncertain)

    def marked_text(self, most_words: int = 200) -> str:
        """The first words with spaces between them, the uncertain ones as [word?], and how many more there are."""
        marked = [f"[{word.text}?]" if word.is_uncertain else word.text for word in self.words[:most_words]]
        more = len(self.words) - len(marked)
        return " ".join(marked) + (f" ... ({more} more words)" if more else "")

    def as_dict(self) -> dict[str, Any]:
        """The words for JSON."""
        return {
            "recogniser": self.recogniser,
            "recognised_words": [
                {
                    "text": word.text,
                    "start": round(word.start_seconds, 2),
                    "end": round(word.end_seconds, 2),
                    "confidence": round(word.confidence, 2),
                    "uncertain": word.is_uncertain,
                }
                for word in self.words
            ],
        }


class Recogniser(Protocol):
    """A speech recogniser that is ready to use."""

    @property
    def name(self) -> str:
        """Its name, for reports and menus."""
        ...

    @property
    def languages(self) -> tuple[str, ...] | None:
        """The languages that it understands, as tags; None if it finds out by itself what is spoken."""
        ...

    def recognise(
        self,
        samples: Samples,
        language: str = "auto",
        progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Recognition:
        """The words of a sound.

        Args:
            samples: (N,) float32 at 16 kHz, read by slices.
            language: tag of the language that is spoken, or "auto".
            progress: called with a fraction 0 to 1 and a text.
            cancelled: called about once per second of work.

        Raises:
            InputError: if the recogniser does not understand the language.
            Cancelled: if `cancelled` returns True.
        """
        ...
