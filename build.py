#!/usr/bin/env python3
"""One entry for developers: demo, test, zip, bench, model, graphs. Standard library only; Linux, macOS, Windows.

The first call of a command makes `.venv` (Python 3.11) and installs what that command needs, pinned in pyproject.toml;
later calls find a stamp there and start at once.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BPY_50 = VENV / "bpy-5.0"
VENV_52 = ROOT / ".venv-5.2"
OUT, BUILD = ROOT / "out", ROOT / "build"
PYTHON = (3, 11)

# What bpy's shared object asks for and a bare Debian lacks: soname → package.
BPY_LIBRARIES = dict(
    pair.split(":")
    for pair in (
        "libX11.so.6:libx11-6 libXrender.so.1:libxrender1 libXxf86vm.so.1:libxxf86vm1 libXfixes.so.3:libxfixes3 "
        "libXi.so.6:libxi6 libxkbcommon.so.0:libxkbcommon0 libSM.so.6:libsm6 libGL.so.1:libgl1 libEGL.so.1:libegl1 "
        "libgomp.so.1:libgomp1"
    ).split()
)
SPEECH_ENGINES = "espeak-ng", "flite", "festival"
SPEECH_PACKAGES = (
    "espeak-ng libespeak-ng1 flite festival festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k wamerican"
)

# Names that stay out of the zip: training, the demonstration, and what the shipped models were made from.
NOT_IN_ZIP = "training", "demo", "source"
# By name: a developer's models folder may also hold licensed models.
SHIPPED_MODELS = "emote_open", "open_head"
PLATFORM_TAGS = {
    "linux-x64": ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"],
    "windows-x64": ["win_amd64"],
    "macos-arm64": [f"macosx_{n}_0_arm64" for n in (14, 13, 12, 11)] + ["macosx_11_0_universal2"],
}
# Blender 4.5 and 5.0 run Python 3.11, 5.1 and later 3.13; the maximum is exclusive.
BLENDER_RANGE = {"3.11": ("4.5.0", "5.1.0"), "3.13": ("5.1.0", None)}


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


def project_table() -> dict:
    """pyproject.toml as a dict."""
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(*groups: str) -> list[str]:
    """The pinned requirements of some groups of pyproject.toml; "runtime" is the project's own dependencies."""
    table = project_table()
    lists = {"runtime": table["project"]["dependencies"], **table["dependency-groups"]}
    return [item for group in groups for item in lists[group]]


def run_step(title: str, command: list, timeout: float | None = None, env: dict | None = None) -> None:
    """Run one command in the open; a failure becomes a BuildError that names the step."""
    say(f"-- {title}")
    returncode = call(command, timeout=timeout, env=env)
    if returncode:
        raise BuildError(f"{title} failed (exit code {returncode}); the lines above say why")


def call(command: list, timeout: float | None = None, env: dict | None = None) -> int:
    """Exit code of a command; past `timeout` seconds the command and its children are ended and 124 returned."""
    own_group = os.name != "nt"
    process = subprocess.Popen([str(c) for c in command], cwd=ROOT, env=env, start_new_session=own_group)
    try:
        return process.wait(timeout)
    except (subprocess.TimeoutExpired, KeyboardInterrupt) as stopped:
        if own_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        if isinstance(stopped, KeyboardInterrupt):
            raise
        say(f"   still running after {timeout:.0f} s: ended")
        return 124


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


def source_options() -> list[str]:
    """pip options from EMOTE_WHEELS (a folder of wheels) and EMOTE_INDEX (one more package index)."""
    options = []
    if os.environ.get("EMOTE_WHEELS"):
        options += ["--find-links", os.environ["EMOTE_WHEELS"]]
    if os.environ.get("EMOTE_INDEX"):
        options += ["--extra-index-url", os.environ["EMOTE_INDEX"]]
    return options


def install(venv: Path, groups: tuple[str, ...], target: Path | None = None) -> None:
    """Install the groups' requirements that this environment does not have yet, as its stamp tells."""
    stamp_path = (target or venv) / "installed.json"
    stamp = json.loads(stamp_path.read_text(encoding="utf-8")) if stamp_path.exists() else {}
    digests = {g: hashlib.sha256("\n".join(requirements(g)).encode()).hexdigest()[:16] for g in groups}
    wanted = [g for g in groups if stamp.get(g) != digests[g]]
    if not wanted:
        return
    items = requirements(*wanted)
    say(f"-- installing into {(target or venv).name}: {', '.join(items)}")
    if any(item.startswith("torch==") for item in items) and sys.platform == "linux" and not source_options():
        say(
            "   torch: on Linux public indexes serve the CUDA build (gigabytes); for the CPU build set EMOTE_WHEELS "
            "to a folder that holds it or EMOTE_INDEX to an index that does, unless your pip is set up so"
        )
    command = [venv_python(venv), "-m", "pip", "install", "--disable-pip-version-check", *source_options()]
    if target:
        shutil.rmtree(target, ignore_errors=True)
        command += ["--no-deps", "--target", target]
    else:  # what the groups bring along has the versions that the zip bundles, not those of the day
        constraints = venv / "constraints.txt"
        constraints.write_text("\n".join(requirements("bundle")) + "\n", encoding="utf-8")
        command += ["--constraint", constraints]
    started = time.monotonic()
    alone = [item for item in items if item in requirements("alone")]
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
    if "blender" in groups and (missing := missing_packages()):
        raise BuildError(
            "Blender's module needs shared libraries that this machine lacks; "
            f"run `apt-get install {' '.join(missing)}` and try again"
        )
    return venv_python(VENV)


# ---- test ------------------------------------------------------------------------------------------------------------


def pytest_run(title: str, python: Path, arguments: list[str], timeout: float, bpy_folder: Path | None = None) -> dict:
    """Run pytest and return its counts: passed, failed, skipped, seconds and whether the process ended well."""
    BUILD.mkdir(exist_ok=True)
    report = BUILD / f"tests-{''.join(c if c.isalnum() else '-' for c in title)}.xml"
    report.unlink(missing_ok=True)
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(str(p) for p in (bpy_folder, ROOT) if p))
    say(f"\n== {title}")
    started = time.monotonic()
    returncode = call([python, "-m", "pytest", f"--junitxml={report}", *arguments], timeout=timeout, env=env)
    counts = {"passed": 0, "failed": 0, "skipped": 0, "seconds": time.monotonic() - started, "ok": returncode == 0}
    if report.exists():
        for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            counts["failed"] += failed
            counts["skipped"] += skipped
            counts["passed"] += int(suite.get("tests", 0)) - failed - skipped
    if not counts["ok"] and not counts["failed"]:
        counts["failed"] = 1  # a process that crashed or hung after its last test
        say(f"   {title}: the process ended with exit code {returncode}")
    return counts


def test_command(arguments: list[str]) -> int:
    """Lint, type check and every test on each Blender there is; with arguments, pytest on 4.5 alone."""
    python = prepare("runtime", "blender", "demo", "test", "training", "graphs")
    if arguments:
        return 0 if pytest_run("bpy 4.5", python, arguments, 3600)["ok"] else 1
    install(VENV, ("blender-5-0",), target=BPY_50)
    checks = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
    }
    failed_checks = []
    for title, command in checks.items():
        say(f"\n== {title}")
        if call(command, timeout=600):
            failed_checks.append(title)
    blender_tests = ["tests/blender", "tests/packaging"]
    results = {"bpy 4.5": pytest_run("bpy 4.5", python, [], 2400)}
    results["bpy 5.0"] = pytest_run("bpy 5.0", python, blender_tests, 1200, bpy_folder=BPY_50)
    python_313 = find_python((3, 13))
    if python_313:
        make_venv(VENV_52, python_313)
        install(VENV_52, ("blender-5-2",))
        arguments = ["-m", "not torch", *blender_tests]
        results["bpy 5.2"] = pytest_run("bpy 5.2", venv_python(VENV_52), arguments, 1200)
    else:
        say("\nPython 3.13 is not here: Blender 5.2 was not tested.")
    say("")
    for title, counts in results.items():
        say(f"{title}: {counts['passed']} passed, {counts['failed']} failed, {counts['seconds']:.0f} s")
    if failed_checks:
        say(f"failed, see above: {', '.join(failed_checks)}")
    total = {key: sum(counts[key] for counts in results.values()) for key in ("passed", "failed", "skipped")}
    total["failed"] += len(failed_checks)
    say(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] else 0


# ---- zip -------------------------------------------------------------------------------------------------------------


def manifest_text(manifest: dict) -> str:
    """A manifest as TOML: strings, lists of strings, and tables of those after them."""

    def value(item: object) -> str:
        if isinstance(item, list):
            return "[\n" + "".join(f"    {json.dumps(entry)},\n" for entry in item) + "]"
        return json.dumps(item)

    plain = [f"{key} = {value(item)}\n" for key, item in manifest.items() if not isinstance(item, dict)]
    tables = [
        f"\n[{name}]\n" + "".join(f"{key} = {value(item)}\n" for key, item in table.items())
        for name, table in manifest.items()
        if isinstance(table, dict)
    ]
    return "".join(plain + tables)


def stage(folder: Path, wheels: list[Path], platform_name: str | None, python: str | None) -> dict:
    """Lay out the extension in `folder` and return its manifest."""
    import tomllib

    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", *NOT_IN_ZIP)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "emote_blender", folder, ignore=ignore)
    for name in SHIPPED_MODELS:
        shutil.copytree(ROOT / "models" / name, folder / "models" / name, ignore=ignore)
    for name in ("LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, folder / name)
    manifest = tomllib.loads((ROOT / "addon_manifest.toml").read_text(encoding="utf-8"))
    if wheels:
        (folder / "wheels").mkdir()
        for wheel in wheels:
            shutil.copy2(wheel, folder / "wheels" / wheel.name)
        manifest["wheels"] = [f"./wheels/{wheel.name}" for wheel in wheels]
    if platform_name and python:
        manifest["platforms"] = [platform_name]
        manifest["blender_version_min"], maximum = BLENDER_RANGE[python]
        if maximum:
            manifest["blender_version_max"] = maximum
    (folder / "blender_manifest.toml").write_text(manifest_text(manifest), encoding="utf-8")
    return manifest


def check_wheel_source(platform_name: str, folder: str | None, index: str | None) -> None:
    """Raise where a zip's wheels could not be found: Linux takes the CPU build of torch."""
    if platform_name == "linux-x64" and not (folder or index):
        raise BuildError(
            "a zip for linux-x64 needs the CPU build of torch, which public indexes do not serve under its plain name "
            "(they serve the CUDA build, gigabytes); name a folder that holds its wheel with --wheels DIR or an index "
            "with --index URL, or build with --slim"
        )
    if folder and not Path(folder).is_dir():
        raise BuildError(f"--wheels {folder}: no such folder; name the folder that holds the torch wheel")


def collect_wheels(platform_name: str, python: str, folder: str | None, index: str | None) -> list[Path]:
    """Download the wheels of a self-contained zip for one platform and Python."""
    sources = (["--find-links", str(Path(folder).resolve())] if folder else []) + (
        ["--extra-index-url", index] if index else []
    )
    destination = BUILD / "wheels" / f"{platform_name}-{python}"
    shutil.rmtree(destination, ignore_errors=True)
    destination.mkdir(parents=True)
    tags = [option for tag in PLATFORM_TAGS[platform_name] for option in ("--platform", tag)]
    abi = "cp" + python.replace(".", "")
    tags += ["--python-version", python, "--implementation", "cp", "--abi", abi, "--abi", "abi3", "--abi", "none"]
    items = requirements("bundle")
    if platform_name == "linux-x64":
        items = [item + "+cpu" if item.startswith("torch==") else item for item in items]
    options = "--disable-pip-version-check --no-deps --only-binary=:all: --progress-bar off"
    pip = [venv_python(VENV), "-m", "pip", "download", *options.split()]
    run_step(
        f"downloading {len(items)} wheels for {platform_name}, Python {python}",
        [*pip, "--dest", destination, *tags, *sources, *items],
    )
    return sorted(destination.glob("*.whl"))


def build_zip(folder: Path, output: Path, python: Path, bpy_site: Path) -> None:
    """Validate and zip a staged extension with the tool of the bpy in `bpy_site`."""
    scripts = next((bpy_site / "bpy").glob("*/scripts"))
    tool = scripts / "addons_core/bl_pkg/cli/blender_ext.py"
    tags = ["--valid-tags", scripts / "modules/_bpy_internal/extensions/tags.py"]
    run_step("validating", [python, tool, "validate", folder, *tags], timeout=300)
    run_step("building", [python, tool, "build", "--source-dir", folder, "--output-filepath", output], timeout=1800)
    run_step("validating the zip", [python, tool, "validate", output, *tags], timeout=300)


def zip_command(arguments: list[str]) -> int:
    """Build the extension's zip with Blender's own builder, validate it and list what is in it."""
    parser = argparse.ArgumentParser(prog="build.py zip", description=zip_command.__doc__)
    parser.add_argument("--platform", choices=PLATFORM_TAGS, help="the system the wheels are for (this one)")
    parser.add_argument("--python", choices=BLENDER_RANGE, default="3.11", help="3.11: Blender 4.5, 5.0; 3.13: 5.1 on")
    parser.add_argument("--wheels", metavar="DIR", help="a folder with wheels that the index lacks (torch for Linux)")
    parser.add_argument("--index", metavar="URL", help="one more package index (torch for Linux)")
    parser.add_argument("--slim", action="store_true", help="leave the wheels out")
    parser.add_argument("--output", metavar="DIR", default=str(OUT), help="where the zip goes (out)")
    options = parser.parse_args(arguments)
    platform_name = options.platform or {"win32": "windows-x64", "darwin": "macos-arm64"}.get(sys.platform, "linux-x64")
    if not options.slim:
        check_wheel_source(platform_name, options.wheels, options.index)
    python = prepare("blender")
    wheels = [] if options.slim else collect_wheels(platform_name, options.python, options.wheels, options.index)
    folder = BUILD / "extension"
    manifest = stage(folder, wheels, None if options.slim else platform_name, None if options.slim else options.python)
    kind = "slim" if options.slim else f"{platform_name}-py{options.python.replace('.', '')}"
    output = Path(options.output) / f"{manifest['id']}-{manifest['version']}-{kind}.zip"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    build_zip(folder, output, python, next(VENV.glob("lib/python*/site-packages"), VENV / "Lib/site-packages"))
    list_zip(output)
    return 0


def list_zip(path: Path) -> None:
    """Print the zip's contents: every wheel and model file, and the code as one line, largest first."""
    with zipfile.ZipFile(path) as archive:
        sizes = {item.filename: item.compress_size for item in archive.infolist() if not item.is_dir()}
    code = [size for name, size in sizes.items() if name.endswith(".py")]
    lines = [(size, name) for name, size in sizes.items() if not name.endswith(".py")]
    lines.append((sum(code), f"{len(code)} Python files"))
    for size, name in sorted(lines, reverse=True):
        say(f"{size / 1e6:9.2f} MB  {name}")
    say(f"{path.stat().st_size / 1e6:9.2f} MB  {path}")


# ---- the other commands ----------------------------------------------------------------------------------------------


def demo_command(arguments: list[str]) -> int:
    """Write out/demo.blend, out/demo.mp4 and out/emotions.png from a short clip."""
    python = prepare("runtime", "blender", "demo")
    run_step("demo", [python, "-m", "emote_blender.blender.demo", "--output", OUT, *arguments])
    return 0


def bench_command(arguments: list[str]) -> int:
    """Print how long generation takes, relative to the audio and to what this machine can compute."""
    python = prepare("runtime", "blender")
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
    python = prepare("runtime", "training")
    run_step("model", [python, "-m", "emote_blender.training.open_model.build_model", *arguments])
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
    "zip": zip_command,
    "bench": bench_command,
    "model": model_command,
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
