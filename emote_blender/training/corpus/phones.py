"""The 39 phone classes of the corpus, which are those of `transcript.phones`, and their ARPABET names."""

from ...transcript.phones import BILABIALS, CLASS_INDEX, CLASSES, LABIODENTALS, SILENCE, VISEMES, VOWELS, from_ipa

__all__ = [
    "BILABIALS",
    "CLASSES",
    "CLASS_INDEX",
    "LABIODENTALS",
    "SILENCE",
    "VISEMES",
    "VOWELS",
    "from_arpabet",
    "from_ipa",
]

_ARPABET = {
    "EY": ("EH", "IH"),
    "AY": ("AA", "IH"),
    "OW": ("OW", "UH"),
    "AW": ("AA", "UH"),
    "OY": ("AO", "IH"),
    "CH": ("T", "SH"),
    "JH": ("D", "ZH"),
    "AXR": ("ER",),
    "IX": ("IH",),
    "UX": ("UW",),
    "EL": ("L",),
    "EM": ("M",),
    "EN": ("N",),
    "NX": ("N",),
    "DX": ("D",),
    "HV": ("HH",),
    **dict.fromkeys(("PAU", "SIL", "SSIL", "H#", "BRTH", "#"), ("sil",)),
}


def from_arpabet(symbol: str) -> tuple[str, ...] | None:
    """The one or two classes of a phone of flite or English festival, without stress digits; None if it is unknown."""
    bare = symbol.upper().rstrip("012")
    if bare in _ARPABET:
        return _ARPABET[bare]
    if bare in CLASS_INDEX and bare not in ("RT", "X", "YU", "EU"):
        return (bare,)
    return None
