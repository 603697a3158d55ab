"""FLAME's files, made here as look-alikes with random content, to head folders."""

import copyreg
import pickle
import pickletools
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from synthetic_flame import EYEBALL_RADIUS, JOINTS, NUM_EYEBALL_VERTICES, make_flame

from emote_blender.cli.main import main
from emote_blender.errors import InputError
from emote_blender.files.safetensors_file import read_tensors
from emote_blender.flame.model import FaceModel
from emote_blender.official.flame import LICENCES, convert_flame

TOLERANCE = 1e-5


class Ch:
    """What chumpy pickles: a class that is not there when the file is read, with its array in `x`."""

    def __init__(self, array):
        self.x = array


Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"


class PythonTwoSparse:
    """A sparse matrix as an old scipy pickled it, under the module's path of that time."""

    def __init__(self, matrix):
        self.__dict__.update(
            data=matrix.data, indices=matrix.indices, indptr=matrix.indptr, _shape=matrix.shape, format="csc"
        )


PythonTwoSparse.__module__, PythonTwoSparse.__qualname__ = "scipy.sparse.csc", "csc_matrix"


_Pickler: Any = pickle._Pickler  # the pickler in Python, whose methods the type stubs leave out


class AnyClassPickler(_Pickler):
    """Writes the names of classes that cannot be imported, as files from another machine hold them."""

    dispatch = {**_Pickler.dispatch}

    def save_type(self, obj):
        if obj in (Ch, PythonTwoSparse):
            self.write(pickle.GLOBAL + f"{obj.__module__}\n{obj.__qualname__}\n".encode())
            self.memoize(obj)
        else:
            _Pickler.save_type(self, obj)

    dispatch[type] = save_type

    def reducer_override(self, obj):
        if isinstance(obj, Ch | PythonTwoSparse):
            new_object = copyreg.__newobj__  # type: ignore[attr-defined] # protocol 2's constructor
            return new_object, (type(obj),), obj.__dict__
        return NotImplemented


def dump(content, path, protocol=2):
    with open(path, "wb") as file:
        AnyClassPickler(file, protocol).dump(content)
    return path


@pytest.fixture(scope="session")
def flame_arrays(reference) -> dict[str, np.ndarray]:
    """The recorded model's arrays in the types of FLAME's files."""
    arrays = read_tensors(reference / "flame/synthetic_model.safetensors")
    wide = {name: arrays[name].astype(np.float64) for name in ("v_template", "shapedirs", "posedirs", "weights")}
    return {
        **wide,
        "J_regressor": sparse.csc_matrix(arrays["J_regressor"].astype(np.float64)),
        "f": arrays["f"].astype(np.uint32),
        "kintree_table": arrays["kintree_table"].astype(np.uint32),
        "J": np.zeros((5, 3)),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


@pytest.fixture(scope="session")
def big() -> FaceModel:
    return make_flame(num_shape=300)


@pytest.fixture(scope="session")
def big_arrays(big) -> dict[str, np.ndarray]:
    """The file's arrays of a model of FLAME's size."""
    return {
        "v_template": big.v_template,
        "f": big.faces,
        "shapedirs": big.shapedirs,
        "posedirs": big.posedirs.T.reshape(-1, 3, 36),
        "J_regressor": big.J_regressor,
        "weights": big.lbs_weights,
        "kintree_table": np.stack([big.parents.astype(np.int64) % 2**32, np.arange(5)]),
    }


def landmark_dict(faces) -> dict[str, np.ndarray]:
    faces = np.asarray(faces)
    return {
        "full_lmk_faces_idx": faces[None],
        "full_lmk_bary_coords": np.full((1, len(faces), 3), 1 / 3),
        "static_lmk_faces_idx": faces[-51:],
        "static_lmk_bary_coords": np.full((51, 3), 1 / 3),
    }


@pytest.fixture(scope="session")
def big_landmarks(big) -> dict[str, np.ndarray]:
    """68 landmarks on the triangles of the skin nearest to where a face has them."""
    centres = big.v_template[big.faces].mean(1)
    centres[np.isin(big.faces[:, 0], np.flatnonzero(big.lbs_weights[:, 3:].sum(1) > 0.5))] += 10
    circle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    places = [[0.07 * np.cos(a), -0.06, 0.08] for a in np.linspace(0, np.pi, 17)]
    places += [[x, 0.055, 0.09] for x in np.linspace(-0.05, 0.05, 10)]
    places += [[0, y, 0.1] for y in (0.03, 0.02, 0.01, 0.0)] + [[x, -0.01, 0.09] for x in np.linspace(-0.01, 0.01, 5)]
    for side in (-1, 1):
        places += [[side * 0.032 + 0.015 * np.cos(a), 0.03 + 0.008 * np.sin(a), 0.075] for a in circle[::2]]
    places += [[0.025 * np.cos(a), -0.045 + 0.01 * np.sin(a), 0.085] for a in circle]
    places += [[0.02 * np.cos(a), -0.045 + 0.002 * np.sin(a), 0.085] for a in np.linspace(0, 2 * np.pi, 8, False)]
    return landmark_dict([int(np.argmin(((centres - place) ** 2).sum(1))) for place in places])


def assert_poses_equal(model: FaceModel, recorded) -> None:
    shown = model.vertices(
        recorded["exp"],
        recorded["jaw"],
        shape=recorded["shape"],
        eyes=recorded["eye"],
        neck=recorded["neck"],
        root=recorded["global_pose"],
    )
    np.testing.assert_allclose(shown, recorded["verts_smplx_neck"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_converted_folder_poses_as_smplx_does(flame_arrays, recorded_poses, tmp_path, protocol):
    source = dump(flame_arrays, tmp_path / "generic_model.pkl", protocol)
    assert main(["convert", "flame", str(source), "-o", str(tmp_path / "flame")]) == 0
    assert_poses_equal(FaceModel.load(tmp_path / "flame"), recorded_poses)


def test_chumpy_arrays_and_an_old_sparse_regressor_convert(flame_arrays, recorded_poses, tmp_path):
    content = {
        **flame_arrays,
        **{name: Ch(flame_arrays[name]) for name in ("v_template", "shapedirs", "weights")},
        "J_regressor": PythonTwoSparse(flame_arrays["J_regressor"]),
    }
    assert_poses_equal(convert_flame(dump(content, tmp_path / "generic_model.pkl")).model, recorded_poses)


@pytest.mark.parametrize("dense", [True, False])
def test_an_npz_converts(flame_arrays, recorded_poses, tmp_path, dense):
    regressor = flame_arrays["J_regressor"]
    np.savez(tmp_path / "FLAME2020.npz", **{**flame_arrays, "J_regressor": regressor.toarray() if dense else regressor})
    assert_poses_equal(convert_flame(tmp_path / "FLAME2020.npz").model, recorded_poses)


def test_counts_components_and_the_root_are_flames(flame_arrays, tmp_path):
    head = convert_flame(dump(flame_arrays, tmp_path / "generic_model.pkl"))
    model = head.model
    assert (model.num_shape, model.num_expression, len(model.posedirs)) == (300, 100, 36)
    assert model.parents.tolist() == [-1, 0, 1, 1, 1]
    assert head.left_out == ("J", "bs_style", "bs_type")
    assert "257 vertices and 500 triangles, FLAME has 5023 and 9976" in head.remarks


def test_the_report_says_what_came_out(flame_arrays, tmp_path, capsys):
    source = dump(flame_arrays, tmp_path / "flame2023.pkl")
    assert main(["convert", "flame", str(source), "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "flame2023, 257 vertices, 500 triangles, 300 shape and 100 expression components, 36 pose" in said
    assert "licence: FLAME 2023: non-commercial" in said
    assert "taken for flame2023 by its name; give --basis" in said
    assert "left out: J, bs_style, bs_type" in said
    card = (tmp_path / "out/README.md").read_text()
    assert "Converted from `flame2023.pkl` (SHA-256 " in card
    assert "non-commercial" in card


@pytest.mark.parametrize(
    "name, basis",
    [
        ("generic_model.pkl", "flame2020"),
        ("FLAME2020/female_model.pkl", "flame2020"),
        ("male_model.pkl", "flame2020"),
        ("flame2023.pkl", "flame2023"),
        ("flame2023_Open.pkl", "flame2023_open"),
        ("FLAME2023/female_model.pkl", "flame2023"),
        ("FLAME 2023 Open/generic_model.pkl", "flame2023_open"),
    ],
)
def test_the_version_is_guessed_from_the_names(flame_arrays, tmp_path, name, basis):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    model = convert_flame(dump(flame_arrays, tmp_path / name)).model
    assert (model.basis, model.licence) == (basis, LICENCES[basis])


def test_a_given_version_beats_the_name(flame_arrays, tmp_path):
    head = convert_flame(dump(flame_arrays, tmp_path / "generic_model.pkl"), basis="flame2023")
    assert head.model.basis == "flame2023"
    assert not any("by its name" in remark for remark in head.remarks)


def test_a_name_that_tells_nothing_asks_for_the_version(flame_arrays, tmp_path):
    with pytest.raises(InputError, match="give --basis flame2020 or flame2023"):
        convert_flame(dump(flame_arrays, tmp_path / "head.pkl"))


def test_an_unknown_version_lists_the_known_ones(flame_arrays, tmp_path):
    with pytest.raises(InputError, match="unknown version of FLAME 'flame2017'; choose one of flame2020, flame2023"):
        convert_flame(dump(flame_arrays, tmp_path / "generic_model.pkl"), basis="flame2017")


@pytest.mark.parametrize("scale, unit", [(1000, "millimetres"), (100, "centimetres")])
def test_other_units_are_refused_by_name(flame_arrays, tmp_path, scale, unit):
    content = {**flame_arrays, "v_template": flame_arrays["v_template"] * scale}
    with pytest.raises(InputError, match=f"as in {unit}; expected 0.15 to 0.6 metres"):
        convert_flame(dump(content, tmp_path / "generic_model.pkl"))


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"shapedirs": np.zeros((257, 3, 10))}, r"shapedirs \(257, 3, 10\)"),
        ({"shapedirs": np.zeros((25, 3, 400))}, r"shapedirs has shape \(25, 3, 400\)"),
        ({"posedirs": np.zeros((257, 3, 9))}, "posedirs has shape"),
        ({"weights": np.zeros((257, 4))}, r"weights has shape \(257, 4\), FLAME has 5 joints"),
        ({"weights": np.array(1.0)}, r"weights has shape \(\), FLAME has 5 joints"),
        ({"kintree_table": np.zeros((2, 0))}, r"kintree_table has shape \(2, 0\), FLAME has 5 joints"),
        ({"J_regressor": np.zeros((4, 257))}, r"J_regressor has shape \(4, 257\), FLAME has 5 joints"),
        ({"f": np.zeros(7)}, r"faces has shape \(7,\)"),
        ({"v_template": np.zeros((257, 2))}, "v_template has shape"),
        ({"v_template": np.full((257, 3), np.nan)}, "not finite"),
        ({"f": np.full((500, 3), 257)}, "faces holds"),
        ({"f": "faces"}, "f is no array of numbers"),
        ({"kintree_table": np.array([[0, 0, 1, 1, 1], range(5)])}, "each joint's parent must come before it"),
    ],
)
def test_a_broken_model_is_told(flame_arrays, tmp_path, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        convert_flame(dump({**flame_arrays, **changes}, tmp_path / "generic_model.pkl"))


def test_another_pickle_is_no_flame_model(tmp_path):
    with pytest.raises(InputError, match=r"has no v_template and is no FLAME model \(found: betas\)"):
        convert_flame(dump({"betas": np.zeros(3)}, tmp_path / "generic_model.pkl"))


@pytest.mark.parametrize("name", ["generic_model.pkl", "flame2020.npz", "flame2020.zip"])
def test_garbage_is_one_sentence_and_leaves_no_folder(tmp_path, capsys, name):
    (tmp_path / name).write_bytes(b"garbage")
    assert main(["convert", "flame", str(tmp_path / name), "-o", str(tmp_path / "out")]) == 1
    assert name in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named(tmp_path, capsys):
    assert main(["convert", "flame", str(tmp_path / "flame2023.pkl"), "-o", str(tmp_path / "out")]) == 1
    assert "flame2023.pkl" in capsys.readouterr().err


def test_a_head_that_is_there_is_not_overwritten(flame_arrays, tmp_path, capsys):
    source = dump(flame_arrays, tmp_path / "generic_model.pkl")
    command = ["convert", "flame", str(source), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    assert main(command) == 1
    assert "already holds a head" in capsys.readouterr().err


def test_a_head_that_cannot_be_written_whole_leaves_no_folder(flame_arrays, tmp_path, monkeypatch, capsys):
    source = dump(flame_arrays, tmp_path / "generic_model.pkl")

    def full_disk(path, card):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emote_blender.flame.head_folder.write_json", full_disk)
    assert main(["convert", "flame", str(source), "-o", str(tmp_path / "out")]) == 1
    assert "out cannot be written (No space left on device)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_a_model_of_flames_size_survives_conversion_exactly(big, big_arrays, tmp_path):
    converted = convert_flame(dump(big_arrays, tmp_path / "flame2023.pkl"))
    for name in ("v_template", "faces", "shapedirs", "posedirs", "J_regressor", "lbs_weights", "parents"):
        np.testing.assert_array_equal(getattr(converted.model, name), getattr(big, name))
    assert not any("askew" in remark for remark in converted.remarks)


@pytest.mark.once
def test_a_model_with_z_up_is_remarked(big_arrays, tmp_path):
    content = {**big_arrays, "v_template": big_arrays["v_template"] @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]])}
    remarks = convert_flame(dump(content, tmp_path / "flame2023.pkl")).remarks
    assert any("askew" in remark for remark in remarks)


def convert_with_landmarks(arrays, landmarks, folder) -> FaceModel:
    np.save(folder / "landmark_embedding.npy", landmarks, allow_pickle=True)
    source = dump(arrays, folder / "flame2023.pkl")
    return convert_flame(source, folder / "landmark_embedding.npy").model


def test_landmarks_come_with_the_model(big, big_arrays, big_landmarks, tmp_path):
    model = convert_with_landmarks(big_arrays, big_landmarks, tmp_path)
    np.testing.assert_array_equal(model.landmark_faces, big_landmarks["full_lmk_faces_idx"][0])


def test_smplx_landmarks_in_a_pickle_are_51(big_arrays, big_landmarks, tmp_path):
    static = {
        "lmk_face_idx": big_landmarks["static_lmk_faces_idx"],
        "lmk_b_coords": big_landmarks["static_lmk_bary_coords"],
    }
    source = dump(big_arrays, tmp_path / "flame2023.pkl")
    head = convert_flame(source, dump(static, tmp_path / "flame_static_embedding.pkl"))
    assert len(head.model.landmark_faces) == 51
    assert any("51 landmarks of 68" in remark for remark in head.remarks)
    assert {"lips", "lids_left"} <= set(head.model.regions)


def test_a_file_without_landmarks_is_told(big_arrays, tmp_path):
    with pytest.raises(InputError, match="has no landmarks"):
        convert_with_landmarks(big_arrays, {"other": np.zeros(3)}, tmp_path)


def test_landmarks_of_another_mesh_are_told(flame_arrays, tmp_path):
    landmarks = landmark_dict(np.full(68, 9000))
    with pytest.raises(InputError, match="landmark_faces holds 9000"):
        convert_with_landmarks(flame_arrays, landmarks, tmp_path)


@pytest.mark.once
def test_eyeballs_are_the_pieces_that_follow_the_eyes(big, big_arrays, tmp_path):
    regions = convert_flame(dump(big_arrays, tmp_path / "flame2023.pkl")).model.regions
    for side, joint in (("left", 3), ("right", 4)):
        inside = regions[f"eye_{side}"] == 1
        assert inside.sum() == NUM_EYEBALL_VERTICES
        distance = np.linalg.norm(big.v_template[inside] - JOINTS[joint], axis=1)
        np.testing.assert_allclose(distance, EYEBALL_RADIUS, atol=1e-6)


@pytest.mark.once
def test_regions_lie_around_their_landmarks(big, big_arrays, big_landmarks, tmp_path):
    model = convert_with_landmarks(big_arrays, big_landmarks, tmp_path)
    points = model.v_template[model.faces[model.landmark_faces]].mean(1)
    for name, numbers in (("lips", slice(48, 68)), ("lids_right", slice(36, 42)), ("lids_left", slice(42, 48))):
        weights = model.regions[name]
        nearest = np.linalg.norm(model.v_template[:, None] - points[None, numbers], axis=2).min(1)
        assert weights.max() > 0.5
        assert nearest[weights > 0].max() < 0.03
        assert not weights[(model.regions["eye_left"] + model.regions["eye_right"]) > 0].any()
    assert (model.v_template[model.regions["lids_left"] > 0.5][:, 0] > 0).all()


@pytest.mark.once
def test_upper_and_lower_face_sum_to_one_and_part_at_the_nose(big, big_arrays, big_landmarks, tmp_path):
    model = convert_with_landmarks(big_arrays, big_landmarks, tmp_path)
    upper, lower = model.regions["upper_face"], model.regions["lower_face"]
    np.testing.assert_allclose(upper + lower, 1, atol=1e-6)
    height = big.v_template[:, 1]
    assert upper[height > 0.02].min() > 0.99
    assert lower[height < -0.04].min() > 0.99


@pytest.mark.once
def test_without_landmarks_the_missing_regions_are_said(big_arrays, tmp_path):
    head = convert_flame(dump(big_arrays, tmp_path / "flame2023.pkl"))
    assert set(head.model.regions) == {"eye_left", "eye_right", "lower_face", "upper_face"}
    assert any("without landmarks: no regions for lips and lids" in remark for remark in head.remarks)


@pytest.mark.once
@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_convert_or_are_refused_in_a_sentence(flame_arrays, tmp_path, seed):
    whole = dump(flame_arrays, tmp_path / "whole.pkl").read_bytes()
    starts = [place for _, _, place in pickletools.genops(whole)]  # where the file's structure is, not its numbers
    random = np.random.default_rng(seed)
    refused = 0
    for _ in range(40):
        mutated = bytearray(whole)
        for place in random.choice(starts, 3) + random.integers(0, 6, 3):
            mutated[min(place, len(mutated) - 1)] = random.integers(256)
        (tmp_path / "generic_model.pkl").write_bytes(mutated)
        try:
            convert_flame(tmp_path / "generic_model.pkl")
        except InputError:
            refused += 1
    assert refused > 20
