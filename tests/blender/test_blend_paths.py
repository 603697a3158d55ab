"""Paths in Blender's fields, typed and pasted."""

import unicodedata
from pathlib import Path

import bpy
import pytest

from emote_blender.blender.blend_paths import absolute, beside_blend, stem
from emote_blender.errors import InputError


@pytest.fixture
def blend_folder(scene, tmp_path):
    """The folder of the open .blend, with a file in it whose name has a blank and an umlaut."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    (tmp_path / "böse Zeile.wav").touch()
    return tmp_path


@pytest.mark.parametrize(
    "paste",
    [
        "//böse Zeile.wav",
        '"//böse Zeile.wav" ',
        unicodedata.normalize("NFD", "//böse Zeile.wav"),
        "{}/böse Zeile.wav",
        "'{}/böse Zeile.wav'\n",
        "“{}/böse Zeile.wav”",
        "file://{}/b%C3%B6se%20Zeile.wav",
    ],
)
def test_a_pasted_path_in_a_field_is_the_file(blend_folder, paste):
    assert Path(absolute(paste.format(blend_folder.as_posix()))) == blend_folder / "böse Zeile.wav"


@pytest.mark.parametrize("name", ["emote_open", "", "my-model"])
def test_a_name_in_a_field_stays(blend_folder, name):
    assert absolute(name) == name
    assert absolute(f" {name} ") == name


def test_words_in_a_field_stay(blend_folder):
    assert beside_blend('He said "no"\\yes // maybe') == 'He said "no"\\yes // maybe'


def test_a_path_beside_a_blend_without_a_place_is_refused(scene):
    with pytest.raises(InputError, match="^//line.wav is beside the .blend, which has no place yet"):
        absolute('"//line.wav"')
    assert stem('"//line.wav"') == ""


def test_the_name_of_a_line_is_the_stem_of_its_file(blend_folder):
    assert stem("'//böse Zeile.wav' ") == "böse Zeile"


def test_a_sound_is_added_by_its_pasted_path(scene, head, ramp_wav):
    path = ramp_wav("a line.wav")
    assert bpy.ops.emote.add_sound(filepath=f'"{path}" ') == {"FINISHED"}
    assert bpy.ops.emote.add_sound(filepath=path.as_uri()) == {"FINISHED"}
    strips = scene.sequence_editor.strips
    assert [Path(bpy.path.abspath(strip.sound.filepath)) for strip in strips] == [path, path]


def test_emotions_in_a_code_page_are_read_with_a_warning(scene, head, speech_wav, tmp_path, capfd):
    head.emote.source, head.emote.audio = "FILE", f"'{speech_wav}'"
    (tmp_path / "emotions.csv").write_bytes(
        "Ärgerlich;;\ntime_seconds;emotion;intensity\n0,5;anger;1,5\n".encode("cp1252")
    )
    assert bpy.ops.emote.import_emotion(filepath=f"'{tmp_path / 'emotions.csv'}'") == {"FINISHED"}
    assert "was read as Windows-1252" in capfd.readouterr().out
