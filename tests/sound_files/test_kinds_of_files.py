"""Every kind of file gives the sound that is in it, with PyAV and with Blender's decoder."""

import os
import shutil
import struct

import numpy as np
import pytest
from made_files import KINDS, SECONDS, sweep, wav_bytes, write_tracks

from emote_blender.audio import load_audio, load_part
from emote_blender.errors import InputError
from emote_blender.sound_files.read_layout import read_layout

LOSSY = ("adpcm", "law", "ogg", "opus", "mp3", "aac", "webm", "film.m", "film.a", "parts", "a.m4a", "fast", "u8")


def delay(sound: np.ndarray, original: np.ndarray) -> int:
    """Samples by which a sound comes later than the original, by their cross-correlation."""
    size = 1 << int(np.ceil(np.log2(len(sound) + len(original))))
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(original, size)))
    lag = int(product.argmax())
    return lag if lag < size // 2 else lag - size


@pytest.mark.parametrize("name", KINDS)
def test_the_sound_is_that_of_the_file_at_its_place(made, decoder, name):
    kind = KINDS[name]
    sound, original = load_audio(made(name), None, decoder=decoder), sweep(kind.rate).mean(axis=1)
    assert (sound.sample_rate, sound.warnings) == (kind.rate, ())
    assert delay(sound.samples[:], original) == kind.delay
    here = sound.samples[kind.delay : kind.delay + len(original)]
    bound = 0.1 if any(part in name for part in LOSSY) else 1e-3  # the error's share of the sound's level
    middle = slice(4000, -4000)
    assert (here - original)[middle].std() < bound * original.std()
    assert 0 <= len(sound.samples) - len(original) < 0.06 * kind.rate  # lossy ones fill their last frame


@pytest.mark.parametrize("name", KINDS)
def test_both_decoders_give_the_same(made, name):
    pytest.importorskip("bpy", reason="aud is a part of Blender's Python module")
    from emote_blender.sound_files.with_aud import AudSound
    from emote_blender.sound_files.with_av import AvSound

    sounds = [load_audio(made(name), None, decoder=decoder) for decoder in (AvSound, AudSound)]
    assert len(sounds[0].samples) == len(sounds[1].samples)
    # 16-bit full scale is 32768 for one and 32767 for the other; the ima decoder rounds in another way since ffmpeg 8.
    assert np.abs(sounds[0].samples[:] - sounds[1].samples[:]).max() < (2e-3 if "ima" in name else 2e-5)


@pytest.mark.parametrize("part", [(0.5, 1.25), (-0.5, 1.0), (2.5, 1.0), (SECONDS + 1, 0.5)])
@pytest.mark.parametrize("name", ["16.wav", "a.flac", "vorbis.ogg", "a.mp3", "a.m4a", "film.mkv"])
def test_a_part_is_what_the_whole_has_there(made, decoder, name, part):
    whole, cut = load_audio(made(name), None, decoder=decoder), load_part(made(name), part[0], part[1], decoder=decoder)
    index = round(part[0] * whole.sample_rate) + np.arange(round(part[1] * whole.sample_rate))
    is_inside = (index >= 0) & (index < len(whole.samples))
    expected = np.where(is_inside, whole.samples[np.clip(index, 0, len(whole.samples) - 1)], 0)
    assert np.array_equal(cut.samples, expected)
    assert [warning for warning in cut.warnings if "silent" not in warning] == []


@pytest.mark.parametrize(
    "name", ["a", "a.txt", "A.MP3", "line.wav.part", "été 日本 #1%20.wav", "http:a.wav", "a?b=*.wav"]
)
@pytest.mark.parametrize("kind", ["16.wav", "vorbis.ogg", "a.mp3", "film.mp4"])
def test_the_name_of_a_file_does_not_matter(made, decoder, tmp_path, monkeypatch, name, kind):
    monkeypatch.chdir(tmp_path)
    try:
        shutil.copyfile(made(kind), name)
    except OSError:
        pytest.skip("this system has no such names")
    given = load_audio(name, None, decoder=decoder)
    assert np.array_equal(given.samples, load_audio(made(kind), None, decoder=decoder).samples)


SAMPLES = sweep(16000)[:, 0]
WAV = wav_bytes(SAMPLES)


def with_sizes(data: bytes, riff: int, size: int) -> bytes:
    """A wav file whose header gives other sizes."""
    return data[:4] + struct.pack("<I", riff) + data[8:40] + struct.pack("<I", size) + data[44:]


def with_chunk(data: bytes, name: bytes, content: bytes) -> bytes:
    """A wav file with a chunk before its format."""
    return data[:12] + name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) + data[12:]


WHOLE = {
    "size 0, as a recorder leaves it": with_sizes(WAV, 0, 0),
    "size 0, riff right": with_sizes(WAV, len(WAV) - 8, 0),
    "size of a pipe": with_sizes(WAV, 0xFFFFFFFF, 0xFFFFFFFF),
    "size of sox in a pipe": with_sizes(WAV, 0x7FFFF024, 0x7FFFF000),
    "riff size 0": with_sizes(WAV, 0, len(WAV) - 44),
    "broadcast wave": with_chunk(WAV, b"bext", bytes(602)),
    "odd chunk": with_chunk(WAV, b"junk", b"abc"),
    "large chunk": with_chunk(WAV, b"JUNK", bytes(100_001)),
    "chunk behind": WAV + b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf60.16.100\0",
    "odd size without its last byte": with_sizes(WAV, len(WAV) - 8, len(WAV) - 44),
    "bytes behind": WAV + b"\0" * 3,
    "a sector filled with zeros": WAV + bytes(32768),
}


@pytest.mark.parametrize("content", WHOLE)
def test_a_wav_whose_header_is_unfinished_or_unusual_is_read_whole(decoder, tmp_path, content):
    (tmp_path / "a.wav").write_bytes(WHOLE[content])
    sound = load_audio(tmp_path / "a.wav", decoder=decoder)
    assert sound.warnings == ()
    assert np.abs(sound.samples[:] - SAMPLES).max() < 5e-5


def id3(content: bytes, size: int | None = None) -> bytes:
    """An ID3 tag that announces its size, or another one."""
    size = len(content) if size is None else size
    return b"ID3\x03\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + content


@pytest.fixture
def bare(made):
    """An mp3 of variable bit rate without its first frame, which gives the length."""
    data = made("vbr.mp3").read_bytes()
    place = data.index(b"\xff\xfb", data.index(b"Xing" if b"Xing" in data else b"Info"))
    return data[place:]


JOINED = {
    "two": lambda data: data + data,
    "three": lambda data: data * 3,
    "with a tag between": lambda data: id3(bytes(500)) + data + id3(bytes(3000)) + data,
    "with an old tag between": lambda data: data + b"TAG" + bytes(125) + data,
    "with a tag of a wrong length between": lambda data: data + id3(bytes(500), 1300) + data,
}


@pytest.mark.parametrize("way", JOINED)
def test_mp3_files_that_were_joined_are_read_to_their_end(decoder, tmp_path, bare, way):
    (tmp_path / "a.mp3").write_bytes(JOINED[way](bare))
    sound = load_audio(tmp_path / "a.mp3", None, decoder=decoder)
    count = 3 if way == "three" else 2
    assert sound.duration_seconds == pytest.approx(count * SECONDS, abs=0.2)
    assert sound.warnings == ()


def test_mp3_files_with_headers_that_were_joined_are_read_to_their_end(made, decoder, tmp_path):
    (tmp_path / "a.mp3").write_bytes(made("a.mp3").read_bytes() + made("vbr.mp3").read_bytes())
    sound = load_audio(tmp_path / "a.mp3", None, decoder=decoder)
    assert (sound.duration_seconds, sound.warnings) == (pytest.approx(2 * SECONDS, abs=0.1), ())


@pytest.mark.parametrize("name", ["vorbis.ogg", "a.opus"])
def test_ogg_files_that_were_joined_are_read_to_their_end(made, decoder, tmp_path, name):
    (tmp_path / name).write_bytes(made(name).read_bytes() * 2)
    sound = load_audio(tmp_path / name, None, decoder=decoder)
    assert (sound.duration_seconds, sound.warnings) == (pytest.approx(2 * SECONDS, abs=0.1), ())


@pytest.mark.parametrize("size", [100, 5000, 300_000, (1 << 28) - 1])
def test_an_mp3_whose_tag_gives_a_wrong_length_is_read(decoder, tmp_path, bare, size):
    (tmp_path / "a.mp3").write_bytes(id3(bytes(1544), size) + bare)
    sound = load_audio(tmp_path / "a.mp3", None, decoder=decoder)
    # A tag that reaches into the sound takes what it covers with it.
    lost = 5000 / len(bare) * SECONDS if size == 5000 else 0
    assert sound.duration_seconds == pytest.approx(SECONDS - lost, abs=0.25)


def test_of_several_sound_tracks_the_first_is_read(decoder, tmp_path):
    first, second = sweep(48000), np.zeros((48000, 2), np.float32)
    path = write_tracks(tmp_path / "a.mka", "matroska", [(first, 48000, "libopus"), (second, 48000, "libopus")])
    assert load_audio(path, None, decoder=decoder).duration_seconds == pytest.approx(SECONDS, abs=0.05)


def test_files_of_another_rate_that_were_joined_are_named_and_right_outside_blender(decoder, made, tmp_path):
    (tmp_path / "a.mp3").write_bytes(made("bare.mp3").read_bytes() + made("low.mp3").read_bytes())
    sound = load_audio(tmp_path / "a.mp3", None, decoder=decoder)
    assert len(sound.warnings) == 1
    assert "changes its sample rate or its number of channels at 3.03 s" in sound.warnings[0]
    if decoder.__name__ == "AvSound":
        assert sound.duration_seconds == pytest.approx(2 * SECONDS, abs=0.2)


def test_a_video_without_sound_is_named(decoder, tmp_path):
    for name, form in (("a.mp4", "mp4"), ("a.mkv", "matroska"), ("a.avi", "avi"), ("a.mov", "mov")):
        with pytest.raises(InputError, match=rf"{name} holds no sound, only picture"):
            load_audio(write_tracks(tmp_path / name, form, [], pictures=0.5), decoder=decoder)


NO_SOUND = {
    "is a text file": b"Dear diary, today I said nothing.\n" * 300,
    "is a text": "Grüße, 日本語\n".encode(),
    "a text": "Über\n".encode("utf-16"),
    "text": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/line.ts\n",
    "is a text file, not": b"ffconcat version 1.0\nfile other.wav\n",
    "is a web page": b"\n<!DOCTYPE html><html><body>404</body></html>",
    "is a zip archive": b"PK\x03\x04" + bytes(5000),
    "is a picture": b"\x89PNG\r\n\x1a\n" + bytes(999),
    "picture": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(100),
    "is a PDF": b"%PDF-1.7\n" + bytes(100),
    "which holds notes": b"MThd\0\0\0\x06" + bytes(100),
    "cannot be read as audio": bytes(5000),
    "cannot be read as audio (of": bytes(range(256)) * 30,
    "header gives a length of 0": b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0"
    + bytes(28)
    + WAV[12:40]
    + b"\xff" * 4
    + WAV[44:],
    "are big-endian (RIFX)": b"RIFX"
    + bytes(4)
    + WAV[8:12]
    + b"fmt \0\0\0\x10"
    + bytes(16)
    + b"data\0\0\1\0"
    + bytes(256),
    "index is missing": b"\0\0\0\x18ftypM4A \0\0\0\0" + bytes(8) + b"\0\1\0\0mdat" + bytes(400),
}


@pytest.mark.parametrize("sentence", NO_SOUND)
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a"])
def test_a_file_that_is_no_sound_is_named(decoder, tmp_path, sentence, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(NO_SOUND[sentence])
    with pytest.raises(InputError) as error:
        load_audio(path, decoder=decoder)
    assert f"a{suffix}" in str(error.value)
    assert sentence in str(error.value)
    assert "aiff, flac, ogg, opus, mp3, m4a" in str(error.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names on Windows")
def test_a_pipe_is_named_and_not_read(decoder, tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(InputError, match="is a pipe or a device; save the sound in a file"):
        load_audio(tmp_path / "a.wav", decoder=decoder)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_read_from_the_bytes_alone_takes_no_kind_for_damaged(made, name):
    layout = read_layout(made(name))
    assert (layout.is_cut, layout.hole_seconds, layout.change_seconds) == (False, None, None)
    if layout.announced_seconds is not None:
        assert layout.announced_seconds == pytest.approx(SECONDS, abs=0.09)
