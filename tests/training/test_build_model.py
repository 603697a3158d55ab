"""The whole path from nothing to a model folder, at the scale of a minute."""

import pytest
import torch

from emote_blender.emote.checkpoint import load_model
from emote_blender.training import build_model
from emote_blender.training.corpus import engines

pytestmark = pytest.mark.skipif(not engines.is_available("espeak"), reason=f"needs espeak-ng: {engines.APT_LINE}")


def test_the_quick_path_makes_a_model_with_its_card(tmp_path):
    threads = torch.get_num_threads()
    try:
        assert build_model.main(["--quick", "--work", str(tmp_path / "work"), "--output", str(tmp_path / "model")]) == 0
    finally:
        torch.set_num_threads(threads)
    model = load_model(tmp_path / "model")
    assert model.config.face == "open_head"
    assert model.config.licence == "CC0-1.0"
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "| espeak_validation (all) |" in card
    assert "CC0-1.0" in card
    picture = tmp_path / "work" / "quick" / "runs" / "shipped" / "opening.png"
    assert picture.stat().st_size > 5000
