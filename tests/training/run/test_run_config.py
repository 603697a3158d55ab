"""Config files: every mistake is named by its table and key."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from emote_blender.errors import InputError
from emote_blender.training.run.config import build_settings, load_run_config, shipped_configs

WHOLE = """
task = "emote"
[trainer]
rate = 1e-4
num_steps = 10
[loss]
lip_reading = 2.5e-5
"""


@dataclass(frozen=True)
class Small:
    type: Literal["small"] = "small"
    width: int = 3


@dataclass(frozen=True)
class Large:
    depth: int
    type: Literal["large"] = "large"


@dataclass(frozen=True)
class Loss:
    lip_reading: float
    kinds: tuple[str, ...] = ()
    pair: tuple[int, float] = (1, 2.0)

    def __post_init__(self) -> None:
        if self.lip_reading < 0:
            raise ValueError("lip_reading: must not be negative")


@dataclass(frozen=True)
class Whole:
    loss: Loss
    network: Small | Large = Small()
    shares: dict[str, float] | None = None
    folder: Path | None = None
    name: str = "x"
    on: bool = False


def write(folder: Path, text: str, name: str = "emote_v1_stage2.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_a_task_a_trainer_and_the_tasks_tables(tmp_path):
    config = load_run_config(write(tmp_path, WHOLE))
    assert (config.name, config.task, config.trainer.rate) == ("emote_v1_stage2.toml", "emote", 1e-4)
    assert config.tables == {"loss": {"lip_reading": 2.5e-5}}
    assert config.record["trainer"]["num_steps"] == 10


@pytest.mark.parametrize(
    "before, after, message",
    [
        ('task = "emote"', "", "emote_v1_stage2.toml: task: missing"),
        (
            'task = "emote"',
            'task = "emotes"',
            "emote_v1_stage2.toml: task: must be one of flint, emotion, lips, encoder, emote",
        ),
        ("rate = 1e-4", "", r"emote_v1_stage2.toml: \[trainer\] rate: missing"),
        (
            "rate = 1e-4",
            "rat = 1e-4",
            r"emote_v1_stage2.toml: \[trainer\] rat: unknown setting .known: rate, num_steps",
        ),
        ("rate = 1e-4", "rate = '1e-4'", r"\[trainer\] rate: must be a number, found '1e-4'"),
        ("rate = 1e-4", "rate = -1.0", r"\[trainer\] rate: must be above 0, found -1.0"),
        ("num_steps = 10", "num_steps = 10.0", r"\[trainer\] num_steps: must be a whole number, found 10.0"),
        ("num_steps = 10", "num_steps = true", r"\[trainer\] num_steps: must be a whole number, found True"),
        (
            "num_steps = 10",
            "precision = 'fp8'\nnum_steps = 1",
            r"precision: must be one of no, fp16, bf16, found 'fp8'",
        ),
        ("num_steps = 10", "num_steps =", "is not valid TOML"),
        ("[trainer]", "[training]", r"emote_v1_stage2.toml: \[trainer\]: missing"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path, before, after, message):
    with pytest.raises(InputError, match=message):
        load_run_config(write(tmp_path, WHOLE.replace(before, after)))


@pytest.mark.parametrize(
    "table, message",
    [
        ({}, r"f.toml: \[loss\]: missing"),
        ({"loss": {}}, r"f.toml: \[loss\] lip_reading: missing"),
        ({"loss": 3}, r"f.toml: loss: must be a table, found 3"),
        ({"loss": {"lip_reading": "high"}}, r"f.toml: \[loss\] lip_reading: must be a number, found 'high'"),
        ({"loss": {"lip_reading": -1}}, r"f.toml: \[loss\] lip_reading: must not be negative"),
        ({"loss": {"lip_reading": 1, "lips": 1}}, r"\[loss\] lips: unknown setting"),
        ({"loss": {"lip_reading": 1, "kinds": "a"}}, r"\[loss\] kinds: must be a list, found 'a'"),
        ({"loss": {"lip_reading": 1, "kinds": ["a", 1]}}, r"\[loss\] kinds\[1\]: must be text, found 1"),
        ({"loss": {"lip_reading": 1, "pair": [1]}}, r"\[loss\] pair: must have 2 entries, found 1"),
        ({"loss": {"lip_reading": 1, "pair": [1.5, 1]}}, r"\[loss\] pair\[0\]: must be a whole number"),
        ({"loss": {"lip_reading": 1}, "network": {"type": "tall"}}, r"\[network\] type: must be one of small, large"),
        ({"loss": {"lip_reading": 1}, "network": {"type": "large"}}, r"\[network\] depth: missing"),
        ({"loss": {"lip_reading": 1}, "shares": {"a": "b"}}, r"\[shares\] a: must be a number"),
        ({"loss": {"lip_reading": 1}, "folder": 3}, r"f.toml: folder: must be a path"),
        ({"loss": {"lip_reading": 1}, "on": 1}, r"f.toml: on: must be true or false"),
        ({"loss": {"lip_reading": 1}, "nam": "y"}, r"f.toml: nam: unknown setting"),
    ],
)
def test_a_mistake_in_a_tasks_tables_is_named(table, message):
    with pytest.raises(InputError, match=message):
        build_settings(Whole, table, "f.toml")


def test_tables_become_the_settings():
    table = {
        "loss": {"lip_reading": 1, "kinds": ["a"], "pair": [2, 1]},
        "network": {"type": "large", "depth": 2},
        "shares": {"a": 1},
        "folder": "runs/x",
    }
    expected = Whole(Loss(1.0, ("a",), (2, 1.0)), Large(2), {"a": 1.0}, Path("runs/x"))
    assert build_settings(Whole, table, "f.toml") == expected


def test_a_file_takes_over_what_it_does_not_say(tmp_path):
    write(tmp_path, WHOLE + "[network]\ntype = 'small'\nwidth = 4\n", "base.toml")
    path = write(tmp_path, "extends = 'base'\n[trainer]\nnum_steps = 3\n[network]\ntype = 'large'\ndepth = 1\n")
    config = load_run_config(path)
    assert (config.trainer.rate, config.trainer.num_steps) == (1e-4, 3)
    assert config.tables == {"loss": {"lip_reading": 2.5e-5}, "network": {"type": "large", "depth": 1}}


def test_files_that_extend_each_other_are_refused(tmp_path):
    write(tmp_path, "extends = 'b.toml'", "a.toml")
    write(tmp_path, "extends = 'a.toml'", "b.toml")
    with pytest.raises(InputError, match=r"extends itself by way of b.toml"):
        load_run_config(tmp_path / "a.toml")


def test_a_base_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"emote_v1_stage2.toml: extends: config 'nothing.toml' not found"):
        load_run_config(write(tmp_path, "extends = 'nothing.toml'"))


def test_a_shipped_config_needs_no_path():
    assert {"flint_v1", "flint_v2", "flint_open"} <= set(shipped_configs())
    assert load_run_config("flint_v2").task == "flint"


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"config 'flint_v9' not found; give a .toml file or one of .*flint_v1"):
        load_run_config("flint_v9")


@pytest.mark.parametrize(
    "override, value",
    [("loss.lip_reading=0", 0), ("loss.lip_reading = 1.5", 1.5), ("loss.folder=runs/lips", "runs/lips")],
)
def test_the_command_line_overrides_the_file(tmp_path, override, value):
    config = load_run_config(write(tmp_path, WHOLE), [override, "trainer.num_steps=7"])
    assert value in config.tables["loss"].values()
    assert config.trainer.num_steps == 7


def test_a_table_in_braces_takes_the_place_of_the_files(tmp_path):
    path = write(tmp_path, WHOLE + "[loss.shares]\nold = 1\n")
    assert load_run_config(path, ["loss.shares.new=2"]).tables["loss"]["shares"] == {"old": 1, "new": 2}
    tables = load_run_config(path, ["loss.shares={new = 2}", "loss.shares.newer=3"]).tables
    assert tables["loss"] == {"lip_reading": 2.5e-5, "shares": {"new": 2, "newer": 3}}


@pytest.mark.parametrize("override", ["loss.lip_reading", "=3", "a..b=3"])
def test_an_override_that_cannot_be_read_is_answered_with_an_example(tmp_path, override):
    with pytest.raises(InputError, match="write it as table.key=value"):
        load_run_config(write(tmp_path, WHOLE), [override])


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not valid TOML"):
        load_run_config(tmp_path / "a.toml")
