"""Stand-ins for the classes of a pickle that are not built: they store their arguments and do nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAX_DENSE_BYTES = 1 << 28


class RefusedPickle(ValueError):
    """A file holds something that is refused; the text is the middle of a sentence."""


@dataclass(frozen=True)
class InertClass:
    """A class that a file names; it is never imported."""

    class_name: str


@dataclass(eq=False)
class InertObject:
    """An instance of a class that was never imported.

    Attributes:
        class_name: the class as the file names it, "chumpy.ch.Ch".
        args: arguments of its construction.
        state: its state, mostly a dict of attributes.
        items: its items, if it is a kind of dict.
        elements: its elements, if it is a kind of list.
    """

    class_name: str
    args: tuple = ()
    state: Any = None
    items: dict = field(default_factory=dict)
    elements: list = field(default_factory=list)

    def fill(self, state: object) -> None:
        """Store `state`; attributes are added to the existing ones."""
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):  # (__dict__, slots)
            state = {**(state[0] if isinstance(state[0], dict) else {}), **state[1]}
        if isinstance(state, dict) and isinstance(self.state, dict):
            state = {**self.state, **state}
        self.state = state

    def __repr__(self) -> str:
        return f"<stand-in for {self.class_name}>"


class SparseMatrix(InertObject):
    """A scipy sparse matrix (csc, csr or coo) without scipy."""

    def toarray(self) -> np.ndarray:
        """The dense matrix (R, C), float64 or its own type.

        Raises:
            RefusedPickle: if its parts contradict each other, or the result would be absurdly large.
        """
        state = self.state if isinstance(self.state, dict) else {}
        shape = state.get("_shape", state.get("shape"))
        if not isinstance(shape, tuple) or len(shape) != 2 or not all(type(n) is int and n >= 0 for n in shape):
            raise RefusedPickle(f"holds a sparse matrix of shape {shape!r:.60}")
        data = _vector(state, "data", "biufc")
        if shape[0] * shape[1] * data.itemsize > MAX_DENSE_BYTES:
            raise RefusedPickle(f"holds a sparse matrix of absurd size {shape!r:.60}")
        kind = self.class_name.rpartition(".")[2][:3]
        if kind == "coo":
            if "coords" in state:
                coords = state["coords"]
                state = {"row": coords[0], "col": coords[1]} if isinstance(coords, tuple) and len(coords) == 2 else {}
            rows, columns = _vector(state, "row", "iu"), _vector(state, "col", "iu")
        else:
            starts, minor = _vector(state, "indptr", "iu").astype(np.int64), _vector(state, "indices", "iu")
            num_major = shape[1] if kind == "csc" else shape[0]
            counts = np.diff(starts)
            if len(starts) != num_major + 1 or starts[0] != 0 or starts[-1] != len(data) or (counts < 0).any():
                raise RefusedPickle("holds a sparse matrix whose index does not fit its data")
            major = np.repeat(np.arange(num_major), counts)
            rows, columns = (minor, major) if kind == "csc" else (major, minor)
        if not len(rows) == len(columns) == len(data):
            raise RefusedPickle("holds a sparse matrix whose indices and data differ in number")
        if len(data) and (min(rows.min(), columns.min()) < 0 or rows.max() >= shape[0] or columns.max() >= shape[1]):
            raise RefusedPickle("holds a sparse matrix with an index outside its shape")
        dense = np.zeros(shape, data.dtype)
        np.add.at(dense, (rows, columns), data)
        return dense


def array_of(value: object) -> np.ndarray | None:
    """The numbers in an array, a sparse matrix or a chumpy stand-in; None for anything else.

    Raises:
        RefusedPickle: if its parts contradict each other.
    """
    for _ in range(8):  # chumpy wraps chumpy
        if isinstance(value, np.ndarray):
            return value
        if isinstance(value, SparseMatrix):
            return value.toarray()
        if not isinstance(value, InertObject) or not isinstance(value.state, dict):
            return None
        state = value.state
        if value.class_name == "chumpy.reordering.Select":
            return _selected(state)
        value = next((state[name] for name in ("x", "a") if name in state), None)
    return None


def _selected(state: dict) -> np.ndarray | None:
    """The elements that chumpy's Select takes from its flattened source; it is never nested."""
    source = state.get("a")
    if isinstance(source, InertObject) and source.class_name == "chumpy.reordering.Select":
        return None
    numbers, indices, shape = array_of(source), state.get("idxs"), state.get("preferred_shape")
    if numbers is None or not isinstance(indices, np.ndarray) or indices.dtype.kind not in "iu":
        return None
    if not indices.size or indices.min() < 0 or indices.max() >= numbers.size:
        raise RefusedPickle("holds a chumpy selection outside its source")
    taken = numbers.ravel()[indices.ravel()]
    sizes = shape if isinstance(shape, tuple) and all(type(n) is int for n in shape) else None
    return taken.reshape(sizes) if sizes is not None and int(np.prod(sizes)) == taken.size else taken


def _vector(state: dict, name: str, kinds: str) -> np.ndarray:
    """A one-dimensional array of a sparse matrix's state."""
    values = state.get(name)
    if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype.kind not in kinds:
        raise RefusedPickle(f"holds a sparse matrix without {name}")
    return values
