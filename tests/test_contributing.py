"""What CONTRIBUTING.md, the CI matrix and the git hooks promise is what build.py does."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_the_matrix_has_three_systems_and_every_supported_blender(build):
    matrix = WORKFLOW["jobs"]["blender"]["strategy"]["matrix"]
    assert {system.split("-")[0] for system in matrix["os"]} == {"ubuntu", "windows", "macos"}
    assert matrix["blender"] == list(build.BLENDERS)


def test_the_matrix_builds_every_zip(build):
    assert WORKFLOW["jobs"]["zip"]["strategy"]["matrix"]["platform"] == list(build.PLATFORM_TAGS)


def test_every_step_runs_a_command_that_there_is(build):
    commands = re.findall(r"build\.py ([a-z]+)", "\n".join(step.get("run", "") for step in STEPS))
    assert {"test", "zip", "libraries"} <= set(commands) <= set(build.COMMANDS)
    assert all(("run" in step) != ("uses" in step) for step in STEPS)


def test_every_job_has_the_python_that_starts_build_py():
    for job in WORKFLOW["jobs"].values():
        (python,) = (step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", ""))
        assert str(python).split()[-1] == "3.11"  # the last one is the default
        assert job["timeout-minutes"]


def test_the_hook_runs_the_linter_of_build_py(build):
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    (hook,) = repository["hooks"]
    assert (repository["repo"], hook["language"], hook["pass_filenames"]) == ("local", "system", False)
    assert shlex.split(hook["entry"]) == ["python", "build.py", "lint"]
    assert "lint" in build.COMMANDS


def test_the_commands_of_the_guide_are_there(build):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"python build\.py ([a-z]+)", text)) == {"test", "lint"} <= set(build.COMMANDS)
