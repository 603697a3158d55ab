"""A folder of small networks: their graphs as data in landmarker.json, their weights in model.safetensors.

The graphs are lists of ONNX operations. They are data and stay data: each operation must be one of those that the face
landmarker needs, and each name must be defined before it is used.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...files.atomic_write import replacing
from ...files.dataclass_reader import FieldError, read_dataclass
from ...files.named_tensors import is_finite
from ...files.onnx_graph import Node, encode_model
from ...files.safetensors_file import read_tensors, write_tensors

GRAPHS_FILE = "landmarker.json"
WEIGHTS_FILE = "model.safetensors"
FORMAT = 1
AGAIN = "install the extension EMOTE Face Landmarker again, or make the folder again: python build.py landmarker"
"""What to do about a folder that cannot be used."""

# Attributes of the operations that a graph may have.
OPERATIONS = {
    "Conv": {"strides", "pads", "dilations", "group"},
    "MatMul": set(),
    "MaxPool": {"kernel_shape", "strides", "pads"},
    "PRelu": set(),
    "Relu": set(),
    "Clip": set(),
    "Sigmoid": set(),
    "Add": set(),
    "Sub": set(),
    "Mul": set(),
    "Div": set(),
    "Neg": set(),
    "Sqrt": set(),
    "Reciprocal": set(),
    "Pad": set(),
    "Reshape": set(),
    "Slice": set(),
    "Transpose": {"perm"},
    "Concat": {"axis"},
    "ReduceMean": {"keepdims"},
    "ReduceSum": {"keepdims"},
}
_MAX_NODES = 4096
_MAX_INTEGER = 1 << 16  # of attributes, shapes and the integers among the weights
_MAX_GRAPH_BYTES, _MAX_WEIGHT_BYTES = 4 << 20, 64 << 20


@dataclass(frozen=True)
class Network:
    """A network as data.

    Attributes:
        inputs: shape of each float32 input by name.
        outputs: shape of each float32 output by name.
        weights: names of its tensors in the weights file.
        nodes: its operations in the order in which they run.
    """

    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]
    weights: tuple[str, ...]
    nodes: tuple[Node, ...]

    def renamed(self, names: dict[str, str]) -> Network:
        """The same network with other names of some values."""

        def new(name: str) -> str:
            return names.get(name, name)

        return Network(
            {new(name): shape for name, shape in self.inputs.items()},
            {new(name): shape for name, shape in self.outputs.items()},
            self.weights,
            tuple(replace(node, inputs=tuple(map(new, node.inputs)), output=new(node.output)) for node in self.nodes),
        )


@dataclass(frozen=True)
class _Graphs:
    """The content of landmarker.json.

    Attributes:
        format: version of this format.
        source: where the networks come from, in words.
        networks: the networks by name.
    """

    format: int
    source: dict[str, str]
    networks: dict[str, Network]


def write_networks(
    folder: Path, networks: dict[str, Network], weights: dict[str, np.ndarray], source: dict[str, str]
) -> None:
    """Write both files of a folder; equal networks give equal bytes.

    Args:
        folder: an existing folder.
        networks: networks by name.
        weights: their tensors by name: float16, float32 or int64.
        source: where they come from, in words.
    """
    write_tensors(folder / WEIGHTS_FILE, weights)
    text = json.dumps(asdict(_Graphs(FORMAT, source, networks)), indent=None, separators=(",", ":"))
    with replacing(folder / GRAPHS_FILE) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_networks(folder: Path, shapes: dict[str, dict[str, tuple[int, ...]]]) -> dict[str, bytes]:
    """The ONNX model of each network in a folder, by name.

    Args:
        folder: a folder that `write_networks` wrote.
        shapes: expected shape of each input and output of each network, by network.

    Raises:
        ModelError: a file is missing or damaged, or holds other networks.
    """
    graphs = _read_graphs(folder / GRAPHS_FILE)
    weights_path = folder / WEIGHTS_FILE
    _require_size(weights_path, _MAX_WEIGHT_BYTES)
    weights = read_tensors(weights_path)
    models = {}
    for name, expected in shapes.items():
        if name not in graphs.networks:
            raise _unusable(folder / GRAPHS_FILE, f"lacks the network {name}")
        network = graphs.networks[name]
        found = network.inputs | network.outputs
        if found != expected:
            raise _unusable(folder / GRAPHS_FILE, f"{name} has inputs and outputs {found} instead of {expected}")
        if problem := _problem(network):
            raise _unusable(folder / GRAPHS_FILE, f"{name}: {problem}")
        tensors = {key: _tensor(weights_path, key, weights) for key in network.weights}
        models[name] = encode_model(network.nodes, tensors, network.inputs, network.outputs)
    return models


def _read_graphs(path: Path) -> _Graphs:
    """The content of landmarker.json; raises ModelError."""
    _require_size(path, _MAX_GRAPH_BYTES)
    try:
        values: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _unusable(path, "not JSON") from error
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}") from error
    try:
        graphs = read_dataclass(_Graphs, values)
    except FieldError as error:
        raise _unusable(path, str(error)) from error
    if graphs.format != FORMAT:
        raise _unusable(path, f"has format {graphs.format} instead of {FORMAT}")
    return graphs


def _require_size(path: Path, limit: int) -> None:
    """Raise ModelError if a file is missing or larger than any such file."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _unusable(path, "not found") from error
    if size > limit:
        raise _unusable(path, f"holds {size} bytes, at most {limit} are expected")


def _problem(network: Network) -> str:
    """Why a network cannot be used; empty if it can."""
    if len(network.nodes) > _MAX_NODES:
        return f"{len(network.nodes)} operations, at most {_MAX_NODES} are expected"
    shapes = [*network.inputs.values(), *network.outputs.values()]
    if any(not 0 < size <= _MAX_INTEGER for shape in shapes for size in shape):
        return "a shape with sizes out of range"
    defined = {*network.inputs, *network.weights}
    if len(defined) < len(network.inputs) + len(network.weights):
        return "a name is given twice"
    for node in network.nodes:
        if node.op not in OPERATIONS:
            return f"the operation {node.op!r} is unknown"
        if unknown := node.attributes.keys() - OPERATIONS[node.op]:
            return f"{node.op} has the unknown attribute {min(unknown)!r}"
        for key, values in node.attributes.items():
            if key in ("axis", "group", "keepdims") and len(values) != 1:
                return f"{key} of {node.op} must be one number"
            if any(abs(value) > _MAX_INTEGER for value in values):
                return f"{key} of {node.op} is out of range"
        if missing := [name for name in node.inputs if name not in defined]:
            return f"{node.op} takes {missing[0]!r} before it is defined"
        if node.output in defined:
            return f"{node.output!r} is defined twice"
        defined.add(node.output)
    if missing := [name for name in network.outputs if name not in defined]:
        return f"nothing makes its output {missing[0]!r}"
    return ""


def _tensor(path: Path, name: str, weights: dict[str, np.ndarray]) -> np.ndarray:
    """A tensor of the weights file as float32 or int64; raises ModelError."""
    if name not in weights:
        raise _unusable(path, f"lacks {name!r}")
    array = weights[name]
    if array.dtype.kind == "f":
        if not is_finite(array):
            raise _unusable(path, f"{name!r} holds values that are not numbers")
        return array.astype(np.float32)
    if array.dtype != np.int64 or (np.abs(array) > _MAX_INTEGER).any():
        raise _unusable(path, f"{name!r} holds {array.dtype} or integers out of range")
    return array


def _unusable(path: Path, problem: str) -> ModelError:
    return ModelError(f"{path} cannot be used ({problem}); {AGAIN}")
