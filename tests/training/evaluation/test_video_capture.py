"""The table of video capture: what is filmed, and what is measured of it."""

from dataclasses import replace

import numpy as np
import pytest

from emote_blender.capture.video.fit.clip import ClipFit
from emote_blender.motion import FaceMotion
from emote_blender.training.evaluation.capture_figures import (
    BARS,
    figures,
    jitter_mm,
    mean_figures,
    missed,
    swap_correlation,
)
from emote_blender.training.evaluation.rendered_clips import (
    PERFORMANCES,
    USUAL,
    Clip,
    Filming,
    filmed,
    performed_motion,
    shrunk,
)

pytestmark = pytest.mark.once
NUM_FRAMES = 50


@pytest.fixture(scope="module")
def motion(open_head) -> FaceMotion:
    return performed_motion(open_head, PERFORMANCES[1], NUM_FRAMES)


def captured(motion: FaceMotion, rotation: np.ndarray) -> tuple[Clip, ClipFit]:
    """A clip, and a fit that is exactly what was performed."""
    count = motion.num_frames
    found = replace(motion, neck=rotation.astype(np.float32))
    fit = ClipFit(found, np.ones(count, bool), np.zeros(count), np.zeros((count, 3)), np.zeros(12), np.empty(0), 1000.0)
    return Clip(motion, rotation, np.empty((count, 0, 0, 3), np.uint8)), fit


def test_a_perfect_capture_reaches_every_bar(open_head, motion):
    clip, fit = captured(motion, np.zeros((NUM_FRAMES, 3)))
    row = figures(open_head, clip, fit, 1.0)
    assert missed(row) == []
    assert row.face_mm == 0.0
    assert row.gap_r == pytest.approx(1.0)


def test_what_falls_short_is_named(open_head, motion):
    clip, fit = captured(motion, np.zeros((NUM_FRAMES, 3)))
    neck = np.tile(np.radians([0.0, 3.0, 0.0]), (NUM_FRAMES, 1)).astype(np.float32)
    jaw = motion.jaw[::-1]
    row = figures(open_head, clip, replace(fit, motion=replace(fit.motion, neck=neck, jaw=jaw)), 0.5)
    assert row.head_degrees == pytest.approx(3.0, abs=1e-3)
    assert {"head °", "jaw r", "gap r", "seen"} <= set(missed(row))
    assert "brow r" not in missed(row)


def test_means_leave_out_what_a_clip_does_not_show():
    row = mean_figures([BARS, replace(BARS, blink_f1=float("nan"), jaw_r=0.5)])
    assert row.blink_f1 == BARS.blink_f1
    assert row.jaw_r == pytest.approx((BARS.jaw_r + 0.5) / 2)


def test_the_same_motion_agrees_with_itself_and_not_with_another(open_head, motion):
    other = performed_motion(open_head, PERFORMANCES[3], NUM_FRAMES)
    assert swap_correlation(motion, motion) == pytest.approx(1.0)
    assert swap_correlation(motion, other) < 0.8


def test_a_face_that_does_not_move_does_not_jitter(open_head, motion):
    still = replace(motion, expression=motion.expression[:1].repeat(5, 0), jaw=motion.jaw[:1].repeat(5, 0))
    assert jitter_mm(open_head, still) == pytest.approx(0.0, abs=1e-6)
    assert jitter_mm(open_head, motion) > 0.2


def test_smaller_pictures_keep_brightness_and_places():
    picture = np.zeros((480, 480, 3), np.uint8)
    picture[96:144, 288:384] = 200
    small = shrunk(picture, 148)
    assert small.shape == (148, 148, 3)
    assert small.mean() == pytest.approx(picture.mean(), rel=0.02)
    rows, columns = np.nonzero(small[..., 0] > 100)
    np.testing.assert_allclose(
        [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1],
        np.array([96, 144, 288, 384]) * 148 / 480,
        atol=0.6,
    )


def test_every_camera_shows_the_face_at_the_same_size_and_place(open_head, motion):
    """By the middle and the spread of what is no background."""
    short = replace(motion, expression=motion.expression[:1], jaw=motion.jaw[:1])
    usual, far = (
        filmed(open_head, short, np.zeros(12), kind).pictures[0] for kind in (USUAL, Filming(view_degrees=25))
    )
    shown = [np.argwhere(np.abs(picture.astype(int) - picture[0, 0]).sum(2) > 30) for picture in (usual, far)]
    np.testing.assert_allclose(shown[0].mean(0), shown[1].mean(0), atol=8)
    np.testing.assert_allclose(shown[0].std(0), shown[1].std(0), rtol=0.08)
    dark = filmed(open_head, short, np.zeros(12), Filming(light=0.2)).pictures[0]
    assert dark.mean() == pytest.approx(0.2 * usual.mean(), rel=0.05)
