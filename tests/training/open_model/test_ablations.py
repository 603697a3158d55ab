"""The ablations and the gradients of the terms, at a scale at which the figures mean nothing."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_corpus import make_shard

from emote_blender.training.data.corpus.parts import prepare_part
from emote_blender.training.open_model import ablations, term_gradients
from emote_blender.training.open_model.ablations import FIGURES, Variant
from emote_blender.training.open_model.recipe import QUICK
from emote_blender.training.run.config import load_run_config
from emote_blender.training.tasks.emote.emote_data import CorpusBatches
from emote_blender.training.tasks.emote.emote_settings import LIP_TERMS

pytestmark = pytest.mark.torch
PART = "espeak_validation"
COMMAND = ["method", "--quick", "--seeds", "2", "--limit", "2", "--parts", PART, "--only", "without lip reading"]


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    """A work folder after a quick study of two rows with two seeds."""
    folder = tmp_path_factory.mktemp("work")
    for name, seed in (("espeak", 0), (PART, 1)):
        prepare_part([make_shard(folder / f"{name}.npz", 12, seed)], folder / "prepared" / name)
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emote_blender.training.run.log.draw_curves", lambda scalars, image: None)
        assert ablations.main([*COMMAND, "--work", str(folder)]) == 0
    torch.set_num_threads(threads)
    return folder


def logged(run: Path) -> set[str]:
    """Names of what a run logged."""
    with (run / "scalars.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"].rpartition("/")[2] for row in csv.DictReader(file)}


def test_a_row_without_a_term_trains_without_it_from_the_same_first_stage(work):
    runs = work / "runs" / "ablations"
    assert sorted(path.name for path in runs.iterdir()) == [
        f"{name}_{seed}" for name in ("first", "full", "no_lips") for seed in (1, 2)
    ]
    assert set(LIP_TERMS) < logged(runs / "full_1")
    assert logged(runs / "full_1") - logged(runs / "no_lips_1") == set(LIP_TERMS)


def test_seeds_give_other_weights(work):
    runs = work / "runs" / "ablations"
    first, second = ((runs / f"first_{seed}" / "export" / "model.safetensors").read_bytes() for seed in (1, 2))
    assert first != second


def test_the_table_has_a_row_for_each_variant_and_a_column_for_each_figure(work):
    text = (work / "ablations" / "method.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert [row[0].strip("| ") for row in rows] == ["", "both stages", "without lip reading"]
    assert len({len(row) for row in rows}) == 1
    assert f"### {PART}" in text


def test_a_finished_study_is_only_read_again(work, monkeypatch):
    """A second call trains and evaluates nothing: there are no batches, and there is no evaluation."""
    before = (work / "ablations" / "method.md").read_text(encoding="utf-8")
    monkeypatch.setattr(CorpusBatches, "batch", None)
    monkeypatch.setattr(ablations, "evaluate", None)
    threads = torch.get_num_threads()
    assert ablations.main([*COMMAND, "--work", str(work)]) == 0
    torch.set_num_threads(threads)
    assert (work / "ablations" / "method.md").read_text(encoding="utf-8") == before


def test_the_gradients_of_all_terms_are_reported(work, capsys):
    overrides = [part for override in QUICK.run("ears").overrides for part in ("--set", override)]
    init = work / "runs" / "ablations" / "first_1"
    assert term_gradients.main(["--work", str(work), "--init", str(init), "--batches", "2", *overrides]) == 0
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ")[1:] for line in capsys.readouterr().out.splitlines()}
    assert float(rows["vertices"][-1].rstrip(" |")) <= 1  # the last row of that name: its cosines
    assert {"vertices", "gap", *LIP_TERMS, "emotion_video_disentangled"} <= rows.keys()


def test_norms_and_cosines_are_those_of_the_terms(work):
    """Against the gradients of one term at a time, computed without the study."""
    overrides = (*QUICK.run("ears").overrides, "loss.phones=0", "loss.articulation=0")
    task = _task(work, overrides)
    study = term_gradients.study_gradients(task, num_batches=2)
    found: dict[str, list[np.ndarray]] = {}
    module = task.modules()
    weights = task.settings.loss.weights(task.settings.loss.refine_from)
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    module.train()
    for number in range(2):
        for name, weight in weights.items():
            torch.manual_seed(number)
            batch = task.batch(number)
            generated = task.generate(module, batch, weights)
            contact = task.settings.loss.contact_weight(task.settings.loss.refine_from)
            term = weight * task.terms(module, batch, generated, weights, contact)[name]
            gradients = torch.autograd.grad(term, trained, allow_unused=True)
            filled = [torch.zeros_like(p) if g is None else g for p, g in zip(trained, gradients, strict=True)]
            found.setdefault(name, []).append(torch.cat([g.flatten() for g in filled]).double().numpy())
    norm = {name: math.sqrt(sum(float(g @ g) for g in both)) for name, both in found.items()}
    pulling = {name for name in found if norm[name]}  # a clamped error has no gradient
    assert {"vertices", "velocity"} <= pulling
    for name, both in found.items():
        measured = study.terms[name]
        assert measured.weights_norm == pytest.approx(norm[name] / norm["vertices"], rel=1e-3)
        if name not in pulling:
            assert math.isnan(measured.agreement)
            continue
        assert measured.agreement == pytest.approx(2 * float(both[0] @ both[1]) / norm[name] ** 2, rel=1e-2, abs=1e-4)
        pairs = zip(both, found["vertices"], strict=True)
        cosines = [float(a @ b / math.sqrt((a @ a) * (b @ b))) for a, b in pairs if a.any() and b.any()]
        assert study.cosines[name, "vertices"] == pytest.approx(np.mean(cosines), abs=1e-3)
    assert study.terms["vertices"].motion_norm == 1


def _task(work: Path, overrides: tuple[str, ...]) -> term_gradients.EMOTETask:
    options = term_gradients.parse(
        ["--config", "emote_open_all", "--work", str(work), "--init", str(work / "runs" / "ablations" / "first_1")]
        + [part for override in overrides for part in ("--set", override)]
    )
    return term_gradients.task_of(options)


# ---------------------------------------------------------------- rows and statistics


def shares_of(variant: Variant) -> dict[str, float]:
    run = variant.runs[0]
    return load_run_config(run.config, run.overrides).tables["data"]["shares"]


def test_corpus_rows_leave_out_an_engine_or_take_the_first_alignment():
    shares = {"espeak": 0.4, "hibari_2": 0.3, "kokoro_2": 0.2, "kokoro_slow_2": 0.1}
    rows = {variant.title: shares_of(variant) for variant in ablations.corpus_variants(shares)}
    assert rows == {
        "all parts": shares,
        "without hibari": {"espeak": 0.4, "kokoro_2": 0.2, "kokoro_slow_2": 0.1},
        "without Kokoro": {"espeak": 0.4, "hibari_2": 0.3},
        "without either": {"espeak": 0.4},
        "without the second alignment": {"espeak": 0.4, "hibari_1": 0.3, "kokoro_1": 0.2, "kokoro_slow_1": 0.1},
    }


def test_a_seed_changes_every_run_of_a_line_and_its_start():
    variant = ablations.seeded(ablations.method_variants()[0], 2)
    assert [run.name for run in variant.runs] == ["ablations/first_3", "ablations/full_3"]
    assert variant.runs[1].start == "ablations/first_3"
    seeds = [load_run_config(run.config, run.overrides).trainer.seed for run in variant.runs]
    assert seeds == [load_run_config(name).trainer.seed + 2000 for name in ("ablation_stage1", "ablation_stage2")]


@pytest.mark.parametrize(
    ("differences", "differ"),
    # t is 2 √3 / 1 = 3.46 and 3 √3 / 1 = 5.2; the quantile of two degrees of freedom is 4.30
    [((1.0, 2.0, 3.0), False), ((2.0, 3.0, 4.0), True), ((1.0,), False), ((0.0, 0.0), False)],
)
def test_a_difference_counts_if_a_paired_t_test_says_so(differences, differ):
    reference = [5.0, -3.0, 0.5][: len(differences)]
    values = [value + other for value, other in zip(differences, reference, strict=True)]
    assert ablations.differs(values, reference) is differ


def test_means_and_spreads_are_those_of_the_seeds():
    first = [{"part": dict.fromkeys(FIGURES, value)} for value in (0.5, 0.6, 0.7)]
    worse = [{"part": dict.fromkeys(FIGURES, value)} for value in (0.41, 0.5, 0.6)]
    text = ablations.as_tables({"all": first, "less": worse}, 40)
    assert "| all | 0.600 ± 0.100 |" in text
    assert "| less | **0.503 ± 0.095** |" in text


def test_an_unknown_row_is_named_with_those_that_there_are(tmp_path, capsys):
    assert ablations.main(["method", "--only", "without nothing", "--work", str(tmp_path)]) == 1
    assert "'without nothing': no such row; the rows are both stages, first stage only" in capsys.readouterr().err
