"""Recognised words: the built-in recogniser on a clip whose words are known."""

from pathlib import Path

import pytest

from emote_blender.audio import Waveform, load_audio
from emote_blender.errors import Cancelled, ModelError
from emote_blender.transcript.automatic import recognise_words

CLIP = Path(__file__).resolve().parents[1] / "data" / "anger_line.wav"


@pytest.fixture(scope="module")
def clip() -> Waveform:
    return load_audio(CLIP)


def test_the_same_sound_gives_the_same_words_with_times(clip):
    first, second = recognise_words(clip), recognise_words(clip)
    assert first == second
    assert first.text.startswith("i told you never")
    now = next(word for word in first.words if word.text == "now")
    assert now.start_seconds == pytest.approx(2.245, abs=0.05)  # as `flite -psdur` prints


def test_a_cancelled_recognition_ends_at_once(clip):
    with pytest.raises(Cancelled):
        recognise_words(clip, cancelled=lambda: True)


def test_another_language_than_english_needs_a_recogniser_of_its_own(clip):
    with pytest.raises(ModelError, match="understands en only, not de; choose a folder with a recogniser"):
        recognise_words(clip, language="de")
