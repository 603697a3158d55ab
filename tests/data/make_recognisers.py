"""Makes tests/data/recognisers: tiny speech recognisers in the layouts of real ones. Run by hand; needs onnx.

They recognise tones: 300 Hz is "hel", 1200 Hz "lo", 4000 Hz "world", and silence is nothing. To Whisper a low tone is
an English sentence and a high one a German. The graphs have the inputs, outputs and types of the real ones, and
Whisper's decoder has its two branches with and without a cache.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent / "recognisers"
_OPSET, _IR_VERSION = 17, 8
_NUM_MELS = 80
_SPLITS = 18, 50  # mel bands that begin at about 700 Hz and 2300 Hz
_NEMO_TOKENS = ("▁hel", "lo", "▁world", "<blk>")
_WHISPER_SPECIAL = (
    "<|endoftext|> <|startoftranscript|> <|en|> <|de|> <|translate|> <|transcribe|> <|nospeech|> <|notimestamps|>"
).split()
_WHISPER_TEXTS = ("hello", "Ġworld", "Ġhallo", "ĠW", "elt", "Ġ")


def main() -> None:
    """Write the folders in place of those that are there."""
    _nemo_ctc(FOLDER / "nemo_ctc")
    _parakeet(FOLDER / "parakeet")
    _whisper(FOLDER / "whisper")


def _value(name: str, shape: tuple, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _array(name: str, values: np.ndarray) -> TensorProto:
    return numpy_helper.from_array(values, name)


def _save(path: Path, nodes: list, inputs: list, outputs: list, arrays: dict[str, np.ndarray]) -> None:
    """Write a graph."""
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, [_array(*item) for item in arrays.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _bands(splits: tuple[int, ...] = _SPLITS) -> np.ndarray:
    """(1, B, 80) means over the mel bands between the splits."""
    edges = (0, *splits, _NUM_MELS)
    bands = np.zeros((1, len(edges) - 1, _NUM_MELS), np.float32)
    for band, (first, last) in enumerate(zip(edges, edges[1:])):
        bands[0, band, first:last] = 1 / (last - first)
    return bands


def _tone_scores() -> np.ndarray:
    """(4, 4) scores of each token and blank, of the three bands and 1."""
    return np.array([[12, -6, -6, 0], [-6, 12, -6, 0], [-6, -6, 12, 0], [0, 0, 0, 14]], np.float32)


def _nemo_frames() -> tuple[list, dict[str, np.ndarray]]:
    """Nodes from `audio_signal` to `frames`: (1, T / 8, 4) with the three bands and 1."""
    nodes = [
        helper.make_node("MatMul", ["bands", "audio_signal"], ["banded"]),
        helper.make_node("AveragePool", ["banded"], ["pooled"], kernel_shape=[8], strides=[8], ceil_mode=1),
        helper.make_node("Transpose", ["pooled"], ["moved"], perm=[0, 2, 1]),
        helper.make_node("Pad", ["moved", "pads", "one"], ["frames"]),
    ]
    arrays = {"bands": _bands(), "pads": np.array([0, 0, 0, 0, 0, 1]), "one": np.array(1, np.float32)}
    return nodes, arrays


def _nemo_texts(folder: Path, model_type: str) -> None:
    lines = "".join(f"{token} {index}\n" for index, token in enumerate(_NEMO_TOKENS))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text(lines, encoding="utf-8", newline="\n")
    _json(folder / "config.json", {"model_type": model_type, "features_size": _NUM_MELS, "subsampling_factor": 8})


def _nemo_ctc(folder: Path) -> None:
    """CTC: log-probabilities of every 80 ms."""
    _nemo_texts(folder, "nemo-conformer-ctc")
    nodes, arrays = _nemo_frames()
    nodes += [
        helper.make_node("MatMul", ["frames", "scores"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["logprobs"], axis=-1),
    ]
    _save(
        folder / "model.onnx",
        nodes,
        [_value("audio_signal", (1, _NUM_MELS, "time")), _value("length", (1,), TensorProto.INT64)],
        [_value("logprobs", (1, "frames", len(_NEMO_TOKENS)))],
        arrays | {"scores": _tone_scores().T.copy()},
    )


def _parakeet(folder: Path) -> None:
    """TDT: after a token its duration; the file names are those of an 8-bit model."""
    _nemo_texts(folder, "nemo-conformer-tdt")
    nodes, arrays = _nemo_frames()
    nodes += [
        helper.make_node("Transpose", ["frames"], ["outputs"], perm=[0, 2, 1]),
        helper.make_node("Add", ["length", "seven"], ["more"]),
        helper.make_node("Div", ["more", "eight"], ["encoded_lengths"]),
    ]
    _save(
        folder / "encoder-model.int8.onnx",
        nodes,
        [_value("audio_signal", (1, _NUM_MELS, "time")), _value("length", (1,), TensorProto.INT64)],
        [_value("outputs", (1, 4, "frames")), _value("encoded_lengths", (1,), TensorProto.INT64)],
        arrays | {"seven": np.array(7), "eight": np.array(8)},
    )
    # Scores of tokens and of durations 0 to 4: always 4 frames after a word, 1 after silence.
    scores = np.concatenate([_tone_scores(), np.zeros((5, 4), np.float32)])
    scores[4 + 4] = [9, 9, 9, -3]
    scores[4 + 1, 3] = 3.0
    state = ("input_states_1", "input_states_2")
    _save(
        folder / "decoder_joint-model.int8.onnx",
        [
            helper.make_node("MatMul", ["scores", "encoder_outputs"], ["flat"]),
            helper.make_node("Unsqueeze", ["flat", "axis"], ["outputs"]),
            *(helper.make_node("Identity", [name], [name.replace("input", "output")]) for name in state),
        ],
        [
            _value("encoder_outputs", (1, 4, 1)),
            _value("targets", (1, 1), TensorProto.INT32),
            _value("target_length", (1,), TensorProto.INT32),
            *(_value(name, (1, 1, 2)) for name in state),
        ],
        [
            _value("outputs", (1, 1, len(scores), 1)),
            *(_value(name.replace("input", "output"), (1, 1, 2)) for name in state),
        ],
        {"scores": scores[None], "axis": np.array([1])},
    )


def _whisper(folder: Path) -> None:
    """Whisper as optimum writes it: high tones are German, low ones English, and each language has one sentence."""
    tokens = {name: index for index, name in enumerate((*_WHISPER_TEXTS, *_WHISPER_SPECIAL))}
    _json(folder / "vocab.json", {name: tokens[name] for name in (*_WHISPER_TEXTS, _WHISPER_SPECIAL[0])})
    _json(folder / "added_tokens.json", {name: tokens[name] for name in _WHISPER_SPECIAL[1:]})
    _json(folder / "config.json", {"model_type": "whisper", "num_mel_bins": _NUM_MELS, "vocab_size": len(tokens)})
    _save(
        folder / "onnx" / "encoder_model_quantized.onnx",
        [
            helper.make_node("MatMul", ["bands", "input_features"], ["banded"]),
            helper.make_node("ReduceMax", ["banded"], ["loudest"], axes=[2], keepdims=1),
            helper.make_node("Transpose", ["loudest"], ["moved"], perm=[0, 2, 1]),
            helper.make_node("Tile", ["moved", "times"], ["last_hidden_state"]),
        ],
        [_value("input_features", ("batch", _NUM_MELS, 3000))],
        [_value("last_hidden_state", ("batch", 1500, 2))],
        {"bands": _bands(_SPLITS[1:]), "times": np.array([1, 1500, 1])},
    )
    # What follows each token: the start is followed by the language that the sound decides, a language by its sentence.
    chain = np.zeros((len(tokens), len(tokens)), np.float32)
    sentences = {"<|en|>": ("hello", "Ġworld"), "<|de|>": ("Ġhallo", "ĠW", "elt")}
    by_sound = np.zeros((2, len(tokens)), np.float32)
    for band, (language, sentence) in enumerate(sentences.items()):
        by_sound[band, tokens[language]] = 4.0
        # After the prompt's last token the sound decides again, as it cannot see the language.
        by_sound[band, tokens[sentence[0]]] = 4.0
        for token, following in zip(sentence, (*sentence[1:], "<|endoftext|>"), strict=True):
            chain[tokens[token], tokens[following]] = 60.0
    chain[tokens["<|startoftranscript|>"], [tokens[name] for name in sentences]] = 30.0
    chain[tokens["<|notimestamps|>"], [tokens[sentence[0]] for sentence in sentences.values()]] = 30.0
    past, present = "past_key_values.0.{}.{}", "present.0.{}.{}"
    names = [(part, kind) for part in ("decoder", "encoder") for kind in ("key", "value")]
    cache_shape = ("batch", 1, "past", 2)

    def branch(name: str, cached: bool) -> onnx.GraphProto:
        """The body of the graph with or without a cache."""
        nodes, outputs = [], []
        for part, kind in names:
            output = f"{name}_{part}_{kind}"
            if part == "encoder" and cached:
                nodes.append(helper.make_node("Identity", ["nothing"], [output]))  # as optimum: "what you had"
            elif cached:
                nodes.append(helper.make_node("Concat", [past.format(part, kind), "new"], [output], axis=2))
            else:
                nodes.append(helper.make_node("Identity", ["new"], [output]))
            outputs.append(_value(output, (None, 1, None, 2)))
        return helper.make_graph(nodes, name, [], outputs)

    _save(
        folder / "onnx" / "decoder_model_merged_quantized.onnx",
        [
            helper.make_node("Gather", ["chain", "input_ids"], ["followed"]),
            helper.make_node("ReduceMax", ["encoder_hidden_states"], ["sound"], axes=[1], keepdims=1),
            helper.make_node("MatMul", ["sound", "by_sound"], ["decided"]),
            helper.make_node("Add", ["followed", "decided"], ["logits"]),
            helper.make_node("Shape", ["input_ids"], ["id_shape"]),
            helper.make_node("Gather", ["id_shape", "second"], ["num_ids"]),
            helper.make_node("Concat", ["ones", "num_ids", "twos"], ["new_shape"], axis=0),
            helper.make_node("Expand", ["zero", "new_shape"], ["new"]),
            helper.make_node(
                "If",
                ["use_cache_branch"],
                [present.format(*name) for name in names],
                then_branch=branch("cached", True),
                else_branch=branch("fresh", False),
            ),
        ],
        [
            _value("input_ids", ("batch", "ids"), TensorProto.INT64),
            _value("encoder_hidden_states", ("batch", "frames", 2)),
            *(_value(past.format(*name), cache_shape) for name in names),
            _value("use_cache_branch", (1,), TensorProto.BOOL),
        ],
        [
            _value("logits", ("batch", "ids", len(tokens))),
            *(_value(present.format(*name), (None, 1, None, 2)) for name in names),
        ],
        {
            "chain": chain,
            "by_sound": by_sound,
            "second": np.array([1]),
            "ones": np.array([1, 1]),
            "twos": np.array([2]),
            "zero": np.zeros((1, 1, 1, 1), np.float32),
            "nothing": np.zeros((0, 1, 1, 2), np.float32),
        },
    )


if __name__ == "__main__":
    main()
