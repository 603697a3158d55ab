import json
import struct

import numpy as np
import pytest

from emote_blender.cli.describe import count_parameters, describe, describe_installed
from emote_blender.errors import EmoteError, ModelError
from emote_blender.files.paths import add_search_folder, remove_search_folder
from emote_blender.files.safetensors_file import read_tensors
from emote_blender.motion import FaceMotion


def test_a_head_says_its_face_components_and_licence():
    text = describe("open_head")
    assert "50 components" in text
    assert "mouthPucker" in text
    assert "CC0-1.0" in text


def test_a_motion_says_its_length_and_what_made_it(tmp_path):
    motion = FaceMotion(np.zeros((50, 5)), np.zeros((50, 3)), 25, neck=np.zeros((50, 3)), meta={"emotion": "anger"})
    motion.save(tmp_path / "line.npz")
    text = describe(str(tmp_path / "line.npz"))
    assert "2.00 s, 50 frames at 25 fps" in text
    assert "jaw, neck" in text
    assert "anger" in text


def test_a_model_says_its_speakers_and_every_parameter(open_head_model_folder):
    expected = sum(tensor.size for tensor in read_tensors(open_head_model_folder / "model.safetensors").values())
    text = describe(str(open_head_model_folder))
    assert "2: clear, soft" in text
    assert f"{expected:,} (" in text


def test_the_list_names_heads_and_the_folders_that_were_looked_in(tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    add_search_folder(tmp_path)
    try:
        text = describe_installed()
    finally:
        remove_search_folder(tmp_path)
    assert "open_head: open_head, 50 expression components" in text
    assert "broken: cannot be used: " in text
    assert str(tmp_path) in text


@pytest.mark.parametrize("what", ["nobody", "no/such.npz", "x" * 5000])
def test_what_is_not_there_is_said_with_what_is(what):
    with pytest.raises(EmoteError, match=r"not found; give a motion file, a model or a head \(available: .*open_head"):
        describe(what)


def test_a_folder_of_something_else_is_said(tmp_path):
    with pytest.raises(ModelError, match="has neither config.json nor head.json"):
        describe(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 20,
        struct.pack("<Q", 4) + b"[1, ",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 1 << 60) + b"{}",
        (lambda text: struct.pack("<Q", len(text)) + text)(json.dumps({"w": {}}).encode()),
    ],
)
def test_a_damaged_weights_file_is_said(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="truncated|not a safetensors file|broken entry"):
        count_parameters(path)


def test_missing_weights_are_said(tmp_path):
    with pytest.raises(ModelError, match="not found"):
        count_parameters(tmp_path / "model.safetensors")
