"""Which recogniser is opened for a language and a folder."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emote_blender.audio import Waveform
from emote_blender.errors import InputError
from emote_blender.transcript.automatic import recognise_words
from emote_blender.transcript.recognisers.choose import close_recogniser, open_recogniser

RECOGNISERS = Path(__file__).parents[2] / "data" / "recognisers"


@pytest.fixture
def russian(tmp_path):
    """The folder of a recogniser that says it understands Russian only."""
    folder = Path(shutil.copytree(RECOGNISERS / "nemo_ctc", tmp_path / "russian"))
    (folder / "recogniser.json").write_text(json.dumps({"title": "R", "languages": ["ru"]}))
    yield str(folder)
    close_recogniser()


def test_the_recogniser_of_the_folder_is_kept_until_it_is_closed(russian):
    opened = open_recogniser("auto", russian)
    assert opened.name == "R"
    assert open_recogniser("ru", russian) is opened
    close_recogniser()
    assert open_recogniser("ru", russian) is not opened


def test_english_is_left_to_the_one_that_is_built_in_if_the_folder_does_not_understand_it(russian):
    assert "pocketsphinx" in open_recogniser("en-us", russian).name.lower()


def test_another_language_that_the_folder_does_not_understand_is_its_to_refuse(russian):
    assert open_recogniser("de", russian).name == "R"


@pytest.mark.parametrize("language", ["German", "deu", "de_AT", "DE"])
def test_a_language_may_be_named_in_any_way(language):
    sound = Waveform(np.random.default_rng(0).normal(0, 0.1, 24000).astype(np.float32), 16000)
    recognition = recognise_words(sound, language, str(RECOGNISERS / "whisper"))
    assert recognition.language == "de"
    close_recogniser()


def test_an_unknown_language_is_refused_before_anything_is_opened():
    sound = Waveform(np.zeros(16000, np.float32), 16000)
    with pytest.raises(InputError, match="unknown language 'Klingonish'"):
        recognise_words(sound, "Klingonish", "/nowhere")
