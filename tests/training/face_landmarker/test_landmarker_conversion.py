"""Each operation of a converted graph against numpy, on graphs that are made here."""

import numpy as np
import pytest

from emote_blender.errors import ModelError
from emote_blender.files.onnx_graph import encode_model
from emote_blender.training.face_landmarker.conversion import convert_graph
from emote_blender.training.face_landmarker.tflite_file import Operator, Tensor, TfliteGraph

onnxruntime = pytest.importorskip("onnxruntime")
RNG = np.random.default_rng(0)


def random(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def run(tensors, operators, *values):
    """Results of a graph whose first tensors are given and whose last one results."""
    graph = TfliteGraph(tuple(tensors), tuple(operators), tuple(range(len(values))), (len(tensors) - 1,))
    network, weights = convert_graph(graph, "net")
    wide = {name: array.astype(np.int64 if array.dtype.kind == "i" else np.float32) for name, array in weights.items()}
    content = encode_model(network.nodes, wide, network.inputs, network.outputs)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {f"t{index}": value for index, value in enumerate(values)})[0]


def window(padding="SAME", stride=(1, 1), **more):
    return {"padding": padding, "stride_h": stride[0], "stride_w": stride[1], "activation": "NONE", **more}


def slow_convolution(x, kernel, bias, stride, padding, dilation=1):
    """TensorFlow Lite's convolution by its definition; kernel (out, h, w, in)."""
    out, height, width, _ = kernel.shape
    sizes, before = [], []
    for axis, size in ((1, height), (2, width)):
        reach = (size - 1) * dilation + 1
        if padding == "SAME":
            sizes.append(-(-x.shape[axis] // stride))
            before.append(max((sizes[-1] - 1) * stride + reach - x.shape[axis], 0) // 2)
        else:
            sizes.append((x.shape[axis] - reach) // stride + 1)
            before.append(0)
    y = np.zeros((1, *sizes, out), np.float32)
    for i, j in np.ndindex(*sizes):
        for k, m in np.ndindex(height, width):
            row, column = i * stride + k * dilation - before[0], j * stride + m * dilation - before[1]
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                y[0, i, j] += kernel[:, k, m] @ x[0, row, column]
    return y + bias


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_convolution(padding, stride, dilation, size):
    x, kernel, bias = random(1, 10, 9, 3), random(4, size, size, 3), random(4)
    expected = slow_convolution(x, kernel, bias, stride, padding, dilation)
    options = window(padding, (stride, stride), dilation_h=dilation, dilation_w=dilation)
    tensors = [Tensor("x", x.shape), Tensor("w", kernel.shape, kernel), Tensor("b", (4,), bias)]
    found = run([*tensors, Tensor("y", expected.shape)], [Operator("CONV_2D", (0, 1, 2), 3, options)], x)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_depthwise_convolution_filters_each_channel_alone():
    x, kernel, bias = random(1, 8, 8, 3), random(1, 3, 3, 3), random(3)
    full = np.zeros((3, 3, 3, 3), np.float32)
    for channel in range(3):
        full[channel, :, :, channel] = kernel[0, :, :, channel]
    expected = slow_convolution(x, full, bias, 2, "SAME")
    options = window(stride=(2, 2), dilation_h=1, dilation_w=1)
    tensors = [Tensor("x", x.shape), Tensor("w", kernel.shape, kernel), Tensor("b", (3,), bias)]
    found = run([*tensors, Tensor("y", expected.shape)], [Operator("DEPTHWISE_CONV_2D", (0, 1, 2), 3, options)], x)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_padded_maximum_does_not_see_the_padding():
    x = -1 - np.abs(random(1, 5, 5, 2))
    options = window(stride=(2, 2), filter_h=2, filter_w=2)
    found = run([Tensor("x", x.shape), Tensor("y", (1, 3, 3, 2))], [Operator("MAX_POOL_2D", (0,), 1, options)], x)
    padded = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
    np.testing.assert_array_equal(found, padded.reshape(1, 3, 2, 3, 2, 2).max((2, 4)))


def test_values_with_channels_first_and_last_meet_in_one_sum():
    """A pooled image (channels first), its slopes, channels that are padded, and a constant for each channel."""
    x, slope, shift = random(1, 4, 4, 2), random(1, 1, 2), random(4)
    tensors = [
        Tensor("x", x.shape),
        Tensor("pooled", x.shape),
        Tensor("slope", slope.shape, slope),
        Tensor("prelu", x.shape),
        Tensor("pads", (4, 2), np.array([[0, 0], [1, 0], [0, 1], [0, 2]], np.int32)),
        Tensor("padded", (1, 5, 5, 4)),
        Tensor("shift", (4,), shift),
        Tensor("y", (1, 5, 5, 4)),
    ]
    operators = [
        Operator("MAX_POOL_2D", (0,), 1, window(filter_h=1, filter_w=1)),
        Operator("PRELU", (1, 2), 3),
        Operator("PAD", (3, 4), 5),
        Operator("ADD", (5, 6), 7, {"activation": "RELU"}),
    ]
    prelu = np.where(x > 0, x, slope * x)
    expected = np.maximum(np.pad(prelu, ((0, 0), (1, 0), (0, 1), (0, 2))) + shift, 0)
    np.testing.assert_allclose(run(tensors, operators, x), expected, atol=1e-6)


@pytest.mark.parametrize(
    "name, formula",
    [
        ("ADD", lambda a, b: a + b),
        ("SUB", lambda a, b: a - b),
        ("MUL", lambda a, b: a * b),
        ("DIV", lambda a, b: a / b),
        ("SQUARED_DIFFERENCE", lambda a, b: (a - b) ** 2),
    ],
)
def test_operations_on_two_values(name, formula):
    a, b = random(1, 3, 2), random(1, 1, 2)
    tensors = [Tensor("a", a.shape), Tensor("b", b.shape), Tensor("y", a.shape)]
    np.testing.assert_allclose(run(tensors, [Operator(name, (0, 1), 2)], a, b), formula(a, b), rtol=1e-4)


@pytest.mark.parametrize(
    "name, formula",
    [
        ("NEG", np.negative),
        ("SQRT", np.sqrt),
        ("RSQRT", lambda x: 1 / np.sqrt(x)),
        ("LOGISTIC", lambda x: 1 / (1 + np.exp(-x))),
        ("RELU", lambda x: np.maximum(x, 0)),
    ],
)
def test_operations_on_one_value(name, formula):
    x = np.abs(random(2, 5)) + 0.1
    x = x - 0.5 if name in ("NEG", "LOGISTIC", "RELU") else x
    tensors = [Tensor("x", x.shape), Tensor("y", x.shape)]
    np.testing.assert_allclose(run(tensors, [Operator(name, (0,), 1)], x), formula(x), rtol=1e-5)


@pytest.mark.parametrize("pooled", [True, False], ids=["channels first", "channels last"])
def test_slopes_of_any_size_and_sign(pooled):
    x, slope = random(1, 3, 3, 4), np.array([[[0.25, -5, 19.8, 1]]], np.float16)
    tensors = [Tensor("x", x.shape), Tensor("s", slope.shape, slope), Tensor("m", x.shape), Tensor("y", x.shape)]
    pool = [Operator("MAX_POOL_2D", (0,), 2, window(filter_h=1, filter_w=1))] if pooled else []
    found = run(tensors, [*pool, Operator("PRELU", (2 if pooled else 0, 1), 3)], x)
    np.testing.assert_allclose(found, np.where(x > 0, x, slope.astype(np.float32) * x), atol=1e-5)


@pytest.mark.parametrize("name, formula", [("MEAN", np.mean), ("SUM", np.sum)])
@pytest.mark.parametrize("keep", [True, False])
def test_means_and_sums(name, formula, keep):
    x, axes = random(2, 3, 4), np.array([0, 2], np.int32)
    expected = formula(x, axis=(0, 2), keepdims=keep)
    tensors = [Tensor("x", x.shape), Tensor("axes", (2,), axes), Tensor("y", expected.shape)]
    np.testing.assert_allclose(run(tensors, [Operator(name, (0, 1), 2, {"keep_dims": keep})], x), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "masks, expected",
    [
        ({}, np.s_[1:3, 0:4:2]),
        ({"begin_mask": 1, "end_mask": 3}, np.s_[:, 0::2]),
        ({"shrink_axis_mask": 1}, np.s_[1, ::2]),
    ],
)
def test_slices(masks, expected):
    x = random(5, 4)
    options = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0} | masks
    numbers = [np.array(values, np.int32) for values in ([1, 0], [3, 4], [1, 2])]
    tensors = [Tensor("x", x.shape), *(Tensor("n", (2,), values) for values in numbers), Tensor("y", x[expected].shape)]
    found = run(tensors, [Operator("STRIDED_SLICE", (0, 1, 2, 3), 4, options)], x)
    np.testing.assert_array_equal(found, x[expected])


def test_transposes_reshapes_and_joins():
    x, tail = random(1, 2, 3, 4), random(1, 4, 2, 3)
    tensors = [
        Tensor("x", x.shape),
        Tensor("order", (4,), np.array([0, 3, 1, 2], np.int32)),
        Tensor("turned", (1, 4, 2, 3)),
        Tensor("tail", tail.shape, tail),
        Tensor("joined", (1, 4, 2, 6)),
        Tensor("shape", (2,), np.array([1, 48], np.int32)),
        Tensor("y", (1, 48)),
    ]
    operators = [
        Operator("TRANSPOSE", (0, 1), 2),
        Operator("CONCATENATION", (2, 3), 4, {"axis": -1, "activation": "NONE"}),
        Operator("RESHAPE", (4, 5), 6),
    ]
    expected = np.concatenate([x.transpose(0, 3, 1, 2), tail], -1).reshape(1, 48)
    np.testing.assert_array_equal(run(tensors, operators, x), expected)


def test_half_precision_constants_stay_half_precision_in_the_file():
    half = np.array([1.5, 2.5], np.float16)
    tensors = (
        Tensor("x", (2,)),
        Tensor("half", (2,), half),
        Tensor("wide", (2,)),
        Tensor("y", (2,)),
    )
    operators = (Operator("DEQUANTIZE", (1,), 2), Operator("MUL", (0, 2), 3))
    _, weights = convert_graph(TfliteGraph(tensors, operators, (0,), (3,)), "net")
    (stored,) = weights.values()
    assert stored.dtype == np.float16
    np.testing.assert_array_equal(stored, half)


def test_an_unknown_operation_is_named():
    graph = TfliteGraph((Tensor("x", (1,)), Tensor("y", (1,))), (Operator("LSTM", (0,), 1),), (0,), (1,))
    with pytest.raises(ModelError, match="LSTM is not supported"):
        convert_graph(graph, "net")
