import json

import numpy as np
import pytest

from emote_blender.capture.video.network_files import (
    GRAPHS_FILE,
    WEIGHTS_FILE,
    Network,
    read_networks,
    write_networks,
)
from emote_blender.errors import ModelError
from emote_blender.files.onnx_graph import Node
from emote_blender.files.safetensors_file import write_tensors

pytestmark = pytest.mark.once

SHAPES: dict[str, dict[str, tuple[int, ...]]] = {"doubler": {"x": (1, 4), "y": (1, 4)}}
NETWORK = Network({"x": (1, 4)}, {"y": (1, 4)}, ("two",), (Node("Mul", ("x", "two"), "y"),))


@pytest.fixture
def folder(tmp_path):
    write_networks(tmp_path, {"doubler": NETWORK}, {"two": np.array([2], np.float16)}, {"licence": "CC0-1.0"})
    return tmp_path


def changed(folder, change):
    """Apply a function to the content of the graphs' file."""
    content = json.loads((folder / GRAPHS_FILE).read_text())
    change(content, content["networks"]["doubler"])
    (folder / GRAPHS_FILE).write_text(json.dumps(content))


def test_a_folder_gives_the_networks_that_were_written(folder):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = read_networks(folder, SHAPES)["doubler"]
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    x = np.array([[1, 2, 3, 4]], np.float32)
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], 2 * x)


def test_equal_networks_give_equal_bytes(folder, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    write_networks(again, {"doubler": NETWORK}, {"two": np.array([2], np.float16)}, {"licence": "CC0-1.0"})
    for name in (GRAPHS_FILE, WEIGHTS_FILE):
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_renaming_keeps_the_network_and_changes_its_names():
    renamed = NETWORK.renamed({"x": "in", "y": "out"})
    assert renamed == Network({"in": (1, 4)}, {"out": (1, 4)}, ("two",), (Node("Mul", ("in", "two"), "out"),))


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda content, network: content.pop("format"), "missing field format"),
        (lambda content, network: content.update(format=9), "format 9 instead of 1"),
        (lambda content, network: content["networks"].pop("doubler"), "lacks the network doubler"),
        (lambda content, network: network.update(nodes="x"), "must be a list"),
        (lambda content, network: network["nodes"][0].update(op="Loop"), "'Loop' is unknown"),
        (lambda content, network: network["nodes"][0].update(attributes={"axis": [1]}), "unknown attribute 'axis'"),
        (lambda content, network: network["nodes"][0].update(inputs=["x", "z"]), "takes 'z' before it is defined"),
        (lambda content, network: network["nodes"][0].update(output="x"), "'x' is defined twice"),
        (lambda content, network: network["nodes"].clear(), "nothing makes its output 'y'"),
        (lambda content, network: network["weights"].append("x"), "a name is given twice"),
        (lambda content, network: network["inputs"].update(x=[1, 5]), "instead of"),
        (lambda content, network: network["weights"].append("three"), "lacks 'three'"),
        (
            lambda content, network: network["nodes"][0].update(op="Concat", attributes={"axis": [1, 2]}),
            "axis of Concat must be one number",
        ),
        (
            lambda content, network: network["nodes"][0].update(op="Conv", attributes={"pads": [1 << 40]}),
            "pads of Conv is out of range",
        ),
    ],
)
def test_graphs_that_were_tampered_with_get_one_sentence(folder, change, sentence):
    changed(folder, change)
    with pytest.raises(ModelError, match=sentence) as raised:
        read_networks(folder, SHAPES)
    assert "python build.py landmarker" in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff\xfe", b"[]"])
def test_other_files_in_place_of_the_graphs_get_one_sentence(folder, content):
    (folder / GRAPHS_FILE).write_bytes(content)
    with pytest.raises(ModelError, match="python build.py landmarker"):
        read_networks(folder, SHAPES)


@pytest.mark.parametrize(
    "array",
    [
        np.array([np.nan], np.float32),
        np.array([np.inf], np.float16),
        np.array([1 << 40], np.int64),
        np.array([1], np.uint8),
    ],
    ids=repr,
)
def test_weights_that_are_no_weights_get_one_sentence(folder, array):
    write_tensors(folder / WEIGHTS_FILE, {"two": array})
    with pytest.raises(ModelError, match="two"):
        read_networks(folder, SHAPES)


def test_a_missing_file_is_named(folder):
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors cannot be used \(not found\)"):
        read_networks(folder, SHAPES)
