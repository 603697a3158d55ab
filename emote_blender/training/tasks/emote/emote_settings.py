"""Settings of EMOTE's training, as the tables of a config file (`configs/emote_*.toml`) give them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ....audio import SAMPLE_RATE
from ....emotion import EMOTIONS, NUM_INTENSITIES
from ....flame.model import FaceModel
from ....motion_tools.timing import MOTION_FPS
from ....speech_model.config import DecoderConfig, EMOTEConfig, FLINTConfig, LogMelEncoderConfig, Wav2Vec2EncoderConfig
from ...data.corpus.speech_batches import DrawSettings
from ...losses.perceptual_settings import PerceptualSettings

MESH_TERMS = ("vertices", "gap", "tuck", "velocity")
HELPER_TERMS = ("phones", "articulation")
EMOTION_TERMS = ("emotion_video", "emotion_video_disentangled")
LIP_TERMS = ("lip_reading", "lip_reading_disentangled")
DISENTANGLED_TERMS = ("emotion_video_disentangled", "lip_reading_disentangled")
PERCEPTUAL_TERMS = EMOTION_TERMS + LIP_TERMS
TERMS = MESH_TERMS + HELPER_TERMS + PERCEPTUAL_TERMS
"""Names of all terms, in the order in which they are summed."""


@dataclass(frozen=True)
class ModelSettings:
    """`[model]`: the architecture. speakers: in the order of the condition's columns; the corpus's own if left out.

    encoder_dropout: of a log-mel encoder while it is trained; no part of the model folder.
    """

    name: str
    face: str
    licence: str
    audio_encoder: Wav2Vec2EncoderConfig | LogMelEncoderConfig
    flint: FLINTConfig
    decoder: DecoderConfig = DecoderConfig()
    speakers: tuple[str, ...] | None = None
    intensities: int = NUM_INTENSITIES
    encoder_dropout: float = 0.0

    def config(self, face_model: FaceModel, speakers: tuple[str, ...]) -> EMOTEConfig:
        """The model's configuration; `speakers` are the data's, where `[model]` names none."""
        names = face_model.expression_names
        return EMOTEConfig(
            name=self.name,
            audio_encoder=self.audio_encoder,
            decoder=self.decoder,
            flint=self.flint,
            sample_rate=SAMPLE_RATE,
            fps=MOTION_FPS,
            emotions=EMOTIONS,
            intensities=self.intensities,
            speakers=self.speakers or speakers,
            face=self.face,
            num_expression=self.flint.num_expression,
            expression_names=names if names and len(names) == self.flint.num_expression else None,
            licence=self.licence,
        )


@dataclass(frozen=True)
class StartSettings:
    """`[start]`: what training starts from, and what of it stays as it is.

    audio_encoder: a Hugging Face folder or Hub name with Wav2Vec 2.0 weights. motion_prior: folder of a trained FLINT,
    or of the run that trained it. initial: an EMOTE to go on from instead of these two: a model folder, a run's folder
    or a checkpoint; `--init` goes before it. freeze: parts of the model by their path (see `EMOTEParts`); the motion
    prior is always frozen, but for `train_motion_prior`: then it begins with random weights and is trained with the
    rest, which is EMOTE without FLINT.
    """

    audio_encoder: str | None = None
    motion_prior: Path | None = None
    initial: Path | None = None
    freeze: tuple[str, ...] = ()
    train_motion_prior: bool = False


@dataclass(frozen=True)
class LossSettings:
    """`[loss]`: the weight of each term; 0 switches it off.

    mesh: "flame" takes every vertex, in square metres, as published; "regions" takes the mouth more than the rest, in
    square millimetres, and knows the lip gap and the tuck of the lower lip (`losses.MeshLoss`). contact,
    refined_contact, largest_error: see `MeshLoss`; from step `refine_from` on, `refined_contact` stands for `contact`
    and `tuck` counts: first the model learns to make closures at all, then to make no others.
    """

    mesh: Literal["flame", "regions"] = "flame"
    vertices: float = 1.0
    gap: float = 0.0
    tuck: float = 0.0
    velocity: float = 0.0
    phones: float = 0.0
    articulation: float = 0.0
    emotion_video: float = 0.0
    emotion_video_disentangled: float = 0.0
    lip_reading: float = 0.0
    lip_reading_disentangled: float = 0.0
    contact: float = 6.0
    refined_contact: float = 3.5
    refine_from: int = 0
    largest_error: float = 4.0

    def __post_init__(self) -> None:
        negative = [name for name in TERMS if getattr(self, name) < 0]
        if negative:
            raise ValueError(f"{negative[0]}: must be 0 or more, found {getattr(self, negative[0])}")
        if self.mesh == "flame" and (self.gap or self.tuck):
            raise ValueError('gap and tuck: need mesh = "regions"')

    def weights(self, step: int) -> dict[str, float]:
        """Weight of each term at a step, without those that are off."""
        weights = {name: getattr(self, name) for name in TERMS}
        if step < self.refine_from:
            weights["tuck"] = 0.0
        return {name: weight for name, weight in weights.items() if weight}

    def contact_weight(self, step: int) -> float:
        """What `MeshLoss` takes at a step."""
        return self.refined_contact if step >= self.refine_from else self.contact

    @property
    def needs_emotion(self) -> bool:
        """True where an emotion network has to watch."""
        return any(getattr(self, name) for name in EMOTION_TERMS)

    @property
    def needs_lips(self) -> bool:
        """True where a lip reader has to watch."""
        return any(getattr(self, name) for name in LIP_TERMS)

    @property
    def exchanges(self) -> bool:
        """True where conditions are exchanged."""
        return any(getattr(self, name) for name in DISENTANGLED_TERMS)


@dataclass(frozen=True)
class CorpusData(DrawSettings):
    """`[data]` of type "corpus": prepared parts of the generated corpus, folders below `--data`.

    shares: how often each part is drawn. validation: parts that are never trained on.
    """

    shares: dict[str, float]
    validation: tuple[str, ...]
    type: Literal["corpus"] = "corpus"
    validation_batches: int = 4


@dataclass(frozen=True)
class MEADData:
    """`[data]` of type "mead": the published layout below `--data` (see `mead.MEADClips`).

    published_split: the identities of the released models, whichever of them are there. emotion_features: read those
    of the real videos, the reference of the emotion terms. validation_batches: at most so many; 0: all.
    """

    type: Literal["mead"] = "mead"
    reconstruction: str = "EMICA-MEAD_flame2020"
    num_shape: int = 300
    published_split: bool = True
    emotion_features: bool = False
    feature_dim: int = 2048
    batch_size: int = 4
    num_frames: int = 64
    validation_batches: int = 0


@dataclass(frozen=True)
class MotionsData:
    """`[data]` of type "motions": `.npz` motions with their sound below `--data` (see `motion_folder.MotionFolder`).

    hold_out: every so many-th clip is validated on and never trained on. validation_batches: at most so many; 0: all.
    """

    type: Literal["motions"] = "motions"
    hold_out: int = 10
    batch_size: int = 4
    num_frames: int = 64
    validation_batches: int = 0

    def __post_init__(self) -> None:
        if self.hold_out < 2:
            raise ValueError(f"hold_out: must be at least 2, found {self.hold_out}")


@dataclass(frozen=True)
class EMOTESettings:
    """A config file of `train emote`."""

    model: ModelSettings
    data: CorpusData | MEADData | MotionsData
    start: StartSettings = StartSettings()
    loss: LossSettings = LossSettings()
    perceptual: PerceptualSettings = PerceptualSettings()

    def __post_init__(self) -> None:
        if self.loss.exchanges and self.data.batch_size < 2:
            raise ValueError("data.batch_size: conditions are exchanged between at least 2 clips, found 1")
        missing = [name for name in self._needed_networks() if getattr(self.perceptual, name) is None]
        if missing:
            raise ValueError(f"perceptual.{missing[0]}: missing; a term of [loss] needs that network")

    def _needed_networks(self) -> list[str]:
        emotion = ["emotion_network", "video_emotion"] if self.loss.needs_emotion else []
        return emotion + (["lip_reader"] if self.loss.needs_lips else [])
