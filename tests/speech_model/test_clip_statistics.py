"""The statistics of a clip's log-mel spectrogram: one passage as by the formulas, several passages each by itself."""

import numpy as np
import pytest

from emote_blender.speech_model.clip_statistics import measure_log_mel
from emote_blender.speech_model.log_mel import FLOOR, LOWEST_MEAN, SPEECH_LEVEL, SPEECH_STEEPNESS


def voice_power(seconds: float, decibels: float = 0.0, seed: int = 0) -> np.ndarray:
    """Mel power (16, L) of syllables over weak noise, silent for 0.3 s at both ends."""
    time = np.arange(round(100 * seconds)) / 100
    sounding = (time >= 0.3) & (time < seconds - 0.3)
    level = np.where(sounding, decibels - 20 * np.cos(2 * np.pi * 2 * time) ** 2, -60.0)
    bands = np.random.default_rng(seed).uniform(0.2, 2, (16, len(time)))
    return (bands * 10 ** (level / 10)).astype(np.float32)


def test_one_passage_has_the_moments_of_its_louder_spectra():
    power = voice_power(3)
    found = measure_log_mel(power)
    loudest = power.astype(np.float64).mean(0).max()
    mel = np.log(power / loudest + FLOOR)
    depth = mel.mean(0).max() - mel.mean(0)
    weights = 1 / (1 + np.exp((depth - SPEECH_LEVEL) * SPEECH_STEEPNESS))
    weights /= weights.sum()
    mean = ((mel * weights).sum(1)).clip(min=LOWEST_MEAN)
    deviation = np.sqrt((((mel - mean[:, None]) ** 2) * weights).sum(1).mean()) + 0.3
    assert found.starts.tolist() == [0]
    assert found.loudest == pytest.approx(loudest, rel=1e-5)
    assert np.allclose(found.mean[:, 0], mean, atol=1e-4)
    assert found.deviation == pytest.approx(deviation, rel=1e-4)


def test_each_passage_has_the_statistics_that_it_has_alone():
    loud, soft = voice_power(4), voice_power(4, -25, seed=1)
    found = measure_log_mel(np.concatenate([loud, soft], axis=1))
    assert found.starts[0] == 0
    assert found.starts[1] == pytest.approx(370, abs=5)
    for index, part in enumerate((loud, soft)):
        alone = measure_log_mel(part)
        assert found.loudest[index] == pytest.approx(alone.loudest[0], rel=1e-5)
        assert np.allclose(found.mean[:, index], alone.mean[:, 0], atol=0.02)
        assert found.deviation[index] == pytest.approx(alone.deviation[0], rel=0.02)


def test_an_impulse_does_not_count():
    power = voice_power(4)
    alone = measure_log_mel(power)
    power[:, 150:153] = 1e4
    found = measure_log_mel(power)
    assert found.loudest == pytest.approx(alone.loudest, rel=1e-5)
    assert np.allclose(found.mean, alone.mean, atol=0.05)


def test_pieces_do_not_matter(monkeypatch):
    power = np.concatenate([voice_power(4), voice_power(4, -25)], axis=1)
    whole = measure_log_mel(power)
    monkeypatch.setattr("emote_blender.speech_model.clip_statistics._PIECE", 70)
    for name, values in vars(measure_log_mel(power)).items():
        assert np.allclose(values, getattr(whole, name), rtol=1e-5), name


def test_a_window_has_the_statistics_of_its_place_in_the_clip():
    statistics = measure_log_mel(np.concatenate([voice_power(4), voice_power(4, -25)], axis=1))
    change = int(statistics.starts[1])
    window = statistics.from_frame(50).of_spectra(0, 400)  # 4 spectra per frame of motion
    assert (window.loudest[: change - 200] == statistics.loudest[0]).all()
    assert (window.loudest[change - 200 :] == statistics.loudest[1]).all()
    before = statistics.of_spectra(-16, 20)
    assert (before.loudest == statistics.loudest[0]).all()
    assert before.mean.shape == (16, 20)
