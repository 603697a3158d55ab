"""Training of the video emotion network on MEAD's features: what is read, what is held out, and that it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from emote_blender.cli.main import main
from emote_blender.emotion import EMOTIONS
from emote_blender.errors import InputError
from emote_blender.training.data.mead.features import FeatureBatch, FeatureBatches, FeatureSettings, open_features
from emote_blender.training.data.mead.layout import MEADTake, find_takes
from emote_blender.training.networks.folder import load_network
from emote_blender.training.networks.video_emotion import VideoEmotionConfig, VideoEmotionNetwork
from emote_blender.training.run.config import load_run_config
from emote_blender.training.run.log import read_scalars
from emote_blender.training.run.task import RunInputs
from emote_blender.training.run.trainer import Trainer
from emote_blender.training.tasks.emotion.video_emotion_task import VideoEmotionTask
from emote_blender.training.tasks.make_task import make_task

h5py = pytest.importorskip("h5py", reason="MEAD's features are in HDF5 files")

NUM_FEATURES = 12
CONDITIONS = (("neutral", 1), ("happy", 1), ("happy", 3), ("angry", 2), ("surprised", 1), ("disgusted", 3))
SMALL = [
    f"model.video={{feature_dim = {NUM_FEATURES}, dim = 16, num_heads = 2, intermediate_size = 16, dropout = 0.1}}",
    "data.batch_size=8",
    "data.num_frames=12",
    "trainer.workers=0",
    "trainer.tensorboard=false",
    "trainer.device='cpu'",
]


def write_features(root: Path, folder: str, features: np.ndarray) -> Path:
    """The features (T, D) of a take, as MEAD has them."""
    path = root / "emotions" / "resnet50" / folder / "features.hdf5"
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["feature"] = features[None].astype(np.float32)
    return path


@pytest.fixture(scope="session")
def features_only(tmp_path_factory) -> Path:
    """Nothing of MEAD but features: of 120 takes, 7 to 20 frames each, a condition's around a point of its own."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("features") / "processed"
    places = 2 * rng.normal(size=(len(CONDITIONS), NUM_FEATURES))
    for identity in ("M003", "M005", "W009", "W011"):
        for (emotion, level), place in zip(CONDITIONS, places):
            for number in range(1, 6):
                features = place + rng.normal(size=(rng.integers(7, 21), NUM_FEATURES))
                write_features(root, f"{identity}/front/{emotion}/level_{level}/{number:03d}", features)
    return root


def task_of(root: Path, *overrides: str, init: Path | None = None):
    config = load_run_config("video_emotion_mead", [*SMALL, *overrides])
    return make_task(config, RunInputs(config.name, config.trainer.seed, root, init=init)), config.trainer


def names(takes) -> set[str]:
    return {take.folder.as_posix() for take in takes}


# ---------------------------------------------------------------- what is read


def test_the_shipped_config_is_the_specifications(features_only):
    config = load_run_config("video_emotion_mead")
    task = make_task(config, RunInputs(config.name, 1, features_only))
    assert isinstance(task, VideoEmotionTask)
    assert task.settings.model.video == VideoEmotionConfig()
    assert (task.settings.data.batch_size, task.settings.data.num_frames) == (16, 150)
    trainer = config.trainer
    assert (trainer.optimizer, trainer.rate, trainer.patience, trainer.schedule) == ("adam", 1e-4, 5, "constant")
    assert (trainer.weight_decay, trainer.clip_norm, trainer.warm_up) == (0.0, 0.0, 0)


def test_takes_are_divided_whoever_speaks_and_always_alike(features_only):
    every = find_takes(features_only / "emotions" / "resnet50")
    parts = [task_of(features_only, f"trainer.seed={seed}")[0] for seed in (1, 2)]
    train, held_out = names(parts[0].training.takes), names(parts[0].held_out.takes)
    assert (len(train), len(held_out)) == (int(0.7 * 120), int(0.85 * 120) - int(0.7 * 120))
    assert not train & held_out
    assert train | held_out < names(every)
    assert {folder[:4] for folder in held_out} == {folder[:4] for folder in train} == {"M003", "M005", "W009", "W011"}
    assert names(parts[1].training.takes) == train
    assert names(parts[1].held_out.takes) == held_out


def test_every_take_held_out_is_validated_on_once(features_only):
    _, held_out = open_features(features_only, FeatureSettings(batch_size=7), NUM_FEATURES, 1)
    batches = list(held_out.first_epoch())
    assert [len(batch.emotion) for batch in batches] == [7, 7, 4]
    found = sorted(zip(*(torch.cat([getattr(b, key) for b in batches]).tolist() for key in ("emotion", "intensity"))))
    assert found == sorted((take.emotion_index, take.intensity) for take in held_out.takes)
    assert len(list(held_out.first_epoch(2))) == 2
    for batch, again in zip(batches, held_out.first_epoch()):
        assert torch.equal(batch.features, again.features)


def test_an_epoch_of_training_sees_every_take_once(features_only):
    training, _ = open_features(features_only, FeatureSettings(batch_size=12), NUM_FEATURES, 1)
    assert training.num_batches == 7  # 84 takes
    sums = [clip.sum().item() for n in range(7) for clip in training[n].features]
    assert len(set(sums)) == 84


def test_a_window_is_a_stretch_of_its_take_with_its_classes(tmp_path):
    """Features say which take and frame they are of."""
    lengths = {"neutral/level_1": 5, "angry/level_3": 30, "surprised/level_2": 9, "disgusted/level_1": 12}
    for number, (condition, length) in enumerate(lengths.items()):
        frames = 100 * number + np.arange(1, length + 1)
        write_features(tmp_path, f"M003/front/{condition}/001", np.tile(frames[:, None], (1, 3)))
    folder = tmp_path / "emotions" / "resnet50"
    takes = find_takes(folder)
    batch = FeatureBatches(folder, takes, 3, FeatureSettings(batch_size=4, num_frames=10), seed=0)[3]
    assert batch.features.shape == (4, 10, 3)
    expected = {0: ("neutral", 0, 5), 1: ("anger", 2, 10), 2: ("surprise", 1, 9), 3: ("disgust", 0, 10)}
    for features, valid, emotion, intensity in zip(batch.features, batch.valid, batch.emotion, batch.intensity):
        name, level, length = expected[int(features[0, 0]) // 100]
        assert (EMOTIONS[emotion], int(intensity)) == (name, level)
        assert valid.tolist() == [True] * length + [False] * (10 - length)
        assert torch.equal(features[:length].diff(dim=0), torch.ones(length - 1, 3))
        assert (features[length:] == 0).all()
    starts = {int(batches[n].features.amin(dim=(1, 2)).max()) for batches in [_one(folder, takes)] for n in range(200)}
    assert starts == set(range(101, 122))  # of the angry take: each that fills a window


def _one(folder: Path, takes: list[MEADTake]) -> FeatureBatches:
    angry = [take for take in takes if take.emotion == "angry"]
    return FeatureBatches(folder, angry, 3, FeatureSettings(batch_size=1, num_frames=10), seed=0)


# ---------------------------------------------------------------- training


def test_the_loss_is_the_two_cross_entropies_of_the_clips_alone(features_only):
    """So padding has no part in it."""
    task, _ = task_of(features_only)
    network = task.modules().eval()
    batch = task.batch(0)
    assert not batch.valid.all()
    with torch.no_grad():
        total, terms = task.loss(network, batch, 0)
        alone = [network(clip[None, valid]) for clip, valid in zip(batch.features, batch.valid)]
    expression = F.cross_entropy(torch.cat([seen.expression for seen in alone]), batch.emotion)
    intensity = F.cross_entropy(torch.cat([seen.intensity for seen in alone]), batch.intensity)
    torch.testing.assert_close(terms, {"video_expression": expression, "video_intensity": intensity})
    torch.testing.assert_close(total, expression + intensity)


def test_it_learns_what_tells_conditions_apart(features_only, tmp_path):
    task, trainer = task_of(
        features_only, "trainer.rate=3e-3", "trainer.num_epochs=12", "trainer.validate_every=20", "trainer.log_every=20"
    )
    result = Trainer(task, trainer, tmp_path / "run").run()
    scalars: dict[str, list[float]] = {}
    for _, name, value in read_scalars(tmp_path / "run" / "scalars.csv"):
        scalars.setdefault(name, []).append(value)
    assert scalars["train/loss"][-1] < 0.3 * scalars["train/loss"][0]
    assert scalars["validation/video_loss"][-1] < 0.3 * scalars["validation/video_loss"][0]
    for name in ("expression_accuracy", "intensity_accuracy", "intensity_accuracy_felt"):
        assert scalars[f"validation/{name}"][-1] > 0.9
    assert result.best == pytest.approx(min(scalars["validation/video_loss"]))


def test_accuracies_are_shares_of_the_clips_they_are_about(features_only):
    """With heads that always say "happy" at the highest intensity."""
    task, _ = task_of(features_only)
    network = task.modules().eval()
    heads = network.classification_head.classification_heads
    for head, said in ((heads["expression"].classifier, EMOTIONS.index("happy")), (heads["intensity"].classifier, 2)):
        torch.nn.init.zeros_(head.weight)
        head.bias.data = 5 * F.one_hot(torch.tensor(said), len(head.bias)).float()
    with torch.no_grad():
        figures = task.validate(network)
    takes = task.held_out.takes
    felt = [take for take in takes if take.emotion != "neutral"]
    assert len(felt) < len(takes)
    assert next(iter(figures)) == "video_loss"
    assert figures["expression_accuracy"] == pytest.approx(np.mean([take.emotion == "happy" for take in takes]))
    assert figures["intensity_accuracy"] == pytest.approx(np.mean([take.level == 3 for take in takes]))
    assert figures["intensity_accuracy_felt"] == pytest.approx(np.mean([take.level == 3 for take in felt]))
    assert (figures["expression_accuracy_happy"], figures["expression_accuracy_anger"]) == (1.0, 0.0)
    assert "expression_accuracy_fear" not in figures  # there are no such takes
    emotion, level = (torch.tensor([getattr(t, k) for t in takes]) for k in ("emotion_index", "intensity"))
    expected = F.cross_entropy(heads["expression"].classifier.bias.detach().expand(len(takes), -1), emotion)
    expected += F.cross_entropy(heads["intensity"].classifier.bias.detach().expand(len(takes), -1), level)
    assert figures["video_loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_the_command_trains_resumes_and_exports_what_the_second_stage_loads(
    features_only, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    command = ["train", "emotion", "--config", "video_emotion_mead", "--data", str(features_only.parent)]
    small = [part for override in [*SMALL, "trainer.validate_every=2"] for part in ("--set", override)]
    assert main([*command, *small, "--set", "trainer.num_epochs=1"]) == 0  # 10 steps
    assert "trained emotion for 10 steps; best validation" in capsys.readouterr().out
    half = [*command, *small, "-o", "halves", "--set", "trainer.num_epochs=1"]
    _stop_after(monkeypatch, 4)
    assert main(half) == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main([*half, "--resume"]) == 0
    whole, halves = (torch.load(Path(name) / "last.pt") for name in ("runs/video_emotion_mead", "halves"))
    assert whole["counters"] == halves["counters"]
    for name, tensor in whole["module"].items():
        assert torch.equal(tensor, halves["module"][name]), name
    where = load_run_config("emote_v2_stage2").tables["perceptual"]["video_emotion"]
    network = load_network(where, VideoEmotionNetwork)  # the path and the loader of the second stage
    best = torch.load("runs/video_emotion_mead/best.pt")["module"]
    assert all(torch.equal(tensor, best[name]) for name, tensor in network.state_dict().items())


def _stop_after(monkeypatch, step: int) -> None:
    """Sends Ctrl-C in the step after `step`."""
    import os
    import signal

    from emote_blender.training.tasks.emotion.video_emotion_task import VideoEmotionTask

    loss = VideoEmotionTask.loss

    def interrupted(self, module, batch, number):
        if number == step:
            os.kill(os.getpid(), signal.SIGINT)
        return loss(self, module, batch, number)

    monkeypatch.setattr(VideoEmotionTask, "loss", interrupted)


def test_a_run_starts_from_the_weights_of_another(features_only, tmp_path):
    task, trainer = task_of(features_only, "trainer.num_epochs=1", "trainer.patience=0", "trainer.validate_every=0")
    Trainer(task, trainer, tmp_path / "first").run()
    begun = task_of(features_only, init=tmp_path / "first")[0].modules().state_dict()
    trained = torch.load(tmp_path / "first" / "last.pt")["module"]
    assert all(torch.equal(tensor, trained[name]) for name, tensor in begun.items())


# ---------------------------------------------------------------- what is refused


def test_features_that_are_missing_are_named_before_training(tmp_path):
    for number in range(1, 21):
        write_features(tmp_path, f"M003/front/happy/level_1/{number:03d}", np.ones((4, NUM_FEATURES)))
    folder = tmp_path / "emotions" / "resnet50" / "M003/front/happy/level_1"
    (folder / "005" / "features.hdf5").unlink()
    with pytest.raises(InputError, match=r"005/features.hdf5 is not there; unpack emotions.zip again"):
        task_of(tmp_path)
    (folder / "007" / "features.hdf5").unlink()
    with pytest.raises(InputError, match=r"005/features.hdf5 is not there, nor are those of 1 more clips; unpack"):
        task_of(tmp_path)
    for name in ("005", "007"):
        (folder / name).rmdir()
    assert len(task_of(tmp_path)[0].training.takes) == int(0.7 * 18)


@pytest.mark.parametrize(
    "features, sentence",
    [
        (np.ones((4, 5)), r"feature has 5 coefficients, but 12 are wanted; choose the features of another network"),
        (np.full((4, NUM_FEATURES), np.nan), r"feature holds values that are not numbers"),
        (np.ones((0, NUM_FEATURES)), r"feature must be \(1, frames, 12\)"),
    ],
)
def test_features_that_cannot_be_used_are_one_sentence(tmp_path, features, sentence):
    for number in range(1, 5):
        write_features(tmp_path, f"M003/front/happy/level_1/{number:03d}", features)
    with pytest.raises(InputError, match=sentence) as caught:
        task_of(tmp_path)[0].batch(0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "folder, overrides, sentence",
    [
        ("", [], r"has no folder 'emotions'; choose the folder 'processed'"),
        ("emotions/swin", [], r"resnet50 not found; found swin there"),
        ("emotions/resnet50/M003/front/happy/level_1", [], r"resnet50 has 0 clips, too few"),
        ("", ["data.batch_size=0"], r"\[data\] batch_size: must be at least 1"),
        ("", ["data.shares={a = 1}"], r"\[data\] shares: unknown setting"),
        ("", ["model.video.num_intensities=2"], r"MEAD needs num_expressions = 8 and num_intensities = 3"),
    ],
)
def test_data_and_settings_that_do_not_fit_are_one_sentence(tmp_path, folder, overrides, sentence):
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(InputError, match=sentence):
        task_of(tmp_path, *overrides)


def test_data_are_needed():
    config = load_run_config("video_emotion_mead")
    with pytest.raises(InputError, match="give the folder of the processed MEAD with --data"):
        make_task(config, RunInputs(config.name, 1))


def test_a_batch_goes_to_a_device_whole(features_only):
    batch = task_of(features_only)[0].batch(0).to("meta")
    assert isinstance(batch, FeatureBatch)
    assert {tensor.device.type for tensor in vars(batch).values()} == {"meta"}
