"""What every speech recogniser takes and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ...sample_store import Samples

Progress = Callable[[float, str], None]
IsCancelled = Callable[[], bool]

UNCERTAIN_BELOW = 0.5  # confidence of words that are marked for the user


@dataclass(frozen=True)
class RecognisedWord:
    """A word that a recogniser understood.

    Attributes:
        text: as it is written.
        start_seconds: its start in the sound.
        end_seconds: its end.
        confidence: probability that it is right, 0 to 1; 1 if the recogniser gives none.
    """

    text: str
    start_seconds: float
    end_seconds: float
    confidence: float = 1.0

    @property
    def is_uncertain(self) -> bool:
        """Whether the word is more likely wrong than right."""
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
