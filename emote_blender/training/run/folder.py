"""The folder of a run: its settings, its last and best checkpoints, and its export."""

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

# Settings of `[trainer]` that may change when a run resumes, because they do not change what a step computes. The
# exceptions are `num_steps` and `num_epochs`: they are here so that a run can be extended, and do change a cosine
# schedule from there on.
CHANGEABLE = {
    "num_steps", "num_epochs", "device", "workers", "checkpoint_every", "validate_every", "clips_every", "log_every",
    "patience", "tensorboard",
}  # fmt: skip


class RunFolder:
    """Paths and files of a run.

    last.pt has everything that resuming needs. best.pt has weights only: the averaged ones if the run averages.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.last, self.best = self.folder / LAST_FILE, self.folder / BEST_FILE
        self.record, self.export = self.folder / RECORD_FILE, self.folder / EXPORT_FOLDER

    @property
    def is_started(self) -> bool:
        """True if a run was started in this folder."""
        return self.record.is_file()

    def open(self, record: Mapping[str, Any], resume: bool) -> None:
        """Create the folder and write run.json, or check that the run in it may resume with these settings.

        Args:
            record: all settings of the run, as `RunConfig.record`.
            resume: continue the run in the folder, if there is one.

        Raises:
            InputError: the folder is not empty and `resume` is False; or the run in it has other settings.
        """
        plain = json.loads(json.dumps(record, default=str))
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder} is a file; choose a folder with -o")
        if not resume and self.folder.exists() and any(self.folder.iterdir()):
            what = "holds a run already; continue it with --resume" if self.is_started else "is not empty"
            raise InputError(f"{self.folder} {what}, or choose another folder with -o")
        if self.is_started:
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
        """The state to resume from, or None if there is no checkpoint yet.

        Raises:
            InputError: the checkpoint is damaged.
        """
        return _load(self.last)

    def load_best(self) -> dict[str, Any] | None:
        """The best weights so far, or None if nothing was validated.

        Raises:
            InputError: the checkpoint is damaged.
        """
        return _load(self.best)

    def save_last(self, **state: Any) -> None:
        """Write last.pt atomically."""
        save_checkpoint(self.last, **state)

    def save_best(self, **state: Any) -> None:
        """Write best.pt atomically."""
        save_checkpoint(self.best, **state)


def _is_same(before: Any, now: Any) -> bool:
    """Whether two settings are equal; a relative and an absolute path to one file are."""
    if isinstance(before, str) and isinstance(now, str):
        return before == now or Path(before).resolve() == Path(now).resolve()
    return bool(before == now)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The weights of another run by name, for `--init`; averaged ones if that run averaged.

    Args:
        path: a checkpoint (best.pt, last.pt), or the folder of a run, whose best.pt is preferred to its last.pt.

    Raises:
        InputError: there is no checkpoint, or it is damaged or not one that `train` wrote.
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
        raise InputError(f"{path} is not a checkpoint of `train`; give best.pt or last.pt of a training")
    return {**state["module"], **(state.get("average") or {})}


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Load the weights of another run (see `read_weights`) into a module.

    Raises:
        InputError: there is no usable checkpoint, or the module has other tensors.
    """
    put_weights(module, read_weights(path), path)


def put_weights(module: nn.Module, weights: Mapping[str, Tensor], path: str | Path) -> None:
    """Load a state dict into a module, strictly.

    Args:
        module: changed in place.
        weights: tensors by name.
        path: where they came from, for the error.

    Raises:
        InputError: a tensor is missing, unexpected or of another shape; the first such is named.
    """
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
    except Exception as error:  # of a damaged file, torch raises RuntimeError, UnpicklingError, EOFError, ...
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(
            f"{path} is damaged or not a checkpoint ({reason}); use another one, or start a new run in another folder"
        ) from error


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one dict with keys `table.key`."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
