"""The synthesised corpus: the same for the same seed, phones where they sound, what augmentation keeps."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from emote_blender.errors import InputError
from emote_blender.training.corpus import engines, phones, text
from emote_blender.training.corpus.augment import augment
from emote_blender.training.corpus.generate import CorpusPart, generate_part, write_shard

needs_espeak = pytest.mark.skipif(not engines.is_available("espeak"), reason=f"needs espeak-ng: {engines.APT_LINE}")
needs_flite = pytest.mark.skipif(not engines.is_available("flite"), reason=f"needs flite: {engines.APT_LINE}")


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def test_sentences_are_the_same_for_the_same_seed():
    first, second = ([text.english_sentence(random.Random(3)) for _ in range(5)] for _ in range(2))
    assert first == second


@needs_espeak
def test_a_shard_made_again_is_the_same(tmp_path):
    part = CorpusPart("espeak", "espeak", 0.01, 5)
    (path,) = generate_part(part, tmp_path)
    before = read(path)
    path.unlink()
    generate_part(part, tmp_path)
    after = read(path)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@needs_espeak
def test_finished_shards_are_kept_and_missing_ones_made(tmp_path):
    part = CorpusPart("espeak", "espeak", 0.01, 5)
    first, second = generate_part(part, tmp_path, shard_seconds=18)
    made = first.stat().st_mtime_ns
    second.unlink()
    generate_part(part, tmp_path, shard_seconds=18)
    assert second.is_file()
    assert first.stat().st_mtime_ns == made


@needs_espeak
def test_settings_that_changed_make_the_shards_anew(tmp_path):
    (path,) = generate_part(CorpusPart("espeak", "espeak", 0.003, 5), tmp_path)
    before = read(path)
    generate_part(CorpusPart("espeak", "espeak", 0.003, 6), tmp_path)
    assert not np.array_equal(before["samples"], read(path)["samples"])


@needs_espeak
def test_shards_count_whole_frames_and_phones_stay_within_their_utterance(tmp_path):
    path = tmp_path / "shard.npz"
    write_shard(CorpusPart("espeak", "espeak_languages", 0.01, 5), 0, 20.0, path)
    shard = read(path)
    assert len(shard["samples"]) == 640 * shard["frame_offsets"][-1]
    assert len(shard["speakers"]) == len(shard["frame_offsets"]) - 1 == len(shard["phone_offsets"]) - 1
    for i, (begin, end) in enumerate(zip(shard["phone_offsets"][:-1], shard["phone_offsets"][1:], strict=True)):
        seconds = (shard["frame_offsets"][i + 1] - shard["frame_offsets"][i]) / 25
        times = shard["phone_times"][begin:end]
        assert (np.diff(times[:, 0]) >= 0).all()
        assert times[-1, 1] <= seconds + 0.05


def voice_energy_lag(utterances) -> float:
    """Seconds by which the vowels' labels must be moved to fit the loudness best."""
    total = np.zeros(21)
    for utterance in utterances:
        length = len(utterance.samples) // 160
        power = (utterance.samples[: length * 160].reshape(-1, 160).astype(float) ** 2).mean(1)
        loud = np.log(power + 1)
        voiced = np.zeros(length)
        for number, (start, end) in zip(utterance.phone_classes, utterance.phone_times, strict=True):
            if phones.CLASSES[number] in phones.VOWELS:
                voiced[round(start * 100) : round(end * 100)] = 1
        loud, voiced = ((track - track.mean()) / track.std() for track in (loud, voiced))
        total += [(np.roll(loud, -lag) * voiced)[12:-12].mean() for lag in range(-10, 11)]
    return (int(total.argmax()) - 10) / 100


@needs_espeak
def test_espeak_phones_stand_where_they_sound():
    source = engines.utterances("espeak", 11)
    assert abs(voice_energy_lag([next(source) for _ in range(30)])) <= 0.02


@needs_flite
@pytest.mark.parametrize("voice", sorted(engines.FLITE_PITCH))
def test_flite_phones_stand_where_they_sound(voice):
    source = engines.utterances("flite", 11, (voice,))
    assert abs(voice_energy_lag([next(source) for _ in range(8)])) <= 0.02


def test_a_missing_engine_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert shutil.which("flite") is None
    with pytest.raises(InputError, match="flite.*apt-get install"):
        engines.require_engines(("flite",))


def test_augmentation_keeps_the_shape_and_stays_finite_even_for_silence():
    samples = torch.zeros(6, 16000)
    samples[0] = torch.sin(torch.arange(16000) * 0.1)
    for amount in (0.0, 0.4, 1.0):
        changed = augment(samples, amount, torch.Generator().manual_seed(1))
        assert changed.shape == samples.shape
        assert torch.isfinite(changed).all()
        assert changed.abs().max() <= 1.01


def test_augmentation_is_the_same_for_the_same_generator_and_moves_no_sound():
    click = torch.zeros(6, 16000)
    click[:, 8000:8160] = torch.randn(160, generator=torch.Generator().manual_seed(2))
    first, second = (augment(click, 0.4, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    loudest = first.unfold(1, 160, 160).pow(2).sum(-1).argmax(1)
    assert (loudest - 50).abs().max() <= 1
