import numpy as np
import pytest

from emote_blender.capture.video.appearance import LARGEST_PART, SKIN_POINTS, covered_parts, skin_colors
from emote_blender.capture.video.crops import Patch, framed_part

pytestmark = pytest.mark.once

NUM_POINTS = len(SKIN_POINTS)


def colors_of(brightness):
    """Logarithms of grey skin: brightness (T, N) of 255."""
    return np.log(np.repeat(np.asarray(brightness, np.float32)[..., None], 3, -1) + 12)


def test_colors_are_those_of_the_picture_at_the_points():
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[..., 0], picture[..., 1] = np.arange(200), np.arange(100)[:, None]
    points = np.random.default_rng(0).uniform(20, 80, (478, 3))
    found = np.exp(skin_colors(Patch(framed_part(picture[10:, 5:]), 5, 10, 1), points)) - 12
    np.testing.assert_allclose(found[:, :2], np.floor(points[SKIN_POINTS, :2]), atol=1e-3)


def test_points_outside_of_the_picture_take_the_colors_of_its_border():
    picture = np.full((10, 10, 3), 50, np.uint8)
    assert np.exp(skin_colors(Patch(framed_part(picture), 0, 0, 1), np.full((478, 3), -40.0))) == pytest.approx(
        62, rel=1e-5
    )


def test_skin_of_another_color_in_some_frames_counts():
    brightness = np.random.default_rng(0).uniform(90, 200, NUM_POINTS) * np.ones((9, 1))
    brightness[4, : NUM_POINTS // 4] = 10
    parts = covered_parts(colors_of(brightness))
    assert parts[4] == pytest.approx(0.25, abs=0.02)
    assert parts[4] > LARGEST_PART
    assert not np.delete(parts, 4).any()


def test_another_light_on_the_whole_face_does_not_count():
    brightness = np.linspace(90, 200, NUM_POINTS) * np.linspace(0.5, 1.1, 9)[:, None]
    assert not covered_parts(colors_of(brightness)).any()


def test_frames_without_a_face_are_left_out_and_a_few_frames_are_not_compared():
    colors = colors_of(np.full((7, NUM_POINTS), 120.0))
    colors[2] = np.nan
    assert not covered_parts(colors).any()
    assert not covered_parts(colors[:3]).any()
