"""Augmented spectrograms: formants move and keep their order, contrast changes, bands and stretches are masked."""

import numpy as np
import pytest
import torch

from emote_blender.training.data.augment.spectrum import mask, mix_cepstra, shift_formants, vary_contrast


def peaks(at: int = 20, clips: int = 64) -> torch.Tensor:
    """(B, 64, 12) spectrograms with one formant, a bump three mels wide."""
    distance = (torch.arange(64) - at).float()
    return torch.exp(-((distance / 3) ** 2))[None, :, None].repeat(clips, 1, 12)


def generator(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_formant_moves_by_up_to_the_largest_stretch_and_no_further():
    found = shift_formants(peaks(), 1.0, 0.2, 0.0, generator()).argmax(1)[:, 0].numpy()
    assert np.ptp(found) > 5
    assert (found >= np.floor(20 * np.exp(-0.2))).all()
    assert (found <= np.ceil(20 * np.exp(0.2))).all()


def test_only_a_share_of_the_clips_is_stretched():
    found = shift_formants(peaks(clips=400), 0.5, 0.2, 0.1, generator())
    same = (found == peaks(clips=1)).all(2).all(1).float().mean()
    assert 0.4 < same < 0.6


def test_a_bend_moves_low_formants_one_way_and_high_ones_the_other_way():
    """Without a stretch the middle step is 1: the lower mels move up when the upper ones come nearer."""
    ramp = torch.arange(64).float()[None, :, None].repeat(200, 1, 2)  # each mel has its own index as value
    steps = np.diff(shift_formants(ramp, 1.0, 1e-9, 0.1, generator())[:, :50, 0].numpy(), axis=1)
    rising = steps[:, 40] > steps[:, 2]
    assert 0.3 < rising.mean() < 0.7
    assert (np.abs(np.log(steps[:, 2])) <= 0.1 + 1e-4).all()
    assert (steps > 0).all()


def test_contrast_scales_what_stands_out_and_leaves_what_is_even():
    even = torch.full((50, 64, 12), 0.7)
    torch.testing.assert_close(vary_contrast(even, 1.0, generator()), even)
    heights = vary_contrast(peaks(), 1.0, generator()).amax(1)[:, 5]
    assert heights.min() < 0.95 < 1.02 < heights.max()


def test_mixing_is_a_linear_map_of_the_envelope_one_for_each_clip():
    smooth = torch.from_numpy(np.cos(np.pi * np.outer(np.arange(64) + 0.5, np.arange(12)) / 64)).float()
    clips = (smooth @ torch.randn(12, 40, generator=torch.Generator().manual_seed(1)) * 0.1).repeat(30, 1, 1)
    found = mix_cepstra(clips, 0.1, generator())
    sizes = (found - clips).square().mean((1, 2)).sqrt() / clips.square().mean().sqrt()
    assert sizes.min() < 0.05 < 0.2 < sizes.max() < 0.6
    assert (found[0] - found[1]).abs().max() > 0.01
    for clip in found[:3]:  # each frame by the same map, found from the first 20 frames
        pixels = clip.numpy()
        learnt = np.linalg.lstsq(clips[0, :, :20].numpy().T, pixels[:, :20].T, rcond=1e-4)[0]
        np.testing.assert_allclose(clips[0, :, 20:].numpy().T @ learnt, pixels[:, 20:].T, atol=1e-3)


def test_nothing_changes_where_no_share_is_asked_for():
    assert torch.equal(shift_formants(peaks(), 0.0, 0.2, 0.1, generator()), peaks())
    assert torch.equal(vary_contrast(peaks(), 0.0, generator()), peaks())
    assert torch.equal(mix_cepstra(peaks(), 0.0, generator()), peaks())


@pytest.mark.parametrize("count", [1, 3])
def test_more_masks_hide_more(count):
    mel = torch.ones(300, 64, 400)
    mask(mel, 0.5, count, generator())
    bands = (mel == 0).all(2).any(1).float().mean()
    assert bands == pytest.approx(1 - 0.75**count, abs=0.08)
