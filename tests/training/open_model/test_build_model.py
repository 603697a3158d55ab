"""The whole path from nothing to a model folder, at the scale of a minute."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tiny_corpus import make_shard

from emote_blender.emote.checkpoint import load_model
from emote_blender.errors import InputError
from emote_blender.training.corpus.engines import catalogue
from emote_blender.training.corpus.generate import CorpusPart
from emote_blender.training.open_model import build_model
from emote_blender.training.open_model.recipe import FULL, QUICK


@pytest.mark.skipif(not catalogue.is_available("espeak"), reason=f"needs espeak-ng: {catalogue.APT_LINE}")
def test_the_quick_path_makes_a_model_with_its_card(tmp_path):
    (tmp_path / "work" / "quick" / "card").mkdir(parents=True)
    (tmp_path / "work" / "quick" / "card" / "ablations.md").write_text("# Ablations\n\nWithout anything: nothing.\n")
    threads = torch.get_num_threads()
    try:
        assert build_model.main(["--quick", "--work", str(tmp_path / "work"), "--output", str(tmp_path / "model")]) == 0
    finally:
        torch.set_num_threads(threads)
    model = load_model(tmp_path / "model")
    assert model.config.face == "open_head"
    assert model.config.licence == "CC0-1.0"
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "| espeak_validation (all) |" in card
    assert "CC0-1.0" in card
    for run in QUICK.runs:
        assert f"`{run.name}`: `train " in card
    assert "### The shipped weights, with transcript (`shipped`)" in card
    assert "\n## Ablations\n\nWithout anything: nothing.\n\n## Limits\n" in card
    runs = tmp_path / "work" / "quick" / "runs"
    shipped = load_model(runs / "shipped" / "export").state_dict()
    assert all(torch.equal(tensor, shipped[name]) for name, tensor in model.state_dict().items())
    before = load_model(runs / "held_out" / "export").state_dict()
    assert any(not torch.equal(tensor, shipped[name]) for name, tensor in before.items())
    picture = runs / "shipped" / "evaluation" / "opening.png"
    assert picture.stat().st_size > 5000


def test_the_judging_voices_are_evaluated_with_recognised_words_and_degraded(tmp_path, monkeypatch):
    """Runs, evaluations and card are replaced: what is asked of them is the statement."""
    asked: list[tuple] = []

    def judged(run, suffix, folders, utterances):
        asked.append((run.name, suffix, sorted(folders)))
        return SimpleNamespace(rows=[], times_real_time=30.0)

    parts = (CorpusPart("joe_validation", "joe", 0.01, 1), CorpusPart("espeak_validation", "espeak", 0.01, 1))
    recipe = replace(QUICK, corpus=(), runs=(), validation=parts)
    monkeypatch.setattr(catalogue, "is_available", lambda engine: True)
    monkeypatch.setattr(build_model, "prepare_validation", lambda parts, work: {part.name: work for part in parts})
    monkeypatch.setattr(build_model, "judge", judged)
    monkeypatch.setattr(build_model, "try_recordings", lambda run, folders, limit: asked.append((run.name, *folders)))
    monkeypatch.setattr(build_model, "write_card", lambda *arguments: None)
    (tmp_path / "runs" / "shipped" / "export").mkdir(parents=True)
    build_model.build(recipe, tmp_path, tmp_path / "model")
    every = ["espeak_validation", "joe_validation"]
    assert [item for item in asked if item[0] == "held_out"] == [
        ("held_out", "", every), ("held_out", "_transcript", every), ("held_out", "_wrong_words", every)
    ]  # fmt: skip
    assert ("shipped", "_auto", ["joe_validation"]) in asked
    assert asked[-1] == ("shipped", "joe_validation")


def test_a_finished_run_is_not_repeated(tmp_path, monkeypatch):
    """A second call trains nothing: it would need batches, and there are none."""
    from emote_blender.training.data.corpus.parts import prepare_part
    from emote_blender.training.tasks.flint.flint_data import CorpusMotions

    prepare_part([make_shard(tmp_path / "shard.npz")], tmp_path / "prepared" / "espeak")
    prepare_part([make_shard(tmp_path / "other.npz", seed=1)], tmp_path / "prepared" / "espeak_validation")
    build_model.train(QUICK, QUICK.run("flint"), tmp_path)
    first = (tmp_path / "runs" / "flint" / "last.pt").read_bytes()
    monkeypatch.setattr(CorpusMotions, "batch", None)
    build_model.train(QUICK, QUICK.run("flint"), tmp_path)
    assert (tmp_path / "runs" / "flint" / "last.pt").read_bytes() == first


def test_what_cannot_go_on_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    def refuse(*_arguments, **_settings):
        raise InputError("runs/first was started with other settings")

    monkeypatch.setattr(build_model, "build", refuse)
    assert build_model.main(["--quick", "--work", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: runs/first was started with other settings\n"


def test_voices_that_are_not_installed_are_left_out_of_the_judgement(monkeypatch, caplog):
    monkeypatch.setattr(catalogue, "is_available", lambda engine: engine not in catalogue.UNSEEN_ENGINES)
    names = [part.name for part in build_model.judged_parts(FULL)]
    assert names == ["espeak_validation", "festival_validation", "flite_validation"]
    assert "festival_unseen_validation is left out" in caplog.text
