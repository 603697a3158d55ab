"""A file of which a part is missing gives what is there, and one warning with the time."""

import random
import re
import shutil

import numpy as np
import pytest
from made_files import KINDS, SECONDS, wav_bytes

from emote_blender.audio import load_audio, load_part
from emote_blender.errors import EmoteError

# Kinds that cannot be read without their end, or in which nothing tells that it is missing.
INDEX_AT_THE_END = ("a.m4a", "lossless.m4a", "film.mp4", "film.mov")
SAYS_NOTHING = ("a.au", "a.caf")
CUT = [name for name in KINDS if name not in (*INDEX_AT_THE_END, *SAYS_NOTHING)]


def one_warning(sound) -> str:
    """The only warning of a sound."""
    assert len(sound.warnings) == 1, sound.warnings
    return sound.warnings[0]


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("share", [0.4, 0.8])
def test_a_file_that_ends_early_is_read_to_its_end_with_one_warning(made, decoder, tmp_path, name, share):
    data = made(name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: round(share * len(data))])
    sound = load_audio(path, None, decoder=decoder)
    assert 0.1 < sound.duration_seconds < 0.95 * SECONDS
    found = re.search(
        rf"{name} (?:ends|breaks off) at ([\d.]+) (?:of ([\d.]+) )?s; the rest is missing", one_warning(sound)
    )
    assert found, sound.warnings
    assert float(found[1]) == pytest.approx(sound.duration_seconds, abs=0.006)
    assert found[2] is None or float(found[2]) == pytest.approx(SECONDS, abs=0.08)


@pytest.mark.parametrize("name", INDEX_AT_THE_END)
def test_a_film_whose_index_is_missing_is_named(made, decoder, tmp_path, name):
    data = made(name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(EmoteError, match=r"its index is missing: the file or its recording was not finished"):
        load_audio(tmp_path / name, decoder=decoder)


def test_a_wav_whose_header_announces_more_than_is_there_says_so(decoder, tmp_path):
    data = bytearray(wav_bytes(np.sin(np.arange(16000) * 0.1) * 0.5))
    data[40:44] = (10 * 32000).to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(data)
    warning = one_warning(load_audio(tmp_path / "a.wav", decoder=decoder))
    assert warning.endswith("a.wav ends at 1.00 of 10.00 s; the rest is missing")


def test_a_wav_whose_header_announces_less_than_is_there_says_so(decoder, tmp_path):
    data = bytearray(wav_bytes(np.sin(np.arange(32000) * 0.1) * 0.5))
    data[40:44] = (16000).to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(data)
    sound = load_audio(tmp_path / "a.wav", decoder=decoder)
    assert sound.duration_seconds == 0.5
    assert "a.wav announces 0.50 s in its header, and players stop there, but 1.50 s more follow" in one_warning(sound)
    assert load_part(tmp_path / "a.wav", 0.0, 0.2, decoder=decoder).warnings == ()


def test_wav_files_that_were_joined_end_to_end_say_that_the_second_is_left_out(decoder, tmp_path):
    tag = b"LIST\x04\0\0\0INFO"
    data = wav_bytes(np.sin(np.arange(16000) * 0.1) * 0.5)
    (tmp_path / "a.wav").write_bytes(data + tag + data)
    sound = load_audio(tmp_path / "a.wav", decoder=decoder)
    assert sound.duration_seconds == 1.0
    assert "a.wav announces 1.00 s in its header, and players stop there, but 1.00 s more follow" in one_warning(sound)


HOLES = {"zeros": lambda n: bytes(n), "noise": lambda n: random.Random(0).randbytes(n), "nothing": lambda n: b""}
# Kinds that are a chain of frames or pages, of which a hole can be seen.
CHAINS = (
    "a.flac",
    "vorbis.ogg",
    "a.opus",
    "a.mp3",
    "vbr.mp3",
    "bare.mp3",
    "low.mp3",
    "a.aac",
    "sound.webm",
    "film.mkv",
)


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("name", CHAINS)
def test_a_hole_in_the_middle_is_left_out_with_one_warning(made, decoder, tmp_path, name, hole):
    data = made(name).read_bytes()
    begin, length = len(data) // 2, len(data) // 8
    path = tmp_path / name
    path.write_bytes(data[:begin] + HOLES[hole](length) + data[begin + length :])
    sound = load_audio(path, None, decoder=decoder)
    assert SECONDS / 3 < sound.duration_seconds < SECONDS
    found = re.search(
        rf"{name} (?:is damaged|breaks off) at ([\d.]+) s[:;] (?:what cannot be decoded.* is left out|the rest)",
        one_warning(sound),
    )
    assert found, sound.warnings
    if name not in ("film.mkv", "sound.webm"):  # whose pages of a second, or pictures, lie together
        assert float(found[1]) == pytest.approx(SECONDS / 2, abs=0.6)


@pytest.mark.parametrize("hole", ["zeros", "noise"])
@pytest.mark.parametrize("name", ["fast.m4a", "a.m4a", "lossless.m4a"])
def test_a_hole_that_only_the_decoder_finds_is_named_too(made, decoder, tmp_path, name, hole):
    data = made(name).read_bytes()
    begin, length = len(data) // 2, len(data) // 5
    path = tmp_path / name
    path.write_bytes(data[:begin] + HOLES[hole](length) + data[begin + length :])
    warning = one_warning(load_audio(path, None, decoder=decoder))
    found = re.search(r"is damaged at ([\d.]+) s: what cannot be decoded \(([\d.]+) s\) is left out", warning)
    assert found, warning
    assert float(found[1]) == pytest.approx(SECONDS / 2, abs=0.4)
    assert float(found[2]) == pytest.approx(SECONDS / 5, abs=0.3)


@pytest.mark.parametrize("name", ["16.wav", "a.flac", "vorbis.ogg", "a.mp3"])
def test_a_part_before_the_damage_has_no_warning_and_one_that_reaches_it_has(made, decoder, tmp_path, name):
    data = made(name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: round(0.6 * len(data))])
    assert load_part(path, 0.0, 0.5, decoder=decoder).warnings == ()
    assert "the rest is missing" in one_warning(load_part(path, 0.2, 2.7, decoder=decoder))


def test_a_part_that_reaches_beyond_a_whole_file_has_no_warning(made, decoder):
    assert load_part(made("a.mp3"), 2.0, 3.0, decoder=decoder).warnings == ()


@pytest.mark.parametrize(
    "name", ["16.wav", "a.flac", "vorbis.ogg", "a.opus", "a.mp3", "a.m4a", "a.mka", "film.mp4", "a.aac"]
)
def test_damaged_bytes_are_read_or_refused_in_one_sentence(made, decoder, tmp_path, name):
    data, chance, sentences = made(name).read_bytes(), random.Random(name), []
    for number in range(12):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 5, 50])):
            damaged[chance.randrange(min(len(data), 300) if number % 2 else len(data))] = chance.randrange(256)
        path = tmp_path / f"{number}_{name}"
        path.write_bytes(damaged[: chance.randrange(100, len(data))] if number % 3 == 2 else damaged)
        try:
            sound = load_audio(path, None, decoder=decoder)
        except EmoteError as error:
            sentences.append(str(error))
        else:
            assert len(sound.samples)
            assert np.isfinite(sound.samples[:]).all()
    assert all(name in sentence for sentence in sentences)


def test_a_file_that_needs_a_copy_says_so_when_the_temporary_folder_is_full(made, decoder, tmp_path, monkeypatch):
    tag = b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + bytes(500)
    (tmp_path / "a.mp3").write_bytes(tag + made("bare.mp3").read_bytes())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(EmoteError, match=r"a\.mp3 needs .* MB in .*gone while it is read, which cannot be written"):
        load_audio(tmp_path / "a.mp3", decoder=decoder)
    shutil.copyfile(made("bare.mp3"), tmp_path / "b.mp3")
    assert len(load_audio(tmp_path / "b.mp3", decoder=decoder).samples)  # which needs none
