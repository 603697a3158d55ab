"""The log of a run: scalars.csv and curves.png, TensorBoard's events if it is installed, and rendered clips."""

from __future__ import annotations

import csv
import io
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...files.atomic_write import atomic_file
from ...files.console_progress import ProgressLine
from ...motion_tools.timing import MOTION_FPS

logger = logging.getLogger(__name__)

CSV_FILE, CURVES_FILE, EVENTS_FOLDER, CLIPS_FOLDER = "scalars.csv", "curves.png", "events", "clips"


class RunLog:
    """Scalars by step, appended to scalars.csv (step,name,value) and to TensorBoard's events if it is installed.

    A run that resumes from a checkpoint first removes what was logged after it.
    """

    def __init__(self, folder: Path, first_step: int, tensorboard: bool = True) -> None:
        self.folder = folder
        self.path = folder / CSV_FILE
        rows = [row for row in read_scalars(self.path) if row[0] <= first_step] if first_step else []
        with atomic_file(self.path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("step", "name", "value"), *rows])
        self._drawn = time.monotonic()
        self._events = _open_events(folder / EVENTS_FOLDER, first_step) if tensorboard else None

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Log scalars by name: `train/...`, `validation/...`."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows((step, name, f"{value:.7g}") for name, value in values.items())
        if self._events:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)
            self._events.flush()

    def clips(self, step: int, clips: Mapping[str, Tensor]) -> None:
        """Write clips (T, 3, H, W) in [0, 1] as animated GIFs and to TensorBoard; do nothing without Pillow."""
        for name, clip in clips.items():
            encoded = gif(clip)
            if encoded is None:
                return
            path = self.folder / CLIPS_FOLDER / f"{name.replace('/', '_')}_{step:07d}.gif"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(encoded)
            if self._events:
                summary = _gif_summary(f"clips/{name}", clip, encoded)
                self._events._get_file_writer().add_summary(summary, step)

    def curves(self) -> None:
        """Draw scalars.csv as curves.png, one small plot per name; do nothing without matplotlib."""
        draw_curves(self.path, self.folder / CURVES_FILE)
        self._drawn = time.monotonic()

    def curves_once_a_minute(self) -> None:
        """Draw curves.png like `curves`, but at most once a minute."""
        if time.monotonic() - self._drawn > 60:
            self.curves()

    def close(self) -> None:
        """Close TensorBoard's event file."""
        if self._events:
            self._events.close()


def _gif_summary(name: str, clip: Tensor, encoded: bytes) -> Any:
    """An animated GIF as a summary, which TensorBoard shows as it is; `add_video` would need moviepy."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    _, _, height, width = clip.shape
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=encoded)
    return Summary(value=[Summary.Value(tag=name, image=image)])


def _open_events(folder: Path, first_step: int):
    """TensorBoard's writer, or None if it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        logger.info("TensorBoard is not installed; %s and %s hold the figures", CSV_FILE, CURVES_FILE)
        return None
    return SummaryWriter(str(folder), purge_step=first_step + 1 if first_step else None)


def read_scalars(path: Path) -> list[tuple[int, str, float]]:
    """The rows (step, name, value) of a scalars.csv; incomplete rows, as a killed run leaves, are skipped."""
    if not path.is_file():
        return []
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in list(csv.reader(file))[1:]:
            try:
                rows.append((int(row[0]), row[1], float(row[2])))
            except (ValueError, IndexError):
                continue
    return rows


def draw_curves(scalars: Path, image: Path) -> None:
    """Plot every scalar of a scalars.csv over the steps; `train/x` and `validation/x` share a plot."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        logger.info("matplotlib is not installed; %s is not drawn", image.name)
        return
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for step, name, value in read_scalars(scalars):
        kind, _, figure_name = name.partition("/")
        curves.setdefault(figure_name or name, {}).setdefault(kind, []).append((step, value))
    if not curves:
        return
    columns = min(4, len(curves))
    rows = -(-len(curves) // columns)
    width, height = 4 * columns, 2.8 * rows
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    figure.subplots_adjust(  # margins in inches; an automatic layout takes as long as the drawing itself
        left=0.75 / width, right=1 - 0.2 / width, bottom=0.5 / height, top=1 - 0.3 / height, wspace=0.24, hspace=0.4
    )
    for index, (name, kinds) in enumerate(curves.items(), start=1):
        axes = figure.add_subplot(rows, columns, index)
        for kind, points in kinds.items():
            steps, values = zip(*points)
            axes.plot(steps, values, marker="." if len(points) < 30 else None, label=kind, linewidth=1)
        if all(value > 0 for points in kinds.values() for _, value in points):
            axes.set_yscale("log")
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=7, which="both")
        axes.grid(alpha=0.3)
        if len(kinds) > 1:
            axes.legend(fontsize=7)
    figure.savefig(image, dpi=110)


def gif(clip: Tensor) -> bytes | None:
    """An animated GIF of a clip (T, 3, H, W) in [0, 1] at 25 fps; None without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        logger.info("Pillow is not installed; clips are not written")
        return None
    if clip.ndim != 4 or clip.shape[1] != 3:
        raise ValueError(f"a clip is (T, 3, H, W), found {tuple(clip.shape)}")
    pixels = (clip.detach().float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    frames = [Image.fromarray(np.ascontiguousarray(frame)) for frame in pixels]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=1000 // MOTION_FPS, loop=0)
    return file.getvalue()


@dataclass(eq=False)
class RecentMeans:
    """Running sums over the steps since the last log row; they stay on the device until `take`.

    Attributes:
        sums: of the loss and its terms over batches, by name.
        counts: batches in each sum.
        norm: sum of the gradients' norms over steps.
        num_steps: steps in the sums.
        seconds: time that these steps took.
    """

    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    norm: Tensor | float = 0.0
    num_steps: int = 0
    seconds: float = 0.0

    def add_terms(self, loss: Tensor, terms: Mapping[str, Tensor]) -> None:
        """Add the loss and the terms of a batch."""
        for name, value in {"loss": loss, **terms}.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.float()
            self.counts[name] = self.counts.get(name, 0) + 1

    def add_norm(self, norm: Tensor) -> None:
        """Add the norm of a step's gradient."""
        self.norm = self.norm + norm.detach()

    def add_step(self, seconds: float) -> None:
        """Add a step and its duration."""
        self.num_steps += 1
        self.seconds += seconds

    def take(self, accelerator: Any, rate: float) -> dict[str, float]:
        """Means by name over the batches of all processes; the sums are then reset.

        Args:
            accelerator: Accelerate's, of this process.
            rate: the learning rate, logged as `train/rate`.
        """
        totals = {name: (float(value), self.counts[name]) for name, value in self.sums.items()}
        if accelerator.num_processes > 1:  # a process lacks a term if none of its frames was valid
            from accelerate.utils import gather_object

            shares = gather_object([totals])
            names = {name: None for share in shares for name in share}
            totals = {n: tuple(sum(s[n][i] for s in shares if n in s) for i in (0, 1)) for n in names}
        values = {f"train/{name}": total / count for name, (total, count) in totals.items()}
        values["train/gradient_norm"] = float(self.norm) / max(1, self.num_steps)
        values["train/rate"] = rate
        values["train/seconds_per_step"] = self.seconds / max(1, self.num_steps)
        if torch.cuda.is_available() and accelerator.device.type == "cuda":
            values["train/memory_gib"] = torch.cuda.max_memory_allocated(accelerator.device) / 2**30
        self.__init__()  # type: ignore[misc]
        return values


class RunProgress:
    """Progress and remaining time of a run, shown through a `ProgressLine` every `every_seconds`."""

    def __init__(self, show: ProgressLine | None, every_seconds: float, first_step: int, num_steps: int) -> None:
        self._show, self._every = show, every_seconds
        self._first, self._num_steps = first_step, num_steps
        self._started = self._last_shown = time.monotonic()

    def __call__(self, step: int, loss: float) -> None:
        """Show that `step` steps are done; `loss` is the latest mean, NaN if there is none yet."""
        now = time.monotonic()
        if self._show is None or not (step == self._num_steps or now - self._last_shown >= self._every):
            return
        self._last_shown = now
        left = (now - self._started) / max(1, step - self._first) * (self._num_steps - step)
        shown = "" if math.isnan(loss) else f", loss {loss:.4g}"
        self._show(step / self._num_steps, f"step {step}/{self._num_steps}{shown}, {clock(left)} left,")

    def clear(self) -> None:
        """Remove the line from the terminal."""
        if self._show is not None:
            self._show.clear()


def clock(seconds: float) -> str:
    """Hours, minutes and seconds: 0:07, 12:30, 3:05:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
