"""What a check finds, and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .subject import Subject

# ERROR: the face, or its jaw, stands still. WARNING: it moves otherwise than the take. INFO: good to know.
Severity = Literal["ERROR", "WARNING", "INFO"]
_ORDER: tuple[Severity, ...] = ("ERROR", "WARNING", "INFO")
_MOST_NAMES = 3


@dataclass(frozen=True)
class Problem:
    """Something that keeps a take from playing as it was generated.

    Attributes:
        severity: how bad it is.
        sentence: what is wrong, where, and what to do.
        fix: identifier of the fix that Blender allows, or None.
        other_fix: a second fix, where the artist has to choose; else None.
    """

    severity: Severity
    sentence: str
    fix: str | None = None
    other_fix: str | None = None

    @property
    def fixes(self) -> tuple[str, ...]:
        """Identifiers of the fixes there are."""
        return tuple(fix for fix in (self.fix, self.other_fix) if fix)


@dataclass(frozen=True)
class Fix:
    """A change that mends one kind of problem on one head.

    Attributes:
        label: text of its button.
        description: what it changes.
        apply: makes the change; changes nothing if there is no such problem. Raises EmoteError if it cannot.
    """

    label: str
    description: str
    apply: Callable[[Subject], None]


Check = Callable[["Subject"], "Problem | None"]


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, the worst first."""
    return sorted(problems, key=lambda problem: _ORDER.index(problem.severity))


def listed(names: Iterable[str]) -> str:
    """Names for a sentence: the first few, and that there are more."""
    all_names = list(names)
    return ", ".join(all_names[:_MOST_NAMES]) + (", …" if len(all_names) > _MOST_NAMES else "")


def counted(number: int, thing: str) -> str:
    """A number and a noun: `1 shape key`, `12 shape keys`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def is_or_are(number: int) -> str:
    """The verb for so many things."""
    return "is" if number == 1 else "are"


def was_or_were(number: int) -> str:
    """The verb for so many things, in the past."""
    return "was" if number == 1 else "were"
