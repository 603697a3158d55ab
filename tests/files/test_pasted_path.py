import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emote_blender.errors import InputError
from emote_blender.files.pasted_path import extended_windows_path, pasted_path, unquoted

NAME = "Zeile été (final) 100%#1.wav"
ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="a backslash separates folders on Windows")


@pytest.fixture
def folder(tmp_path: Path):
    """A folder with takes/NAME, its letters composed."""
    (tmp_path / "takes").mkdir()
    (tmp_path / "takes" / NAME).write_text("sound")
    return tmp_path


def escaped(text: str) -> str:
    return re.sub(r"([ ()#%&'])", r"\\\1", text)


@pytest.mark.parametrize(
    "paste",
    [
        str,
        '"{}"'.format,
        "'{}'".format,
        "“{}”".format,
        "„{}“".format,
        "« {} »".format,
        "‘{}’".format,
        "`{}`".format,
        "& '{}'".format,
        "\"'{}'\"".format,
        "  {} \n".format,
        "\u202a{}\u202c".format,
        "\ufeff\u00a0{}\u200b".format,
        lambda path: unicodedata.normalize("NFD", path),
        lambda path: Path(path).as_uri(),
        lambda path: f'"{Path(path).as_uri()}"\r\n',
        lambda path: Path(unicodedata.normalize("NFD", path)).as_uri(),
        lambda path: Path(path).as_uri().replace("file:///", "file://localhost/"),
        lambda path: Path(path).as_uri().replace("file:///", "FILE:/"),
        pytest.param(escaped, marks=ON_POSIX),
        pytest.param(lambda path: escaped(path) + " ", marks=ON_POSIX),
    ],
)
def test_a_pasted_path_is_the_file(folder, paste):
    assert pasted_path(paste(str(folder / "takes" / NAME))) == folder / "takes" / NAME


@pytest.mark.parametrize(
    "text",
    [
        f"takes/{NAME}",
        f'"takes/{NAME}"',
        f"./takes/../takes/{NAME}",
        unicodedata.normalize("NFD", f"takes/{NAME}"),
        pytest.param(f"takes\\{NAME}", marks=ON_POSIX),
        pytest.param(f'".\\takes\\{NAME}"', marks=ON_POSIX),
        pytest.param(escaped(f"takes/{NAME}"), marks=ON_POSIX),
    ],
)
def test_a_relative_path_is_relative_to_the_folder(folder, text):
    assert os.path.samefile(pasted_path(text, folder), folder / "takes" / NAME)


def test_letters_that_are_decomposed_on_disk_are_found(tmp_path):
    name = unicodedata.normalize("NFD", "Grüße")
    (tmp_path / name).mkdir()
    (tmp_path / name / "été.wav").touch()
    assert pasted_path("Grüße/été.wav", tmp_path).is_file()
    assert pasted_path("Grüße/new/ö.npz", tmp_path) == tmp_path / name / "new" / "ö.npz"


def test_the_home_folder_is_expanded(monkeypatch, folder):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert pasted_path(f'"~/takes/{NAME}" ') == folder / "takes" / NAME


@ON_POSIX
@pytest.mark.parametrize("name", ['"a".wav', "'a'", " a ", "a\\ b.wav", "file:a", "~", "a\\b", "C:\\a.wav", "“a”"])
def test_a_file_that_has_such_a_name_is_taken(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    for other in ("a", "a b.wav", "a.wav"):
        Path(other).touch()
    assert pasted_path(name) == Path(name)
    assert pasted_path(name, tmp_path) == tmp_path / name


@ON_POSIX
@pytest.mark.parametrize(
    "text, path",
    [
        ('"new.npz"', "new.npz"),
        ("my\\ take.npz", "my take.npz"),
        ("takes\\new.npz", "takes/new.npz"),
        ("..\\new.npz", "../new.npz"),
        ("file:///tmp/a%20b.npz", "/tmp/a b.npz"),
        ("file:///tmp/caf%C3%A9.npz", "/tmp/café.npz"),
        ("file://server/share/a.npz", "//server/share/a.npz"),
    ],
)
def test_a_file_to_write_has_the_likeliest_name(text, path):
    assert pasted_path(text) == Path(path)


@ON_POSIX
@pytest.mark.parametrize(
    "text, sentence",
    [
        ("C:\\takes\\a.wav", r"^C:\\takes\\a\.wav is a path of Windows, and this is another system; give the path"),
        ('"c:/takes/a.wav"', r"^c:/takes/a\.wav is a path of Windows"),
        ("file:///C:/takes/a.wav", r"^C:/takes/a\.wav is a path of Windows"),
        ("file:///C|/a%20b.wav", r"^C:/a b\.wav is a path of Windows"),
        ("file://C:\\a.wav", r"^C:\\a\.wav is a path of Windows"),
        ("\\\\server\\share\\a.wav", r"^\\\\server\\share\\a\.wav is a path of Windows"),
        ("https://example.org/a.wav", r"^https://example\.org/a\.wav is an address in a network; download"),
        ("smb://server/a.wav", "is an address in a network"),
        ("é" * 200 + ".wav", "^the name ééé.* has 404 bytes, and names have at most 255; shorten it"),
        ("/a" * 3000, "^the path /a/a.* has 6000 bytes, and paths have at most 4095; shorten it"),
    ],
)
def test_a_path_that_no_file_can_have_is_said(tmp_path, text, sentence):
    with pytest.raises(InputError, match=sentence):
        pasted_path(text, tmp_path)


@pytest.mark.parametrize("text", ["a.wav", "/tmp/a.wav", "é" * 120, "a:b.wav", "12:30 take.wav"])
def test_a_path_that_a_file_can_have_is_not_impossible(tmp_path, text):
    assert pasted_path(text, tmp_path) == tmp_path / text


@pytest.mark.parametrize(
    "path, expected",
    [
        ("C:\\a\\b.wav", "C:\\a\\b.wav"),
        ("C:/a/./b.wav", "C:\\a\\b.wav"),
        ("C:\\" + "a" * 250, "\\\\?\\C:\\" + "a" * 250),
        ("\\\\server\\share\\" + "a" * 250, "\\\\?\\UNC\\server\\share\\" + "a" * 250),
        ("//server/share/" + "a" * 250, "\\\\?\\UNC\\server\\share\\" + "a" * 250),
        ("\\\\?\\C:\\" + "a" * 250, "\\\\?\\C:\\" + "a" * 250),
    ],
)
def test_a_long_path_of_windows_has_the_prefix(path, expected):
    assert extended_windows_path(path) == expected


@given(st.text())
def test_any_text_gives_a_path_or_a_sentence(text):
    try:
        path = pasted_path(text, "folder")
    except InputError:
        return
    assert isinstance(path, Path)


@given(st.text())
def test_quotes_are_removed_until_none_is_left(text):
    assert unquoted(unquoted(text)) == unquoted(text)
