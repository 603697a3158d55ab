"""The training loop for any `Task`: on a CPU, a GPU or several processes, through Hugging Face Accelerate.

Step `s` of the optimiser uses the mean gradient of the `accumulate` batches numbered from `s * accumulate`. Several
processes divide these batches among them: process `r` of `W` takes every `W`-th one, starting with the `r`-th. So any
number of processes that divides `accumulate` gives the same gradients as a single process. The random generators are
seeded with the number of each batch; neither a resume nor the number of processes changes what they give. (The running
averages of batch normalisation are not gradients: each process has its own, and those of the main process are kept.)
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import Cancelled, InputError, TrainingError
from ...files.console_progress import ProgressLine
from .batches import batch_numbers, batches_ahead, to_device
from .failures import StopSignals, check_finite, explained_failures, what_is_left
from .folder import RunFolder, put_weights
from .log import RecentMeans, RunLog, RunProgress
from .optimisation import AveragedWeights, set_rate
from .processes import deterministic_kernels, make_accelerator, seed_everything
from .settings import TrainerSettings
from .task import Task

logger = logging.getLogger(__name__)

VALIDATION_SEED = 12345
MOST_SKIPPED_STEPS = 40  # each halves fp16's loss scale: from 2^16 to below 1e-7


@dataclass(frozen=True)
class TrainResult:
    """How a run ended.

    Attributes:
        step: steps done.
        best: best value of the first validation metric; None without validation.
        best_step: the step of that validation.
        export: the folder with the exported files.
    """

    step: int
    best: float | None
    best_step: int | None
    export: Path


@dataclass
class _Counters:
    """The position of a run, saved in its checkpoints.

    Attributes:
        step: steps done.
        best: best value of the first validation metric so far.
        best_step: the step of that validation.
        since_best: validations since then.
    """

    step: int = 0
    best: float | None = None
    best_step: int | None = None
    since_best: int = 0


class Trainer:
    """Trains a task; everything that it writes goes into one folder.

    Args:
        task: what to train.
        settings: the table `[trainer]`.
        folder: of the run.
        record: all settings of the run (`RunConfig.record`), which must be the same when it resumes; None: those of
            the trainer.
        progress: shows the progress; None: nothing is shown.
        progress_seconds: time between two updates of `progress`.
    """

    def __init__(
        self,
        task: Task,
        settings: TrainerSettings,
        folder: Path,
        record: Mapping[str, Any] | None = None,
        progress: ProgressLine | None = None,
        progress_seconds: float = 0.5,
    ) -> None:
        self.task, self.settings, self.run_folder = task, settings, RunFolder(folder)
        self.record = record or {"task": task.name, "trainer": asdict(settings)}
        self.progress, self.progress_seconds = progress, progress_seconds

    def run(self, resume: bool = False) -> TrainResult:
        """Train to the end and export the best weights; without validation, the last ones.

        Args:
            resume: continue from the folder's last checkpoint, if there is one; otherwise the folder must be new or
                empty.

        Raises:
            InputError: the folder contains something else or another run, or a checkpoint is damaged.
            TrainingError: memory or disk ran out, or the loss is not finite; the last checkpoint is intact.
            Cancelled: SIGINT or SIGTERM was received; a checkpoint of the last finished step was written.
        """
        with explained_failures(self.run_folder), deterministic_kernels(self.settings.deterministic):
            session = _Session(self.task, self.settings, self.run_folder, self.record, resume)
            try:
                return session.run(self.progress, self.progress_seconds)
            finally:
                session.accelerator.free_memory()


class LossModule(nn.Module):
    """A task's loss as a module's forward pass, so that Accelerate can wrap it (autocast, distributed gradients)."""

    def __init__(self, task: Task, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self._task = task

    def forward(self, batch: Any, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and its terms detached."""
        loss, terms = self._task.loss(self.module, batch, step)
        return loss, {name: term.detach() for name, term in terms.items()}


class _Session:
    """The state of one call of `Trainer.run`."""

    def __init__(
        self, task: Task, settings: TrainerSettings, folder: RunFolder, record: Mapping[str, Any], resume: bool
    ) -> None:
        self.task, self.settings, self.folder = task, settings, folder
        self.num_steps = _num_steps(task, settings)
        self.accelerator = make_accelerator(settings)
        if self.accelerator.is_main_process:
            folder.open(record, resume)
        self.accelerator.wait_for_everyone()
        seed_everything(settings.seed)
        self.module = task.modules().to(self.accelerator.device)
        self.trained = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
        optimizer = kind(self.trained, settings.rate, betas=settings.betas, weight_decay=settings.weight_decay)
        decay = settings.average_decay
        self.average = AveragedWeights(self.module, decay) if decay else None
        self.counters = _Counters()
        state = folder.load_last()
        if state:
            self._restore(state, optimizer)
        self.wrapped, self.optimizer = self.accelerator.prepare(LossModule(task, self.module), optimizer)
        if state and self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.saved_step = self.counters.step if state else -1
        self.num_skipped = 0
        if self.accelerator.is_main_process:
            logger.info(
                "%s: steps %d to %d, %d processes on %s, precision %s, %.2f million trained parameters",
                task.name, self.counters.step, self.num_steps, self.accelerator.num_processes, self.accelerator.device,
                self.accelerator.mixed_precision, sum(parameter.numel() for parameter in self.trained) / 1e6,
            )  # fmt: skip

    def _restore(self, state: dict[str, Any], optimizer: torch.optim.Optimizer) -> None:
        put_weights(self.module, state["module"], self.folder.last)
        optimizer.load_state_dict(state["optimizer"])
        if self.average:
            device = self.accelerator.device
            self.average.values = {name: value.to(device) for name, value in state["average"].items()}
        self.counters = _Counters(**state["counters"])

    # ---------------------------------------------------------------- the loop

    def run(self, progress: ProgressLine | None, progress_seconds: float) -> TrainResult:
        """Train and export; see `Trainer.run`."""
        settings, counters = self.settings, self.counters
        is_main = self.accelerator.is_main_process
        log = RunLog(self.folder.folder, counters.step, settings.tensorboard) if is_main else None
        show = RunProgress(progress if is_main else None, progress_seconds, counters.step, self.num_steps)
        recent = RecentMeans()
        loss_shown = math.nan
        batches = batches_ahead(self.task, self._numbers(counters.step), settings.workers)
        self.module.train()
        try:
            with StopSignals() as signals:
                while counters.step < self.num_steps and not self._has_lost_patience():
                    if self._must_stop(signals):
                        self._save()
                        raise Cancelled(f"training stopped after step {counters.step}; {what_is_left(self.folder)}")
                    self._step(batches, recent)
                    counters.step += 1
                    step = counters.step
                    if self._is_due(settings.log_every):
                        values = recent.take(self.accelerator, settings.rate_at(step - 1, self.num_steps))
                        loss_shown = values["train/loss"]
                        if log:
                            log.scalars(step, values)
                    if self._is_due(settings.validate_every):
                        show.clear()
                        self._validate(log)
                    if self._is_due(settings.clips_every):
                        self._write_clips(log)
                    if self._is_due(settings.checkpoint_every) or self._has_lost_patience():
                        self._save()
                    show(step, loss_shown)
        finally:
            batches.close()
            show.clear()
            if log:
                log.curves()
                log.close()
        return self._finish()

    def _step(self, batches: Iterator[Any], recent: RecentMeans) -> None:
        """Do one step of the optimiser."""
        settings, step, accelerator = self.settings, self.counters.step, self.accelerator
        started = time.monotonic()
        set_rate(self.optimizer, settings.rate_at(step, self.num_steps))
        for number in self._numbers_of(step):
            batch = next(batches)
            seed_everything(settings.seed * 1_000_003 + number)
            with accelerator.accumulate(self.wrapped):
                loss, terms = self.wrapped(to_device(batch, accelerator.device), step)
                check_finite(loss, terms, step, number, self.folder)
                accelerator.backward(loss)
                recent.add_terms(loss.detach(), terms)
                if accelerator.sync_gradients:
                    norm = accelerator.clip_grad_norm_(self.trained, settings.clip_norm or math.inf)
                    self._check_gradient(norm, terms, step, number)
                    recent.add_norm(norm)
                self.optimizer.step()
                self.optimizer.zero_grad()
        recent.add_step(time.monotonic() - started)
        if accelerator.optimizer_step_was_skipped:
            self.num_skipped += 1
            if self.num_skipped > MOST_SKIPPED_STEPS:
                raise TrainingError(
                    f"the gradients overflow fp16 at step {step} however small the loss is scaled; use precision = "
                    f'"bf16" or "no"; {what_is_left(self.folder)}'
                )
            return
        self.num_skipped = 0
        if self.average:
            self.average.update(self.module, step)

    def _check_gradient(self, norm: Tensor, terms: dict[str, Tensor], step: int, batch: int) -> None:
        """Raise a TrainingError if the gradient is not finite, before it reaches the weights.

        In fp16 nothing is raised: the loss scaler skips such steps.
        """
        if self.accelerator.scaler is None and not torch.isfinite(norm):
            values = ", ".join(f"{name} is {value.item():.4g}" for name, value in terms.items())
            raise TrainingError(
                f"the gradient is not a number at step {step} (batch {batch}; {values}); lower [trainer] rate or set "
                f"clip_norm; {what_is_left(self.folder)}"
            )

    def _numbers(self, first_step: int) -> list[int]:
        """The numbers of all batches that this process takes from `first_step` to the end."""
        steps = range(first_step, self.num_steps)
        return [number for step in steps for number in self._numbers_of(step)]

    def _numbers_of(self, step: int) -> range:
        accelerator = self.accelerator
        return batch_numbers(step, self.settings.accumulate, accelerator.process_index, accelerator.num_processes)

    def _must_stop(self, signals: StopSignals) -> bool:
        """True once a signal was received; all processes agree on the step."""
        if self.accelerator.num_processes == 1:
            return signals.requested
        if signals.requested:
            self.accelerator.set_trigger()
        return self.accelerator.check_trigger()

    def _is_due(self, every: int) -> bool:
        """True after every `every` steps and after the last one; never if `every` is 0."""
        step = self.counters.step
        return every > 0 and (step % every == 0 or step == self.num_steps)

    def _has_lost_patience(self) -> bool:
        return bool(self.settings.patience) and self.counters.since_best >= self.settings.patience

    # ---------------------------------------------------------------- validation, clips, checkpoints

    @contextmanager
    def _evaluating(self) -> Iterator[nn.Module]:
        """The module in eval mode with averaged weights, and with the same random seed each time."""
        seed_everything(VALIDATION_SEED)
        own = {}
        if self.average:
            parameters = dict(self.module.named_parameters())
            own = {name: parameters[name].detach().clone() for name in self.average.values}
            _copy_into(self.module, self.average.values)
        self.module.eval()
        try:
            with torch.no_grad(), self.accelerator.autocast():
                yield self.module
        finally:
            _copy_into(self.module, own)
            self.module.train()

    def _validate(self, log: RunLog | None) -> None:
        """Validate in the main process and send the metric that decides to all processes."""
        counters = self.counters
        found: list[Any] = [None]
        if self.accelerator.is_main_process:
            with self._evaluating() as module:
                figures = self.task.validate(module)
            if not figures:
                raise ValueError(f"task {self.task.name} has nothing to validate; set validate_every = 0")
            name, figure = next(iter(figures.items()))
            if not math.isfinite(figure):
                raise TrainingError(f"{name} of the validation is {figure} at step {counters.step}")
            assert log is not None
            log.scalars(counters.step, {f"validation/{name}": value for name, value in figures.items()})
            log.curves_once_a_minute()
            shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
            logger.info("%s %d/%d: %s", self.task.name, counters.step, self.num_steps, shown)
            found = [figure]
        if self.accelerator.num_processes > 1:
            from accelerate.utils import broadcast_object_list

            broadcast_object_list(found)
        if counters.best is None or found[0] < counters.best:
            counters.best, counters.best_step, counters.since_best = found[0], counters.step, 0
            if self.accelerator.is_main_process:
                self.folder.save_best(module=self._final_state(), step=counters.step, validation=found[0])
        else:
            counters.since_best += 1

    def _write_clips(self, log: RunLog | None) -> None:
        if log is None:
            return
        with self._evaluating() as module:
            clips = self.task.clips(module)
        log.clips(self.counters.step, clips)

    def _final_state(self) -> dict[str, Tensor]:
        """The averaged weights, or the current ones if the run does not average."""
        return self.average.state_of(self.module) if self.average else self.module.state_dict()

    def _save(self) -> None:
        """Write last.pt, unless it was already written at this step."""
        if self.accelerator.is_main_process and self.saved_step != self.counters.step:
            scaler = self.accelerator.scaler
            self.folder.save_last(
                module=self.module.state_dict(),
                optimizer=self.optimizer.state_dict(),
                average=self.average.values if self.average else None,
                scaler=scaler.state_dict() if scaler is not None else None,
                counters=asdict(self.counters),
            )
            self.saved_step = self.counters.step
        self.accelerator.wait_for_everyone()

    def _finish(self) -> TrainResult:
        """Export the best weights."""
        counters, folder = self.counters, self.folder
        if self.accelerator.is_main_process:
            best = folder.load_best() if self.settings.validate_every else None
            put_weights(self.module, best["module"] if best else self._final_state(), folder.best)
            self.module.eval()
            folder.export.mkdir(exist_ok=True)
            self.task.export(self.module, folder.export)
        self.accelerator.wait_for_everyone()
        return TrainResult(counters.step, counters.best, counters.best_step, folder.export)


def _num_steps(task: Task, settings: TrainerSettings) -> int:
    """The number of steps of the whole run."""
    if settings.num_steps is not None:
        return settings.num_steps
    assert settings.num_epochs is not None
    if task.num_batches is None:
        raise InputError(f"the data of {task.name} has no epochs; give [trainer] num_steps instead of num_epochs")
    return max(1, settings.num_epochs * task.num_batches // settings.accumulate)


def _copy_into(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    parameters = dict(module.named_parameters())
    with torch.no_grad():
        for name, value in values.items():
            parameters[name].copy_(value)
