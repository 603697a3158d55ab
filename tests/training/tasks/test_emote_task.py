"""EMOTE as a task: the first stage as published and on the corpus, what it starts from, what it hands over."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clip_list import ClipList
from synthetic_flame import make_flame

from emote_blender.emote.checkpoint import load_model, save_model
from emote_blender.emote.flint import FLINT
from emote_blender.emote.model import EMOTE
from emote_blender.emote.motion_prior import PRIOR_FILE, save_prior_config
from emote_blender.errors import EmoteError, InputError
from emote_blender.flame.model import FaceModel
from emote_blender.speech_model.config import DecoderConfig, FLINTConfig, Wav2Vec2EncoderConfig
from emote_blender.training.data.clips import ClipBatches, SpeechClip, WindowSettings
from emote_blender.training.losses.mesh import MeshLoss
from emote_blender.training.networks.emotion_network import EmotionNetwork, EmotionNetworkConfig
from emote_blender.training.networks.folder import save_network
from emote_blender.training.networks.lip_reading import LipReader, LipReaderConfig
from emote_blender.training.networks.pretrained_audio import load_pretrained_audio
from emote_blender.training.networks.video_emotion import VideoEmotionConfig, VideoEmotionNetwork
from emote_blender.training.run.config import build_settings, load_run_config
from emote_blender.training.run.folder import RunFolder
from emote_blender.training.run.settings import TrainerSettings
from emote_blender.training.run.task import RunInputs
from emote_blender.training.run.trainer import Trainer
from emote_blender.training.tasks.emote.emote_data import MEADData, WindowedClips
from emote_blender.training.tasks.emote.emote_parts import CHANNEL_WEIGHTS
from emote_blender.training.tasks.emote.emote_settings import EMOTESettings, LossSettings, StartSettings
from emote_blender.training.tasks.emote.emote_task import EMOTETask

CONVOLUTIONS = "audio_model.model.feature_extractor"
TINY_AUDIO: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
FRAMES = 16


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# ---------------------------------------------------------------- the first stage as published


@pytest.fixture(scope="module")
def flame() -> FaceModel:
    return make_flame(num_shape=6, num_expression=100)


@pytest.fixture(scope="module")
def start_folders(tmp_path_factory, flame) -> dict[str, Path]:
    """A head, a Wav2Vec 2.0 with its CTC head as Hugging Face saves it, and a motion prior."""
    from safetensors.torch import save_file
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    root = tmp_path_factory.mktemp("start")
    flame.save(root / "head")
    torch.manual_seed(4)
    Wav2Vec2ForCTC(Wav2Vec2Config(**TINY_AUDIO, vocab_size=7)).save_pretrained(root / "audio")
    prior = FLINT(FLINTConfig(100, feature_dim=16, intermediate_size=16, num_heads=4))
    (root / "prior").mkdir()
    save_file(prior.state_dict(), root / "prior" / PRIOR_FILE)
    save_prior_config(prior.config, "flame2020", "CC0-1.0", root / "prior")
    return {name: root / name for name in ("head", "audio", "prior")}


def speech_clips(num_clips: int = 4) -> ClipList:
    """Clips of MEAD's kind; the second is shorter than a window, and some frames were not seen."""
    rng = np.random.default_rng(7)
    clips = []
    for index in range(num_clips):
        frames = FRAMES + 4 if index != 1 else FRAMES - 5
        valid = rng.random(frames) < 0.8
        valid[0] = True
        clips.append(
            SpeechClip(
                samples=rng.normal(0, 0.1, 640 * frames).astype(np.float32),
                motion=rng.normal(0, 0.3, (frames, 103)).astype(np.float32),
                valid=valid,
                emotion=index % 8,
                intensity=float(index % 3),
                speaker=index % 2,
                name=f"clip {index}",
                shape=rng.normal(0, 1, 6).astype(np.float32),
            )
        )
    return ClipList(clips, ("M003", "W009"))


def published_task(folders: dict[str, Path], initial: Path | None = None, **start) -> EMOTETask:
    """`emote_v2_stage1` at a tiny size."""
    config = load_run_config("emote_v2_stage1")
    settings = build_settings(EMOTESettings, config.tables, config.name)
    model = replace(
        settings.model,
        audio_encoder=Wav2Vec2EncoderConfig(**TINY_AUDIO),
        flint=FLINTConfig(100, feature_dim=16, intermediate_size=16, num_heads=4),
        decoder=DecoderConfig(feature_dim=16, intermediate_size=16, num_heads=4),
        speakers=None,
    )
    begin = {"audio_encoder": str(folders["audio"]), "motion_prior": folders["prior"], **start}
    settings = replace(settings, model=model, start=replace(settings.start, **begin))
    clips = speech_clips()
    windows = WindowSettings(batch_size=3, num_frames=FRAMES, seed=1)
    data = WindowedClips(ClipBatches(clips, windows), ClipBatches(clips, windows))
    return EMOTETask(settings, data, folders["head"], initial)


def test_the_published_first_stage_compares_every_vertex_of_the_subjects_own_head(start_folders, flame):
    task = published_task(start_folders)
    parts = task.modules().eval()
    batch = task.batch(0)
    assert not bool(batch.valid.all())
    total, terms = task.loss(parts, batch, 0)
    with torch.no_grad():
        features = parts.emote.encode_audio(batch.samples, FRAMES)
        motion = torch.cat(parts.emote.decode_latents(parts.emote.latents(features, batch.condition), FRAMES), -1)

    def posed(frames: torch.Tensor, shape: torch.Tensor) -> np.ndarray:
        return flame.vertices(frames[:, :100].numpy(), frames[:, 100:].numpy(), shape.numpy()).astype(np.float64)

    errors = []
    for found, wanted, shape, valid in zip(motion, batch.motion, batch.shape, batch.valid):
        difference = posed(found, shape) - posed(wanted, shape)
        errors.append(np.mean([(difference[t] ** 2).mean() for t in range(FRAMES) if valid[t]]))
    assert terms["vertices"].item() == pytest.approx(np.mean(errors), rel=1e-4)  # square metres
    assert total == terms["vertices"]  # weight 1, and nothing else counts
    assert set(terms) == {"vertices", "velocity"}


def test_a_step_of_the_first_stage_trains_all_but_convolutions_and_prior(start_folders):
    task = published_task(start_folders)
    torch.manual_seed(1)
    parts = task.modules().train()
    encoder: Any = parts.emote.audio_model.model
    assert encoder.encoder.training
    assert not encoder.feature_extractor.training
    before = {name: tensor.clone() for name, tensor in parts.emote.state_dict().items()}
    trained = [parameter for parameter in parts.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, 1e-3)
    for number in range(3):  # a layer may be dropped in a step
        torch.manual_seed(number)
        np.random.seed(number)  # noqa: NPY002 (transformers' masks draw from it)
        task.loss(parts, task.batch(number), number)[0].backward()
    optimizer.step()
    still = {name for name, tensor in parts.emote.state_dict().items() if torch.equal(tensor, before[name])}
    frozen = {name for name in before if name.startswith((CONVOLUTIONS, "sequence_decoder.motion_prior."))}
    unused = {"audio_model.model.masked_spec_embed"}  # where no mask was drawn
    assert frozen <= still
    assert still - frozen <= unused


def test_a_trained_encoder_drops_layers_and_masks_time_and_a_frozen_one_does_not(start_folders):
    batch = published_task(start_folders).batch(0)

    def differ(freeze: str) -> bool:
        parts = published_task(start_folders, freeze=(freeze,)).modules().train()
        outputs = []
        for seed in range(6):
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            outputs.append(parts.encode(batch)[0])
        assert outputs[0].requires_grad == (freeze == CONVOLUTIONS)
        return any(not torch.equal(outputs[0], other) for other in outputs)

    assert differ(CONVOLUTIONS)
    assert not differ("audio_model")


def test_a_batch_of_which_nothing_was_seen_moves_nothing(start_folders):
    task = published_task(start_folders)
    parts = task.modules().train()
    batch = task.batch(0)
    valid = batch.valid.clone()
    valid[1] = False
    total, terms = task.loss(parts, replace(batch, valid=valid), 0)
    assert "vertices" not in terms
    total.backward()
    assert total == 0
    gradients = [parameter.grad for parameter in parts.parameters() if parameter.requires_grad]
    assert all(gradient is not None and not gradient.any() for gradient in gradients)


def test_it_starts_from_published_audio_weights_and_a_trained_prior(start_folders):
    from safetensors.torch import load_file

    parts = published_task(start_folders).modules()
    published = load_file(start_folders["audio"] / "model.safetensors")
    model: Any = parts.emote.audio_model.model
    weight = model.encoder.layers[1].attention.k_proj.weight
    assert torch.equal(weight, published["wav2vec2.encoder.layers.1.attention.k_proj.weight"])
    prior = load_file(start_folders["prior"] / PRIOR_FILE)
    found = parts.emote.sequence_decoder.motion_prior.state_dict()
    assert all(torch.equal(tensor, prior[name]) for name, tensor in found.items())


def test_a_model_folder_is_gone_on_from(start_folders, tmp_path):
    first = published_task(start_folders).modules()
    save_model(first.emote, tmp_path / "first")
    second = published_task(start_folders, tmp_path / "first", motion_prior=None, audio_encoder=None).modules()
    wanted = first.emote.state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in second.emote.state_dict().items())


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"motion_prior": None}, "needs a motion prior"),
        ({"motion_prior": Path("nowhere")}, "nowhere"),
        ({"audio_encoder": "./nowhere"}, "nowhere"),
        ({"freeze": ("ears",)}, "'ears' is not a part of the model"),
    ],
)
def test_what_it_cannot_start_from_is_told(start_folders, start, words):
    with pytest.raises(EmoteError, match=words):
        published_task(start_folders, **start).modules()


def test_audio_weights_of_another_size_are_refused(start_folders):
    other = EMOTE(
        replace(
            published_task(start_folders).modules().emote.config,
            audio_encoder=Wav2Vec2EncoderConfig(**{**TINY_AUDIO, "num_hidden_layers": 1}),
        )
    )
    with pytest.raises(InputError, match=r"encoder\.layers\.1"):
        load_pretrained_audio(other.audio_model, str(start_folders["audio"]))


# ---------------------------------------------------------------- the open model


OPEN = (
    "model.audio_encoder={type='log_mel', dim=16, num_heads=2, num_blocks=2, num_motion_blocks=1, num_mels=16}",
    "model.flint.feature_dim=16",
    "model.flint.intermediate_size=16",
    "model.decoder.feature_dim=16",
    "model.decoder.intermediate_size=16",
    "data.validation=['prepared']",
    "data.validation_batches=1",
    "data.batch_size=3",
    "data.num_frames=24",
    "trainer.num_steps=2",
    "trainer.workers=0",
    "trainer.validate_every=2",
    "trainer.tensorboard=false",
    "trainer.device='cpu'",
)


@pytest.fixture(scope="module")
def open_prior(tmp_path_factory) -> Path:
    """A motion prior as a run of `train flint` leaves it."""
    from safetensors.torch import save_file

    run = tmp_path_factory.mktemp("flint")
    torch.manual_seed(3)
    prior = FLINT(FLINTConfig(50, feature_dim=16, intermediate_size=16, quant_factor=2))
    (run / "export").mkdir()
    save_file(prior.state_dict(), run / "export" / PRIOR_FILE)
    save_prior_config(prior.config, "open_head", "CC0-1.0", run / "export")
    return run


def open_task(name: str, corpus: Path, *overrides: str, init: Path | None = None):
    """A shipped config at a tiny size on the buzzing corpus: the task and its config."""
    config = load_run_config(name, (*OPEN, *overrides))
    tables = {**config.tables, "data": {**config.tables["data"], "shares": {corpus.name: 1.0}}}
    inputs = RunInputs(config.name, config.trainer.seed, corpus.parent, None, init)
    return EMOTETask.from_config(tables, inputs), config


def test_the_open_first_stage_weighs_mesh_phones_and_channels(buzzing_part, open_prior, open_head):
    task, _ = open_task(
        "emote_open_stage1", buzzing_part, f"start.motion_prior='{open_prior}'", "model.encoder_dropout=0"
    )
    parts, batch = task.modules().train(), task.batch(0)
    assert batch.phones is not None
    for step, contact, tuck in ((0, 6.0, 0.0), (1199, 6.0, 0.0), (1200, 3.0, 0.1)):
        total, terms = task.loss(parts, batch, step)
        with torch.no_grad():
            features, logits = parts.emote.audio_model.encode_log_mel(batch.mel, batch.phones)
            motion = torch.cat(parts.emote.decode_latents(parts.emote.latents(features, batch.condition), 24), -1)
            mesh = MeshLoss(open_head, largest_error=10.0)(motion, batch.motion, contact)
            found = parts.articulation_head(features).double().numpy()
        chances = logits.softmax(-1).double().numpy()
        count = chances.shape[-1]
        phones = []  # the right class counts 0.95, and 0.05 is spread over all
        for row, label in zip(chances.reshape(-1, count), batch.labels.flatten().tolist(), strict=True):
            target = np.full(count, 0.05 / count)
            target[label] += 0.95
            phones.append(-(target * np.log(row)).sum())
        error = found - batch.articulation.double().numpy()
        size = np.abs(error)
        smooth = np.where(size < 0.1, size**2 / 0.2, size - 0.05)
        channels = 4 * (smooth * CHANNEL_WEIGHTS).mean()
        channels += 0.5 * (np.abs(error[:, 1:] - error[:, :-1]) * CHANNEL_WEIGHTS).mean()
        assert terms["phones"].item() == pytest.approx(np.mean(phones), rel=1e-5)
        assert terms["articulation"].item() == pytest.approx(channels, rel=1e-5)
        wanted = mesh.vertices + 0.15 * mesh.gap + tuck * mesh.tuck + 0.5 * mesh.velocity + 2.0 * mesh.dynamics
        assert total.item() == pytest.approx(wanted.item() + np.mean(phones) + channels, rel=1e-5)


def test_the_encoder_s_dropout_is_for_training_only_and_not_where_the_encoder_is_frozen(
    buzzing_part, open_prior, watching, first_stage
):
    first, _ = open_task("emote_open_stage1", buzzing_part, f"start.motion_prior='{open_prior}'")
    second, _ = open_task("emote_open_stage2", buzzing_part, *watching, init=first_stage)
    for task, drops in ((first, True), (second, False)):
        parts, batch = task.modules().train(), task.batch(0)
        with torch.no_grad():
            trained, again = (parts.encode(batch)[0] for _ in range(2))
            first, second = (parts.eval().encode(batch)[0] for _ in range(2))
        assert torch.equal(trained, again) is not drops
        assert torch.equal(first, second)


@pytest.fixture(scope="module")
def first_stage(buzzing_part, open_prior, tmp_path_factory) -> Path:
    """The folder of a run of the first stage, as the trainer leaves it, that ended before it began."""
    task, _ = open_task("emote_open_stage1", buzzing_part, f"start.motion_prior='{open_prior}'")
    torch.manual_seed(2)
    parts = task.modules().eval()
    run = RunFolder(tmp_path_factory.mktemp("stage1"))
    run.save_best(module=parts.state_dict(), step=0, validation=1.0)
    run.export.mkdir()
    task.export(parts, run.export)
    return run.folder


@pytest.fixture(scope="module")
def watching(tmp_path_factory) -> tuple[str, ...]:
    """Overrides that name tiny networks with random weights."""
    folder = tmp_path_factory.mktemp("networks")
    torch.manual_seed(1)
    frames = EmotionNetwork(EmotionNetworkConfig("tiny", 32)).eval()
    save_network(frames, folder / "frames")
    save_network(VideoEmotionNetwork(VideoEmotionConfig(frames.config.feature_dim, 16, num_heads=4)), folder / "video")
    save_network(LipReader(LipReaderConfig.tiny()), folder / "lips")
    named = {"emotion_network": "frames", "video_emotion": "video", "lip_reader": "lips"}
    paths = [f"perceptual.{key}='{folder / name}'" for key, name in named.items()]
    return (*paths, "perceptual.image_size=40", "perceptual.render_frames=4", "data.batch_size=2")


def test_the_second_stage_goes_on_from_the_first_and_keeps_its_ears(first_stage, buzzing_part, watching, tmp_path):
    task, config = open_task("emote_open_stage2", buzzing_part, *watching, init=first_stage)
    result = Trainer(task, config.trainer, tmp_path / "run").run()
    first, second = load_model(first_stage / "export").state_dict(), load_model(result.export).state_dict()
    assert first.keys() == second.keys()
    kept = ("audio_model.", "sequence_decoder.motion_prior.")
    assert {name for name in first if not torch.equal(first[name], second[name])} == {
        name for name in first if not name.startswith(kept)
    }
    for name in ("last.pt", "best.pt"):
        state = torch.load(tmp_path / "run" / name, weights_only=True)["module"]
        assert not [key for key in state if not key.startswith(("emote.", "articulation_head."))]


def test_a_step_depends_on_the_seed_and_its_batch_only(first_stage, buzzing_part, watching):
    task, _ = open_task("emote_open_stage2", buzzing_part, *watching, "data.batch_size=3", init=first_stage)
    parts = task.modules().train()

    def loss(seed: int, number: int) -> float:
        batch = task.batch(number)
        torch.manual_seed(seed)
        return task.loss(parts, batch, 0)[0].item()

    first = loss(1, 0)
    others = [loss(2, 0), loss(3, 0), loss(1, 1)]
    assert loss(1, 0) == first
    assert any(other != first for other in others[:2])  # another permutation, other frames are rendered
    assert others[2] != first


def test_validation_measures_every_term_and_repeats_itself(first_stage, buzzing_part, watching):
    task, _ = open_task("emote_open_stage2", buzzing_part, *watching, init=first_stage)
    parts = task.modules().eval()
    figures = []
    for _ in range(2):
        torch.manual_seed(5)
        with torch.no_grad():
            figures.append(task.validate(parts))
    assert figures[0] == figures[1]
    weights = task.settings.loss.weights(10**6)
    assert next(iter(figures[0])) == "loss"
    assert figures[0]["loss"] == pytest.approx(sum(w * figures[0][name] for name, w in weights.items()))
    assert {"emotion_video", "emotion_video_disentangled", "lip_reading", "lip_reading_disentangled"} <= set(weights)


def test_a_clip_shows_the_truth_beside_what_was_made(first_stage, buzzing_part, watching):
    task, _ = open_task("emote_open_stage2", buzzing_part, *watching, "data.num_frames=16", init=first_stage)
    with torch.no_grad():
        (clip,) = task.clips(task.modules().eval()).values()
    assert clip.shape == (16, 3, 160, 320)
    left, right = clip.split(160, -1)
    assert left.std() > 0.1  # there is a face
    assert (left - right).abs().mean() > 1e-3  # which an untrained model does not hit


def test_a_corpus_that_is_not_there_is_told(buzzing_part):
    with pytest.raises(InputError, match="festival holds no prepared part"):
        task, _ = open_task("emote_open_stage1", buzzing_part, "data.validation=['festival']")
    config = load_run_config("emote_open_stage1")
    with pytest.raises(InputError, match="--data"):
        EMOTETask.from_config(config.tables, RunInputs(config.name, 1))


# ---------------------------------------------------------------- configs


def settings_of(name: str) -> tuple[EMOTESettings, TrainerSettings]:
    config = load_run_config(name)
    return build_settings(EMOTESettings, config.tables, config.name), config.trainer


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_published_configs_are_the_specifications(version):
    first, trainer = settings_of(f"emote_{version}_stage1")
    second, _ = settings_of(f"emote_{version}_stage2")
    num_expression = {"v1": 50, "v2": 100}[version]
    for settings in (first, second):
        assert settings.model.flint == FLINTConfig(num_expression)
        assert settings.model.decoder == DecoderConfig()
        assert settings.model.audio_encoder == Wav2Vec2EncoderConfig()
        assert (settings.data.type, settings.data.batch_size, settings.data.num_frames) == ("mead", 4, 64)
    assert (trainer.optimizer, trainer.rate, trainer.num_epochs, trainer.schedule) == ("adam", 1e-4, 200, "constant")
    assert (trainer.weight_decay, trainer.clip_norm, trainer.warm_up) == (0.0, 0.0, 0)
    assert first.loss.weights(0) == {"vertices": 1.0}
    assert first.start.freeze == (CONVOLUTIONS,)
    emotion = {"v1": 2.5e-6, "v2": 1.5e-6}[version]
    assert second.loss.weights(0) == {
        "vertices": 1.0,
        "emotion_video": emotion,
        "emotion_video_disentangled": emotion,
        "lip_reading": 2.5e-5,
        "lip_reading_disentangled": 2.5e-5,
    }
    assert second.start.freeze == ("audio_model",)
    assert (second.perceptual.image_size, second.perceptual.render_frames, second.perceptual.render_every) == (
        224,
        0,
        1,
    )
    assert isinstance(second.data, MEADData)
    assert second.data.emotion_features


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loss": LossSettings(lip_reading=1.0)}, "lip_reader: missing"),
        ({"loss": LossSettings(emotion_video_disentangled=1.0)}, "emotion_network: missing"),
    ],
)
def test_a_term_without_its_network_is_refused(changes, words):
    settings, _ = settings_of("emote_v2_stage1")
    with pytest.raises(ValueError, match=words):
        replace(settings, **changes)


def test_conditions_of_one_clip_cannot_be_exchanged():
    settings, _ = settings_of("emote_v2_stage2")
    with pytest.raises(ValueError, match="at least 2 clips"):
        replace(settings, data=replace(settings.data, batch_size=1))


def test_a_negative_weight_and_a_gap_on_flame_are_refused():
    with pytest.raises(ValueError, match="velocity"):
        LossSettings(velocity=-1.0)
    with pytest.raises(ValueError, match="regions"):
        LossSettings(mesh="flame", gap=0.1)
    with pytest.raises(ValueError, match="regions"):
        LossSettings(mesh="flame", dynamics=0.1)
    assert StartSettings().freeze == ()
