"""The networks as ONNX graphs without weights; needs the packages onnx and onnxscript."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..files.named_tensors import TensorSpec
from ..files.paths import DEFAULT_MODEL, find_model
from ..speech_model.config import (
    DecoderConfig,
    EMOTEConfig,
    FLINTConfig,
    LogMelEncoderConfig,
    Wav2Vec2EncoderConfig,
    load_config,
)
from ..speech_model.graphs import (
    MASK_EMBEDDING,
    PARTS,
    SHIPPED_GRAPHS,
    STYLE_WEIGHT,
    Graph,
    Part,
    architecture,
    graph_name,
)
from .checkpoint import tensor_specs
from .model import SequenceDecoder, SequenceEncoder, build_audio_encoder

OPSET = 18  # with IR version 10; ONNX Runtime 1.20 reads both
_EXAMPLE_FRAMES = 50  # any number but 1: a size of 1 would be taken for a constant
_NOISY_LOGGERS = "torch.onnx", "torch.export", "onnxscript", "onnx_ir", "torch.onnx._internal.exporter._registration"


class LogMelFeatures(nn.Module):
    """Normalised log-mel spectrogram and given phones, to features and phone posteriors."""

    inputs, outputs = ("mel", "phones"), ("features", "posteriors")

    def __init__(self, config: EMOTEConfig) -> None:
        super().__init__()
        self.audio_model: Any = build_audio_encoder(config)

    def forward(self, mel: Tensor, phones: Tensor) -> tuple[Tensor, Tensor]:
        """(1, T, D), (1, 2 T, classes) of mel (1, M, L) and phones (1, 2 T, classes), which are zeros if not given."""
        return self.audio_model.encode_warped(mel, phones)

    def example(self, config: EMOTEConfig) -> tuple[tuple[Tensor, ...], tuple[dict, ...]]:
        """Inputs to trace with, and which of their sizes are free."""
        encoder = config.audio_encoder
        assert isinstance(encoder, LogMelEncoderConfig)
        mel = torch.zeros(1, encoder.num_mels, 4 * (_EXAMPLE_FRAMES + 2 * encoder.padding_frames))
        return (mel, torch.zeros(1, 2 * _EXAMPLE_FRAMES, encoder.num_phones)), ({2: _FREE}, {1: _FREE})


class Wav2Vec2Features(nn.Module):
    """Normalised samples and, if the first convolution has a norm over time, its statistics, to features."""

    outputs = ("features",)

    def __init__(self, config: EMOTEConfig) -> None:
        super().__init__()
        assert isinstance(config.audio_encoder, Wav2Vec2EncoderConfig)
        self.audio_model: Any = build_audio_encoder(config)
        self.samples_per_frame = config.samples_per_frame
        norm_over_time = config.audio_encoder.feat_extract_norm == "group"
        self.inputs = ("samples", "conv_mean", "conv_variance") if norm_over_time else ("samples",)

    def forward(self, samples: Tensor, conv_mean: Tensor | None = None, conv_variance: Tensor | None = None) -> Tensor:
        """(1, T, D) of samples (1, T * samples per frame), statistics (C,)."""
        num_frames = samples.shape[1] // self.samples_per_frame
        return self.audio_model.encode_normalized(samples, num_frames, conv_mean, conv_variance)

    def example(self, config: EMOTEConfig) -> tuple[tuple[Tensor, ...], tuple[dict, ...]]:
        """Inputs to trace with, and which of their sizes are free."""
        assert isinstance(config.audio_encoder, Wav2Vec2EncoderConfig)
        samples, channels = torch.zeros(1, _EXAMPLE_FRAMES * self.samples_per_frame), config.audio_encoder.conv_dim[0]
        statistics = (torch.zeros(channels), torch.ones(channels))[: len(self.inputs) - 1]
        return (samples, *statistics), ({1: _FREE}, *({} for _ in statistics))


class Motion(nn.Module):
    """Features and condition to motion. The style map's weight is an input, to leave the number of conditions free."""

    inputs, outputs = ("features", "condition", "style_weight"), ("motion",)

    def __init__(self, config: EMOTEConfig) -> None:
        super().__init__()
        self.sequence_encoder = SequenceEncoder(config.audio_encoder.dim, config.decoder.feature_dim)
        self.sequence_decoder = SequenceDecoder(config)

    def forward(self, features: Tensor, condition: Tensor, style_weight: Tensor) -> Tensor:
        """(1, T', E + 3) of features (1, T, D), condition (1, T, C), weight (C, F); T' is T in full latents."""
        style = condition @ style_weight + self.sequence_decoder.obj_vector.map.bias
        latents = self.sequence_decoder.styled_latents(self.sequence_encoder(features), style)
        return self.sequence_decoder.motion_prior.decode(latents)

    def example(self, config: EMOTEConfig) -> tuple[tuple[Tensor, ...], tuple[dict, ...]]:
        """Inputs to trace with, and which of their sizes are free."""
        conditions = config.num_conditions
        inputs = (
            torch.zeros(1, _EXAMPLE_FRAMES, config.audio_encoder.dim),
            torch.zeros(1, _EXAMPLE_FRAMES, conditions),
            torch.zeros(conditions, config.decoder.feature_dim),
        )
        return inputs, ({1: _FREE}, {1: _FREE, 2: _FREE}, {0: _FREE})


_FREE = torch.export.Dim.AUTO


def write_graph(config: EMOTEConfig, part: Part, folder: Path) -> Graph:
    """Write the graph of a part of such models and its description into `folder`, byte-stable, and return it."""
    module = _module(config, part)
    content, weights = export(module, *module.example(config))
    graph = Graph(
        folder / f"{graph_name(config, part)}.onnx",
        architecture(config, part),
        _tensors(module),
        weights,
        hashlib.sha256(content).hexdigest(),
    )
    graph.write(content)
    return graph


def export(module: Any, inputs: tuple[Tensor, ...], free_sizes: tuple[dict, ...]) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of a module's ONNX file, with its parameters as external data, and the names of these parameters.

    Args:
        module: a module that names its `inputs` and `outputs`.
        inputs: inputs to trace it with.
        free_sizes: the dimensions of free size of each input.
    """
    import onnx_ir as ir
    from onnxscript import optimizer

    masks = _without_attention_masks() if isinstance(module, Wav2Vec2Features) else contextlib.nullcontext()
    with _quiet(), masks, torch.no_grad():
        program = torch.onnx.export(
            module.eval(),
            inputs,
            dynamo=True,
            dynamic_shapes=free_sizes,
            input_names=list(module.inputs),
            output_names=list(module.outputs),
            opset_version=OPSET,
            optimize=False,
            verbose=False,
            custom_translation_table=_translations(),
        )
        assert program is not None
        model = program.model
        parameters = {name: value for name, value in model.graph.initializers.items() if name in module.state_dict()}
        tensors = {name: value.const_value for name, value in parameters.items()}
        for value in parameters.values():
            value.const_value = None  # what is not known cannot be folded into other constants
        model = optimizer.optimize(model)
    for name in (weights := tuple(sorted(set(parameters) & set(model.graph.initializers)))):
        tensor = tensors[name]
        assert tensor is not None
        model.graph.initializers[name].const_value = ir.ExternalTensor(
            "weights", None, None, tensor.dtype, shape=ir.Shape(tensor.shape.numpy()), name=name
        )
    _strip(model)
    proto = ir.to_proto(model)
    del proto.graph.value_info[:]
    return proto.SerializeToString(deterministic=True), weights


def _module(config: EMOTEConfig, part: Part) -> Any:
    """The module of a part, with random weights."""
    if part == "motion":
        return Motion(config)
    return LogMelFeatures(config) if isinstance(config.audio_encoder, LogMelEncoderConfig) else Wav2Vec2Features(config)


def _tensors(module: nn.Module) -> dict[str, TensorSpec]:
    """The tensors of a part in a weights file; None in place of the number of conditions."""
    specs = tensor_specs(module.state_dict())
    specs.pop(MASK_EMBEDDING, None)  # there or not, without any influence on the graph
    if STYLE_WEIGHT in specs:
        specs[STYLE_WEIGHT] = TensorSpec((specs[STYLE_WEIGHT].shape[0], None), "float32")  # type: ignore[arg-type]
    return specs


def _translations() -> dict[Callable, Callable]:
    """Translations of three operators to the forms that ONNX Runtime computes fastest: Gemm, fused Gelu, attention."""
    from onnxscript import opset18 as op

    def integers(*values):
        return op.Constant(value_ints=list(values))

    def linear(x, weight, bias=None):
        width_out, width_in = weight.shape
        flat = op.Reshape(x, integers(-1, width_in))
        product = op.Gemm(flat, weight, transB=1) if bias is None else op.Gemm(flat, weight, bias, transB=1)
        return op.Reshape(product, integers(x.shape[0], -1, width_out))

    def gelu(x, approximate="none"):
        assert approximate == "none"
        erf = op.Erf(op.Div(x, op.Constant(value_float=math.sqrt(2))))
        return op.Mul(op.Mul(x, op.Add(erf, op.Constant(value_float=1.0))), op.Constant(value_float=0.5))

    def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
        assert not is_causal
        assert not enable_gqa
        factor = op.Constant(value_float=query.shape[-1] ** -0.5 if scale is None else scale)
        scores = op.MatMul(op.Mul(query, factor), op.Transpose(key, perm=[0, 1, 3, 2]))
        if attn_mask is not None:
            scores = op.Add(scores, attn_mask)
        return op.MatMul(op.Softmax(scores, axis=-1), value)

    aten = torch.ops.aten
    return {
        aten.linear.default: linear,
        aten.gelu.default: gelu,
        aten.scaled_dot_product_attention.default: attention,
    }


def _strip(model: Any) -> None:
    """Remove what differs between machines: stack traces, paths, names of tools."""
    model.producer_name = model.producer_version = None
    holders = [model, model.graph, *model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values()]
    for index, node in enumerate(model.graph.all_nodes()):
        node.name = f"{node.op_type}_{index}"  # ONNX Runtime needs different ones
        holders += [node, *node.outputs]
    for holder in holders:
        holder.metadata_props.clear()
        holder.doc_string = None


@contextlib.contextmanager
def _without_attention_masks() -> Iterator[None]:
    """Keep transformers from adding a mask of ones, which it only does while a graph is traced."""
    from transformers.models.wav2vec2 import modeling_wav2vec2

    made = modeling_wav2vec2.create_bidirectional_mask
    modeling_wav2vec2.create_bidirectional_mask = lambda *arguments, **keywords: None
    try:
        yield
    finally:
        modeling_wav2vec2.create_bidirectional_mask = made


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporters' messages, none of which concerns these networks."""
    loggers = [logging.getLogger(name) for name in _NOISY_LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)


def shipped_configs() -> list[EMOTEConfig]:
    """The configurations with shipped graphs: the open model, EMOTE v1 and v2, and the recorded reference (tests).

    EMOTE is there with and without `post_bug_fix`, since a released cfg.yaml may switch it off.
    """
    open_model = load_config(find_model(DEFAULT_MODEL))
    reference_encoder = Wav2Vec2EncoderConfig(
        hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96, conv_dim=(32,) * 7
    )
    official = [
        replace(
            open_model,
            audio_encoder=encoder,
            decoder=DecoderConfig(post_bug_fix=post_bug_fix),
            flint=FLINTConfig(num_expression),
            num_expression=num_expression,
            expression_names=None,
        )
        for encoder, num_expression, post_bug_fix in (
            (Wav2Vec2EncoderConfig(), 100, True),
            (Wav2Vec2EncoderConfig(), 100, False),
            (Wav2Vec2EncoderConfig(), 50, True),
            (Wav2Vec2EncoderConfig(), 50, False),
            (reference_encoder, 100, True),
            (reference_encoder, 50, True),
        )
    ]
    return [open_model, *official]


def main() -> None:
    """Write the shipped graphs, replacing those that exist."""
    SHIPPED_GRAPHS.mkdir(exist_ok=True)
    wanted = {graph_name(config, part): (config, part) for config in shipped_configs() for part in PARTS}
    for old in SHIPPED_GRAPHS.iterdir():
        old.unlink()
    for config, part in wanted.values():
        path = write_graph(config, part, SHIPPED_GRAPHS).path
        print(f"{path.stat().st_size / 1000:7.1f} kB  {path.name}", flush=True)


if __name__ == "__main__":
    main()
