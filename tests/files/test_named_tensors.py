"""Tensors by name against those that are expected; the sentences are tested with the files that they are about."""

import numpy as np
import pytest

from emote_blender.files.named_tensors import TensorSpec, array_specs, is_finite, listed, match_tensors, take_tensors

EXPECTED = {"weight": TensorSpec((2, 3), "float32"), "norm.num_batches_tracked": TensorSpec((), "int64")}


def checkpoint(**changes):
    arrays = {"weight": np.ones((2, 3), np.float64), "norm.num_batches_tracked": np.array(7), "other": np.zeros(1)}
    return arrays | changes


def test_floats_of_any_width_fit_each_other():
    found = array_specs({"weight": np.zeros((2, 3), np.float16), "norm.num_batches_tracked": np.array(1, np.uint8)})
    mismatch = match_tensors(EXPECTED, found)
    assert (mismatch.missing, mismatch.unexpected, mismatch.wrong) == ([], [], {})


def test_every_kind_of_mismatch_is_named():
    found = {"weight": TensorSpec((2, 3), "bool"), "extra": TensorSpec((1,), "float32")}
    mismatch = match_tensors(EXPECTED, found)
    assert mismatch.missing == ["norm.num_batches_tracked"]
    assert mismatch.unexpected == ["extra"]
    assert mismatch.wrong_tensors == ["weight of type bool"]
    found["weight"] = TensorSpec((3, 2), "float32")
    assert match_tensors(EXPECTED, found).wrong_tensors == ["weight (3, 2) instead of (2, 3)"]


def test_taken_tensors_are_those_expected_in_float32_and_int64():
    taken, problems = take_tensors(EXPECTED, checkpoint())
    assert problems == []
    assert {name: array.dtype for name, array in taken.items()} == {"weight": "f4", "norm.num_batches_tracked": "i8"}
    assert taken["norm.num_batches_tracked"] == 7


def test_a_missing_counter_of_batches_is_zero():
    state = checkpoint()
    del state["norm.num_batches_tracked"]
    taken, problems = take_tensors(EXPECTED, state)
    assert problems == []
    assert taken["norm.num_batches_tracked"] == 0


@pytest.mark.parametrize(
    "weight, problem",
    [
        (np.full((2, 3), np.nan), "has values that are not numbers in weight"),
        (np.ones((2, 3), int), "has another shape or type in weight of type int64"),
        (np.ones(3), "has another shape or type in weight (3,) instead of (2, 3)"),
    ],
)
def test_nothing_is_taken_where_something_does_not_fit(weight, problem):
    taken, problems = take_tensors(EXPECTED, checkpoint(weight=weight))
    assert (taken, problems) == ({}, [problem])


@pytest.mark.parametrize("place", [0, (1 << 20) - 1, 1 << 20, (1 << 20) + 4])
def test_one_value_that_is_not_finite_is_found_in_any_piece(place):
    array = np.zeros((1 << 20) + 5, np.float32)
    assert is_finite(array)
    array[place] = np.inf
    assert not is_finite(array)


def test_a_long_list_of_names_is_counted_by_its_beginnings():
    names = [f"encoder.{i}" for i in range(4)] + [f"decoder.{i}" for i in range(3)]
    assert listed(names) == (
        "encoder.0, encoder.1, encoder.2, encoder.3, decoder.0 and 2 more (4 of encoder, 3 of decoder)"
    )
