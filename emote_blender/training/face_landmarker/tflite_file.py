"""A TensorFlow Lite file as plain values, read with the package tflite."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ModelError

# TensorType -> numpy; the other types do not occur.
_DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 4: np.int64}
_PADDING = {0: "SAME", 1: "VALID"}
_ACTIVATION = {0: "NONE", 1: "RELU", 3: "RELU6"}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a graph.

    Attributes:
        name: its name in the file.
        shape: sizes of its axes; images are (1, height, width, channels).
        constant: its values, if the file holds them.
    """

    name: str
    shape: tuple[int, ...]
    constant: np.ndarray | None = None


@dataclass(frozen=True)
class Operator:
    """An operation on tensors, which are meant by their index.

    Attributes:
        name: TensorFlow Lite's name of the operation, such as "CONV_2D".
        inputs: indices of its inputs; an input that is left out is not listed.
        output: index of its only output.
        options: its options by name, in TensorFlow Lite's words ("stride_h", "padding").
    """

    name: str
    inputs: tuple[int, ...]
    output: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TfliteGraph:
    """A graph.

    Attributes:
        tensors: all tensors.
        operators: operations in the order in which they run.
        inputs: indices of the tensors that are given.
        outputs: indices of the results.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite(content: bytes) -> TfliteGraph:
    """The graph in a TensorFlow Lite file.

    Raises:
        ModelError: it is no such file, or holds something that the face landmarker does not need.
    """
    import tflite

    if content[4:8] != b"TFL3":
        raise ModelError("the bundle holds a network that is no TensorFlow Lite file; get the pinned package again")
    model = tflite.Model.GetRootAs(content, 0)
    if model.SubgraphsLength() != 1:
        raise ModelError(f"expected one graph in a network, found {model.SubgraphsLength()}")
    graph = model.Subgraphs(0)
    names = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
    tensors = tuple(_tensor(model, graph.Tensors(index)) for index in range(graph.TensorsLength()))
    operators = tuple(_operator(model, graph.Operators(index), names) for index in range(graph.OperatorsLength()))
    inputs = tuple(graph.Inputs(index) for index in range(graph.InputsLength()))
    outputs = tuple(graph.Outputs(index) for index in range(graph.OutputsLength()))
    return TfliteGraph(tensors, operators, inputs, outputs)


def _tensor(model: Any, tensor: Any) -> Tensor:
    name = tensor.Name().decode("utf-8", "replace")
    shape = tuple(int(size) for size in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()
    buffer = model.Buffers(tensor.Buffer())
    if not buffer.DataLength():
        return Tensor(name, shape)
    if tensor.Sparsity() is not None or tensor.Type() not in _DTYPES:
        raise ModelError(f"the tensor {name} is sparse or of type {tensor.Type()}, which is not supported")
    values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()])
    return Tensor(name, shape, values.reshape(shape))


def _operator(model: Any, operator: Any, names: dict[int, str]) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    if operator.OutputsLength() != 1:
        raise ModelError(f"{name} with {operator.OutputsLength()} outputs is not supported")
    inputs = tuple(index for k in range(operator.InputsLength()) if (index := operator.Inputs(k)) >= 0)
    return Operator(name, inputs, operator.Outputs(0), _options(name, operator))


def _options(name: str, operator: Any) -> dict[str, Any]:
    """The options of the operations that have any."""
    import tflite

    def table(kind: Any) -> Any:
        """The operator's table of options as an object of this class."""
        options, found = kind(), operator.BuiltinOptions()
        options.Init(found.Bytes, found.Pos)
        return options

    if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        found = table(tflite.Conv2DOptions if name == "CONV_2D" else tflite.DepthwiseConv2DOptions)
        return _window(found) | {"dilation_h": found.DilationHFactor(), "dilation_w": found.DilationWFactor()}
    if name == "MAX_POOL_2D":
        found = table(tflite.Pool2DOptions)
        return _window(found) | {"filter_h": found.FilterHeight(), "filter_w": found.FilterWidth()}
    if name in ("ADD", "SUB", "MUL", "DIV"):
        kinds = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions"}
        # Options may be left out: then they have their defaults.
        has_options = operator.BuiltinOptions() is not None
        return _activation(table(getattr(tflite, kinds[name]))) if has_options else {"activation": "NONE"}
    if name in ("MEAN", "SUM"):
        return {"keep_dims": bool(table(tflite.ReducerOptions).KeepDims())}
    if name == "CONCATENATION":
        found = table(tflite.ConcatenationOptions)
        return _activation(found) | {"axis": found.Axis()}
    if name == "STRIDED_SLICE":
        found = table(tflite.StridedSliceOptions)
        return {
            "begin_mask": found.BeginMask(),
            "end_mask": found.EndMask(),
            "ellipsis_mask": found.EllipsisMask(),
            "new_axis_mask": found.NewAxisMask(),
            "shrink_axis_mask": found.ShrinkAxisMask(),
        }
    return {}


def _window(found: Any) -> dict[str, Any]:
    """The options that convolution and pooling share."""
    padding = _PADDING[found.Padding()]
    return {"stride_h": found.StrideH(), "stride_w": found.StrideW(), "padding": padding} | _activation(found)


def _activation(found: Any) -> dict[str, Any]:
    code = found.FusedActivationFunction()
    if code not in _ACTIVATION:
        raise ModelError(f"the fused activation {code} is not supported")
    return {"activation": _ACTIVATION[code]}
