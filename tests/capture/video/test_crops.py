import math

import numpy as np
import pytest

from emote_blender.capture.video.crops import Cropper, Patch, Region, points_in_picture, region_of_box, region_of_points

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def ramp():
    """A picture whose red is x, green is y, for places from the edges of the picture."""
    y, x = np.meshgrid(np.arange(240), np.arange(240), indexing="ij")
    return np.stack([x, y, np.full_like(x, 7)], -1).astype(np.uint8)


def cut(picture, region, size=16):
    return Cropper(size).cut(Patch.around(picture, region, size), region).copy()


@pytest.mark.parametrize("side", [12.0, 16.0, 24.0, 40.0, 75.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, -1.3, math.pi])
def test_a_crop_shows_the_places_of_its_region(ramp, side, angle):
    region = Region(110.3, 121.7, side, angle)
    crop = cut(ramp, region)
    fractions = (np.stack(np.meshgrid(np.arange(16), np.arange(16)), -1).reshape(-1, 2) + 0.5) / 16
    places = points_in_picture(np.concatenate([fractions, np.zeros((256, 1))], 1), region)[:, :2]
    # The centre of pixel i is at i + 0.5; blocks of pixels are rounded to whole numbers.
    np.testing.assert_allclose(crop.reshape(-1, 3)[:, :2] * 255, places - 0.5, atol=0.51 if side >= 32 else 0.01)


def test_a_crop_is_black_outside_of_the_picture(ramp):
    crop = cut(ramp, Region(0.0, 120.0, 32.0, 0.0))
    assert not crop[:, :7].any()
    assert crop[:, 9:, 2].min() > 0.02


def test_a_region_far_outside_gives_a_black_crop(ramp):
    assert not cut(ramp, Region(-900.0, 5000.0, 64.0, 0.3)).any()


def test_a_smaller_patch_averages_the_fine_detail():
    checks = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    crop = cut(checks, Region(128.0, 128.0, 64.0, 0.0))
    np.testing.assert_allclose(crop, 0.5, atol=0.01)


def test_a_patch_shows_its_own_region_and_not_one_beside(ramp):
    region = Region(120.0, 120.0, 40.0, 0.5)
    patch = Patch.around(ramp, region, 16)
    assert patch.shows(region, 240, 240)
    assert not patch.shows(Region(150.0, 120.0, 40.0, 0.5), 240, 240)


def test_a_patch_at_the_border_shows_all_that_there_is(ramp):
    region = Region(5.0, 235.0, 40.0, 0.0)
    assert Patch.around(ramp, region, 64).shows(region, 240, 240)


def test_a_region_follows_points_that_are_moved_turned_and_made_larger():
    points = np.random.default_rng(0).random((478, 3)).astype(np.float32)
    points[33], points[263] = (0.2, 0.5, 0), (0.8, 0.5, 0)
    plain = region_of_points(points)
    whole = Region(300.0, 200.0, 150.0, 0.6)
    moved = region_of_points(points_in_picture(points, whole))
    assert moved.angle == pytest.approx(0.6, abs=1e-5)
    assert moved.side == pytest.approx(150 * plain.side, rel=1e-5)
    centre = points_in_picture(np.array([[plain.x, plain.y, 0]]), whole)[0]
    assert (moved.x, moved.y) == pytest.approx(tuple(centre[:2]), abs=1e-3)


def test_the_region_of_a_box_is_turned_as_its_eyes_are():
    region = region_of_box(50.0, 60.0, 20.0, (40.0, 50.0), (50.0, 60.0))
    assert (region.x, region.y, region.side) == (50.0, 60.0, 40.0)
    assert region.angle == pytest.approx(math.pi / 4)
