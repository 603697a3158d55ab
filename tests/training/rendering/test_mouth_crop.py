"""The mouth crop against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emote_blender.errors import ModelError
from emote_blender.flame.measure import landmarks
from emote_blender.training.rendering.mouth_crop import (
    grey_images,
    landmarks68,
    mouth_centres,
    mouth_crops,
    smooth_landmarks,
)


def standing_face(num_frames: int, mouth=(50.0, 60.0)) -> torch.Tensor:
    """(1, T, 68, 2): all landmarks at (40, 40) but those of the mouth."""
    points = torch.full((1, num_frames, 68, 2), 40.0, dtype=torch.float64)
    points[..., 48:, :] = torch.tensor(mouth, dtype=torch.float64)
    return points


def test_box_filter_reaches_from_six_frames_before_to_five_after():
    points = standing_face(30)
    points[0, 15, 48:, 1] += 12.0
    # The shape: the mouth's step of 12 is spread over 12 frames, 1 in each. Then the face's mean is put back where it
    # was: 12 * 20 / 68 higher at frame 15, and less by what the filter had added, 1 * 20 / 68, in each.
    share = 20 / 68
    spread = torch.zeros(30, dtype=torch.float64)
    spread[10:22] = 1.0
    step = torch.zeros(30, dtype=torch.float64)
    step[15] = 12.0
    wanted = 60 + spread + share * (step - spread)
    torch.testing.assert_close(smooth_landmarks(points)[0, :, 60, 1], wanted)


def test_first_and_last_frame_stand_in_for_those_beyond():
    points = standing_face(3)
    points[0, 0, 48:, 0] += 12.0
    # Of 12, frame 0 sees frame 0 seven times (6 before, itself), frame 1 once, frame 2 four times (itself, 3 beyond).
    share = 1 - 20 / 68
    smoothed = smooth_landmarks(points)[0, :, 48, 0]
    wanted = [50 + 7 * share + 12 * (1 - share), 50 + 6 * share, 50 + 5 * share]
    assert smoothed.tolist() == pytest.approx(wanted)


def test_a_moving_head_is_followed_without_delay():
    still = standing_face(20)
    path = torch.linspace(0, 30, 20, dtype=torch.float64)[None, :, None, None]
    torch.testing.assert_close(mouth_centres(still + path), mouth_centres(still) + path[..., 0, :])


def test_crop_is_centred_on_the_mouth():
    images = torch.zeros(1, 2, 3, 150, 160, dtype=torch.float64)
    for row, column in ((60, 50), (61, 51), (13, 3)):
        images[..., row, column] = 1.0
    # The centre (50.5, 60.5) lies between two pixels, and so does the crop's, 47.5: pixel is taken to pixel, 3 left,
    # 13 down: column 50 becomes 50 - (50.5 - 47.5) = 47, row 60 becomes 47.
    crops = mouth_crops(images, standing_face(2, (50.5, 60.5)))
    wanted = torch.zeros(96, 96, dtype=torch.float64)
    for row, column in ((47, 47), (48, 48), (0, 0)):
        wanted[row, column] = 0.2989 + 0.587 + 0.114
    assert crops.shape == (1, 2, 96, 96)
    torch.testing.assert_close(crops[0, 0], wanted, atol=1e-9, rtol=0)


def test_grey_weighs_the_colours():
    colors = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])[..., None, None]
    torch.testing.assert_close(grey_images(colors).flatten(), torch.tensor([0.2989, 0.587, 0.114]))


def test_smaller_window_of_a_smaller_picture_shows_the_same():
    ramp = torch.linspace(0, 1, 224, dtype=torch.float64)
    large = (ramp[:, None] * ramp).expand(1, 1, 3, -1, -1)
    small = torch.nn.functional.avg_pool2d(large[0], 2)[None]
    whole = mouth_crops(large, standing_face(1, (120.5, 110.5)))
    # A pixel of the small picture covers two of the large: (120.5 - 0.5) / 2.
    half = mouth_crops(small, standing_face(1, (60.0, 55.0)), window=48)
    # Off by one large pixel would be 2e-3 to 4e-3; bicubic sampling bends a slope by up to 6e-4.
    torch.testing.assert_close(half, whole, atol=1e-3, rtol=0)


def test_what_lies_outside_the_picture_is_black():
    crops = mouth_crops(torch.ones(1, 1, 3, 64, 64), standing_face(1, (0.0, 32.0)).float())
    assert crops[..., :40].abs().max() == 0
    assert crops[0, 0, 47, 60] == pytest.approx(0.9999)


def test_gradient_reaches_pictures_and_landmarks():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(1, 2, 3, 9, 9, generator=generator, dtype=torch.float64).requires_grad_()
    points = (standing_face(2, (4.3, 4.6)) + 0.1).requires_grad_()
    weights = torch.rand(1, 2, 4, 4, generator=generator, dtype=torch.float64)
    (mouth_crops(images, points, size=4) * weights).sum().backward()
    for tensor, place in ((images, (0, 1, 1, 4, 4)), (points, (0, 1, 55, 0))):
        sums = []
        for step in (1e-6, -1e-6):
            moved = tensor.detach().clone()
            moved[place] += step
            inputs = (moved, points.detach()) if tensor is images else (images.detach(), moved)
            sums.append((mouth_crops(*inputs, size=4) * weights).sum())
        difference = (sums[0] - sums[1]) / 2e-6
        assert abs(difference) > 1e-3
        torch.testing.assert_close(tensor.grad[place], difference, rtol=1e-5, atol=1e-8)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="landmarks"):
        mouth_crops(torch.zeros(1, 2, 3, 8, 8), torch.zeros(1, 3, 68, 2))


def test_a_head_with_68_landmarks_keeps_them(open_head):
    triangles, places = landmarks68(open_head)
    assert np.array_equal(triangles, open_head.landmark_faces)
    assert np.array_equal(places, open_head.landmark_barycentrics)


def test_a_head_with_51_landmarks_gets_its_jaw_line_back(open_head):
    stretch = np.array([1.1, 0.9, 1.05], np.float32)
    other = replace(
        open_head,
        v_template=open_head.v_template * stretch + np.float32(0.02),
        landmark_faces=open_head.landmark_faces[17:],
        landmark_barycentrics=open_head.landmark_barycentrics[17:],
    )
    triangles, places = landmarks68(other)
    found = landmarks(replace(other, landmark_faces=triangles, landmark_barycentrics=places), other.v_template)
    wanted = landmarks(replace(other, **_landmarks_of(open_head)), other.v_template)
    assert np.array_equal(found[17:], wanted[17:])
    assert np.linalg.norm(found[:17] - wanted[:17], axis=1).max() < 0.008  # metres: what lies between its vertices


def _landmarks_of(face_model) -> dict[str, np.ndarray]:
    names = ("landmark_faces", "landmark_barycentrics")
    return {name: getattr(face_model, name) for name in names}


def test_a_head_without_landmarks_is_refused_with_advice(open_head):
    with pytest.raises(ModelError, match="--landmarks"):
        landmarks68(replace(open_head, landmark_faces=None, landmark_barycentrics=None))
