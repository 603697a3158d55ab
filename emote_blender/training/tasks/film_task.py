"""The base of the tasks on rendered clips of the corpus: `train emotion` and `train lips`."""

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
from ..data.corpus.film_data import FilmBatch, FilmCache, FilmData, FilmSettings
from ..rendering.face_film import FaceFilm
from ..run.config import build_settings
from ..run.task import RunInputs, Task


@dataclass(frozen=True)
class FilmViewSettings:
    """`[view]`: the rendered pictures (see `FaceFilm`) and their augmentation.

    Attributes:
        image_size: pixels, square.
        camera: see `FaceFilm`.
        brightness: largest relative change of the brightness.
        shift: largest shift as a fraction of the picture's size.
    """

    image_size: int = 112
    camera: Literal["published", "framing"] = "framing"
    brightness: float = 0.15
    shift: float = 0.03


class FilmParts(nn.Module):
    """The renderer of a task, and the memory of the pictures that it has rendered.

    Args:
        film: the renderer.
        data: the numbers of clips to remember.
    """

    def __init__(self, film: FaceFilm, data: FilmSettings) -> None:
        super().__init__()
        self.film = film
        self._training = FilmCache(data.num_clips)
        self._validation = FilmCache(data.validation_clips)

    def rendered(self, batch: FilmBatch, film: Callable[[Tensor], Tensor]) -> Tensor:
        """The pictures of a training batch (in eval mode: a validation batch); see `FilmCache.images`."""
        return (self._training if self.training else self._validation).images(batch, film)


class FilmTask(Task):
    """A task on rendered clips.

    Args:
        settings: the tables of a config file.
        data: the clips.
        head: name or folder of the head to render.
        initial: a run or checkpoint to continue from.

    Attributes:
        settings_class: dataclass of the config file, with `data` (FilmSettings), `view` (FilmViewSettings) and `face`.
    """

    settings_class: ClassVar[type]

    def __init__(self, settings: Any, data: FilmData, head: str | Path, initial: Path | None = None) -> None:
        self.settings, self.data, self.head, self.initial = settings, data, str(head), initial

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> Self:
        """The task of a config file; see `Task.from_config`."""
        settings: Any = build_settings(cls.settings_class, tables, inputs.config)
        folder = inputs.data_folder("the folder of the prepared corpus")
        return cls(settings, FilmData(settings.data, folder, inputs.seed), inputs.head or settings.face, inputs.init)

    def make_film(self) -> FaceFilm:
        """The renderer of the head."""
        view = self.settings.view
        return FaceFilm(FaceModel.load(find_head(self.head)), view.image_size, view.camera)

    def batch(self, number: int) -> FilmBatch:
        """Training batch `number`."""
        return self.data.batch(number)


def varied(pictures: Tensor, brightness: float, shift: float) -> Tensor:
    """(B, T, C, H, W) pictures, augmented by one random brightness and shift per clip (torch's global generator).

    Args:
        pictures: (B, T, C, H, W) in [0, 1].
        brightness: largest relative change of the brightness.
        shift: largest shift as a fraction of the picture's size; edge pixels are repeated.
    """
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
