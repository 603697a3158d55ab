"""Features are found again by what they follow from, and whatever happens to the folder, no work fails."""

import hashlib
import io
import json
import os
import sys
from typing import Any

import numpy as np
import pytest

from emote_blender.audio import Waveform
from emote_blender.motion_tools.raw_take import Prosody
from emote_blender.pipeline import AudioFeatures, EMOTEPipeline, FeatureCache, feature_key, model_digest
from emote_blender.transcript.report import AlignedWord, TranscriptReport
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript

KEY = "a" * 64


def features(seed: int = 0, num_frames: int = 50) -> AudioFeatures:
    values = np.random.default_rng(seed).normal(size=(num_frames, 16)).astype(np.float32)
    words = (AlignedWord("hello", 0.1, 0.5), AlignedWord("world", 0.5, 0.9, "it does not match"))
    prosody = Prosody(values[:, 0].copy(), values[:, 1].copy())
    return AudioFeatures(values, 25, "tiny", (4, 6), TranscriptReport("en", words, ((1.0, 2.0),), False), prosody)


def same(one: AudioFeatures | None, other: AudioFeatures) -> bool:
    return (
        one is not None
        and np.array_equal(one.values, other.values)
        and one.prosody is not None
        and np.array_equal(one.prosody.loudness_db, other.prosody.loudness_db)
        and np.array_equal(one.prosody.pitch_hz, other.prosody.pitch_hz)
        and (one.fps, one.model, one.padding, one.transcript_report)
        == (other.fps, other.model, other.padding, other.transcript_report)
    )


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_put_is_found_bit_for_bit_in_memory_and_by_the_next_process(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.put(KEY, features())
    assert same(cache.get(KEY), features())
    assert same(FeatureCache(tmp_path).get(KEY), features())
    assert FeatureCache(tmp_path).get("b" * 64) is None


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache = FeatureCache()
    cache.put(KEY, features())
    assert same(cache.get(KEY), features())
    assert files(tmp_path) == []


def test_memory_keeps_what_was_used_last():
    size = features().values.nbytes
    cache = FeatureCache(memory_bytes=2 * size)
    cache.put("1", features(1))
    cache.put("2", features(2))
    cache.get("1")
    cache.put("3", features(3))
    assert [cache.get(key) is not None for key in "123"] == [True, False, True]


def test_the_folder_keeps_what_was_used_last(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.put("1", features(1))
    size = next(tmp_path.iterdir()).stat().st_size
    cache.put("2", features(2))
    for age, key in ((200, "1"), (100, "2")):
        os.utime(tmp_path / f"{key}.features", (age, age))
    fresh = FeatureCache(tmp_path, disk_bytes=2 * size + 100)
    assert same(fresh.get("1"), features(1))  # now the younger one
    fresh.put("3", features(3))
    assert files(tmp_path) == ["1.features", "3.features"]


def test_features_larger_than_the_bounds_are_not_kept(tmp_path):
    cache = FeatureCache(tmp_path, memory_bytes=10, disk_bytes=10)
    cache.put(KEY, features())
    assert cache.get(KEY) is None
    assert files(tmp_path) == []


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other", "renamed"])
def test_a_damaged_file_counts_as_missing(tmp_path, damage):
    cache = FeatureCache(tmp_path)
    cache.put(KEY, features())
    path = tmp_path / f"{KEY}.features"
    content = bytearray(path.read_bytes())
    if damage == "renamed":
        other = "c" * 64
        path.rename(tmp_path / f"{other}.features")
        assert FeatureCache(tmp_path).get(other) is None
        return
    content[len(content) // 2] ^= 1
    path.write_bytes(
        {"cut": content[: len(content) // 2], "flip": content, "empty": b"", "other": b"PK\3\4" * 99}[damage]
    )
    assert FeatureCache(tmp_path).get(KEY) is None


def test_a_file_with_a_pickle_is_refused(tmp_path):
    meta = {"key": KEY, "fps": 25, "model": "tiny", "padding": [0, 0], "transcript_report": None}
    content = io.BytesIO()
    np.savez(content, values=np.array([print], dtype=object), meta=np.array(json.dumps(meta)))
    archive = content.getvalue()
    path = tmp_path / f"{KEY}.features"
    path.write_bytes(b"EMOTE features 2\n" + hashlib.sha256(archive).digest() + archive)
    assert FeatureCache(tmp_path).get(KEY) is None


def test_a_folder_that_cannot_be_made_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = FeatureCache(tmp_path / "file" / "features")
    cache.put(KEY, features())
    assert same(cache.get(KEY), features())
    assert FeatureCache(tmp_path / "file" / "features").get(KEY) is None


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_locked_folder_does_no_harm(tmp_path):
    tmp_path.chmod(0o500)
    cache = FeatureCache(tmp_path)
    cache.put(KEY, features())
    assert same(cache.get(KEY), features())


def test_a_key_follows_from_sound_model_words_and_language_alone():
    sound = np.random.default_rng(0).normal(size=16000).astype(np.float32)
    base = (Waveform(sound), "model", "hello", "en", True)
    changed: list[tuple[Any, ...]] = [
        (Waveform(sound[:-1]), *base[1:]),
        (Waveform(sound * np.float32(1.001)), *base[1:]),
        (Waveform(sound, 8000), *base[1:]),
        (base[0], "other", *base[2:]),
        (*base[:2], "hallo", *base[3:]),
        (*base[:2], None, *base[3:]),
        (*base[:2], TimedTranscript((Cue("hello", 0.0, 1.0),)), *base[3:]),
        (*base[:2], TimedTranscript((Cue("hello", 0.5, 1.0),)), *base[3:]),
        (*base[:3], "de", True),
        (*base[:4], False),
    ]
    keys = {feature_key(*arguments) for arguments in changed}
    assert feature_key(Waveform(sound.copy()), *base[1:]) == feature_key(*base)
    assert len(keys | {feature_key(*base)}) == len(changed) + 1


def test_the_language_does_not_matter_without_a_transcript():
    sound = Waveform(np.zeros(1600, np.float32))
    assert feature_key(sound, "m", None, "en", True) == feature_key(sound, "m", None, "auto", True)


def test_a_model_s_digest_follows_its_weights_and_config_and_not_its_place(tmp_path, make_tiny_folder):
    one, same_again, other = (make_tiny_folder(tmp_path / str(k) / "tiny", seed=k // 2) for k in range(3))
    assert model_digest(one) == model_digest(same_again) != model_digest(other)
    (one / "README.md").write_text("another card")
    assert model_digest(one) == model_digest(same_again)


def test_motion_from_kept_features_is_that_of_fresh_ones(tmp_path, tiny_model_folder, speech_samples):
    from emote_blender.emotion import EmotionTrack

    pipeline = EMOTEPipeline.from_pretrained(str(tiny_model_folder))
    fresh = pipeline.encode(Waveform(speech_samples))
    FeatureCache(tmp_path / "kept").put(KEY, fresh)
    kept = FeatureCache(tmp_path / "kept").get(KEY)
    track = EmotionTrack.constant("anger", 2.0)
    one, other = pipeline.generate(fresh, track), pipeline.generate(kept, track)
    assert np.array_equal(one.expression, other.expression)
    assert np.array_equal(one.jaw, other.jaw)
