"""The card's table of bars on the held-out engine, and the mark of those that are missed."""

import re
from dataclasses import fields
from pathlib import Path

from emote_blender.emote.checkpoint import save_model
from emote_blender.emote.model import EMOTE
from emote_blender.emotion import EMOTIONS
from emote_blender.speech_model.config import DecoderConfig, EMOTEConfig, FLINTConfig, LogMelEncoderConfig
from emote_blender.training.corpus.engines import catalogue
from emote_blender.training.evaluation.report import MEASURES
from emote_blender.training.evaluation.robustness import DegradedScores, Robustness
from emote_blender.training.evaluation.voice_scores import VoiceScores
from emote_blender.training.open_model.model_card import JUDGE_BARS, TRANSCRIPTS, write_card
from emote_blender.training.open_model.recipe import FULL


def scores_of(part: str, value: float, **others: float) -> list[VoiceScores]:
    names = [field.name for field in fields(VoiceScores) if field.name not in ("voice", "utterances")]
    return [VoiceScores(f"{part} (all)", 3, **{**dict.fromkeys(names, value), **others})]


def card_with(tmp_path, scores: dict[str, list[VoiceScores]], robustness: Robustness | None = None) -> str:
    config = EMOTEConfig(
        name="tiny", audio_encoder=LogMelEncoderConfig(dim=16, num_heads=2), decoder=DecoderConfig(feature_dim=16),
        flint=FLINTConfig(num_expression=4, feature_dim=16, intermediate_size=16), sample_rate=16000, fps=25,
        emotions=EMOTIONS, intensities=3, speakers=("one",), face="open_head", num_expression=4, expression_names=None,
        licence="CC0-1.0",
    )  # fmt: skip
    save_model(EMOTE(config), tmp_path)
    scores = {"shipped": scores_of("flite_validation", 0.9), **scores}
    write_card(tmp_path / "README.md", FULL, scores, 33.0, robustness=robustness)
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
    assert "| times real time, sound alone, one core, other programs running | ≥ 20 | 33.000 |\n" in card
    assert (
        "evaluate build/model/runs/held_out/export --data build/model/prepared/flite_validation --limit 200\n" in card
    )


def test_the_judging_voices_stand_first_with_their_bars_and_commands(tmp_path):
    judged = scores_of("joe_validation", 0.9, rest_closed=0.96, emotion_closure_loss=0.05)
    card = card_with(
        tmp_path,
        {
            "shipped": judged + scores_of("flite_validation", 0.9),
            "shipped_auto": scores_of("joe_validation", 0.94),
            "shipped_transcript": scores_of("joe_validation", 0.99) + scores_of("flite_validation", 0.9),
            "held_out": scores_of("joe_validation", 0.9) + scores_of("flite_validation", 0.9),
        },
    )
    bars = card[card.index("| the shipped weights on joe_validation | bar |") :]
    assert card.index("### Voices that behave like people") < card.index("| `held_out` on flite_validation")
    assert "| mouth opening r ↑ | ≥ 0.88 | 0.900 |\n" in bars
    assert "| closed at rest ↑ | ≥ 0.95 | 0.960 |\n" in bars
    assert "| largest loss of p b m F1 in any emotion ↓ | ≤ 0.02 | 0.050 (missed) |\n" in bars
    assert "| with the words of its own recogniser: p b m closed: F1 ↑ | ≥ 0.95 | 0.940 (missed) |\n" in bars
    assert "| with transcript: p b m closed: F1 ↑ | ≥ 0.98 | 0.990 |\n" in bars
    assert "evaluate emote_open --data build/model/prepared/joe_validation --limit 200 --transcript auto\n" in bars
    assert "kokoro_unseen_validation" not in card  # it was not evaluated


def test_every_judging_part_of_the_recipe_has_bars_and_each_bar_a_measure():
    parts = {part.name for part in FULL.validation if part.engine in catalogue.JUDGE_ENGINES}
    assert set(JUDGE_BARS) == parts
    for bar in (bar for bars in JUDGE_BARS.values() for bar in bars):
        assert bar.measure in MEASURES
        assert bar.suffix in TRANSCRIPTS


def test_degraded_recordings_and_sounds_without_speech_are_listed_with_the_command(tmp_path):
    scores = {"clean": DegradedScores(0.95, 0.96), "room": DegradedScores(0.8, 0.7)}
    robustness = Robustness({"joe_validation": scores}, {"hum": 0.05, "music": 0.2}, 40)
    card = card_with(tmp_path, {"held_out": scores_of("flite_validation", 0.9)}, robustness)
    assert "| room | 0.800 | 0.700 |\n" in card
    assert "| music | 0.200 |\n" in card
    assert "| largest mean opening without speech, relative to speech | ≤ 0.1 | 0.200 (missed) |\n" in card
    assert "evaluation.robustness emote_open --data build/model/prepared/joe_validation --limit 40\n" in card
    assert "evaluation.robustness" not in card_with(tmp_path, {"held_out": scores_of("flite_validation", 0.9)})


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
