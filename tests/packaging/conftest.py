"""The zip as `build.py zip --slim` makes it, and a fresh Blender to install it in."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BPY_SITE = Path(importlib.util.find_spec("bpy").origin).parents[1]


@pytest.fixture(scope="session")
def build():
    """build.py as a module."""
    spec = importlib.util.spec_from_file_location("build_script", ROOT / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def slim_zip(build, tmp_path_factory) -> Path:
    """The extension without wheels, built and validated by the tool of the bpy that runs these tests."""
    folder = tmp_path_factory.mktemp("slim")
    build.stage(folder / "extension", [], None, None)
    build.build_zip(folder / "extension", folder / "emote_blender.zip", Path(sys.executable), BPY_SITE)
    return folder / "emote_blender.zip"


@pytest.fixture
def in_fresh_blender(tmp_path):
    """A function that runs a script of this folder in its own process with empty user folders; gives what it printed.

    The script ends with one line of JSON. The checkout is not importable there: only what was installed is.
    """

    def run(script: str, *arguments: object) -> dict:
        environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "user"), "OMP_NUM_THREADS": "2"}
        environment.pop("PYTHONPATH", None)
        if BPY_SITE.name != "site-packages":  # a bpy that is not the environment's own
            environment["PYTHONPATH"] = str(BPY_SITE)
        result = subprocess.run(
            [sys.executable, Path(__file__).with_name(script), *map(str, arguments)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == 0, f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
        return json.loads(result.stdout.strip().splitlines()[-1])

    return run
