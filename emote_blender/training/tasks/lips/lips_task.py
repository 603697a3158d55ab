"""The training of the lip reader on rendered mouths and the corpus's phones: `train lips --config lips_open`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...corpus.phones import CLASSES, VISEMES
from ...data.corpus.film_data import FilmBatch, FilmSettings
from ...networks.folder import save_network
from ...networks.lip_reading import (
    BLANK,
    LipReader,
    LipReaderConfig,
    ctc_loss,
    ctc_targets,
    frame_loss,
    greedy_decode,
    phone_error_rate,
)
from ...rendering.face_film import FaceFilm
from ...run.folder import load_weights
from ..film_task import FilmParts, FilmTask, FilmViewSettings, varied


@dataclass(frozen=True)
class LipsLossSettings:
    """`[loss]`: the weight of each term.

    Attributes:
        ctc: of the CTC loss of the phone sequence.
        frames: of the cross-entropy of each frame's phone, which converges faster.
    """

    ctc: float = 1.0
    frames: float = 1.0


@dataclass(frozen=True)
class LipsViewSettings(FilmViewSettings):
    """`[view]`: the rendered pictures and the augmentation of the mouth crops, which have a margin of 4 pixels (0.04).

    Attributes:
        mirror: mirror half of the clips.
    """

    mirror: bool = True


@dataclass(frozen=True)
class LipsSettings:
    """A config file of `train lips`.

    Attributes:
        model: the lip reader's architecture.
        data: the clips.
        loss: weights.
        view: the pictures.
        face: name or folder of the head to render.
    """

    model: LipReaderConfig
    data: FilmSettings
    loss: LipsLossSettings = LipsLossSettings()
    view: LipsViewSettings = LipsViewSettings()
    face: str = "open_head"


class LipsParts(FilmParts):
    """The lip reader, and the renderer of its mouth crops."""

    def __init__(self, reader: LipReader, film: FaceFilm, data: FilmSettings) -> None:
        super().__init__(film, data)
        self.reader = reader

    def mouths(self, batch: FilmBatch) -> Tensor:
        """(B, T, 96, 96) mouth crops of a training batch (in eval mode: a validation batch)."""
        return self.rendered(batch, self.film.mouths)


class LipsTask(FilmTask):
    """Trains the lip reader to recognise the phones of clips in all emotions."""

    name = "lips"
    settings_class = LipsSettings
    settings: LipsSettings

    def modules(self) -> LipsParts:
        """A new lip reader and the renderer."""
        parts = LipsParts(LipReader(self.settings.model), self.make_film(), self.settings.data)
        if self.initial is not None:
            load_weights(parts, self.initial)
        return parts

    def loss(self, module: nn.Module, batch: FilmBatch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum of `ctc` and `frames`, and both by name."""
        assert isinstance(module, LipsParts)
        view, weights = self.settings.view, self.settings.loss
        mouths = varied(module.mouths(batch).unsqueeze(2), view.brightness, view.shift).squeeze(2)
        if view.mirror:
            mirrored = torch.rand(len(mouths)) < 0.5
            mouths = torch.where(mirrored.to(mouths.device)[:, None, None, None], mouths.flip(-1), mouths)
        found = module.reader(mouths)
        terms = {"ctc": ctc_loss(found, ctc_targets(batch.labels)), "frames": frame_loss(found, batch.labels)}
        return weights.ctc * terms["ctc"] + weights.frames * terms["frames"], terms

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Figures over the held-out clips.

        `phone_error_rate` of the greedy decoding; `viseme_error`: fraction of wrong visemes, over frames that lie
        within one phone and are not silent; the losses `ctc` and `frames`.
        """
        assert isinstance(module, LipsParts)
        device = next(module.parameters()).device
        spoken: list[list[int]] = []
        decoded: list[list[int]] = []
        wrong, losses = [], []
        visemes = viseme_table().to(device)
        for batch in (batch.to(device) for batch in self.data.validation()):
            found = module.reader(module.mouths(batch))
            decoded += greedy_decode(found)
            targets = ctc_targets(batch.labels)
            spoken += [part.tolist() for part in targets.phones.split(targets.lengths.tolist())]
            first, second = batch.labels.unflatten(1, (-1, 2)).unbind(-1)
            counted = (first == second) & (first != 0)
            wrong.append((visemes[found[..., :BLANK].argmax(-1)] != visemes[first])[counted].float())
            losses.append([ctc_loss(found, targets).item(), frame_loss(found, batch.labels).item()])
        ctc, frames = torch.tensor(losses).mean(0).tolist()
        return {
            "phone_error_rate": phone_error_rate(decoded, spoken),
            "viseme_error": torch.cat(wrong).mean().item(),
            "ctc": ctc,
            "frames": frames,
        }

    def clips(self, module: nn.Module) -> dict[str, Tensor]:
        """The mouths of the first held-out clips."""
        assert isinstance(module, LipsParts)
        batch = next(iter(self.data.validation())).to(next(module.parameters()).device)
        mouths = module.mouths(batch)[:2].unsqueeze(2).expand(-1, -1, 3, -1, -1)
        return {f"mouth_{number}": clip for number, clip in enumerate(mouths)}

    def export(self, module: nn.Module, folder: Path) -> None:
        """Write the lip reader's folder, as EMOTE's `[perceptual] lip_reader` reads it."""
        assert isinstance(module, LipsParts)
        save_network(module.reader, folder)


def viseme_table() -> Tensor:
    """(classes,) int64 viseme of each phone class."""
    table = torch.zeros(len(CLASSES), dtype=torch.int64)
    for index, phones in enumerate(VISEMES.values()):
        for phone in phones:
            table[CLASSES.index(phone)] = index
    return table
