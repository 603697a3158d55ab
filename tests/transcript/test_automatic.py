"""Recognised words: the built-in recogniser on sound whose words are known, and on sound without English words."""

import sys
from pathlib import Path

import numpy as np
import pytest
from word_errors import spoken_words, word_error_rate

from emote_blender.audio import Waveform, load_audio
from emote_blender.errors import Cancelled, ModelError
from emote_blender.sample_store import StoredSamples
from emote_blender.transcript.automatic import recognise_words
from emote_blender.transcript.recognisers import pocketsphinx_english, pocketsphinx_worker
from emote_blender.transcript.recognisers.choose import has_recogniser
from emote_blender.transcript.recognisers.pocketsphinx_pool import decode_utterances

DATA = Path(__file__).resolve().parents[1] / "data"
LINE = "I told you never to open that door. Now look at what you have done!"


@pytest.fixture(scope="module")
def clip() -> Waveform:
    return load_audio(DATA / "anger_line.wav")


@pytest.fixture(scope="module")
def recognised(clip):
    return recognise_words(clip)


def test_most_words_of_the_demonstration_s_line_are_right(recognised):
    rate = word_error_rate(recognised.text, LINE)
    print(f"word error rate of the line: {rate:.0%}")
    assert rate <= 0.35  # 4 of 15 are wrong


def test_words_have_their_times(recognised):
    now = next(word for word in recognised.words if word.text == "now")
    assert now.start_seconds == pytest.approx(2.245, abs=0.05)  # as `flite -psdur` prints
    starts = [word.start_seconds for word in recognised.words]
    assert starts == sorted(starts)
    assert all(0 <= word.start_seconds < word.end_seconds <= 3.87 for word in recognised.words)


@pytest.mark.once
def test_a_quiet_recording_with_an_offset_has_the_same_words(clip, recognised):
    quiet = Waveform(clip.samples[:] * np.float32(2**-8) + np.float32(0.01), clip.sample_rate)
    assert recognise_words(quiet).text == recognised.text


@pytest.mark.once
def test_words_do_not_depend_on_the_sounds_before(clip, recognised):
    part = Waveform(clip.samples[: 2 * clip.sample_rate], clip.sample_rate)
    assert recognise_words(part).words != recognised.words
    assert recognise_words(clip) == recognised


def test_without_another_program_the_words_are_the_same(clip, recognised, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/opt/blender/blender")
    assert recognise_words(clip) == recognised


def test_where_that_program_cannot_import_the_library_the_words_are_the_same(clip, recognised, monkeypatch, tmp_path):
    (tmp_path / "fail.py").write_text("""print('"ImportError: built for another Python"')""")
    monkeypatch.setattr(pocketsphinx_worker, "__file__", str(tmp_path / "fail.py"))
    assert recognise_words(clip) == recognised


@pytest.mark.once
def test_music_has_no_words():
    time = np.arange(2 * 16000) / 16000
    chords = sum(
        np.sin(2 * np.pi * 220 * 2 ** (tone / 12) * harmonic * time) / harmonic
        for tone in (0, 4, 7)
        for harmonic in range(1, 6)
    )
    drums = np.random.default_rng(0).normal(size=len(time)) * np.exp(-30 * ((4 * time) % 1))
    music = 0.1 * chords * (0.2 + np.exp(-3 * ((2 * time) % 1))) + 0.1 * drums
    assert recognise_words(Waveform(music.astype(np.float32))).words == ()


@pytest.mark.parametrize("samples", [np.zeros(16000), np.ones(16000), 1e-6 * np.sin(np.arange(16000)), np.zeros(1)])
def test_silence_has_no_words(samples):
    assert recognise_words(Waveform(samples.astype(np.float32))).words == ()


def test_a_cancelled_recognition_ends_at_once(clip):
    with pytest.raises(Cancelled):
        recognise_words(clip, cancelled=lambda: True)


def test_a_library_without_its_model_is_an_error_with_the_reason(tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(ModelError, match=r"pocketsphinx does not run \(.+\); install"):
        list(decode_utterances([0, 1], lambda index: bytes(3200), tmp_path))


def test_a_program_that_ends_unexpectedly_is_an_error_and_no_endless_wait(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "crash.py").write_text("import os; os._exit(7)")
    monkeypatch.setattr(pocketsphinx_worker, "__file__", str(tmp_path / "crash.py"))
    with pytest.raises(ModelError, match=r"pocketsphinx ended unexpectedly \(exit code 7\)"):
        list(decode_utterances([0, 1], lambda index: bytes(3200), tmp_path))


def test_without_the_library_a_sentence_names_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    assert not has_recogniser()
    with pytest.raises(ModelError, match="pocketsphinx, which is not installed; install .* or write the transcript"):
        pocketsphinx_english.PocketsphinxEnglish()


class BlockedImport:
    """Refuses a library as some build tools and tests do."""

    def find_spec(self, name, path=None, target=None):
        if name == "pocketsphinx":
            raise ModuleNotFoundError("No module named 'pocketsphinx'")


def test_a_library_whose_import_is_blocked_is_missing(monkeypatch):
    monkeypatch.delitem(sys.modules, "pocketsphinx", raising=False)
    monkeypatch.setattr(sys, "meta_path", [BlockedImport(), *sys.meta_path])
    assert not has_recogniser()
    with pytest.raises(ModelError, match="pocketsphinx, which is not installed"):
        pocketsphinx_english.PocketsphinxEnglish()


def test_samples_that_cannot_be_read_are_an_error_and_no_endless_wait(recognised):
    import pocketsphinx

    def pcm(index: int) -> bytes:
        raise OSError("the disk was removed")

    with pytest.raises(OSError, match="the disk was removed"):
        list(decode_utterances([0], pcm, Path(pocketsphinx.__file__).parent))


def test_another_language_than_english_needs_a_recogniser_of_its_own(clip):
    with pytest.raises(ModelError, match="understands en only, not de; choose a folder with a recogniser"):
        recognise_words(clip, language="de")


@pytest.mark.once
def test_a_minute_of_speech_is_recognised_in_order():
    text = (DATA / "monologue.txt").read_text(encoding="utf-8")
    fractions: list[float] = []
    found = recognise_words(load_audio(DATA / "monologue.ogg"), progress=lambda fraction, _: fractions.append(fraction))
    rate = word_error_rate(found.text, text)
    print(f"word error rate of the monologue: {rate:.0%} of {len(spoken_words(text))} words")
    assert rate <= 0.05  # 3 of 188 are wrong
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, pytest.approx(1.0))


@pytest.mark.once
def test_a_long_sound_on_disk_has_the_words_of_the_same_sound_in_memory(tmp_path, clip, recognised):
    (tmp_path / "sound").write_bytes(np.ascontiguousarray(clip.samples[:], np.float32).tobytes())
    with (tmp_path / "sound").open("rb") as file:
        assert recognise_words(Waveform(StoredSamples(file, len(clip.samples)))) == recognised


def test_an_hour_without_credible_words_is_given_up_after_a_sample(monkeypatch):
    begun: list[int] = []

    def decode(order, pcm, library, cancelled):
        for index in order:
            begun.append(index)
            yield index, [("um", 20, 60, 0.2)] * 10

    monkeypatch.setattr(pocketsphinx_english, "decode_utterances", decode)
    beat = np.concatenate([np.sin(np.arange(8000)), np.zeros(24000)]).astype(np.float32)
    assert recognise_words(Waveform(np.tile(beat, 100))).words == ()
    assert len(begun) == 16
    assert np.diff(begun) == pytest.approx(100 / 16, abs=1)  # spread over the whole sound


@pytest.mark.parametrize(
    "language", ["", "auto", "en", "en-GB", "en_US.UTF-8", "English (UK)", "British English", "eng"]
)
def test_english_is_known_by_any_name(language):
    assert has_recogniser(language)


@pytest.mark.parametrize("language", ["de", "German", "fr-FR", "enm", "Englisch-Schwyzer"])
def test_other_languages_have_no_recogniser_that_is_built_in(language):
    assert not has_recogniser(language)
