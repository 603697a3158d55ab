"""The command `evaluate`: the figures and pictures of a speech model's quality."""

from __future__ import annotations

import argparse
import json
import sys

from ..emote.checkpoint import load_model
from ..errors import InputError
from ..files.console_progress import ProgressLine
from ..files.paths import find_head, find_model
from ..flame.model import FaceModel
from ..version import package_version
from .evaluation.evaluate import run_evaluation
from .evaluation.evaluation_clips import open_tests
from .evaluation.report import as_json, as_table, bars_met, write_report


def evaluate_command(arguments: argparse.Namespace) -> int:
    """Run `evaluate` and return its exit code.

    Raises:
        EmoteError: the model, the head or the data cannot be used.
    """
    if arguments.limit < 1:
        raise InputError(f"--limit must be at least 1, found {arguments.limit}")
    if not 0 <= arguments.wrong_words <= 1:
        raise InputError(f"--wrong-words must be 0 to 1, found {arguments.wrong_words:g}")
    if arguments.wrong_words and arguments.transcript != "exact":
        raise InputError("--wrong-words changes the exact words; add --transcript exact, or leave it out")
    folder = find_model(arguments.model)
    model = load_model(folder)
    face_model = FaceModel.load(find_head(arguments.head or model.config.face))
    wrong_words = arguments.wrong_words if arguments.transcript == "exact" else None
    tests = open_tests(arguments.data, model.config, wrong_words)
    progress = ProgressLine(sys.stderr, model.config.name)
    try:
        evaluation = run_evaluation(model, face_model, tests, arguments.limit, progress, arguments.transcript or "none")
    finally:
        progress.clear()
    if not evaluation.parts:
        raise InputError(f"{arguments.data} holds no clip that is long enough; give more")
    weights = folder / "model.safetensors"
    facts = {
        "version": package_version(),
        "licence": model.config.licence,
        "weights_megabytes": weights.stat().st_size / 1e6,
        "data": str(arguments.data),
        "limit": arguments.limit,
        "transcript": {"words": arguments.transcript, "wrong_words": wrong_words} if arguments.transcript else None,
    }
    written = write_report(evaluation, arguments.output, facts) if arguments.output else []
    if arguments.json:
        print(json.dumps(as_json(evaluation, facts), indent=1, ensure_ascii=False))
        return 0
    print(as_table(evaluation.rows))
    print()
    for part in evaluation.parts:
        missed = [name for name, met in bars_met(part).items() if not met]
        print(f"{part.name}: {'all bars met' if not missed else 'below the bar: ' + ', '.join(missed)}")
    judge = f"the judge was trained on {evaluation.judge_examples} motions"
    print(f"{evaluation.times_real_time:.0f} times real time; {judge}")
    for path in written:
        print(f"wrote {path}")
    return 0
