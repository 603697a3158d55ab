"""Sound files through Blender's decoder: whole, and in parts that are cut to the sample without decoding the rest."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emote_blender.audio import Waveform, load_audio, load_part
from emote_blender.errors import InputError
from emote_blender.sound_files.with_aud import AudSound

pytestmark = pytest.mark.ends

RATE = 44100


def decode_file(path) -> Waveform:
    return load_audio(path, None, decoder=AudSound)


def decode_part(path, start_seconds, duration_seconds) -> Waveform:
    return load_part(path, start_seconds, duration_seconds, decoder=AudSound)


# What an encoder of each kind needs beside the name.
FORMATS = {
    "a.wav": {},
    "float.wav": {"subtype": "FLOAT"},
    "24.wav": {"subtype": "PCM_24"},
    "extensible.wav": {"format": "WAVEX"},
    "large.wav": {"format": "RF64"},
    "adpcm.wav": {"subtype": "MS_ADPCM"},
    "a.aiff": {},
    "a.flac": {},
    "a.ogg": {},
    "a.opus": {"format": "OGG", "subtype": "OPUS"},
    "a.mp3": {},
}


@pytest.fixture(scope="module", params=FORMATS)
def sweep(request, tmp_path_factory) -> Path:
    """Twelve seconds of a rising tone with noise: no two places of it are alike."""
    import soundfile

    rate = 48000 if "opus" in request.param else RATE
    time = np.arange(12 * rate) / rate
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(time))
    sound = 0.3 * np.sin(2 * np.pi * (200 + 20 * time) * time) + noise
    path = tmp_path_factory.mktemp("sweep") / request.param
    soundfile.write(path, np.stack([sound, 0.5 * sound], 1).astype(np.float32), rate, **FORMATS[request.param])
    return path


@pytest.fixture(scope="module")
def whole(sweep) -> Waveform:
    return decode_file(sweep)


PARTS = [(0, 1), (0.5, 2), (3, 3), (3.01234, 1.5), (7.9999, 0.04), (11, 3), (-1, 2.5), (-3, 1), (13, 1), (10.9, 0)]


@pytest.mark.parametrize(("start", "duration"), PARTS)
def test_a_part_is_what_the_whole_file_has_there_to_the_sample(sweep, whole, start, duration):
    part = decode_part(sweep, start, duration)
    assert part.sample_rate == whole.sample_rate
    index = round(start * whole.sample_rate) + np.arange(max(1, round(duration * whole.sample_rate)))
    is_inside = (index >= 0) & (index < len(whole.samples))
    expected = np.where(is_inside, whole.samples[np.clip(index, 0, len(whole.samples) - 1)], 0)
    assert np.array_equal(part.samples, expected)


@pytest.mark.parametrize("seconds", [59.9, 60, 60.5, 180, 185.3])
def test_pieces_of_a_long_file_fit_together(tmp_path, seconds):
    import soundfile

    samples = np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * 11025)).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", samples, 11025, subtype="FLOAT")
    assert np.array_equal(decode_file(tmp_path / "long.wav").samples, samples)
    part = decode_part(tmp_path / "long.wav", 1.5, seconds).samples
    assert np.array_equal(part[: len(samples) - 16538], samples[16538:])
    assert not part[len(samples) - 16538 :].any()


# Peak memory of a call, over what the process had before it.
PEAK = """
import resource, sys
import bpy, numpy
from emote_blender.audio import load_part
from emote_blender.sound_files.with_aud import AudSound
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
part = load_part(sys.argv[1], float(sys.argv[2]), 3.0, decoder=AudSound)
assert len(part.samples) == 3 * part.sample_rate and abs(part.samples).max() > 0.4
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before)
"""


def test_three_seconds_of_a_long_recording_take_the_memory_of_seconds(tmp_path):
    """20 minutes of stereo at 48 kHz are 440 MB when decoded; the part lies near their end."""
    pytest.importorskip("resource", reason="Windows does not tell the peak memory this way")
    rate, seconds, start = 48000, 1200, 1190
    path = tmp_path / "long.wav"
    size = rate * seconds * 4
    with path.open("wb") as file:
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, rate, rate * 4, 4, 16)
        file.write(struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size))
        file.seek(44 + start * rate * 4)
        file.write(np.full(3 * rate * 2, 1 << 14, "<i2").tobytes())
        file.truncate(44 + size)
    command = [sys.executable, "-c", PEAK, str(path), str(start)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert int(result.stdout.split()[-1]) < 60e6


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_formats_are_decoded_by_blender(ramp_wav, suffix):
    waveform = decode_file(ramp_wav(f"ramp.{suffix}", sample_rate=44100))
    middle = waveform.samples[2 * 44100 : 2 * 44100 + 441].mean()
    assert waveform.duration_seconds == pytest.approx(4.0, abs=0.1)
    # Lossy codecs drop the slow ramp's offset; flac and wav keep it.
    assert middle == pytest.approx(0.2, abs=0.01 if suffix in ("wav", "flac") else 0.25)


def first_second(path):
    return decode_part(path, 0, 1)


@pytest.mark.parametrize("decode", [decode_file, first_second])
@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"hello, this is text" * 100, bytes(5000), b"BLENDER-v405" * 9],
)
def test_file_that_is_not_sound_is_refused_and_blender_lives(tmp_path, content, decode):
    path = tmp_path / "line.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match="line.wav"):
        decode(path)


@pytest.mark.parametrize("decode", [decode_file, first_second])
def test_samples_that_are_not_numbers_are_refused(tmp_path, decode):
    import soundfile

    soundfile.write(tmp_path / "nan.wav", np.full(1000, np.nan, np.float32), 16000, subtype="FLOAT")
    with pytest.raises(InputError, match="nan.wav has a sample"):
        decode(tmp_path / "nan.wav")


@pytest.mark.parametrize("start", [0, 5])
def test_a_part_of_a_file_without_samples_is_refused(tmp_path, start):
    import soundfile

    soundfile.write(tmp_path / "none.wav", np.zeros(0, np.float32), 16000)
    with pytest.raises(InputError, match="none.wav"):
        decode_part(tmp_path / "none.wav", start, 1)


def test_a_part_longer_than_six_hours_is_refused_before_anything_is_decoded(ramp_wav):
    with pytest.raises(InputError, match="more than 6 hours"):
        decode_part(ramp_wav(), 0, 6 * 3600 + 1)


@pytest.mark.parametrize("decode", [decode_file, first_second])
def test_folder_is_refused(tmp_path, decode):
    with pytest.raises(InputError, match="is a folder"):
        decode(tmp_path)
