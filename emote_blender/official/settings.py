"""Configuration of official checkpoints, from `cfg.yaml` and the weights' shapes (spec/EMOTE.md 1 and 3)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..audio import SAMPLE_RATE
from ..emotion import EMOTIONS, NUM_INTENSITIES
from ..errors import InputError
from ..motion_tools.timing import MOTION_FPS
from ..speech_model.config import DecoderConfig, EMOTEConfig, FLINTConfig, Wav2Vec2EncoderConfig

BASE_960H = "facebook/wav2vec2-base-960h"
FACE = "flame2020"
LICENCE = (
    "EMOTE model licence (emote.is.tue.mpg.de) and FLAME licence: non-commercial research, education and artistic use "
    "only, no redistribution"
)
SPEAKERS = tuple(
    """M003 M005 M007 M009 M011 M012 M013 M019 M022 M023 M024 M025 M026 M027 M028 M029 M030 M031 W009 W011 W014 W015
    W016 W018 W019 W021 W023 W024 W025 W026 W028 W029""".split()
)
NUM_HEADS = 8  # of every released transformer; they leave no trace in the weights
_MAX_SETTINGS_BYTES = 1 << 20

# Settings of the networks that can be built, with their allowed values; an absent setting has the first value.
EMOTE_RULES: dict[str, tuple] = {
    "pl_module_class": ("FaceFormer",),
    "audio.type": ("wav2vec2",),
    "audio.with_processor": (True,),
    "audio.model_expected_fps": (50,),
    "audio.target_fps": (25,),
    "output.predict_vertices": (False,),
    "output.predict_expcode": (True,),
    "output.predict_jawpose": (True,),
    "sequence_encoder.type": ("linear",),
    "sequence_encoder.positional_encoding.type": ("none", None),
    "sequence_decoder.type": ("BertPriorDecoder",),
    "sequence_decoder.activation": ("gelu",),
    "sequence_decoder.squash_before": (False,),
    "sequence_decoder.squash_after": (True,),
    "sequence_decoder.squash_type": ("stack_linear",),
    "sequence_decoder.style_op": ("cat",),
    "sequence_decoder.positional_encoding.type": ("none", None),
    "sequence_decoder.temporal_bias_type": ("faceformer_future",),
    "sequence_decoder.rotation_representation": ("aa",),
    "sequence_decoder.style_embedding.type": ("emotion_linear",),
    "sequence_decoder.style_embedding.use_shape": (False,),
    "sequence_decoder.style_embedding.use_video_expression": (False,),
    "sequence_decoder.style_embedding.gt_expression_label": (True,),
    "sequence_decoder.style_embedding.gt_expression_intensity": (True,),
    "sequence_decoder.style_embedding.gt_expression_identity": (True,),
    "sequence_decoder.style_embedding.n_intensities": (NUM_INTENSITIES,),
    "sequence_decoder.style_embedding.n_expression": (len(EMOTIONS),),
    "sequence_decoder.style_embedding.use_expression": (False,),
    "sequence_decoder.style_embedding.use_valence": (False,),
    "sequence_decoder.style_embedding.use_arousal": (False,),
    "sequence_decoder.style_embedding.use_emotion_feature": (False,),
    "sequence_decoder.style_embedding.use_bias": (True,),
}
FLINT_RULES: dict[str, tuple] = {
    "pl_module_class": ("L2lVqVae",),
    "rotation_representation": ("aa",),
    "sequence_components.jaw": ("rot",),
    "sequence_encoder.type": ("L2lEncoderWithGaussianHead",),
    **{
        f"sequence_{half}.{name}": values
        for half in ("encoder", "decoder")
        for name, values in {
            "activation": ("gelu",),
            "positional_encoding.type": ("none", None),
            "temporal_bias.type": ("alibi_future",),
        }.items()
    },
    "sequence_decoder.conv_smooth_layer": ("l2l_default",),
    "sequence_decoder.post_conv_proj": (False,),
}
Shapes = dict[str, tuple[int, ...]]


@dataclass
class Settings:
    """The `model` section of a cfg.yaml, with notes for the report.

    Attributes:
        path: the file; None if there is none and the released settings are assumed.
        model: its `model` section.
        notes: sentences for the report.
    """

    path: Path | None = None
    model: dict = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def get(self, dotted: str, default: object = None) -> object:
        """The value at "sequence_decoder.period", or the default."""
        value: object = self.model
        for part in dotted.split("."):
            if not isinstance(value, dict) or part not in value:
                return default
            value = value[part]
        return value

    def whole_number(self, dotted: str, default: int) -> int:
        """A whole number that cannot be read from a shape; raises InputError for anything else."""
        value = self.get(dotted, default)
        if type(value) is not int or value < 1:
            raise self.refused(dotted, value, "a whole number above 0")
        return value

    def check(self, rules: dict[str, tuple]) -> None:
        """Raise InputError naming the first setting of a network that cannot be built."""
        for dotted, allowed in rules.items():
            value = self.get(dotted, allowed[0])
            if not any(value == choice and type(value) is type(choice) for choice in allowed):
                raise self.refused(dotted, value, " or ".join(repr(choice) for choice in allowed))

    def compare(self, dotted: str, found: int) -> None:
        """Add a note if a setting contradicts the weights."""
        said = self.get(dotted)
        if type(said) is int and said != found:
            self.notes.append(f"{self.path} says model.{dotted} {said}, the weights have {found}: the weights count")

    def refused(self, dotted: str, value: object, expected: str) -> InputError:
        """The error for a setting of a network that cannot be built."""
        return InputError(
            f"{self.path}: model.{dotted} is {value!r:.60}, only {expected} is supported; "
            "give the cfg.yaml of this checkpoint (--config), and a checkpoint of the released EMOTE or FLINT"
        )


def read_settings(path: Path | None) -> Settings:
    """The settings of a cfg.yaml; the released ones if `path` is None.

    Raises:
        InputError: if the file cannot be read, or is not a cfg.yaml of the authors' kind.
    """
    if path is None:
        return Settings(notes=["no cfg.yaml: the released settings were assumed where the weights do not show them"])
    import yaml

    try:
        if path.stat().st_size > _MAX_SETTINGS_BYTES:
            raise InputError(f"{path} is larger than any cfg.yaml; give the one beside the checkpoint")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its name and its rights") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path} is not a readable YAML file ({reason}); copy it again") from error
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, dict):
        raise InputError(f"{path} has no section 'model'; give the cfg.yaml that came with the checkpoint")
    return Settings(path, model)


def emote_config(shapes: Shapes, settings: Settings, name: str, source: Path) -> EMOTEConfig:
    """The configuration of an official EMOTE checkpoint.

    Args:
        shapes: shapes of the checkpoint's tensors, by key.
        settings: settings of its cfg.yaml; a contradiction to the shapes adds a note.
        name: name of the converted model.
        source: the checkpoint, for error sentences.

    Raises:
        InputError: naming the setting or key of a network that cannot be built.
    """
    settings.check(EMOTE_RULES)
    decoder_dim, transformer_dim = _shape(shapes, "sequence_decoder.decoder.weight", 2, source)
    _, num_conditions = _shape(shapes, "sequence_decoder.obj_vector.map.weight", 2, source)
    (ffn, _) = _shape(shapes, "sequence_decoder.bert_decoder.layers.0.linear1.weight", 2, source)
    flint = flint_config(shapes, source, "sequence_decoder.motion_prior.motion_decoder.")
    num_layers = _count(shapes, r"sequence_decoder\.bert_decoder\.layers\.(\d+)\.")
    num_speakers = num_conditions - len(EMOTIONS) - NUM_INTENSITIES
    if num_speakers < 1:
        raise InputError(
            f"{source} has {num_conditions} conditions, which leaves none for speakers; the released models have "
            f"{len(EMOTIONS)} emotions, {NUM_INTENSITIES} intensities and {len(SPEAKERS)} speakers"
        )
    speakers = SPEAKERS
    if num_speakers != len(SPEAKERS):
        speakers = tuple(f"speaker_{number:02d}" for number in range(num_speakers))
        settings.notes.append(
            f"{num_speakers} speakers, the released models have {len(SPEAKERS)}: their names are not known, so they "
            "are numbered in the order of the condition's columns"
        )
    if transformer_dim != 2 * decoder_dim:
        raise InputError(
            f"{source}: the transformer is {transformer_dim} wide, expected {2 * decoder_dim} (style_op cat)"
        )
    settings.compare("sequence_decoder.feature_dim", decoder_dim)
    settings.compare("sequence_encoder.feature_dim", decoder_dim)
    settings.compare("sequence_decoder.num_layers", num_layers)
    settings.compare("sequence_decoder.style_embedding.n_identities", num_speakers)
    settings.compare("sequence_decoder.flame.n_exp", flint.num_expression)
    settings.compare("sizes.n_exp", flint.num_expression)
    post_bug_fix = settings.get("sequence_decoder.post_bug_fix", settings.path is None)
    if type(post_bug_fix) is not bool:
        raise settings.refused("sequence_decoder.post_bug_fix", post_bug_fix, "True or False")
    if not post_bug_fix:
        settings.notes.append("post_bug_fix is off: the output projection reads the transformer's input, as trained")
    dropout = settings.get("sequence_decoder.dropout", DecoderConfig.dropout)
    if not isinstance(dropout, int | float) or isinstance(dropout, bool) or not 0 <= dropout < 1:
        raise settings.refused("sequence_decoder.dropout", dropout, "a number from 0 to 1")
    decoder = DecoderConfig(
        num_layers=num_layers,
        feature_dim=decoder_dim,
        intermediate_size=ffn,
        num_heads=settings.whole_number("sequence_decoder.nhead", NUM_HEADS),
        dropout=float(dropout),
        period=settings.whole_number("sequence_decoder.period", DecoderConfig.period),
        post_bug_fix=post_bug_fix,
    )
    try:
        return EMOTEConfig(
            name=name,
            audio_encoder=_audio_encoder(shapes, settings, source),
            decoder=decoder,
            flint=flint,
            sample_rate=SAMPLE_RATE,
            fps=MOTION_FPS,
            emotions=EMOTIONS,
            intensities=NUM_INTENSITIES,
            speakers=speakers,
            face=FACE,
            num_expression=flint.num_expression,
            expression_names=None,
            licence=LICENCE,
        )
    except ValueError as error:
        raise InputError(f"{source} describes no EMOTE that can be built: {error}") from error


def flint_config(shapes: Shapes, source: Path, prefix: str = "motion_decoder.") -> FLINTConfig:
    """The configuration of the motion prior whose decoder's keys begin with `prefix`."""
    features, dim, _ = _shape(shapes, prefix + "cross_smooth_layer.weight", 3, source)
    ffn, _ = _shape(shapes, prefix + "decoder_transformer.layers.0.linear1.weight", 2, source)
    _shape(shapes, prefix + "post_transformer_linear.weight", 2, source)
    try:
        return FLINTConfig(
            num_expression=features - 3,
            num_layers=_count(shapes, re.escape(prefix) + r"decoder_transformer\.layers\.(\d+)\."),
            feature_dim=dim,
            intermediate_size=ffn,
            num_heads=NUM_HEADS,
            quant_factor=_count(shapes, re.escape(prefix) + r"expander\.(\d+)\."),
        )
    except ValueError as error:
        raise InputError(f"{source} describes no motion prior that can be built: {error}") from error


def check_flint_settings(settings: Settings, config: FLINTConfig) -> None:
    """Raise InputError for a network that cannot be built; add notes where settings contradict the shapes."""
    settings.check(FLINT_RULES)
    for half in ("sequence_encoder", "sequence_decoder"):
        heads = settings.whole_number(f"{half}.nhead", NUM_HEADS)
        if heads != NUM_HEADS:
            raise settings.refused(f"{half}.nhead", heads, str(NUM_HEADS))
        settings.compare(f"{half}.feature_dim", config.feature_dim)
        settings.compare(f"{half}.intermediate_size", config.intermediate_size)
        settings.compare(f"{half}.num_layers", config.num_layers)
    settings.compare("sizes.quant_factor", config.quant_factor)
    settings.compare("sequence_components.exp", config.num_expression)


def _audio_encoder(shapes: Shapes, settings: Settings, source: Path) -> Wav2Vec2EncoderConfig:
    """The audio encoder of `audio.model_specifier`: a released one, or a folder beside the cfg.yaml."""
    prefix = "audio_model.model."
    specifier = settings.get("audio.model_specifier", BASE_960H)
    if specifier == BASE_960H:
        config = Wav2Vec2EncoderConfig()
    else:
        path = settings.path.parent / str(specifier) / "config.json" if settings.path else None
        if path is None or not isinstance(specifier, str) or not path.is_file():
            raise settings.refused(
                "audio.model_specifier", specifier, f"{BASE_960H} or a folder with config.json beside cfg.yaml"
            )
        try:
            config = Wav2Vec2EncoderConfig.from_huggingface(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, AttributeError) as error:
            raise InputError(f"{path} does not describe a Wav2Vec 2.0 encoder ({error}); copy it again") from error
    hidden, _ = _shape(shapes, prefix + "feature_projection.projection.weight", 2, source)
    num_layers = _count(shapes, re.escape(prefix) + r"encoder\.layers\.(\d+)\.")
    if (hidden, num_layers) != (config.hidden_size, config.num_hidden_layers):
        raise InputError(
            f"{source} has an audio encoder of {num_layers} layers, {hidden} wide, but {specifier} has "
            f"{config.num_hidden_layers}, {config.hidden_size} wide; put the cfg.yaml of this checkpoint beside it, "
            "and its audio encoder's folder beside that"
        )
    has_mask = prefix + "masked_spec_embed" in shapes
    return config if has_mask else replace(config, mask_time_prob=0.0)


def _shape(shapes: Shapes, key: str, dimensions: int, source: Path) -> tuple[int, ...]:
    """The shape of a tensor that every checkpoint of this kind has."""
    if len(shape := shapes.get(key, ())) != dimensions:
        found = f"has shape {shape}" if key in shapes else "is missing"
        raise InputError(f"{source} is no checkpoint of this kind: {key} {found}; give the released EMOTE or FLINT")
    return shape


def _count(shapes: Shapes, pattern: str) -> int:
    """The number of numbered parts."""
    return len({match[1] for key in shapes if (match := re.match(pattern, key))})
