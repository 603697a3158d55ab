"""What is wrong with a sound is reported by Generate, and shown in the panel."""

import bpy
import numpy as np
import pytest
import soundfile

from emote_blender.blender.compat import new_sound_strip
from emote_blender.errors import InputError


@pytest.fixture
def settings(scene, head, make_tiny_folder, tmp_path):
    """The scene's choices, with a head in the scene and a tiny model."""
    scene.emote.model = str(make_tiny_folder(tmp_path / "tiny", num_expression=6))
    scene.emote.transcript_mode = "NONE"
    return scene.emote


@pytest.fixture
def half_a_line(tmp_path, speech_samples):
    """A wav file whose header announces two seconds, of which one is there."""
    path = tmp_path / "half.wav"
    soundfile.write(path, np.tile(speech_samples, 2), 16000)
    path.write_bytes(path.read_bytes()[: 44 + 32000])
    return path


def test_a_file_of_which_a_part_is_missing_is_spoken_with_a_warning(settings, head, half_a_line, capfd):
    assert bpy.ops.emote.generate(audio=str(half_a_line)) == {"FINISHED"}
    sentence = f"{half_a_line} ends at 1.00 of 2.00 s; the rest is missing"
    assert capfd.readouterr().out.count(f"Warning: {sentence}") == 1
    assert f"; but {sentence}" in settings.last_result
    # A sound that is known is not decoded again, but has the warning again.
    assert bpy.ops.emote.generate(audio=str(half_a_line), emotion="HAPPY") == {"FINISHED"}
    assert capfd.readouterr().out.count(f"Warning: {sentence}") == 1


def test_a_strip_of_such_a_file_has_its_name_in_the_warning(scene, settings, head, half_a_line, capfd):
    new_sound_strip(scene, "Line 01", str(half_a_line), channel=1, frame_start=1)
    assert bpy.ops.emote.generate(strip="Line 01") == {"FINISHED"}
    assert f"strip 'Line 01': {half_a_line} ends at 1.00 of 2.00 s" in capfd.readouterr().out


def test_a_silent_sound_has_one_warning(settings, head, tmp_path, capfd):
    soundfile.write(tmp_path / "silence.wav", np.zeros(16000, np.float32), 16000)
    assert bpy.ops.emote.generate(audio=str(tmp_path / "silence.wav")) == {"FINISHED"}
    out = capfd.readouterr().out
    assert "silence.wav is silent from beginning to end" in out
    assert "no speech was found" not in out


@pytest.mark.parametrize("words", ["none", "auto"])
def test_a_sound_that_the_open_model_takes_for_no_speech_has_one_warning(scene, tmp_path, capfd, words):
    time = np.arange(32000) / 16000
    soundfile.write(tmp_path / "hum.wav", 0.1 * np.sin(2 * np.pi * 100 * time), 16000)
    bpy.ops.emote.add_head(head="open_head")
    arguments = {"model": "emote_open", "transcript": words}
    assert bpy.ops.emote.generate(audio=str(tmp_path / "hum.wav"), **arguments) == {"FINISHED"}
    printed = capfd.readouterr().out
    assert "hum: no speech was found in it from beginning to end" in printed
    assert "no speech was recognised" not in printed


def test_a_packed_sound_is_refused_in_one_sentence_while_the_temporary_folder_is_full(
    scene, settings, head, speech_wav, tmp_path, monkeypatch
):
    strip = new_sound_strip(scene, "Line 01", str(speech_wav), channel=1, frame_start=1)
    strip.sound.pack()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(
        RuntimeError, match=r"strip 'Line 01' \(packed sound\) needs .* MB in .*gone .* make room there"
    ):
        bpy.ops.emote.generate(strip="Line 01")


def test_add_sound_refuses_a_video_without_sound(scene, head, tmp_path):
    av = pytest.importorskip("av", reason="it makes the video")
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        container.mux(stream.encode(None))
    with pytest.raises((RuntimeError, InputError), match=r"a\.mp4 holds no sound, only picture"):
        bpy.ops.emote.add_sound(filepath=str(tmp_path / "a.mp4"))


def test_warnings_of_several_strips_are_counted_in_the_panel(scene, settings, head, half_a_line, capfd):
    for number in range(3):
        strip = new_sound_strip(scene, f"Line {number}", str(half_a_line), channel=1, frame_start=1 + 60 * number)
        strip.select, strip.emote.transcript_mode = True, "NONE"
    assert bpy.ops.emote.generate(strips="SELECTED") == {"FINISHED"}
    assert capfd.readouterr().out.count("ends at 1.00 of 2.00 s") == 3
    assert settings.last_result.count("ends at 1.00 of 2.00 s") == 1
    assert settings.last_result.startswith("3 of 3 strips were spoken; but strip 'Line 0': ")
    assert " more warnings in the Info editor)" in settings.last_result
