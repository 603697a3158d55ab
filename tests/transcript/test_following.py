import dataclasses

import numpy as np
import pytest

from emote_blender.transcript.following import follow
from emote_blender.transcript.phones import CLASS_INDEX, CLASSES
from emote_blender.transcript.pronunciation import PronouncedWord, Pronunciation
from emote_blender.transcript.report import MISFIT, NOT_FOUND

TEXT = {
    "pam": "P AE M",
    "sold": "S OW L D",
    "five": "F AA IH V",
    "books": "B UH K S",
    "today": "T UW D EH IH",
    "gyro": "ZH AA IH R OW",
}
FRAMES = 4  # per phone


def pronounced(words: str) -> Pronunciation:
    """The words, spoken as TEXT says."""
    return Pronunciation(
        "en-us",
        tuple(PronouncedWord(word, tuple(CLASS_INDEX[name] for name in TEXT[word].split())) for word in words.split()),
    )


def classes_of(words: str) -> np.ndarray:
    """(T,) the classes of words that are spoken without a break, silence before and after."""
    spoken = [phone for word in pronounced(words).words for phone in word.phones]
    return np.concatenate([np.zeros(6, int), np.repeat(spoken, FRAMES), np.zeros(6, int)])


def heard(words: str, certainty: float = 0.8) -> np.ndarray:
    """Posteriors of these words."""
    classes = classes_of(words)
    posteriors = np.full((len(classes), len(CLASSES)), (1 - certainty) / (len(CLASSES) - 1))
    posteriors[np.arange(len(classes)), classes] = certainty
    return posteriors


def reasons(followed) -> dict[str, str]:
    return {word.text: word.reason for word in followed.report.words}


def test_an_exact_transcript_is_followed_from_end_to_end():
    followed = follow(heard("pam sold five books today"), pronounced("pam sold five books today"))
    assert (followed.phones.sum(axis=1) == 1).all()
    assert (followed.phones.argmax(axis=1) == classes_of("pam sold five books today")).all()
    assert followed.report.sentences() == []
    assert followed.report.share == 1.0


@pytest.mark.parametrize("before, after", [(0, 3), (4, 0), (9, 9), (200, 200)])
def test_the_part_of_a_text_that_is_spoken_is_followed(before, after):
    words = " ".join(["gyro"] * before + ["pam sold five books today"] + ["gyro"] * after)
    followed = follow(heard("pam sold five books today"), pronounced(words))
    assert (followed.phones.argmax(axis=1) == classes_of("pam sold five books today")).all()
    assert [word.text for word in followed.report.words if word.fits] == "pam sold five books today".split()
    assert followed.report.share_of_sound == 1.0
    assert followed.report.num_outside == before + after
    (sentence,) = followed.report.sentences()
    assert sentence == (
        "the sound holds a part of the transcript, 'pam sold five books today'; "
        f"{before + after} of its {before + after + 5} words are not in this sound"
    )


def test_words_left_out_in_the_middle_of_a_text_are_one_sentence():
    words = " ".join(["pam sold five", *["gyro"] * 40, "books today"])
    followed = follow(heard("pam sold five books today"), pronounced(words))
    assert (followed.phones.argmax(axis=1) == classes_of("pam sold five books today")).all()
    assert len(followed.report.sentences()) == 1


def test_a_text_that_is_spoken_twice_in_it_is_followed_at_either_place():
    followed = follow(heard("pam sold five"), pronounced("gyro pam sold five gyro gyro pam sold five gyro"))
    assert [word.text for word in followed.report.words if word.fits] == ["pam", "sold", "five"]


def test_chance_matches_of_a_long_text_are_ignored():
    rng = np.random.default_rng(3)
    text = " ".join(rng.choice(list(TEXT), 800))
    followed = follow(heard("gyro " * 2 + "sold gyro today gyro"), pronounced(text.replace("gyro", "books")))
    assert followed.report.ignored


def test_words_have_their_times():
    word = follow(heard("pam sold"), pronounced("pam sold")).report.words[1]
    assert (word.start_seconds, word.end_seconds) == pytest.approx(((6 + 3 * FRAMES) / 50, (6 + 7 * FRAMES) / 50))


def test_what_is_told_wins_over_what_is_heard_where_they_differ_a_little():
    posteriors = heard("pam sold five books today")
    at_m = slice(6 + 2 * FRAMES, 6 + 3 * FRAMES)
    posteriors[at_m] = 0.01 / 36
    posteriors[at_m, CLASS_INDEX["N"]], posteriors[at_m, CLASS_INDEX["M"]] = 0.6, 0.39
    followed = follow(posteriors, pronounced("pam sold five books today"))
    assert (followed.phones.argmax(axis=1)[at_m] == CLASS_INDEX["M"]).all()


def test_a_wrong_word_is_not_told_and_its_neighbours_are():
    followed = follow(heard("pam sold five books today"), pronounced("pam sold gyro books today"))
    assert reasons(followed)["gyro"] in (MISFIT, NOT_FOUND)
    assert [word for word, reason in reasons(followed).items() if not reason] == ["pam", "sold", "books", "today"]
    five = slice(6 + 7 * FRAMES, 6 + 11 * FRAMES)
    assert (followed.phones[five].sum(axis=1) == 0).all()
    (sentence,) = followed.report.sentences()
    assert "'gyro' at 0." in sentence
    assert sentence.endswith("the sound was followed there")


def test_a_word_that_is_not_spoken_is_reported_as_not_found():
    followed = follow(heard("pam sold books today"), pronounced("pam sold five books today"))
    assert reasons(followed) == {"pam": "", "sold": "", "five": NOT_FOUND, "books": "", "today": ""}
    assert (followed.phones.argmax(axis=1) == classes_of("pam sold books today")).all()
    assert followed.report.sentences() == ["word 'five' at 0.7 s was not found; the sound was followed there"]


def test_words_that_are_missing_in_the_text_are_left_to_the_sound():
    followed = follow(heard("pam sold five gyro books today"), pronounced("pam sold books today"))
    assert set(reasons(followed).values()) == {""}
    missing = slice(6 + 7 * FRAMES, 6 + 16 * FRAMES)
    assert (followed.phones[missing].sum(axis=1) == 0).mean() > 0.9
    assert followed.phones.sum() == pytest.approx(len(followed.phones) - 9 * FRAMES, abs=3)
    ((start, end),) = followed.report.other_sound
    assert (start, end) == pytest.approx((missing.start / 50, missing.stop / 50), abs=0.05)
    assert followed.report.sentences() == [
        "0.7 s of sound from 0.7 s are not in the transcript; the sound was followed there"
    ]


def test_a_text_that_is_ignored_although_its_words_fit_says_how_little_it_explains():
    report = follow(heard("pam sold five books today"), pronounced("pam sold five books today")).report
    ignored = dataclasses.replace(report, ignored=True, share_of_sound=0.06)
    (sentence,) = ignored.sentences()
    assert sentence.startswith("the transcript does not fit the sound (it has words for 6 % of the speech, read as ")


def test_another_text_altogether_is_ignored_and_says_so_in_one_sentence():
    followed = follow(heard("pam sold five books today"), pronounced("gyro gyro gyro gyro gyro"))
    assert not followed.phones.any()
    (sentence,) = followed.report.sentences()
    assert sentence.startswith("the transcript does not fit the sound")
    assert followed.report.share == 0.0


def test_sentence_and_summary_count_the_same_words():
    followed = follow(heard("pam sold five books today"), pronounced("gyro pam gyro gyro gyro"))
    summary = followed.report.summary()
    assert followed.report.ignored
    assert summary["followed"] == 0
    assert f"({summary['fitting']} of {summary['words']} words do" in summary["misfits"][0]


def test_a_pause_where_there_is_sound_is_not_told():
    posteriors = heard("pam")
    posteriors[:6] = 0.001
    posteriors[:6, CLASS_INDEX["AA"]] = 0.96
    assert not follow(posteriors, pronounced("pam")).phones[:6].any()


def test_many_misfits_are_summed_up():
    words = "pam sold five books today " * 12
    report = follow(heard(words), pronounced(words.replace("five", "gyro"))).report
    sentences = report.sentences()
    assert len(sentences) == 9
    assert sentences[-1] == "4 more places do not fit; 48 of 60 words were followed"


def test_the_report_becomes_json():
    import json

    report = follow(heard("pam sold books"), pronounced("pam sold five books")).report.as_dict()
    assert json.loads(json.dumps(report)) == report
    assert report["share_followed"] == 0.75
    assert report["words"][2] == {"text": "five", "start": 0.68, "end": 0.68, "fits": False, "reason": NOT_FOUND}


def test_posteriors_of_other_classes_are_refused():
    with pytest.raises(ValueError):
        follow(np.ones((10, 5)) / 5, pronounced("pam"))
