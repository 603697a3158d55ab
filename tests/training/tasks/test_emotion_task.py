"""Training of the emotion networks: its terms, what is frozen, and that a few steps teach."""

import pytest
import torch
import torch.nn.functional as F

from emote_blender.errors import InputError
from emote_blender.training.data.corpus.speech_batches import EMOTIONS
from emote_blender.training.networks.emotion_network import EmotionNetwork, EmotionNetworkConfig
from emote_blender.training.networks.folder import load_network, save_network
from emote_blender.training.networks.video_emotion import VideoEmotionNetwork
from emote_blender.training.run.config import load_run_config
from emote_blender.training.run.task import RunInputs
from emote_blender.training.tasks.emotion.emotion_task import CIRCUMPLEX, EmotionTask
from emote_blender.training.tasks.film_task import varied

pytestmark = pytest.mark.torch

FRAMES = EmotionNetworkConfig("tiny", image_size=32)


def task_of(part, tables=None, **data) -> EmotionTask:
    """A task of few small clips; `tables` replaces tables of the shipped config."""
    config = load_run_config("emotion_open").tables
    sizes = {"batch_size": 3, "num_frames": 4, "num_clips": 3, "validation_clips": 4, **data}
    shares = {"shares": {part.name: 1.0}, "validation": [part.name]}
    config |= {"data": sizes | shares, "view": {"image_size": 40, "camera": "framing"}}
    config["model"] = {"frames": {"layers": "tiny", "image_size": 32}, "video": {"feature_dim": 128, "dropout": 0.0}}
    return EmotionTask.from_config({**config, **(tables or {})}, RunInputs("test.toml", 1, part.parent))


@pytest.fixture(scope="module")
def task(buzzing_part):
    return task_of(buzzing_part)


@pytest.fixture
def parts(task):
    torch.manual_seed(0)
    return task.modules().train()


def test_the_loss_is_the_sum_of_the_terms_by_their_formulas(task, parts):
    batch = task.batch(0)
    torch.manual_seed(5)
    total, terms = task.loss(parts, batch, 0)
    torch.manual_seed(5)
    pictures = varied(parts.pictures(batch), 0.15, 0.03)
    features = parts.frames.features(pictures.flatten(0, 1))
    logits = parts.frames.expression(features)
    per_frame = batch.emotion.repeat_interleave(4)
    torch.testing.assert_close(terms["expression"], F.cross_entropy(logits, per_frame), atol=1e-4, rtol=1e-4)
    assert set(terms) == {"expression", "valence", "arousal", "video_expression", "video_intensity"}
    torch.testing.assert_close(total, sum(terms.values()))
    assert total.shape == ()


def test_the_network_over_frames_sends_no_gradient_into_the_one_per_frame(task, parts):
    _, terms = task.loss(parts, task.batch(0), 0)
    (terms["video_expression"] + terms["video_intensity"]).backward()
    assert all(parameter.grad is None for parameter in parts.frames.parameters())
    assert all(parameter.grad is not None for parameter in parts.video.parameters())


def test_a_few_steps_teach_both(task, parts):
    optimiser = torch.optim.Adam(parts.parameters(), lr=4e-3)
    batch, history = task.batch(0), []
    for step in range(16):
        total, terms = task.loss(parts, batch, step)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        history.append({name: term.item() for name, term in terms.items()})
    assert history[-1]["expression"] < 0.75 * history[0]["expression"]
    assert history[-1]["video_expression"] < 0.7 * history[0]["video_expression"]


def test_a_given_network_is_frozen_and_only_the_other_is_trained(buzzing_part, tmp_path):
    torch.manual_seed(0)
    folder = save_network(EmotionNetwork(FRAMES), tmp_path / "frames")
    tables = {"model": {"video": {"feature_dim": 128}}, "start": {"emotion_network": str(folder)}}
    task = task_of(buzzing_part, tables)
    parts = task.modules().train()
    before = {name: tensor.clone() for name, tensor in parts.frames.state_dict().items()}
    total, terms = task.loss(parts, task.batch(0), 0)
    total.backward()
    assert set(terms) == {"video_expression", "video_intensity"}
    assert not any(parameter.requires_grad for parameter in parts.frames.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in parts.frames.state_dict().items())


def test_validation_counts_errors(task, parts):
    """With heads that always say "happy" at the lowest intensity."""
    parts.eval()
    heads = parts.video.classification_head.classification_heads
    for head, said in ((heads["expression"].classifier, 1), (heads["intensity"].classifier, 0)):
        torch.nn.init.zeros_(head.weight)
        head.bias.data = F.one_hot(torch.tensor(said), len(head.bias)).float()
    with torch.no_grad():
        figures = task.validate(parts)
    batches = list(task.data.validation())
    emotion = torch.cat([batch.emotion for batch in batches])
    levels = torch.cat([batch.intensity for batch in batches])
    intensity = levels[emotion != 0]
    assert next(iter(figures)) == "video_loss"
    expected = F.cross_entropy(heads["expression"].classifier.bias.expand(len(emotion), -1), emotion)
    expected += F.cross_entropy(heads["intensity"].classifier.bias.expand(len(emotion), -1), levels)
    assert figures["video_loss"] == pytest.approx(expected.item(), abs=1e-5)
    assert figures["video_error"] == pytest.approx((emotion != 1).float().mean().item())
    assert figures["intensity_error"] == pytest.approx((intensity != 0).float().mean().item())
    assert 0 <= figures["frame_error"] <= 1


def test_what_is_exported_is_what_emote_loads(task, parts, tmp_path):
    parts.eval()
    task.export(parts, tmp_path)
    frames = load_network(tmp_path / "emotion_network", EmotionNetwork)
    video = load_network(tmp_path / "video_emotion", VideoEmotionNetwork)
    images = torch.rand(2, 3, 40, 40)
    with torch.inference_mode():
        features = frames.features(images)
        torch.testing.assert_close(features, parts.frames.features(images))
        assert video(features[None]).feature.shape == (1, 256)


def test_clips_to_look_at_are_pictures(task, parts):
    clips = task.clips(parts.eval())
    assert len(clips) >= 1
    assert all(clip.shape == (4, 3, 32, 32) and 0 <= clip.min() < clip.max() <= 1 for clip in clips.values())


def test_each_clip_is_varied_in_light_and_place_as_a_whole():
    torch.manual_seed(0)
    ramp = torch.linspace(0.2, 0.6, 20).expand(2, 3, 1, 20, 20).contiguous()
    found = varied(ramp, 0.2, 0.1)
    assert (found[:, :1] == found).all()  # the frames of a clip alike
    assert not torch.equal(found[0], found[1])
    assert torch.equal(varied(ramp, 0.0, 0.0), ramp)
    moved = varied(ramp, 0.0, 0.1)[0, 0, 0, 0]
    shifts = [torch.cat([ramp[0, 0, 0, 0, :1].expand(k), ramp[0, 0, 0, 0, : 20 - k]]) for k in range(3)]
    shifts += [torch.cat([ramp[0, 0, 0, 0, k:], ramp[0, 0, 0, 0, -1:].expand(k)]) for k in range(1, 3)]
    assert any(torch.allclose(moved, shift) for shift in shifts)


def test_every_emotion_has_its_place_on_the_circumplex():
    assert set(CIRCUMPLEX) == set(EMOTIONS)
    assert all(v * v + a * a <= 1 for v, a in CIRCUMPLEX.values())


@pytest.mark.parametrize(
    "tables, words",
    [
        ({"model": {"video": {}}}, "model.frames: give either"),
        ({"model": {"frames": {"layers": "tiny"}, "video": {"feature_dim": 64}}}, "feature_dim: must be 128"),
        ({"model": {"frames": {"layers": "vgg"}, "video": {}}}, "'vgg' is none of"),
    ],
)
def test_wrong_configs_are_named(tables, words, buzzing_part):
    with pytest.raises(InputError, match=words):
        task_of(buzzing_part, tables)


def test_data_is_needed():
    with pytest.raises(InputError, match="--data"):
        EmotionTask.from_config(load_run_config("emotion_open").tables, RunInputs("emotion_open.toml", 1))
