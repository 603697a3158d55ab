"""A TensorFlow Lite graph to a network of ours, whose operations are ONNX's.

TensorFlow Lite has channels last, ONNX's convolutions have them first. A value is kept in the order in which it is
made; the other order is made where an operation needs it. Constants are reordered here, once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...capture.video.network_files import Network
from ...errors import ModelError
from ...files.onnx_graph import Node
from .tflite_file import Operator, TfliteGraph

_TO_FIRST, _TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_ELEMENTWISE = {
    "ADD": "Add",
    "SUB": "Sub",
    "MUL": "Mul",
    "DIV": "Div",
    "RELU": "Relu",
    "LOGISTIC": "Sigmoid",
    "NEG": "Neg",
    "SQRT": "Sqrt",
}


def convert_graph(graph: TfliteGraph, name: str) -> tuple[Network, dict[str, np.ndarray]]:
    """A network and its weights by name: floats as the graph holds them, integers as int64.

    Args:
        graph: the graph.
        name: first part of the weights' names.

    Raises:
        ModelError: the graph has an operation that is not supported.
    """
    converter = _Converter(graph, name)
    for operator in graph.operators:
        converter.add(operator)
    return converter.network(), converter.weights


class _Converter:
    """Builds the nodes; tensors are meant by their index in the graph."""

    def __init__(self, graph: TfliteGraph, name: str) -> None:
        self._graph, self._name = graph, name
        self._nodes: list[Node] = []
        self.weights: dict[str, np.ndarray] = {}
        self._constants = {i: t.constant for i, t in enumerate(graph.tensors) if t.constant is not None}
        # Names of the values by tensor and by whether they have channels first.
        self._names = {(index, False): f"t{index}" for index in graph.inputs}

    def network(self) -> Network:
        """The network, after all operators were added."""
        shapes = [tensor.shape for tensor in self._graph.tensors]
        outputs = {self._value(index): shapes[index] for index in self._graph.outputs}
        inputs = {f"t{index}": shapes[index] for index in self._graph.inputs}
        return Network(inputs, outputs, tuple(self.weights), tuple(self._nodes))

    def add(self, operator: Operator) -> None:
        """Add the nodes of an operator."""
        handlers: dict[str, Callable[[Operator], None]] = {
            "DEQUANTIZE": self._dequantize,
            "CONV_2D": self._convolution,
            "DEPTHWISE_CONV_2D": self._convolution,
            "MAX_POOL_2D": self._max_pool,
            "PRELU": self._prelu,
            "PAD": self._pad,
            "MEAN": self._reduction,
            "SUM": self._reduction,
            "RESHAPE": self._reshape,
            "TRANSPOSE": self._transpose,
            "CONCATENATION": self._concatenation,
            "STRIDED_SLICE": self._slice,
            "SQUARED_DIFFERENCE": self._squared_difference,
            "RSQRT": self._reciprocal_square_root,
            **dict.fromkeys(_ELEMENTWISE, self._elementwise),
        }
        if operator.name not in handlers:
            raise ModelError(f"the operation {operator.name} is not supported")
        handlers[operator.name](operator)

    # ---- operations --------------------------------------------------------------------------------------------------

    def _dequantize(self, operator: Operator) -> None:
        """Half precision to single precision: our files are widened when they are read."""
        if operator.inputs[0] not in self._constants:
            raise ModelError("DEQUANTIZE of a computed value is not supported")
        self._constants[operator.output] = self._constants[operator.inputs[0]]

    def _convolution(self, operator: Operator) -> None:
        is_depthwise = operator.name == "DEPTHWISE_CONV_2D"
        if not is_depthwise and self._is_matrix_product(operator):
            return self._matrix_product(operator)
        kernel = self._constants[operator.inputs[1]]  # (out, h, w, in), depthwise (1, h, w, out)
        kernel = kernel.transpose(3, 0, 1, 2) if is_depthwise else kernel.transpose(0, 3, 1, 2)
        channels = self._shape(operator.inputs[0])[3]
        if is_depthwise and len(kernel) != channels:
            raise ModelError("a depthwise convolution with a multiplier is not supported")
        inputs = [self._value(operator.inputs[0], first=True)]
        inputs.append(self._weight(f"t{operator.inputs[1]}.kernel", kernel))
        inputs += [self._value(index) for index in operator.inputs[2:]]
        options = operator.options
        dilations = options["dilation_h"], options["dilation_w"]
        attributes = self._window(operator, kernel.shape[2:], dilations) | {"dilations": dilations}
        self._emit("Conv", inputs, operator, True, attributes | {"group": (channels if is_depthwise else 1,)})

    def _is_matrix_product(self, operator: Operator) -> bool:
        """Whether a convolution is a matrix product of a value whose channels are last."""
        height, width = self._shape(operator.inputs[1])[1:3]
        strides = operator.options["stride_h"], operator.options["stride_w"]
        return (height, width) == strides == (1, 1) and (operator.inputs[0], False) in self._names

    def _matrix_product(self, operator: Operator) -> None:
        kernel = self._constants[operator.inputs[1]]
        matrix = self._weight(f"t{operator.inputs[1]}.matrix", kernel.reshape(len(kernel), -1).T)
        inputs = [self._value(operator.inputs[0]), matrix]
        if len(operator.inputs) < 3:
            return self._emit("MatMul", inputs, operator, False)
        product = f"t{operator.output}.product"
        self._nodes.append(Node("MatMul", tuple(inputs), product))
        self._emit("Add", [product, self._value(operator.inputs[2])], operator, False)

    def _max_pool(self, operator: Operator) -> None:
        size = operator.options["filter_h"], operator.options["filter_w"]
        attributes = self._window(operator, size, (1, 1)) | {"kernel_shape": size}
        self._emit("MaxPool", [self._value(operator.inputs[0], first=True)], operator, True, attributes)

    def _window(
        self, operator: Operator, size: tuple[int, ...], dilations: tuple[int, int]
    ) -> dict[str, tuple[int, ...]]:
        """Strides and padding; of an odd number of padded pixels, TensorFlow Lite puts the larger part at the end."""
        strides = operator.options["stride_h"], operator.options["stride_w"]
        before, after = [0, 0], [0, 0]
        if operator.options["padding"] == "SAME":
            for axis in range(2):
                length = self._shape(operator.inputs[0])[1 + axis]
                reach = (size[axis] - 1) * dilations[axis] + 1
                total = max((-(-length // strides[axis]) - 1) * strides[axis] + reach - length, 0)
                before[axis], after[axis] = total // 2, total - total // 2
        return {"strides": strides, "pads": (*before, *after)}

    def _elementwise(self, operator: Operator) -> None:
        first = self._prefers_first(operator)
        inputs = [self._value(index, first) for index in operator.inputs]
        self._emit(_ELEMENTWISE[operator.name], inputs, operator, first)

    def _prelu(self, operator: Operator) -> None:
        """Add s x + (1 - s) max(x, 0), with the slopes s as convolutions of each channel alone.

        ONNX Runtime (1.20) keeps images in blocks of channels from one convolution to the next; a PRelu between them
        would have every image reordered twice, which takes a sixth of the time of the network of points.
        """
        value, slope = operator.inputs
        if not self._prefers_first(operator):
            return self._emit("PRelu", [self._value(value), self._value(slope)], operator, False)
        name, source = f"t{operator.output}", self._value(value, first=True)
        channels = self._shape(value)[3]
        # In single precision: the difference of 1 and a slope in half precision would be rough.
        slopes = np.broadcast_to(self._constants[slope].astype(np.float32).reshape(-1), channels).reshape(-1, 1, 1, 1)
        alone: dict[str, tuple[int, ...]] = {"strides": (1, 1), "pads": (0, 0, 0, 0), "group": (channels,)}
        linear, rest = self._weight(f"{name}.slopes", slopes), self._weight(f"{name}.rest", 1 - slopes)
        self._nodes.append(Node("Conv", (source, linear), f"{name}.sloped", alone))
        self._nodes.append(Node("Relu", (source,), f"{name}.positive"))
        self._nodes.append(Node("Conv", (f"{name}.positive", rest), f"{name}.raised", alone))
        self._emit("Add", [f"{name}.raised", f"{name}.sloped"], operator, True)

    def _squared_difference(self, operator: Operator) -> None:
        first = self._prefers_first(operator)
        difference = f"t{operator.output}.difference"
        self._nodes.append(Node("Sub", tuple(self._value(index, first) for index in operator.inputs), difference))
        self._emit("Mul", [difference, difference], operator, first)

    def _reciprocal_square_root(self, operator: Operator) -> None:
        first = self._prefers_first(operator)
        root = f"t{operator.output}.root"
        self._nodes.append(Node("Sqrt", (self._value(operator.inputs[0], first),), root))
        self._emit("Reciprocal", [root], operator, first)

    def _pad(self, operator: Operator) -> None:
        first = self._prefers_first(operator)
        pads = self._constants[operator.inputs[1]]  # (axes, 2)
        if first:
            pads = pads[list(_TO_FIRST)]
        value = self._value(operator.inputs[0], first)
        self._emit("Pad", [value, self._integers(operator, "pads", pads.T)], operator, first)

    def _reduction(self, operator: Operator) -> None:
        axes = self._integers(operator, "axes", self._constants[operator.inputs[1]])
        op = "ReduceMean" if operator.name == "MEAN" else "ReduceSum"
        keep = int(operator.options["keep_dims"])
        self._emit(op, [self._value(operator.inputs[0]), axes], operator, False, {"keepdims": (keep,)})

    def _reshape(self, operator: Operator) -> None:
        shape = self._integers(operator, "shape", np.array(self._shape(operator.output)))
        self._emit("Reshape", [self._value(operator.inputs[0]), shape], operator, False)

    def _transpose(self, operator: Operator) -> None:
        order = tuple(int(axis) for axis in self._constants[operator.inputs[1]])
        self._emit("Transpose", [self._value(operator.inputs[0])], operator, False, {"perm": order})

    def _concatenation(self, operator: Operator) -> None:
        axis = operator.options["axis"] % len(self._shape(operator.output))
        inputs = [self._value(index) for index in operator.inputs]
        self._emit("Concat", inputs, operator, False, {"axis": (axis,)})

    def _slice(self, operator: Operator) -> None:
        options, shape = operator.options, self._shape(operator.inputs[0])
        if options["ellipsis_mask"] or options["new_axis_mask"]:
            raise ModelError("a slice with an ellipsis or a new axis is not supported")
        begin, end, step = (self._constants[index].reshape(-1).tolist() for index in operator.inputs[1:4])
        if any(value < 1 for value in step):
            raise ModelError("a slice with a negative step is not supported")
        starts, ends = [], []
        for axis, size in enumerate(shape):
            low, high, _ = slice(
                None if options["begin_mask"] >> axis & 1 else begin[axis],
                None if options["end_mask"] >> axis & 1 else end[axis],
            ).indices(size)
            is_single = options["shrink_axis_mask"] >> axis & 1
            starts.append(low)
            ends.append(low + 1 if is_single else high)
        sliced = f"t{operator.output}.slice"
        parts = {"starts": starts, "ends": ends, "axes": range(len(shape)), "steps": step}
        inputs = [self._integers(operator, key, np.array(values)) for key, values in parts.items()]
        self._nodes.append(Node("Slice", (self._value(operator.inputs[0]), *inputs), sliced))
        target = self._integers(operator, "shape", np.array(self._shape(operator.output), np.int64))
        self._emit("Reshape", [sliced, target], operator, False)  # drops the axes of single elements

    # ---- values ------------------------------------------------------------------------------------------------------

    def _shape(self, index: int) -> tuple[int, ...]:
        return self._graph.tensors[index].shape

    def _prefers_first(self, operator: Operator) -> bool:
        """Whether an operation that works in either order gets channels first: if none of its inputs has them last."""
        values = [index for index in operator.inputs if index not in self._constants]
        return all(len(self._shape(index)) == 4 and (index, False) not in self._names for index in values)

    def _value(self, index: int, first: bool = False) -> str:
        """The name of a value in one order; adds what makes it."""
        key = index, first
        if key in self._names:
            return self._names[key]
        suffix = ".first" if first else ""
        if index in self._constants:
            array = self._constants[index]
            if first:  # a constant with fewer axes has those at the end
                array = array.reshape((1,) * (4 - array.ndim) + array.shape).transpose(_TO_FIRST)
            self._names[key] = self._weight(f"t{index}{suffix}", array)
        else:
            if (index, not first) not in self._names:
                raise ModelError(f"tensor {index} is used before it is made")
            order = _TO_FIRST if first else _TO_LAST
            self._names[key] = f"t{index}{suffix}"
            self._nodes.append(Node("Transpose", (self._names[index, not first],), self._names[key], {"perm": order}))
        return self._names[key]

    def _emit(
        self,
        op: str,
        inputs: list[str],
        operator: Operator,
        first: bool,
        attributes: dict[str, tuple[int, ...]] | None = None,
    ) -> None:
        """Add the last node of an operator and its fused activation."""
        output = f"t{operator.output}{'.first' if first else ''}"
        activation = operator.options.get("activation", "NONE")
        made = output if activation == "NONE" else f"{output}.linear"
        self._nodes.append(Node(op, tuple(inputs), made, attributes or {}))
        if activation == "RELU":
            self._nodes.append(Node("Relu", (made,), output))
        elif activation == "RELU6":
            limits = [self._weight(f"t{operator.output}.{key}", np.array(key, np.float32)) for key in (0, 6)]
            self._nodes.append(Node("Clip", (made, *limits), output))
        self._names[operator.output, first] = output

    def _weight(self, name: str, array: np.ndarray) -> str:
        full = f"{self._name}.{name}"
        self.weights[full] = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        return full

    def _integers(self, operator: Operator, name: str, values: np.ndarray) -> str:
        return self._weight(f"t{operator.output}.{name}", np.asarray(values, np.int64).reshape(-1))
