"""The recipe: the parts that each run uses, the runs that it is made from, and that every config can be read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emote_blender.training.corpus.engines import catalogue, kokoro
from emote_blender.training.open_model.model_card import hours_drawn
from emote_blender.training.open_model.recipe import FULL, QUICK, Run
from emote_blender.training.run.config import build_settings, load_run_config

STAGE_2 = Run("stage2", "emote_open_stage2", start="shipped")
PARTS = {part.name: part for part in FULL.corpus + FULL.validation}


def families(names) -> set[str]:
    return {catalogue.family(PARTS[name].engine) for name in names}


def parts_in(tables) -> set[str]:
    """Names of the corpus's parts anywhere in a config."""
    if isinstance(tables, dict):
        return set().union(*(parts_in(value) | ({key} & PARTS.keys()) for key, value in tables.items()), set())
    if isinstance(tables, list):
        return set().union(*map(parts_in, tables), set())
    return {tables} & PARTS.keys() if isinstance(tables, str) else set()


def test_neither_the_runs_up_to_the_held_out_one_nor_the_perceptual_networks_use_flite():
    names = [run.name for run in FULL.runs]
    for run in [*FULL.runs[: names.index("held_out") + 1], *FULL.perceptual]:
        parts = parts_in(load_run_config(run.config).tables)
        assert parts, run.name
        assert "flite" not in families(parts), run.name
    assert "flite" not in families(FULL.parts_used_by("held_out"))
    assert FULL.held_out_families("held_out") == ["flite"]
    assert FULL.held_out_families("shipped") == []


def test_no_run_uses_the_unseen_voices():
    for run in FULL.runs:
        used = {PARTS[name].engine for name in FULL.parts_used_by(run.name)}
        assert used
        assert not used & set(catalogue.UNSEEN_ENGINES)


def test_what_the_shipped_run_is_made_from():
    assert [run.name for run in FULL.line_of("shipped")] == ["ears", "first", "held_out", "shipped"]
    assert FULL.made_from("shipped") == list(FULL.runs)
    assert [run.name for run in FULL.made_from("held_out")] == ["flint", "ears", "first", "held_out"]


@pytest.mark.parametrize("recipe", [FULL, QUICK], ids=["full", "quick"])
def test_aligned_parts_are_made_before_they_are_used_by_a_run_that_is_made_from_their_aligner(recipe):
    order = [run.name for run in recipe.runs]
    for part in recipe.aligned:
        users = [run.name for run in recipe.runs if part.name in load_names(recipe, run)]
        assert users
        for user in users:
            assert order.index(part.run) < order.index(user)
            assert part.run in {run.name for run in recipe.made_from(user)}
            assert part.source in recipe.parts_used_by(user)


def load_names(recipe, run) -> set[str]:
    return set(recipe.config(run).tables["data"].get("shares", ()))


def test_parts_that_only_models_align_are_not_prepared_as_they_are():
    assert {part.name for part in FULL.corpus} - {part.name for part in FULL.prepared} == {"hibari", "kokoro"}
    assert [part.name for part in QUICK.prepared] == ["espeak"]  # `ears` is trained on it


def test_no_style_that_judges_is_in_a_part_that_trains():
    for part in FULL.corpus:
        assert not {*(part.voices or ()), *catalogue.voices_of(part.engine)} & set(kokoro.JUDGE_STYLES)


def test_the_evaluated_run_differs_from_the_shipped_one_only_by_the_held_out_engine_and_its_length():
    held_out, shipped = (load_run_config(FULL.run(name).config).tables for name in ("held_out", "shipped"))
    same = {"model", "start", "loss"}
    assert {key: held_out[key] for key in same} == {key: shipped[key] for key in same}
    assert {**held_out["data"], "shares": None} == {**shipped["data"], "shares": None}
    assert shipped["data"]["shares"].keys() - held_out["data"]["shares"].keys() == {"flite", "flite_varied"}


@pytest.mark.parametrize("recipe", [FULL, QUICK], ids=["full", "quick"])
def test_every_run_comes_after_what_it_needs_and_uses_parts_of_the_corpus(recipe):
    before: list[str] = []
    parts = {part.name for part in recipe.corpus + recipe.validation}
    for run in recipe.runs:
        assert {used.name for used in recipe.made_from(run.name)} <= {*before, run.name}
        assert recipe.parts_used_by(run.name) <= parts
        before.append(run.name)


@pytest.mark.parametrize("recipe", [FULL, QUICK], ids=["full", "quick"])
def test_every_config_can_be_read_with_the_paths_of_the_work_folder(recipe):
    from emote_blender.training.tasks.emote.emote_settings import EMOTESettings
    from emote_blender.training.tasks.emotion.emotion_task import EmotionSettings
    from emote_blender.training.tasks.flint.flint_task import FLINTSettings
    from emote_blender.training.tasks.lips.lips_task import LipsSettings

    kinds: dict[str, Any] = {
        "flint": FLINTSettings,
        "emotion": EmotionSettings,
        "lips": LipsSettings,
        "emote": EMOTESettings,
    }
    runs = Path("some where") / "Läufe"
    second = replace(recipe, runs=(*recipe.runs, *recipe.perceptual, STAGE_2))
    for run in second.runs:
        config = second.config(run, runs)
        settings = build_settings(kinds[config.task], config.tables, config.name)
        if config.task == "emote":
            assert settings.start.motion_prior == runs / "flint"
    assert settings.perceptual.emotion_network == runs / "emotion" / "export" / "emotion_network"
    assert settings.perceptual.video_emotion == runs / "emotion" / "export" / "video_emotion"
    assert settings.perceptual.lip_reader == runs / "lips" / "export"


def test_hours_drawn_are_steps_times_windows_by_share():
    steps = {
        name: load_run_config(FULL.run(name).config).trainer.num_steps
        for name in ("ears", "first", "held_out", "shipped")
    }
    drawn = hours_drawn(FULL, "ears")
    assert sum(drawn.values()) == pytest.approx(steps["ears"] * 16 * 96 / 25 / 3600)
    own = load_run_config("emote_open_ears").tables["data"]["shares"]
    assert drawn["espeak_languages"] / drawn["espeak"] == pytest.approx(own["espeak_languages"] / own["espeak"])
    drawn = hours_drawn(FULL, "first")
    assert drawn["hibari"] / drawn["kokoro"] == pytest.approx(0.33 / 0.27)
    old = {"espeak", "espeak_languages", "espeak_varied", "festival", "festival_varied"}
    assert drawn.keys() == old | {"hibari", "kokoro"}
    more = hours_drawn(FULL, "shipped")
    assert sum(more.values()) == pytest.approx(sum(steps.values()) * 16 * 96 / 25 / 3600)
    shares = load_run_config("emote_open_all").tables["data"]["shares"]
    share = shares["flite"] / sum(shares.values())
    assert more["flite"] == pytest.approx(share * steps["shipped"] * 16 * 96 / 25 / 3600)
