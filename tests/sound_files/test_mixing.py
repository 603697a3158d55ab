"""Channels are averaged, unless they cancel each other."""

import numpy as np
import pytest
import soundfile

from emote_blender.audio import load_audio, load_part

RATE = 16000
VOICE = (0.3 * np.random.default_rng(0).standard_normal(2 * RATE)).clip(-0.9, 0.9).astype(np.float32)
OTHER = (0.3 * np.random.default_rng(1).standard_normal(2 * RATE)).clip(-0.9, 0.9).astype(np.float32)
NOTHING = np.zeros_like(VOICE)


@pytest.fixture
def load(tmp_path, decoder):
    """A function of channels that reads a file with them."""

    def read(*channels: np.ndarray):
        soundfile.write(tmp_path / "a.wav", np.stack(channels, 1), RATE, subtype="FLOAT")
        whole = load_audio(tmp_path / "a.wav", None, decoder=decoder)
        part = load_part(tmp_path / "a.wav", 0.0, 2.0, decoder=decoder)
        assert np.array_equal(part.samples, whole.samples)
        assert part.warnings == whole.warnings
        return whole

    return read


CANCELLING = {
    "the inverse": (VOICE, -VOICE),
    "the inverse, quieter": (0.5 * VOICE, -0.7 * VOICE),
    "the inverse with noise": (0.8 * VOICE + 0.05 * OTHER, -0.9 * VOICE + 0.05 * OTHER[::-1]),
    "the inverse with an offset": (VOICE + 0.2, -VOICE + 0.2),
    "two pairs": (VOICE, -VOICE, 0.5 * OTHER, -0.5 * OTHER),
}


@pytest.mark.parametrize("case", CANCELLING)
def test_where_channels_cancel_each_other_the_loudest_is_taken_with_a_warning(load, case):
    channels = CANCELLING[case]
    loudest = int(np.argmax([np.var(channel) for channel in channels]))
    sound = load(*channels)
    assert np.array_equal(sound.samples, channels[loudest])
    assert len(sound.warnings) == 1
    assert (
        f"its channels cancel each other, as they have opposite signs; channel {loudest + 1} is used"
        in sound.warnings[0]
    )


AVERAGED = {
    "mono": (VOICE,),
    "twice the same": (VOICE, VOICE),
    "one is silent": (VOICE, NOTHING),
    "unrelated": (VOICE, OTHER),
    "wide stereo": (VOICE + 0.7 * OTHER, VOICE - 0.7 * OTHER),
    "5.1 with speech in the middle": (0.05 * OTHER, -0.05 * OTHER, VOICE, NOTHING, NOTHING, NOTHING),
    "both silent": (NOTHING, NOTHING),
    "a constant offset": (NOTHING + 0.5, NOTHING - 0.5),
}


@pytest.mark.parametrize("case", AVERAGED)
def test_other_channels_are_averaged_to_the_bit(load, case):
    channels = AVERAGED[case]
    sound = load(*channels)
    assert np.array_equal(sound.samples, np.stack(channels, 1).mean(axis=1))
    assert [warning for warning in sound.warnings if "cancel" in warning] == []


@pytest.mark.parametrize(("level", "is_silent"), [(0.0, True), (5e-5, True), (2e-4, False)])
@pytest.mark.parametrize("offset", [0.0, 0.25])
def test_a_silent_sound_has_a_warning(load, level, is_silent, offset):
    tone = level * np.sin(np.arange(2 * RATE) * 0.3).astype(np.float32) + np.float32(offset)
    warnings = load(tone).warnings
    assert ["silent from beginning to end" in warning for warning in warnings] == [True] * is_silent


def test_warnings_stay_with_a_resampled_sound(load):
    assert load(NOTHING).resampled(8000).warnings == load(NOTHING).warnings != ()
