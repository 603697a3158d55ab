"""The ablations: short trainings without one part of the method, or of the corpus, with several seeds.

The command is `python -m emote_blender.training.open_model.ablations method|corpus [--work DIR] [--seeds N] [--quick]`.
It uses the prepared parts and the run `flint` in the work folder of `build_model`. This run and those of the recipe's
perceptual networks are trained if they are missing. Each row of the table is a line of runs, evaluated on the same
parts:

    method: first stage alone, both stages, and both without FLINT, lip reading, emotion or disentanglement
    corpus: the first stage on all parts, and without hibari, without Kokoro, or with their first alignment

Runs that two rows have in common are trained once per seed. A stopped study continues where it stopped: a finished run
is neither trained nor evaluated again.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ...emote.checkpoint import load_model
from ...errors import EmoteError, InputError
from ...files.atomic_write import atomic_file, write_json
from ...files.console_progress import say
from ...files.paths import find_head
from ...flame.model import FaceModel
from ..data.corpus.parts import find_parts, prepared_parts
from ..evaluation.evaluate import evaluate
from ..evaluation.report import MEASURES
from ..run.config import load_run_config
from ..run.folder import RunFolder
from ..tasks.emote.emote_settings import DISENTANGLED_TERMS, EMOTION_TERMS, LIP_TERMS
from .build_model import train
from .recipe import FULL, QUICK, Recipe, Run

logger = logging.getLogger(__name__)

FOLDER = "ablations"  # of the runs, below `runs`, and of the tables
FIGURES_FILE = "figures.json"
FIGURES = (
    "opening_r",
    "jaw_r",
    "closure_f1",
    "inner_closure_f1",
    "tuck_f1",
    "rounding_f1",
    "rest_closed",
    "lip_vertex_error",
    "emotional_closure_f1",
    "emotional_vertex_error",
    "brow_r",
    "emotion_recognised",
    "intensity_recognised",
    "articulation_r",
)
"""The columns of the tables, from `report.MEASURES`."""

# Two-sided 95 % quantiles of Student's t for 2, 3, ... pairs.
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


@dataclass(frozen=True)
class Variant:
    """A row of a table: what is trained.

    Attributes:
        title: of the row.
        runs: one after the other, each from the weights of the one before; the last is evaluated.
    """

    title: str
    runs: tuple[Run, ...]


def method_variants() -> tuple[Variant, ...]:
    """The method without one of its parts; "both stages" comes first."""

    def second(name: str, *left_out: str, prior: str = "") -> Run:
        overrides = tuple(f"loss.{term}=0" for term in left_out)
        if prior:
            overrides += ("start.train_motion_prior=true",)
        return Run(name, "ablation_stage2", f"first{prior}", overrides)

    first = Run("first", "ablation_stage1")
    without_prior = Run("first_no_flint", "ablation_no_flint_stage1")
    return (
        Variant("both stages", (first, second("full"))),
        Variant("first stage only", (first,)),
        Variant("without lip reading", (first, second("no_lips", *LIP_TERMS))),
        Variant("without emotion", (first, second("no_emotion", *EMOTION_TERMS))),
        Variant("without disentanglement", (first, second("no_exchange", *DISENTANGLED_TERMS))),
        Variant("without FLINT", (without_prior, second("no_flint", prior="_no_flint"))),
        Variant("without FLINT, first stage only", (without_prior,)),
    )


def corpus_variants(shares: Mapping[str, float]) -> tuple[Variant, ...]:
    """The first stage without one of the neural engines, or with labels of the first alignment.

    Args:
        shares: sampling weight of each part, of the config `ablation_corpus`. Parts that are aligned in two rounds end
            in `_1` and `_2`.
    """

    def row(title: str, name: str, chosen: Mapping[str, float]) -> Variant:
        table = ", ".join(f"{part} = {share:g}" for part, share in chosen.items())
        return Variant(title, (Run(name, "ablation_corpus", None, (f"data.shares={{{table}}}",)),))

    def without(engine: str) -> dict[str, float]:
        return {part: share for part, share in shares.items() if not part.startswith(engine)}

    return (
        row("all parts", "corpus", shares),
        row("without hibari", "corpus_no_hibari", without("hibari")),
        row("without Kokoro", "corpus_no_kokoro", without("kokoro")),
        row("without either", "corpus_old", {p: s for p, s in without("hibari").items() if p in without("kokoro")}),
        row(
            "without the second alignment",
            "corpus_first_alignment",
            {f"{part[:-2]}_1" if part.endswith("_2") else part: share for part, share in shares.items()},
        ),
    )


def seeded(variant: Variant, seed: int) -> Variant:
    """The variant with the names and seeds of repetition `seed` (0, 1, ...) of its runs."""
    runs = []
    for run in variant.runs:
        own = load_run_config(run.config, run.overrides).trainer.seed
        runs.append(
            replace(
                run,
                name=_name(run.name, seed),
                start=run.start and _name(run.start, seed),
                overrides=(*run.overrides, f"trainer.seed={own + 1000 * seed}"),
            )
        )
    return Variant(variant.title, tuple(runs))


def _name(name: str, seed: int) -> str:
    return f"{FOLDER}/{name}_{seed + 1}"


def study(
    variants: Sequence[Variant],
    work: Path,
    parts: Sequence[str],
    seeds: int = 3,
    limit: int = 40,
    given: Recipe = FULL,
) -> dict[str, list[dict[str, dict[str, float]]]]:
    """Train and evaluate; return for each row the figures of each seed: by part, then by name.

    Args:
        variants: the rows.
        work: work folder of `build_model`, with the prepared parts.
        parts: prepared parts to evaluate on.
        seeds: number of repetitions.
        limit: largest number of clips per part.
        given: its motion prior and its perceptual networks are used.

    Raises:
        InputError: a part is missing.
    """
    folders = dict(zip(parts, find_parts(work / "prepared", parts), strict=True))
    repeated = [[seeded(variant, seed) for variant in variants] for seed in range(seeds)]
    new = {run.name: run for row in repeated for variant in row for run in variant.runs}
    recipe = Recipe((), (), (*given_runs(given), *new.values()))
    wanted = {needed.name for name in new for needed in recipe.made_from(name)}
    for run in recipe.runs:
        if run.name in wanted:
            train(recipe, run, work)
    found: dict[str, list[dict[str, dict[str, float]]]] = {variant.title: [] for variant in variants}
    for row in repeated:
        for variant in row:
            run_folder = RunFolder(work / "runs" / variant.runs[-1].name)
            found[variant.title].append(_figures(run_folder, folders, limit))
            logger.info("%s evaluated", run_folder.folder.name)
    return found


def given_runs(recipe: Recipe) -> tuple[Run, ...]:
    """The runs that all rows use: the motion prior of a recipe, and its perceptual networks."""
    return recipe.run("flint"), *recipe.perceptual


def _figures(run: RunFolder, folders: Mapping[str, Path], limit: int) -> dict[str, dict[str, float]]:
    """The figures of a run's export by part and name, from the run's folder if they are there."""
    path = run.folder / FIGURES_FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    parts = known.get("parts", {}) if known.get("limit") == limit else {}
    missing = {name: folder for name, folder in folders.items() if name not in parts}
    if missing:
        model = load_model(run.export)
        evaluation = evaluate(model, FaceModel.load(find_head(model.config.face)), missing, limit)
        for part in evaluation.parts:
            scores = asdict(part.scores)
            parts[part.name] = {name: scores[name] for name in MEASURES}
        write_json(path, {"limit": limit, "parts": parts})
    return {name: parts[name] for name in folders}


def as_tables(found: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]], limit: int) -> str:
    """The figures as Markdown: a table for each part, with mean and standard deviation over the seeds.

    Figures that differ from those of the first row, by a paired t-test over the seeds at 95 %, are bold. Each seed of a
    row has the same first stage and batches as that seed of the first row, hence the pairs.
    """
    rows = {title: list(seeds) for title, seeds in found.items()}
    first = next(iter(rows.values()))
    count = len(first)
    lines = [
        f"Mean ± standard deviation over {count} seeds, at most {limit} clips per part. Bold: differs from the first "
        f"row in a paired t-test over the seeds at 95 %; of {len(FIGURES)} columns one such is expected by chance in "
        "every second row."
    ]
    for part in first[0]:
        columns = [name for name in FIGURES if not all(math.isnan(seed[part][name]) for seed in first)]
        lines += ["", f"### {part}", "", f"| | {' | '.join(MEASURES[name] for name in columns)} |"]
        lines.append("|---|" + "---:|" * len(columns))
        for title, seeds in rows.items():
            cells = [_cell([s[part][name] for s in seeds], [s[part][name] for s in first]) for name in columns]
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float], reference: Sequence[float]) -> str:
    """`mean ± deviation`, in bold if it differs from the reference's."""
    if any(map(math.isnan, values)):
        return "–"
    if len(values) < 2:
        return f"{values[0]:.3f}"
    text = f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"
    return f"**{text}**" if differs(values, reference) else text


def differs(values: Sequence[float], reference: Sequence[float]) -> bool:
    """Whether paired values differ by a two-sided t-test at 95 %; False for fewer than two pairs."""
    differences = [value - other for value, other in zip(values, reference, strict=True)]
    if len(differences) < 2 or any(map(math.isnan, differences)):
        return False
    mean, deviation = statistics.mean(differences), statistics.stdev(differences)
    if deviation == 0:
        return mean != 0
    quantile = _T95[min(len(differences) - 2, len(_T95) - 1)]
    return abs(mean) > quantile * deviation / math.sqrt(len(differences))


def adjusted(variants: Sequence[Variant], overrides: Sequence[str]) -> tuple[Variant, ...]:
    """The variants with overrides of every run's config; those of the runs themselves take precedence."""
    return tuple(
        Variant(v.title, tuple(replace(run, overrides=(*overrides, *run.overrides)) for run in v.runs))
        for v in variants
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m emote_blender.training.open_model.ablations", description=__doc__)
    parser.add_argument("study", choices=("method", "corpus"), help="what to leave out")
    parser.add_argument("--work", type=Path, default=Path("build/model"), help="work folder of build_model")
    parser.add_argument("--parts", nargs="+", help="prepared parts to evaluate on; default: all *_validation")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions of each run (3)")
    parser.add_argument("--limit", type=int, default=40, help="largest number of clips per part (40)")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="titles of the rows besides the first; default: all")
    parser.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="as for `train`, in every run"
    )
    parser.add_argument("--quick", action="store_true", help="the same steps in minutes; the figures mean nothing")
    parser.add_argument(
        "-o", "--output", type=Path, help="Markdown file; default: ablations/STUDY.md in the work folder"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        path = _run(options)
    except EmoteError as error:
        say(f"error: {error}")
        return 1
    logger.info("table written to %s", path)
    return 0


def _run(options: argparse.Namespace) -> Path:
    if options.seeds < 1 or options.limit < 1:
        raise InputError(f"--seeds {options.seeds} --limit {options.limit}: give 1 or more")
    overrides = (*(QUICK.run("ears").overrides if options.quick else ()), *options.set)
    if options.study == "method":
        variants = method_variants()
    else:
        variants = corpus_variants(load_run_config("ablation_corpus", overrides).tables["data"]["shares"])
    titles = [variant.title for variant in variants]
    if unknown := sorted(set(options.only or ()) - set(titles)):
        raise InputError(f"--only {unknown[0]!r}: no such row; the rows are {', '.join(titles)}")
    chosen = tuple(v for v in variants if not options.only or v.title in (titles[0], *options.only))
    prepared = options.work / "prepared"
    parts = options.parts or [path.name for path in prepared_parts(prepared) if path.name.endswith("_validation")]
    if not parts:
        raise InputError(f"{prepared} holds no part to evaluate on; run `python build.py model` first, or give --parts")
    torch.set_num_threads(1)  # another order of summation would give other weights
    given = QUICK if options.quick else FULL
    found = study(adjusted(chosen, overrides), options.work, parts, options.seeds, options.limit, given)
    path: Path = options.output or options.work / FOLDER / f"{options.study}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        temporary.write_text(as_tables(found, options.limit), encoding="utf-8")
    return path


if __name__ == "__main__":
    raise SystemExit(main())
