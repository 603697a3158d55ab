"""Build the open model from code alone.

The command is `python -m emote_blender.training.open_model.build_model [--quick] [--work DIR]`. It makes, in this
order:

1. the corpus: speech by free engines, with phone times;
2. the runs of the recipe, as `emote_blender train` does them, in `runs` of the work folder; after some of them, parts
   of the corpus are aligned by the model;
3. the evaluations of the held-out run and of the shipped run, without and with a transcript;
4. the model folder: the shipped weights, and their card with these figures.

An interrupted run continues from its last checkpoint, and a finished run is not repeated. Each file `card/*.md` of the
work folder becomes a section of the card.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from ...emote.checkpoint import load_model
from ...errors import EmoteError
from ...files.atomic_write import write_json
from ...files.console_progress import say
from ...files.paths import find_head
from ...flame.model import FaceModel
from ..corpus.engines import catalogue
from ..corpus.generate import CorpusPart, generate_part
from ..corpus.model_alignment import align_part
from ..data.corpus.parts import prepare_part
from ..evaluation.evaluate import Evaluation, evaluate, prepare_validation
from ..evaluation.evaluation_clips import CorpusSet
from ..evaluation.face_reader import FaceReader
from ..evaluation.report import write_report
from ..evaluation.robustness import ROBUSTNESS_CLIPS, Robustness, examine_robustness
from ..evaluation.voice_scores import VoiceScores
from ..run.folder import RunFolder
from ..run.task import RunInputs
from ..run.trainer import Trainer
from ..tasks.make_task import make_task
from .model_card import TRANSCRIPTS, write_card
from .recipe import FULL, QUICK, AlignedPart, Recipe, Run

logger = logging.getLogger(__name__)


def build(recipe: Recipe, work: Path, output: Path, utterances: int = 200) -> dict[str, list[VoiceScores]]:
    """Build the model and return the scores of the two evaluated runs, by name with a suffix of `TRANSCRIPTS`.

    Args:
        recipe: corpus and runs.
        work: folder for corpus, runs and reports.
        output: the model folder to write.
        utterances: largest number of clips to evaluate on, per part.

    Raises:
        InputError: speech engines are missing; the sentence says what to install.
    """
    validation = judged_parts(recipe)
    catalogue.require_engines(tuple(part.engine for part in recipe.corpus + validation))
    torch.set_num_threads(1)  # another order of summation would give other weights
    started = time.monotonic()
    for part in recipe.corpus:
        shards = generate_part(part, work / "corpus")
        if part in recipe.prepared:
            prepare_part(shards, work / "prepared" / part.name)
    folders = prepare_validation(validation, work)
    logger.info("corpus ready after %.0f s", time.monotonic() - started)
    for run in recipe.runs:
        train(recipe, run, work)
        for aligned in recipe.aligned_by(run.name):
            align(recipe, aligned, work)
        logger.info("run %s ready after %.0f s", run.name, time.monotonic() - started)

    scores, speeds = {}, []
    judges = {part.name: folders[part.name] for part in validation if part.engine in catalogue.JUDGE_ENGINES}
    for name in dict.fromkeys((recipe.held_out, recipe.shipped)):
        for suffix, (words, _) in TRANSCRIPTS.items():
            if words == "auto" and (name != recipe.shipped or not judges):
                continue  # recognising takes long, and its words do not depend on the run
            judged = judges if words == "auto" else folders
            evaluation = judge(work / "runs" / name, suffix, judged, utterances)
            scores[name + suffix] = evaluation.rows
            if words == "none":
                speeds.append(evaluation.times_real_time)
            logger.info("%s evaluated after %.0f s", name + suffix, time.monotonic() - started)
    write_json(work / "runs" / "scores.json", {name: [asdict(row) for row in rows] for name, rows in scores.items()})
    output.mkdir(parents=True, exist_ok=True)
    for path in RunFolder(work / "runs" / recipe.shipped).export.iterdir():
        shutil.copyfile(path, output / path.name)
    robustness = try_recordings(work / "runs" / recipe.shipped, judges, utterances) if judges else None
    write_card(output / "README.md", recipe, scores, min(speeds), read_sections(work / "card"), robustness)
    return scores


def judged_parts(recipe: Recipe) -> tuple[CorpusPart, ...]:
    """The recipe's validation parts, without those of `catalogue.UNSEEN_ENGINES` that are not installed."""
    parts = []
    for part in recipe.validation:
        if part.engine in catalogue.UNSEEN_ENGINES and not catalogue.is_available(part.engine):
            logger.warning("%s is left out: the voices of %s are not installed", part.name, part.engine)
        else:
            parts.append(part)
    return tuple(parts)


def train(recipe: Recipe, run: Run, work: Path) -> None:
    """Train a run to its end, from its last checkpoint if there is one."""
    runs = work / "runs"
    config = recipe.config(run, runs)
    initial = runs / run.start if run.start else None
    inputs = RunInputs(config.name, config.trainer.seed, data=work / "prepared", init=initial)
    Trainer(make_task(config, inputs), config.trainer, runs / run.name, config.record).run(resume=True)


def align(recipe: Recipe, part: AlignedPart, work: Path) -> None:
    """Make a part of the corpus whose phone times are corrected by a finished run, and prepare it."""
    source = next(raw for raw in recipe.corpus if raw.name == part.source)
    shards = generate_part(source, work / "corpus")
    export = RunFolder(work / "runs" / part.run).export
    aligned = align_part(shards, export, work / "corpus" / part.name, part.least_score)
    prepare_part(aligned, work / "prepared" / part.name)


def judge(run: Path, suffix: str, folders: Mapping[str, Path], utterances: int) -> Evaluation:
    """Evaluate a run's export, write the report into the run's folder, and return the results.

    Args:
        run: the run's folder.
        suffix: a key of `TRANSCRIPTS`: which transcript the model is given.
        folders: prepared parts of the corpus by name.
        utterances: largest number of clips per part.
    """
    model = load_model(RunFolder(run).export)
    face_model = FaceModel.load(find_head(model.config.face))
    evaluation = evaluate(model, face_model, folders, utterances, *TRANSCRIPTS[suffix])
    write_report(evaluation, run / f"evaluation{suffix}")
    return evaluation


def try_recordings(run: Path, folders: Mapping[str, Path], utterances: int) -> Robustness:
    """Measure a run's export on degraded recordings, write `robustness.json` into the run's folder, and return it.

    Args:
        run: the run's folder.
        folders: prepared parts of the corpus by name.
        utterances: largest number of clips per part; `ROBUSTNESS_CLIPS` suffice.
    """
    from ...pipeline import EMOTEPipeline

    pipeline = EMOTEPipeline.from_pretrained(str(RunFolder(run).export))
    config = pipeline.config
    reader = FaceReader(FaceModel.load(find_head(config.face)), config.num_expression, config.expression_names)
    tests = [CorpusSet(name, folder, config.speakers) for name, folder in folders.items()]
    result = examine_robustness(pipeline, reader, tests, min(utterances, ROBUSTNESS_CLIPS))
    write_json(run / "robustness.json", asdict(result))
    return result


def read_sections(folder: Path) -> dict[str, str]:
    """The text of each Markdown file of a folder by its title, which is the first line; in the order of the names."""
    sections = {}
    for path in sorted(folder.glob("*.md")):
        title, _, text = path.read_text(encoding="utf-8").strip().partition("\n")
        sections[title.lstrip("# ")] = text.strip()
    return sections


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m emote_blender.training.open_model.build_model", description=__doc__
    )
    parser.add_argument(
        "--quick", action="store_true", help="the same steps in about a minute; the model is not usable"
    )
    parser.add_argument(
        "--work", type=Path, default=Path("build/model"), help="folder for corpus, checkpoints and reports"
    )
    parser.add_argument(
        "--output", type=Path, help="model folder to write; default models/emote_open, with --quick below --work"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    work = options.work / "quick" if options.quick else options.work
    shipped = Path(__file__).resolve().parents[3] / "models" / "emote_open"
    output = options.output or (work / "model" if options.quick else shipped)
    try:
        build(QUICK if options.quick else FULL, work, output, utterances=3 if options.quick else 200)
    except EmoteError as error:
        say(f"error: {error}")
        return 1
    logger.info("model written to %s", output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
