"""The face landmarker's zip: built, installed beside the add-on, damaged and taken away in a fresh Blender."""

import ast
import tomllib
import zipfile
from pathlib import Path

import pytest
from face_videos import require_landmarker, scene

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def landmarker_zip(build, pack, tmp_path_factory) -> Path:
    """The zip as `build.py zip` makes it."""
    require_landmarker()
    folder = tmp_path_factory.mktemp("landmarker")
    build.stage_landmarker(folder / "extension")
    return pack(folder / "extension", folder / "emote_face_landmarker.zip")


@pytest.mark.once
def test_the_zip_holds_the_networks_their_licence_and_no_code_that_does_anything(landmarker_zip):
    with zipfile.ZipFile(landmarker_zip) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = tomllib.loads(files.pop("blender_manifest.toml").decode())
    code = ast.parse(files.pop("__init__.py"))
    folder = require_landmarker()
    assert files == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {"LICENSE", "NOTICE", "README.md"} <= set(files)
    addon = tomllib.loads((ROOT / "addon_manifest.toml").read_text(encoding="utf-8"))
    assert (manifest["id"], manifest["license"]) == ("emote_face_landmarker", ["SPDX:Apache-2.0"])
    assert manifest["version"] == addon["version"]
    assert not {"permissions", "wheels", "platforms"} & set(manifest)
    statements = [node for node in ast.walk(code) if isinstance(node, ast.stmt)]
    assert {type(node) for node in statements} == {ast.Expr, ast.FunctionDef}
    assert all(isinstance(node.value, ast.Constant) for node in statements if isinstance(node, ast.Expr))


@pytest.mark.ends
def test_videos_are_captured_once_the_extension_is_installed(
    build, make_zip, landmarker_zip, in_fresh_blender, tmp_path
):
    pytest.importorskip("av", reason="the video is written with PyAV")
    from face_videos import write_video

    video = tmp_path / "face.mp4"
    pictures = [scene(240, 220, [(110 + number, 110, 1)]) for number in range(6)]
    write_video(video, pictures, codec="libx264", pixel_format="yuv420p", options={"crf": "14"})
    addon = make_zip(build.this_platform())
    seen = in_fresh_blender("install_landmarker.py", addon, landmarker_zip, video, tmp_path)

    missing = {"poll": False, "command": 1, "wrote": False}
    works = {"problem": "", "poll": True, "command": 0, "wrote": True}
    problem = seen["without"]["problem"]
    assert "is missing: press Install Face Landmarker and choose emote_face_landmarker-" in problem
    assert seen["without"] == {"problem": problem, **missing}
    assert "holds the extension 'emote_blender'; choose emote_face_landmarker-" in seen["wrong_zip"]
    assert "is no zip of an extension" in seen["no_zip"]
    assert (seen["install"], seen["chosen"]) == ("", "")
    assert seen["with"] == works
    assert Path(seen["folder"]) == tmp_path / "user" / "extensions" / "user_default" / "emote_face_landmarker"
    assert seen["loaded"] == ["bl_ext.user_default.emote_face_landmarker"]
    assert (seen["capture"], seen["takes"]) == (["FINISHED"], 1)

    assert "the operation 'PyOp' is unknown" in seen["hostile"]
    assert "install the extension EMOTE Face Landmarker again" in seen["after_hostile"].pop("problem")
    assert seen["after_hostile"] == missing
    assert seen["again"] == works
    assert seen["disabled"] == {"problem": problem, **missing}
    assert seen["enabled"] == works
    assert seen["removed"] == {"problem": problem, **missing}
