"""The shipped head is what its source builds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emote_blender.files.paths import find_head
from emote_blender.files.safetensors_file import read_tensors
from emote_blender.flame.model import FaceModel

SHIPPED = find_head("open_head")
BUILD = SHIPPED / "source" / "build.py"

pytest.importorskip("scipy", reason="the head's source needs scipy")


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory) -> Path:
    """A folder with the head as its source builds it now."""
    folder = tmp_path_factory.mktemp("rebuilt")
    subprocess.run([sys.executable, BUILD, "-o", folder], check=True, capture_output=True, text=True)
    return folder


@pytest.mark.once
@pytest.mark.slow
def test_the_source_rebuilds_the_shipped_head(rebuilt):
    """Byte for byte on the computer it was built on; elsewhere the last bit of a sum may round the other way."""
    assert (rebuilt / "head.json").read_bytes() == (SHIPPED / "head.json").read_bytes()
    ours, shipped = read_tensors(rebuilt / "head.safetensors"), read_tensors(SHIPPED / "head.safetensors")
    assert ours.keys() == shipped.keys()
    for name in ("f", "quads", "quad_material", "mirror", "kintree_table", "regions", "lmk_faces_idx"):
        assert np.array_equal(ours[name], shipped[name]), name
    first, second = FaceModel.load(rebuilt), FaceModel.load(SHIPPED)
    np.testing.assert_allclose(first.v_template, second.v_template, atol=2e-7, rtol=0)
    np.testing.assert_allclose(first.shapedirs, second.shapedirs, atol=2e-5, rtol=0)  # float16 of up to 34 mm
    np.testing.assert_allclose(first.lbs_weights, second.lbs_weights, atol=1e-6, rtol=0)
    np.testing.assert_allclose(first.J_regressor, second.J_regressor, atol=1e-6, rtol=0)


def test_the_source_is_not_needed_to_load_the_head(tmp_path):
    for name in ("head.json", "head.safetensors"):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    assert FaceModel.load(tmp_path).basis == "open_head"


def test_the_shipped_file_is_small():
    assert (SHIPPED / "head.safetensors").stat().st_size < 2e6
