import numpy as np
import pytest

from emote_blender.files.onnx_file import examine_onnx
from emote_blender.files.onnx_graph import Node, encode_model

onnxruntime = pytest.importorskip("onnxruntime")


def run(nodes, weights, inputs, outputs, **values):
    session = onnxruntime.InferenceSession(
        encode_model(nodes, weights, inputs, outputs), providers=["CPUExecutionProvider"]
    )
    return session.run(list(outputs), values)


def test_a_written_model_computes_what_its_nodes_say():
    rng = np.random.default_rng(0)
    x, matrix = rng.random((2, 3), np.float32), rng.random((3, 200), np.float32)
    nodes = [
        Node("MatMul", ("x", "matrix"), "product"),
        Node("Transpose", ("product",), "turned", {"perm": (1, 0)}),
        Node("Concat", ("turned", "turned"), "y", {"axis": (-1,)}),
    ]
    (y,) = run(nodes, {"matrix": matrix}, {"x": (2, 3)}, {"y": (200, 4)}, x=x)
    np.testing.assert_allclose(y, np.concatenate([(x @ matrix).T] * 2, 1), rtol=1e-5)


def test_integers_below_zero_and_above_one_byte_are_written():
    weights = {"starts": np.array([-300]), "ends": np.array([400]), "axes": np.array([0]), "steps": np.array([1])}
    nodes = [Node("Slice", ("x", *weights), "y")]
    (y,) = run(nodes, weights, {"x": (500,)}, {"y": (200,)}, x=np.arange(500, dtype=np.float32))
    np.testing.assert_array_equal(y, np.arange(200, 400))


def test_the_reader_of_onnx_files_finds_the_same_names(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(encode_model([Node("Relu", ("x",), "y")], {}, {"x": (1,)}, {"y": (1,)}))
    summary = examine_onnx(path)
    assert (summary.inputs, summary.outputs) == ({"x"}, {"y"})


def test_weights_of_another_type_are_refused():
    with pytest.raises(ValueError, match="float64"):
        encode_model([], {"w": np.zeros(1)}, {}, {})
