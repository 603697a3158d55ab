"""Strict matching of a file's named tensors with a network's: names, shapes, kinds of numbers, finite values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_SHOWN = 5
_PIECE = 1 << 20
# Number of batches that a normalisation layer has seen. Old checkpoints lack it; no network in eval mode uses it.
_BATCH_COUNTER = "num_batches_tracked"


class TensorSpec(NamedTuple):
    """The properties of a tensor that must match.

    Attributes:
        shape: sizes of its axes.
        dtype: numpy's name, such as "float32"; floats of any width match each other, and so do integers.
    """

    shape: tuple[int, ...]
    dtype: str

    @property
    def kind(self) -> str:
        """The kind of number: "float" or "int" of any width, or the name of another type."""
        return next((kind for kind in ("float", "int") if kind in self.dtype), self.dtype)


@dataclass(frozen=True)
class Mismatch:
    """Names of tensors that do not match.

    Attributes:
        missing: expected, but not found.
        unexpected: found, but not expected.
        wrong: of another shape or type, with "(7,) instead of (16,)" or "of type int64".
    """

    missing: list[str]
    unexpected: list[str]
    wrong: dict[str, str]

    @property
    def wrong_tensors(self) -> list[str]:
        """The names in `wrong`, each followed by what is wrong."""
        return [f"{name} {what}" for name, what in self.wrong.items()]


def match_tensors(expected: Mapping[str, TensorSpec], found: Mapping[str, TensorSpec]) -> Mismatch:
    """The differences between `found` and `expected`, in the order of each."""
    wrong = {}
    for name, spec in expected.items():
        if name not in found:
            continue
        if found[name].shape != spec.shape:
            wrong[name] = f"{found[name].shape} instead of {spec.shape}"
        elif found[name].kind != spec.kind:
            wrong[name] = f"of type {found[name].dtype}"
    return Mismatch(
        [name for name in expected if name not in found], [name for name in found if name not in expected], wrong
    )


def array_specs(arrays: Mapping[str, np.ndarray]) -> dict[str, TensorSpec]:
    """The specs of arrays, for `match_tensors`."""
    return {name: TensorSpec(array.shape, array.dtype.name) for name, array in arrays.items()}


def take_tensors(
    expected: Mapping[str, TensorSpec], checkpoint: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The expected tensors of a checkpoint that may hold others too, and problems with them.

    Returns:
        Tensors in float32 and int64, with missing batch counters filled in; and problems, to follow the file's name in
        a sentence ("lacks a, b"). Without problems all expected tensors are there.
    """
    counters = [name for name in expected if name.endswith(_BATCH_COUNTER)]
    there = {name: np.zeros((), np.int64) for name in counters} | {
        name: array for name, array in checkpoint.items() if name in expected
    }
    mismatch = match_tensors(expected, array_specs(there))
    problems = described(
        {
            "lacks": mismatch.missing,
            "has another shape or type in": mismatch.wrong_tensors,
            "has values that are not numbers in": [
                name for name, array in there.items() if name not in mismatch.wrong and not is_finite(array)
            ],
        }
    )
    taken = {
        name: there[name].astype(np.float32 if spec.kind == "float" else np.int64, copy=False)
        for name, spec in expected.items()
        if name in there and not problems
    }
    return taken, problems


def is_finite(array: np.ndarray) -> bool:
    """Whether every number is finite; checked in pieces to save memory."""
    flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel()
    return all(np.isfinite(flat[start : start + _PIECE]).all() for start in range(0, flat.size, _PIECE))


def described(problems: Mapping[str, Sequence[str]]) -> list[str]:
    """Each problem that has names, with its names: "missing a, b"."""
    return [f"{problem} {listed(names)}" for problem, names in problems.items() if names]


def listed(names: Sequence[str]) -> str:
    """The first names, and the number of all others, grouped by their first part."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    counts = ", ".join(f"{n} of {start}" for start, n in Counter(name.split(".")[0] for name in names).items())
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more ({counts})"
