"""A transcript through the whole pipeline, with the open model and a clip whose words are known."""

from pathlib import Path

import numpy as np
import pytest

from emote_blender.audio import Waveform, load_audio
from emote_blender.emotion import EmotionTrack
from emote_blender.errors import Cancelled, InputError, ModelError
from emote_blender.pipeline import EMOTEPipeline
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript

CLIP = Path(__file__).resolve().parents[1] / "data" / "anger_line.wav"
TEXT = "I told you never to open that door. Now look at what you have done!"
CUES = [Cue("I told you never to open that door.", 0.1, 2.1), Cue("Now look at what you have done!", 2.2, 3.8)]
SUBJECTS = (
    "the old miller|a young painter|my sister|their captain|nobody|every child|the second witness|your teacher".split(
        "|"
    )
)
VERBS = "carried|found|remembered|sold|painted|followed|buried|described|borrowed|repaired".split("|")
OBJECTS = (
    "a broken ladder|three letters|the empty boat|his winter coat|some bread|a map of the valley|the silver key".split(
        "|"
    )
)
# 1,920 words in 280 sentences.
BOOK = " ".join(f"{one} {two} {three}.".capitalize() for one in SUBJECTS for two in VERBS for three in OBJECTS[::2])


@pytest.fixture(scope="module")
def pipeline() -> EMOTEPipeline:
    return EMOTEPipeline.from_pretrained("emote_open")


@pytest.fixture(scope="module")
def clip() -> Waveform:
    return load_audio(CLIP)


@pytest.fixture(scope="module")
def untold(pipeline, clip):
    return pipeline.encode(clip)


def test_a_transcript_moves_the_mouth_and_fits_from_end_to_end(pipeline, clip, untold):
    told = pipeline.encode(clip, transcript=TEXT)
    assert told.values.shape == untold.values.shape
    assert told.transcript_report.share == 1.0
    assert told.transcript_report.sentences() == []
    assert untold.transcript_report is None
    words = told.transcript_report.words
    assert [word.text for word in words][:4] == ["I", "told", "you", "never"]
    # As flite -psdur tells: "door" ends at 2.132 s, "Now" begins at 2.245 s.
    assert (words[7].end_seconds, words[8].start_seconds) == pytest.approx((2.132, 2.245), abs=0.04)
    jaws = [pipeline.generate(features, EmotionTrack.constant()).jaw for features in (told, untold)]
    assert np.abs(jaws[0] - jaws[1]).max() > 0.005  # radians


def test_cues_are_followed_as_their_words_are(pipeline, clip):
    lines = TEXT.split(". ")
    cues = TimedTranscript((Cue(lines[0], 0.0, 2.2), Cue(lines[1], 2.2, 3.9)))
    assert pipeline.encode(clip, transcript=cues).transcript_report.share == 1.0


@pytest.mark.once
def test_markup_and_subtitles_are_understood_as_text(pipeline, clip):
    plain = pipeline.encode(clip, transcript=TEXT)
    lines = TEXT.split(". ")
    for text in (
        f"<speak>ANNA: {lines[0]}. <break time='1s'/> [door slams] {lines[1]}</speak>",
        f"1\n00:00:00,000 --> 00:00:02,200\n<i>{lines[0]}.</i>\n\n2\n00:00:02,200 --> 00:00:03,900\n{lines[1]}",
    ):
        assert pipeline.encode(clip, transcript=text).transcript_report.words == plain.transcript_report.words


def test_the_lines_of_a_long_text_are_followed_at_the_cost_of_a_search(pipeline, clip):
    told = pipeline.encode(clip, transcript=f"{BOOK} {TEXT} {BOOK}")
    report = told.transcript_report
    assert [word.text for word in report.words if word.fits] == [
        word.text for word in pipeline.encode(clip, transcript=TEXT).transcript_report.words
    ]
    assert report.num_words == report.num_outside + 15 > 3000
    assert report.share_of_sound > 0.95
    assert len(report.sentences()) == 1


@pytest.mark.once
def test_a_long_text_without_the_lines_is_ignored(pipeline, clip, untold):
    told = pipeline.encode(clip, transcript=BOOK)
    assert np.array_equal(told.values, untold.values)
    assert told.transcript_report.ignored


@pytest.mark.once
def test_cancelling_stops_the_search_in_a_long_text(pipeline, clip):
    asked = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > 20  # the windows of the clip are three

    with pytest.raises(Cancelled):
        pipeline.encode(clip, transcript=BOOK, cancelled=cancelled)


@pytest.mark.once
def test_cues_with_the_times_of_the_words_are_followed_and_others_left_out(pipeline, clip):
    others = [
        Cue(f"Somebody said {word} at that time.", k * 5.0, k * 5.0 + 4.0) for k, word in enumerate(["no"] * 500, 5)
    ]
    report = pipeline.encode(clip, transcript=TimedTranscript((*CUES, *others))).transcript_report
    assert report.share == 1.0
    assert len(report.words) == 15
    assert report.sentences() == []


@pytest.mark.once
@pytest.mark.parametrize("seconds", [-0.7, 0.7])
def test_cues_may_be_early_or_late_and_reversed(pipeline, clip, seconds):
    cues = [Cue(cue.text, cue.end_seconds + seconds, cue.start_seconds + seconds) for cue in CUES]
    report = pipeline.encode(clip, transcript=TimedTranscript(tuple(cues))).transcript_report
    assert (report.share, report.sentences()) == (1.0, [])


@pytest.mark.once
@pytest.mark.parametrize("seconds", [-60.0, 3.0, 45.0])
def test_cues_whose_times_are_all_off_are_followed_without_them_and_reported(pipeline, clip, seconds):
    report = pipeline.encode(clip, transcript=TimedTranscript(tuple(CUES)).shifted(seconds)).transcript_report
    assert report.share == 1.0
    assert report.times_off == pytest.approx(-seconds, abs=0.4)
    (sentence,) = report.sentences()
    assert "the times of the transcript do not fit the sound" in sentence
    assert ("too late" if seconds > 0 else "too early") in sentence


@pytest.mark.once
def test_cues_of_another_film_are_ignored(pipeline, clip, untold):
    lines = [
        "Seven purple zebras jump quickly.",
        "Over some lazy bishops.",
        "Pineapples grow slowly behind every window.",
    ]
    cues = tuple(Cue(line, 2.0 * k, 2.0 * k + 1.9) for k, line in enumerate(lines * 20))
    told = pipeline.encode(clip, transcript=TimedTranscript(cues))
    assert np.array_equal(told.values, untold.values)
    assert told.transcript_report.ignored


@pytest.mark.once
def test_the_time_of_a_cue_decides_between_equal_words(pipeline, clip):
    """The line twice in the sound, and only its second time in the transcript."""
    twice = Waveform(np.tile(clip.samples, 2), clip.sample_rate)
    seconds = clip.duration_seconds
    report = pipeline.encode(twice, transcript=TimedTranscript(tuple(CUES)).shifted(seconds)).transcript_report
    assert report.share == 1.0
    assert all(seconds - 0.1 < word.start_seconds for word in report.words)


@pytest.mark.once
def test_ten_thousand_cues_of_one_word_cost_no_more_than_those_in_the_sound(pipeline, clip):
    cues = tuple(Cue(word, 0.3 * k, 0.3 * k + 0.3) for k, word in enumerate(TEXT.split() * 700))
    report = pipeline.encode(clip, transcript=TimedTranscript(cues)).transcript_report
    assert len(report.words) < 25
    assert report.num_fitting >= 13


@pytest.mark.once
def test_another_text_changes_nothing_but_the_report(pipeline, clip, untold):
    told = pipeline.encode(clip, transcript="Seven purple zebras jump quickly over some lazy bishops.")
    assert np.array_equal(told.values, untold.values)
    assert told.transcript_report.ignored


@pytest.mark.once
def test_a_wrong_word_changes_little_and_only_near_it(pipeline, clip):
    right, wrong = (pipeline.encode(clip, transcript=text) for text in (TEXT, TEXT.replace("never", "sometimes maybe")))
    assert any(word.text == "sometimes" and not word.fits for word in wrong.transcript_report.words)
    change = np.abs(right.values - wrong.values).mean(axis=1)
    frames = np.arange(len(change)) - right.padding[0]
    start, end = (25 * seconds for seconds in (right.transcript_report.words[3].start_seconds, 2.6))
    assert change[(frames > start) & (frames < end)].max() > 5 * change[frames > end + 15].max()


@pytest.mark.once
def test_a_long_clip_is_aligned_as_a_whole_and_encoded_in_windows(pipeline, clip):
    long_clip = Waveform(np.tile(clip.samples, 5), clip.sample_rate)
    pipeline, windowed = (EMOTEPipeline(pipeline.engine, window_frames=length) for length in (1000, 400))
    seen = []
    one, several = (
        each.encode(long_clip, transcript=" ".join([TEXT] * 5), progress=lambda fraction, _: seen.append(fraction))
        for each in (pipeline, windowed)
    )
    assert one.transcript_report.share > 0.95
    assert several.transcript_report.share > 0.95
    starts = [[word.start_seconds for word in each.transcript_report.words] for each in (one, several)]
    assert starts[0] == pytest.approx(starts[1], abs=0.05)
    assert np.abs(one.values - several.values).mean() < 0.05 * np.abs(one.values).mean()
    assert seen.count(1.0) == 2
    for run in (seen[: seen.index(1.0) + 1], seen[seen.index(1.0) + 1 :]):
        assert run == sorted(run)


def test_silence_hears_no_word_of_the_text(pipeline):
    features = pipeline.encode(Waveform(np.zeros(16000, np.float32), 16000), transcript="hello there")
    assert features.transcript_report.ignored


@pytest.mark.once
def test_a_model_without_a_phone_head_says_that_it_cannot_use_a_transcript(make_tiny_folder, clip):
    other = EMOTEPipeline.from_pretrained(str(make_tiny_folder(audio="wav2vec2")))
    with pytest.raises(ModelError, match="the model tiny_wav2vec2 cannot use a transcript; leave the transcript out"):
        other.encode(clip, transcript=TEXT)


@pytest.mark.parametrize(
    "transcript, language, complaint", [("", "auto", "is empty"), ("hi", "xx", "unknown language")]
)
def test_a_transcript_that_cannot_be_used_is_refused(pipeline, clip, transcript, language, complaint):
    with pytest.raises(InputError, match=complaint):
        pipeline.encode(clip, transcript=transcript, language=language)
