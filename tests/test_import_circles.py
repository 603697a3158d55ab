"""No file of the package needs, by way of others, itself; imports inside functions count too."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "emote_blender"


def module_path(name: Path) -> Path | None:
    """The file of a module or folder of the package, None where `name` is neither."""
    for path in (name.with_suffix(".py"), name / "__init__.py"):
        if path.is_file():
            return path
    return None


def imported_files(path: Path) -> set[Path]:
    """Files of the package that a file imports when it is loaded or when its functions run."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    for_types = {id(inner) for guard in guards for node in guard.body for inner in ast.walk(node)}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and id(node) not in for_types:
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            found |= {module_path(base / alias.name) or module_path(base) for alias in node.names}
    return {file for file in found if file is not None} - {path}


def circle(package: Path) -> list[str]:
    """Names of files that import each other in a circle; [] where there is none."""
    try:
        TopologicalSorter({path: imported_files(path) for path in package.rglob("*.py")}).prepare()
    except CycleError as error:
        return [path.relative_to(package).as_posix() for path in error.args[1]]
    return []


@pytest.mark.once
def test_no_files_of_the_package_import_each_other_in_a_circle():
    assert circle(PACKAGE) == []


def test_a_circle_is_found_even_where_a_function_closes_it(tmp_path):
    (tmp_path / "room").mkdir()
    (tmp_path / "first.py").write_text("from .room import second")
    (tmp_path / "room" / "second.py").write_text("from .third import value")
    (tmp_path / "room" / "third.py").write_text("value = 1")
    assert circle(tmp_path) == []
    (tmp_path / "room" / "third.py").write_text("value = 1\ndef f():\n    from ..first import second")
    assert set(circle(tmp_path)) == {"first.py", "room/second.py", "room/third.py"}
