"""ONNX networks of neural voices, with the durations that they predict as another output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ....errors import InputError

if TYPE_CHECKING:
    import onnx

VOICES_COMMAND = "python build.py voices"
"""Installs the packages of the neural voices."""


def installed(*packages: str) -> bool:
    """True if all of these packages are installed, by their names in the package index."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return all(version(package) for package in packages)
    except PackageNotFoundError:
        return False


def check_digest(content: bytes, sha256: str, name: str) -> bytes:
    """The content, if it has this digest.

    Args:
        content: of a file.
        sha256: in hexadecimal digits.
        name: of the file, for the message.

    Raises:
        InputError: the digest is another.
    """
    import hashlib

    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InputError(f"{name} has the digest {found[:12]}… instead of {sha256[:12]}…; run: {VOICES_COMMAND}")
    return content


def with_output(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """The model with a float tensor inside its graph as its last output."""
    import onnx

    model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return model


def with_float_convolutions(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its 8-bit integer convolutions computed as float32, which is exact for whole numbers below 2^24.

    ONNX Runtime computes integer convolutions slowly on CPUs: Kokoro takes half the time with float ones.
    """
    from onnx import TensorProto, helper, numpy_helper

    weights = {tensor.name: tensor for tensor in model.graph.initializer}

    def as_float(tensor: str) -> np.ndarray:
        return numpy_helper.to_array(weights[tensor]).astype(np.float32)

    nodes = []
    for node in model.graph.node:
        if node.op_type != "ConvInteger":
            nodes.append(node)
            continue
        source, weight, zero, weight_zero = (*node.input, "", "")[:4]
        name = f"{node.output[0]}_float"
        values = as_float(weight)
        if weight_zero:
            offset = as_float(weight_zero)
            values = values - offset.reshape(-1, *[1] * (values.ndim - 1)) if offset.ndim else values - offset
        model.graph.initializer.append(numpy_helper.from_array(values, f"{name}_weight"))
        nodes.append(helper.make_node("Cast", [source], [f"{name}_source"], to=TensorProto.FLOAT))
        centred = f"{name}_source"
        if zero:
            nodes.append(helper.make_node("Cast", [zero], [f"{name}_zero"], to=TensorProto.FLOAT))
            nodes.append(helper.make_node("Sub", [f"{name}_source", f"{name}_zero"], [f"{name}_centred"]))
            centred = f"{name}_centred"
        convolution = helper.make_node("Conv", [centred, f"{name}_weight"], [f"{name}_sum"])
        convolution.attribute.extend(node.attribute)
        nodes.append(convolution)
        nodes.append(helper.make_node("Cast", [f"{name}_sum"], list(node.output), to=TensorProto.INT32))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def session(model: onnx.ModelProto) -> Any:
    """An ONNX Runtime session on one thread: more threads would compute sums in another order."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
