import os

import pytest

from emote_blender.errors import InputError
from emote_blender.files.atomic_write import check_writable, replacing


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
