"""PyTorch checkpoints are read as arrays that look into the file; lying and hostile ones are refused."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from counted_steps import counted_steps
from hostile_pickles import CANARY, Evil, nothing_runs  # noqa: F401
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emote_blender.errors import InputError
from emote_blender.official.pickle_reader import InertClass, load_torch

torch = pytest.importorskip("torch", reason="the look-alikes are written by PyTorch")
pytestmark = pytest.mark.torch


def checkpoint_bytes(content: object, legacy: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def lightning_like() -> dict:
    """Tensors of many kinds, and what Lightning puts beside them."""
    base = torch.arange(24, dtype=torch.float32)
    return {
        "state_dict": OrderedDict(
            float=base.reshape(4, 6),
            transposed=base.reshape(4, 6).T,
            part=base[5:9],
            every_third=base[::3],
            double=torch.linspace(0, 1, 3, dtype=torch.float64),
            half=torch.ones(2, dtype=torch.float16),
            brain=torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
            long=torch.tensor([2**40, -1]),
            flags=torch.tensor([True, False]),
            single=torch.tensor(7),
            empty=torch.zeros(0, 3),
            parameter=torch.nn.Parameter(torch.ones(2, 2)),
        ),
        "epoch": 3,
        "callbacks": {OrderedDict: {"best": torch.tensor(0.5)}},
        "device": torch.device("cpu"),
        "size": torch.Size([2, 3]),
        "dtype": torch.float32,
    }


def archive(script: bytes, data: dict[str, bytes], **changes) -> bytes:
    """A checkpoint's zip with this pickle and these storages."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", changes.get("compression", zipfile.ZIP_STORED)) as file:
        file.writestr("archive/data.pkl", script)
        file.writestr("archive/version", b"3\n")
        file.writestr("archive/byteorder", changes.get("byteorder", b"little"))
        for name, content in data.items():
            file.writestr(f"archive/data/{name}", content)
    return buffer.getvalue()


def tensor_script(
    size=(2,), stride=(1,), offset=0, count=2, kind="FloatStorage", key="0", identifier: object = None
) -> bytes:
    """The pickle of one tensor, as torch writes it."""

    def plain(value: object) -> bytes:
        return pickle.dumps(value, 2)[2:-1]

    storage = b"(" + plain("storage") + f"ctorch\n{kind}\n".encode() + plain(key) + plain("cpu") + plain(count) + b"tQ"
    if identifier is not None:
        storage = plain(identifier) + b"Q"
    rest = plain(offset) + plain(size) + plain(stride) + b"\x89ccollections\nOrderedDict\n)R"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"tR."


def refused(tmp_path: Path, content: bytes, *words: str) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_torch(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_checkpoint_comes_back_as_arrays(tmp_path, legacy):
    content = lightning_like()
    path = tmp_path / "model.ckpt"
    path.write_bytes(checkpoint_bytes(content, legacy))
    loaded = load_torch(path)
    for name, tensor in content["state_dict"].items():
        expected = tensor.detach().float() if tensor.dtype == torch.bfloat16 else tensor.detach()
        np.testing.assert_array_equal(loaded["state_dict"][name], expected.numpy())
        assert loaded["state_dict"][name].dtype == expected.numpy().dtype
    assert (loaded["epoch"], loaded["device"], loaded["size"]) == (3, "cpu", (2, 3))
    assert loaded["dtype"] == InertClass("torch.float32")


@pytest.mark.parametrize("legacy", [False, True])
def test_an_attack_inside_a_checkpoint_is_refused_by_name(tmp_path, legacy):
    evil = {"state_dict": {"a": torch.ones(2)}, "x": Evil(exec, f"import os; os.environ['{CANARY}'] = '1'")}
    refused(tmp_path, checkpoint_bytes(evil, legacy), "builtins.exec", "nothing of it was run")


def test_the_helper_that_these_tests_lie_with_can_tell_the_truth(tmp_path):
    path = tmp_path / "model.ckpt"
    path.write_bytes(archive(tensor_script(), {"0": np.array([1, 2], "<f4").tobytes()}))
    assert load_torch(path).tolist() == [1.0, 2.0]
    assert torch.load(path).tolist() == [1.0, 2.0]


EIGHT = {"0": bytes(8)}


@pytest.mark.parametrize(
    "script, words",
    [
        (tensor_script(count=1 << 60), "claims"),
        (tensor_script(count=1), "claims"),
        (tensor_script(count=-2), "never does"),
        (tensor_script(kind="DoubleStorage"), "claims"),
        (tensor_script(size=(1 << 50,)), "absurd shape"),
        (tensor_script(size=(1 << 38,), stride=(0,)), "claims a tensor"),
        (tensor_script(size=(3,)), "claims a tensor"),
        (tensor_script(size=(2,), stride=(2,)), "claims a tensor"),
        (tensor_script(size=(2,), stride=(-1,)), "absurd shape"),
        (tensor_script(size=(2,), stride=(1, 1)), "absurd shape"),
        (tensor_script(size=(1,) * 40, stride=(1,) * 40), "absurd shape"),
        (tensor_script(size=(1 << 20, 1 << 20, 1 << 20), stride=(0, 0, 0)), "claims a tensor"),
        (tensor_script(offset=1), "claims a tensor"),
        (tensor_script(offset=-1), "without its data"),
        (tensor_script(size=(0, 1 << 39), stride=(1, 1), offset=5), "claims a tensor"),
        (tensor_script(key="1"), "lacks"),
        (tensor_script(key="../data.pkl"), "lacks"),
        (tensor_script(identifier="os.system"), "outside the file"),
        (tensor_script(identifier=("storage", "x", "0", "cpu", 2)), "never does"),
        (tensor_script(identifier=("module", 1, 2, 3, 4)), "outside the file"),
        (tensor_script(kind="storage._load_from_bytes"), "torch.storage._load_from_bytes"),
        (b"\x80\x02ctorch\nFloatStorage\n(tR.", "calls a StorageType"),
        (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(tR.", "without its data"),
    ],
)
def test_tensors_that_claim_what_is_not_there_are_refused(tmp_path, script, words):
    refused(tmp_path, archive(script, EIGHT), words)


def test_a_tensor_repeated_within_reason_is_a_view(tmp_path):
    path = tmp_path / "model.ckpt"
    path.write_bytes(archive(tensor_script(size=(1000, 2), stride=(0, 1)), {"0": np.array([1, 2], "<f4").tobytes()}))
    assert load_torch(path).sum() == 3000


def test_archives_that_torch_never_writes_are_refused(tmp_path):
    refused(tmp_path, archive(tensor_script(), EIGHT, compression=zipfile.ZIP_DEFLATED), "compressed")
    refused(tmp_path, archive(tensor_script(), EIGHT, byteorder=b"big"), "big-endian")
    refused(tmp_path, archive(b"", EIGHT), "ends too early")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("readme.txt", "no checkpoint")
    refused(tmp_path, buffer.getvalue(), "no data.pkl")
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", b"N.")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("archive/data.pkl", b"N.")
    refused(tmp_path, buffer.getvalue(), "two entries")


def test_a_damaged_or_cut_off_checkpoint_is_refused(tmp_path):
    content = bytearray(checkpoint_bytes({"state_dict": {"a": torch.arange(4000.0)}}, legacy=False))
    refused(tmp_path, bytes(content[: len(content) // 2]), "damaged")
    place = content.find(struct.pack("<f", 2000.0))
    content[place] ^= 0xFF
    refused(tmp_path, bytes(content), "damaged in 'archive/data/0'")
    legacy = checkpoint_bytes({"state_dict": {"a": torch.arange(4000.0)}}, legacy=True)
    refused(tmp_path, legacy[:-100], "cut off")


def test_a_legacy_file_of_another_kind_is_refused(tmp_path):
    refused(tmp_path, pickle.dumps({"a": 1}), "no PyTorch checkpoint")
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": False}]
    refused(tmp_path, b"".join(pickle.dumps(part, 2) for part in parts), "big-endian")
    refused(tmp_path, b"".join(pickle.dumps(part, 2) for part in [parts[0], 1002]), "unknown PyTorch protocol")


SAMPLES = [checkpoint_bytes(lightning_like(), legacy) for legacy in (False, True)]


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(SAMPLES),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from("set insert delete flip".split()), st.binary(max_size=9)), min_size=1
    ),
)
def test_a_mutated_checkpoint_gives_a_value_or_one_sentence_in_bounded_steps(tmp_path_factory, sample, mutations):
    content = bytearray(sample)
    for fraction, kind, piece in mutations:
        place = int(fraction * len(content))
        if kind == "set":
            content[place : place + len(piece)] = piece
        elif kind == "insert":
            content[place:place] = piece
        elif kind == "delete":
            del content[place : place + len(piece)]
        elif place < len(content):
            content[place] ^= 1 << (len(piece) % 8)
    path = tmp_path_factory.getbasetemp() / "mutated.ckpt"
    path.write_bytes(content)
    sentence = ""

    def load() -> None:
        nonlocal sentence
        try:
            load_torch(path)
        except InputError as error:
            sentence = str(error)

    assert counted_steps(load) < 20_000 + 100 * len(content)
    assert "\n" not in sentence
