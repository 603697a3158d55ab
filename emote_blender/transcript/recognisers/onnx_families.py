"""Families of ONNX speech recognisers: which files make up a model, and which of them a folder holds.

The layouts are those that onnx-asr 0.12 reads. Nothing is loaded here, so that a folder can be examined at once.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ...files.onnx_file import OnnxSummary, examine_onnx

CARD_FILE = "recogniser.json"
_CONFIG_FILE = "config.json"
# Precisions by the ending of a file's name, the preferred first. 8 bits come before full precision, which is four times
# as large and slow for hardly fewer errors. Files in half precision (fp16) do not run on a CPU.
_PRECISIONS = ("int8", "quantized", "uint8", "q8", "", "q4", "bnb4")
_UNUSABLE = ("fp16", "q4f16")
_UNFINISHED = (".part", ".partial", ".incomplete", ".crdownload", ".download", ".tmp", ".aria2")
_MAX_CONFIG_BYTES = 1 << 20
_MAX_VOCABULARY_BYTES = 64 << 20
_MOST_CHECKS = 3
_SEARCHED_FOLDERS = ("", "onnx", "am", "am-onnx", "lang", "data/lang_bpe_500")
# Numbers of config.json that onnx-asr uses without a check, with their range.
_NUMBERS = {
    "features_size": (64, 128),
    "num_mel_bins": (80, 128),
    "subsampling_factor": (1, 64),
    "max_tokens_per_step": (1, 100),
    "max_sequence_length": (16, 4096),
}
ADVICE = "choose a folder with a speech recogniser that docs/manual/recognisers.md lists"


@dataclass(frozen=True)
class Graph:
    """One of a model's graphs.

    Attributes:
        role: onnx-asr's name of it.
        file: pattern of the file's name without precision and suffix.
        inputs: names of inputs that it must have.
        outputs: names of outputs that it must have.
    """

    role: str
    file: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """A kind of speech recogniser.

    Attributes:
        name: its name, for people.
        model_class: module and class of onnx-asr, "whisper.WhisperHf".
        graphs: its graphs.
        texts: patterns of its other files by onnx-asr's name, the vocabulary for example.
        model_types: what config.json gives as `model_type`.
        languages: languages that it recognises; None if the files do not tell.
        needs_config: whether config.json must be there and name it: other families have the same files, or numbers of
            it are needed.
    """

    name: str
    model_class: str
    graphs: tuple[Graph, ...]
    texts: dict[str, str]
    model_types: tuple[str, ...] = ()
    languages: tuple[str, ...] | None = None
    needs_config: bool = False


@dataclass(frozen=True)
class OnnxModel:
    """The files of a speech recogniser in a folder.

    Attributes:
        folder: the folder.
        family: its family.
        files: paths by onnx-asr's names.
        config: content of config.json; empty if there is none.
        card: content of recogniser.json, which a download writes; empty if there is none.
        precision: "int8" for example; empty for full precision.
        num_bytes: size of its graphs.
    """

    folder: Path
    family: Family
    files: dict[str, Path]
    config: dict[str, Any]
    card: dict[str, Any]
    precision: str
    num_bytes: int

    @property
    def name(self) -> str:
        """Its name, for people."""
        title = self.card.get("title")
        return title[:60] if isinstance(title, str) and title else f"{self.family.name} ({self.folder.name})"

    @property
    def languages(self) -> tuple[str, ...] | None:
        """Tags of its languages; None if they are not known."""
        named = self.card.get("languages")
        if isinstance(named, list) and named and all(isinstance(tag, str) and len(tag) < 20 for tag in named):
            return tuple(named[:200])
        return self.family.languages


_WHISPER_TEXTS = {"vocab": "vocab.json", "added_tokens": "added_tokens.json"}
_NEMO_TEXTS = {"vocab": "vocab.txt"}
_NEMO_ENCODER = Graph("encoder", "encoder-model", ("audio_signal", "length"), ("outputs", "encoded_lengths"))
_NEMO_JOINT = Graph(
    "decoder_joint",
    "decoder_joint-model",
    ("encoder_outputs", "targets", "target_length", "input_states_1", "input_states_2"),
    ("outputs", "output_states_1", "output_states_2"),
)
_RUSSIAN = ("ru",)


def _gigaam_rnnt(prefix: str) -> tuple[Graph, ...]:
    """The graphs of a GigaAM transducer."""
    return (
        Graph("encoder", f"{prefix}_encoder", ("audio_signal", "length"), ("encoded", "encoded_len")),
        Graph("decoder", f"{prefix}_decoder", (), ("dec", "h", "c")),
        Graph("joint", f"{prefix}_joint", (), ("joint",)),
    )


def _gigaam_ctc(file: str) -> tuple[Graph, ...]:
    """The graph of a GigaAM CTC model."""
    return (Graph("model", file, ("features", "feature_lengths"), ("log_probs",)),)


# More telling names come first.
FAMILIES = (
    Family(
        "Whisper",
        "whisper.WhisperHf",
        (
            Graph("encoder", "encoder_model", ("input_features",), ("last_hidden_state",)),
            Graph("decoder", "decoder_model_merged", ("input_ids", "encoder_hidden_states"), ("logits",)),
        ),
        _WHISPER_TEXTS,
    ),
    Family(
        "Whisper, one graph",
        "whisper.WhisperOrt",
        (
            Graph(
                "model", "whisper-*_beamsearch", ("input_features", "max_length", "decoder_input_ids"), ("sequences",)
            ),
        ),
        _WHISPER_TEXTS,
    ),
    Family(
        "Canary",
        "nemo.NemoConformerAED",
        (
            Graph("encoder", "encoder-model", ("audio_signal", "length"), ("encoder_embeddings", "encoder_mask")),
            Graph("decoder", "decoder-model", ("input_ids", "encoder_embeddings", "decoder_mems"), ("logits",)),
        ),
        _NEMO_TEXTS,
        ("nemo-conformer-aed",),
    ),
    Family(
        "Parakeet TDT",
        "nemo.NemoConformerTdt",
        (_NEMO_ENCODER, _NEMO_JOINT),
        _NEMO_TEXTS,
        ("nemo-conformer-tdt",),
        needs_config=True,
    ),
    Family(
        "NeMo RNN-T",
        "nemo.NemoConformerRnnt",
        (_NEMO_ENCODER, _NEMO_JOINT),
        _NEMO_TEXTS,
        ("nemo-conformer-rnnt",),
        needs_config=True,
    ),
    Family(
        "GigaAM RNN-T",
        "gigaam.GigaamV3E2eRnnt",
        _gigaam_rnnt("v3_e2e_rnnt"),
        {"vocab": "v3_e2e_rnnt_vocab.txt"},
        languages=_RUSSIAN,
    ),
    Family(
        "GigaAM CTC",
        "gigaam.GigaamV3E2eCtc",
        _gigaam_ctc("v3_e2e_ctc"),
        {"vocab": "v3_e2e_ctc_vocab.txt"},
        languages=_RUSSIAN,
    ),
    Family(
        "GigaAM RNN-T", "gigaam.GigaamV2Rnnt", _gigaam_rnnt("v?_rnnt"), {"vocab": "v?_vocab.txt"}, languages=_RUSSIAN
    ),
    Family("GigaAM CTC", "gigaam.GigaamV2Ctc", _gigaam_ctc("v?_ctc"), {"vocab": "v?_vocab.txt"}, languages=_RUSSIAN),
    Family(
        "GigaAM Multilingual",
        "gigaam.GigaamMultilingualCtc",
        _gigaam_ctc("multilingual*_ctc"),
        {"vocab": "multilingual_vocab.txt"},
    ),
    Family(
        "Vosk or Icefall",
        "kaldi.KaldiTransducer",
        (
            Graph("encoder", "encoder", ("x", "x_lens"), ("encoder_out", "encoder_out_lens")),
            Graph("decoder", "decoder", ("y",), ("decoder_out",)),
            Graph("joiner", "joiner", ("encoder_out", "decoder_out"), ("logit",)),
        ),
        {"vocab": "tokens.txt"},
    ),
    Family(
        "T-one",
        "tone.TOneCtc",
        (Graph("model", "model", ("signal", "state"), ("logprobs", "state_next")),),
        {},
        ("t-one-ctc", "t-one", "tone"),
        _RUSSIAN,
        needs_config=True,
    ),
    Family(
        "NeMo CTC",
        "nemo.NemoConformerCtc",
        (Graph("model", "model", ("audio_signal", "length"), ("logprobs",)),),
        _NEMO_TEXTS,
        ("nemo-conformer-ctc",),
    ),
)


def find_onnx_model(folder: str | Path) -> OnnxModel:
    """The speech recogniser in a folder, found by its files.

    Raises:
        ModelError: if the folder is missing, holds no speech recogniser or half of one, or if a file cannot be used.
    """
    folder = Path(folder)
    names = _names(folder)
    _check_finished(folder, names)
    if not any(name.lower().endswith(".onnx") for name in names):
        raise ModelError(f"{folder} holds no .onnx file; {ADVICE}")
    config, card = _read_object(folder / _CONFIG_FILE), _read_object(folder / CARD_FILE)
    closest: _OtherFamilyError | None = None
    for family in FAMILIES:
        if not any(_variants(names, graph.file) for graph in family.graphs):
            continue
        try:
            return _open_family(folder, names, family, config, card)
        except _OtherFamilyError as error:
            if closest is None or error.num_fitting > closest.num_fitting:
                closest = error
    raise closest or ModelError(f"{folder} holds no speech recogniser of a known family; {ADVICE}")


class _OtherFamilyError(ModelError):
    """The files are not those of this family, but may be those of another one.

    Attributes:
        num_fitting: how many checks the files passed.
    """

    def __init__(self, text: str, num_fitting: int) -> None:
        super().__init__(text)
        self.num_fitting = num_fitting


def _open_family(
    folder: Path, names: dict[str, Path], family: Family, config: dict[str, Any], card: dict[str, Any]
) -> OnnxModel:
    """The model, if the files are those of this family; raises ModelError if not."""
    model_type = str(config.get("model_type", ""))
    is_named = model_type in family.model_types
    variants = {graph.role: _variants(names, graph.file) for graph in family.graphs}
    for graph in family.graphs:
        if not variants[graph.role]:
            raise _OtherFamilyError(
                f"{folder} lacks {graph.file}.onnx of {family.name}{_unusable_too(names, graph.file)}; download it too",
                _MOST_CHECKS if is_named else 0,
            )
    if family.needs_config and not config:
        raise _OtherFamilyError(
            f"{folder / _CONFIG_FILE} not found, without which {family.name} cannot be used; download it too", 1
        )
    if family.needs_config and not is_named:
        raise _OtherFamilyError(
            f"{folder / _CONFIG_FILE} gives model_type {model_type[:40]!r}, which is no known family; {ADVICE}", 1
        )
    precision = next((name for name in _PRECISIONS if all(name in found for found in variants.values())), None)
    files: dict[str, Path] = {}
    num_bytes, precisions = 0, []
    for graph in family.graphs:
        found = variants[graph.role]
        own = precision if precision is not None else next(name for name in _PRECISIONS if name in found)
        if len(found[own]) > 1:
            raise ModelError(f"{folder} holds {' and '.join(path.name for path in found[own])}; keep one of them")
        summary = examine_onnx(found[own][0])
        _check_graph(found[own][0], family, graph, summary)
        files[graph.role] = found[own][0]
        num_bytes += summary.num_bytes
        precisions.append(own)
    for role, pattern in family.texts.items():
        files[role] = _text_file(folder, names, pattern, family)
    if config:
        _check_config(folder / _CONFIG_FILE, config)
        files["config"] = folder / _CONFIG_FILE
    return OnnxModel(folder, family, files, config, card, next(filter(None, precisions), ""), num_bytes)


def _names(folder: Path) -> dict[str, Path]:
    """Files of the folder and of the subfolders that layouts use, by their path below it."""
    try:
        if not folder.is_dir():
            if folder.exists():
                raise ModelError(f"{folder} is a file; choose the folder with the recogniser's files")
            raise ModelError(f"{folder} not found; choose the folder of a speech recogniser again")
        found: dict[str, Path] = {}
        for below in _SEARCHED_FOLDERS:
            place = folder / below
            if place.is_dir():
                found |= {
                    f"{below}/{file.name}".lstrip("/"): file for file in sorted(place.iterdir()) if file.is_file()
                }
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} cannot be read ({getattr(error, 'strerror', None) or error}); {ADVICE}") from error
    if not found:
        raise ModelError(f"{folder} is empty; {ADVICE}")
    return found


def _check_finished(folder: Path, names: dict[str, Path]) -> None:
    """Raise ModelError if a download into the folder has not ended."""
    for name in names:
        ending = next((ending for ending in _UNFINISHED if name.lower().endswith(ending)), "")
        if ending and name[: -len(ending)] not in names:
            raise ModelError(f"{folder} is half downloaded ({name}); download it again, which goes on where it ended")


def _variants(names: dict[str, Path], file: str) -> dict[str, list[Path]]:
    """Paths of a graph's usable files by precision."""
    pattern = re.escape(file).replace(r"\*", ".*").replace(r"\?", ".")
    wanted = re.compile(rf"(?:{pattern})(?:[._-](?P<precision>{'|'.join(filter(None, _PRECISIONS))}))?\.onnx")
    found: dict[str, list[Path]] = {}
    for path in names.values():
        if match := wanted.fullmatch(path.name):
            found.setdefault(match["precision"] or "", []).append(path)
    return found


def _unusable_too(names: dict[str, Path], file: str) -> str:
    """A remark if the graph is there in a precision that does not run on a CPU."""
    there = [path.name for path in names.values() if path.name.startswith(file) and _half(path.name)]
    return f" (half precision as in {there[0]} does not run here)" if there else ""


def _half(name: str) -> bool:
    return any(name.endswith(f"{ending}.onnx") for ending in _UNUSABLE)


def _check_graph(path: Path, family: Family, graph: Graph, summary: OnnxSummary) -> None:
    """Raise ModelError if the graph's inputs and outputs are not those of the family."""
    missing = [name for name in graph.inputs if name not in summary.inputs]
    missing += [name for name in graph.outputs if name not in summary.outputs]
    if missing:
        raise _OtherFamilyError(
            f"{path} is no graph of {family.name} (it lacks {', '.join(missing)}): another kind of model; {ADVICE}", 2
        )


def _text_file(folder: Path, names: dict[str, Path], pattern: str, family: Family) -> Path:
    """The file with a vocabulary; raises ModelError."""
    matching = re.compile(re.escape(pattern).replace(r"\?", "."))
    paths = [path for path in names.values() if matching.fullmatch(path.name)]
    if not paths:
        raise _OtherFamilyError(f"{folder / pattern} not found, the vocabulary of {family.name}; download it too", 3)
    size = paths[0].stat().st_size
    if not 0 < size <= _MAX_VOCABULARY_BYTES:
        raise ModelError(f"{paths[0]} is {'empty' if not size else 'no vocabulary'} ({size} bytes); download it again")
    return paths[0]


def _check_config(path: Path, config: dict[str, Any]) -> None:
    """Raise ModelError for numbers that cannot be those of a speech recogniser."""
    for name, (least, most) in _NUMBERS.items():
        value = config.get(name)
        if value is not None and (type(value) is not int or not least <= value <= most):
            raise ModelError(f"{path}: {name} must be a number from {least} to {most}, found {value!r:.40}")


def _read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is no such file; raises ModelError."""
    try:
        if not path.is_file():
            return {}
        if path.stat().st_size > _MAX_CONFIG_BYTES:
            raise ModelError(f"{path} is larger than {_MAX_CONFIG_BYTES >> 20} MB; {ADVICE}")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); download it again") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no JSON ({str(error)[:80]}); download it again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no object; download it again")
    return content
