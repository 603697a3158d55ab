"""The zip that creators install: built, installed, used and taken away in a fresh Blender."""

import base64
import hashlib
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "tests" / "data" / "anger_line.wav"
HAS_TORCH = importlib.util.find_spec("torch") is not None


def test_the_slim_zip_holds_code_models_and_licence(slim_zip):
    with zipfile.ZipFile(slim_zip) as archive:
        names = set(archive.namelist())
    expected = {"blender_manifest.toml", "__init__.py", "LICENSE", "models/open_head/head.safetensors"}
    assert expected | {"models/emote_open/model.safetensors"} <= names
    assert not [name for name in names if name.startswith(("training/", "wheels/")) or "/source/" in name]


def test_the_zip_installs_generates_and_leaves_nothing_behind(slim_zip, in_fresh_blender, tmp_path):
    use = "inference" if HAS_TORCH else ""
    seen = in_fresh_blender("install_and_use.py", slim_zip, CLIP, tmp_path, use)
    assert seen["enabled"]
    assert seen["heavy_after_enabling"] == []
    assert {"add_head", "apply_motion", "generate"} <= set(seen["operators"])
    assert seen["shape_keys"] > 50
    assert seen["command"] == 0
    assert seen["bad_command"] == 1
    assert seen["written_into_the_addon"] == []
    assert seen["left_behind"] == {}
    assert seen["enabled_again"]
    if use:
        assert seen["generate"] == ["FINISHED"]
        assert seen["curves"] >= 53
        assert seen["keys"] >= 90  # 3.9 s at the factory scene's 24 frames per second
        assert seen["jaw_moves"] > 0.02  # radians
        assert seen["command_wrote"]
        assert seen["apply_motion"] == ["FINISHED"]
    else:
        assert seen["poll_generate"] is False


def make_wheel(folder: Path) -> Path:
    """A wheel with one module, as an extension may carry it."""
    path = folder / "emote_test_wheel-1.0-py3-none-any.whl"
    files = {
        "emote_test_wheel.py": "ANSWER = 42\n",
        "emote_test_wheel-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: emote-test-wheel\nVersion: 1.0\n",
        "emote_test_wheel-1.0.dist-info/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(text)}\n"
    files["emote_test_wheel-1.0.dist-info/RECORD"] = record + "emote_test_wheel-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_wheel_in_the_zip_can_be_imported_after_installation(build, in_fresh_blender, tmp_path):
    own = {"win32": "windows-x64", "darwin": "macos-arm64"}.get(sys.platform, "linux-x64")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    build.stage(tmp_path / "extension", [make_wheel(tmp_path)], own, python)
    site = Path(importlib.util.find_spec("bpy").origin).parents[1]
    build.build_zip(tmp_path / "extension", tmp_path / "with_wheel.zip", Path(sys.executable), site)
    seen = in_fresh_blender("install_and_import.py", tmp_path / "with_wheel.zip", "emote_test_wheel")
    assert seen["answer"] == 42
    assert Path(seen["file"]).is_relative_to(tmp_path / "user")


@pytest.mark.torch
def test_the_bundled_wheels_and_numpy_are_all_that_the_models_import(build, tmp_path):
    import importlib.metadata

    pins = [item.split("==")[0] for item in build.requirements("bundle")]
    site = tmp_path / "site"
    site.mkdir()
    for name in [*pins, "numpy"]:
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files if ".." not in file.parts}:
            if top != "__pycache__" and not (site / top).exists():
                (site / top).symlink_to(distribution.locate_file(top))
    code = f"""
import sys
sys.path = [path for path in sys.path if "site-packages" not in path]
sys.path[:0] = [{str(site)!r}, {str(ROOT)!r}]
import json, torch
import safetensors.torch, scipy.signal
from emote_blender.pipeline import EMOTEPipeline
from emote_blender.emote.wav2vec2 import Wav2Vec2Encoder
from emote_blender.speech_model.config import Wav2Vec2EncoderConfig
from emote_blender.transcript.pronunciation import pronounce
assert len(pronounce("hello world").words) == 2
encoder = Wav2Vec2Encoder(Wav2Vec2EncoderConfig(num_hidden_layers=1)).eval()
with torch.inference_mode():
    features = encoder(torch.zeros(1, 16000), 25)
print(json.dumps(list(features.shape)))
"""
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert json.loads(result.stdout.splitlines()[-1]) == [1, 25, 768]
