"""Windows of clips: cut where they should be, padded and masked, conditions as columns, the same by number."""

import numpy as np
import pytest
import torch
from clip_list import ClipList
from torch.utils.data import DataLoader

from emote_blender.errors import InputError
from emote_blender.training.data.clips import (
    ClipBatches,
    SelectedClips,
    SpeechClip,
    WindowSettings,
    load_samples,
    split_70_15_15,
    split_randomly,
    window_batch,
)


def clip_of(num_frames: int, number: int = 0, **changes) -> SpeechClip:
    """A clip in which every value says which clip and frame it is of: 1000 * number + frame, from 1."""
    frames = 1000.0 * number + 1 + np.arange(num_frames)
    values = {
        "samples": np.repeat(frames, 640).astype(np.float32),
        "motion": np.tile(frames[:, None], (1, 5)).astype(np.float32),
        "valid": np.ones(num_frames, bool),
        "emotion": number % 8,
        "intensity": number % 3,
        "speaker": number % 2,
        "name": f"clip {number}",
        **changes,
    }
    return SpeechClip(**values)


def source_of(*lengths: int) -> ClipList:
    return ClipList([clip_of(length, number) for number, length in enumerate(lengths)], ("one", "two"))


def test_a_window_is_a_stretch_of_its_clip():
    batch = window_batch(source_of(20, 30), [1, 0, 1], 8, np.random.default_rng(0))
    assert batch.motion.shape == (3, 8, 5)
    steps = batch.motion[:, :, 0] - batch.motion[:, :1, 0]
    assert torch.equal(steps, torch.arange(8.0).expand(3, 8))
    assert (batch.motion[:, 0, 0] // 1000).tolist() == [1, 0, 1]


def test_sound_motion_and_labels_are_cut_at_the_same_frame():
    length = 40
    frames = np.arange(1, length + 1)
    clip = clip_of(
        length,
        labels=np.repeat(frames, 2),
        articulation=np.tile(frames[:, None], (1, 7)).astype(np.float32),
        emotion_features=np.tile(frames[:, None], (1, 11)).astype(np.float32),
    )
    batch = window_batch(ClipList([clip], ("one",)), [0] * 6, 8, np.random.default_rng(0))
    first = batch.motion[..., 0]
    assert torch.equal(batch.samples.reshape(6, 8, 640), first[..., None].expand(6, 8, 640))
    assert torch.equal(batch.labels.reshape(6, 8, 2), first.long()[..., None].expand(6, 8, 2))
    assert torch.equal(batch.articulation, first[..., None].expand(6, 8, 7))
    assert torch.equal(batch.emotion_features, first[..., None].expand(6, 8, 11))


def test_every_start_that_fills_the_window_is_drawn_and_no_other():
    batch = window_batch(source_of(11), [0] * 200, 8, np.random.default_rng(0))
    assert set(batch.motion[:, 0, 0].tolist()) == {1.0, 2.0, 3.0, 4.0}
    assert batch.valid.all()


def test_a_shorter_clip_is_padded_with_zeros_and_masked():
    clip = clip_of(5, valid=np.array([1, 0, 1, 1, 1], bool), labels=np.full(10, 7))
    batch = window_batch(ClipList([clip], ("one",)), [0], 8, np.random.default_rng(0))
    assert batch.valid.tolist() == [[True, False, True, True, True, False, False, False]]
    assert torch.equal(batch.motion[0, :5, 0], torch.arange(1.0, 6.0))
    assert batch.motion[0, 5:].abs().max() == 0
    assert batch.samples[0, 5 * 640 :].abs().max() == 0
    assert batch.samples.shape == (1, 8 * 640)
    assert batch.labels.tolist() == [[7] * 10 + [0] * 6]


def test_condition_is_emotion_intensity_and_speaker_in_every_frame():
    clip = clip_of(5, emotion=6, intensity=1, speaker=1)
    batch = window_batch(ClipList([clip], ("one", "two")), [0], 8, np.random.default_rng(0))
    row = [0, 0, 0, 0, 0, 0, 1, 0] + [0, 1, 0] + [0, 1]
    assert batch.condition.tolist() == [[row] * 8]
    assert (batch.emotion.tolist(), batch.intensity.tolist()) == ([6], [1])
    assert window_batch(source_of(5), [0], 8, np.random.default_rng(0), num_speakers=32).condition.shape[-1] == 43


def test_an_intensity_between_two_levels_is_between_their_columns():
    batch = window_batch(ClipList([clip_of(5, intensity=1.75)], ("one",)), [0], 5, np.random.default_rng(0))
    assert batch.condition[0, 0, 8:11].tolist() == [0, 0.25, 0.75]
    assert batch.intensity.tolist() == [2]


def test_shapes_are_kept_per_clip_and_none_where_unknown():
    clips = [clip_of(9, number, shape=np.full(4, number, np.float32)) for number in range(2)]
    batch = window_batch(ClipList(clips, ("one", "two")), [1, 0], 8, np.random.default_rng(0))
    assert batch.shape.tolist() == [[1] * 4, [0] * 4]
    assert window_batch(source_of(9), [0], 8, np.random.default_rng(0)).shape is None


@pytest.mark.parametrize(
    "changes", [{"shape": np.zeros(3, np.float32)}, {"motion": np.zeros((9, 6), np.float32)}, {"speaker": 2}]
)
def test_clips_that_do_not_fit_together_are_named(changes):
    clips = ClipList([clip_of(9), clip_of(9, 1, **changes)], ("one", "two"))
    with pytest.raises(ValueError, match="clip 1"):
        window_batch(clips, [0, 1], 8, np.random.default_rng(0))


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": np.zeros(9 * 640 + 1, np.float32)},
        {"valid": np.ones(8, bool)},
        {"labels": np.zeros(9, np.int64)},
        {"motion": np.zeros((0, 5), np.float32)},
        {"intensity": 3},
    ],
)
def test_a_clip_whose_parts_differ_in_length_cannot_be_made(changes):
    with pytest.raises(ValueError, match="clip 0"):
        clip_of(9, **changes)


def test_a_batch_depends_on_seed_and_number_only():
    source, settings = source_of(20, 30, 5, 12, 50), WindowSettings(batch_size=3, num_frames=8, seed=4)
    in_order = [ClipBatches(source, settings)[number] for number in range(4)]
    batches = ClipBatches(source, settings)
    again = [batches[number] for number in (3, 0, 2, 1)]
    for number, batch in zip((3, 0, 2, 1), again):
        for name, tensor in batch.tensors().items():
            assert torch.equal(tensor, getattr(in_order[number], name)), name
    other = ClipBatches(source, WindowSettings(3, 8, seed=5))
    assert any(not torch.equal(other[n].motion, in_order[n].motion) for n in range(4))


def test_worker_processes_make_the_same_batches():
    batches = ClipBatches(source_of(20, 30, 5), WindowSettings(batch_size=2, num_frames=8))
    loader = DataLoader(batches, batch_size=None, sampler=range(3, 7), num_workers=2)
    for number, batch in zip(range(3, 7), loader):
        assert torch.equal(batch.motion, batches[number].motion)


def test_every_clip_is_seen_once_in_an_epoch():
    batches = ClipBatches(source_of(*[9] * 12), WindowSettings(batch_size=4, num_frames=8))
    assert batches.num_batches == 3
    epochs = [[i for n in range(3 * epoch, 3 * epoch + 3) for i in batches.indices(n)] for epoch in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(12))
    assert epochs[0] != epochs[1]


def test_a_batch_may_be_larger_than_the_source():
    batches = ClipBatches(source_of(9, 9), WindowSettings(batch_size=5, num_frames=8))
    assert sorted(batches.indices(0)[:4]) == [0, 0, 1, 1]


def test_no_clips_are_one_clear_sentence():
    with pytest.raises(InputError, match="no clips"):
        ClipBatches(source_of(), WindowSettings())


def test_splits_are_cut_as_published():
    """27 men are 18, 4, 5; 20 women 14, 3, 3 (spec/EMOTE.md 9)."""
    sizes = [[len(range(n)[part]) for part in split_70_15_15(n)] for n in (27, 20)]
    assert sizes == [[18, 4, 5], [14, 3, 3]]


def test_a_random_split_holds_every_clip_once():
    parts = split_randomly(20, seed=3)
    assert [len(part) for part in parts] == [14, 3, 3]
    assert sorted(sum(parts, [])) == list(range(20))
    assert parts == split_randomly(20, seed=3)
    assert parts != split_randomly(20, seed=4)
    chosen = SelectedClips(source_of(*[9] * 20), parts[1])
    assert [chosen[number].name for number in range(len(chosen))] == [f"clip {index}" for index in parts[1]]


@pytest.mark.parametrize("extra", [-7000, -1, 0, 1, 7000])
def test_sound_is_cut_or_padded_to_the_motion(tmp_path, extra):
    import soundfile

    samples = np.arange(1, 25 * 640 + extra + 1) / 32768 / 2
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    found = load_samples(tmp_path / "a.wav", 25)
    expected = np.zeros(25 * 640, np.float32)
    expected[: len(samples)] = samples[: 25 * 640]
    np.testing.assert_array_equal(found, expected)


def test_sound_of_another_length_is_refused(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    for num_frames in (12, 38):
        with pytest.raises(InputError, match=r"a.wav lasts 1.00 s, but its motion .* same take"):
            load_samples(tmp_path / "a.wav", num_frames)
    assert len(load_samples(tmp_path / "a.wav", 37)) == 37 * 640
