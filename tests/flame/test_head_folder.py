"""Head folders: what is saved comes back, and what is broken is named."""

import json
from dataclasses import fields

import numpy as np
import pytest

from emote_blender.errors import ModelError
from emote_blender.files.safetensors_file import read_tensors, write_tensors
from emote_blender.flame.head_folder import parents_of
from emote_blender.flame.model import FaceModel


@pytest.fixture
def head_folder(small_head, tmp_path):
    small_head.save(tmp_path / "head")
    return tmp_path / "head"


def assert_equal(first: FaceModel, second: FaceModel) -> None:
    for each in fields(FaceModel):
        a, b = getattr(first, each.name), getattr(second, each.name)
        if isinstance(a, dict):
            assert list(a) == list(b)
            assert all(np.array_equal(a[name], b[name]) for name in a)
        else:
            assert np.array_equal(a, b), each.name
            assert getattr(a, "dtype", None) == getattr(b, "dtype", None), each.name


def test_a_saved_head_comes_back_exactly(small_head, head_folder):
    assert_equal(FaceModel.load(head_folder), small_head)


def test_the_open_head_comes_back_exactly(open_head, tmp_path):
    open_head.save(tmp_path)
    assert_equal(FaceModel.load(tmp_path), open_head)


def test_a_flame_model_comes_back_exactly(flame_model, tmp_path):
    flame_model.save(tmp_path)
    assert_equal(FaceModel.load(tmp_path), flame_model)


def test_saving_twice_writes_the_same_bytes(small_head, head_folder, tmp_path):
    small_head.save(tmp_path / "again")
    for name in ("head.safetensors", "head.json"):
        assert (tmp_path / "again" / name).read_bytes() == (head_folder / name).read_bytes()


def test_the_safetensors_package_reads_what_we_write(head_folder):
    load_file = pytest.importorskip("safetensors.numpy", reason="Blender's Python has no safetensors").load_file
    ours, theirs = read_tensors(head_folder / "head.safetensors"), load_file(head_folder / "head.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_we_read_what_the_safetensors_package_writes(tmp_path):
    save_file = pytest.importorskip("safetensors.numpy", reason="Blender's Python has no safetensors").save_file
    arrays: dict[str, np.ndarray] = {
        "weights": np.random.default_rng(0).random((3, 5)),
        "f": np.arange(6, dtype=np.uint8),
        "empty": np.zeros((0, 3), np.float16),
    }
    save_file(arrays, tmp_path / "a.safetensors", metadata={"format": "np"})
    read = read_tensors(tmp_path / "a.safetensors")
    assert read.keys() == arrays.keys()
    assert all(np.array_equal(read[name], arrays[name]) for name in arrays)


@pytest.mark.parametrize("root", [-1, 2**32 - 1])
def test_the_roots_parent_may_be_written_either_way(root):
    table = np.array([[root, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.int64)
    assert parents_of(table, "a head").tolist() == [-1, 0, 1, 1, 1]


def test_the_roots_parent_may_be_an_unsigned_32_bit_number(head_folder):
    arrays = read_tensors(head_folder / "head.safetensors")
    arrays["kintree_table"] = arrays["kintree_table"].astype(np.int32).astype(np.uint32)
    write_tensors(head_folder / "head.safetensors", arrays)
    assert FaceModel.load(head_folder).parents.tolist() == [-1, 0, 1, 1, 1]


def test_a_parent_after_its_child_is_told():
    with pytest.raises(ModelError, match=r"parents \[-1, 2, 1\]; each joint's parent must come before it"):
        parents_of(np.array([[-1, 2, 1], [0, 1, 2]]), "a head")


@pytest.mark.parametrize("name", ["v_template", "f", "J_regressor", "weights", "kintree_table"])
def test_a_missing_array_is_named(head_folder, name):
    arrays = read_tensors(head_folder / "head.safetensors")
    del arrays[name]
    write_tensors(head_folder / "head.safetensors", arrays)
    with pytest.raises(ModelError, match=rf"head.safetensors lacks {name};"):
        FaceModel.load(head_folder)


def test_missing_shape_directions_are_named(head_folder):
    arrays = {k: v for k, v in read_tensors(head_folder / "head.safetensors").items() if not k.startswith("shapedirs")}
    write_tensors(head_folder / "head.safetensors", arrays)
    with pytest.raises(ModelError, match=r"head.safetensors lacks shapedirs;"):
        FaceModel.load(head_folder)


def test_an_unexpected_array_is_named(head_folder):
    arrays = read_tensors(head_folder / "head.safetensors")
    write_tensors(head_folder / "head.safetensors", {**arrays, "albedo": np.zeros(3)})
    with pytest.raises(ModelError, match="head.safetensors holds unexpected albedo;"):
        FaceModel.load(head_folder)


def test_a_head_of_an_earlier_version_has_linear_colours(head_folder):
    card = json.loads((head_folder / "head.json").read_text())
    del card["vertex_color_gamma"]
    (head_folder / "head.json").write_text(json.dumps(card))
    assert FaceModel.load(head_folder).vertex_color_gamma == 1.0


@pytest.mark.parametrize("gamma", [0, -1.0, float("inf"), "2.2", None, True])
def test_a_gamma_that_is_none_is_told(head_folder, gamma):
    card = json.loads((head_folder / "head.json").read_text())
    (head_folder / "head.json").write_text(json.dumps({**card, "vertex_color_gamma": gamma}))
    with pytest.raises(ModelError, match="vertex_color_gamma is .*, expected a number above 0"):
        FaceModel.load(head_folder)


@pytest.mark.parametrize("key", ["licence", "units", "expression_names"])
def test_a_missing_key_of_the_card_is_named(head_folder, key):
    card = json.loads((head_folder / "head.json").read_text())
    del card[key]
    (head_folder / "head.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=rf"head.json lacks {key};"):
        FaceModel.load(head_folder)


def test_an_unexpected_key_of_the_card_is_named(head_folder):
    card = json.loads((head_folder / "head.json").read_text())
    (head_folder / "head.json").write_text(json.dumps({**card, "colour": 1}))
    with pytest.raises(ModelError, match="head.json holds unexpected colour;"):
        FaceModel.load(head_folder)


def test_a_card_of_another_format_is_told(head_folder):
    card = json.loads((head_folder / "head.json").read_text())
    (head_folder / "head.json").write_text(json.dumps({**card, "format": 2}))
    with pytest.raises(ModelError, match="head.json has format 2, this version reads 1; update the add-on"):
        FaceModel.load(head_folder)


@pytest.mark.parametrize("text", ["{", "[]", "\ufeff"])
def test_a_card_that_is_no_table_is_told(head_folder, text):
    (head_folder / "head.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"head.json is not"):
        FaceModel.load(head_folder)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_told(head_folder, kept):
    path = head_folder / "head.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"head.safetensors is truncated"):
        FaceModel.load(head_folder)


def test_a_file_of_another_kind_is_told(head_folder):
    (head_folder / "head.safetensors").write_bytes(b"\x03" + b"\0" * 7 + b"abc")
    with pytest.raises(ModelError, match=r"head.safetensors is not a safetensors file"):
        FaceModel.load(head_folder)


@pytest.mark.parametrize("name", ["head.safetensors", "head.json"])
def test_a_missing_file_is_named(head_folder, name):
    (head_folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name} not found; "):
        FaceModel.load(head_folder)


@pytest.mark.parametrize(
    "name, shape, sentence",
    [
        ("v_template", (6, 2), r"v_template has shape \(6, 2\)"),
        ("kintree_table", (5,), r"kintree_table has shape \(5,\)"),
        ("posedirs", (36, 18), r"posedirs has shape \(36, 18\)"),
        ("regions", (2, 6), r"regions has shape \(2, 6\), expected \(1, 6\)"),
    ],
)
def test_a_wrong_shape_is_told(head_folder, name, shape, sentence):
    arrays = read_tensors(head_folder / "head.safetensors")
    write_tensors(head_folder / "head.safetensors", {**arrays, name: np.zeros(shape, np.float32)})
    with pytest.raises(ModelError, match=sentence):
        FaceModel.load(head_folder)


def test_no_half_written_file_is_left(small_head, head_folder):
    small_head.save(head_folder)
    assert sorted(path.name for path in head_folder.iterdir()) == ["head.json", "head.safetensors"]
