"""The voices that judge models: their sentences, and that nothing is trained on them."""

import itertools
import random

import numpy as np
import pytest

from emote_blender.training.corpus import forced_alignment, phones
from emote_blender.training.corpus.engines import catalogue, flite, joe, judge_voices, onnx_voice
from emote_blender.training.corpus.engines.judge_voices import SpokenLine, aligned, draw_lines
from emote_blender.training.corpus.generate import FULL_CORPUS, JUDGE_VALIDATION, VARIED_CORPUS
from emote_blender.training.corpus.text.judge_sentences import PRONUNCIATIONS, SENTENCES
from emote_blender.training.open_model.recipe import FULL

needs_aligner = pytest.mark.skipif(not forced_alignment.is_available(), reason=f"run {onnx_voice.VOICES_COMMAND}")
needs_joe = pytest.mark.skipif(not catalogue.is_available("joe"), reason=f"run {onnx_voice.VOICES_COMMAND}")
needs_flite = pytest.mark.skipif(not catalogue.is_available("flite"), reason=f"needs flite: {catalogue.APT_LINE}")


def test_no_part_that_trains_is_of_a_judging_engine():
    judging = {part.name for part in JUDGE_VALIDATION}
    assert {part.engine for part in JUDGE_VALIDATION} == set(catalogue.JUDGE_ENGINES)
    assert not {part.engine for part in FULL_CORPUS + VARIED_CORPUS} & set(catalogue.JUDGE_ENGINES)
    assert not any(FULL.parts_used_by(run.name) & judging for run in FULL.runs)


@needs_aligner
def test_every_word_of_the_sentences_can_be_aligned_and_no_pronunciation_is_spare():
    bare, complete = forced_alignment.ForcedAligner(), forced_alignment.ForcedAligner(PRONUNCIATIONS)
    assert [word for text in SENTENCES for word in complete.unknown_words(text)] == []
    assert {word for text in SENTENCES for word in bare.unknown_words(text)} == set(PRONUNCIATIONS)


def test_every_sentence_is_drawn_once_before_one_is_drawn_again():
    lines = list(itertools.islice(draw_lines(random.Random(1), ("a", "b", "c")), 2 * len(SENTENCES)))
    assert [line.voice for line in lines[:6]] == ["a", "b", "c", "a", "b", "c"]
    for half in (lines[: len(SENTENCES)], lines[len(SENTENCES) :]):
        assert sorted(line.text for line in half) == sorted(SENTENCES)
    again = itertools.islice(draw_lines(random.Random(1), ("a", "b", "c")), 5)
    assert [line.speed for line in again] == [line.speed for line in lines[:5]]


@needs_aligner
@needs_flite
def test_lines_stand_between_silences_and_those_that_do_not_fit_are_left_out(tmp_path):
    spoken = [flite.speak(text, "slt", {}, tmp_path / "spoken.wav") for text in SENTENCES[:2]]
    right = [SpokenLine(item.samples.astype(float), 16000, "flite:slt", item.text) for item in spoken]
    wrong = SpokenLine(right[0].samples[:4000], 16000, "flite:slt", SENTENCES[0])
    found = list(aligned([wrong, *right]))
    assert [item.text for item in found] == [item.text for item in spoken]
    for item, line in zip(found, right, strict=True):
        assert len(item.samples) == len(line.samples) + 2 * round(judge_voices._SILENCE_SECONDS * 16000)
        assert item.phone_classes[0] == phones.SILENCE
        assert item.phone_times[0][1] >= judge_voices._SILENCE_SECONDS


def test_piper_gets_words_apart_and_clauses_with_their_marks():
    assert joe.phonemes("You can borrow it, but bring it back.") == "juː kæn bˈɑːɹoʊ ɪt, bˌʌt bɹˈɪŋ ɪt bˈæk."


@needs_joe
def test_joe_says_the_same_for_the_same_seed():
    first, second, other = (joe.Joe(seed).speak("A small brown bird.", 1.0) for seed in (3, 3, 4))
    assert np.array_equal(first, second)
    assert not np.array_equal(first[: len(other)], other[: len(first)])
    assert 0.6 < len(first) / 22050 < 3


@needs_joe
def test_joe_speaks_what_can_be_aligned():
    utterance = next(catalogue.utterances("joe", 5))
    assert utterance.text in SENTENCES
    spoken = [phones.CLASSES[number] for number in utterance.phone_classes]
    assert len(spoken) > 20
    assert utterance.phone_times[-1][1] <= len(utterance.samples) / 16000 + 0.02
