"""Safetensors files by numpy alone; what is damaged is tested with the files that hold heads and models."""

import numpy as np
import pytest

from emote_blender.errors import ModelError
from emote_blender.files.safetensors_file import read_shapes, read_tensors, write_tensors

TENSORS: dict[str, np.ndarray] = {
    "wide": np.arange(6, dtype=np.float64).reshape(2, 3),
    "a.scalar": np.array(7, np.int64),
    "narrow": np.array([[1, 2, 3]], np.uint8),
    "nothing": np.zeros((0, 4), np.float32),
}


def test_what_is_written_is_read_again(tmp_path):
    write_tensors(tmp_path / "a.safetensors", TENSORS)
    found = read_tensors(tmp_path / "a.safetensors")
    assert found.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        found[name][...] = 0  # the caller's own


def test_the_safetensors_package_reads_the_same(tmp_path):
    reader = pytest.importorskip("safetensors.numpy", reason="needs safetensors")
    write_tensors(tmp_path / "a.safetensors", TENSORS)
    for name, array in reader.load_file(tmp_path / "a.safetensors").items():
        np.testing.assert_array_equal(array, TENSORS[name])


def test_shapes_are_read_from_the_header_alone(tmp_path):
    path = tmp_path / "a.safetensors"
    write_tensors(path, TENSORS)
    path.write_bytes(path.read_bytes()[:-8])  # the data are cut short
    assert read_shapes(path) == {name: array.shape for name, array in TENSORS.items()}
    with pytest.raises(ModelError, match="is truncated"):
        read_tensors(path)
