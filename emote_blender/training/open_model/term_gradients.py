"""How the terms of EMOTE's loss pull: their size, direction and reliability, at given weights.

The command is `python -m emote_blender.training.open_model.term_gradients [--config NAME] [--init MODEL] [--work DIR]`.
A term helps only if its gradient is neither lost beside that of the mesh, nor opposed to it, nor mere noise from batch
to batch. Nothing is trained. The networks of `[perceptual]` come from the runs `emotion` and `lips` of the work folder
of `build_model`.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...errors import EmoteError, InputError
from ...files.console_progress import say, show
from ..run.processes import seed_everything
from ..run.task import RunInputs
from ..tasks.emote.emote_parts import EMOTEParts
from ..tasks.emote.emote_settings import TERMS
from ..tasks.emote.emote_task import EMOTETask
from ..tasks.make_task import make_task
from .ablations import given_runs
from .recipe import FULL, Recipe, Run

logger = logging.getLogger(__name__)

MOUTH = ("jaw", "mouth", "tongue")  # first parts of the names of the mouth's components


@dataclass(frozen=True)
class TermGradient:
    """The gradient of one term, means over batches. Norms include the term's weight and are relative to `vertices`.

    Attributes:
        value: of the term, unweighted.
        weight: of the term in the loss.
        motion_norm: of the gradient with respect to the motion coefficients.
        mouth_share: fraction of that gradient's squared norm on mouth, tongue and jaw.
        weights_norm: of the gradient with respect to the trained weights.
        agreement: cosine between the gradients (weights) of two batches: 1 if the term always asks for the same change,
            0 if it is noise.
    """

    value: float
    weight: float
    motion_norm: float
    mouth_share: float
    weights_norm: float
    agreement: float


@dataclass(frozen=True)
class GradientStudy:
    """The gradients of all terms.

    Attributes:
        terms: by name.
        cosines: between the gradients (weights) of two terms on the same batch; below 0 they conflict. A batch in which
            a term has no gradient (no contact in any window, for example) does not count; NaN if none does.
    """

    terms: dict[str, TermGradient]
    cosines: dict[tuple[str, str], float]


class _Sums:
    """Sums over batches for one term."""

    def __init__(self) -> None:
        self.count = 0
        self.value = self.motion = self.mouth = self.weights = 0.0
        self.total: Tensor | float = 0.0

    def add(self, value: float, on_motion: Tensor, mouth: Tensor, on_weights: Tensor) -> None:
        """Add a batch: the term, and its gradients on the motion (N, E + 3) and on the weights (P,)."""
        squares = on_motion.square().sum(0)
        self.count += 1
        self.value += value
        self.motion += float(squares.sum())
        self.mouth += float(squares[mouth].sum())
        self.weights += float(on_weights.square().sum())
        self.total = self.total + on_weights

    @property
    def agreement(self) -> float:
        """The mean product of two batches' gradients relative to the mean square of one."""
        if self.count < 2 or not self.weights or not isinstance(self.total, Tensor):
            return float("nan")
        products = float(self.total.square().sum()) - self.weights
        return products / (self.count - 1) / self.weights


def study_gradients(task: EMOTETask, num_batches: int = 8) -> GradientStudy:
    """The gradients of a task's terms at its initial weights, over its first batches.

    Args:
        task: its `[loss]` names the terms; weights are those after `refine_from`.
        num_batches: at least 2 for the agreement.
    """
    module = task.modules()
    assert isinstance(module, EMOTEParts)
    loss = task.settings.loss
    weights, contact_weight = loss.weights(loss.refine_from), loss.contact_weight(loss.refine_from)
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    mouth = _mouth_columns(module)
    sums: dict[str, _Sums] = {}
    cosines: dict[tuple[str, str], list[float]] = {}
    module.train()
    for number in range(num_batches):
        seed_everything(number)
        batch = task.batch(number)
        generated = task.generate(module, batch, weights)
        motions = [motion for motion in (generated.own, generated.exchanged) if motion is not None]
        terms = task.terms(module, batch, generated, weights, contact_weight)
        directions: dict[str, Tensor] = {}
        for name in (name for name in TERMS if name in terms and name in weights):
            if not terms[name].requires_grad:
                continue
            on_motion, on_weights = _gradients(weights[name] * terms[name], motions, trained)
            directions[name] = on_weights
            sums.setdefault(name, _Sums()).add(terms[name].item(), on_motion, mouth, on_weights)
        for first, one in directions.items():
            for second, other in directions.items():
                found = cosines.setdefault((first, second), [])
                if one.any() and other.any():
                    found.append(float(torch.nn.functional.cosine_similarity(one, other, dim=0)))
        logger.info("batch %d of %d", number + 1, num_batches)
    base = sums["vertices"]
    return GradientStudy(
        {
            name: TermGradient(
                found.value / found.count,
                weights[name],
                _ratio(found.motion, base.motion),
                found.mouth / found.motion if found.motion else float("nan"),
                _ratio(found.weights, base.weights),
                found.agreement,
            )
            for name, found in sums.items()
        },
        {pair: sum(values) / len(values) if values else float("nan") for pair, values in cosines.items()},
    )


def _gradients(term: Tensor, motions: Sequence[Tensor], trained: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(N, E + 3) gradient with respect to the motions, and (P,) with respect to the trained weights."""
    inputs = [*motions, *trained]
    found = torch.autograd.grad(term, inputs, retain_graph=True, allow_unused=True)
    filled = [torch.zeros_like(value) if grad is None else grad for value, grad in zip(inputs, found, strict=True)]
    count = len(motions)
    on_motion = torch.cat([gradient.flatten(0, 1) for gradient in filled[:count]])
    return on_motion, torch.cat([gradient.flatten() for gradient in filled[count:]])


def _mouth_columns(module: EMOTEParts) -> Tensor:
    """(E + 3,) bool: the coefficients of mouth, tongue and jaw; all if the components have no names."""
    config = module.emote.config
    if config.expression_names is None:
        return torch.ones(config.num_expression + 3, dtype=torch.bool)
    return torch.tensor([name.lower().startswith(MOUTH) for name in config.expression_names] + [True] * 3)


def _ratio(squares: float, base: float) -> float:
    return (squares / base) ** 0.5 if base else float("nan")


def as_tables(study: GradientStudy) -> str:
    """The study as two Markdown tables: the terms, and the cosines between them."""
    lines = [
        "| term | value | weight | gradient on the motion × vertices | of it on the mouth | gradient on the weights × "
        "vertices | agreement of two batches |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, term in study.terms.items():
        lines.append(
            f"| {name} | {term.value:.4g} | {term.weight:g} | {term.motion_norm:.3f} | {term.mouth_share:.2f} | "
            f"{term.weights_norm:.3f} | {term.agreement:.2f} |"
        )
    names = list(study.terms)
    lines += ["", f"| cosine of the gradients | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for first in names:
        lines.append(f"| {first} | {' | '.join(f'{study.cosines[first, second]:.2f}' for second in names)} |")
    return "\n".join(lines) + "\n"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m emote_blender.training.open_model.term_gradients", description=__doc__
    )
    parser.add_argument("--config", default="emote_open_stage2", help="config of `train emote` (emote_open_stage2)")
    parser.add_argument("--init", type=Path, default=Path("models/emote_open"), help="folder of a model or run")
    parser.add_argument("--work", type=Path, default=Path("build/model"), help="work folder of build_model")
    parser.add_argument("--batches", type=int, default=8, help="number of batches (8)")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="as for `train`")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        if options.batches < 2:
            raise InputError(f"--batches {options.batches}: two batches are compared; give 2 or more")
        show(as_tables(study_gradients(task_of(options), options.batches)))
    except EmoteError as error:
        say(f"error: {error}")
        return 1
    return 0


def task_of(options: argparse.Namespace) -> EMOTETask:
    """The task that the command line describes.

    Raises:
        EmoteError: config, weights, networks or data are missing or do not fit.
    """
    run = Run("study", options.config, None, tuple(options.set))
    config = Recipe((), (), (*given_runs(FULL), run)).config(run, options.work / "runs")
    inputs = RunInputs(config.name, config.trainer.seed, data=options.work / "prepared", init=options.init)
    task = make_task(config, inputs)
    if not isinstance(task, EMOTETask):
        raise InputError(f"{config.name} is for `train {config.task}`; give a config of `train emote`")
    return task


if __name__ == "__main__":
    raise SystemExit(main())
