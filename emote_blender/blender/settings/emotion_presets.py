"""Emotion presets: a name for an emotion, or a mix, with an amount."""

from __future__ import annotations

from dataclasses import dataclass, field

import bpy

from ...emotion import EMOTIONS
from ..narrow import expect
from .head_settings import MIX, EMOTE_PG_head
from .live import together

FOLDER = "emote/emotion"  # of the user's own, below scripts/presets


@dataclass(frozen=True)
class EmotionPreset:
    """An emotion with a name.

    Attributes:
        name: what it is called.
        amount: as `EMOTE_PG_head.amount`.
        weights: share of each emotion; one alone is no mix.
    """

    name: str
    amount: float
    weights: dict[str, float] = field(default_factory=dict)


PRESETS = (
    EmotionPreset("Calm", 1.0, {"neutral": 1.0}),
    EmotionPreset("Warm", 0.7, {"happy": 1.0}),
    EmotionPreset("Cheerful", 1.2, {"happy": 1.0}),
    EmotionPreset("Overjoyed", 1.8, {"happy": 0.8, "surprise": 0.2}),
    EmotionPreset("Annoyed", 0.6, {"anger": 0.7, "contempt": 0.3}),
    EmotionPreset("Angry, shouting", 2.0, {"anger": 1.0}),
    EmotionPreset("Bitter", 1.0, {"anger": 0.4, "sad": 0.6}),
    EmotionPreset("Tired", 0.5, {"sad": 1.0}),
    EmotionPreset("In tears", 2.0, {"sad": 1.0}),
    EmotionPreset("Worried", 0.8, {"fear": 0.7, "sad": 0.3}),
    EmotionPreset("Terrified", 2.0, {"fear": 1.0}),
    EmotionPreset("Astonished", 1.5, {"surprise": 1.0}),
    EmotionPreset("Disgusted", 1.3, {"disgust": 1.0}),
    EmotionPreset("Sneering", 1.2, {"contempt": 1.0}),
)


def apply_preset(settings: EMOTE_PG_head, preset: EmotionPreset) -> None:
    """Set a head's emotion, amount and weights to a preset's."""
    with together("emotion", expect(settings.id_data, bpy.types.Object), settings):
        for name in EMOTIONS:
            setattr(settings.weights, name, preset.weights.get(name, 0.0))
        settings.emotion = next(iter(preset.weights)).upper() if len(preset.weights) == 1 else MIX
        settings.amount = preset.amount
