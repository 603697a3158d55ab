"""Sparse keys: within their bound everywhere, few, and exact where the face turns."""

from pathlib import Path

import numpy as np
import pytest

from emote_blender.flame.measure import LIPS_CLOSED_GAP, lip_gap
from emote_blender.flame.model import FaceModel
from emote_blender.motion_tools.sparse_keys import sparse_keys

pytestmark = pytest.mark.once  # on 5.2, tests/blender/takes reduces keys

ROOT = Path(__file__).parents[2]


def on_curve(keys, num_samples):
    """(T,) the keys' Bézier curve at every sample, by de Casteljau's rule and bisection in time."""
    points = np.stack([keys.positions, keys.values], axis=1)
    shown = np.full(num_samples, keys.values[-1])
    for number in range(len(points) - 1):
        corners = np.stack([points[number], keys.right[number], keys.left[number + 1], points[number + 1]])
        for sample in range(keys.positions[number], keys.positions[number + 1]):
            low, high = 0.0, 1.0
            for _ in range(50):
                part = (low + high) / 2
                level = corners
                while len(level) > 1:
                    level = level[:-1] * (1 - part) + level[1:] * part
                low, high = (part, high) if level[0, 0] < sample else (low, part)
            shown[sample] = level[0, 1]
    return shown


def speech_like(num_channels=6, num_samples=300, seed=3):
    """(C, T) smooth channels with the bandwidth of speech, at 25 fps."""
    rng = np.random.default_rng(seed)
    time = np.arange(num_samples) / 25
    rates = rng.uniform(0.2, 5.0, (num_channels, 8))
    phases = rng.uniform(0, 2 * np.pi, (num_channels, 8))
    return (np.sin(2 * np.pi * rates[..., None] * time + phases[..., None]) / (1 + rates[..., None])).sum(1)


@pytest.mark.parametrize("share", [0.003, 0.01, 0.05, 0.2])
def test_no_sample_is_farther_from_the_curve_than_the_bound(share):
    values = speech_like()
    bounds = share * np.ptp(values, axis=1)
    for row, bound, keys in zip(values, bounds, sparse_keys(values, bounds)):
        assert np.abs(on_curve(keys, len(row)) - row).max() <= bound * (1 + 1e-9)


def test_a_larger_bound_needs_fewer_keys():
    values = speech_like()
    counts = [
        sum(len(keys.values) for keys in sparse_keys(values, share * np.ptp(values, axis=1)))
        for share in (0.003, 0.01, 0.05, 0.2)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[1] < values.size / 2
    assert counts[2] < values.size / 4


def test_a_cubic_needs_no_key_between_its_ends():
    position = np.arange(20) / 19
    cubic = (position - 3 * position**2 + 2.5 * position**3)[None]
    (keys,) = sparse_keys(cubic, np.array([0.02]))
    assert keys.positions.tolist() == [0, 19]
    np.testing.assert_allclose(on_curve(keys, 20), cubic[0], atol=1e-9)


def test_peaks_and_troughs_that_stand_out_are_keys():
    values = np.interp(np.arange(60), [0, 17, 31, 44, 59], [0.0, 1.0, 0.2, 0.7, 0.0])[None]
    (keys,) = sparse_keys(values, np.array([0.05]))
    assert {0, 17, 31, 44, 59} <= set(keys.positions.tolist())


def test_small_turns_are_not_forced_to_be_keys():
    values = 0.02 * np.sin(np.arange(100))[None]
    (keys,) = sparse_keys(values, np.array([0.03]))
    assert len(keys.values) < 15


def test_handles_never_turn_back_in_time():
    values = speech_like()
    for keys in sparse_keys(values, 0.02 * np.ptp(values, axis=1)):
        steps = np.diff(keys.positions)
        np.testing.assert_allclose(keys.right[:-1, 0] - keys.positions[:-1], steps / 3)
        np.testing.assert_allclose(keys.positions[1:] - keys.left[1:, 0], steps / 3)


def test_a_channel_within_its_bound_gets_one_key():
    (flat,) = sparse_keys(0.3 + 0.001 * np.sin(np.arange(50))[None], np.array([0.01]))
    assert flat.positions.tolist() == [0]
    assert flat.values[0] == pytest.approx(0.3)


@pytest.mark.parametrize("num_samples", [1, 2, 3])
def test_the_shortest_motions_keep_every_sample(num_samples):
    values = np.array([[0.0, 1.0, 0.5]])[:, :num_samples]
    (keys,) = sparse_keys(values, np.array([0.01]))
    np.testing.assert_allclose(on_curve(keys, num_samples), values[0], atol=1e-12)


def test_a_channels_keys_do_not_depend_on_the_other_channels():
    values = speech_like()
    together = sparse_keys(values, np.full(len(values), 0.02))
    for row, keys in zip(values, together):
        (alone,) = sparse_keys(row[None], np.array([0.02]))
        np.testing.assert_allclose(keys.left, alone.left, atol=1e-12)


@pytest.mark.parametrize(
    ("values", "bounds"),
    [
        (np.zeros(5), np.ones(1)),
        (np.zeros((2, 5)), np.ones(1)),
        (np.zeros((1, 0)), np.ones(1)),
        (np.zeros((1, 5)), np.zeros(1)),
        (np.full((1, 5), np.nan), np.ones(1)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(values, bounds):
    with pytest.raises(ValueError):
        sparse_keys(values, bounds)


def test_lips_that_close_stay_closed():
    """A line of speech on the open head, within 1 % of each channel's range."""
    from emote_blender.audio import load_audio
    from emote_blender.emotion import EmotionTrack
    from emote_blender.pipeline import EMOTEPipeline

    pipeline = EMOTEPipeline.from_pretrained(str(ROOT / "models/emote_open"))
    model = FaceModel.load(ROOT / "models/open_head")
    features = pipeline.encode(load_audio(ROOT / "tests/data/anger_line.wav"))
    motion = pipeline.generate(features, EmotionTrack.constant("anger", intensity=1))
    dense = np.concatenate([motion.expression, motion.jaw], axis=1)
    moving = np.ptp(dense, axis=0) > 1e-4
    sparse = dense.copy()
    keys = sparse_keys(dense[:, moving].T, 0.01 * np.ptp(dense[:, moving], axis=0))
    sparse[:, moving] = np.stack([on_curve(of_one, len(dense)) for of_one in keys], axis=1)
    gap_before, gap_after = (
        lip_gap(model, model.vertices(motion[:, : motion.shape[1] - 3], motion[:, -3:])) for motion in (dense, sparse)
    )
    closed = gap_before < LIPS_CLOSED_GAP
    assert closed.any()
    assert np.abs(gap_after - gap_before).max() < 0.0003
    assert (gap_after[closed] < LIPS_CLOSED_GAP + 0.0001).all()
    assert sum(len(of_one.values) for of_one in keys) < 0.5 * dense[:, moving].size
