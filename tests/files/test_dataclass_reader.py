"""Dataclasses from the values of a file; emote/test_config and training/test_run_config read whole files."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import pytest

from emote_blender.files.dataclass_reader import FieldError, read_dataclass


@dataclass(frozen=True)
class Circle:
    radius: float
    type: Literal["circle"] = "circle"

    def __post_init__(self) -> None:
        if self.radius < 0:
            raise ValueError(f"radius is {self.radius}")


@dataclass(frozen=True)
class Square:
    side: int
    type: Literal["square"] = "square"


@dataclass(frozen=True)
class Drawing:
    shape: Circle | Square | None
    pair: tuple[int, float] = (1, 2.0)
    weights: dict[str, float] = dataclasses.field(default_factory=dict)
    depth: int = dataclasses.field(default=3, metadata={"since": "0.2.0"})


def test_values_become_the_annotated_types():
    values = {"shape": {"type": "square", "side": 2}, "pair": [3, 4], "weights": {"a": 1}}
    drawing = read_dataclass(Drawing, values)
    assert drawing == Drawing(Square(2), (3, 4.0), {"a": 1.0})
    assert isinstance(drawing.pair[1], float)
    assert isinstance(drawing.weights["a"], float)


def test_none_is_taken_where_the_field_may_be_none():
    assert read_dataclass(Drawing, {"shape": None}).shape is None


def test_a_complete_file_may_lack_only_what_is_newer():
    values = {"shape": None, "pair": [1, 2.0], "weights": {}}
    assert read_dataclass(Drawing, values, complete=True).depth == 3
    with pytest.raises(FieldError, match="missing field pair"):
        read_dataclass(Drawing, {"shape": None, "weights": {}}, complete=True)


@pytest.mark.parametrize(
    "values, place, problem, sentence",
    [
        (3, (), "table", "the file must hold an object, found int"),
        ({}, ("shape",), "missing", "missing field shape"),
        ({"shape": None, "size": 1}, ("size",), "unknown", "unknown field size"),
        ({"shape": {"type": "oval"}}, ("shape", "type"), "choice", "shape.type must be one of circle, square"),
        ({"shape": {"type": "square"}}, ("shape", "side"), "missing", "missing field shape.side"),
        ({"shape": {"type": "square", "side": True}}, ("shape", "side"), "type", "shape.side must be int, found True"),
        ({"shape": {"type": "circle", "radius": -1}}, ("shape",), "value", "radius is -1.0"),
        ({"shape": None, "pair": 3}, ("pair",), "list", "pair must be a list, found 3"),
        ({"shape": None, "pair": [1]}, ("pair",), "length", "pair must have 2 entries, found 1"),
        ({"shape": None, "pair": [1, "x"]}, ("pair[1]",), "type", r"pair\[1\] must be float, found 'x'"),
        ({"shape": None, "weights": {"a": "b"}}, ("weights", "a"), "type", "weights.a must be float, found 'b'"),
        ({"shape": None, "weights": []}, ("weights",), "table", "weights must hold an object, found list"),
    ],
)
def test_a_mistake_has_its_place(values, place, problem, sentence):
    with pytest.raises(FieldError, match=sentence) as caught:
        read_dataclass(Drawing, values)
    assert (caught.value.place, caught.value.problem) == (place, problem)
