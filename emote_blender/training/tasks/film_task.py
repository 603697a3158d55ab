"""What the tasks on filmed clips of the corpus share: `train emotion` and `train lips`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...files.paths import find_head
from ...flame.model import FaceModel
from ..data.corpus.film_data import FilmBatch, FilmData, FilmMemory, FilmSettings
from ..rendering.face_film import FaceFilm
from ..run.config import build_settings
from ..run.task import RunInputs, Task


@dataclass(frozen=True)
class FilmViewSettings:
    """`[view]`: the film (see `FaceFilm`), and how much its pictures are varied.

    brightness: the light varies by this share. shift: what is seen moves by up to this share of the picture.
    """

    image_size: int = 112
    camera: Literal["published", "framing"] = "framing"
    brightness: float = 0.15
    shift: float = 0.03


class FilmParts(nn.Module):
    """A film, and the pictures already made of its clips."""

    def __init__(self, film: FaceFilm, data: FilmSettings) -> None:
        super().__init__()
        self.film = film
        self._training = FilmMemory(data.num_clips)
        self._validation = FilmMemory(data.validation_clips)

    def look(self, batch: FilmBatch, film: Callable[[Tensor], Tensor]) -> Tensor:
        """Pictures of a training batch, or in eval mode of one to validate on; see `FilmMemory.look`."""
        return (self._training if self.training else self._validation).look(batch, film)


class FilmTask(Task):
    """A task on filmed clips.

    Attributes:
        settings_class: dataclass of the config file, with `data` (FilmSettings), `view` (FilmViewSettings) and `face`.
    """

    settings_class: ClassVar[type]

    def __init__(self, settings: Any, data: FilmData, head: str | Path, initial: Path | None = None) -> None:
        """initial: a run or checkpoint to go on from."""
        self.settings, self.data, self.head, self.initial = settings, data, str(head), initial

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> Self:
        """The task of a config file; see `Task.from_config`."""
        settings: Any = build_settings(cls.settings_class, tables, inputs.config)
        folder = inputs.data_folder("the folder of the prepared corpus")
        return cls(settings, FilmData(settings.data, folder, inputs.seed), inputs.head or settings.face, inputs.init)

    def make_film(self) -> FaceFilm:
        """The film of the head."""
        view = self.settings.view
        return FaceFilm(FaceModel.load(find_head(self.head)), view.image_size, view.camera)

    def batch(self, number: int) -> FilmBatch:
        """Training batch `number`."""
        return self.data.batch(number)


def varied(pictures: Tensor, brightness: float, shift: float) -> Tensor:
    """Pictures (B, T, C, H, W) of clips, each brighter or darker by up to a share, and moved by up to a share of the
    picture's size; what comes in at an edge repeats it. Drawn from torch's global generator."""
    size = pictures.shape[-1]
    reach = round(shift * size)
    moved = []
    for clip in pictures:
        light = 1 + brightness * (2 * torch.rand(()).item() - 1)
        if reach:
            down, right = torch.randint(2 * reach + 1, (2,)).tolist()
            clip = F.pad(clip, (reach,) * 4, mode="replicate")[..., down : down + size, right : right + size]
        moved.append((clip * light).clamp(0, 1))
    return torch.stack(moved)
