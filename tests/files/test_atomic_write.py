import os
from pathlib import Path

import pytest

from emote_blender.errors import InputError
from emote_blender.files.atomic_write import (
    atomic_file,
    check_new_folder,
    check_writable,
    new_folder,
    replacing,
    write_json,
)


def test_a_finished_file_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "Zeile – été.npz"
    path.write_text("old")
    with replacing(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".npz"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == [path.name]


def write_half_of(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        temporary.with_name(temporary.name + "1").write_text("Blender's backup")
        raise RuntimeError("half way")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "line.blend"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"):
        write_half_of(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [path.name]


def test_a_full_disk_is_a_sentence(tmp_path):
    path = tmp_path / "line.npz"
    with pytest.raises(InputError, match=r"line\.npz cannot be written \(No space left"), replacing(path):
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_a_new_file_has_the_users_default_permissions(tmp_path):
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "line.npz") as temporary:
        temporary.touch()
    assert (tmp_path / "line.npz").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_checking_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "line.npz")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("missing/line.npz", "the folder .*missing does not exist"),
        ("file/line.npz", "the folder .*file does not exist"),
        (".", "is a folder"),
        ("a" * 300 + ".npz", "name too long"),
        ("a\0b.npz", "null"),
    ],
)
def test_what_cannot_be_written_is_said_beforehand(tmp_path, name, sentence):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"(?i){sentence}"):
        check_writable(tmp_path / name)
    assert os.listdir(tmp_path) == ["file"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "model.safetensors"
    with atomic_file(path) as first, atomic_file(path) as second:
        first.write_text("first, the longer")
        second.write_text("second")
    assert path.read_text() == "first, the longer"  # whose block ended last
    assert os.listdir(tmp_path) == [path.name]


def write_half(path):
    path.write_text("half")
    raise OSError(28, "No space left on device")


def test_a_failed_atomic_file_keeps_its_error_and_the_old_file(tmp_path):
    path = tmp_path / "last.pt"
    path.write_text("old")
    with pytest.raises(OSError, match="No space") as caught, atomic_file(path) as temporary:
        write_half(temporary)
    assert caught.value.errno == 28
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [path.name]


def test_json_is_the_same_bytes_everywhere(tmp_path):
    write_json(tmp_path / "a.json", {"name": "été", "n": 1})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "name": "été",\n  "n": 1\n}\n'.encode()


def test_a_new_folder_appears_with_all_its_files(tmp_path):
    with new_folder(tmp_path / "head") as unfinished:
        (unfinished / "head.json").write_text("{}")
        assert not (tmp_path / "head").exists()
    assert os.listdir(tmp_path) == ["head"]
    assert os.listdir(tmp_path / "head") == ["head.json"]


def test_a_failed_new_folder_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match=r"head cannot be written \(No space"), new_folder(tmp_path / "head") as folder:
        write_half(folder / "head.json")
    assert os.listdir(tmp_path) == []


def test_an_empty_working_folder_can_become_the_new_one(tmp_path, monkeypatch):
    (tmp_path / "head").mkdir()
    monkeypatch.chdir(tmp_path / "head")
    check_new_folder(Path("."))
    with new_folder(Path(".")) as unfinished:
        (unfinished / "head.json").write_text("{}")
    assert os.listdir(tmp_path / "head") == ["head.json"]


@pytest.mark.parametrize(
    "name, sentence", [("full", "already holds something"), ("file", "already holds"), ("file/x", "cannot be made")]
)
def test_a_folder_that_cannot_be_made_is_said_beforehand(tmp_path, name, sentence):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=sentence):
        check_new_folder(tmp_path / name)
    assert (tmp_path / "full" / "mine.txt").is_file()
