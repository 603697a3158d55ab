"""The words of a sound, with the times that are known of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cue:
    """Words whose place in the sound is roughly known.

    Attributes:
        text: the spoken words, without markup.
        start_seconds: time before which none of them is spoken; seconds from the start of the sound, may be negative.
        end_seconds: time after which none of them is spoken.
    """

    text: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class TimedTranscript:
    """The spoken words of a sound, as cues in the order of their start.

    Attributes:
        cues: at least one; they may overlap, and may lie outside the sound.
        language: language tag that the source names; "" if it names none.
        warnings: one sentence for each kind of fault of the source that was mended or left out.
    """

    cues: tuple[Cue, ...]
    language: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All words, one line per cue."""
        return "\n".join(cue.text for cue in self.cues)

    def shifted(self, seconds: float) -> TimedTranscript:
        """The same words, each this much later."""
        return self.mapped(lambda time: time + seconds)

    def mapped(self, new_time: Callable[[float], float]) -> TimedTranscript:
        """The same words at other times; `new_time` gives a later time, or the same, for a later one."""
        moved = (
            replace(cue, start_seconds=new_time(cue.start_seconds), end_seconds=new_time(cue.end_seconds))
            for cue in self.cues
        )
        return replace(self, cues=tuple(moved))

    def within(self, start_seconds: float, end_seconds: float) -> TimedTranscript | None:
        """The cues of which at least a part lies between two times; None if there is none."""
        cues = tuple(cue for cue in self.cues if cue.end_seconds >= start_seconds and cue.start_seconds <= end_seconds)
        return replace(self, cues=cues) if cues else None
