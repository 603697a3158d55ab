"""The training module of EMOTE: the model, its auxiliary head, the frozen parts and the losses."""

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

# Weight of each articulation channel, in the order of `articulation.CHANNELS`. Contacts are rare and matter most.
CHANNEL_WEIGHTS = (2.0, 1.5, 1.5, 3.0, 3.0, 1.0, 1.0)


class EMOTEParts(nn.Module):
    """EMOTE with an auxiliary linear head that predicts articulation channels from the audio features.

    The head is only used in training. The motion prior is always frozen (spec/EMOTE.md 3.5). Frozen parts have no
    gradient and stay in eval mode.

    The perceptual networks are not in the state dict. They come from their own files, so a checkpoint of EMOTE neither
    contains them nor depends on which were used.

    Args:
        config: the architecture of EMOTE.
        surface: the loss that compares motions on the mesh.
        perceptual: the networks of the second stage; None in the first.
        freeze: other parts to freeze, by their path in `EMOTE`, such as "audio_model" or
            "audio_model.model.feature_extractor".
        encoder_dropout: dropout of a log-mel encoder's blocks.

    Raises:
        ValueError: a name in `freeze` is not a part of the model.
    """

    def __init__(
        self,
        config: EMOTEConfig,
        surface: VertexLoss | MeshLoss,
        perceptual: PerceptualNetworks | None = None,
        freeze: Sequence[str] = (),
        encoder_dropout: float = 0.0,
    ) -> None:
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
                raise ValueError(f"'{name}' is not a part of the model; its parts are {parts}, and the parts of these")
            modules[name].requires_grad_(False)
        if self.audio_is_frozen:
            self.articulation_head.requires_grad_(False)  # it only serves to train the encoder
        self.register_state_dict_post_hook(_leave_out_perceptual)
        self.register_load_state_dict_post_hook(_expect_no_perceptual)

    @property
    def audio_is_frozen(self) -> bool:
        """True if no parameter of the audio encoder is trained."""
        return not any(parameter.requires_grad for parameter in self.emote.audio_model.parameters())

    def train(self, mode: bool = True) -> EMOTEParts:
        """Self, in training mode except the frozen parts, which use no dropout, masking or running statistics."""
        super().train(mode)
        for name in self.freeze:
            self.emote.get_submodule(name).eval()
        return self

    def encode(self, batch: ClipBatch) -> tuple[Tensor, Tensor | None]:
        """(B, T, D) audio features, and (B, 2 T, classes) phone logits or None if the encoder has no phone head."""
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
        """Errors of a motion on the mesh by name, in the unit of `surface`.

        A term that cannot be measured on this batch is left out.

        Args:
            motion: (B, T, E + 3) expression, then jaw axis-angle in radians.
            batch: the clips with the reference motion.
            contact_weight: see `MeshLoss`.
        """
        with full_precision(motion):
            motion = motion.float()
            if isinstance(self.surface, VertexLoss):
                return self.surface(motion, batch.motion, batch.shape, batch.valid)
            # Invalid frames get an error of zero; the corpus has none.
            counted = torch.where(batch.valid[..., None], motion, batch.motion)
            return dict(vars(self.surface(counted, batch.motion, contact_weight)))

    def helper_terms(self, features: Tensor, logits: Tensor | None, batch: ClipBatch) -> dict[str, Tensor]:
        """`phones` (cross-entropy) and `articulation` (error of the channels), those that the batch has labels for."""
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
    """Remove the perceptual networks' tensors from a state dict of `EMOTEParts`."""
    for name in [name for name in state if name.startswith(f"{prefix}perceptual.")]:
        del state[name]


def _expect_no_perceptual(module: nn.Module, incompatible: Any) -> None:
    """Remove the perceptual networks' tensors from the list of missing keys."""
    missing = incompatible.missing_keys
    missing[:] = [name for name in missing if "perceptual" not in name.split(".")]
