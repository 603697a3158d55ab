"""The ONNX graphs of a model: their files, what they compute and which tensors they read.

A graph holds no weights. It belongs to an architecture, not to a model: it is independent of name, speakers and
licence, and the number of conditions is free. The description beside each graph lists the tensors of a model of this
architecture, so that neither torch nor onnx is needed to check a weights file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import ModelError
from ..files.atomic_write import atomic_file
from ..files.named_tensors import TensorSpec
from .config import EMOTEConfig, Wav2Vec2EncoderConfig

Part = Literal["audio_encoder", "motion"]
PARTS: tuple[Part, ...] = ("audio_encoder", "motion")
FOLDER_NAME = "graphs"
SHIPPED_GRAPHS = Path(__file__).parent.parent / "engine" / FOLDER_NAME
STYLE_WEIGHT = "sequence_decoder.obj_vector.map.weight"
MASK_EMBEDDING = "audio_model.model.masked_spec_embed"
# Fields that only training uses; they do not change a graph.
_TRAINING_FIELDS = {
    *("dropout", "hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout", "layerdrop"),
    *("mask_time_prob", "mask_time_length"),
}


class MissingGraphError(ModelError):
    """There is no graph for a model's architecture."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph file and its description.

    Attributes:
        path: the .onnx file; its description is beside it.
        architecture: see `architecture`.
        tensors: tensors of this part in a model's weights file. A size of None is the number of conditions.
        weights: names of the tensors that the graph reads.
        sha256: checksum of the .onnx file.
    """

    path: Path
    architecture: dict[str, Any]
    tensors: dict[str, TensorSpec]
    weights: tuple[str, ...]
    sha256: str

    def read(self) -> bytes:
        """The bytes of the graph; raises ModelError if the file is missing or is not the described one."""
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise ModelError(f"{self.path} cannot be read ({error.strerror}); {_repair(self.path)}") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ModelError(f"{self.path} is truncated or damaged ({len(content)} bytes); {_repair(self.path)}")
        return content

    def write(self, content: bytes) -> None:
        """Write the graph and, after it, its description."""
        description = {
            "architecture": self.architecture,
            "sha256": self.sha256,
            "weights": list(self.weights),
            "tensors": {name: [spec.dtype, *spec.shape] for name, spec in self.tensors.items()},
        }
        lines = [f"{json.dumps(key)}: {_json_text(value)}" for key, value in description.items()]
        with atomic_file(self.path) as temporary:
            temporary.write_bytes(content)
        with atomic_file(self.path.with_suffix(".json")) as temporary:
            temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", newline="\n")


def architecture(config: EMOTEConfig, part: Part) -> dict[str, Any]:
    """The fields of a configuration on which the graph of a part depends.

    A field of a later version is left out if it has its default, so that the names of files do not change.
    """
    if part == "audio_encoder":
        return {**_fields(config.audio_encoder), "samples_per_frame": config.samples_per_frame}
    return {
        "type": "motion",
        "audio_dim": config.audio_encoder.dim,
        "decoder": _fields(config.decoder),
        "flint": _fields(config.flint),
    }


def graph_name(config: EMOTEConfig, part: Part) -> str:
    """File name, without suffix, of the part's graph: its kind, its width, and a digest of its architecture."""
    fields = architecture(config, part)
    width = config.audio_encoder.dim if part == "audio_encoder" else config.num_expression
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    return f"{fields['type']}_{width}_{digest[:12]}"


def find_graph(config: EMOTEConfig, part: Part, model_folder: Path | None = None) -> Graph:
    """The graph of a part of a model, from the model's own folder or from the shipped ones.

    Raises:
        MissingGraphError: if there is none for this architecture.
        ModelError: if its description is damaged, or is that of another architecture.
    """
    name = graph_name(config, part)
    folders = [SHIPPED_GRAPHS] if model_folder is None else [model_folder / FOLDER_NAME, SHIPPED_GRAPHS]
    for folder in folders:
        if (path := folder / f"{name}.json").is_file():
            graph = _read_description(path)
            if graph.architecture != _plain(architecture(config, part)):
                raise ModelError(f"{path} describes another architecture than {config.name}'s; {_repair(path)}")
            return graph
    raise MissingGraphError(
        f"no ONNX graph is here for the architecture of {config.name} ({name}); make it once where torch is installed: "
        "python -m emote_blender convert graphs MODEL_FOLDER"
    )


def has_graph(config: EMOTEConfig, part: Part, model_folder: Path | None = None) -> bool:
    """Whether `find_graph` finds one."""
    try:
        find_graph(config, part, model_folder)
    except MissingGraphError:
        return False
    return True


def expected_tensors(config: EMOTEConfig, model_folder: Path | None = None) -> dict[str, TensorSpec]:
    """The tensors that the weights file of such a model must hold, exactly; raises as `find_graph`."""
    expected = {}
    for part in PARTS:
        for name, spec in find_graph(config, part, model_folder).tensors.items():
            shape = tuple(config.num_conditions if size is None else size for size in spec.shape)
            expected[name] = TensorSpec(shape, spec.dtype)
    encoder = config.audio_encoder
    if isinstance(encoder, Wav2Vec2EncoderConfig) and encoder.mask_time_prob > 0:
        expected[MASK_EMBEDDING] = TensorSpec((encoder.hidden_size,), "float32")
    return expected


def _fields(part: Any) -> dict[str, Any]:
    """The fields of a part, without those of training and without later fields that have their defaults."""
    return {
        field.name: value
        for field in dataclasses.fields(part)
        if field.name not in _TRAINING_FIELDS
        and not ((value := getattr(part, field.name)) == field.default and "since" in field.metadata)
    }


def _read_description(path: Path) -> Graph:
    """The graph of a description file; raises ModelError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        tensors = {name: TensorSpec(tuple(shape), dtype) for name, (dtype, *shape) in content["tensors"].items()}
        return Graph(
            path.with_suffix(".onnx"), content["architecture"], tensors, tuple(content["weights"]), content["sha256"]
        )
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); {_repair(path)}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged ({type(error).__name__}: {error}); {_repair(path)}") from error


def _repair(path: Path) -> str:
    """What to do about a file that is damaged."""
    if path.parent == SHIPPED_GRAPHS:
        return "install the add-on again"
    return f"make it again: python -m emote_blender convert graphs {path.parent.parent}"


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """The values as JSON returns them: lists in place of tuples."""
    return json.loads(json.dumps(values))


def _json_text(value: Any) -> str:
    """JSON with one entry of a table per line, for readable diffs."""
    if not isinstance(value, dict):
        return json.dumps(value)
    return "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items()) + "\n}"
