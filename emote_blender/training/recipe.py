"""The open model's architecture and the sizes of its training: full, and a minute's worth of the same path."""

from __future__ import annotations

from dataclasses import dataclass

from ..emote.config import DecoderConfig, EMOTEConfig, FLINTConfig, LogMelEncoderConfig
from .corpus import emotion_styles
from .corpus.generate import FULL_CORPUS, FULL_VALIDATION, CorpusPart
from .dataset import EMOTIONS, NUM_INTENSITIES, SPEAKERS
from .train_emote import EMOTETraining
from .train_flint import FLINTTraining


@dataclass(frozen=True)
class Recipe:
    """Everything that `build_model` needs to know.

    shares: how often each part of the corpus is drawn. held_out: the engine that the common run and the held-out run
    never hear, and that the latter is judged on; None where only one engine is there. augmentation, formant_shift: see
    `dataset.BatchSource`; of the common run, and of those that follow it: the last run and the settling run, in which
    the size of the openings counts more (`EMOTETraining.largest_error`).
    """

    config: EMOTEConfig
    corpus: tuple[CorpusPart, ...]
    validation: tuple[CorpusPart, ...]
    shares: dict[str, float]
    held_out: str | None
    flint: FLINTTraining
    common_run: EMOTETraining
    last_run: EMOTETraining
    settling_run: EMOTETraining
    batch_size: int = 16
    num_frames: int = 96
    augmentation: tuple[float, float] = (0.4, 0.5)
    formant_shift: tuple[float, float] = (0.0, 0.5)


def open_config(name: str, encoder: LogMelEncoderConfig, flint: FLINTConfig, decoder: DecoderConfig) -> EMOTEConfig:
    """A model for the open head, its emotions and speakers those of the emotion styles."""
    return EMOTEConfig(
        name=name,
        audio_encoder=encoder,
        decoder=decoder,
        flint=flint,
        sample_rate=16000,
        fps=25,
        emotions=EMOTIONS,
        intensities=NUM_INTENSITIES,
        speakers=SPEAKERS,
        face="open_head",
        num_expression=len(emotion_styles.EXPRESSION_NAMES),
        expression_names=tuple(emotion_styles.EXPRESSION_NAMES),
        licence="CC0-1.0",
    )


FULL = Recipe(
    config=open_config(
        "emote_open",
        LogMelEncoderConfig(dim=176, num_heads=4),
        FLINTConfig(num_expression=50, quant_factor=2),
        DecoderConfig(dropout=0.0),
    ),
    corpus=FULL_CORPUS,
    validation=FULL_VALIDATION,
    shares={"espeak": 0.25, "espeak_languages": 0.1, "festival": 0.35, "flite": 0.3},
    held_out="flite",
    flint=FLINTTraining(),
    common_run=EMOTETraining(num_steps=2000),
    last_run=EMOTETraining(num_steps=1200, rate=8e-4, warm_up=50, seed=3, refine_from=0, refined_contact_weight=3.0),
    settling_run=EMOTETraining(
        num_steps=300,
        rate=4e-4,
        warm_up=20,
        seed=4,
        average_decay=0.99,
        gap_weight=0.15,
        refine_from=0,
        refined_contact_weight=3.0,
        largest_error=10.0,
    ),
)

QUICK = Recipe(
    config=open_config(
        "emote_open_quick",
        LogMelEncoderConfig(dim=32, num_heads=2, num_blocks=2, num_motion_blocks=1, kernel_size=5, num_mels=32),
        FLINTConfig(num_expression=50, quant_factor=2, feature_dim=32, intermediate_size=32),
        DecoderConfig(feature_dim=32, intermediate_size=32, dropout=0.0),
    ),
    corpus=(CorpusPart("espeak", "espeak", 0.02, 101),),
    validation=(CorpusPart("espeak_validation", "espeak", 0.005, 901),),
    shares={"espeak": 1.0},
    held_out=None,
    flint=FLINTTraining(num_steps=40, batch_size=8, workers=0),
    common_run=EMOTETraining(num_steps=6, warm_up=2, checkpoint_every=3, workers=0),
    last_run=EMOTETraining(num_steps=4, warm_up=2, checkpoint_every=3, workers=0),
    settling_run=EMOTETraining(num_steps=2, warm_up=1, workers=0),
    batch_size=4,
    num_frames=32,
)
