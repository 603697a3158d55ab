"""build.py: environments, manifests and clear sentences; nothing here downloads anything."""

import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def build():
    """build.py as a module."""
    spec = importlib.util.spec_from_file_location("build_script", ROOT / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manifest() -> dict:
    """addon_manifest.toml."""
    return tomllib.loads((ROOT / "addon_manifest.toml").read_text(encoding="utf-8"))


def test_the_manifest_keeps_blenders_rules(manifest):
    assert manifest["id"] == "emote_blender"
    assert "blender" not in manifest["name"].lower()
    assert len(manifest["tagline"]) <= 64
    assert not manifest["tagline"].endswith(".")
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]
    assert all(len(reason) <= 64 and not reason.endswith(".") for reason in manifest["permissions"].values())


def test_the_version_is_written_in_the_manifest_only(manifest):
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project


def test_a_written_manifest_reads_back_as_it_was(build, manifest):
    manifest = {**manifest, "wheels": ["./wheels/a-1-py3-none-any.whl"], "maintainer": 'Zoë "Z" \\ Ωmega'}
    assert tomllib.loads(build.manifest_text(manifest)) == manifest


def test_the_staged_extension_holds_the_package_the_models_and_no_sources(build, tmp_path):
    build.stage(tmp_path / "extension", [], None, None)
    names = {path.relative_to(tmp_path / "extension").as_posix() for path in (tmp_path / "extension").rglob("*")}
    assert {"blender_manifest.toml", "__init__.py", "LICENSE", "blender", "models/open_head/head.json"} <= names
    assert not [name for name in names if name.split("/")[0] == "training" or "source" in name.split("/")]
    assert not [name for name in names if "__pycache__" in name or name.startswith("blender/demo")]


def test_a_zip_with_wheels_is_for_the_blenders_of_its_python(build, tmp_path):
    wheel = tmp_path / "a-1-py3-none-any.whl"
    wheel.write_bytes(b"")
    manifest = build.stage(tmp_path / "extension", [wheel], "linux-x64", "3.11")
    assert (manifest["blender_version_min"], manifest["blender_version_max"]) == ("4.5.0", "5.1.0")
    assert manifest["platforms"] == ["linux-x64"]
    assert (tmp_path / "extension" / manifest["wheels"][0]).is_file()


@pytest.mark.parametrize(
    "arguments, found",
    [
        (["--platform", "linux-x64"], "CPU build of torch"),
        (["--platform", "linux-x64", "--wheels", "no/such/folder"], "no/such/folder: no such folder"),
    ],
)
def test_a_linux_zip_says_where_its_torch_must_come_from(build, arguments, found):
    with pytest.raises(build.BuildError, match=re.escape(found)):
        build.zip_command(arguments)


def test_bundled_wheels_have_the_versions_that_the_tests_run_with(build):
    pins = dict(item.split("==") for item in build.requirements("bundle"))
    assert "numpy" not in pins  # Blender's own
    shared = {item.split("==")[0] for item in build.requirements("runtime")} - {"numpy", "soundfile"}
    assert shared <= set(pins)
    installed = {name: importlib.metadata.version(name).split("+")[0] for name in pins}
    assert pins == installed


def test_an_installed_group_is_not_installed_again(build, tmp_path):
    stamp = tmp_path / "installed.json"
    with pytest.raises(FileNotFoundError):  # no interpreter here: an installation is tried
        build.install(tmp_path, ("demo",))
    digest = build.hashlib.sha256("\n".join(build.requirements("demo")).encode()).hexdigest()[:16]
    stamp.write_text(json.dumps({"demo": digest}))
    build.install(tmp_path, ("demo",))


def test_what_a_group_brings_along_has_the_bundled_versions(build, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(build, "run_step", lambda title, command: commands.append(command))
    build.install(tmp_path, ("demo",))
    constraints = commands[0][commands[0].index("--constraint") + 1]
    assert constraints.read_text(encoding="utf-8").split() == build.requirements("bundle")


def test_what_asks_for_another_numpy_is_installed_without_what_it_asks_for(build, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(build, "run_step", lambda title, command: commands.append(command))
    build.install(tmp_path, ("runtime",))
    together, alone = commands
    assert alone[alone.index("--no-deps") + 1 :] == build.requirements("alone")
    assert not set(build.requirements("alone")) & set(together)
    assert "--no-deps" not in together


def test_a_hanging_command_is_ended_with_its_children(build):
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    started = time.monotonic()
    assert build.call([sys.executable, "-c", child], timeout=2) == 124
    assert time.monotonic() - started < 20


def test_a_failed_step_names_itself_and_its_exit_code(build):
    with pytest.raises(build.BuildError, match=r"making tea failed \(exit code 3\)"):
        build.run_step("making tea", [sys.executable, "-c", "raise SystemExit(3)"])


def test_another_python_without_python_311_gets_a_sentence(build, tmp_path):
    other = next((found for minor in (13, 12, 10) if (found := build.find_python((3, minor)))), None)
    if other is None:
        pytest.skip("needs one more Python than 3.11 to start build.py with")
    code = "import sys; print(sys.executable)"
    interpreter = subprocess.run([*other, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    env = {**os.environ, "PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    result = subprocess.run(
        [interpreter, ROOT / "build.py", "zip"], env=env, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1
    assert "Python 3.11 is needed" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_command_is_refused_with_the_list():
    result = subprocess.run([sys.executable, ROOT / "build.py", "fly"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "demo" in result.stderr


def test_the_library_list_is_apt_names_or_nothing():
    result = subprocess.run(
        [sys.executable, ROOT / "build.py", "libraries"], capture_output=True, text=True, timeout=60, check=True
    )
    assert re.fullmatch(r"(lib[a-z0-9-]+ ?)*", result.stdout.strip())
