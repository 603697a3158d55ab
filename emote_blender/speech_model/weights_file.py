"""A model's weights file: its name, former names of its tensors, and strict checks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import ModelError
from ..files.named_tensors import TensorSpec, array_specs, described, is_finite, match_tensors
from ..files.safetensors_file import map_tensors

WEIGHTS_FILE = "model.safetensors"
# Names of a weight-normed convolution in torch before 2.0, and since.
_WEIGHT_NORM_NAMES = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}


def read_weights(path: Path, expected: Mapping[str, TensorSpec]) -> dict[str, np.ndarray]:
    """The tensors of a weights file under today's names, in the expected types; they may be memory-mapped.

    Raises:
        ModelError: if the file is missing or damaged, or holds anything but the expected tensors.
    """
    weights = {modern_name(name): array for name, array in map_tensors(path).items()}
    broken = [name for name, array in weights.items() if not is_finite(array)]
    require_fit(path, expected, array_specs(weights), broken)
    return {name: weights[name].astype(spec.dtype, copy=False) for name, spec in expected.items()}


def modern_name(name: str) -> str:
    """A state-dict key with a weight-normed convolution's old names replaced by today's."""
    return re.sub(r"(weight_[gv])$", lambda match: _WEIGHT_NORM_NAMES[match[1]], name)


def require_fit(
    path: Path, expected: Mapping[str, TensorSpec], found: Mapping[str, TensorSpec], broken: Sequence[str]
) -> None:
    """Raise ModelError naming tensors that are missing, unexpected, of another shape or kind, or `broken` (NaN)."""
    mismatch = match_tensors(expected, found)
    problems = described(
        {
            "missing": mismatch.missing,
            "unexpected": mismatch.unexpected,
            "wrong shape or type": mismatch.wrong_tensors,
            "values that are not numbers in": broken,
        }
    )
    if problems:
        raise ModelError(f"{path} does not fit its config.json: {'; '.join(problems)}; use the files of one model")
