"""Small ONNX models written as bytes, without the onnx package.

Only what feed-forward networks of fixed size need: nodes with integer attributes, initializers, named inputs and
outputs. The layout is that of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

OPSET = 18
_IR_VERSION = 8  # the first that knows opset 18
_VARINT, _BYTES = 0, 2
_ELEMENT_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 7}
_INT, _INTS = 2, 7  # AttributeProto.type
_SCALAR_ATTRIBUTES = {"axis", "group", "keepdims"}


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Attributes:
        op: ONNX's name of the operation.
        inputs: names of its inputs, in ONNX's order.
        output: name of its only output.
        attributes: its integer attributes; a scalar one ("axis", "group", "keepdims") is a list of one number.
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, tuple[int, ...]] = field(default_factory=dict)


def encode_model(
    nodes: Sequence[Node],
    weights: Mapping[str, np.ndarray],
    inputs: Mapping[str, Sequence[int]],
    outputs: Mapping[str, Sequence[int]],
) -> bytes:
    """The bytes of an ONNX model, for `onnxruntime.InferenceSession`.

    Args:
        nodes: operations in the order in which they run.
        weights: initializers by name, float32 or int64.
        inputs: shape of each float32 input by name.
        outputs: shape of each float32 output by name.

    Raises:
        ValueError: for weights of another type.
    """
    parts = [_message(1, _node(node)) for node in nodes]
    parts.append(_text(2, "network"))
    parts += [_message(5, _tensor(name, array)) for name, array in weights.items()]
    parts += [_message(11, _value_info(name, shape)) for name, shape in inputs.items()]
    parts += [_message(12, _value_info(name, shape)) for name, shape in outputs.items()]
    opset = _text(1, "") + _number(2, OPSET)
    return _number(1, _IR_VERSION) + _message(7, b"".join(parts)) + _message(8, opset)


def _node(node: Node) -> bytes:
    parts = [_text(1, name) for name in node.inputs]
    parts.append(_text(2, node.output))
    parts.append(_text(4, node.op))
    parts += [_message(5, _attribute(name, values)) for name, values in node.attributes.items()]
    return b"".join(parts)


def _attribute(name: str, values: tuple[int, ...]) -> bytes:
    if name in _SCALAR_ATTRIBUTES:
        (value,) = values
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    return _text(1, name) + b"".join(_number(8, value) for value in values) + _number(20, _INTS)


def _tensor(name: str, array: np.ndarray) -> bytes:
    if array.dtype not in _ELEMENT_TYPES:
        raise ValueError(f"expected float32 or int64 in {name}, found {array.dtype}")
    dims = b"".join(_number(1, size) for size in array.shape)
    raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return dims + _number(2, _ELEMENT_TYPES[array.dtype]) + _text(8, name) + _message(9, raw)


def _value_info(name: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_message(1, _number(1, size)) for size in shape)
    tensor_type = _number(1, _ELEMENT_TYPES[np.dtype(np.float32)]) + _message(2, dims)
    return _text(1, name) + _message(2, _message(1, tensor_type))


def _number(number: int, value: int) -> bytes:
    """A field that holds an integer; negative ones as 64 bits in two's complement."""
    return _varint(number << 3 | _VARINT) + _varint(value & (1 << 64) - 1)


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode("utf-8"))


def _message(number: int, content: bytes) -> bytes:
    """A field that holds bytes."""
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits in each byte, the lowest first; the eighth bit says that more follow."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
