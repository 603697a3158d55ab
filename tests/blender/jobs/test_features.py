"""A sound is decoded and encoded once; whatever changes it or the model, or its words, is encoded anew."""

import os

import bpy
import numpy as np
import pytest
from wordless_strip import new_wordless_strip

from emote_blender.blender.jobs import features
from emote_blender.blender.scene import strips
from emote_blender.pipeline import EMOTEPipeline


@pytest.fixture
def counted(monkeypatch, scene, head, make_tiny_folder, tmp_path):
    """A list that grows by "decode" and "encode" whenever a sound is; the tiny model is chosen."""
    features.forget_features()
    calls = []

    def counting(name, original):
        return lambda *arguments, **more: calls.append(name) or original(*arguments, **more)

    monkeypatch.setattr(EMOTEPipeline, "encode", counting("encode", EMOTEPipeline.encode))
    for kind in (strips.StripSound, strips.FileSound):
        monkeypatch.setattr(kind, "decode", counting("decode", kind.decode))
    scene.emote.model = str(make_tiny_folder(tmp_path / "tiny", num_expression=6))
    yield calls
    features.forget_features()


def generate(counted, **arguments):
    """What was done for a take."""
    counted.clear()
    bpy.ops.emote.generate(**arguments)
    return list(counted)


def test_another_emotion_neither_decodes_nor_encodes(scene, counted, speech_wav):
    new_wordless_strip(scene, "Line", str(speech_wav), channel=1, frame_start=1)
    assert generate(counted, emotion="ANGER") == ["decode", "encode"]
    assert generate(counted, emotion="HAPPY", intensity=2.0) == []


def test_a_strip_that_was_moved_is_not_encoded_again_and_a_trimmed_one_is(scene, counted, speech_wav):
    strip = new_wordless_strip(scene, "Line", str(speech_wav), channel=1, frame_start=1)
    generate(counted)
    strip.frame_start = 60
    assert generate(counted) == []
    strip.split(frame=70, split_method="SOFT")
    assert generate(counted, strip="Line") == ["decode", "encode"]


def test_a_file_that_was_written_again_with_the_same_sound_is_decoded_only(counted, speech_wav):
    generate(counted, transcript="none", audio=str(speech_wav))
    os.utime(speech_wav, (1, 1))
    assert generate(counted, transcript="none", audio=str(speech_wav)) == ["decode"]


def test_another_sound_under_the_same_name_is_encoded(counted, speech_wav, speech_samples):
    import soundfile

    generate(counted, transcript="none", audio=str(speech_wav))
    soundfile.write(speech_wav, np.flip(speech_samples), 16000)
    os.utime(speech_wav, (1, 1))
    assert generate(counted, transcript="none", audio=str(speech_wav)) == ["decode", "encode"]


def test_another_model_is_another_encoding(scene, counted, speech_wav, make_tiny_folder, tmp_path):
    generate(counted, transcript="none", audio=str(speech_wav))
    other = make_tiny_folder(tmp_path / "other" / "tiny", seed=1, num_expression=6)
    assert generate(counted, transcript="none", audio=str(speech_wav), model=str(other)) == ["decode", "encode"]


def test_a_packed_sound_is_known_by_its_bytes(scene, counted, speech_wav):
    strip = new_wordless_strip(scene, "Line", str(speech_wav), channel=1, frame_start=1)
    strip.sound.pack()
    generate(counted)
    assert generate(counted, emotion="SAD") == []
