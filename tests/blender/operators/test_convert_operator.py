"""Convert Official Files: from a downloaded file to a folder in the user's models folder."""

import pickle
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from emote_blender.blender.jobs import worker
from emote_blender.blender.jobs.job_operator import JobOperator
from emote_blender.blender.operators import convert as operator_module
from emote_blender.blender.operators.convert import ConvertRequest, EMOTE_OT_convert, convert
from emote_blender.blender.operators.generate import EMOTE_OT_generate
from emote_blender.blender.settings import model_info
from emote_blender.blender.ui.preferences import apply_models_folder
from emote_blender.errors import Cancelled
from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel
from emote_blender.official import folders

TICK = SimpleNamespace(type="TIMER", value="NOTHING")


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An empty models folder that is the one in the preferences."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr("emote_blender.blender.settings.models_folder.stored_models_folder", lambda: str(folder))
    apply_models_folder(str(folder))
    yield folder
    apply_models_folder("")


@pytest.fixture
def flame_file(tmp_path, flame_model) -> Path:
    """A pickle with FLAME's layout and random content."""
    parts = {
        "v_template": flame_model.v_template,
        "f": flame_model.faces.astype(np.uint32),
        "shapedirs": flame_model.shapedirs,
        "posedirs": flame_model.posedirs.T.reshape(-1, 3, 36),
        "J_regressor": flame_model.J_regressor,
        "weights": flame_model.lbs_weights,
        "kintree_table": np.stack([flame_model.parents, np.arange(5)]),
    }
    path = tmp_path / "flame2020.pkl"
    path.write_bytes(pickle.dumps(parts, 2))
    return path


def test_a_converted_head_is_found_by_name_at_once(models, flame_file):
    assert "mine" not in model_info.head_names()
    assert bpy.ops.emote.convert(kind="FLAME", filepath=str(flame_file), name="mine") == {"FINISHED"}
    assert find_head("mine") == models / "mine"
    assert "mine" in model_info.head_names()


def test_the_version_that_is_chosen_goes_into_the_head(models, flame_file):
    bpy.ops.emote.convert(kind="FLAME", filepath=str(flame_file), name="newer", version="FLAME2023")
    assert FaceModel.load(models / "newer").basis == "flame2023"


@pytest.mark.parametrize("kind, name", [("FLAME", "bad.pkl"), ("EMOTE", "last.ckpt")])
def test_a_file_that_would_run_code_is_refused_with_its_sentence(models, tmp_path, kind, name):
    (tmp_path / name).write_bytes(b"\x80\x02cposix\nsystem\n(S'touch canary'\ntR.")
    with pytest.raises(RuntimeError, match="posix.system"):
        bpy.ops.emote.convert(kind=kind, filepath=str(tmp_path / name), version="FLAME2020")
    assert list(models.iterdir()) == []


def test_a_missing_file_or_a_bad_name_is_refused(models, flame_file):
    with pytest.raises(RuntimeError, match="is no file"):
        bpy.ops.emote.convert(kind="FLAME", filepath="/nowhere/model.pkl")
    with pytest.raises(RuntimeError, match="no name for a folder"):
        bpy.ops.emote.convert(kind="FLAME", filepath=str(flame_file), name="../elsewhere")


def test_without_a_models_folder_the_user_is_told_to_choose_one(flame_file):
    with pytest.raises(RuntimeError, match="choose one in the add-on's preferences"):
        bpy.ops.emote.convert(kind="FLAME", filepath=str(flame_file))


@pytest.fixture
def press_convert(monkeypatch, flame_file):
    """A function that runs `script(operator, context)` inside the conversion of a FLAME file, in place of a window."""

    def press(script):
        monkeypatch.setattr(EMOTE_OT_convert, "execute", script)
        return bpy.ops.emote.convert(kind="FLAME", filepath=str(flame_file), name="mine")

    yield press
    worker.stop_all()


def test_button_converts_on_a_thread_and_the_head_is_found_then(models, press_convert, monkeypatch):
    threads = []
    head_folder = folders.head_folder

    def noting(*arguments, **options):
        threads.append(threading.current_thread())
        return head_folder(*arguments, **options)

    monkeypatch.setattr(folders, "head_folder", noting)

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert worker.running().title == "The head 'mine'"
        assert operator._job.join(30)
        return operator.modal(context, TICK)

    assert "mine" not in model_info.head_names()
    assert press_convert(script) == {"FINISHED"}
    assert "mine" in model_info.head_names()
    assert threads != [threading.main_thread()]


def test_escape_ends_the_conversion_and_leaves_nothing(models, press_convert):
    def script(operator, context):
        operator.start_job(operator.prepare(context))
        operator.modal(context, SimpleNamespace(type="ESC", value="PRESS"))
        ended = operator.modal(context, TICK)
        assert operator._job.join(30)
        return ended

    assert press_convert(script) == {"CANCELLED"}
    assert list(models.iterdir()) == []


def test_conversion_that_is_cancelled_at_any_step_leaves_nothing(models, flame_file):
    request = ConvertRequest("FLAME", flame_file, models / "mine", "flame2020")
    steps = []
    convert(request, lambda fraction, text: steps.append(fraction), lambda: False)
    assert steps == sorted(steps)
    assert len(steps) >= 3
    shutil.rmtree(models / "mine")
    for last in range(len(steps)):
        answers = iter([False] * last + [True])
        with pytest.raises(Cancelled):
            convert(request, lambda fraction, text: None, answers.__next__)
        assert list(models.iterdir()) == []


@pytest.mark.parametrize("cls", [EMOTE_OT_generate, EMOTE_OT_convert])
def test_both_long_operators_share_one_modal_machinery(cls):
    assert issubclass(cls, JobOperator)
    assert not {"modal", "cancel"} & set(vars(cls))


@pytest.mark.parametrize(
    "source, name, expected",
    [
        ("EMOTE_v2/checkpoints/last.ckpt", "", "EMOTE_v2"),
        ("downloads/generic_model.pkl", "", "generic_model"),
        ("downloads/generic_model.pkl", "Flame 2020", "Flame 2020"),
    ],
)
def test_the_folder_is_named_for_what_it_comes_from(source, name, expected):
    assert operator_module.folder_name(Path(source), name) == expected
