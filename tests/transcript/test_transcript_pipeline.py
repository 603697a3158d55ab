"""A transcript through the whole pipeline, with the open model and a clip whose words are known."""

from pathlib import Path

import numpy as np
import pytest

from emote_blender.audio import Waveform, load_audio
from emote_blender.emotion import EmotionTrack
from emote_blender.errors import InputError, ModelError
from emote_blender.pipeline import EMOTEPipeline
from emote_blender.transcript.espeak import open_espeak
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript

CLIP = Path(__file__).resolve().parents[1] / "data" / "anger_line.wav"
TEXT = "I told you never to open that door. Now look at what you have done!"


@pytest.fixture(scope="module", autouse=True)
def library():
    try:
        return open_espeak()
    except ModelError as error:
        pytest.skip(str(error))


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


def test_another_text_changes_nothing_but_the_report(pipeline, clip, untold):
    told = pipeline.encode(clip, transcript="Seven purple zebras jump quickly over some lazy bishops.")
    assert np.array_equal(told.values, untold.values)
    assert told.transcript_report.ignored


def test_a_wrong_word_changes_little_and_only_near_it(pipeline, clip):
    right, wrong = (pipeline.encode(clip, transcript=text) for text in (TEXT, TEXT.replace("never", "sometimes maybe")))
    assert any(word.text == "sometimes" and not word.fits for word in wrong.transcript_report.words)
    change = np.abs(right.values - wrong.values).mean(axis=1)
    frames = np.arange(len(change)) - right.padding[0]
    start, end = (25 * seconds for seconds in (right.transcript_report.words[3].start_seconds, 2.6))
    assert change[(frames > start) & (frames < end)].max() > 5 * change[frames > end + 15].max()


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


def test_a_model_without_a_phone_head_says_that_it_cannot_use_a_transcript(make_tiny_folder, clip):
    other = EMOTEPipeline.from_pretrained(str(make_tiny_folder(audio="wav2vec2")))
    with pytest.raises(ModelError, match="the model tiny_wav2vec2 cannot use a transcript; leave the transcript out"):
        other.encode(clip, transcript=TEXT)


@pytest.mark.parametrize(
    "transcript, language, complaint",
    [("", "auto", "is empty"), ("hi", "xx", "unknown language"), ("word " * 2000, "auto", "too many for 3.9 s")],
)
def test_a_transcript_that_cannot_be_used_is_refused(pipeline, clip, transcript, language, complaint):
    with pytest.raises(InputError, match=complaint):
        pipeline.encode(clip, transcript=transcript, language=language)
