"""A file that is made here with the builder of the package tflite: half-precision kernel, convolution."""

import numpy as np
import pytest

from emote_blender.errors import ModelError
from emote_blender.training.face_landmarker.tflite_file import read_tflite

tflite = pytest.importorskip("tflite", reason="the group landmarker of pyproject.toml is not installed")
flatbuffers = pytest.importorskip("flatbuffers")

KERNEL = np.arange(12, dtype=np.float16).reshape(2, 1, 2, 3)


def tflite_content(activation: int = 1) -> bytes:
    """A file with x (1, 4, 4, 3) -> CONV_2D -> y (1, 4, 2, 2), stride 2 across, and a dequantised kernel."""
    builder = flatbuffers.Builder(1024)

    def vector(start, values, prepend):
        start(builder, len(values))
        for value in reversed(values):
            prepend(value)
        return builder.EndVector()

    def offsets(start, values):
        return vector(start, values, builder.PrependUOffsetTRelative)

    def integers(start, values):
        return vector(start, values, builder.PrependInt32)

    def tensor(name, shape, kind, buffer):
        text, sizes = builder.CreateString(name), integers(tflite.TensorStartShapeVector, shape)
        tflite.TensorStart(builder)
        tflite.TensorAddName(builder, text)
        tflite.TensorAddShape(builder, sizes)
        tflite.TensorAddType(builder, kind)
        tflite.TensorAddBuffer(builder, buffer)
        return tflite.TensorEnd(builder)

    def operator(code, inputs, output, options=None):
        given = integers(tflite.OperatorStartInputsVector, inputs)
        made = integers(tflite.OperatorStartOutputsVector, [output])
        tflite.OperatorStart(builder)
        tflite.OperatorAddOpcodeIndex(builder, code)
        tflite.OperatorAddInputs(builder, given)
        tflite.OperatorAddOutputs(builder, made)
        if options is not None:
            tflite.OperatorAddBuiltinOptionsType(builder, tflite.BuiltinOptions.Conv2DOptions)
            tflite.OperatorAddBuiltinOptions(builder, options)
        return tflite.OperatorEnd(builder)

    data = builder.CreateNumpyVector(np.frombuffer(KERNEL.tobytes(), np.uint8))
    buffers = []
    for content in (None, data):
        tflite.BufferStart(builder)
        if content is not None:
            tflite.BufferAddData(builder, content)
        buffers.append(tflite.BufferEnd(builder))
    half, single = tflite.TensorType.FLOAT16, tflite.TensorType.FLOAT32
    tensors = [
        tensor("x", [1, 4, 4, 3], single, 0),
        tensor("half", KERNEL.shape, half, 1),
        tensor("kernel", KERNEL.shape, single, 0),
        tensor("y", [1, 4, 2, 2], single, 0),
    ]
    tflite.Conv2DOptionsStart(builder)
    tflite.Conv2DOptionsAddStrideH(builder, 1)
    tflite.Conv2DOptionsAddStrideW(builder, 2)
    tflite.Conv2DOptionsAddPadding(builder, tflite.Padding.VALID)
    tflite.Conv2DOptionsAddFusedActivationFunction(builder, activation)
    options = tflite.Conv2DOptionsEnd(builder)
    operators = [operator(0, [1], 2), operator(1, [0, 2, -1], 3, options)]
    codes = []
    for code in (tflite.BuiltinOperator.DEQUANTIZE, tflite.BuiltinOperator.CONV_2D):
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddBuiltinCode(builder, code)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, code)
        codes.append(tflite.OperatorCodeEnd(builder))
    parts = {
        "Tensors": offsets(tflite.SubGraphStartTensorsVector, tensors),
        "Operators": offsets(tflite.SubGraphStartOperatorsVector, operators),
        "Inputs": integers(tflite.SubGraphStartInputsVector, [0]),
        "Outputs": integers(tflite.SubGraphStartOutputsVector, [3]),
    }
    tflite.SubGraphStart(builder)
    for name, part in parts.items():
        getattr(tflite, f"SubGraphAdd{name}")(builder, part)
    graphs = offsets(tflite.ModelStartSubgraphsVector, [tflite.SubGraphEnd(builder)])
    all_buffers = offsets(tflite.ModelStartBuffersVector, buffers)
    all_codes = offsets(tflite.ModelStartOperatorCodesVector, codes)
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, all_codes)
    tflite.ModelAddSubgraphs(builder, graphs)
    tflite.ModelAddBuffers(builder, all_buffers)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def test_tensors_and_operators_are_read():
    graph = read_tflite(tflite_content())
    assert [tensor.name for tensor in graph.tensors] == ["x", "half", "kernel", "y"]
    assert graph.tensors[0].shape == (1, 4, 4, 3)
    np.testing.assert_array_equal(graph.tensors[1].constant, KERNEL)
    assert (graph.inputs, graph.outputs) == ((0,), (3,))
    dequantize, convolution = graph.operators
    assert (dequantize.name, dequantize.inputs, dequantize.output) == ("DEQUANTIZE", (1,), 2)
    assert (convolution.name, convolution.inputs, convolution.output) == ("CONV_2D", (0, 2), 3)
    expected = {"stride_h": 1, "stride_w": 2, "dilation_h": 1, "dilation_w": 1}
    assert convolution.options == {**expected, "padding": "VALID", "activation": "RELU"}


def test_an_unknown_fused_activation_is_refused():
    with pytest.raises(ModelError, match="activation 4 is not supported"):
        read_tflite(tflite_content(activation=4))


def test_another_file_is_refused():
    with pytest.raises(ModelError, match="no TensorFlow Lite file"):
        read_tflite(b"PK\x03\x04 and some more bytes")
