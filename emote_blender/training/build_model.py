"""Makes the open model from code alone: python -m emote_blender.training.build_model [--quick] [--work DIR]

1. The corpus: speech by free engines with the times of its phones.
2. FLINT on the motions that the corpus and the emotion styles make.
3. EMOTE without the held-out engine: what is common to 4 and 5.
4. The same for some steps more and settled, judged on the held-out engine: the figures of "never heard".
5. From 3 again, the same steps with all engines; judged again. These weights ship.
Each step keeps its results in the work folder, and a stopped run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import asdict
from pathlib import Path

import torch

from ..emote.checkpoint import save_model
from ..emote.config import LogMelEncoderConfig
from ..flame.model import FaceModel
from ..paths import find_head
from .corpus import engines
from .corpus.generate import generate_part
from .dataset import BatchSource, prepare_part
from .evaluate import evaluate, prepare_validation
from .evaluation_report import write_report
from .model_card import write_card
from .recipe import FULL, QUICK, Recipe
from .train_emote import EMOTETraining, train_emote
from .train_flint import train_flint
from .voice_scores import VoiceScores

logger = logging.getLogger(__name__)


def build(recipe: Recipe, work: Path, output: Path, utterances: int = 200) -> dict[str, list[VoiceScores]]:
    """The scores of both runs; the model is written to `output`.

    Raises:
        InputError: speech engines are missing; the sentence says what to install.
    """
    engines.require_engines(tuple(part.engine for part in recipe.corpus + recipe.validation))
    torch.set_num_threads(1)  # sums in another order would give other weights
    face_model = FaceModel.load(find_head(recipe.config.face))
    started = time.monotonic()
    folders = {
        part.name: prepare_part(generate_part(part, work / "corpus"), work / "prepared" / part.name)
        for part in recipe.corpus
    }
    validation = prepare_validation(recipe.validation, work)
    logger.info("corpus ready after %.0f s", time.monotonic() - started)

    runs = work / "runs"
    heard = {part.name: folders[part.name] for part in recipe.corpus if part.engine != recipe.held_out}
    prior = train_flint(recipe.config.flint, face_model, tuple(heard.values()), recipe.flint, runs / "flint.pt")
    logger.info("FLINT ready after %.0f s", time.monotonic() - started)

    encoder = recipe.config.audio_encoder
    if not isinstance(encoder, LogMelEncoderConfig):
        raise TypeError(f"the recipe trains a log-mel encoder, found {type(encoder).__name__}")

    def source(parts: dict[str, Path], stage: int, settings: EMOTETraining) -> BatchSource:
        return BatchSource(
            folders=tuple(parts.values()),
            shares=tuple(recipe.shares[part] for part in parts),
            encoder=encoder,
            batch_size=recipe.batch_size,
            num_frames=recipe.num_frames,
            amount=recipe.augmentation[stage],
            formant_shift=recipe.formant_shift[stage],
            seed=settings.seed,
        )

    def last_run(name: str, parts: dict[str, Path]) -> list[VoiceScores]:
        start = common
        for settings, stage in ((recipe.last_run, name), (recipe.settling_run, f"{name}_settled")):
            checkpoint = runs / f"{stage}.pt"
            batches = source(parts, 1, settings)
            model = train_emote(recipe.config, None, face_model, batches, settings, checkpoint, start)
            start = checkpoint
        save_model(model, runs / name)
        evaluation = evaluate(model, face_model, validation, utterances)
        write_report(evaluation, runs / name)
        logger.info("run %s ready after %.0f s", name, time.monotonic() - started)
        return evaluation.rows

    common = runs / "common.pt"
    train_emote(recipe.config, prior, face_model, source(heard, 0, recipe.common_run), recipe.common_run, common)
    logger.info("common run ready after %.0f s", time.monotonic() - started)
    scores = {"held_out": last_run("held_out", heard)} if recipe.held_out else {}
    scores["shipped"] = last_run("shipped", folders)
    output.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors"):
        (output / name).write_bytes((runs / "shipped" / name).read_bytes())
    (runs / "scores.json").write_text(
        json.dumps({name: [asdict(row) for row in rows] for name, rows in scores.items()}, indent=1), encoding="utf-8"
    )
    write_card(output / "README.md", recipe, scores)
    return scores


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when all went well."""
    parser = argparse.ArgumentParser(prog="python -m emote_blender.training.build_model", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="the same path at the scale of a minute; not a usable model"
    )
    parser.add_argument("--work", type=Path, default=Path("build/model"), help="corpus, checkpoints and reports")
    parser.add_argument("--output", type=Path, help="model folder; default models/emote_open, for --quick below --work")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    work = options.work / "quick" if options.quick else options.work
    shipped = Path(__file__).resolve().parents[2] / "models" / "emote_open"
    output = options.output or (work / "model" if options.quick else shipped)
    build(QUICK if options.quick else FULL, work, output, utterances=3 if options.quick else 200)
    logger.info("model written to %s", output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
