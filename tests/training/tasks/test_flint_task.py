"""FLINT as a task: on the corpus, on clips as published, and what it hands over."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from clip_list import ClipList

from emote_blender.emote.motion_prior import load_motion_prior
from emote_blender.errors import InputError
from emote_blender.speech_model.config import FLINTConfig
from emote_blender.training.data.clips import SpeechClip, WindowSettings
from emote_blender.training.run.config import load_run_config
from emote_blender.training.run.folder import read_weights
from emote_blender.training.run.settings import TrainerSettings
from emote_blender.training.run.task import RunInputs
from emote_blender.training.run.trainer import Trainer
from emote_blender.training.tasks.flint.flint_data import (
    ClipMotions,
    CorpusData,
    CorpusMotions,
    corpus_parts,
    open_flint_data,
)
from emote_blender.training.tasks.flint.flint_task import (
    FLINTLossSettings,
    FLINTModelSettings,
    FLINTSettings,
    FLINTTask,
)

TINY = FLINTConfig(num_expression=50, quant_factor=2, feature_dim=16, intermediate_size=16, num_heads=2)
TRAINER = TrainerSettings(
    rate=1.5e-3, num_steps=3, betas=(0.9, 0.98), schedule="cosine", warm_up=1, clip_norm=1.0, workers=0,
    validate_every=0, device="cpu", tensorboard=False,
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def corpus_task(folder, model=TINY, **data) -> FLINTTask:
    drawn = CorpusData(batch_size=4, num_frames=16, validation_batches=2, **data)
    settings = FLINTSettings(
        FLINTModelSettings("open_head", "CC0-1.0", model),
        drawn,
        FLINTLossSettings("regions", vertices=1.0, kl=1e-3, gap=0.2),
    )
    return FLINTTask(settings, CorpusMotions([folder], [], drawn, seed=1), "open_head")


def clips(num_clips: int, num_expression: int, num_shape: int = 3) -> ClipList:
    """Clips whose face moves at random."""
    rng = np.random.default_rng(4)
    items = []
    for index in range(num_clips):
        frames = 20 + index
        items.append(
            SpeechClip(
                samples=np.zeros(frames * 640, np.float32),
                motion=(0.1 * rng.standard_normal((frames, num_expression + 3))).astype(np.float32),
                valid=np.ones(frames, bool),
                emotion=0,
                intensity=1.0,
                speaker=0,
                name=f"clip {index}",
                shape=rng.standard_normal(num_shape).astype(np.float32),
            )
        )
    return ClipList(items, ("one",))


def published_task(num_expression: int = 20, num_clips: int = 9) -> FLINTTask:
    settings = FLINTSettings(
        FLINTModelSettings("open_head", "CC0-1.0", replace(TINY, num_expression=num_expression), zero_post_linear=True),
        CorpusData(num_frames=16),
        FLINTLossSettings("flame", vertices=1e6, kl=1e-3),
    )
    data = ClipMotions(clips(num_clips, num_expression, 0), clips(4, num_expression, 0), WindowSettings(4, 16, seed=1))
    return FLINTTask(settings, data, "open_head")


def test_the_published_loss_is_the_vertex_error_in_square_millimetres_and_the_divergence(open_head):
    task = published_task()
    module = task.modules().eval()
    motion, shape = task.batch(0)
    torch.manual_seed(3)
    loss, terms = task.loss(module, (motion, shape), 0)
    torch.manual_seed(3)
    with torch.no_grad():
        rebuilt, distribution, _ = module.flint(motion)

    def vertices(frames: torch.Tensor) -> np.ndarray:
        expression = np.zeros((frames.shape[0] * frames.shape[1], open_head.num_expression), np.float32)
        expression[:, :20] = frames[..., :20].flatten(0, 1)
        return open_head.vertices(expression, frames[..., 20:].flatten(0, 1).numpy()).astype(np.float64)

    error = ((vertices(rebuilt) - vertices(motion)) ** 2).mean()
    mean, logvar = distribution.mean.double(), distribution.logvar.double()
    divergence = (0.5 * (mean**2 + logvar.exp() - 1 - logvar)).sum(-1).mean().item()
    assert terms["vertices"].item() == pytest.approx(error, rel=1e-3)
    assert loss.item() == pytest.approx(1e6 * error + 1e-3 * divergence, rel=1e-3)


def test_the_published_decoder_starts_with_a_layer_of_zeros():
    assert not published_task().modules().flint.motion_decoder.post_transformer_linear.weight.any()


def test_an_epoch_takes_every_clip_once(tmp_path):
    task = published_task(num_clips=8)
    assert task.num_batches == 2
    assert isinstance(task.data, ClipMotions)
    indices = task.data._training.indices(0) + task.data._training.indices(1)
    assert sorted(indices) == list(range(8))


def test_validation_repeats_itself_and_falls_while_flint_learns(buzzing_part, tmp_path):
    settings = replace(TRAINER, num_steps=40, rate=3e-3, validate_every=20, checkpoint_every=40, log_every=40)
    result = Trainer(corpus_task(buzzing_part), settings, tmp_path / "run").run()
    rows = (tmp_path / "run" / "scalars.csv").read_text().splitlines()
    losses = [float(row.split(",")[2]) for row in rows if row.split(",")[1] == "validation/loss"]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert result.best == pytest.approx(min(losses), rel=1e-5)


def test_a_run_can_start_from_another_runs_weights(buzzing_part, tmp_path):
    Trainer(corpus_task(buzzing_part), TRAINER, tmp_path / "run").run()
    task = corpus_task(buzzing_part)
    task.initial = tmp_path / "run"
    state = task.modules().state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in read_weights(tmp_path / "run").items())


def test_weights_of_another_size_are_refused_in_one_sentence(buzzing_part, tmp_path):
    Trainer(corpus_task(buzzing_part), replace(TRAINER, num_steps=1), tmp_path / "run").run()
    task = corpus_task(buzzing_part, model=replace(TINY, feature_dim=32))
    task.initial = tmp_path / "run"
    with pytest.raises(InputError, match=r"does not fit this config: flint\.\S+ is \(16"):
        task.modules()


def test_a_head_with_too_few_components_is_refused():
    with pytest.raises(InputError, match="has 50 expression components, but .* is 60"):
        published_task(num_expression=60).modules()


@pytest.mark.parametrize("names, found", [((), ["a", "b"]), (("b",), ["b"])])
def test_parts_are_found_by_name_or_all(tmp_path, names, found):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "offsets.npy").touch()
    assert [path.name for path in corpus_parts(tmp_path, names)] == found


def test_a_part_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="flite holds no prepared part of the corpus .there: none."):
        open_flint_data(CorpusData(parts=("flite",)), tmp_path, 50, 1)


@pytest.mark.parametrize("name, expression, frames", [("flint_v1", 50, 8), ("flint_v2", 100, 8), ("flint_open", 50, 4)])
def test_shipped_configs_are_what_the_specification_says(name, expression, frames):
    from emote_blender.training.run.config import build_settings

    config = load_run_config(name)
    settings = build_settings(FLINTSettings, config.tables, config.name)
    flint = settings.model.flint
    assert (flint.num_expression, flint.frames_per_latent, flint.feature_dim) == (expression, frames, 128)
    assert (settings.data.batch_size, settings.data.num_frames) == (32, 32)
    if name != "flint_open":
        assert (config.trainer.rate, config.trainer.num_epochs, config.trainer.optimizer) == (1e-4, 1200, "adam")
        assert (settings.loss.vertices, settings.loss.kl, settings.loss.mesh) == (1e6, 1e-3, "flame")


def test_the_open_config_is_the_recipe():
    from emote_blender.training.open_model.recipe import FULL

    run = FULL.runs[0]
    assert (run.name, run.config, run.start) == ("flint", "flint_open", None)
    config = load_run_config("flint_open")
    assert config.tables["loss"] == {"mesh": "regions", "vertices": 1.0, "gap": 0.2, "kl": 1e-3}
    assert config.tables["model"]["flint"] == load_run_config("emote_open_stage1").tables["model"]["flint"]


def test_the_published_config_trains_on_a_small_mead(tmp_path, flame_model):
    pytest.importorskip("h5py", reason="MEAD's files are HDF5")
    from mead_files import NUM_EXPRESSION, NUM_SHAPE, write_tree

    write_tree(tmp_path / "mead" / "processed")
    (tmp_path / "head").mkdir()
    flame_model.save(tmp_path / "head")
    small = [
        f"model.flint.num_expression={NUM_EXPRESSION}", f"data.num_shape={NUM_SHAPE}", "data.num_frames=16",
        "data.batch_size=4", "trainer.num_epochs=1", "trainer.workers=0", "trainer.tensorboard=false",
    ]  # fmt: skip
    config = load_run_config("flint_v2", small)
    task = FLINTTask.from_config(
        config.tables, RunInputs(config.name, 1, tmp_path / "mead" / "processed", str(tmp_path / "head"))
    )
    assert task.num_batches == 6  # 4 of 7 men and 2 of 4 women with 4 takes each, 4 to a batch
    motion, shape = task.batch(0)
    assert (motion.shape, shape.shape) == ((4, 16, NUM_EXPRESSION + 3), (4, NUM_SHAPE))
    result = Trainer(task, config.trainer, tmp_path / "run").run()
    assert result.step == 6
    assert load_motion_prior(result.export).config.num_expression == NUM_EXPRESSION


def test_a_folder_of_mead_that_is_not_there_is_named(tmp_path):
    inputs = RunInputs("flint_v2.toml", 1, tmp_path / "nowhere")
    with pytest.raises(InputError, match="no such folder"):
        FLINTTask.from_config(load_run_config("flint_v2").tables, inputs)


def test_the_clip_shows_the_motion_beside_its_reconstruction(buzzing_part):
    task = corpus_task(buzzing_part)
    with torch.no_grad():
        clip = task.clips(task.modules().eval())["motion"]
    assert clip.shape == (16, 3, 160, 320)
    assert 0 <= clip.min() < 0.1
    assert 0.4 < clip.max() <= 1


def test_the_mesh_is_compared_in_full_precision_under_autocast(buzzing_part):
    """bfloat16 knows a vertex of 100 mm to half a millimetre only."""
    task = corpus_task(buzzing_part)
    module = task.modules().eval()
    motion, shape = task.batch(0)
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16):
            torch.manual_seed(3)
            found = module.terms((motion, shape))
            torch.manual_seed(3)
            rebuilt, _, _ = module.flint(motion)
        errors = module.surface(rebuilt.float(), motion)
    torch.testing.assert_close(found["vertices"], errors.vertices)
    torch.testing.assert_close(found["gap"], errors.gap)
