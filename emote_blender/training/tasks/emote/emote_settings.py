"""Settings of EMOTE's training: the tables of a config file (`configs/emote_*.toml`)."""

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

MESH_TERMS = ("vertices", "gap", "tuck", "velocity", "dynamics")
HELPER_TERMS = ("phones", "articulation")
EMOTION_TERMS = ("emotion_video", "emotion_video_disentangled")
LIP_TERMS = ("lip_reading", "lip_reading_disentangled")
DISENTANGLED_TERMS = ("emotion_video_disentangled", "lip_reading_disentangled")
PERCEPTUAL_TERMS = EMOTION_TERMS + LIP_TERMS
TERMS = MESH_TERMS + HELPER_TERMS + PERCEPTUAL_TERMS
"""Names of all terms, in the order in which they are summed."""


@dataclass(frozen=True)
class ModelSettings:
    """`[model]`: the architecture.

    Attributes:
        name: of the model.
        face: basis of the head that the coefficients belong to.
        licence: of the model.
        audio_encoder: the audio encoder.
        flint: the motion prior.
        decoder: the decoder between the two.
        speakers: in the order of the condition's columns; None for the speakers of the data.
        intensities: number of intensity columns.
        encoder_dropout: dropout of a log-mel encoder in training; not written to the model folder.
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
        """The model's configuration; `speakers` are used if `[model]` names none."""
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
    """`[start]`: the initial weights, and which of them are frozen.

    Attributes:
        audio_encoder: Hugging Face folder or Hub name of Wav2Vec 2.0 weights; None for random ones.
        motion_prior: folder of a trained FLINT, or of the run that trained it.
        initial: an EMOTE to continue from, instead of the two above: a model folder, a run's folder or a checkpoint.
            `--init` overrides it.
        freeze: parts of the model to freeze besides the motion prior, by their path (see `EMOTEParts`).
        train_motion_prior: start the motion prior from random weights and train it too. This is EMOTE without FLINT.
    """

    audio_encoder: str | None = None
    motion_prior: Path | None = None
    initial: Path | None = None
    freeze: tuple[str, ...] = ()
    train_motion_prior: bool = False


@dataclass(frozen=True)
class LossSettings:
    """`[loss]`: the weight of each term; 0 switches it off.

    From step `refine_from` on, `refined_contact` replaces `contact` and `tuck` counts. The model first learns to make
    closures at all, then to make only the right ones.

    Attributes:
        mesh: "flame" is the published error of all vertices, m²; "regions" is `MeshLoss`, mm², which weights the mouth
            more and has the lip gap and the tuck of the lower lip.
        vertices: of the vertex error.
        gap: of the lip gap's error, "regions" only.
        tuck: of the error of the lower lip's distance from the upper teeth, "regions" only.
        velocity: of the error of the vertices' frame differences.
        dynamics: of the error of the lips' spectral magnitudes, "regions" only (`losses.mesh.spectral_error`).
        phones: of the cross-entropy of the encoder's phones.
        articulation: of the auxiliary head's error.
        emotion_video: of the emotion of the clip's own rendering (see `losses/perceptual.py`, also for the next three).
        emotion_video_disentangled: of the emotion of the exchanged rendering.
        lip_reading: of the lips of the clip's own rendering.
        lip_reading_disentangled: of the lips of the exchanged rendering.
        contact: `contact_weight` of `MeshLoss` before step `refine_from`.
        refined_contact: `contact_weight` from that step on.
        refine_from: step.
        largest_error: see `MeshLoss`, mm.
    """

    mesh: Literal["flame", "regions"] = "flame"
    vertices: float = 1.0
    gap: float = 0.0
    tuck: float = 0.0
    velocity: float = 0.0
    dynamics: float = 0.0
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
        if self.mesh == "flame" and (self.gap or self.tuck or self.dynamics):
            raise ValueError('gap, tuck and dynamics: need mesh = "regions"')

    def weights(self, step: int) -> dict[str, float]:
        """Weight of each term at a step, without those that are off."""
        weights = {name: getattr(self, name) for name in TERMS}
        if step < self.refine_from:
            weights["tuck"] = 0.0
        return {name: weight for name, weight in weights.items() if weight}

    def contact_weight(self, step: int) -> float:
        """The `contact_weight` of `MeshLoss` at a step."""
        return self.refined_contact if step >= self.refine_from else self.contact

    @property
    def needs_emotion(self) -> bool:
        """True if a term needs the emotion networks."""
        return any(getattr(self, name) for name in EMOTION_TERMS)

    @property
    def needs_lips(self) -> bool:
        """True if a term needs the lip reader."""
        return any(getattr(self, name) for name in LIP_TERMS)

    @property
    def exchanges(self) -> bool:
        """True if a term needs exchanged conditions."""
        return any(getattr(self, name) for name in DISENTANGLED_TERMS)


@dataclass(frozen=True)
class CorpusData(DrawSettings):
    """`[data]` of type "corpus": prepared parts of the generated corpus, folders below `--data`.

    The other fields are those of `DrawSettings`.

    Attributes:
        shares: sampling weight of each part.
        validation: parts that are held out.
        type: the tag of this kind of data.
        validation_batches: number of held-out batches.
    """

    shares: dict[str, float]
    validation: tuple[str, ...]
    type: Literal["corpus"] = "corpus"
    validation_batches: int = 4


@dataclass(frozen=True)
class MEADData:
    """`[data]` of type "mead": the processed MEAD in its published layout below `--data` (see `mead.MEADClips`).

    Attributes:
        type: the tag of this kind of data.
        reconstruction: folder of the face reconstruction method.
        num_shape: number of identity coefficients in its files.
        published_split: train on the speakers of the released models, as far as they are present.
        emotion_features: read the features of the real videos, the reference of the emotion terms.
        feature_dim: their size.
        feature_method: folder under `emotions` that they are in.
        batch_size: windows in a batch.
        num_frames: frames of a window.
        validation_batches: largest number of held-out batches; 0 for all.
    """

    type: Literal["mead"] = "mead"
    reconstruction: str = "EMICA-MEAD_flame2020"
    num_shape: int = 300
    published_split: bool = True
    emotion_features: bool = False
    feature_dim: int = 2048
    feature_method: str = "resnet50"
    batch_size: int = 4
    num_frames: int = 64
    validation_batches: int = 0


@dataclass(frozen=True)
class MotionsData:
    """`[data]` of type "motions": `.npz` motions with their sound below `--data` (see `motion_folder.MotionFolder`).

    Attributes:
        type: the tag of this kind of data.
        hold_out: every n-th clip is held out for validation.
        batch_size: windows in a batch.
        num_frames: frames of a window.
        validation_batches: largest number of held-out batches; 0 for all.
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
    """A config file of `train emote`; see the class of each table."""

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
