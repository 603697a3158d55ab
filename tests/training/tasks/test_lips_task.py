"""Training of the lip reader: its loss, its figures, and that a few steps teach."""

import pytest
import torch

from emote_blender.training.corpus.phones import CLASSES, VISEMES
from emote_blender.training.networks.folder import load_network
from emote_blender.training.networks.lip_reading import BLANK, LipReader, ctc_loss, ctc_targets, frame_loss
from emote_blender.training.run.config import load_run_config
from emote_blender.training.run.task import RunInputs
from emote_blender.training.tasks.lips.lips_task import LipsTask, viseme_table

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def task(buzzing_part) -> LipsTask:
    """Few clips, small film."""
    config = load_run_config("lips_open").tables
    config["data"] = {
        "batch_size": 2,
        "num_frames": 12,
        "num_clips": 2,
        "validation_clips": 2,
        "shares": {buzzing_part.name: 1.0},
        "validation": [buzzing_part.name],
    }
    config["view"] = {"image_size": 64, "camera": "framing"}
    return LipsTask.from_config(config, RunInputs("test.toml", 1, buzzing_part.parent))


@pytest.fixture
def parts(task):
    torch.manual_seed(0)
    return task.modules().train()


def test_the_loss_is_ctc_and_cross_entropy_of_the_varied_mouths(task, parts):
    parts.eval()  # so that batch norm does not move between the two
    batch = task.batch(0)
    torch.manual_seed(3)
    total, terms = task.loss(parts, batch, 0)
    torch.testing.assert_close(total, terms["ctc"] + terms["frames"])
    plain = parts.reader(parts.mouths(batch))
    expected = ctc_loss(plain, ctc_targets(batch.labels)) + frame_loss(plain, batch.labels)
    assert 0 < abs(expected - total) < 0.1 * total  # light, place and mirror change it, but not much


def test_a_few_steps_teach_it(task, parts):
    optimiser = torch.optim.Adam(parts.parameters(), lr=3e-3)
    batch, history = task.batch(0), []
    for step in range(10):
        total, _ = task.loss(parts, batch, step)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        history.append(total.item())
    assert history[-1] < 0.6 * history[0]


def test_validation_of_a_reader_that_only_says_blank_finds_every_phone_missing(task, parts):
    parts.eval()
    torch.nn.init.zeros_(parts.reader.head.weight)
    parts.reader.head.bias.data = torch.zeros(BLANK + 1)
    parts.reader.head.bias.data[BLANK] = 20
    parts.reader.head.bias.data[CLASSES.index("AA")] = 1
    with torch.no_grad():
        figures = task.validate(parts)
    assert list(figures) == ["phone_error_rate", "viseme_error", "ctc", "frames"]
    assert figures["phone_error_rate"] == 1
    labels = torch.cat([batch.labels for batch in task.data.validation()]).unflatten(1, (-1, 2))
    inside = (labels[..., 0] == labels[..., 1]) & (labels[..., 0] != 0)
    opened = torch.isin(labels[..., 0], torch.tensor([CLASSES.index(name) for name in VISEMES["open"]]))
    assert figures["viseme_error"] == pytest.approx(1 - opened[inside].float().mean().item(), abs=1e-6)


def test_what_is_exported_is_what_emote_loads(task, parts, tmp_path):
    task.export(parts.eval(), tmp_path)
    mouths = task.clips(parts)["mouth_0"][None, :, 0]
    with torch.inference_mode():
        loaded = load_network(tmp_path, LipReader)
        torch.testing.assert_close(loaded.features(mouths), parts.reader.features(mouths))


def test_every_phone_has_its_viseme():
    table = viseme_table()
    assert len(table) == len(CLASSES)
    for index, phones in enumerate(VISEMES.values()):
        assert {CLASSES[c] for c in (table == index).nonzero()[:, 0]} == set(phones)
