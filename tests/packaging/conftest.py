"""The zips as `build.py zip` makes them, and a fresh Blender to install them in."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BPY_SITE = Path(importlib.util.find_spec("bpy").origin).parents[1]


@pytest.fixture(scope="session")
def pack(build):
    """A function that makes a zip of a laid out extension with the tool of the bpy that runs these tests."""

    def build_zip(folder: Path, output: Path) -> Path:
        build.build_zip(folder, output, Path(sys.executable), BPY_SITE)
        return output

    return build_zip


@pytest.fixture(scope="session")
def make_zip(build, pack, tmp_path_factory):
    """A function from a platform to its zip.

    Wheels come from build/wheels, or from the package index where they are not there yet.
    """
    zips: dict[str, Path] = {}

    def make(platform_name: str) -> Path:
        if platform_name not in zips:
            folder = tmp_path_factory.mktemp(platform_name)
            wheels = build.collect_wheels(platform_name, Path(sys.executable))
            build.stage(folder / "extension", platform_name, wheels)
            zips[platform_name] = pack(folder / "extension", folder / "emote_blender.zip")
            shutil.rmtree(folder / "extension")
        return zips[platform_name]

    return make


@pytest.fixture(scope="session")
def blender_site(tmp_path_factory) -> Path:
    """A folder to import from that holds bpy and what bpy needs, and nothing else of this environment."""
    site = tmp_path_factory.mktemp("blender_site")
    wanted, done = ["bpy"], set()
    while wanted:
        name = wanted.pop()
        if name in done:
            continue
        done.add(name)
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files if ".." not in file.parts} - {"__pycache__"}:
            link(site / top, Path(str(distribution.locate_file(top))))
        needs = [need for need in distribution.requires or [] if ";" not in need]
        wanted += [re.match(r"[\w.-]+", need)[0] for need in needs]
    return site


def link(path: Path, target: Path) -> None:
    """Make `path` a link to a file or folder; without the right to make links, a copy of a file."""
    try:
        path.symlink_to(target)
    except OSError:
        if target.is_file():
            shutil.copy2(target, path)
        else:
            import _winapi

            _winapi.CreateJunction(str(target), str(path))


@pytest.fixture
def in_fresh_blender(blender_site, tmp_path):
    """A function that runs a script of this folder in its own process with the test's own user folders.

    The script ends with one line of JSON, which is given back with all that was printed as "output". Neither the
    checkout nor the libraries of this environment can be imported there: only Blender and what was installed into it.
    With `read_only` the rights of files hold for root too.
    """

    def run(script: str, *arguments: object, read_only: bool = False) -> dict:
        code = (
            f"import runpy, sys; sys.path.insert(0, {str(blender_site)!r}); sys.argv = sys.argv[1:]; "
            "runpy.run_path(sys.argv[0], run_name='__main__')"
        )
        path = Path(__file__).with_name(script)
        powerless = ["setpriv", "--bounding-set=-dac_override"] if read_only and os.geteuid() == 0 else []
        result = subprocess.run(
            [*powerless, sys.executable, "-I", "-S", "-c", code, str(path), *map(str, arguments)],
            env={**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "user"), "OMP_NUM_THREADS": "2"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == 0, f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
        return {**json.loads(result.stdout.strip().splitlines()[-1]), "output": result.stdout + result.stderr}

    return run
