import numpy as np
import pytest
import soundfile

from emote_blender.audio import Waveform, load_audio
from emote_blender.errors import InputError


def tone(hertz: float, sample_rate: int, seconds: float = 1.0) -> np.ndarray:
    """A sine of amplitude 0.5."""
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sample_rate)) / sample_rate)


def amplitude(samples: np.ndarray, hertz: float, sample_rate: int) -> float:
    """Amplitude of one frequency in the middle of a sound (filters ring at its ends)."""
    middle = samples[len(samples) // 10 : -len(samples) // 10]
    phase = np.exp(-2j * np.pi * hertz * np.arange(len(middle)) / sample_rate) * np.hanning(len(middle))
    return 2 * abs(np.sum(middle * phase)) / np.sum(np.hanning(len(middle)))


def test_channels_are_averaged():
    left, right = np.array([1.0, 0.5, -1.0]), np.array([0.0, 0.5, 0.0])
    assert Waveform.from_channels(np.stack([left, right], axis=1), 16000).samples[:].tolist() == [0.5, 0.5, -0.5]


def test_duration_is_samples_over_rate():
    assert Waveform.from_channels(np.zeros(12000), 8000).duration_seconds == 1.5


@pytest.mark.parametrize("sample_rate", [8000, 11025, 22050, 24000, 32000, 44100, 47999, 48000, 88200, 96000])
def test_resampling_keeps_a_tone_and_the_duration(sample_rate):
    waveform = Waveform.from_channels(tone(440, sample_rate), sample_rate).resampled(16000)
    assert waveform.samples[:].dtype == np.float32
    assert len(waveform.samples) == 16000
    assert amplitude(waveform.samples[:], 440, 16000) == pytest.approx(0.5, rel=1e-4)


def test_resampling_removes_what_the_new_rate_cannot_hold():
    waveform = Waveform.from_channels(tone(11000, 48000), 48000).resampled(16000)
    # It would fold to 5 kHz.
    assert amplitude(waveform.samples[:], 5000, 16000) < 0.5 * 10 ** (-90 / 20)


@pytest.mark.parametrize("suffix, tolerance", [(".wav", 1e-4), (".flac", 1e-4), (".ogg", 0.03), (".mp3", 0.03)])
def test_every_format_gives_the_same_sound(tmp_path, suffix, tolerance):
    path = tmp_path / f"Ansprache mit Leerzeichen – été 日本{suffix}"
    left = tone(440, 44100)
    soundfile.write(path, np.stack([left, left], axis=1), 44100)
    waveform = load_audio(path)
    assert waveform.sample_rate == 16000
    assert waveform.duration_seconds == pytest.approx(1.0, abs=0.06)  # mp3 pads to whole blocks
    assert amplitude(waveform.samples[:], 440, 16000) == pytest.approx(0.5, rel=tolerance)


def test_a_file_longer_than_one_block_is_read_whole(tmp_path):
    samples = np.linspace(-1.0, 1.0, (1 << 20) + 12345).astype(np.float32)
    soundfile.write(tmp_path / "ramp.wav", samples, 16000, subtype="FLOAT")
    assert np.array_equal(load_audio(tmp_path / "ramp.wav").samples, samples)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_a_sample_that_is_no_sound_is_named_with_its_time(bad):
    samples = np.zeros((16000, 2))
    samples[4000, 1] = bad
    with pytest.raises(InputError, match=r"line\.wav has a sample that is no sound .* at 0\.250 s"):
        Waveform.from_channels(samples, 16000, name="line.wav")


def test_no_samples_are_refused():
    with pytest.raises(InputError, match="has no samples"):
        Waveform.from_channels(np.zeros((0, 2)), 44100, name="line.wav")


@pytest.mark.parametrize("sample_rate", [0, 1, 2_000_000])
def test_an_absurd_sample_rate_is_refused(sample_rate):
    with pytest.raises(InputError, match="sample rate"):
        Waveform.from_channels(np.zeros(100), sample_rate)


def test_sound_longer_than_the_limit_is_refused_with_the_limit():
    endless = np.broadcast_to(np.float32(0), (7 * 3600 * 1000,))
    with pytest.raises(InputError, match=r"lasts more than 6 hours; cut it into parts"):
        Waveform.from_channels(endless, 1000)


def test_integers_are_the_callers_fault():
    with pytest.raises(TypeError, match="int16"):
        Waveform.from_channels(np.zeros(100, np.int16), 16000)
