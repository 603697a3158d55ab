"""Guessing a language. tests/data/sentences.csv holds what people say in 48 languages, most of it in 2 to 8 words."""

import csv
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from emote_blender.training.corpus.text import sentences, varied_text
from emote_blender.transcript.language import guess_language

SENTENCES = Path(__file__).parents[1] / "data" / "sentences.csv"


@pytest.mark.parametrize(
    "language, text",
    [
        ("en-us", "Hello, how are you doing today?"),
        ("en-us", "Café society was not what they had in mind."),
        ("en-us", "Stop. Run!"),
        ("en-us", "42"),
        ("en-us", ""),
        ("en-us", "😀 …"),
        ("en-us", "Okay"),
        ("en-us", "Never mind."),
        ("de", "Das ist ein Test."),
        ("de", "Ich weiß nicht, was du meinst"),
        ("fr", "Les enfants ont mangé"),
        ("fr", "C’est l’heure des amis"),
        ("es", "Hola, ¿cómo estás?"),
        ("it", "Non lo so perché"),
        ("pt", "Não sei o que dizer"),
        ("nl", "De hond is in het huis"),
        ("pl", "Nie wiem, co powiedzieć"),
        ("sv", "Jag vet inte vad du menar"),
        ("da", "Jeg ved ikke hvad du mener"),
        ("nb", "Jeg vet ikke hva du mener"),
        ("cs", "Dobrý den, jak se máte?"),
        ("hu", "Jó reggelt, hogy vagy?"),
        ("hu", "Jó reggelt kívánok"),
        ("fi", "Hyvää huomenta"),
        ("da", "Tak for mad"),
        ("sk", "Kde sú kľúče?"),
        ("sk", "Jedlo bolo veľmi dobré"),
        ("hr", "Gdje su ključevi?"),
        ("hr", "Hvala lijepa"),
        ("tr", "Bu çok güzel bir gün"),
        ("vi", "Bạn có khỏe không?"),
        ("ru", "Привет, как дела?"),
        ("uk", "Привіт, як справи?"),
        ("bg", "Къде са ключовете?"),
        ("sr", "Где су кључеви?"),
        ("el", "Καλημέρα"),
        ("ar", "مرحبا بالعالم"),
        ("fa", "کلیدها کجا هستند؟"),
        ("ur", "چابیاں کہاں ہیں؟"),
        ("he", "שלום עולם"),
        ("hi", "नमस्ते दुनिया"),
        ("ja", "今日は良い天気ですね"),
        ("cmn", "今天天气很好"),
        ("ko", "안녕하세요"),
    ],
)
def test_a_language_is_guessed_from_a_sentence(language, text):
    assert guess_language(text) == language


def test_sentences_of_48_languages_are_known():
    """308 of 326 when this was written. Danish and Norwegian, Bulgarian and Macedonian share whole sentences."""
    right: defaultdict[str, int] = defaultdict(int)
    count: defaultdict[str, int] = defaultdict(int)
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            count[row["language"]] += 1
            right[row["language"]] += guess_language(row["sentence"]) == row["language"]
    assert len(count) == 48
    assert sum(right.values()) >= 0.93 * sum(count.values())
    assert {language: right[language] for language in count if right[language] < 0.5 * count[language]} == {}


def test_short_english_is_not_taken_for_another_language():
    phrases = [*varied_text.COMMANDS, *varied_text.ASKED, *sentences.SUBJECTS, *sentences.OBJECTS, *sentences.TAILS]
    wrong = {phrase: guess for phrase in phrases if (guess := guess_language(phrase)) != "en-us"}
    assert len(wrong) <= 0.02 * len(phrases), wrong


# Runs in a fresh Python in which py3langid cannot be imported.
WITHOUT = """
import sys
sys.modules["py3langid"] = None
from emote_blender.errors import ModelError
from emote_blender.transcript.language import guess_language
print(*map(guess_language, ("Καλημέρα", "안녕하세요", "今日は良い天気ですね", "42")))
try:
    guess_language("Guten Morgen")
except ModelError as error:
    print(error)
"""


def test_without_the_library_a_script_of_one_language_is_enough_and_else_the_sentence_names_it():
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", WITHOUT], cwd=root, capture_output=True, text=True, encoding="utf-8")
    first, second = result.stdout.splitlines()
    assert first == "el ko ja en-us"
    assert "choose the language, or install" in second
