"""The 39 phone classes that the speech model's phone head knows, and the mapping of IPA into them.

Diphthongs and affricates become two classes in sequence. Classes differ in the shape of the face or in the spectrum:
`RT` is a tapped or rolled r, `R` the English one; `YU` and `EU` are the front rounded vowels (French `u`,
`eu`); `X` is every fricative of the throat.
"""

CLASSES: tuple[str, ...] = tuple(
    "sil IY IH EH AE AA AO OW UH UW AH AX ER YU EU P B M F V TH DH T D N S Z L SH ZH K G NG X HH R RT W Y".split()
)
SILENCE = 0
CLASS_INDEX: dict[str, int] = {name: index for index, name in enumerate(CLASSES)}

VOWELS = frozenset("IY IH EH AE AA AO OW UH UW AH AX ER YU EU".split())
BILABIALS = frozenset(("P", "B", "M"))  # the lips meet
LABIODENTALS = frozenset(("F", "V"))  # the lower lip meets the upper teeth

VISEMES: dict[str, tuple[str, ...]] = {
    "rest": ("sil",),
    "closed": ("P", "B", "M"),
    "tucked": ("F", "V"),
    "round": ("UW", "OW", "W", "UH", "YU", "EU", "AO"),
    "open": ("AA", "AE", "AH"),
    "spread": ("IY", "IH", "EH", "Y"),
    "hiss": ("S", "Z"),
    "hush": ("SH", "ZH", "R", "ER"),
    "tongue": ("T", "D", "N", "L", "TH", "DH", "RT"),
    "back": ("K", "G", "NG", "X", "HH", "AX"),
}

_IPA = {
    **dict.fromkeys("i", "IY"),
    **dict.fromkeys("ɪɯɨᵻ", "IH"),
    **dict.fromkeys("eɛ", "EH"),
    **dict.fromkeys("æ", "AE"),
    **dict.fromkeys("aɑ", "AA"),
    **dict.fromkeys("ɒɔ", "AO"),
    **dict.fromkeys("o", "OW"),
    **dict.fromkeys("ʊ", "UH"),
    **dict.fromkeys("u", "UW"),
    **dict.fromkeys("ʌɤ", "AH"),
    **dict.fromkeys("əɐɘ", "AX"),
    **dict.fromkeys("ɚɜɝɞ", "ER"),
    **dict.fromkeys("yʏ", "YU"),
    **dict.fromkeys("øœɵ", "EU"),
    **dict.fromkeys("p", "P"),
    **dict.fromkeys("b", "B"),
    **dict.fromkeys("mɱ", "M"),
    **dict.fromkeys("fɸ", "F"),
    **dict.fromkeys("vʋβ", "V"),
    **dict.fromkeys("θ", "TH"),
    **dict.fromkeys("ð", "DH"),
    **dict.fromkeys("tʈ", "T"),
    **dict.fromkeys("dɖ", "D"),
    **dict.fromkeys("nɲɳ", "N"),
    **dict.fromkeys("s", "S"),
    **dict.fromkeys("z", "Z"),
    **dict.fromkeys("lɫɬʎɭ", "L"),
    **dict.fromkeys("ʃʂɕ", "SH"),
    **dict.fromkeys("ʒʐʑ", "ZH"),
    **dict.fromkeys("kqc", "K"),
    **dict.fromkeys("ɡgɟ", "G"),
    **dict.fromkeys("ŋ", "NG"),
    **dict.fromkeys("xɣχʁʀç", "X"),
    **dict.fromkeys("hɦħʔ", "HH"),
    **dict.fromkeys("ɹɻ", "R"),
    **dict.fromkeys("rɾɽ", "RT"),
    **dict.fromkeys("wʍɥ", "W"),
    **dict.fromkeys("jʝ", "Y"),
}
# Further letters of espeak-ng's IPA, by letters of the same class that `from_ipa` knows.
IPA_KIN = str.maketrans({"ʉ": "ʏ", "ε": "ɛ", "ä": "a", "ũ": "u", "ĩ": "i", "ɴ": "ŋ", "ʕ": "ħ", "ʦ": "ts"})
_IPA_SILENCE = frozenset(("", "_", "_:", "__"))


def from_ipa(symbol: str) -> tuple[str, ...]:
    """Classes of one phoneme of espeak-ng, written in IPA: none, one or two.

    Stress, length and other marks have no class of their own; espeak's pauses are silence. A symbol of unknown letters
    only has no class (the articulation model interpolates over its time).
    """
    bare = symbol.strip("ˈˌ ")
    if bare in _IPA_SILENCE:
        return ("sil",)
    return tuple(_IPA[letter] for letter in bare if letter in _IPA)[:2]
