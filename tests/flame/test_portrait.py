"""Pictures of a face by numpy: what is in front is seen, and an expression changes the place where it is."""

import numpy as np
import pytest

from emote_blender.flame.portrait import portrait


@pytest.fixture(scope="module")
def neutral(open_head):
    return portrait(open_head, open_head.v_template, 64)


def test_the_face_fills_the_middle_and_the_corners_are_transparent(neutral):
    assert neutral.shape == (64, 64, 4)
    assert (neutral[..., 3] >= 0).all() and (neutral <= 1).all()  # noqa: PT018
    assert (neutral[12:56, 20:44, 3] > 0.99).mean() > 0.995
    assert neutral[-2:, :2, 3].max() == neutral[-2:, -2:, 3].max() == 0


def test_the_first_row_is_at_the_bottom(neutral):
    # The neck is narrower than the head.
    assert (neutral[2, :, 3] > 0).sum() < (neutral[40, :, 3] > 0).sum()


@pytest.mark.parametrize("name, rows", [("browInnerUp", slice(38, 58)), ("mouthFunnel", slice(8, 30))])
def test_an_expression_changes_its_part_of_the_face(open_head, neutral, name, rows):
    component = open_head.num_shape + open_head.expression_names.index(name)
    change = np.abs(portrait(open_head, open_head.v_template + open_head.shapedirs[..., component], 64) - neutral)
    changed = (change.max(axis=2) > 0.1).sum(axis=1)
    assert changed[rows].sum() > 0.75 * changed.sum() > 30


def test_a_head_without_colours_is_drawn_too(flame_model):
    assert (portrait(flame_model, flame_model.v_template, 32)[..., 3] > 0).any()
