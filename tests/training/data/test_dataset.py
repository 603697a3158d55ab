"""Training batches: the same by number, labels and motion where the sound is, conditions that fit the motion."""

import numpy as np
import pytest
import torch
from tiny_corpus import make_shard
from torch.utils.data import DataLoader

from emote_blender.errors import InputError
from emote_blender.speech_model.config import LogMelEncoderConfig
from emote_blender.training.corpus import phones
from emote_blender.training.corpus.motion import articulation
from emote_blender.training.data.augment.other_sounds import background
from emote_blender.training.data.corpus.parts import find_parts, load_part, prepare_part
from emote_blender.training.data.corpus.speech_batches import (
    EMOTIONS,
    SPEAKERS,
    BatchSource,
    DrawSettings,
    SpeechBatches,
    condition_columns,
    conditioned_motion,
    draw_motion,
    draw_window,
)


def source_of(folder, **changes) -> BatchSource:
    seed = changes.pop("seed", 4)
    drawing = DrawSettings(**{"batch_size": 3, "num_frames": 32, "amount": 0.4, **changes})
    return BatchSource((folder,), (1.0,), LogMelEncoderConfig(dim=32, num_heads=2, num_mels=32), drawing, seed)


def test_a_batch_depends_on_seed_and_number_only(buzzing_part):
    one_after_the_other = SpeechBatches(source_of(buzzing_part))
    in_order = [one_after_the_other[number] for number in range(3)]
    alone = SpeechBatches(source_of(buzzing_part))[2]
    for name, tensor in alone.tensors().items():
        assert torch.equal(tensor, getattr(in_order[2], name)), name
    assert not torch.equal(alone.mel, SpeechBatches(source_of(buzzing_part, seed=5))[2].mel)


def test_a_worker_process_makes_the_same_batches(buzzing_part):
    batches = SpeechBatches(source_of(buzzing_part))
    (elsewhere,) = DataLoader(batches, batch_size=None, sampler=[7], num_workers=1)
    here = SpeechBatches(source_of(buzzing_part))[7]
    assert all(torch.equal(tensor, getattr(here, name)) for name, tensor in elsewhere.tensors().items())


def test_told_phones_are_the_labels_give_or_take_a_step_or_nothing(buzzing_part):
    batch = SpeechBatches(source_of(buzzing_part, told=0.7, batch_size=40))[0]
    given = batch.phones.sum(-1) > 0.5
    assert 0.25 < given.float().mean() < 0.75
    assert batch.phones.shape == (40, 64, 39)
    assert batch.phones[~given].abs().max() == 0
    said = batch.phones.argmax(-1)
    beside = [batch.labels.roll(shift, 1) == said for shift in (-1, 0, 1)]
    inner = given[:, 1:-1]
    assert (beside[0] | beside[1] | beside[2])[:, 1:-1][inner].all()
    assert not beside[1][:, 1:-1][inner].all()
    assert SpeechBatches(source_of(buzzing_part))[0].phones is None


def test_an_utterance_can_be_kept_to_one_emotion_and_the_part_to_its_first_utterances(buzzing_part):
    source = source_of(buzzing_part, one_emotion=True, utterances=1, batch_size=8, num_frames=16)
    first, second = SpeechBatches(source)[0], SpeechBatches(source)[1]
    emotions = torch.cat([first.condition, second.condition])[..., : len(EMOTIONS)]
    speakers = torch.cat([first.condition, second.condition])[..., -len(SPEAKERS) :]
    assert (speakers == speakers[:1, :1]).all()
    assert (emotions.amax((0, 1)) > 0).sum() <= 2  # one, or two where the condition glides
    free = SpeechBatches(source_of(buzzing_part, batch_size=8, num_frames=16))[0].condition[..., : len(EMOTIONS)]
    assert (free.amax((0, 1)) > 0).sum() > 2


def test_batches_have_the_shapes_they_promise(buzzing_part):
    batch = SpeechBatches(source_of(buzzing_part))[0]
    assert batch.mel.shape == (3, 32, 4 * (32 + 2 * 4))
    assert batch.labels.shape == (3, 64)
    assert batch.articulation.shape == (3, 32, 7)
    assert batch.motion.shape == (3, 32, 53)
    assert batch.condition.shape == (3, 32, len(EMOTIONS) + 3 + len(SPEAKERS))


def test_windows_keep_sound_labels_and_lips_together_at_any_speed(buzzing_part):
    """Loud and soft sounds of the made-up shard are the open and the closed ones, whatever the window."""
    part, rng = load_part(buzzing_part), np.random.default_rng(0)
    closed_names = [phones.CLASS_INDEX[name] for name in phones.BILABIALS]
    for _ in range(20):
        window = draw_window(part, 48, rng)
        assert len(window.samples) == 48 * 640
        assert len(window.labels) == 96
        power = (window.samples.reshape(-1, 320) ** 2).mean(1)
        loud = ~np.isin(window.labels, [phones.SILENCE, *closed_names])
        inner = loud & np.roll(loud, 1) & np.roll(loud, -1)
        quiet = np.isin(window.labels, closed_names)
        quiet = quiet & np.roll(quiet, 1) & np.roll(quiet, -1)
        assert (power[inner][1:-1] > 1e-3).all()
        assert (power[quiet][1:-1] < 1e-3).all()
        within_closure = quiet.reshape(-1, 2).all(1)  # the lips part before the burst, so not at full height throughout
        assert (window.articulation[within_closure, articulation.CHANNELS.index("close")] > 0.2).all()


def test_conditions_are_convex_and_motion_follows_them(buzzing_part):
    part, rng = load_part(buzzing_part), np.random.default_rng(1)
    for _ in range(30):
        window = draw_window(part, 32, rng)
        drawn = draw_motion(window, rng)
        emotions, levels, speakers = np.split(drawn.condition, [len(EMOTIONS), len(EMOTIONS) + 3], axis=1)
        for columns in (emotions, levels, speakers):
            np.testing.assert_allclose(columns.sum(1), 1, atol=1e-5)
            assert (columns >= 0).all()
        if emotions.max() > 1 - 1e-6 and np.ptp(levels, axis=0).max() < 1e-6:
            emotion = EMOTIONS[int(emotions[0].argmax())]
            intensity = float(levels[0] @ [0, 1, 2])
            again = conditioned_motion(window, emotion, intensity, SPEAKERS[int(speakers[0].argmax())])
            np.testing.assert_allclose(drawn.motion, again.motion, atol=2e-3)


def test_intensity_lies_between_its_two_nearest_levels():
    columns = condition_columns(np.eye(8)[[1, 1]], np.array([0.25, 1.5]), SPEAKERS[0])
    np.testing.assert_allclose(columns[:, 8:11], [[0.75, 0.25, 0], [0, 0.5, 0.5]])


def test_prepared_parts_are_made_again_when_their_shards_change(tmp_path):
    shard = make_shard(tmp_path / "a.npz")
    folder = prepare_part([shard], tmp_path / "prepared")
    before = np.array(load_part(folder).offsets)
    make_shard(shard, num_utterances=4, seed=9)
    assert len(load_part(prepare_part([shard], folder)).offsets) < len(before)


def test_a_part_whose_preparation_failed_is_none(tmp_path):
    shard = make_shard(tmp_path / "a.npz")
    folder = prepare_part([shard], tmp_path / "prepared")
    assert find_parts(tmp_path, ["prepared"]) == (folder,)
    make_shard(shard, num_utterances=4, seed=9)
    (folder / "labels.npy").unlink()
    (folder / "labels.npy").mkdir()  # cannot be written, as on a full disk; samples.npy already is the new one
    with pytest.raises(OSError):
        prepare_part([shard], folder)
    with pytest.raises(InputError, match="holds no prepared part"):
        find_parts(tmp_path, ["prepared"])


def test_windows_without_a_voice_are_silence_with_a_mouth_at_rest(buzzing_part):
    batch = SpeechBatches(source_of(buzzing_part, backgrounds=0.5, batch_size=40))[0]
    silent = (batch.labels == phones.SILENCE).all(1)
    assert 0.2 < silent.float().mean() < 0.8
    assert batch.articulation[silent].abs().max() == 0
    assert (batch.samples[silent].abs().amax(1) > 0.01).all()  # there is a sound
    spoken = ~(SpeechBatches(source_of(buzzing_part, batch_size=40))[0].labels == phones.SILENCE).all(1)
    assert spoken.float().mean() > 0.9


def test_disturbances_change_the_sound_and_not_what_is_said(buzzing_part):
    plain = SpeechBatches(source_of(buzzing_part, batch_size=40))[0]
    batch = SpeechBatches(source_of(buzzing_part, batch_size=40, disturbances=0.5))[0]
    changed = (batch.samples != plain.samples).any(1)
    assert 0.2 < changed.float().mean() < 0.8
    assert torch.equal(batch.labels, plain.labels)
    assert torch.equal(batch.motion, plain.motion)
    assert torch.isfinite(batch.mel).all()
    louder = batch.samples.abs().amax(1) / plain.samples.abs().amax(1)
    assert louder.max() > 5  # impulses
    assert louder.max() < 102  # 40 dB, and the speech itself
    assert louder.min() > 0.02  # a step or fade of 30 dB


@pytest.mark.parametrize("seed", range(30))
def test_backgrounds_have_a_level_and_no_gaps_in_their_numbers(seed):
    samples = background(32000, np.random.default_rng(seed))
    assert samples.shape == (32000,)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() == pytest.approx(0.5, rel=1e-3)
    assert np.array_equal(samples, background(32000, np.random.default_rng(seed)))
