"""The card's table of bars on the held-out engine, and the mark of those that are missed."""

import re
from dataclasses import fields
from pathlib import Path

from emote_blender.emote.checkpoint import save_model
from emote_blender.emote.model import EMOTE
from emote_blender.emotion import EMOTIONS
from emote_blender.speech_model.config import DecoderConfig, EMOTEConfig, FLINTConfig, LogMelEncoderConfig
from emote_blender.training.evaluation.voice_scores import VoiceScores
from emote_blender.training.open_model.model_card import write_card
from emote_blender.training.open_model.recipe import FULL


def scores_of(part: str, value: float, **others: float) -> list[VoiceScores]:
    names = [field.name for field in fields(VoiceScores) if field.name not in ("voice", "utterances")]
    return [VoiceScores(f"{part} (all)", 3, **{**dict.fromkeys(names, value), **others})]


def card_with(tmp_path, scores: dict[str, list[VoiceScores]]) -> str:
    config = EMOTEConfig(
        name="tiny", audio_encoder=LogMelEncoderConfig(dim=16, num_heads=2), decoder=DecoderConfig(feature_dim=16),
        flint=FLINTConfig(num_expression=4, feature_dim=16, intermediate_size=16), sample_rate=16000, fps=25,
        emotions=EMOTIONS, intensities=3, speakers=("one",), face="open_head", num_expression=4, expression_names=None,
        licence="CC0-1.0",
    )  # fmt: skip
    save_model(EMOTE(config), tmp_path)
    write_card(tmp_path / "README.md", FULL, {"shipped": scores_of("flite_validation", 0.9), **scores}, 33.0)
    return (tmp_path / "README.md").read_text(encoding="utf-8")


def test_a_bar_that_is_missed_is_marked_and_the_others_are_not(tmp_path):
    card = card_with(
        tmp_path,
        {
            "held_out": scores_of("flite_validation", 0.93, closure_f1=0.87, jitter=0.5),
            "held_out_transcript": scores_of("flite_validation", 0.96),
            "held_out_wrong_words": scores_of("flite_validation", 0.925, closure_f1=0.875),
        },
    )
    assert "| mouth opening r ↑ | ≥ 0.92 | 0.930 |\n" in card
    assert "| p b m closed: F1 ↑ | ≥ 0.88 | 0.870 (missed) |\n" in card
    assert "| strength rises with intensity ↑, fraction of clips | ≥ 0.95 | 0.930 (missed) |\n" in card
    assert "| jitter of the lip gap × ↓ | ≤ 1 | 0.500 |\n" in card
    assert "| with transcript: mouth opening r ↑ | ≥ 0.95 | 0.960 |\n" in card
    assert "| with transcript: p b m closed: F1 ↑ | ≥ 0.97 | 0.960 (missed) |\n" in card
    assert "no worse than without transcript: mouth opening r ↑ | ≥ 0.93 | 0.925 (missed) |\n" in card
    assert "no worse than without transcript: p b m closed: F1 ↑ | ≥ 0.87 | 0.875 |\n" in card
    assert "| times real time, one core, other programs running | ≥ 20 | 33.000 |\n" in card
    assert (
        "evaluate build/model/runs/held_out/export --data build/model/prepared/flite_validation --limit 200\n" in card
    )


def test_the_shipped_card_has_the_same_prose(tmp_path):
    """Lines with figures, tables and headings apart: those depend on the model."""
    shipped = (Path(__file__).parents[3] / "models" / "emote_open" / "README.md").read_text(encoding="utf-8")
    lines = card_with(tmp_path, {"held_out": scores_of("flite_validation", 0.9)}).splitlines()
    prose = [line for line in lines if not re.search(r"^[|#]|\d", line)]
    assert len(prose) > 20
    assert [line for line in prose if line not in shipped.splitlines()] == []


def test_there_are_no_bars_if_the_held_out_engine_was_not_evaluated(tmp_path):
    card = card_with(tmp_path, {"held_out": scores_of("espeak_validation", 0.93)})
    assert "bar | figure" not in card
    assert "### The run **without flite** (`held_out`)" in card
