from pathlib import Path

import pytest

from emote_blender.errors import ModelError
from emote_blender.files import paths


@pytest.fixture
def folder(tmp_path: Path):
    """A folder of the user's with a model and a head; looked in during the test."""
    for name, file_name in (("mine", "config.json"), ("emote_open", "config.json"), ("face", "head.json")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file_name).write_text("{}")
    (tmp_path / "notes").mkdir()
    paths.add_search_folder(tmp_path)
    yield tmp_path
    paths.remove_search_folder(tmp_path)


def test_a_model_is_found_by_name_in_the_users_folder(folder):
    assert paths.find_model("mine") == folder / "mine"


def test_a_head_is_found_by_name_in_the_users_folder(folder):
    assert paths.find_head("face") == folder / "face"


def test_the_users_folder_comes_before_the_shipped_models(folder):
    assert paths.find_model("emote_open") == folder / "emote_open"


def test_the_folder_of_the_environment_is_looked_in(folder, monkeypatch, tmp_path):
    paths.remove_search_folder(folder)
    monkeypatch.setenv("EMOTE_MODELS", str(folder))
    assert paths.find_model("mine") == folder / "mine"


def test_a_path_is_taken_as_it_is(folder):
    paths.remove_search_folder(folder)
    assert paths.find_model(folder / "mine") == folder / "mine"


def test_the_open_head_is_found_in_a_checkout():
    assert (paths.find_head("open_head") / "head.safetensors").is_file()


def test_only_folders_with_the_right_file_are_listed(folder):
    models, heads = paths.available_models(), paths.available_heads()
    assert models["mine"] == folder / "mine"
    assert heads["face"] == folder / "face"
    assert not {"face", "notes"} & models.keys()
    assert not {"mine", "notes"} & heads.keys()


def test_a_search_folder_that_does_not_exist_is_skipped(tmp_path):
    paths.add_search_folder(tmp_path / "gone")
    try:
        assert "open_head" in paths.available_heads()
    finally:
        paths.remove_search_folder(tmp_path / "gone")


def test_a_folder_that_is_added_twice_is_removed_once(tmp_path):
    paths.add_search_folder(tmp_path)
    paths.add_search_folder(tmp_path)
    paths.remove_search_folder(tmp_path)
    assert tmp_path not in paths.search_folders()


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("nobody", r"model 'nobody' not found \(available: .*mine.*\); choose a model in Preferences or pass --model"),
        ("", r"model '' not found"),
        ("x" * 5000, r"not found"),
        ("no/such/folder", r"no/such/folder/config\.json not found; choose a model"),
        ("a\0b", r"not found"),
    ],
)
def test_what_is_not_there_is_said(folder, name, sentence):
    with pytest.raises(ModelError, match=sentence):
        paths.find_model(name)


def test_a_folder_without_the_file_says_which_file(folder):
    with pytest.raises(ModelError, match=r"notes.config\.json not found"):
        paths.find_model(folder / "notes")


def test_a_file_is_no_model(folder):
    with pytest.raises(ModelError, match=r"is a file; a model is a folder with config\.json"):
        paths.find_model(folder / "mine" / "config.json")
