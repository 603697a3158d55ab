"""The zip that creators install: built, installed, used and taken away in a fresh Blender that has no torch."""

import os
import sys
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "tests" / "data" / "anger_line.wav"
PLATFORMS = ("windows-x64", "macos-arm64", "macos-x64", "linux-x64", "linux-arm64")


@pytest.mark.parametrize("platform_name", PLATFORMS)
@pytest.mark.once  # the tests below install this system's zip into every Blender
def test_a_zip_holds_code_models_licence_and_the_wheels_of_both_pythons(build, make_zip, platform_name):
    path = make_zip(platform_name)
    assert path.stat().st_size < build.LARGEST_ZIP
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert {
        "__init__.py",
        "LICENSE",
        "models/open_head/head.safetensors",
        "models/emote_open/model.safetensors",
    } <= names
    assert not [name for name in names if name.startswith("training/") or "/source/" in name or "demo" in name]
    assert manifest["platforms"] == [platform_name]
    assert manifest["blender_version_min"] == "4.5.0"
    assert "blender_version_max" not in manifest
    assert {f"./{name}" for name in names if name.startswith("wheels/")} == set(manifest["wheels"])
    wheels = [Path(name).name for name in manifest["wheels"]]
    for_one_python = {"onnxruntime", "pocketsphinx", "pyyaml"}
    for_all = {"espeakng_loader", "py3langid", "onnx_asr", "langcodes"}
    assert {wheel.split("-")[0] for wheel in wheels} == for_one_python | for_all
    for python in ("cp311", "cp313"):
        assert {wheel.split("-")[0] for wheel in wheels if f"-{python}-{python}-" in wheel} == for_one_python


def test_a_zip_exists_for_every_platform_and_no_other(build):
    assert set(build.PLATFORM_TAGS) == set(PLATFORMS)


@pytest.mark.once
def test_the_wheels_are_as_they_were_downloaded(build, make_zip):
    system = build.this_platform()
    with zipfile.ZipFile(make_zip(system)) as archive:
        for wheel in build.collect_wheels(system, Path(sys.executable)):
            assert archive.read(f"wheels/{wheel.name}") == wheel.read_bytes()


def test_the_zip_speaks_without_torch_and_leaves_nothing_behind(build, make_zip, in_fresh_blender, tmp_path):
    seen = in_fresh_blender("install_and_use.py", make_zip(build.this_platform()), CLIP, tmp_path)
    assert set(seen["before"].values()) == {None}  # the test would prove nothing otherwise
    assert seen["enabled"]
    assert seen["heavy_after_enabling"] == []
    assert {"add_head", "apply_motion", "generate"} <= set(seen["operators"])
    libraries = seen["libraries"]
    assert (libraries.pop("torch"), libraries.pop("scipy")) == (None, None)
    assert all(Path(origin).is_relative_to(tmp_path / "user") for origin in libraries.values())
    assert seen["shape_keys"] > 50
    assert seen["generate"] == ["FINISHED"]
    assert seen["curves"] >= 53
    assert seen["keys"] >= 90  # 3.9 s at the factory scene's 24 frames per second
    assert seen["jaw_change"] > 0.02
    assert seen["mesh_moves_metres"] > 0.002
    assert {"you", "never", "look", "at", "have"} <= set(seen["recognised"].split())
    assert seen["after_correcting"] == [seen["corrected"], 15, 15]
    assert (seen["command"], seen["command_wrote"]) == (0, True)
    assert seen["apply_motion"] == ["FINISHED"]
    assert seen["bad_command"] == 1
    assert seen["libraries_loaded"] == ["onnxruntime", "espeakng_loader", "py3langid"]
    assert seen["written_into_the_addon"] == []
    assert seen["left_behind"] == {}
    assert seen["enabled_again"]
    assert seen["folder_is_gone"]
    assert set(seen["libraries_after_uninstalling"].values()) == {None}


@pytest.mark.ends
@pytest.mark.skipif(os.name == "nt", reason="needs folders that can be made read-only")
def test_the_add_on_speaks_from_a_read_only_folder(build, make_zip, in_fresh_blender, tmp_path):
    in_fresh_blender("install.py", make_zip(build.this_platform()))
    folders = [path for path in (tmp_path / "user" / "extensions").rglob("*") if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        seen = in_fresh_blender("use_installed.py", CLIP, read_only=True)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert not seen["writable"]  # the test would prove nothing otherwise
    assert seen["generate"] == ["FINISHED"]


@pytest.mark.ends
def test_a_zip_for_another_system_is_refused_by_blender_whole(build, pack, in_fresh_blender, tmp_path):
    other = "windows-x64" if build.this_platform() != "windows-x64" else "linux-x64"
    build.stage(tmp_path / "extension", other, [])
    seen = in_fresh_blender("install.py", pack(tmp_path / "extension", tmp_path / "packed.zip"))
    assert f"This platform ({build.this_platform()}) isn't one of ({other})" in seen["output"]
    assert (seen["enabled"], seen["files"]) == ([], [])


@pytest.mark.ends
def test_a_zip_without_wheels_for_this_python_is_not_enabled_by_blender(build, pack, in_fresh_blender, tmp_path):
    wheel = tmp_path / "emote_test-1.0-cp312-cp312-any.whl"
    write_wheel(wheel, "emote_test", "1.0")
    build.stage(tmp_path / "extension", build.this_platform(), [wheel])
    seen = in_fresh_blender("install.py", pack(tmp_path / "extension", tmp_path / "packed.zip"))
    assert "Python" in seen["output"]
    assert "3.12" in seen["output"]
    assert seen["enabled"] == []


@pytest.mark.ends
def test_a_zip_for_another_system_that_was_unpacked_as_an_old_add_on_says_so(build, pack, in_fresh_blender, tmp_path):
    # Blender checks extensions, but not what lies in scripts/addons.
    other = "windows-x64" if build.this_platform() != "windows-x64" else "linux-x64"
    build.stage(tmp_path / "extension", other, [])
    seen = in_fresh_blender("unpack_and_enable.py", pack(tmp_path / "extension", tmp_path / "packed.zip"))
    assert "is for" in seen["why_not"]
    assert f"this system is {build.this_platform()}" in seen["why_not"]
    assert seen["generate_can_run"] is False
    assert seen["heavy"] == []
    assert seen["head_added"] == ["FINISHED"]  # what needs no library works


@pytest.mark.ends
def test_a_clash_with_another_extension_is_said_with_its_name(build, make_zip, pack, in_fresh_blender, tmp_path):
    # Blender installs the newer of two versions for all extensions.
    other = tmp_path / "other"
    (other / "wheels").mkdir(parents=True)
    wheel = other / "wheels" / "espeakng_loader-9.9-py3-none-any.whl"
    write_wheel(wheel, "espeakng_loader", "9.9")
    manifest = f"""
schema_version = "1.0.0"
id = "other_extension"
version = "1.0.0"
name = "Other Extension"
tagline = "Brings another version"
maintainer = "Somebody"
type = "add-on"
license = ["SPDX:GPL-3.0-or-later"]
blender_version_min = "4.5.0"
wheels = ["./wheels/{wheel.name}"]
"""
    (other / "blender_manifest.toml").write_text(manifest, encoding="utf-8")
    (other / "__init__.py").write_text("def register(): pass\ndef unregister(): pass\n", encoding="utf-8")
    pack(other, tmp_path / "other.zip")
    seen = in_fresh_blender("install.py", tmp_path / "other.zip", make_zip(build.this_platform()))
    assert len(seen["enabled"]) == 2
    (sentence,) = seen["cautions"]
    assert sentence.startswith("espeakng_loader 9.9 of the extension 'Other Extension' is in use instead of 0.2.4")


def write_wheel(path: Path, name: str, version: str) -> None:
    """A wheel with one empty module."""
    files = {
        f"{name}.py": "",
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-{version}.dist-info/RECORD"
    lines = [
        f"{file},sha256={urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}\n"
        for file, text in files.items()
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, record: "".join(lines) + f"{record},,\n"}.items():
            archive.writestr(file, text)
