"""The pictures of the perceptual networks: the same part of the face at any size, and gradients to the motion."""

import numpy as np
import pytest
import torch

from emote_blender.training.corpus.motion.emotion_styles import EXPRESSION_NAMES
from emote_blender.training.rendering.camera import Camera
from emote_blender.training.rendering.face_film import FaceFilm
from emote_blender.training.rendering.renderer import FaceRenderer
from emote_blender.training.rendering.shading import region_albedo

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def film(open_head) -> FaceFilm:
    return FaceFilm(open_head, 64, "framing")


def motion_of(num_frames: int = 1, jaw: float = 0.0, **components: float) -> torch.Tensor:
    """(1, T, 53): components by name, and the jaw's opening in radians."""
    motion = torch.zeros(1, num_frames, len(EXPRESSION_NAMES) + 3)
    motion[..., len(EXPRESSION_NAMES)] = jaw
    for name, value in components.items():
        motion[..., EXPRESSION_NAMES.index(name)] = value
    return motion


def test_what_is_left_out_of_the_head_is_not_seen(film, open_head):
    """Against a renderer that draws every triangle; at the border of what is drawn normals differ a little."""
    whole = FaceRenderer(open_head.faces, 64, "own", Camera.framing(open_head), region_albedo(open_head))
    for motion in (motion_of(), motion_of(jaw=0.3), motion_of(mouthSmileLeft=1.0, browDownLeft=1.0)):
        with torch.inference_mode():
            vertices = film.face(motion)
            difference = (film.pictures(vertices)[0] - whole(vertices[0])).abs()
        assert (difference.amax(1) > 0.1).float().mean() < 0.01
        assert difference.mean() < 0.002
    assert len(film.renderer.faces) < 0.65 * len(open_head.faces)


def test_a_jaw_that_opens_changes_the_mouth_and_not_the_brows(film):
    with torch.inference_mode():
        closed, opened = film(motion_of()), film(motion_of(jaw=0.25))
    difference = (closed - opened).abs().amax((0, 1, 2))
    rows = torch.arange(64)
    assert difference[rows > 36].max() > 0.2
    assert difference[rows < 24].max() < 0.01


@pytest.mark.parametrize("jaw", [0.0, 0.02, 0.05, 0.2])
def test_lips_are_as_sharp_in_crops_of_any_size_as_at_the_published_one(jaw, film, open_head):
    """The small film's crops are rendered, the published film's are cut out: only the resampling differs.

    Cut out of a picture of 64 pixels and enlarged, the region of the lips agrees by a correlation of 0.4 to 0.9 only,
    least where the lips are hardly open, which is where p, f and vowels differ.
    """
    published = FaceFilm(open_head, 224, "framing")
    motion = motion_of(jaw=jaw)
    with torch.inference_mode():
        small, large = film.mouths(motion), published.mouths(motion).clamp(0, 1)
        places = [f.landmarks(f.face(motion)) for f in (film, published)]
    np.testing.assert_allclose(places[0], places[1], atol=1e-3)
    assert small.shape == large.shape == (1, 1, 96, 96)
    lips = [crop[0, 0, 40:60, 24:72].flatten() for crop in (small, large)]
    assert np.corrcoef(lips[0], lips[1])[0, 1] > 0.97


def test_gradients_of_a_crop_reach_the_jaw(film):
    """Against finite differences of a smooth function of the crop."""
    ramp = torch.linspace(0, 1, 96)[:, None]

    def brightness(jaw: torch.Tensor) -> torch.Tensor:
        motion = motion_of().double()
        motion[..., len(EXPRESSION_NAMES)] += jaw
        crops = film.crops(film.face.double()(motion))
        return (crops * ramp).mean()

    try:
        jaw = torch.tensor(0.15, dtype=torch.float64, requires_grad=True)
        brightness(jaw).backward()
        with torch.no_grad():
            steps = [(brightness(jaw + h) - brightness(jaw - h)) / (2 * h) for h in (0.02, 0.03, 0.04)]
    finally:
        film.face.float()
    assert jaw.grad.item() == pytest.approx(float(np.mean(steps)), rel=0.5)


def test_the_mouth_is_in_the_middle_of_its_crop(film, open_head):
    sharp = FaceFilm(open_head, 224, "framing")
    with torch.inference_mode():
        closed, opened = sharp.mouths(motion_of()), sharp.mouths(motion_of(jaw=0.12))
    change = (closed - opened).abs()[0, 0]
    where = (change * torch.arange(96.0)).sum() / change.sum()
    assert abs(where.item() - 47.5) < 8


def test_gradients_reach_the_motion(film):
    motion = motion_of(jaw=0.1).requires_grad_()
    film(motion).square().mean().backward()
    gradient = motion.grad[0, 0]
    assert torch.isfinite(gradient).all()
    assert gradient[len(EXPRESSION_NAMES)].abs() > 0
    assert gradient[EXPRESSION_NAMES.index("mouthSmileLeft")].abs() > 0


def test_a_film_adds_nothing_to_a_checkpoint(film):
    assert film.state_dict() == {}
