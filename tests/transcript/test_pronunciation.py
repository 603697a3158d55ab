import tempfile
from pathlib import Path

import pytest

from emote_blender.errors import Cancelled, InputError, ModelError
from emote_blender.transcript import espeak
from emote_blender.transcript.espeak import open_espeak, usable_data_path
from emote_blender.transcript.language import _ESPEAK_CODES, _SCRIPTS
from emote_blender.transcript.phones import CLASSES
from emote_blender.transcript.pronunciation import find_language
from emote_blender.transcript.script import pronounce


@pytest.fixture(scope="module")
def library():
    return open_espeak()


def spoken(text: str, language: str = "en-us") -> list[tuple[str, str]]:
    """(word, names of its classes)."""
    return [(word.text, " ".join(CLASSES[phone] for phone in word.phones)) for word in pronounce(text, language).words]


def test_words_are_spoken_as_the_dictionary_says():
    assert spoken("Hello, world!") == [("Hello", "HH AX L OW UH"), ("world", "W ER L D")]
    assert spoken("Guten Morgen", "de") == [("Guten", "G UW T AX N"), ("Morgen", "M AO RT G AX N")]
    assert spoken("move", "en-gb") == [("move", "M UW V")]
    assert spoken("hus", "nb") == [("hus", "HH YU S")]


def test_a_word_is_spoken_as_its_sentence_wants_it():
    assert spoken("I have read it")[2][1] == "R EH D"
    assert spoken("I will read it")[2][1] == "R IY D"


def test_words_that_are_spoken_as_one_are_reported_as_one():
    assert [text for text, _ in spoken("one of the people")] == ["one", "of the", "people"]


def test_numbers_and_signs_belong_to_the_word_that_they_stand_in():
    words = dict(spoken("Mr. Smith -- (yes) paid $3.50, 100%! Don't."))
    assert list(words) == ["Mr", "Smith", "yes", "paid", "3.50", "100", "Don't"]
    assert words["3.50"].startswith("D AA L ER TH R IY")
    assert words["100"].endswith("P ER S EH N T")


def test_emoji_control_characters_and_brackets_are_not_spoken():
    assert spoken("\x01 50P hi 😀 [[x]]")[1:] == [("hi", "HH AA IH"), ("x", "EH K S")]


def test_scripts_without_spaces_are_reported_by_character():
    assert [text for text, _ in spoken("我是人。", "auto")] == ["我", "是", "人"]


def test_a_long_text_keeps_every_word_in_order():
    words = [f"{first}{second}" for first in ("ba", "mo", "ti", "su") for second in ("ler", "din", "pot")] * 40
    assert [text for text, _ in spoken(" ".join(words))] == words
    assert len(spoken("a" * 2000)) >= 1


def test_a_language_may_be_written_in_any_case_and_is_guessed_when_it_is_auto():
    assert find_language("EN_gb") == "en-gb"
    assert find_language("en") == "en-us"
    assert pronounce("Das ist ein Test").language == "de"


def test_every_language_that_is_guessed_can_be_spoken(library):
    guessed = {language for languages in _SCRIPTS.values() for language in languages.split()}
    assert {_ESPEAK_CODES.get(language, language) for language in guessed} <= set(library.languages())


@pytest.mark.parametrize("language", ["xx", "gobbledygook", "e" * 300, "en-gb-moon", "😀", "de" * 5000, "fil", "C"])
def test_an_unknown_language_is_refused_with_some_that_are_known(language):
    with pytest.raises(InputError, match="unknown language .*for example .*en-"):
        pronounce("hello", language)


def test_a_text_without_words_is_refused():
    for text in ("", " \n", "?!...", "—"):
        with pytest.raises(InputError, match="the transcript (is empty|has no words)"):
            pronounce(text)


def test_pronouncing_can_be_cancelled():
    with pytest.raises(Cancelled):
        pronounce("hello", cancelled=lambda: True)


def test_a_data_folder_whose_path_is_too_long_is_copied_to_a_short_one(tmp_path, monkeypatch, library):
    folder = tmp_path / ("x" * 150) / "espeak-ng-data"
    folder.mkdir(parents=True)
    (folder / "phontab").write_text("content")
    copy = Path(usable_data_path(folder))
    assert len(str(copy)) <= 120
    assert (copy / "phontab").read_text() == "content"
    assert usable_data_path(tmp_path / "short") == str(tmp_path / "short") or len(str(tmp_path)) > 100


@pytest.fixture
def windows(tmp_path, monkeypatch):
    """As on the Windows of a user named Jürgen: (data folder, %PROGRAMDATA%)."""
    user = tmp_path / "Jürgen"
    data, everyone = user / "espeak-ng-data", tmp_path / "all"
    for folder in (data, everyone):
        folder.mkdir(parents=True)
    (data / "phontab").write_text("content")
    monkeypatch.setattr(espeak, "_NEEDS_ASCII", True)
    monkeypatch.setattr(espeak, "_LONGEST_DATA_PATH", 4000)
    monkeypatch.setattr(tempfile, "tempdir", str(user))
    monkeypatch.setenv("PROGRAMDATA", str(everyone))
    monkeypatch.delenv("PUBLIC", raising=False)
    return data, everyone


def test_a_copy_is_made_where_the_path_is_ascii_though_temp_is_not(windows):
    data, everyone = windows
    copy = Path(usable_data_path(data))
    assert copy.is_relative_to(everyone)
    assert (copy / "phontab").read_text() == "content"


def test_a_machine_with_no_ascii_folder_is_told_to_set_one(windows, monkeypatch):
    data, everyone = windows
    monkeypatch.setenv("PROGRAMDATA", str(data.parent))
    with pytest.raises(OSError, match="set TEMP to one"):
        usable_data_path(data)
    monkeypatch.setattr(espeak, "_opened", None)
    monkeypatch.setattr(espeak, "_candidates", lambda: [("any.dll", str(data)), ("no-such-library.so", None)])
    with pytest.raises(ModelError, match="set TEMP to one"):
        open_espeak()


def test_a_machine_without_espeak_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(espeak, "_opened", None)
    monkeypatch.setattr(espeak, "_candidates", lambda: [("no-such-library.so", None)])
    with pytest.raises(ModelError, match="install the Python library espeakng-loader"):
        open_espeak()
