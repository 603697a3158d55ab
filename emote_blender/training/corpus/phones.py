"""The 39 phone classes as the corpus uses them: those of `transcript.phones`, and how English engines name phones."""

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
    """Classes of one phone of flite or English festival, stress digits aside: one or two; None for an unknown name."""
    bare = symbol.upper().rstrip("012")
    if bare in _ARPABET:
        return _ARPABET[bare]
    if bare in CLASS_INDEX and bare not in ("RT", "X", "YU", "EU"):
        return (bare,)
    return None
