"""Long sound on disk: the same samples, the same motion, and one sentence where there is no room."""

import tempfile

import numpy as np
import pytest

from emote_blender import sample_store
from emote_blender.audio import Waveform, load_audio
from emote_blender.errors import InputError
from emote_blender.sample_store import StoredSamples, store

LIMIT = 5000  # samples that stay in memory in these tests


@pytest.fixture
def small_memory(monkeypatch):
    """Sounds of more than `LIMIT` samples go to disk."""
    monkeypatch.setattr(sample_store, "_IN_MEMORY", LIMIT)


@pytest.mark.parametrize("length", [0, 1, LIMIT, LIMIT + 1, 3 * LIMIT + 7])
def test_blocks_come_back_as_one_sound(small_memory, length):
    samples = np.random.default_rng(0).standard_normal(length).astype(np.float32)
    stored = store((samples[start : start + 1500] for start in range(0, length, 1500)), "a sound")
    assert isinstance(stored, StoredSamples) == (length > LIMIT)
    assert len(stored) == length
    np.testing.assert_array_equal(stored[:], samples)
    np.testing.assert_array_equal(np.asarray(stored), samples)


@pytest.mark.parametrize("part", [slice(0, 10), slice(5990, 6100), slice(-7, None), slice(3, 3), slice(9000, 20000)])
def test_a_slice_is_that_of_the_array(small_memory, part):
    samples = np.random.default_rng(1).standard_normal(2 * LIMIT).astype(np.float32)
    np.testing.assert_array_equal(store([samples], "a sound")[part], samples[part])


def test_a_step_is_refused(small_memory):
    with pytest.raises(ValueError, match="without a step"):
        store([np.zeros(2 * LIMIT, np.float32)], "a sound")[::2]


@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_a_long_file_is_the_same_sound_on_disk_as_in_memory(small_memory, monkeypatch, tmp_path, sample_rate):
    soundfile = pytest.importorskip("soundfile")
    samples = 0.1 * np.random.default_rng(2).standard_normal((3 * sample_rate, 2)).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", samples, sample_rate, subtype="FLOAT")
    on_disk = load_audio(tmp_path / "long.wav").samples
    assert isinstance(on_disk, StoredSamples)
    expected = Waveform.from_channels(samples, sample_rate).resampled(16000).samples[:]
    np.testing.assert_allclose(on_disk[:], expected, atol=1e-7)
    monkeypatch.setattr(sample_store, "_IN_MEMORY", 10**9)
    np.testing.assert_array_equal(load_audio(tmp_path / "long.wav").samples, on_disk[:])


def test_no_room_for_a_long_sound_is_one_sentence(small_memory, monkeypatch):
    class FullDisk:
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: FullDisk())
    with pytest.raises(InputError, match=r"line\.wav is long .*No space left on device.*make room"):
        store([np.zeros(2 * LIMIT, np.float32)], "line.wav")


def test_motion_does_not_depend_on_where_the_samples_are(small_memory, speech_samples):
    from emote_blender.emotion import EmotionTrack
    from emote_blender.pipeline import EMOTEPipeline

    pipeline = EMOTEPipeline(EMOTEPipeline.from_pretrained("emote_open").engine, window_frames=248)
    samples = np.tile(speech_samples, 14)
    in_memory, on_disk = Waveform(samples), Waveform(store([samples], "a sound"))
    assert isinstance(on_disk.samples, StoredSamples)
    track = EmotionTrack.constant("happy", 2.0)
    motions = [pipeline.generate(pipeline.encode(sound), track) for sound in (in_memory, on_disk)]
    np.testing.assert_array_equal(motions[0].expression, motions[1].expression)
