"""Dataclasses that hold arrays compare by identity: `==` of arrays has no truth value, and they have no hash."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emote_blender.audio import Waveform
from emote_blender.emotion import EmotionTrack
from emote_blender.motion import FaceMotion

pytestmark = pytest.mark.once

PACKAGE = Path(__file__).resolve().parent.parent / "emote_blender"


def dataclasses_of(text: str) -> Iterator[tuple[ast.ClassDef, ast.expr]]:
    """The dataclasses of a file's text, each with its decorator."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                if "dataclass" in ast.unparse(decorator):
                    yield node, decorator


def holds_arrays(node: ast.ClassDef) -> bool:
    """Whether a field is annotated with an array or a tensor, or something made of them."""
    fields = (ast.unparse(item.annotation) for item in node.body if isinstance(item, ast.AnnAssign))
    return any("ndarray" in annotation or "Tensor" in annotation for annotation in fields)


def array_dataclasses_with_value_equality(text: str) -> list[str]:
    """Names of the dataclasses that hold arrays and compare them."""
    return [
        node.name
        for node, decorator in dataclasses_of(text)
        if holds_arrays(node) and "eq=False" not in ast.unparse(decorator)
    ]


def test_dataclasses_that_hold_arrays_compare_by_identity():
    found = {
        path: array_dataclasses_with_value_equality(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
    }
    assert {path.relative_to(PACKAGE).as_posix(): names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("annotation", ["np.ndarray", "Tensor | None", "dict[str, np.ndarray]"])
def test_a_dataclass_that_would_compare_arrays_is_found(annotation):
    text = f"@dataclass(frozen=True)\nclass Value:\n    name: str\n    values: {annotation}\n"
    assert array_dataclasses_with_value_equality(text) == ["Value"]
    assert array_dataclasses_with_value_equality(text.replace("=True", "=True, eq=False")) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: Waveform(np.zeros(3, np.float32)),
        lambda: EmotionTrack.constant("happy", 1),
        lambda: FaceMotion(np.zeros((2, 5), np.float32), np.zeros((2, 3), np.float32), 25),
    ],
    ids=["waveform", "track", "motion"],
)
def test_values_with_arrays_can_be_compared_and_stand_in_sets(make):
    first, second = make(), make()
    assert first == first
    assert first != second
    assert len({first, second}) == 2
