"""Tags and names of languages to codes of espeak-ng."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emote_blender.errors import InputError
from emote_blender.transcript.espeak import open_espeak
from emote_blender.transcript.language_tags import is_automatic
from emote_blender.transcript.pronunciation import find_language
from emote_blender.transcript.script import pronounce


@pytest.fixture(scope="module")
def library():
    return open_espeak()


@pytest.mark.parametrize(
    "code, spellings",
    [
        ("en-us", "en|EN|eng|en_US|en-US|English|english|American English|English (United States)|en-CA|en_US_POSIX"),
        ("en-gb", "en-GB|EN_gb|English (UK)|British English|English_UK|en-AU|en-IN|Australian English|eng-GB"),
        ("de", "de|deu|ger|DE|German|Deutsch|de-DE|de_AT@euro|de-DE.UTF-8|de-CH|Swiss German|German (Austria)"),
        ("pt-br", "pt_BR|pt-BR|Portuguese (Brazil)|Brazilian Portuguese|por-BR"),
        ("pt", "pt|por|Portuguese|português"),
        ("pt-pt", "pt-PT|pt-AO|pt-MZ"),
        ("es", "es|spa|es-ES|Spanish|español|Castilian|Spanish (Spain)"),
        ("es-mx", "es-MX|es_mx|Mexican Spanish"),
        ("es-419", "es-419|es-AR|es-US|Latin American Spanish|Spanish (Latin America)"),
        ("fr", "fr|fra|fre|French|Français|fr-CA|French (Canada)|Quebec French"),
        ("fr-fr", "fr-FR|French (France)"),
        ("fr-be", "fr-BE|French (Belgium)"),
        ("cmn", "zh|cmn|zh-CN|zh_TW|zh-Hans|zh-Hans-CN|zh-Hant-TW|Chinese|Mandarin|Chinese (Simplified)|中文|zho|chi"),
        ("yue", "yue|zh-HK|zh-Hant-HK|Cantonese|粵語"),
        ("nb", "nb|nn|no|nor|nno|nb_NO|Norwegian|Norsk|Nynorsk"),
        ("he", "he|iw|heb|Hebrew|עברית"),
        ("id", "id|in|ind|Indonesian|Bahasa Indonesia"),
        ("sr", "sr|sr-Latn|sr-Cyrl-RS|Serbian|srpski|srp"),
        ("ro", "ro|ron|rum|mo|ro-MD|Romanian|Moldavian"),
        ("ja", "ja|jpn|ja-JP|Japanese|日本語"),
        ("uk", "uk|ukr|uk-UA|Ukrainian|Українська"),
        ("ru", "ru|rus|ru_RU.KOI8-R|Russian|русский"),
        ("nl", "nl|nld|dut|nl-BE|Dutch|Flemish"),
        ("fa", "fa|fas|per|prs|fa-AF|Persian|Farsi"),
        ("ar", "ar|ara|ar-EG|arz|Arabic|العربية"),
        ("ca-va", "ca-valencia|Catalan (Valencian)|Valencian"),
        ("en-gb-scotland", "en-GB-scotland|English (Scotland)"),
        ("piqd", "tlh|Klingon"),
    ],
)
def test_a_language_has_many_names(code, spellings):
    assert {spelling: find_language(spelling) for spelling in spellings.split("|")} == dict.fromkeys(
        spellings.split("|"), code
    )


def test_every_code_and_every_name_of_espeak_is_found(library):
    own = {"en": "en-us", "zh": "cmn", "no": "nb"}
    assert {code: find_language(code) for code in library.languages()} == {
        code: own.get(code, code) for code in library.languages()
    }
    names = library.names()
    assert names["german"] == "de"
    assert {name: find_language(name) for name in names} == {name: own.get(code, code) for name, code in names.items()}


@pytest.mark.parametrize("language", ["", " ", "auto", "AUTO", "und", "mul", "x-default", "zxx", "x_default"])
def test_an_undetermined_language_is_guessed(language):
    assert is_automatic(language)
    assert pronounce("Das ist ein Test mit Wörtern", language).language == "de"


@pytest.mark.parametrize(
    "language, near",
    [("gl", "es"), ("Germn", "de"), ("en-gb-moon", "en-gb"), ("Portugese", "pt"), ("pt-xx-yy-zz", "pt")],
)
def test_an_unknown_language_is_refused_with_one_that_is_near(language, near):
    with pytest.raises(InputError, match="unknown language") as caught:
        find_language(language)
    assert near in str(caught.value).split("for example ")[1].split(", ")[:3]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_known_language_or_refused(language):
    try:
        assert find_language(language) in open_espeak().languages()
    except InputError:
        pass


def test_a_code_of_espeak_needs_no_langcodes():
    code = """
import sys
from emote_blender.transcript.pronunciation import find_language
assert [find_language(text) for text in ("de", "EN_gb", "German", "pt-BR")] == ["de", "en-gb", "de", "pt-br"]
assert "langcodes" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
