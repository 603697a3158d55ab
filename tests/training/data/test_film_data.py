"""Clips to render: the same by number, conditions equally often, images cached as they were rendered."""

import pickle

import numpy as np
import pytest
import torch

from emote_blender.errors import InputError
from emote_blender.training.data.corpus.film_data import FilmBatch, FilmCache, FilmData, FilmSettings
from emote_blender.training.data.corpus.speech_batches import EMOTIONS

pytestmark = pytest.mark.torch


def data_of(part, num_clips=6, batch_size=4, seed=3, **changes) -> FilmData:
    settings = FilmSettings(
        {part.name: 1.0}, (part.name,), batch_size=batch_size, num_frames=16, num_clips=num_clips, **changes
    )
    return FilmData(settings, part.parent, seed)


def equal(one: FilmBatch, other: FilmBatch) -> bool:
    return all(torch.equal(value, getattr(other, name)) for name, value in vars(one).items())


def test_a_batch_depends_on_seed_and_number_only(buzzing_part):
    data = data_of(buzzing_part)
    expected = [data.batch(number) for number in range(3)]
    assert equal(pickle.loads(pickle.dumps(data)).batch(2), expected[2])
    assert equal(data_of(buzzing_part).batch(1), expected[1])
    assert not equal(data_of(buzzing_part, seed=4).batch(1), expected[1])


def test_every_clip_comes_once_an_epoch_and_is_the_same_again(buzzing_part):
    data = data_of(buzzing_part)
    batches = [data.batch(number) for number in range(6)]  # 24 clips: four epochs of six
    numbers = torch.cat([batch.number for batch in batches]).unflatten(0, (4, 6))
    assert all(sorted(epoch.tolist()) == list(range(6)) for epoch in numbers)
    assert len({tuple(epoch.tolist()) for epoch in numbers}) > 1
    motions = torch.cat([batch.motion for batch in batches])
    for number in range(6):
        same = motions[torch.cat([batch.number for batch in batches]) == number]
        assert (same == same[0]).all()


def test_without_a_number_of_clips_every_one_is_new(buzzing_part):
    data = data_of(buzzing_part, num_clips=0)
    assert torch.cat([data.batch(n).number for n in range(3)]).tolist() == list(range(12))


def test_emotions_come_equally_often_and_neutral_is_always_mild(buzzing_part):
    (batch,) = [data_of(buzzing_part, num_clips=0, batch_size=400).batch(0)]
    counts = np.bincount(batch.emotion.numpy(), minlength=8)
    assert (np.abs(counts - 50) < 25).all()  # 3.8 standard deviations of 6.6
    neutral = batch.emotion == EMOTIONS.index("neutral")
    assert (batch.intensity[neutral] == 0).all()
    assert (np.bincount(batch.intensity[~neutral].numpy(), minlength=3) > 80).all()


def test_held_out_clips_are_the_same_each_time_and_as_many_as_asked(buzzing_part):
    data = data_of(buzzing_part, validation_clips=6)
    first, second = (list(data.validation()) for _ in range(2))
    assert [len(batch.number) for batch in first] == [4, 2]
    assert all(equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_missing_part_is_named(tmp_path):
    settings = FilmSettings({"espeak": 1.0}, ("espeak_validation",))
    with pytest.raises(InputError, match="espeak holds no prepared part of the corpus"):
        FilmData(settings, tmp_path, 1)


@pytest.mark.parametrize("change, words", [({"batch_size": 0}, "batch_size"), ({"num_clips": -1}, "num_clips")])
def test_settings_without_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        FilmSettings({"a": 1.0}, ("b",), **change)


def batch_of(*numbers: int) -> FilmBatch:
    """Clips whose motion is their number / 10."""
    count = torch.tensor(numbers)
    return FilmBatch(count, (count / 10)[:, None, None].expand(-1, 2, 1), count, count, count)


def test_what_was_seen_is_remembered_as_bytes():
    filmed = []

    def film(motion):
        filmed.append(len(motion))
        return motion

    cache = FilmCache(2)
    first = cache.images(batch_of(1, 2), film)
    torch.testing.assert_close(first[:, 0, 0], torch.tensor([26, 51]) / 255)
    again = cache.images(batch_of(2, 3, 1), film)
    torch.testing.assert_close(again[:, 0, 0], torch.tensor([51, 76, 26]) / 255)
    cache.images(batch_of(3, 1), film)  # there was no place for the third
    assert filmed == [2, 1, 1]
    cache = FilmCache(0)
    cache.images(batch_of(1), film)
    cache.images(batch_of(1), film)
    assert filmed == [2, 1, 1, 1, 1]
