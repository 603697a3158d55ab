"""Named tensors of a file against those that a network has: names, shapes, kinds of numbers, finite values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_SHOWN = 5
_PIECE = 1 << 20
# How many batches a normalization has seen. Old checkpoints lack it, and no network in eval mode uses it.
_BATCH_COUNTER = "num_batches_tracked"


class TensorSpec(NamedTuple):
    """What has to fit. dtype: numpy's name, such as "float32"; floats of any width fit each other, and integers do."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def kind(self) -> str:
        """The kind of number: "float" or "int" of any width, or the name of another type."""
        return next((kind for kind in ("float", "int") if kind in self.dtype), self.dtype)


@dataclass(frozen=True)
class Mismatch:
    """Names that do not fit. wrong: of another shape or type, with "(7,) instead of (16,)" or "of type int64"."""

    missing: list[str]
    unexpected: list[str]
    wrong: dict[str, str]

    @property
    def wrong_tensors(self) -> list[str]:
        """The names in `wrong`, each with what is wrong."""
        return [f"{name} {what}" for name, what in self.wrong.items()]


def match_tensors(expected: Mapping[str, TensorSpec], found: Mapping[str, TensorSpec]) -> Mismatch:
    """What keeps `found` from being exactly `expected`, in the order of each."""
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
    """What `match_tensors` compares, of arrays."""
    return {name: TensorSpec(array.shape, array.dtype.name) for name, array in arrays.items()}


def take_tensors(
    expected: Mapping[str, TensorSpec], checkpoint: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The expected tensors out of a checkpoint that may hold others too, and what is wrong with them.

    Returns:
        Tensors in float32 and int64, counters of batches made where they are missing; and the problems, to be put
        after the file's name ("lacks a, b"), without which all expected tensors are there.
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
    """Whether every number is finite, looked at in pieces so that it takes no memory."""
    flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel()
    return all(np.isfinite(flat[start : start + _PIECE]).all() for start in range(0, flat.size, _PIECE))


def described(problems: Mapping[str, Sequence[str]]) -> list[str]:
    """Each problem that has names, with them: "missing a, b"."""
    return [f"{problem} {listed(names)}" for problem, names in problems.items() if names]


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are, counted by how they all begin."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    counts = ", ".join(f"{n} of {start}" for start, n in Counter(name.split(".")[0] for name in names).items())
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more ({counts})"
