"""From waveform and emotion track to face motion."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emote_blender.audio import Waveform
from emote_blender.emotion import EMOTIONS, EmotionTrack
from emote_blender.errors import Cancelled, InputError, ModelError
from emote_blender.files.safetensors_file import read_tensors, write_tensors
from emote_blender.motion import FaceMotion
from emote_blender.pipeline import EMOTEPipeline, describe_track
from emote_blender.pipeline.emote_pipeline import SILENCE_PEAK
from emote_blender.pipeline.windows import plan_windows
from emote_blender.speech_model.graphs import STYLE_WEIGHT
from emote_blender.version import package_version


def speech(seconds, seed=0):
    """Noise in syllables of a quarter of a second with pauses, at 16 kHz."""
    generator = np.random.default_rng(seed)
    num_samples = round(seconds * 16000)
    loudness = np.repeat(generator.uniform(0, 0.3, num_samples // 4000 + 1), 4000)[:num_samples]
    loudness[loudness < 0.1] = 0.001
    return Waveform((generator.standard_normal(num_samples) * loudness).astype(np.float32), 16000)


def values(motion):
    """Expression and jaw in one array (T, E + 3)."""
    return np.concatenate([motion.expression, motion.jaw], axis=1)


@pytest.fixture(scope="module", params=["log_mel", "wav2vec2"])
def pipeline(request, make_tiny_folder):
    return EMOTEPipeline.from_pretrained(str(make_tiny_folder(audio=request.param)))


@pytest.fixture(scope="module")
def log_mel_pipeline(make_tiny_folder):
    return EMOTEPipeline.from_pretrained(str(make_tiny_folder()))


def test_a_clip_becomes_a_motion_at_25_fps(pipeline):
    motion = pipeline.generate(pipeline.encode(speech(1.99)), EmotionTrack.constant("happy", 2))
    assert motion.fps == 25
    assert motion.expression.shape == (49, 5)
    assert motion.jaw.shape == (49, 3)
    assert motion.expression.dtype == np.float32


@pytest.mark.parametrize("seconds, num_frames", [(1.99, 50), (2.0, 50), (2.0 + 1 / 16000, 50), (2.01, 51)])
def test_a_last_partial_frame_is_completed_on_request(seconds, num_frames, log_mel_pipeline):
    features = log_mel_pipeline.encode(speech(seconds), complete=True)
    assert features.num_frames == num_frames
    assert log_mel_pipeline.encode(speech(seconds)).num_frames == int(seconds * 25)


def test_the_same_input_gives_the_same_bytes(pipeline):
    first, second = (
        pipeline.generate(pipeline.encode(speech(3)), EmotionTrack.constant("fear", 0.5), "B") for _ in range(2)
    )
    assert values(first).tobytes() == values(second).tobytes()


def test_meta_says_what_the_motion_was_made_with(tmp_path, pipeline):
    motion = pipeline.generate(pipeline.encode(speech(1)), EmotionTrack.constant("anger", 1.5), "C")
    assert motion.meta == {
        "model": pipeline.config.name,
        "face": "tiny_face",
        "expression_names": [f"component{index}" for index in range(5)],
        "speaker": "C",
        "licence": "CC0-1.0",
        "version": package_version(),
        "emotion": "anger",
        "intensity": 1.5,
    }
    motion.save(tmp_path / "motion.npz")
    assert FaceMotion.load(tmp_path / "motion.npz").meta == motion.meta


def test_emotion_intensity_and_speaker_change_the_motion(log_mel_pipeline):
    features = log_mel_pipeline.encode(speech(2))
    motions = [
        log_mel_pipeline.generate(features, EmotionTrack.constant(emotion, intensity), speaker)
        for emotion, intensity, speaker in [("sad", 1, "A"), ("anger", 1, "A"), ("sad", 2, "A"), ("sad", 1, "B")]
    ]
    for motion in motions[1:]:
        assert np.abs(values(motion) - values(motions[0])).max() > 1e-3


def test_without_a_speaker_the_models_first_is_taken(log_mel_pipeline):
    features, track = log_mel_pipeline.encode(speech(1)), EmotionTrack.constant()
    default = log_mel_pipeline.generate(features, track)
    assert default.meta["speaker"] == "A"
    assert np.array_equal(values(default), values(log_mel_pipeline.generate(features, track, "A")))


def test_an_unknown_speaker_is_refused_with_the_list_of_speakers(log_mel_pipeline):
    with pytest.raises(InputError, match=r"unknown speaker 'Bob'.*A, B, C"):
        log_mel_pipeline.generate(log_mel_pipeline.encode(speech(1)), EmotionTrack.constant(), "Bob")


def test_emotions_are_matched_by_name_not_by_place(make_tiny_folder, tmp_path):
    order = [7, 0, 6, 1, 5, 2, 4, 3]
    folder = make_tiny_folder()
    shuffled = make_tiny_folder(tmp_path / "shuffled", emotions=tuple(EMOTIONS[index] for index in order))
    tensors = read_tensors(folder / "model.safetensors")
    tensors[STYLE_WEIGHT] = tensors[STYLE_WEIGHT][:, order + list(range(8, 14))]
    write_tensors(shuffled / "model.safetensors", tensors)
    track = EmotionTrack(np.array([0.0, 1.0]), np.eye(8)[[1, 6]], np.array([0.0, 2.0]))
    pipelines = [EMOTEPipeline.from_pretrained(str(one)) for one in (folder, shuffled)]
    motions = [one.generate(one.encode(speech(1)), track) for one in pipelines]
    assert np.allclose(values(motions[0]), values(motions[1]), atol=1e-6)


@pytest.mark.parametrize("changes", [{"emotions": (*EMOTIONS[:7], "boredom")}, {"intensities": 2}])
def test_a_model_that_no_emotion_track_fits_is_refused(changes, make_tiny_folder):
    with pytest.raises(ModelError, match="contempt"):
        EMOTEPipeline.from_pretrained(str(make_tiny_folder(**changes)))


@pytest.mark.parametrize("num_samples", [1, 320, 639])
def test_a_sound_shorter_than_one_frame_is_refused(num_samples, log_mel_pipeline):
    with pytest.raises(InputError, match="less than one frame"):
        log_mel_pipeline.encode(Waveform(np.full(num_samples, 0.1, np.float32), 16000))


def test_one_frame_is_enough(pipeline):
    features = pipeline.encode(speech(0.04))
    assert values(pipeline.generate(features, EmotionTrack.constant())).shape == (1, 8)


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 96000])
def test_other_sample_rates_are_resampled(sample_rate, log_mel_pipeline):
    tone = np.sin(2 * np.pi * 300 * np.arange(sample_rate * 2) / sample_rate).astype(np.float32)
    features = log_mel_pipeline.encode(Waveform(tone, sample_rate))
    assert features.num_frames == 50
    assert features.duration_seconds == 2.0
    assert np.isfinite(features.values).all()


@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_noise_at_the_level_of_silence_is_taken_as_silence(offset, pipeline):
    track = EmotionTrack.constant("sad", 1)
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, 32000).astype(np.float32) * SILENCE_PEAK
    silence = pipeline.generate(pipeline.encode(Waveform(np.zeros(32000, np.float32), 16000)), track)
    noisy = pipeline.generate(pipeline.encode(Waveform(noise + np.float32(offset), 16000)), track)
    assert np.isfinite(values(silence)).all()
    assert np.array_equal(values(silence), values(noisy))


def test_progress_rises_from_zero_to_one(log_mel_pipeline):
    pipeline = EMOTEPipeline(log_mel_pipeline.engine, window_frames=200)
    seen = []
    features = pipeline.encode(speech(40), lambda fraction, text: seen.append((fraction, text)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert len(fractions) > 4
    assert fractions == sorted(fractions)
    pipeline.generate(features, EmotionTrack.constant(), progress=lambda fraction, text: seen.append((fraction, text)))
    assert len({text for _, text in seen}) == 2


def test_work_stops_before_the_next_window_when_it_is_cancelled(log_mel_pipeline):
    pipeline = EMOTEPipeline(log_mel_pipeline.engine, window_frames=200)
    seen = []
    with pytest.raises(Cancelled):
        pipeline.encode(speech(40), lambda fraction, text: seen.append(fraction), lambda: len(seen) == 2)
    assert len(seen) == 2
    features = pipeline.encode(speech(1))
    with pytest.raises(Cancelled):
        pipeline.generate(features, EmotionTrack.constant(), cancelled=lambda: True)


def test_features_of_another_model_are_refused(make_tiny_folder, log_mel_pipeline):
    other = EMOTEPipeline.from_pretrained(str(make_tiny_folder(name="another")))
    with pytest.raises(ValueError, match="another"):
        log_mel_pipeline.generate(other.encode(speech(1)), EmotionTrack.constant())


@pytest.mark.once
def test_windows_of_a_long_clip_agree_with_one_window(pipeline):
    """100 s in windows of the encoder's length against all at once.

    They cannot be equal: attention reaches beyond a window. With these random weights, whose attention is spread
    evenly, the windows' result correlated at 0.998 and 0.999 and differed by 0.25 deviations at most.
    """
    whole = EMOTEPipeline(pipeline.engine, window_frames=10_000)
    track = EmotionTrack(np.array([0.0, 50.0]), np.eye(8)[[1, 6]], np.array([1.0, 2.0]))
    expected, found = (values(one.generate(one.encode(speech(100)), track)) for one in (whole, pipeline))
    deviation = expected.std(axis=0)
    correlation = [np.corrcoef(expected[:, index], found[:, index])[0, 1] for index in range(8)]
    assert np.mean(correlation) > 0.99
    assert (np.abs(found - expected) / deviation).max() < 0.5
    step = (np.abs(np.diff(found - expected, axis=0)) / deviation).max(axis=1)
    at_seam = np.zeros(len(step), dtype=bool)
    for window in plan_windows(2500, 8, 1000, 160):
        changing = np.flatnonzero((window.weights > 0) & (window.weights < 1)) + window.start
        at_seam[changing] = True
    assert at_seam.sum() == 64
    assert step[at_seam].max() < step[~at_seam].max()


@pytest.mark.once
def test_a_quiet_stretch_of_a_long_clip_stays_quiet(pipeline):
    """A window's own normalisation would raise the quiet stretch to the level of speech."""
    clip = Waveform(np.concatenate([speech(50).samples, speech(50, seed=1).samples * 0.003]), 16000)
    expected = EMOTEPipeline(pipeline.engine, window_frames=10_000).encode(clip).values[1700:]
    found = pipeline.encode(clip).values[1700:]
    assert np.sqrt(np.square(found - expected).mean()) < 0.2 * expected.std()


@pytest.mark.once
def test_twenty_minutes_of_sound_do_not_crash(make_tiny_folder):
    pipeline = EMOTEPipeline.from_pretrained(str(make_tiny_folder(audio="wav2vec2")))
    motion = pipeline.generate(pipeline.encode(speech(1200)), EmotionTrack.constant("happy"))
    assert motion.num_frames == 30_000
    assert np.isfinite(values(motion)).all()


def test_a_model_is_found_by_its_folder(tiny_model_folder):
    assert EMOTEPipeline.from_pretrained(str(tiny_model_folder)).config.name == "tiny_log_mel"


def test_a_model_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ModelError, match="no_such_model"):
        EMOTEPipeline.from_pretrained("no_such_model")


# The shortest windows of a latent's frames: 160 of overlap, twice 32 of cross-fade, 3 latents of rounding.
SHORTEST_WINDOWS = {1: 227, 2: 230, 8: 248, 16: 272, 64: 416}


@pytest.mark.once
@settings(max_examples=300, deadline=None)
@given(data=st.data(), multiple=st.sampled_from(sorted(SHORTEST_WINDOWS)))
def test_windows_of_every_allowed_length_cover_every_frame_once(data, multiple):
    max_frames = data.draw(st.one_of(st.integers(SHORTEST_WINDOWS[multiple], 600), st.integers(600, 2000)))
    num_frames = data.draw(st.one_of(st.integers(1, 10 * max_frames), st.integers(1, 600_000)))
    total = np.zeros(num_frames)
    for window in plan_windows(num_frames, multiple, max_frames, 160):
        assert window.start % multiple == 0
        assert 0 < window.num_frames <= max_frames
        assert window.weights.min() >= 0
        total[window.start : window.stop] += window.weights
    assert np.allclose(total, 1.0, atol=1e-6)


@pytest.mark.parametrize(("multiple", "shortest"), SHORTEST_WINDOWS.items())
def test_windows_too_short_to_overlap_are_refused_whatever_the_clip_lasts(multiple, shortest):
    for num_frames in (1, 5000):
        for max_frames in (shortest - 1, 170, 168, 100, 0, -1):
            with pytest.raises(ValueError, match=f"at least {shortest} frames long .* found {max_frames}"):
                plan_windows(num_frames, multiple, max_frames, 160)


@pytest.mark.parametrize("window_frames", [0, 100, 151])
def test_a_pipeline_with_too_short_windows_is_refused_at_once(window_frames, log_mel_pipeline):
    with pytest.raises(ValueError, match="at least 152 frames"):
        EMOTEPipeline(log_mel_pipeline.engine, window_frames=window_frames)


def test_a_clip_up_to_the_longest_window_is_one_window():
    assert len(plan_windows(1000, 8, 1000, 160)) == 1
    assert len(plan_windows(1001, 8, 1000, 160)) == 2


def test_a_track_that_changes_is_described_with_its_keys():
    track = EmotionTrack(np.array([0.0, 2.0]), np.eye(8)[[0, 3]], np.array([1.0, 1.0]))
    description = json.loads(json.dumps(describe_track(track)))
    assert description["emotion"] == "mixed"
    assert description["intensity"] == 1.0
    assert description["emotion_track"]["times_seconds"] == [0.0, 2.0]


def test_one_emotion_whose_intensity_changes_keeps_its_name():
    description = describe_track(EmotionTrack(np.array([0.0, 2.0]), np.eye(8)[[3, 3]], np.array([0.0, 2.0])))
    assert description["emotion"] == "surprise"
    assert description["intensity"] is None


def test_the_version_is_the_manifests():
    assert package_version().count(".") == 2


def test_features_hold_the_prosody_of_every_frame(pipeline):
    seconds = np.arange(2 * 16000) / 16000
    pitch = 120.0 * (1 + np.arange(10)[:, None])
    sound = np.where(seconds < 1, 0.1 * np.sin(2 * np.pi * pitch * seconds).sum(axis=0), 0.0).astype(np.float32)
    prosody = pipeline.encode(Waveform(sound)).prosody
    assert len(prosody.pitch_hz) == len(prosody.loudness_db) == 50
    assert prosody.pitch_hz[2:23] == pytest.approx(120.0, rel=0.01)
    assert prosody.loudness_db[:24].min() > -30
    assert prosody.loudness_db[27:].max() == -100
