"""The rasteriser against one loop over pixels and triangles, and its gradients against finite differences."""

import numpy as np
import pytest
import torch

from emote_blender.training.rendering.antialiasing import MeshEdges, blend_silhouettes
from emote_blender.training.rendering.rasteriser import rasterise

HEIGHT, WIDTH = 13, 17


def soup(seed: int, num_triangles: int = 24, num_images: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Random triangles that overlap, half of them turned away, some outside the image; points and faces."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([-4, -4, 0], [WIDTH + 4, HEIGHT + 4, 5], (num_images, num_triangles * 3, 3))
    return torch.from_numpy(points), torch.arange(num_triangles * 3).view(-1, 3)


def slow_rasterise(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) face, -1 for none, and (H, W, 3) barycentric coordinates, by solving three equations for every pixel."""
    seen, places = np.full((HEIGHT, WIDTH), -1), np.zeros((HEIGHT, WIDTH, 3))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            nearest = np.inf
            for number, face in enumerate(faces):
                corners = points[face]
                ab, ac = corners[1] - corners[0], corners[2] - corners[0]
                if ab[0] * ac[1] - ab[1] * ac[0] >= 0:  # seen from behind: y points down
                    continue
                place = np.linalg.solve(np.vstack([corners[:, :2].T, np.ones(3)]), [x, y, 1.0])
                depth = place @ corners[:, 2]
                if (place >= 0).all() and depth < nearest:
                    nearest, seen[y, x], places[y, x] = depth, number, place
    return seen, places


def dense(fragments) -> tuple[np.ndarray, np.ndarray]:
    face = torch.full((int(np.prod(fragments.size)),), -1)
    face[fragments.pixel] = fragments.face
    place = torch.zeros(len(face), 3, dtype=fragments.barycentric.dtype)
    place[fragments.pixel] = fragments.barycentric.detach()
    return face.view(fragments.size).numpy(), place.view(*fragments.size, 3).numpy()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_pixel_shows_what_the_slow_rasteriser_finds(seed, dtype):
    points, faces = soup(seed)
    points = points.to(dtype)
    face, place = dense(rasterise(points, faces, HEIGHT, WIDTH))
    wanted_face, wanted_place = slow_rasterise(points[0].double().numpy(), faces.numpy())
    assert 0.3 < (wanted_face >= 0).mean()
    assert len(np.unique(wanted_face)) > 5
    assert np.array_equal(face[0], wanted_face)
    np.testing.assert_allclose(place[0], wanted_place, atol=1e-3 if dtype == torch.float32 else 1e-11)


def test_a_batch_gives_what_single_images_give():
    points, faces = soup(3, num_images=4)
    together = dense(rasterise(points, faces, HEIGHT, WIDTH))
    for number in range(4):
        alone = dense(rasterise(points[number : number + 1], faces, HEIGHT, WIDTH))
        assert np.array_equal(together[0][number], alone[0][0])
        assert np.array_equal(together[1][number], alone[1][0])


def test_work_in_small_groups_changes_nothing(monkeypatch):
    points, faces = soup(4, num_images=3)
    whole = dense(rasterise(points, faces, HEIGHT, WIDTH))
    monkeypatch.setattr("emote_blender.training.rendering.rasteriser._at_once", lambda device: 50)
    assert np.array_equal(dense(rasterise(points, faces, HEIGHT, WIDTH))[0], whole[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_pixel_falls_between_triangles_that_share_edges(dtype):
    rng = np.random.default_rng(5)
    size = 12  # a crumpled sheet over the whole image; no vertex leaves its cell's middle, so that no face turns round
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).reshape(-1, 2) * 4.0 - 6
    grid += rng.uniform(-1, 1, grid.shape)
    corner = (np.arange(size - 1)[:, None] * size + np.arange(size - 1)).ravel()
    quads = np.stack([corner, corner + size, corner + size + 1, corner + 1], 1)
    faces = torch.from_numpy(np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))
    points = torch.from_numpy(np.pad(grid, ((0, 0), (0, 1)))[None]).to(dtype)
    assert len(rasterise(points, faces, 32, 32).pixel) == 32 * 32


def test_triangles_outside_and_not_finite_are_left_out():
    triangle = torch.tensor([[2.0, 2, 1], [2, 9, 1], [9, 2, 1]])
    strange = [triangle + torch.tensor([100.0, 0, 0]), triangle - torch.tensor([0, 1e9, 0])]
    for value in (torch.nan, torch.inf, -torch.inf):
        for coordinate in range(3):
            broken = triangle.clone()
            broken[1, coordinate] = value
            strange.append(broken)
    points = torch.stack([triangle, *strange]).view(1, -1, 3)
    faces = torch.arange(points.shape[1]).view(-1, 3)
    fragments = rasterise(points, faces, HEIGHT, WIDTH)
    alone = rasterise(triangle[None], faces[:1], HEIGHT, WIDTH)
    assert torch.equal(fragments.pixel, alone.pixel)
    assert (fragments.face == 0).all()
    assert torch.isfinite(fragments.barycentric).all()


def test_nothing_to_draw_is_an_empty_image():
    points, faces = soup(0)
    fragments = rasterise(points + 1000, faces, HEIGHT, WIDTH)
    assert len(fragments.pixel) == 0
    assert (fragments.image(fragments.interpolate(points), 0.25) == 0.25).all()
    assert len(rasterise(points, faces[:0], HEIGHT, WIDTH).pixel) == 0


def test_gradient_of_interpolated_attributes_is_that_of_finite_differences():
    points, faces = soup(6, num_triangles=4)
    generator = torch.Generator().manual_seed(0)
    attributes = torch.rand(1, len(faces) * 3, 2, generator=generator, dtype=torch.float64)
    weights = torch.rand(2, HEIGHT, WIDTH, generator=generator, dtype=torch.float64)

    def measured(points, attributes):  # steps of 1e-6 pixels move no pixel from one triangle to another
        fragments = rasterise(points, faces, HEIGHT, WIDTH)
        return (fragments.image(fragments.interpolate(attributes)) * weights).sum()

    inputs = (points.requires_grad_(), attributes.requires_grad_())
    assert torch.autograd.gradcheck(measured, inputs, eps=1e-6, atol=1e-6)


def coverage(points: torch.Tensor, faces: torch.Tensor, size: int) -> torch.Tensor:
    """(1, 1, size, size) white triangles on black with blended silhouettes."""
    fragments = rasterise(points, faces, size, size)
    image = fragments.image(torch.ones(len(fragments.pixel), 1, dtype=points.dtype))
    return blend_silhouettes(image, fragments, points, faces, MeshEdges(faces.numpy()))


# A kite of two triangles whose inner edge is no silhouette; its area is half the product of its diagonals.
KITE = torch.tensor([[[6.2, 20.3, 0], [20.1, 40.4, 0], [34.7, 20.3, 0], [20.1, 5.2, 0]]], dtype=torch.float64)
KITE_FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
KITE_AREA = (34.7 - 6.2) * (40.4 - 5.2) / 2


def test_blended_pixels_add_up_to_the_area():
    image = coverage(KITE, KITE_FACES, 48)
    assert image.min() >= 0
    assert image.max() <= 1
    assert 0.1 < ((image > 0.02) & (image < 0.98)).sum() / image.sum()
    assert image.sum().item() == pytest.approx(KITE_AREA, rel=2e-3)


def test_gradient_at_silhouettes_is_that_of_the_area():
    points = KITE.clone().requires_grad_()
    coverage(points, KITE_FACES, 48).sum().backward()
    # Moving the right corner by 1 px adds half the other diagonal, the lower corner half of the first.
    assert points.grad[0, 2, 0].item() == pytest.approx((40.4 - 5.2) / 2, rel=0.05)
    assert points.grad[0, 1, 1].item() == pytest.approx((34.7 - 6.2) / 2, rel=0.05)
    assert points.grad[0, :, 2].abs().max() == 0


def test_gradient_at_silhouettes_is_that_of_finite_differences():
    weights = torch.rand(48, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    flat = KITE[..., 2:].clone()

    def measured(place):
        return (coverage(torch.cat([place, flat], -1), KITE_FACES, 48) * weights).sum()

    assert torch.autograd.gradcheck(measured, (KITE[..., :2].clone().requires_grad_(),), eps=1e-7, atol=1e-5)


def test_image_is_continuous_while_a_silhouette_passes_pixels():
    corners = torch.tensor([[[-68.0, -20, 0], [-28, 70, 0], [22, -20, 0]]], dtype=torch.float64)  # outside the image
    shifts = torch.linspace(0, 2, 101, dtype=torch.float64)
    moved = corners + shifts[:, None, None] * torch.tensor([1, 1 / 3, 0])
    images = coverage(moved, torch.tensor([[0, 1, 2]]), 16)
    assert 0.3 < images.mean() < 0.7
    inner = images[..., 1:-1, 1:-1]  # a pixel of the border lacks a neighbour to blend with
    # The edge moves by 0.02 px a step. Without blending the largest step is 1.
    assert (inner[1:] - inner[:-1]).abs().amax() < 0.03


def test_hidden_silhouettes_leave_no_trace():
    wall = torch.tensor([[[-9.0, -9, -1], [-9, 200, -1], [200, -9, -1]]], dtype=torch.float64)
    points = torch.cat([KITE, wall], 1)
    image = coverage(points, torch.cat([KITE_FACES, torch.tensor([[4, 5, 6]])]), 48)
    assert torch.equal(image, torch.ones_like(image))


def test_edges_know_both_triangles():
    edges = MeshEdges(KITE_FACES.numpy())
    sides = {tuple(sorted(corners)): set(side) for corners, side in zip(edges.corners.tolist(), edges.sides.tolist())}
    assert sides == {(0, 1): {0, -1}, (1, 2): {0, -1}, (0, 2): {0, 1}, (2, 3): {1, -1}, (0, 3): {1, -1}}
