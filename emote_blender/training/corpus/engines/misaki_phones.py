"""Phone classes of the symbols that the neural voices speak: misaki's IPA, one character for each sound or mark."""

from __future__ import annotations

from ....transcript.phones import IPA_KIN
from .. import phones

PAUSES = frozenset(' ,.!?;:—…"()“”$')
"""Symbols without a sound of their own; "$" stands for the start and the end."""
STRESS = frozenset("ˈˌ")

_MISAKI = {
    "A": ("EH", "IH"),
    "I": ("AA", "IH"),
    "W": ("AA", "UH"),
    "Y": ("AO", "IH"),
    "O": ("OW", "UH"),
    "Q": ("AX", "UH"),
    "ʧ": ("T", "SH"),
    "ʤ": ("D", "ZH"),
    "ʣ": ("D", "Z"),
    "ʦ": ("T", "S"),
    "T": ("RT",),
    "ᵊ": ("AX",),
}


def classes_of(symbol: str) -> tuple[str, ...]:
    """The one or two classes of a symbol; none for marks such as length, "sil" for `PAUSES`."""
    if symbol in PAUSES:
        return ("sil",)
    if symbol in STRESS:
        return ()
    return _MISAKI.get(symbol) or phones.from_ipa(symbol.translate(IPA_KIN))
