"""The reconstruction of MEAD that fits a model, by its files."""

import logging

import h5py
import pytest
from mead_files import write_reconstruction

from emote_blender.errors import InputError
from emote_blender.training.data.mead.reconstruction import (
    PUBLISHED_RECONSTRUCTIONS,
    Reconstruction,
    fitting_reconstruction,
)

SECOND, FIRST = PUBLISHED_RECONSTRUCTIONS


@pytest.mark.parametrize("below", ["", "processed"])
def test_the_number_of_coefficients_tells_the_versions_apart(tmp_path, below):
    write_reconstruction(tmp_path / below, SECOND, 100, 300)
    write_reconstruction(tmp_path / below, FIRST, 50, 100)
    assert fitting_reconstruction(tmp_path, 100) == Reconstruction(SECOND, 100, 300)
    assert fitting_reconstruction(tmp_path, 50) == Reconstruction(FIRST, 50, 100)


def test_another_reconstruction_that_fits_will_do(tmp_path):
    write_reconstruction(tmp_path, SECOND, 100, 300)
    write_reconstruction(tmp_path, "mine", 50, 200)
    assert fitting_reconstruction(tmp_path, 50) == Reconstruction("mine", 50, 200)


def test_a_published_one_goes_before_another_with_a_warning(tmp_path, caplog):
    write_reconstruction(tmp_path, "ALIKE", 50, 200)
    write_reconstruction(tmp_path, FIRST, 50, 100)
    with caplog.at_level(logging.WARNING):
        assert fitting_reconstruction(tmp_path, 50).name == FIRST
    assert f"(ALIKE, {FIRST}), {FIRST} is taken" in caplog.text


def test_two_that_are_not_published_cannot_be_told_apart(tmp_path):
    for name in ("mine", "yours"):
        write_reconstruction(tmp_path, name, 50, 100)
    with pytest.raises(InputError, match=r"several .* \(mine, yours\); leave one of them there"):
        fitting_reconstruction(tmp_path, 50)


def test_where_none_fits_one_sentence_says_what_is_there_and_what_to_unpack(tmp_path):
    (tmp_path / "reconstructions" / "empty").mkdir(parents=True)
    with pytest.raises(InputError, match=rf"only nothing; unpack {SECOND} .* or {FIRST}"):
        fitting_reconstruction(tmp_path, 50)
    write_reconstruction(tmp_path, SECOND, 100, 300)
    with pytest.raises(InputError, match=rf"the 50 expression coefficients of the model, only {SECOND} with 100"):
        fitting_reconstruction(tmp_path, 50)


def test_a_damaged_file_is_named(tmp_path):
    path = write_reconstruction(tmp_path, FIRST, 50, 100)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"shape_pose_cam.hdf5 is not an HDF5 file"):
        fitting_reconstruction(tmp_path, 50)
    with h5py.File(path, "w") as file:
        file["exp"], file["shape"] = 1.0, 2.0
    with pytest.raises(InputError, match="exp must be"):
        fitting_reconstruction(tmp_path, 50)
