"""The training of EMOTE, both stages: `train emote --config emote_v2_stage1` (spec/EMOTE.md 6).

Stage 1 minimises the error on the mesh. Stage 2 continues from it with the audio encoder frozen: each batch is also
generated with exchanged conditions, both are rendered, and perceptual networks compare emotion and lips. The code is
the same; the weights in `[loss]` and `[start] freeze` decide which stage it is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ....emote.checkpoint import load_model, save_model
from ....emote.motion_prior import PRIOR_CONFIG_FILE, load_motion_prior
from ....errors import InputError
from ....files.paths import find_head
from ....flame.model import FaceModel
from ....speech_model.config import CONFIG_FILE
from ...data.clip_batch import ClipBatch
from ...losses.mesh import MeshLoss
from ...losses.perceptual import build_networks, frames_before_padding, perceptual_terms
from ...losses.vertex import VertexLoss
from ...networks.pretrained_audio import load_pretrained_audio
from ...rendering.face_film import FaceFilm
from ...rendering.posed_face import full_precision
from ...run.config import build_settings
from ...run.folder import EXPORT_FOLDER, load_weights, put_weights
from ...run.task import RunInputs, Task
from .condition_exchange import derangement, double_batch
from .emote_data import EMOTEData, open_data
from .emote_parts import EMOTEParts
from .emote_settings import DISENTANGLED_TERMS, PERCEPTUAL_TERMS, EMOTESettings, StartSettings
from .new_speakers import weights_for_speakers

logger = logging.getLogger(__name__)

CLIP_SIZE = 160  # pixels of a rendered clip for the log


@dataclass(frozen=True, eq=False)
class GeneratedBatch:
    """What the model makes of a batch.

    Attributes:
        features: (B, T, D) audio features.
        logits: (B, 2 T, classes) phone logits; None if the encoder has no phone head.
        own: (B, T, E + 3) motion under the clips' own conditions: expression, then jaw axis-angle in radians.
        exchanged: (B, T, E + 3) the same speech with the emotion of clip permutation[i]; None without an exchange.
        permutation: (B,) int64 clip whose emotion clip i got; None without an exchange.
    """

    features: Tensor
    logits: Tensor | None
    own: Tensor
    exchanged: Tensor | None
    permutation: Tensor | None


class EMOTETask(Task):
    """EMOTE on speech and motion.

    Args:
        settings: the tables of a config file.
        data: training batches by number and batches for validation.
        head: name or folder of the head that motions are compared on.
        initial: an EMOTE to continue from; overrides `settings.start.initial`.
    """

    name = "emote"

    def __init__(self, settings: EMOTESettings, data: EMOTEData, head: str | Path, initial: Path | None = None) -> None:
        self.settings, self.data, self.head = settings, data, str(head)
        self.initial = initial or settings.start.initial

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> EMOTETask:
        """The task of a config file; see `Task.from_config`."""
        settings = build_settings(EMOTESettings, tables, inputs.config)
        data = open_data(settings, inputs.data_folder(), inputs.seed)
        return cls(settings, data, inputs.head or settings.model.face, inputs.init)

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; None for the corpus, which has no end."""
        return self.data.num_batches

    def modules(self) -> EMOTEParts:
        """The model with its initial weights (see `StartSettings`), and all that its losses need."""
        start, loss = self.settings.start, self.settings.loss
        face_model = self._face_model()
        known, wanted = face_model.num_expression, self.settings.model.flint.num_expression
        if known < wanted or (known != wanted and loss.mesh == "regions"):  # v1 has 50 of FLAME's 100
            raise InputError(
                f"the head '{face_model.basis}' has {known} expression components, but [model.flint] num_expression is "
                f"{wanted}; choose a head that fits with --head"
            )
        if face_model.basis != self.settings.model.face:
            logger.warning("the head is '%s', the config is for '%s'", face_model.basis, self.settings.model.face)
        config = self.settings.model.config(face_model, self.data.speakers)
        surface = VertexLoss(face_model) if loss.mesh == "flame" else MeshLoss(face_model, loss.largest_error)
        networks = build_networks(face_model, self.settings.perceptual, loss.needs_emotion, loss.needs_lips)
        try:
            parts = EMOTEParts(config, surface, networks, start.freeze, self.settings.model.encoder_dropout)
        except ValueError as error:
            raise InputError(f"[start] freeze: {error}; correct the config file") from error
        if not loss.articulation:
            parts.articulation_head.requires_grad_(False)
        if start.train_motion_prior:
            parts.emote.sequence_decoder.motion_prior.requires_grad_(True)
        _load_start(parts, start, self.initial)
        return parts

    def batch(self, number: int) -> ClipBatch:
        """Training batch `number`."""
        return self.data.batch(number)

    def loss(self, module: nn.Module, batch: ClipBatch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum of the terms, and the terms by name."""
        assert isinstance(module, EMOTEParts)
        loss, settings = self.settings.loss, self.settings.perceptual
        weights = loss.weights(step)
        if step % settings.render_every:
            weights = {name: weight for name, weight in weights.items() if name not in PERCEPTUAL_TERMS}
        else:
            weights |= {name: weights[name] * settings.render_every for name in PERCEPTUAL_TERMS if name in weights}
        terms = self.terms(module, batch, self.generate(module, batch, weights), weights, loss.contact_weight(step))
        weighted = [weight * terms[name] for name, weight in weights.items() if name in terms]
        if not weighted:  # no term could be measured on this batch: zero gradients
            weighted = [0.0 * parameter.sum() for parameter in module.parameters() if parameter.requires_grad]
        return sum(weighted[1:], weighted[0]), terms

    def generate(self, module: EMOTEParts, batch: ClipBatch, weights: Mapping[str, float]) -> GeneratedBatch:
        """The motion of a batch, also with exchanged conditions if a term with a weight needs it.

        The exchange uses torch's global generator.
        """
        features, logits = module.encode(batch)
        if not any(name in DISENTANGLED_TERMS for name in weights):
            return GeneratedBatch(features, logits, module.motion(features, batch.condition), None, None)
        clips = len(batch.motion)
        permutation = derangement(clips)
        config = module.emote.config
        num_exchanged = len(config.emotions) + config.intensities
        doubled = double_batch(features, batch.condition, permutation, num_exchanged)
        own, exchanged = module.motion(*doubled).split(clips)
        return GeneratedBatch(features, logits, own, exchanged, permutation)

    def terms(
        self,
        module: EMOTEParts,
        batch: ClipBatch,
        generated: GeneratedBatch,
        weights: Mapping[str, float],
        contact_weight: float,
    ) -> dict[str, Tensor]:
        """The unweighted terms of a batch: all mesh terms, and those of the others that have a weight.

        The choice of the rendered frames uses torch's global generator.

        Args:
            module: the training module.
            batch: the clips.
            generated: their motion, of `generate`.
            weights: weight of each term that is wanted.
            contact_weight: see `MeshLoss`.
        """
        own, exchanged = generated.own, generated.exchanged
        terms = module.mesh_terms(own, batch, contact_weight)
        others = module.helper_terms(generated.features, generated.logits, batch)
        if module.perceptual is not None and any(name in weights for name in PERCEPTUAL_TERMS):
            run = self._rendered_run(own.shape[1])
            video_features = batch.emotion_features
            others |= perceptual_terms(
                module.perceptual,
                own[:, run],
                None if exchanged is None else exchanged[:, run],
                batch.motion[:, run],
                generated.permutation,
                batch.valid[:, run],
                batch.shape,
                None if video_features is None else video_features[:, run],
                frames_before_padding(batch.valid, run),
            )
        return terms | {name: term for name, term in others.items() if name in weights}

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Means over the held-out batches of the loss, with its final weights, and of its terms."""
        assert isinstance(module, EMOTEParts)
        loss = self.settings.loss
        weights, contact_weight = loss.weights(loss.refine_from), loss.contact_weight(loss.refine_from)
        device = next(module.parameters()).device
        found: dict[str, list[float]] = {}
        for batch in self.data.validation():
            batch = batch.to(device)
            terms = self.terms(module, batch, self.generate(module, batch, weights), weights, contact_weight)
            for name, term in terms.items():
                found.setdefault(name, []).append(term.item())
        means = {name: sum(values) / len(values) for name, values in found.items()}
        return {"loss": sum(weight * means[name] for name, weight in weights.items() if name in means), **means}

    def clips(self, module: nn.Module) -> dict[str, Tensor]:
        """The first held-out clip, rendered: its true motion on the left, the generated one on the right."""
        assert isinstance(module, EMOTEParts)
        device = next(module.parameters()).device
        batch = next(iter(self.data.validation())).to(device)
        features, _ = module.encode(batch)
        found = module.motion(features[:1], batch.condition[:1])
        shape = None if batch.shape is None else batch.shape[:1]
        film = FaceFilm(self._face_model(), CLIP_SIZE, self.settings.perceptual.camera).to(device)
        with full_precision(found):
            sides = [film(motion.float(), shape)[0] for motion in (batch.motion[:1], found)]
        return {"true_and_found": torch.cat(sides, -1)}

    def export(self, module: nn.Module, folder: Path) -> None:
        """Write the model folder."""
        assert isinstance(module, EMOTEParts)
        save_model(module.emote, folder)

    def _rendered_run(self, frames: int) -> slice:
        """The frames of a window to render, from a random place."""
        count = min(self.settings.perceptual.render_frames or frames, frames)
        first = int(torch.randint(frames - count + 1, ()))
        return slice(first, first + count)

    def _face_model(self) -> FaceModel:
        return FaceModel.load(find_head(self.head))


def _prior_folder(path: Path) -> Path:
    """The motion prior folder at `path`, which may be the folder of the run that exported it."""
    exported = path / EXPORT_FOLDER
    return exported if (exported / PRIOR_CONFIG_FILE).is_file() else path


def _load_start(parts: EMOTEParts, start: StartSettings, initial: Path | None) -> None:
    """Load the initial weights: those of another EMOTE, else those of a motion prior and an audio encoder.

    Raises:
        EmoteError: a file is missing, damaged or of another architecture, or no motion prior is given.
    """
    if initial is not None:
        if (initial / CONFIG_FILE).is_file():
            weights = weights_for_speakers(load_model(initial), parts.emote.config.speakers)
            put_weights(parts.emote, weights, initial)
        else:
            load_weights(parts, initial)
        return
    if start.train_motion_prior:
        return
    if start.motion_prior is None:
        raise InputError(
            "EMOTE needs a motion prior: name the folder of a trained FLINT in [start] motion_prior, or give an EMOTE "
            "to go on from with --init"
        )
    prior, wanted = load_motion_prior(_prior_folder(start.motion_prior)), parts.emote.config.flint
    if prior.config != wanted:
        raise InputError(f"{start.motion_prior} is {prior.config}, but [model.flint] is {wanted}; make them agree")
    parts.emote.load_motion_prior(prior)
    if parts.perceptual is not None:
        logger.warning("no EMOTE to continue from: the published second stage starts from a model of the first stage")
    if start.audio_encoder is not None:
        load_pretrained_audio(parts.emote.audio_model, start.audio_encoder)
