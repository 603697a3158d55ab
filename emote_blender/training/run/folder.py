"""The folder of a run: its settings, the last checkpoint, the best one, and what it exports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ...emote.checkpoint import tensor_specs
from ...errors import InputError
from ...files.atomic_write import write_json
from ...files.named_tensors import match_tensors
from .optimisation import load_checkpoint, save_checkpoint

RECORD_FILE, LAST_FILE, BEST_FILE, EXPORT_FOLDER = "run.json", "last.pt", "best.pt", "export"

# Settings of `[trainer]` that may change when a run goes on: none of them changes what a step computes, but `num_steps`
# and `num_epochs`, without which no run could be made longer (a cosine schedule is then another one from here on).
CHANGEABLE = {
    "num_steps", "num_epochs", "device", "workers", "checkpoint_every", "validate_every", "clips_every", "log_every",
    "patience", "tensorboard",
}  # fmt: skip


class RunFolder:
    """Paths and files of a run. last.pt: all that resuming needs; best.pt: weights only, averaged if the run does."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.last, self.best = self.folder / LAST_FILE, self.folder / BEST_FILE
        self.record, self.export = self.folder / RECORD_FILE, self.folder / EXPORT_FOLDER

    @property
    def is_begun(self) -> bool:
        """True where a run has been started."""
        return self.record.is_file()

    def open(self, record: Mapping[str, Any], resume: bool) -> None:
        """Makes the folder, or checks that the run there may go on with the settings of `record`.

        Raises:
            InputError: without `resume` the folder is not empty; or the run there has other settings.
        """
        plain = json.loads(json.dumps(record, default=str))
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder} is a file; choose a folder with -o")
        if not resume and self.folder.exists() and any(self.folder.iterdir()):
            what = "holds a run already; go on with it with --resume" if self.is_begun else "is not empty"
            raise InputError(f"{self.folder} {what}, or choose another folder with -o")
        if self.is_begun:
            self._check_same(plain)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.record, plain)
        except OSError as error:
            raise InputError(f"{self.folder} cannot be written ({error.strerror}); choose another folder") from error

    def _check_same(self, record: Mapping[str, Any]) -> None:
        try:
            before = _flat(json.loads(self.record.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise InputError(f"{self.record} cannot be read ({error}); start a new run in another folder") from error
        now = _flat(record)
        free = {f"trainer.{name}" for name in CHANGEABLE}
        names = sorted({*before, *now} - free)
        changed = [name for name in names if not _is_same(before.get(name), now.get(name))]
        if changed:
            shown = ", ".join(f"{name} was {before.get(name)!r} and is {now.get(name)!r}" for name in changed[:3])
            raise InputError(
                f"{self.folder} was started with other settings ({shown}{', ...' if len(changed) > 3 else ''}); "
                "resume with the same, or start a new run in another folder"
            )

    def load_last(self) -> dict[str, Any] | None:
        """The state to go on from; None where no checkpoint was reached. Raises InputError if it is damaged."""
        return _load(self.last)

    def load_best(self) -> dict[str, Any] | None:
        """The best weights so far; None where nothing was validated. Raises InputError if they are damaged."""
        return _load(self.best)

    def save_last(self, **state: Any) -> None:
        """Writes last.pt whole or not at all."""
        save_checkpoint(self.last, **state)

    def save_best(self, **state: Any) -> None:
        """Writes best.pt whole or not at all."""
        save_checkpoint(self.best, **state)


def _is_same(before: Any, now: Any) -> bool:
    """Whether two settings mean the same: a file may be named from the working folder or in full."""
    if isinstance(before, str) and isinstance(now, str):
        return before == now or Path(before).resolve() == Path(now).resolve()
    return bool(before == now)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The weights that another run trained, averaged ones where it averages: a task's `--init`.

    Args:
        path: a checkpoint (best.pt, last.pt) or a run's folder, of which the best one is taken.

    Raises:
        InputError: there is no checkpoint, or it is damaged or none of this project.
    """
    path = Path(path)
    if path.is_dir():
        found = [path / name for name in (BEST_FILE, LAST_FILE) if (path / name).is_file()]
        if not found:
            raise InputError(f"{path} holds no {BEST_FILE} or {LAST_FILE}; give the folder of a finished training")
        path = found[0]
    state = _load(path)
    if state is None:
        raise InputError(f"{path} not found; give a checkpoint (.pt) or the folder of a training")
    if "module" not in state:
        raise InputError(f"{path} is no checkpoint of `train`; give best.pt or last.pt of a training")
    return {**state["module"], **(state.get("average") or {})}


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Loads what `read_weights` gives; raises InputError if the module is of another kind or size."""
    put_weights(module, read_weights(path), path)


def put_weights(module: nn.Module, weights: Mapping[str, Tensor], path: str | Path) -> None:
    """Loads a state dict strictly; raises InputError that names `path` and the first tensor that does not fit."""
    mismatch = match_tensors(tensor_specs(module.state_dict()), tensor_specs(weights))
    wrong = mismatch.wrong | dict.fromkeys(mismatch.missing, "missing")
    wrong |= dict.fromkeys(mismatch.unexpected, "only in the file")
    if wrong:
        name, what = next(iter(wrong.items()))
        raise InputError(f"{path} does not fit this config: {name} is {what}; use its own config")
    module.load_state_dict(weights)


def _load(path: Path) -> dict[str, Any] | None:
    try:
        return load_checkpoint(path)
    except Exception as error:  # torch has no class for a damaged file: RuntimeError, UnpicklingError, EOFError, ...
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(
            f"{path} is damaged or no checkpoint ({reason}); use another one, or start a new run in another folder"
        ) from error


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as `table.key` to value."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
