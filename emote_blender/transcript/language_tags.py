"""Languages as people name them: tags of any form, names in English and in the language itself."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import ModelError

# Tags and words that leave the choice to us; und, mul, mis and zxx are ISO 639's undetermined, multiple, uncoded, none.
AUTOMATIC = ("", "auto", "automatic", "detect", "unknown", "und", "mul", "mis", "zxx", "x-default")
# What espeak-ng calls them, where neither the tag nor the nearest language says it. Its en is British, while the open
# model's training voices are mostly American; Canada and the Philippines are nearer to America than CLDR has them.
_ESPEAK_CODES = {
    "en": "en-us",
    "en-ca": "en-us",
    "en-ph": "en-us",
    "zh": "cmn",
    "zh-hk": "yue",
    "zh-mo": "yue",
    "no": "nb",
    "nn": "nb",
    "tlh": "piqd",
    "ca-valencia": "ca-va",
}
_FARTHEST = 10  # of langcodes: another region or a dialect, such as Egyptian Arabic; 20 is Galician for Spanish
_FARTHEST_SUGGESTION = 25
_LONGEST_TAG = 35

_REGIONS = {
    "GB": "uk,gb,united kingdom,great britain,britain,england,british",
    "US": "us,usa,united states,america,american",
    "CA": "canada,canadian,québec,quebec",
    "AU": "australia,australian",
    "NZ": "new zealand",
    "IN": "india,indian",
    "BR": "brazil,brasil,brazilian,brasileiro",
    "PT": "portugal,european",
    "419": "latin america,latin american,latinoamérica,latam",
    "MX": "mexico,méxico,mexican,mexicano",
    "ES": "spain,españa",
    "FR": "france",
    "BE": "belgium,belgian,belgique",
    "CH": "switzerland,swiss,schweiz,suisse",
    "AT": "austria,austrian,österreich",
    "DE": "germany,deutschland",
    "TW": "taiwan",
    "HK": "hong kong",
    "CN": "china,mainland",
    "Hans": "simplified",
    "Hant": "traditional",
}
# The longest first: "latin american" before "american".
_SPELLINGS = sorted(
    ((spelling, region) for region, spellings in _REGIONS.items() for spelling in spellings.split(",")),
    key=lambda item: -len(item[0]),
)
_NAMES = {
    "ar": "العربية",
    "be": "беларуская",
    "bg": "български",
    "bn": "বাংলা,bangla",
    "bs": "bosanski",
    "ca": "català",
    "ca-valencia": "valencian,valencià",
    "cs": "čeština,cestina,česky",
    "cy": "cymraeg",
    "da": "dansk",
    "de": "deutsch",
    "el": "ελληνικά",
    "en": "inglés,englisch,anglais",
    "es": "español,espanol,castellano,castilian",
    "et": "eesti",
    "eu": "euskara",
    "fa": "فارسی,farsi,dari",
    "fi": "suomi",
    "fr": "français,francais",
    "ga": "gaeilge,irish",
    "gd": "scottish gaelic,gàidhlig",
    "gu": "ગુજરાતી",
    "hbs": "serbo-croatian,serbo croatian,srpskohrvatski",
    "he": "עברית",
    "hi": "हिन्दी,हिंदी",
    "hr": "hrvatski",
    "hu": "magyar",
    "hy": "հայերեն",
    "id": "bahasa indonesia,bahasa",
    "is": "íslenska",
    "it": "italiano",
    "ja": "日本語",
    "ka": "ქართული",
    "kk": "қазақ,қазақша",
    "kn": "ಕನ್ನಡ",
    "ko": "한국어",
    "lb": "letzeburgesch,lëtzebuergesch",
    "lt": "lietuvių",
    "lv": "latviešu",
    "mi": "maori",
    "mk": "македонски",
    "ml": "മലയാളം",
    "mr": "मराठी",
    "ms": "bahasa melayu",
    "my": "burmese",
    "nb": "norwegian,norsk,bokmål,bokmal",
    "ne": "नेपाली",
    "nl": "nederlands,flemish,vlaams",
    "nn": "nynorsk",
    "or": "odia",
    "pa": "ਪੰਜਾਬੀ,panjabi",
    "pl": "polski",
    "pt": "português,portugues",
    "ro": "română,romana,moldavian",
    "ru": "русский",
    "si": "සිංහල,sinhalese",
    "sk": "slovenčina,slovencina",
    "sl": "slovenščina,slovenscina",
    "sq": "shqip",
    "sr": "српски,srpski",
    "sv": "svenska",
    "sw": "kiswahili",
    "ta": "தமிழ்",
    "te": "తెలుగు",
    "th": "ไทย",
    "tr": "türkçe,turkce",
    "ug": "uighur",
    "uk": "українська",
    "ur": "اردو",
    "vi": "tiếng việt",
    "yue": "cantonese,粵語,粤语,广东话,廣東話",
    "zh": "chinese,mandarin,中文,汉语,漢語,普通话,國語",
}


def is_automatic(language: str) -> bool:
    """Whether a language is to be guessed."""
    return language.strip().lower().replace("_", "-") in AUTOMATIC


def match_language(language: str, known: Collection[str], names: Mapping[str, str]) -> str | None:
    """The known code that a tag or a name means, with its region if that is known, else a near one; None if none is.

    Args:
        language: such as "de", "pt_BR", "zh-Hans-CN", "deu", "de_AT@euro", "German", "English (UK)", "Deutsch".
        known: codes of espeak-ng.
        names: a code for each English name of espeak-ng, in lower case.

    Raises:
        ModelError: if the tag is none of the known ones, and langcodes is not installed.
    """
    text = " ".join(language.split()).casefold()
    tag = re.split(r"[.@]", text)[0].replace("_", "-").replace(" ", "-")  # de_DE.UTF-8, de_AT@euro
    tag = tag.removesuffix("-posix")
    for candidate in (tag, (_named_tag(text, names) or "").lower()):
        code = _ESPEAK_CODES.get(candidate, candidate)
        if code in known:
            return code
        if candidate != tag and candidate:
            return _nearest(candidate, known)
    return _nearest(tag, known) if len(tag) <= _LONGEST_TAG else None


def near_languages(language: str, known: Collection[str], names: Mapping[str, str]) -> list[str]:
    """Some known codes that may be meant by an unknown language, the likeliest first; perhaps none."""
    text = " ".join(language.split()).casefold()
    tag = text.replace("_", "-").replace(" ", "-")
    near = difflib.get_close_matches(tag[:40], known, n=3) if "-" in tag else []
    near += [code for code in sorted(known) if code.split("-")[0] == tag.split("-")[0]]
    bases = {name.split(" (")[0]: code for name, code in sorted(names.items(), key=lambda item: -len(item[1]))}
    near += [bases[name] for name in difflib.get_close_matches(text[:40], bases, n=3, cutoff=0.75)]
    try:
        code, _ = _langcodes().closest_match(tag[:_LONGEST_TAG], _valid(known), max_distance=_FARTHEST_SUGGESTION)
        near += [code] if code in known else []
    except (ValueError, ModelError):
        pass
    return list(dict.fromkeys(near))


def _named_tag(text: str, names: Mapping[str, str]) -> str | None:
    """The tag of a name with or without a region: "portuguese (brazil)", "british english"; None if it is none."""
    if text in names:
        return names[text]
    words = " ".join(["", *re.sub(r"[_()\[\],;/-]", " ", text).split(), ""])
    found = []
    for spelling, region in _SPELLINGS:
        if f" {spelling} " in words and words.strip() != spelling:
            words = words.replace(f" {spelling} ", " ")
            found.append(region)
    name = words.strip()
    code = next((code for code, spellings in _NAMES.items() if name in spellings.split(",")), None)
    if code is None:
        # The language of "Spanish (Spain)" and "Spanish (Latin America)".
        code = next((names[other].split("-")[0] for other in names if other.split(" (")[0] == name), None)
    if code is None:
        return None
    return "-".join([code.split("-")[0] if found else code, *sorted(set(found), key=len, reverse=True)])


def _nearest(tag: str, known: Collection[str]) -> str | None:
    """The known code nearest to a tag, by its region, else by its language; None if none is near, or it is no tag."""
    langcodes = _langcodes()
    try:
        meant = langcodes.Language.get(tag, normalize=True)
        if not meant.is_valid():
            return None
        language, region = (meant.language or "").lower(), (meant.territory or "").lower()
        for desired in (f"{language}-{region}", language) if region else (language,):
            code = _ESPEAK_CODES.get(desired, desired)
            if code not in known:
                code = langcodes.closest_supported_match(desired, _valid(known), max_distance=_FARTHEST) or ""
                code = _ESPEAK_CODES.get(code, code)
            if code in known:
                return code
    except ValueError:
        pass
    return None


def _valid(known: Collection[str]) -> list[str]:
    """The codes that are tags; espeak-ng has some of its own, such as en-us-nyc."""
    langcodes = _langcodes()
    return [code for code in sorted(known) if langcodes.tag_is_valid(code)]


def _langcodes() -> Any:
    """langcodes, imported when it is needed: 0.3 s."""
    try:
        import langcodes
    except ModuleNotFoundError as error:
        raise ModelError(
            "this name of a language needs the Python library langcodes; choose a code of espeak-ng such as de or "
            "en-gb, or install the library or the add-on's zip that includes it"
        ) from error
    return langcodes
