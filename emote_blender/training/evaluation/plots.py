"""Pictures of an evaluation: mouth opening over time, confusion of emotions, strength by intensity, spectra."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...emotion import EMOTIONS
from ...files.atomic_write import replacing
from ...motion_tools.timing import MOTION_FPS
from ..corpus import phones
from . import metrics
from .clip_measures import ClipMeasures
from .evaluate import Evaluation, mean_strengths
from .evaluation_clips import INTENSITIES

_SHOWN_CLIPS = 4
_SHOWN_SECONDS = 6.0
_MODEL, _REFERENCE, _EMOTIONAL = "#c8452b", "#222222", "#2b6cc8"


def write_plots(evaluation: Evaluation, output: Path) -> list[Path]:
    """Write the pictures into a folder and return their paths."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    clips = [clip for part in evaluation.parts for clip in part.clips]
    confusion = np.sum([part.confusion.found for part in evaluation.parts], axis=0)
    confusion_reference = np.sum([part.confusion.reference for part in evaluation.parts], axis=0)
    figures = {
        "opening.png": _openings(pyplot, clips),
        "confusion.png": _confusions(pyplot, confusion, confusion_reference),
        "intensity.png": _intensities(pyplot, mean_strengths(clips), mean_strengths(clips, reference=True)),
        "spectra.png": _spectra(pyplot, clips),
    }
    written = []
    for name, figure in figures.items():
        if figure is None:
            continue
        with replacing(output / name) as temporary:
            figure.savefig(temporary, dpi=110)
        pyplot.close(figure)
        written.append(output / name)
    return written


def _openings(pyplot: Any, clips: list[ClipMeasures]) -> Any:
    """The lip gap of some clips: reference, model, model with an emotion; sounds with a contact are shaded."""
    known = [clip for clip in clips if clip.plain is not None]
    if not known:
        return None
    shown = [known[i] for i in np.unique(np.linspace(0, len(known) - 1, _SHOWN_CLIPS).astype(int))]
    figure, axes = pyplot.subplots(len(shown), 1, figsize=(11, 2.3 * len(shown)), squeeze=False, layout="constrained")
    for axis, clip in zip(axes[:, 0], shown, strict=True):
        pair = clip.plain
        assert pair is not None
        times = (np.arange(len(pair.found.gap)) + 0.5) / MOTION_FPS
        if clip.labels is not None:
            for sounds, colour in ((phones.BILABIALS, "0.82"), (phones.LABIODENTALS, "#f3e3b0")):
                for start, end in metrics.events(clip.labels, sounds):
                    axis.axvspan(start, end, color=colour, linewidth=0)
        emotional = clip.contents["gap"][EMOTIONS.index(clip.emotion)]
        axis.plot(times[: len(emotional)], emotional, color=_EMOTIONAL, linewidth=0.9, label=f"model, {clip.emotion}")
        axis.plot(times, pair.wanted.gap, color=_REFERENCE, linewidth=1.1, label="reference")
        axis.plot(times, pair.found.gap, color=_MODEL, linewidth=1.6, label="model")
        axis.axhline(metrics.CLOSED_MM, color="0.5", linewidth=0.6)
        axis.set_xlim(0, min(_SHOWN_SECONDS, times[-1]))
        axis.set_ylabel("lip gap, mm")
        axis.set_title(clip.voice, fontsize=9, loc="left")
        axis.legend(fontsize=7, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False)
    axes[-1, 0].set_xlabel("seconds (grey: p b m, yellow: f v; the line: lips count as closed)")
    return figure


def _confusions(pyplot: Any, found: np.ndarray, reference: np.ndarray) -> Any:
    """The confusion matrices of requested and judged emotion, in per cent of the requested."""
    if not np.sum(found):
        return None
    shown = [("model", found)] + ([("reference", reference)] if np.sum(reference) else [])
    figure, axes = pyplot.subplots(1, len(shown), figsize=(5.4 * len(shown), 4.9), squeeze=False, layout="constrained")
    for axis, (title, counts) in zip(axes[0], shown, strict=True):
        shares = 100 * counts / np.maximum(1, counts.sum(1, keepdims=True))
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        for row, column in np.argwhere(shares >= 0.5):
            value = shares[row, column]
            axis.text(column, row, f"{value:.0f}", ha="center", va="center", color="white" if value > 55 else "black")
        axis.set_xticks(range(len(EMOTIONS)), EMOTIONS, rotation=45, ha="right")
        axis.set_yticks(range(len(EMOTIONS)), EMOTIONS)
        axis.set_xlabel("named by the judge")
        axis.set_title(f"{title}: {np.trace(counts) / max(1, counts.sum()):.1%} right")
    axes[0, 0].set_ylabel("requested emotion (per cent of each)")
    return figure


def _intensities(pyplot: Any, found: np.ndarray, reference: np.ndarray) -> Any:
    """The judged strength over the requested intensity, one panel per emotion."""
    if not np.isfinite(found).any():
        return None
    figure, axes = pyplot.subplots(1, len(found), figsize=(13, 2.9), sharey=True, layout="constrained")
    for axis, emotion, strengths, wanted in zip(axes, EMOTIONS[1:], found, reference, strict=True):
        axis.plot(INTENSITIES, INTENSITIES, color="0.8", linewidth=0.8)
        axis.plot(INTENSITIES, wanted, "o--", color=_REFERENCE, linewidth=1, markersize=3, label="reference")
        axis.plot(INTENSITIES, strengths, "o-", color=_MODEL, linewidth=1.6, markersize=4, label="model")
        axis.set_title(emotion, fontsize=10)
        axis.set_xticks(INTENSITIES, ["mild", "medium", "high"], fontsize=8)
        axis.set_xlim(-0.3, 2.3)
    axes[0].set_ylabel("judged strength")
    axes[0].legend(fontsize=8, loc="upper left")
    figure.supxlabel("requested intensity", fontsize=10)
    return figure


def _spectra(pyplot: Any, clips: list[ClipMeasures]) -> Any:
    """The power spectra of lip gap, lips and brows, over plain and emotional motions together."""
    pairs = [pair for clip in clips for pair in ([clip.plain] if clip.plain else []) + list(clip.expressive.values())]
    tracks = {"gap": "lip gap", "lips": "vertices of the lips", "brow": "height of the brows"}
    figure, axes = pyplot.subplots(1, len(tracks), figsize=(12, 3.4), layout="constrained")
    drawn = False
    for axis, (track, title) in zip(axes, tracks.items(), strict=True):
        for side, colour, width in (("wanted", _REFERENCE, 1.1), ("found", _MODEL, 1.8)):
            spectra = [metrics.power_spectra(getattr(getattr(pair, side), track)) for pair in pairs]
            windows = np.concatenate(spectra) if spectra else np.zeros((0, 0))
            if len(windows):
                label = "reference" if side == "wanted" else "model"
                axis.semilogy(metrics.SPECTRUM_HZ[1:], windows.mean(0)[1:], color=colour, linewidth=width, label=label)
                drawn = True
        axis.axvspan(metrics.JITTER_HZ, metrics.SPECTRUM_HZ[-1], color="0.93", linewidth=0)
        axis.set_xlim(0, metrics.SPECTRUM_HZ[-1])
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("Hz (shaded: jitter)")
    axes[0].set_ylabel("power, mm²")
    if not drawn:
        pyplot.close(figure)
        return None
    axes[0].legend(fontsize=8)
    return figure
