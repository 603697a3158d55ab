"""Descriptions of model folders, head folders and motion files, as lines of text."""

from __future__ import annotations

import json
import math
import os
import textwrap
from pathlib import Path

from ..capture.motion_files import load_motion
from ..errors import InputError, ModelError
from ..files.console_progress import warn
from ..files.pasted_path import pasted_path, unquoted
from ..files.paths import (
    HEAD_FILE,
    MODEL_FILE,
    available_heads,
    available_models,
    find_head,
    find_model,
    is_name,
    search_folders,
)
from ..files.safetensors_file import read_shapes
from ..flame.model import FaceModel
from ..speech_model.config import load_config

_LINE_WIDTH = 110


def describe_installed() -> str:
    """The installed models and heads, one line each, and the searched folders."""
    lines = []
    for title, found, describe in (
        ("models", available_models(), _model_line),
        ("heads", available_heads(), _head_line),
    ):
        lines.append(f"{title}:" if found else f"{title}: none")
        for name, folder in found.items():
            try:
                lines.append(f"  {name}: {describe(folder)}")
            except ModelError as error:
                lines.append(f"  {name}: cannot be used: {error}")
    lines.append("looked for in:")
    lines.extend(f"  {folder}" + ("" if folder.is_dir() else " (not there)") for folder in search_folders())
    return "\n".join(lines)


def describe(name_or_path: str) -> str:
    """The description of the model, head or motion at a path, or of the model or head of a name.

    Raises:
        EmoteError: if there is nothing, or it is damaged.
    """
    name_or_path = unquoted(name_or_path)
    path = Path(name_or_path) if is_name(name_or_path) else pasted_path(name_or_path)
    if os.path.isfile(path):
        return _describe_motion(path)
    if os.path.isfile(path / MODEL_FILE) or name_or_path in available_models():
        return _describe_model(find_model(name_or_path))
    if os.path.isfile(path / HEAD_FILE) or name_or_path in available_heads():
        return _describe_head(find_head(name_or_path))
    if os.path.isdir(path):
        raise ModelError(f"{path} has neither {MODEL_FILE} nor {HEAD_FILE}; give a model folder or a head folder")
    names = ", ".join((*available_models(), *available_heads())) or "none"
    raise InputError(f"{name_or_path} not found; give a motion file, a model or a head (available: {names})")


def count_parameters(path: Path) -> int:
    """Number of values in a safetensors file, from its header; raises ModelError if it is missing or damaged."""
    return sum(math.prod(shape) for shape in read_shapes(path).values())


def _model_line(folder: Path) -> str:
    config = load_config(folder)
    return f"speaks for {config.face}, {config.num_expression} expression components, licence {config.licence}"


def _head_line(folder: Path) -> str:
    head = FaceModel.load(folder)
    return f"{head.basis}, {head.num_expression} expression components, licence {head.licence}"


def _describe_model(folder: Path) -> str:
    config = load_config(folder)
    weights = folder / "model.safetensors"
    return _table(
        {
            "model": config.name,
            "folder": folder,
            "face": config.face,
            "expression": _components(config.num_expression, config.expression_names),
            "emotions": ", ".join(config.emotions),
            "intensities": config.intensities,
            "speakers": f"{len(config.speakers)}: {', '.join(config.speakers)}",
            "audio": f"{config.audio_encoder.type}, {config.sample_rate} Hz",
            "fps": config.fps,
            "parameters": f"{count_parameters(weights):,} ({weights.stat().st_size / 1e6:.1f} MB)",
            "licence": config.licence,
        }
    )


def _describe_head(folder: Path) -> str:
    head = FaceModel.load(folder)
    return _table(
        {
            "head": folder.name,
            "folder": folder,
            "face": head.basis,
            "vertices": len(head.v_template),
            "triangles": len(head.faces),
            "expression": _components(head.num_expression, head.expression_names),
            "shape": _components(head.num_shape, head.shape_names),
            "joints": ", ".join(head.joint_names),
            "licence": head.licence,
        }
    )


def _describe_motion(path: Path) -> str:
    motion = load_motion(path, warn=warn)
    names = motion.meta.get("expression_names")
    meta = {key: value for key, value in motion.meta.items() if key != "expression_names"}
    return _table(
        {
            "motion": path,
            "duration": f"{motion.duration_seconds:.2f} s, {motion.num_frames} frames at {motion.fps:g} fps",
            "expression": _components(motion.num_expression, names if isinstance(names, list) else None),
            "holds": ", ".join(["jaw", *(name for name in ("eyes", "neck") if getattr(motion, name) is not None)]),
            **{
                key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                for key, value in meta.items()
            },
        }
    )


def _components(number: int, names: list | tuple | None) -> str:
    """The components as words: "50 components: browDownLeft, ..." or "100 components without names"."""
    return f"{number} components: {', '.join(map(str, names))}" if names else f"{number} components without names"


def _table(values: dict[str, object]) -> str:
    """The entries as lines, with the values in one column; long values are wrapped."""
    width = max(map(len, values)) + 2
    return "\n".join(
        textwrap.fill(
            str(value),
            _LINE_WIDTH,
            initial_indent=f"{key + ':':<{width}}",
            subsequent_indent=" " * width,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for key, value in values.items()
    )
