"""What takes part when EMOTE is trained: the model, the head that helps its encoder, what is frozen, who compares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....emote.log_mel import ConvolutionBlock, LogMelEncoder
from ....emote.model import EMOTE
from ....speech_model.config import EMOTEConfig
from ...corpus.motion import articulation
from ...data.clip_batch import ClipBatch
from ...losses.mesh import MeshLoss
from ...losses.perceptual import PerceptualNetworks
from ...losses.vertex import VertexLoss
from ...rendering.posed_face import full_precision

# How much each articulation channel counts, in the order of `articulation.CHANNELS`: contacts are rare and matter most.
CHANNEL_WEIGHTS = (2.0, 1.5, 1.5, 3.0, 3.0, 1.0, 1.0)


class EMOTEParts(nn.Module):
    """EMOTE, and a linear head that reads articulation channels from its audio features and is thrown away afterwards.

    The motion prior is always frozen (spec/EMOTE.md 3.5). What else is frozen is named by its path in `EMOTE`, such as
    "audio_model" or "audio_model.model.feature_extractor"; frozen parts have no gradient and stay in eval mode.

    The perceptual networks are no part of the state dict: they come from their own files, and a checkpoint of EMOTE
    neither grows by them nor depends on which were used.
    """

    def __init__(
        self,
        config: EMOTEConfig,
        surface: VertexLoss | MeshLoss,
        perceptual: PerceptualNetworks | None = None,
        freeze: Sequence[str] = (),
        encoder_dropout: float = 0.0,
    ) -> None:
        """surface: compares motions on the mesh; encoder_dropout: of a log-mel encoder's blocks.

        Raises ValueError where a name in `freeze` is no part of the model.
        """
        super().__init__()
        self.surface, self.perceptual = surface, perceptual
        self.emote = EMOTE(config)
        for block in self.emote.audio_model.modules():
            if isinstance(block, ConvolutionBlock):
                block.dropout.p = encoder_dropout
        self.articulation_head = nn.Linear(config.audio_encoder.dim, len(articulation.CHANNELS))
        self.freeze = tuple(freeze)
        modules = dict(self.emote.named_modules())
        for name in self.freeze:
            if name not in modules:
                parts = ", ".join(child for child, _ in self.emote.named_children())
                raise ValueError(f"'{name}' is no part of the model; its parts are {parts} and theirs")
            modules[name].requires_grad_(False)
        if self.audio_is_frozen:
            self.articulation_head.requires_grad_(False)  # there is nothing left that it could help to learn
        self.register_state_dict_post_hook(_leave_out_perceptual)
        self.register_load_state_dict_post_hook(_expect_no_perceptual)

    @property
    def audio_is_frozen(self) -> bool:
        """True where nothing of the audio encoder is trained."""
        return not any(parameter.requires_grad for parameter in self.emote.audio_model.parameters())

    def train(self, mode: bool = True) -> EMOTEParts:
        """Self, in training mode but for what is frozen: no dropout, no masking, no running statistics there."""
        super().train(mode)
        for name in self.freeze:
            self.emote.get_submodule(name).eval()
        return self

    def encode(self, batch: ClipBatch) -> tuple[Tensor, Tensor | None]:
        """Audio features (B, T, D), and phone logits (B, 2 T, classes) of an encoder that has a phone head."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.audio_is_frozen):
            encoder = self.emote.audio_model
            if not isinstance(encoder, LogMelEncoder):
                return self.emote.encode_audio(batch.samples, batch.motion.shape[1]), None
            mel = encoder.log_mel(batch.samples, batch.motion.shape[1]) if batch.mel is None else batch.mel
            return encoder.encode_log_mel(mel, batch.phones)

    def motion(self, features: Tensor, condition: Tensor) -> Tensor:
        """(B, T, E + 3) expression and jaw axis-angle of audio features (B, T, D) and conditions (B, T, C)."""
        latents = self.emote.latents(features, condition)
        return torch.cat(self.emote.decode_latents(latents, features.shape[1]), -1)

    def mesh_terms(self, motion: Tensor, batch: ClipBatch, contact_weight: float) -> dict[str, Tensor]:
        """Errors of motion (B, T, E + 3) on the mesh by name, in the unit of `surface`; see there.

        A term that cannot be measured on this batch is left out.
        """
        with full_precision(motion):
            motion = motion.float()
            if isinstance(self.surface, VertexLoss):
                return self.surface(motion, batch.motion, batch.shape, batch.valid)
            # What is not valid counts as without error; the corpus has no such frames.
            counted = torch.where(batch.valid[..., None], motion, batch.motion)
            return dict(vars(self.surface(counted, batch.motion, contact_weight)))

    def helper_terms(self, features: Tensor, logits: Tensor | None, batch: ClipBatch) -> dict[str, Tensor]:
        """`phones` (cross-entropy) and `articulation` (error of the channels), where the batch knows them."""
        terms = {}
        if logits is not None and batch.labels is not None:
            terms["phones"] = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), label_smoothing=0.05)
        if batch.articulation is not None:
            terms["articulation"] = self._articulation_error(features, batch.articulation)
        return terms

    def _articulation_error(self, features: Tensor, wanted: Tensor) -> Tensor:
        weights = features.new_tensor(CHANNEL_WEIGHTS)
        found = self.articulation_head(features)
        position = F.smooth_l1_loss(found, wanted, beta=0.1, reduction="none")
        change = ((found - wanted)[:, 1:] - (found - wanted)[:, :-1]).abs()
        return 4 * (position * weights).mean() + 0.5 * (change * weights).mean()


def _leave_out_perceptual(module: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
    """Takes the perceptual networks' tensors out of a state dict of `EMOTEParts`."""
    for name in [name for name in state if name.startswith(f"{prefix}perceptual.")]:
        del state[name]


def _expect_no_perceptual(module: nn.Module, incompatible: Any) -> None:
    """Says that these tensors are not missing."""
    missing = incompatible.missing_keys
    missing[:] = [name for name in missing if "perceptual" not in name.split(".")]
