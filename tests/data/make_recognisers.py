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
    _whisper_in_one_graph(FOLDER / "whisper_ort")
    _canary(FOLDER / "canary")
    _gigaam(FOLDER / "gigaam")
    _vosk(FOLDER / "vosk")
    _t_one(FOLDER / "t_one")


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


def _bands(splits: tuple[int, ...] = _SPLITS, num_mels: int = _NUM_MELS) -> np.ndarray:
    """(1, B, M) means over the mel bands between the splits."""
    edges = (0, *splits, num_mels)
    bands = np.zeros((1, len(edges) - 1, num_mels), np.float32)
    for band, (first, last) in enumerate(zip(edges, edges[1:])):
        bands[0, band, first:last] = 1 / (last - first)
    return bands


def _tone_scores() -> np.ndarray:
    """(4, 4) scores of each token and blank, of the three bands and 1."""
    return np.array([[12, -6, -6, 0], [-6, 12, -6, 0], [-6, -6, 12, 0], [0, 0, 0, 14]], np.float32)


def _level_scores() -> np.ndarray:
    """(4, 4) as `_tone_scores`, for log-energies that are not normalised: about -12 in silence, 0 in a tone."""
    scores = np.diag([3.0, 3, 3, 0]).astype(np.float32)
    scores[:3, 3] = 24
    return scores


def _frames(
    stride: int, features: str = "audio_signal", splits: tuple[int, ...] = _SPLITS, num_mels: int = _NUM_MELS
) -> tuple[list, dict[str, np.ndarray]]:
    """Nodes from features (1, M, T) to `frames`: (1, T / stride, 4) with the three bands and 1."""
    nodes = [
        helper.make_node("MatMul", ["bands", features], ["banded"]),
        helper.make_node("AveragePool", ["banded"], ["pooled"], kernel_shape=[stride], strides=[stride], ceil_mode=1),
        helper.make_node("Transpose", ["pooled"], ["moved"], perm=[0, 2, 1]),
        helper.make_node("Pad", ["moved", "pads", "one"], ["frames"]),
    ]
    arrays = {"bands": _bands(splits, num_mels), "pads": np.array([0, 0, 0, 0, 0, 1]), "one": np.array(1, np.float32)}
    return nodes, arrays


def _vocabulary(path: Path, tokens: tuple[str, ...] = _NEMO_TOKENS) -> None:
    lines = "".join(f"{token} {index}\n" for index, token in enumerate(tokens))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines, encoding="utf-8", newline="\n")


def _nemo_texts(folder: Path, model_type: str) -> None:
    _vocabulary(folder / "vocab.txt")
    _json(folder / "config.json", {"model_type": model_type, "features_size": _NUM_MELS, "subsampling_factor": 8})


def _nemo_ctc(folder: Path) -> None:
    """CTC: log-probabilities of every 80 ms."""
    _nemo_texts(folder, "nemo-conformer-ctc")
    nodes, arrays = _frames(8)
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
    nodes, arrays = _frames(8)
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


def _whisper_in_one_graph(folder: Path) -> None:
    """Whisper as onnxruntime exports it, with the search inside: always the same English sentence."""
    tokens = {name: index for index, name in enumerate((*_WHISPER_TEXTS, *_WHISPER_SPECIAL))}
    _json(folder / "vocab.json", {name: tokens[name] for name in (*_WHISPER_TEXTS, _WHISPER_SPECIAL[0])})
    _json(folder / "added_tokens.json", {name: tokens[name] for name in _WHISPER_SPECIAL[1:]})
    _json(folder / "config.json", {"model_type": "whisper-ort"})
    sentence = "<|startoftranscript|> <|en|> <|transcribe|> <|notimestamps|> hello Ġworld <|endoftext|>".split()
    numbers = "max_length min_length num_beams num_return_sequences".split()
    factors = "length_penalty repetition_penalty".split()
    _save(
        folder / "whisper-tiny_beamsearch.int8.onnx",
        [helper.make_node("Slice", ["sentence", "zero", "max_length", "last"], ["sequences"])],
        [
            _value("input_features", ("batch", _NUM_MELS, 3000)),
            *(_value(name, (1,), TensorProto.INT32) for name in numbers),
            *(_value(name, (1,)) for name in factors),
            _value("decoder_input_ids", ("batch", "ids"), TensorProto.INT32),
        ],
        [_value("sequences", (1, 1, "tokens"), TensorProto.INT32)],
        {
            "sentence": np.array([[[tokens[name] for name in sentence]]], np.int32),
            "zero": np.array([0], np.int32),
            "last": np.array([2], np.int32),
        },
    )


def _canary(folder: Path) -> None:
    """Canary: the target language decides the sentence."""
    special = (
        "<|endoftext|> <|startofcontext|> <|startoftranscript|> <|emo:undefined|> <|en|> <|de|> <|pnc|> <|noitn|> "
        "<|notimestamp|> <|nodiarize|>"
    ).split()
    names = (*special, "▁", "▁hello", "▁world", "▁hallo", "▁Welt")
    tokens = {name: index for index, name in enumerate(names)}
    _vocabulary(folder / "vocab.txt", names)
    _json(folder / "config.json", {"model_type": "nemo-conformer-aed", "features_size": _NUM_MELS})
    frames, arrays = _frames(8)
    _save(
        folder / "encoder-model.onnx",
        [
            *frames,
            helper.make_node("Identity", ["frames"], ["encoder_embeddings"]),
            helper.make_node("ReduceSum", ["frames", "last"], ["summed"], keepdims=0),
            helper.make_node("Cast", ["summed"], ["encoder_mask"], to=TensorProto.INT64),
        ],
        [_value("audio_signal", (1, _NUM_MELS, "time")), _value("length", (1,), TensorProto.INT64)],
        [_value("encoder_embeddings", (1, "frames", 4)), _value("encoder_mask", (1, "frames"), TensorProto.INT64)],
        arrays | {"last": np.array([2])},
    )
    # Each token's successor; the prompt's last one is followed by the first word of the language before it.
    chain = np.zeros((len(names), len(names)), np.float32)
    for token, following in (("▁hello", "▁world"), ("▁hallo", "▁Welt"), ("▁world", special[0]), ("▁Welt", special[0])):
        chain[tokens[token], tokens[following]] = 60.0
    chain[tokens["<|nodiarize|>"], [tokens["▁hello"], tokens["▁hallo"]]] = 30.0
    by_language = np.zeros((len(names), len(names)), np.float32)
    by_language[tokens["<|en|>"], tokens["▁hello"]] = by_language[tokens["<|de|>"], tokens["▁hallo"]] = 4.0
    _save(
        folder / "decoder-model.onnx",
        [
            helper.make_node("Gather", ["chain", "input_ids"], ["followed"]),
            helper.make_node("Gather", ["by_language", "input_ids"], ["each"]),
            helper.make_node("ReduceSum", ["each", "second"], ["all"], keepdims=1),
            helper.make_node("Add", ["followed", "all"], ["scores"]),
            helper.make_node("LogSoftmax", ["scores"], ["logits"], axis=-1),
            helper.make_node("Shape", ["input_ids"], ["id_shape"]),
            helper.make_node("Concat", ["first", "id_shape", "first"], ["new_shape"], axis=0),
            helper.make_node("Expand", ["zero", "new_shape"], ["new"]),
            helper.make_node("Concat", ["decoder_mems", "new"], ["decoder_hidden_states"], axis=2),
        ],
        [
            _value("input_ids", ("batch", "ids"), TensorProto.INT64),
            _value("encoder_embeddings", ("batch", "frames", 4)),
            _value("encoder_mask", ("batch", "frames"), TensorProto.INT64),
            _value("decoder_mems", (1, "batch", "past", 1)),
        ],
        [_value("logits", ("batch", "ids", len(names))), _value("decoder_hidden_states", (1, "batch", None, 1))],
        {
            "chain": chain,
            "by_language": by_language,
            "second": np.array([1]),
            "first": np.array([1]),
            "zero": np.zeros((1, 1, 1, 1), np.float32),
        },
    )


def _gigaam(folder: Path) -> None:
    """GigaAM with CTC: features of 64 bands that are not normalised, a token every 40 ms."""
    _vocabulary(folder / "v2_vocab.txt", ("▁hel", "lo", "▁world", "<blk>"))
    nodes, arrays = _frames(4, "features", (14, 40), 64)
    _save(
        folder / "v2_ctc.int8.onnx",
        [
            *nodes,
            helper.make_node("MatMul", ["frames", "scores"], ["scored"]),
            helper.make_node("LogSoftmax", ["scored"], ["log_probs"], axis=-1),
        ],
        [_value("features", (1, 64, "time")), _value("feature_lengths", (1,), TensorProto.INT64)],
        [_value("log_probs", (1, "frames", 4))],
        arrays | {"scores": _level_scores().T.copy()},
    )


def _vosk(folder: Path) -> None:
    """A transducer without state, in Vosk's two subfolders; features are not normalised."""
    _vocabulary(folder / "lang" / "tokens.txt", ("<blk>", "▁hel", "lo", "▁world"))
    nodes, arrays = _frames(4, "turned")
    _save(
        folder / "am-onnx" / "encoder.onnx",
        [
            helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 2, 1]),
            *nodes,
            helper.make_node("Identity", ["frames"], ["encoder_out"]),
            helper.make_node("Add", ["x_lens", "three"], ["more"]),
            helper.make_node("Div", ["more", "four"], ["encoder_out_lens"]),
        ],
        [_value("x", (1, "time", _NUM_MELS)), _value("x_lens", (1,), TensorProto.INT64)],
        [_value("encoder_out", (1, "frames", 4)), _value("encoder_out_lens", (1,), TensorProto.INT64)],
        arrays | {"three": np.array(3), "four": np.array(4)},
    )
    # A token that was just written is not written again: what it costs is given by the two tokens before.
    table = np.concatenate([np.zeros((1, 4)), -99 * np.eye(4)[1:], np.zeros((1, 4))]).astype(np.float32)
    _save(
        folder / "am-onnx" / "decoder.onnx",
        [
            helper.make_node("Gather", ["table", "y"], ["both"]),
            helper.make_node("ReduceMin", ["both"], ["decoder_out"], axes=[1], keepdims=0),
        ],
        [_value("y", ("batch", 2), TensorProto.INT64)],
        [_value("decoder_out", ("batch", 4))],
        {"table": table},
    )
    _save(
        folder / "am-onnx" / "joiner.onnx",
        [
            helper.make_node("MatMul", ["encoder_out", "scores"], ["scored"]),
            helper.make_node("Add", ["scored", "decoder_out"], ["logit"]),
        ],
        [_value("encoder_out", ("batch", 4)), _value("decoder_out", ("batch", 4))],
        [_value("logit", ("batch", 4))],
        {"scores": _level_scores()[[3, 0, 1, 2]].T.copy()},
    )


def _t_one(folder: Path) -> None:
    """T-one: 8 kHz in pieces of 0.3 s with a state; letters, and what is loud is "a"."""
    vocabulary = ["a", "b", " "]
    _json(
        folder / "config.json",
        {
            "model_type": "t-one-ctc",
            "decoder_params": {"vocabulary": vocabulary},
            "encoder_params": {"reduction_kernel_size": 3},
            "pad_token_id": len(vocabulary),
        },
    )
    _save(
        folder / "model.onnx",
        [
            helper.make_node("Cast", ["signal"], ["samples"], to=TensorProto.FLOAT),
            helper.make_node("Reshape", ["samples", "in_frames"], ["framed"]),
            helper.make_node("Abs", ["framed"], ["absolute"]),
            helper.make_node("ReduceMean", ["absolute"], ["loudness"], axes=[2], keepdims=1),
            helper.make_node("MatMul", ["loudness", "weight"], ["weighted"]),
            helper.make_node("Add", ["weighted", "bias"], ["scored"]),
            helper.make_node("LogSoftmax", ["scored"], ["logprobs"], axis=-1),
            helper.make_node("Identity", ["state"], ["state_next"]),
        ],
        [_value("signal", ("batch", 2400, 1), TensorProto.INT32), _value("state", ("batch", 5), TensorProto.FLOAT16)],
        [_value("logprobs", ("batch", 10, 4)), _value("state_next", ("batch", 5), TensorProto.FLOAT16)],
        {
            "in_frames": np.array([-1, 10, 240]),
            "weight": np.array([[[0.01, -1, -1, 0]]], np.float32),
            "bias": np.array([-5, -9, -9, 5], np.float32),
        },
    )


if __name__ == "__main__":
    main()
