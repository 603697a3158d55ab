"""The log-mel encoder: what it hears does not depend on level or surrounding silence, and stays where it sounds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emote_blender.emote.log_mel import FRAME_SAMPLES, WARP_TEMPERATURE, LogMelEncoder, mel_filters, warp_mels
from emote_blender.speech_model.config import LogMelEncoderConfig

CONFIG = LogMelEncoderConfig(dim=32, num_blocks=2, num_motion_blocks=1, num_heads=2, kernel_size=5, num_mels=32)


@pytest.fixture(scope="module")
def encoder() -> LogMelEncoder:
    torch.manual_seed(0)
    return LogMelEncoder(CONFIG).eval()


@pytest.fixture(scope="module")
def speech(speech_samples: np.ndarray) -> torch.Tensor:
    """(1, 16000) of the vowel-like sound with a little hiss."""
    hiss = torch.randn(16000, generator=torch.Generator().manual_seed(1))
    return (torch.from_numpy(speech_samples) + 0.001 * hiss)[None]


@torch.inference_mode()
def test_features_have_one_row_per_frame_and_phones_two(encoder, speech):
    assert encoder(speech, 25).shape == (1, 25, 32)
    posteriors = encoder.phone_posteriors(speech, 25)
    assert posteriors.shape == (1, 50, 39)
    torch.testing.assert_close(posteriors.sum(-1), torch.ones(1, 50))


@torch.inference_mode()
@pytest.mark.parametrize("factor", [0.003, 0.1, 3.0])
def test_level_does_not_matter(encoder, speech, factor):
    torch.testing.assert_close(encoder(speech * factor, 25), encoder(speech, 25), atol=1e-3, rtol=0)


@torch.inference_mode()
def test_silence_around_speech_hardly_changes_its_spectrogram(encoder, speech):
    silence = torch.zeros(1, 40 * FRAME_SAMPLES)
    margin = 4 * CONFIG.padding_frames
    alone = encoder.log_mel(speech, 25)[..., margin : margin + 100]
    within = encoder.log_mel(torch.cat([silence, speech, silence], 1), 105)[..., margin + 160 : margin + 260]
    # Bands without sound in the loud frames shift a little with the share of silence in the weighted mean.
    assert (alone - within).abs().mean() < 0.02


@torch.inference_mode()
def test_a_click_is_seen_in_its_own_frame(encoder):
    for frame in (0, 7, 24):
        samples = torch.zeros(1, 25 * FRAME_SAMPLES)
        samples[0, frame * FRAME_SAMPLES + FRAME_SAMPLES // 2] = 1.0
        loudest = encoder.log_mel(samples, 25).mean(1)[0].argmax()
        assert loudest // 4 - CONFIG.padding_frames == frame


@torch.inference_mode()
def test_silence_is_all_silence_and_finite(encoder):
    assert (encoder.log_mel(torch.zeros(1, 16000), 25) == -5).all()
    assert torch.isfinite(encoder(torch.zeros(1, 16000), 25)).all()


@torch.inference_mode()
def test_statistics_of_a_clip_are_those_it_is_encoded_with(encoder, speech):
    statistics = encoder.clip_statistics(speech[0])
    torch.testing.assert_close(encoder(speech, 25, statistics), encoder(speech, 25), atol=1e-2, rtol=0)


@torch.inference_mode()
def test_statistics_measured_in_pieces_are_those_of_the_whole(encoder, speech, monkeypatch):
    whole = encoder.clip_statistics(speech[0])
    monkeypatch.setattr("emote_blender.emote.log_mel.PIECE", 1600)
    pieces = encoder.clip_statistics(speech[0])
    torch.testing.assert_close(vars(pieces), vars(whole))


@torch.inference_mode()
def test_a_window_sees_the_clip_as_the_clip_does(encoder, speech):
    clip = torch.cat([speech, 0.2 * speech], 1)
    statistics = encoder.clip_statistics(clip[0])
    margin = 4 * CONFIG.padding_frames
    whole = encoder.log_mel(clip, 50, statistics)
    window = encoder.log_mel(clip[:, 16000:], 25, statistics.from_frame(25))
    torch.testing.assert_close(window[..., margin + 4 : margin + 96], whole[..., margin + 104 : margin + 196])


@torch.inference_mode()
def test_a_constant_part_of_the_samples_is_not_seen(encoder, speech):
    torch.testing.assert_close(
        encoder.spectrogram.power(speech + 0.3)[..., 2:-2],
        encoder.spectrogram.power(speech)[..., 2:-2],
        atol=1e-3,
        rtol=0,
    )


@torch.inference_mode()
def test_items_of_a_batch_do_not_see_each_other(encoder, speech):
    both = torch.cat([speech, 0.5 * speech.flip(1)])
    torch.testing.assert_close(encoder(both, 25)[1:], encoder(both[1:], 25), atol=1e-5, rtol=1e-4)


def test_every_mel_filter_hears_something_and_none_beyond_its_neighbours():
    filters = mel_filters(64)
    assert (filters.sum(0) > 0).all()
    assert filters.max() <= 1.0 + 1e-6
    centres = filters.argmax(0)
    assert (centres[1:] >= centres[:-1]).all()


@torch.inference_mode()
def test_phones_that_equal_what_is_heard_change_nothing_and_others_do(encoder, speech):
    mel = encoder.log_mel(speech, 25)
    heard, logits = encoder.encode_log_mel(mel)
    told, _ = encoder.encode_log_mel(mel, logits.softmax(-1))
    assert torch.allclose(heard, told, atol=1e-5)
    nothing, _ = encoder.encode_log_mel(mel, torch.zeros_like(logits))
    assert torch.equal(heard, nothing)
    other = torch.zeros_like(logits)
    other[:, 20:30, 3] = 1.0
    assert not torch.allclose(heard, encoder.encode_log_mel(mel, other)[0], atol=1e-3)


def with_lengths(encoder: LogMelEncoder, *lengths: float) -> LogMelEncoder:
    """The same weights, hearing with other tract lengths."""
    other = LogMelEncoder(replace(CONFIG, tract_lengths=lengths)).eval()
    other.load_state_dict(encoder.state_dict())
    return other


def test_mels_are_read_between_mels_and_not_beyond_the_last():
    mel = torch.arange(5.0)[None, :, None].repeat(2, 1, 3)
    found = warp_mels(mel, torch.tensor([[0.0, 0.5, 1.0, 3.75, 9.0], [4.0, 3.0, 2.0, 1.0, 0.0]]))
    assert found[0, :, 1].tolist() == [0.0, 0.5, 1.0, 3.75, 4.0]
    assert found[1, :, 2].tolist() == [4.0, 3.0, 2.0, 1.0, 0.0]


@torch.inference_mode()
def test_with_a_longer_tract_formants_are_expected_lower(encoder, speech):
    mel = encoder.log_mel(speech, 25)
    lower = warp_mels(mel, torch.arange(32.0)[None] / 1.25)
    features, logits = encoder.encode_log_mel(lower)
    heard, posteriors = with_lengths(encoder, 1.25).encode_warped(mel)
    torch.testing.assert_close(heard, features)
    torch.testing.assert_close(posteriors, logits.softmax(-1))


@torch.inference_mode()
def test_what_several_tract_lengths_hear_is_averaged_by_how_sure_they_are(encoder, speech):
    clips = torch.cat([speech, speech.flip(1)])
    lengths = (0.9, 1.0, 1.2)
    each = [with_lengths(encoder, length).encode_warped(encoder.log_mel(clips, 25)) for length in lengths]
    found, posteriors = with_lengths(encoder, *lengths).encode_warped(encoder.log_mel(clips, 25))
    for clip in range(2):
        phones = np.stack([heard[1][clip].double().numpy() for heard in each])  # (3, 50, 39)
        sure = np.exp((phones * np.log(phones)).sum(-1).mean(-1) / WARP_TEMPERATURE)
        weights = sure / sure.sum()
        features = np.stack([heard[0][clip].double().numpy() for heard in each])
        np.testing.assert_allclose(found[clip], np.tensordot(weights, features, 1), atol=1e-4)
        np.testing.assert_allclose(posteriors[clip], np.tensordot(weights, phones, 1), atol=1e-4)
    assert np.ptp(weights) > 1e-3


@torch.inference_mode()
def test_several_tract_lengths_are_told_the_same_phones(encoder, speech):
    phones = torch.eye(39)[torch.arange(50) % 39][None]
    mel = encoder.log_mel(speech, 25)
    both = with_lengths(encoder, 1.0, 1.2)
    told, _ = both.encode_warped(mel, phones)
    assert (told - both.encode_warped(mel)[0]).abs().max() > 1e-3
    only = with_lengths(encoder, 1.2)
    assert torch.isfinite(told).all()
    torch.testing.assert_close(
        only.encode_warped(mel, phones)[0],
        encoder.encode_log_mel(warp_mels(mel, torch.arange(32.0)[None] / 1.2), phones)[0],
    )
