"""Conversion of official EMOTE checkpoints to model folders; every tensor is used or left out for a known reason."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import InputError, ModelError
from ..files.atomic_write import check_new_folder, new_folder
from ..files.named_tensors import TensorSpec, described, take_tensors
from ..files.safetensors_file import write_tensors
from ..flame.model import FaceModel
from ..flame.regions import compute_regions
from ..speech_model.config import EMOTEConfig, save_config
from ..speech_model.graphs import expected_tensors
from ..speech_model.weights_file import WEIGHTS_FILE, modern_name
from ..steps import Step, no_step
from .pickle_reader import load_torch
from .settings import FACE, LICENCE, Settings, emote_config, read_settings

FLAME_PREFIX = "sequence_decoder.flame."
FLAME_LICENCE = "FLAME licence (flame.is.tue.mpg.de); taken from an EMOTE checkpoint: non-commercial, no redistribution"
# Keys that a model does not have, by prefix or suffix, and why they are left out.
DROPPED = (
    (r"renderer\.", "the renderer, which only training uses"),
    (r"sequence_decoder\.flame\.", "FLAME's arrays, which belong to a head"),
    (r"audio_model\.model\.masked_spec_embed$", "the mask of a training without one"),
)


@dataclass
class Conversion:
    """The result of a conversion.

    Attributes:
        source: the checkpoint.
        output: the folder that was written.
        kept: number of tensors and of values of the model.
        dropped: number of tensors and of values left out, by the reason.
        notes: sentences about assumptions and contradictions.
        licences: licence of each folder that was written.
    """

    source: Path
    output: Path
    kept: tuple[int, int]
    dropped: dict[str, tuple[int, int]]
    notes: list[str] = field(default_factory=list)
    licences: dict[Path, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The report, one line each."""
        report = [f"kept {self.kept[0]} tensors ({self.kept[1]:,} values): every weight of the model is filled"]
        report += [
            f"dropped {count} tensors ({values:,} values): {why}" for why, (count, values) in self.dropped.items()
        ]
        report += [f"note: {note}" for note in self.notes]
        return report + [f"licence of {folder}: {licence}" for folder, licence in self.licences.items()]


def convert_emote(
    source: str | Path,
    output: str | Path,
    settings_file: str | Path | None = None,
    head_output: str | Path | None = None,
    step: Step = no_step,
) -> Conversion:
    """Convert an official EMOTE checkpoint to a model folder, and return the result.

    Args:
        source: the checkpoint, or the official folder with cfg.yaml and checkpoints/last.ckpt.
        output: the model folder; a new or empty folder.
        settings_file: cfg.yaml, if it is not beside the checkpoint.
        head_output: folder for the FLAME head of the checkpoint; None to leave the head out.
        step: called with the fraction done and the next step; an exception from it ends the conversion.

    Raises:
        InputError: naming the setting, key or file that cannot be used. Nothing is left half-written.
        ModelError: if the architecture's graphs do not ship, and torch is not installed to make them.
    """
    from ..engine.torch import write_missing_graphs

    output = Path(output)
    outputs = [output] if head_output is None else [output, Path(head_output)]
    if len({folder.resolve() for folder in outputs}) != len(outputs):
        raise InputError(f"{output} is named twice; give the head a folder of its own")
    for folder in outputs:
        check_new_folder(folder)
    checkpoint, settings = find_checkpoint(Path(source), settings_file, _last_checkpoint)
    step(0.0, "Reading the checkpoint")
    state = state_dict_of(checkpoint)
    config = emote_config({key: tensor.shape for key, tensor in state.items()}, settings, output.name, checkpoint)
    with ExitStack() as unfinished:
        folder = unfinished.enter_context(new_folder(output))
        step(0.4, "Checking the weights")
        if head_output is not None:  # first: what it takes is free again when the weights come
            head = _flame_head(state, config.num_expression, checkpoint)
            head.save(unfinished.enter_context(new_folder(outputs[1])))
            del head
        write_missing_graphs(config, folder)
        kept, dropped = account(state, expected_tensors(config, folder), checkpoint)
        licences = dict(zip(outputs, (LICENCE, FLAME_LICENCE)))
        conversion = Conversion(checkpoint, output, sizes_of(kept), dropped, settings.notes, licences)
        step(0.6, "Writing the weights")
        write_tensors(folder / WEIGHTS_FILE, kept)
        save_config(config, folder)
        (folder / "README.md").write_text(_card(config, conversion), encoding="utf-8")
        step(1.0, "Done")
    return conversion


def find_checkpoint(
    source: Path, settings_file: str | Path | None, choose: Callable[[Path], Path]
) -> tuple[Path, Settings]:
    """The checkpoint in `source` and its settings."""
    if settings_file is not None and not Path(settings_file).is_file():
        raise InputError(f"{settings_file} not found; give the cfg.yaml that came with the checkpoint")
    checkpoint = choose(source) if source.is_dir() else source
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint} not found; give a checkpoint (.ckpt) or the folder with cfg.yaml")
    beside = [folder / "cfg.yaml" for folder in (source, *checkpoint.parents[:3])]
    found = Path(settings_file) if settings_file else next((path for path in beside if path.is_file()), None)
    return checkpoint, read_settings(found)


def _last_checkpoint(folder: Path) -> Path:
    """The checkpoint that the authors use for EMOTE: checkpoints/last.ckpt."""
    found = sorted(folder.rglob("last.ckpt"))
    if len(found) != 1:
        names = ", ".join(str(path.relative_to(folder)) for path in found[:3] or sorted(folder.rglob("*.ckpt"))[:3])
        raise InputError(
            f"{folder} holds {len(found)} files called last.ckpt, expected checkpoints/last.ckpt "
            f"(found: {names or 'no .ckpt'}); give the checkpoint itself"
        )
    return found[0]


def state_dict_of(checkpoint: Path) -> dict[str, np.ndarray]:
    """The checkpoint's tensors under today's names."""
    content = load_torch(checkpoint)
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, np.ndarray) for value in state.values()):
        raise InputError(f"{checkpoint} has no state_dict of tensors; give the checkpoint that Lightning wrote")
    renamed = {modern_name(str(key)): value for key, value in state.items()}
    if len(renamed) != len(state):
        raise InputError(f"{checkpoint} holds a weight-normed convolution twice, under old and new names")
    return renamed


def account(
    state: dict[str, np.ndarray], expected: Mapping[str, TensorSpec], checkpoint: Path
) -> tuple[dict[str, np.ndarray], dict[str, tuple[int, int]]]:
    """The expected tensors of `state`, and the sizes of those left out, by the reason.

    Raises:
        InputError: naming keys that are missing, of another shape, not numbers, or left over without a reason.
    """
    kept, problems = take_tensors(expected, state)
    left: dict[str, list[np.ndarray]] = {}
    unknown = []
    for key in (key for key in state if key not in expected):
        why = next((reason for pattern, reason in DROPPED if re.match(pattern, key)), None)
        if why is None:
            unknown.append(key)
        else:
            left.setdefault(why, []).append(state[key])
    problems += described({"holds unknown": unknown})
    if problems:
        raise InputError(f"{checkpoint} {'; '.join(problems)}; convert a checkpoint of the released EMOTE or FLINT")
    return kept, {why: (len(values), sum(value.size for value in values)) for why, values in left.items()}


def _flame_head(state: dict[str, np.ndarray], num_expression: int, checkpoint: Path) -> FaceModel:
    """The FLAME head in the checkpoint."""
    names = "v_template faces_tensor shapedirs posedirs J_regressor lbs_weights parents".split()
    if lacking := [name for name in names if FLAME_PREFIX + name not in state]:
        raise InputError(f"{checkpoint} carries no FLAME head (it lacks {', '.join(lacking)}); leave out --with-flame")
    template, faces, shapes, poses, regressor, weights, parents = (
        np.ascontiguousarray(state[FLAME_PREFIX + name]) for name in names
    )
    landmarks = [state.get(f"{FLAME_PREFIX}full_lmk_{part}") for part in ("faces_idx", "bary_coords")]
    has_landmarks = all(part is not None and part.ndim > 1 and part.shape[0] == 1 for part in landmarks)
    model = FaceModel(
        v_template=template.astype(np.float32),
        faces=faces.astype(np.int32),
        shapedirs=shapes.astype(np.float32),
        posedirs=poses.astype(np.float32),
        J_regressor=regressor.astype(np.float32),
        lbs_weights=weights.astype(np.float32),
        parents=parents.astype(np.int32),
        num_shape=shapes.shape[-1] - num_expression,
        num_expression=num_expression,
        basis=FACE,
        licence=FLAME_LICENCE,
        landmark_faces=landmarks[0][0].astype(np.int32) if has_landmarks else None,  # type: ignore[index]
        landmark_barycentrics=landmarks[1][0].astype(np.float32) if has_landmarks else None,  # type: ignore[index]
    )
    try:
        model.check(source=f"the FLAME head in {checkpoint}")
    except ModelError as error:
        raise InputError(f"{error}; leave out --with-flame and convert the FLAME file itself") from error
    return replace(model, regions=compute_regions(model)[0])


def sizes_of(tensors: dict[str, np.ndarray]) -> tuple[int, int]:
    """Number of tensors, and of their values."""
    return len(tensors), sum(math.prod(tensor.shape) for tensor in tensors.values())


def _card(config: EMOTEConfig, conversion: Conversion) -> str:
    """The model folder's README."""
    lines = "\n".join(f"- {line}" for line in conversion.lines())
    return (
        f"# {config.name}\n\nConverted from `{conversion.source.name}`, a checkpoint of EMOTE (Daněček 2023).\n\n"
        f"Licence: {config.licence}. You got it from its authors; do not pass it on.\n\n"
        f"Face: {config.face}, {config.num_expression} expression components.\n\n"
        f"Speakers: {', '.join(config.speakers)}.\n\n"
        f"## What was taken over\n\n{lines}\n"
    )
