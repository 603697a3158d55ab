"""The folder of a motion prior, for training: `motion_prior.json` and `motion_prior.safetensors`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from ..errors import ModelError
from ..files.atomic_write import write_json
from ..files.dataclass_reader import read_dataclass
from ..speech_model.config import FLINTConfig
from .checkpoint import load_strictly, load_weights
from .flint import FLINT

PRIOR_FILE = "motion_prior.safetensors"
PRIOR_CONFIG_FILE = "motion_prior.json"


def save_prior_config(config: FLINTConfig, face: str, licence: str, folder: Path) -> None:
    """Write the motion prior's settings; `face` is the basis of its coefficients."""
    content = {"flint": dataclasses.asdict(config), "face": face, "licence": licence}
    write_json(Path(folder) / PRIOR_CONFIG_FILE, content)


def load_motion_prior(folder: str | Path) -> FLINT:
    """The motion prior in `folder`, in eval mode, for `EMOTE.load_motion_prior` or further training.

    Raises:
        ModelError: if a file is missing or damaged, or weights and settings do not match exactly.
    """
    path = Path(folder) / PRIOR_CONFIG_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["flint"]
        config = read_dataclass(FLINTConfig, values, ("flint",), complete=True)
    except OSError as error:
        raise ModelError(f"{path} cannot be read; choose a folder that holds a motion prior") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} does not describe a motion prior ({error}); convert it again") from error
    model = FLINT(config)
    weights = Path(folder) / PRIOR_FILE
    load_strictly(model, load_weights(weights), weights)
    return model.eval()
