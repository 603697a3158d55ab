"""The configuration of a speech model: frozen dataclasses that read and write a folder's `config.json`."""

import dataclasses
import json
import typing
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from ..files.atomic_write import write_json
from ..files.dataclass_reader import read_dataclass

CONFIG_FILE = "config.json"
# The log-mel encoder's spectrogram, stem and phone head support no other rates.
LOG_MEL_SAMPLE_RATE, LOG_MEL_FPS = 16000, 25


@dataclass(frozen=True)
class Wav2Vec2EncoderConfig:
    """The fields of Hugging Face's `Wav2Vec2Config` that are used here; the defaults are wav2vec2-base-960h's."""

    type: typing.Literal["wav2vec2"] = "wav2vec2"
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5
    do_stable_layer_norm: bool = False
    conv_dim: tuple[int, ...] = (512,) * 7
    conv_kernel: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_stride: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    conv_bias: bool = False
    feat_extract_norm: typing.Literal["group", "layer"] = "group"
    feat_extract_activation: str = "gelu"
    num_conv_pos_embeddings: int = 128
    num_conv_pos_embedding_groups: int = 16
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.1
    feat_proj_dropout: float = 0.1
    layerdrop: float = 0.1
    mask_time_prob: float = 0.05
    mask_time_length: int = 10

    @property
    def dim(self) -> int:
        """Width of the features."""
        return self.hidden_size

    @property
    def padding_frames(self) -> int:
        """Frames of silence before and after a clip: none."""
        return 0

    @property
    def num_phones(self) -> int:
        """Phone classes of the phone head: 0, as this encoder has no phone head."""
        return 0

    @property
    def window_frames(self) -> int:
        """Longest stretch of a clip that is encoded at once: 40 s. EMOTE was made for at most 1200 frames."""
        return 1000

    @property
    def window_overlap(self) -> int:
        """Frames that neighbouring windows share."""
        return 160

    @classmethod
    def from_huggingface(cls, config: dict) -> "Wav2Vec2EncoderConfig":
        """The architecture of a Hugging Face `config.json`, given as a dict; other fields are ignored."""
        names = {field.name for field in dataclasses.fields(cls)} - {"type"}
        values = {name: value for name, value in config.items() if name in names}
        return read_dataclass(cls, values, ("audio_encoder",))

    def to_huggingface(self) -> dict:
        """Keyword arguments of `transformers.Wav2Vec2Config`."""
        values = dataclasses.asdict(self)
        del values["type"]
        return values


@dataclass(frozen=True)
class LogMelEncoderConfig:
    """The small audio encoder of the open model: log-mel spectrogram, then convolution and attention blocks at 25 Hz.

    Attributes:
        type: "log_mel".
        dim: width of the features.
        num_blocks: blocks before the phone head.
        num_motion_blocks: blocks after the phone head.
        num_heads: attention heads; divides `dim`.
        kernel_size: size of the convolutions, odd.
        feedforward_ratio: width of the feed-forward layers, in units of `dim`.
        num_mels: bands of the spectrogram.
        num_phones: classes of the phone head, at 50 Hz.
        padding_frames: frames of silence before and after every clip.
        tract_lengths: warp factors of the vocal tract length normalisation, relative lengths of the vocal tract; every
            clip is encoded once with each.
    """

    type: typing.Literal["log_mel"] = "log_mel"
    dim: int = 160
    num_blocks: int = 4
    num_motion_blocks: int = 2
    num_heads: int = 5
    kernel_size: int = 11
    feedforward_ratio: int = 3
    num_mels: int = 64
    num_phones: int = 39
    padding_frames: int = 4
    tract_lengths: tuple[float, ...] = dataclasses.field(default=(1.0,), metadata={"since": "0.2.0"})

    def __post_init__(self) -> None:
        if not 1 <= len(self.tract_lengths) <= 16 or not all(0.5 <= length <= 2 for length in self.tract_lengths):
            raise ValueError(f"tract_lengths must be 1 to 16 numbers from 0.5 to 2, found {list(self.tract_lengths)}")
        at_least = {"dim": 1, "num_blocks": 0, "num_motion_blocks": 0, "feedforward_ratio": 1, "num_mels": 2}
        for name, lowest in {**at_least, "num_phones": 1, "padding_frames": 0}.items():
            if getattr(self, name) < lowest:
                raise ValueError(f"audio_encoder.{name} must be at least {lowest}, found {getattr(self, name)}")
        if self.num_heads < 1 or self.dim % self.num_heads:
            raise ValueError(f"audio_encoder.num_heads must divide dim {self.dim}, found {self.num_heads}")
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ValueError(f"audio_encoder.kernel_size must be odd, found {self.kernel_size}")

    @property
    def window_frames(self) -> int:
        """Longest stretch of a clip that is encoded at once: 12 s.

        Training sees 4 s. Attention over 12 s costs less time and memory than over 40 s, and the motion agrees with
        that of single sentences as well (r of the jaw .995, of the expression .980, against .979 with 40 s).
        """
        return 304

    @property
    def window_overlap(self) -> int:
        """Frames that neighbouring windows share: 16 of context on each side of the cross-fade."""
        return 64


@dataclass(frozen=True)
class DecoderConfig:
    """EMOTE's own part: style condition, one transformer layer, stacking of frames into latents.

    Attributes:
        num_layers: layers of the transformer.
        feature_dim: width of the projected audio, and of the style; the transformer is twice as wide.
        intermediate_size: width of the transformer's feed-forward layer.
        num_heads: attention heads; divides `2 * feature_dim`.
        dropout: rate in training.
        period: step of the attention bias, frames.
        post_bug_fix: whether the output projection reads the transformer's output; if not, its input (spec 3.4).
    """

    num_layers: int = 1
    feature_dim: int = 128
    intermediate_size: int = 256
    num_heads: int = 8
    dropout: float = 0.25
    period: int = 30
    post_bug_fix: bool = True


@dataclass(frozen=True)
class FLINTConfig:
    """The motion prior.

    Attributes:
        num_expression: expression components.
        num_layers: layers of the transformer.
        feature_dim: width of a latent.
        intermediate_size: width of the transformer's feed-forward layer.
        num_heads: attention heads; divides `feature_dim`.
        quant_factor: one latent represents `2 ** quant_factor` frames.
    """

    num_expression: int = 100
    num_layers: int = 1
    feature_dim: int = 128
    intermediate_size: int = 384
    num_heads: int = 8
    quant_factor: int = 3

    def __post_init__(self):
        if not 1 <= self.quant_factor <= 8:  # 256 frames; the windows of long clips would have no room for more
            raise ValueError(f"quant_factor must be from 1 to 8, found {self.quant_factor}")
        _check_heads("flint.num_heads", self.num_heads, self.feature_dim)

    @property
    def num_features(self) -> int:
        """Width of a frame: expression coefficients and 3 numbers of jaw rotation."""
        return self.num_expression + 3

    @property
    def frames_per_latent(self) -> int:
        """Number of frames per latent."""
        return 2**self.quant_factor


@dataclass(frozen=True)
class EMOTEConfig:
    """A whole speech model. Every field is in `config.json`; none has a default there.

    Attributes:
        name: name of the model.
        audio_encoder: the encoder of the sound.
        decoder: EMOTE's own part.
        flint: the motion prior.
        sample_rate: samples of sound per second.
        fps: frames of motion per second; divides `sample_rate`.
        emotions: names, in the order of the condition's columns.
        intensities: number of levels of intensity.
        speakers: names, in the order of the condition's columns.
        face: name of the basis of the coefficients.
        num_expression: expression components.
        expression_names: names of the components, or None (FLAME).
        licence: licence of the model.
    """

    name: str
    audio_encoder: Wav2Vec2EncoderConfig | LogMelEncoderConfig
    decoder: DecoderConfig
    flint: FLINTConfig
    sample_rate: int
    fps: int
    emotions: tuple[str, ...]
    intensities: int
    speakers: tuple[str, ...]
    face: str
    num_expression: int
    expression_names: tuple[str, ...] | None
    licence: str

    def __post_init__(self):
        if self.flint.num_expression != self.num_expression:
            raise ValueError(
                f"flint.num_expression is {self.flint.num_expression}, but num_expression is {self.num_expression}"
            )
        if self.expression_names is not None and len(self.expression_names) != self.num_expression:
            raise ValueError(
                f"expression_names has {len(self.expression_names)} names, but num_expression is {self.num_expression}"
            )
        if self.sample_rate < 1 or self.fps < 1 or self.sample_rate % self.fps:
            raise ValueError(f"sample_rate {self.sample_rate} is not a whole multiple of fps {self.fps}")
        rates = (self.sample_rate, self.fps)
        if self.audio_encoder.type == "log_mel" and rates != (LOG_MEL_SAMPLE_RATE, LOG_MEL_FPS):
            raise ValueError(
                f"log_mel runs at sample_rate {LOG_MEL_SAMPLE_RATE} and fps {LOG_MEL_FPS} only, "
                f"found {self.sample_rate} and {self.fps}"
            )
        if not self.emotions or not self.speakers or self.intensities < 1:
            raise ValueError("emotions, speakers and intensities must each have at least one entry")
        _check_heads("decoder.num_heads", self.decoder.num_heads, 2 * self.decoder.feature_dim)

    @property
    def num_conditions(self) -> int:
        """Width of the condition: emotions, intensities, speakers, in this order."""
        return len(self.emotions) + self.intensities + len(self.speakers)

    @property
    def samples_per_frame(self) -> int:
        """Number of audio samples per frame of motion."""
        return self.sample_rate // self.fps


def load_config(folder: str | Path) -> EMOTEConfig:
    """The configuration of the model in `folder`.

    Raises:
        ModelError: if `config.json` is missing, is no JSON, or has missing, unknown or contradictory fields.
    """
    path = Path(folder) / CONFIG_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read; choose a folder that holds a speech model") from error
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON ({error}); copy the model folder again") from error
    try:
        return read_dataclass(EMOTEConfig, data, complete=True)
    except ValueError as error:
        raise ModelError(f"{path} does not describe a speech model: {error}") from error


def save_config(config: EMOTEConfig, folder: str | Path) -> Path:
    """Write `config.json` into `folder`, which exists, and return its path."""
    path = Path(folder) / CONFIG_FILE
    write_json(path, dataclasses.asdict(config))
    return path


def _check_heads(name: str, num_heads: int, dim: int) -> None:
    """Raise ValueError unless the number of attention heads divides the width."""
    if num_heads < 1 or num_heads & (num_heads - 1) or dim % num_heads:
        raise ValueError(f"{name} must be a power of two that divides {dim}, found {num_heads}")
