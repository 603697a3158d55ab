"""The open model's recipe: its corpus, and its runs with their config files.

`FULL` is the recipe of the shipped model; `QUICK` takes the same steps in a minute. A run is trained on the parts that
its config names, and on those of the runs that it starts from (`Recipe.parts_used_by`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..corpus.engines import catalogue
from ..corpus.generate import (
    FULL_CORPUS,
    FULL_VALIDATION,
    JUDGE_VALIDATION,
    NEURAL_CORPUS,
    UNSEEN_VALIDATION,
    VARIED_CORPUS,
    CorpusPart,
)
from ..corpus.model_alignment import LEAST_SCORE
from ..run.config import RunConfig, load_run_config

RUNS = "runs/"  # a config refers to the result of another config's run as `runs/CONFIG/...`


@dataclass(frozen=True)
class Run:
    """One run of `train`.

    Attributes:
        name: of the run.
        config: name of a shipped config file.
        start: name of the run whose weights it continues from.
        overrides: changes of the config, as for `--set`.
    """

    name: str
    config: str
    start: str | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlignedPart:
    """A part of the corpus whose phone times are corrected by a run's model, see `corpus.model_alignment`.

    Attributes:
        name: of its folder.
        source: name of the part of the corpus.
        run: name of the EMOTE run.
        least_score: mean log score of the phones of an utterance that is kept.
    """

    name: str
    source: str
    run: str
    least_score: float = LEAST_SCORE


@dataclass(frozen=True)
class Recipe:
    """The corpus and the runs of a model.

    Attributes:
        corpus: parts to train on.
        validation: parts to evaluate on, in the card's order; those of `catalogue.UNSEEN_ENGINES` only if they are
            installed.
        runs: in their order.
        held_out: name of the EMOTE run that is evaluated on an engine that it was not trained on.
        shipped: name of the EMOTE run whose weights ship.
        aligned: parts of the corpus that runs align for later runs.
        perceptual: the runs of the perceptual networks, for studies of the second stage.
    """

    corpus: tuple[CorpusPart, ...]
    validation: tuple[CorpusPart, ...]
    runs: tuple[Run, ...]
    held_out: str = "held_out"
    shipped: str = "shipped"
    aligned: tuple[AlignedPart, ...] = ()
    perceptual: tuple[Run, ...] = ()

    def source_of(self, name: str) -> str:
        """The name of the part that an aligned part is made from; of any other part its own name."""
        return next((part.source for part in self.aligned if part.name == name), name)

    @property
    def prepared(self) -> tuple[CorpusPart, ...]:
        """The parts of the corpus that runs are trained on as they are, or that nothing aligns."""
        named = {part for run in self.runs for part in _named_parts(self.config(run).tables)}
        sources = {part.source for part in self.aligned}
        return tuple(part for part in self.corpus if part.name in named or part.name not in sources)

    def aligned_by(self, run: str) -> list[AlignedPart]:
        """The parts that a run's model aligns."""
        return [part for part in self.aligned if part.run == run]

    def run(self, name: str) -> Run:
        """The run with a name."""
        return next(run for run in self.runs if run.name == name)

    def config(self, run: Run, runs: Path | None = None) -> RunConfig:
        """The settings of a run.

        Args:
            run: a run of this recipe.
            runs: the folder of this recipe's runs. Paths of the form `runs/CONFIG/...` are changed to lead there.
        """
        config = load_run_config(run.config, run.overrides)
        if runs is None:
            return config
        moved = [f"{key}={json.dumps(str(path), ensure_ascii=False)}" for key, path in self._paths(config.tables, runs)]
        return load_run_config(run.config, (*run.overrides, *moved))

    def _paths(self, tables: Mapping[str, Any], runs: Path, prefix: str = "") -> Iterator[tuple[str, Path]]:
        """The key and the new path of each `runs/CONFIG/...` in the tables whose CONFIG belongs to this recipe."""
        names = {run.config: run.name for run in self.runs}
        for key, value in tables.items():
            if isinstance(value, Mapping):
                yield from self._paths(value, runs, f"{prefix}{key}.")
            elif isinstance(value, str) and value.startswith(RUNS):
                config, _, rest = value.removeprefix(RUNS).partition("/")
                if config in names:
                    yield prefix + key, runs / names[config] / rest

    def line_of(self, name: str) -> list[Run]:
        """The runs that a run continues from, in their order, and the run itself."""
        run = self.run(name)
        return [*(self.line_of(run.start) if run.start else ()), run]

    def made_from(self, name: str) -> list[Run]:
        """All runs whose results a run uses, in their order, and the run itself.

        Besides those that it continues from, these are the runs of the motion prior and of the perceptual networks, and
        those that aligned its parts.
        """
        wanted = {run.name for run in self.line_of(name)}
        for run in reversed(self.runs):
            if run.name in wanted:
                tables = self.config(run).tables
                used = {path.parts[0] for _, path in self._paths(tables, Path())}
                used |= {part.run for part in self.aligned if part.name in _named_parts(tables)}
                for other in used:
                    wanted |= {before.name for before in self.line_of(other)}
        return [run for run in self.runs if run.name in wanted]

    def parts_used_by(self, name: str) -> set[str]:
        """The names of the parts that a run, or one that it is made from, is trained or validated on.

        Instead of an aligned part, the part that it is made from is named.
        """
        runs = self.made_from(name)
        return {self.source_of(part) for run in runs for part in _named_parts(self.config(run).tables)}

    def held_out_families(self, name: str) -> list[str]:
        """The families of the corpus's engines (`catalogue.family`) of which a run uses no part."""
        used = self.parts_used_by(name)
        parts = self.corpus + self.validation
        known = {catalogue.family(part.engine) for part in parts if part.name in used}
        return sorted({catalogue.family(part.engine) for part in self.corpus} - known)


def _named_parts(tables: Mapping[str, Any]) -> set[str]:
    """The names of the parts in the tables of a config."""
    data = tables["data"]
    return {*data.get("shares", ()), *data.get("parts", ()), *data.get("validation", ())}


FULL = Recipe(
    corpus=FULL_CORPUS + VARIED_CORPUS + NEURAL_CORPUS,
    validation=JUDGE_VALIDATION + FULL_VALIDATION + UNSEEN_VALIDATION,
    runs=(
        Run("flint", "flint_open"),
        Run("ears", "emote_open_ears"),
        Run("first", "emote_open_first", start="ears"),
        Run("held_out", "emote_open_held_out", start="first"),
        Run("shipped", "emote_open_all", start="held_out"),
    ),
    aligned=(
        AlignedPart("hibari_1", "hibari", "ears"),
        AlignedPart("kokoro_1", "kokoro", "ears"),
        AlignedPart("hibari_2", "hibari", "first"),
        AlignedPart("kokoro_2", "kokoro", "first"),
    ),
    perceptual=(Run("emotion", "emotion_open"), Run("lips", "lips_open")),
)

_QUICK_RUN = (
    "trainer.num_steps=2",
    "trainer.warm_up=1",
    "trainer.workers=0",
    "trainer.checkpoint_every=2",
    "trainer.log_every=2",
    "trainer.validate_every=2",
    "trainer.tensorboard=false",
)
_QUICK_DATA = (*_QUICK_RUN, 'data.validation=["espeak_validation"]')
_QUICK_FILM = (
    *_QUICK_DATA,
    "data.shares={espeak = 1.0}",
    "data.batch_size=2",
    "data.num_frames=12",
    "data.num_clips=4",
    "data.validation_clips=2",
    "view.image_size=48",
)
_QUICK_PRIOR = ("model.flint.feature_dim=32", "model.flint.intermediate_size=32")
_QUICK_EMOTE = (
    *_QUICK_DATA,
    *_QUICK_PRIOR,
    "model.name=emote_open_quick",
    'model.audio_encoder={type = "log_mel", dim = 32, num_heads = 2, num_blocks = 2, num_motion_blocks = 1, '
    "kernel_size = 5, num_mels = 32}",
    "model.decoder.feature_dim=32",
    "model.decoder.intermediate_size=32",
    "data.batch_size=4",
    "data.num_frames=32",
    "data.validation_batches=1",
    "perceptual.image_size=48",
    "perceptual.render_frames=3",
)
_QUICK = {
    "flint": (
        *_QUICK_DATA,
        *_QUICK_PRIOR,
        "trainer.num_steps=20",
        "trainer.validate_every=0",
        'data.parts=["espeak"]',
        "data.batch_size=8",
    ),
    "emotion": (*_QUICK_FILM, "model.frames.image_size=32", "model.video.dim=32", "model.video.intermediate_size=32"),
    "lips": (*_QUICK_FILM, "model.dim=32", "model.num_layers=1", "model.intermediate_size=32"),
    "ears": (*_QUICK_EMOTE, "data.shares={espeak = 1.0}"),
    "first": (*_QUICK_EMOTE, "data.shares={espeak_1 = 1.0}"),
}
_QUICK_LATER = (*_QUICK_EMOTE, "data.shares={espeak_2 = 1.0}")


def _quick(runs: Iterable[Run]) -> tuple[Run, ...]:
    return tuple(replace(run, overrides=_QUICK.get(run.name, _QUICK_LATER)) for run in runs)


QUICK = Recipe(
    corpus=(CorpusPart("espeak", "espeak", 0.02, 101),),
    validation=(CorpusPart("espeak_validation", "espeak", 0.005, 901),),
    runs=_quick(FULL.runs),
    aligned=(  # with any score: a model of two steps recognises nothing
        AlignedPart("espeak_1", "espeak", "ears", least_score=-100.0),
        AlignedPart("espeak_2", "espeak", "first", least_score=-100.0),
    ),
    perceptual=_quick(FULL.perceptual),
)
