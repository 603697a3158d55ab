"""The open model's recipe: its corpus and its runs, each by a config file; full, and a minute's worth of the same path.

A run hears no more than its config says, and what those hear that it starts from (`Recipe.heard_by`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..corpus.engines import catalogue
from ..corpus.generate import FULL_CORPUS, FULL_VALIDATION, UNSEEN_VALIDATION, VARIED_CORPUS, CorpusPart
from ..run.config import RunConfig, load_run_config

RUNS = "runs/"  # a config names what another one has trained as `runs/CONFIG/...`


@dataclass(frozen=True)
class Run:
    """One training. config: a shipped one. start: the run whose weights it goes on from. overrides: as `--set`."""

    name: str
    config: str
    start: str | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """Everything that `build_model` needs to know.

    validation: what models are judged on; parts of `catalogue.UNSEEN_ENGINES` only where these are installed.
    runs: in their order. held_out: the run that is judged on an engine that it never heard; shipped: the run whose
    weights ship. Both are EMOTE's.
    """

    corpus: tuple[CorpusPart, ...]
    validation: tuple[CorpusPart, ...]
    runs: tuple[Run, ...]
    held_out: str = "held_out"
    shipped: str = "shipped"

    def run(self, name: str) -> Run:
        """The run of this name."""
        return next(run for run in self.runs if run.name == name)

    def config(self, run: Run, runs: Path | None = None) -> RunConfig:
        """A run's settings; `runs`: the folder below which the runs of this recipe are, which paths then lead to."""
        config = load_run_config(run.config, run.overrides)
        if runs is None:
            return config
        moved = [f"{key}={json.dumps(str(path), ensure_ascii=False)}" for key, path in self._paths(config.tables, runs)]
        return load_run_config(run.config, (*run.overrides, *moved))

    def _paths(self, tables: Mapping[str, Any], runs: Path, prefix: str = "") -> Iterator[tuple[str, Path]]:
        """Key and new path of each `runs/CONFIG/...` in the tables, where CONFIG is one of this recipe's."""
        names = {run.config: run.name for run in self.runs}
        for key, value in tables.items():
            if isinstance(value, Mapping):
                yield from self._paths(value, runs, f"{prefix}{key}.")
            elif isinstance(value, str) and value.startswith(RUNS):
                config, _, rest = value.removeprefix(RUNS).partition("/")
                if config in names:
                    yield prefix + key, runs / names[config] / rest

    def line_of(self, name: str) -> list[Run]:
        """The run of this name after those that it goes on from, the first one first."""
        run = self.run(name)
        return [*(self.line_of(run.start) if run.start else ()), run]

    def made_from(self, name: str) -> list[Run]:
        """The run of this name after all whose results it uses: motion prior and networks that watch, too."""
        wanted = {run.name for run in self.line_of(name)}
        for run in reversed(self.runs):
            if run.name in wanted:
                used = self._paths(self.config(run).tables, Path())
                for other in {path.parts[0] for _, path in used}:
                    wanted |= {before.name for before in self.line_of(other)}
        return [run for run in self.runs if run.name in wanted]

    def heard_by(self, name: str) -> set[str]:
        """Names of the parts that the run, or one that it is made from, is trained on or chosen by."""
        heard: set[str] = set()
        for run in self.made_from(name):
            data = self.config(run).tables["data"]
            heard |= {*data.get("shares", ()), *data.get("parts", ()), *data.get("validation", ())}
        return heard

    def unheard_families(self, name: str) -> list[str]:
        """The families of engines of the corpus of which the run heard nothing (`catalogue.family`)."""
        heard = self.heard_by(name)
        parts = self.corpus + self.validation
        known = {catalogue.family(part.engine) for part in parts if part.name in heard}
        return sorted({catalogue.family(part.engine) for part in self.corpus} - known)


FULL = Recipe(
    corpus=FULL_CORPUS + VARIED_CORPUS,
    validation=FULL_VALIDATION + UNSEEN_VALIDATION,
    runs=(
        Run("flint", "flint_open"),
        Run("first", "emote_open_stage1"),
        Run("further", "emote_open_further", start="first"),
        Run("held_out", "emote_open_held_out", start="further"),
        Run("all", "emote_open_all", start="further"),
        Run("emotion", "emotion_open"),
        Run("lips", "lips_open"),
        Run("shipped", "emote_open_stage2", start="all"),
    ),
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
    "data.shares={espeak = 1.0}",
    "data.batch_size=4",
    "data.num_frames=32",
    "data.validation_batches=1",
    "perceptual.image_size=48",
    "perceptual.render_frames=6",
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
}

QUICK = Recipe(
    corpus=(CorpusPart("espeak", "espeak", 0.02, 101),),
    validation=(CorpusPart("espeak_validation", "espeak", 0.005, 901),),
    runs=tuple(replace(run, overrides=_QUICK.get(run.name, _QUICK_EMOTE)) for run in FULL.runs),
)
