"""Warming up a Wav2Vec 2.0 stack: it learns the spectrogram, then phones, and hands over a Hugging Face folder."""

from dataclasses import replace

import pytest
import torch

from emote_blender.errors import InputError
from emote_blender.speech_model.config import Wav2Vec2EncoderConfig
from emote_blender.training.corpus import phones
from emote_blender.training.run.config import build_settings, load_run_config
from emote_blender.training.run.settings import TrainerSettings
from emote_blender.training.run.task import RunInputs
from emote_blender.training.run.trainer import Trainer
from emote_blender.training.tasks.encoder.encoder_task import EncoderData, EncoderSettings, EncoderTask
from emote_blender.training.tasks.make_task import make_task

ENCODER = Wav2Vec2EncoderConfig(
    hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=(8,) * 7,
    num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, mask_time_prob=0.0,
)  # fmt: skip


@pytest.fixture
def task(buzzing_part) -> EncoderTask:
    part = buzzing_part.name
    data = EncoderData({part: 1.0}, part, batch_size=3, num_frames=24, validation_batches=1)
    inputs = RunInputs("test.toml", seed=1, data=buzzing_part.parent)
    return EncoderTask(EncoderSettings(ENCODER, data, phones_from=2, num_mels=16), inputs)


def test_phones_count_from_their_step_on(task):
    torch.manual_seed(0)
    module, batch = task.modules(), task.batch(0)
    before, terms = task.loss(module, batch, 1)
    torch.testing.assert_close(before, terms["mel"])
    module.eval()
    after, terms = task.loss(module, batch, 2)
    torch.testing.assert_close(after, terms["mel"] + terms["phones"])


def test_the_wanted_spectrogram_lies_on_the_phones_frames(task):
    """The made-up speech is loud but for p and m, in the spectrogram as in the labels."""
    module, batches = task.modules(), [task._validation[number] for number in range(6)]  # without noise
    mel = torch.cat([module.spectrogram(batch.samples).unflatten(-1, (-1, 2)).mean(-1) for batch in batches])
    labels = torch.cat([batch.labels for batch in batches])
    assert mel.shape[-1] == labels.shape[1]
    loud = mel.amax(1)
    quiet = torch.isin(labels, torch.tensor([phones.CLASS_INDEX["P"], phones.CLASS_INDEX["M"]]))
    spoken = ~quiet & (labels != phones.SILENCE)
    assert loud[spoken].mean() > loud[quiet].mean() + 1


def test_a_warmed_encoder_is_a_hugging_face_folder_that_emote_can_start_from(task, tmp_path):
    from emote_blender.emote.wav2vec2 import Wav2Vec2Encoder
    from emote_blender.training.networks.pretrained_audio import load_pretrained_audio

    settings = TrainerSettings(rate=1e-3, num_steps=3, workers=0, validate_every=3, checkpoint_every=3)
    result = Trainer(task, settings, tmp_path / "run").run()
    encoder = Wav2Vec2Encoder(ENCODER)
    load_pretrained_audio(encoder, str(result.export))
    trained = torch.load(tmp_path / "run" / "best.pt", weights_only=True)["module"]
    name = "model.feature_projection.projection.weight"
    torch.testing.assert_close(encoder.state_dict()[name], trained[f"encoder.{name}"])


def test_a_missing_part_is_named(task, buzzing_part):
    settings = replace(task.settings, data=replace(task.settings.data, validation="nowhere"))
    with pytest.raises(InputError, match="nowhere holds no prepared part"):
        EncoderTask(settings, RunInputs("test.toml", seed=1, data=buzzing_part.parent))


def test_the_shipped_config_says_how_the_encoder_was_warmed(tmp_path):
    config = load_run_config("encoder_open")
    settings = build_settings(EncoderSettings, config.tables, config.name)
    for part in (*settings.data.shares, settings.data.validation):
        (tmp_path / part).mkdir()
        (tmp_path / part / "offsets.npy").touch()
    task = make_task(config, RunInputs(config.name, config.trainer.seed, tmp_path))
    assert isinstance(task, EncoderTask)
    assert settings.data.shares == load_run_config("emote_open_stage1").tables["data"]["shares"]
    encoder = task.modules().encoder.model
    assert sum(p.numel() for p in encoder.parameters()) < 2e6
    assert (config.trainer.num_steps, settings.data.batch_size, settings.phones_from) == (800, 8, 200)
    assert encoder.config.hidden_size == 160
    assert not encoder.config.mask_time_prob
