"""Pictures of meshes: where the camera puts them, how bright they are, and what a gradient knows."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from emote_blender.training.losses.mesh import FaceMesh
from emote_blender.training.rendering.camera import FIXED_CAMERA, FIXED_HEAD_POSE, Camera
from emote_blender.training.rendering.mouth_crop import landmarks68
from emote_blender.training.rendering.renderer import FaceRenderer
from emote_blender.training.rendering.shading import lamps_light, region_albedo, sphere_harmonics, vertex_normals

FRONTAL = Camera(1.0, 0.0, 0.0, (0.0, 0.0, 0.0))
AMBIENT = lamps_light(1.0, ())
FRONTAL_LIGHT = lamps_light(0.4, [((0, 0, 1), 0.5)])


def ball(rings: int = 10, radius: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) vertices and (F, 3) triangles of a closed ball without poles in the middle of the picture."""
    polar = np.linspace(0, math.pi, rings + 1)[1:-1]
    around = np.arange(2 * rings) * math.pi / rings
    points = [
        (np.sin(p) * np.cos(a), np.cos(p), np.sin(p) * np.sin(a)) for p in polar for a in around
    ]  # y up, rings from the top
    points += [(0, 1, 0), (0, -1, 0)]
    ring, faces = 2 * rings, []
    for row in range(len(polar) - 1):
        for column in range(ring):
            a, b = row * ring + column, row * ring + (column + 1) % ring
            faces += [(a, b, b + ring), (a, b + ring, a + ring)]
    last = (len(polar) - 1) * ring
    top, bottom = len(points) - 2, len(points) - 1
    for column in range(ring):
        following = (column + 1) % ring
        faces += [(top, following, column), (bottom, last + column, last + following)]
    return np.array(points) * radius, np.array(faces)


def batch(vertices: np.ndarray, dtype=torch.float64) -> torch.Tensor:
    return torch.from_numpy(np.asarray(vertices)[None]).to(dtype)


def test_fixed_camera_is_the_specs():
    # EMOTE.md section 6: image = scale * (x + tx, y + ty), after `vertices @ R`, with R by Rodrigues' formula.
    axis = np.array(FIXED_HEAD_POSE)
    angle = np.linalg.norm(axis)
    x, y, z = axis / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    point = np.array([0.03, -0.05, 0.07])
    turned = point @ rotation
    image = 10.002211 * (turned[:2] + [0.0018661, 0.0300133])
    wanted = [(1 + image[0]) * 112 - 0.5, (1 - image[1]) * 112 - 0.5]
    renderer = FaceRenderer(np.array([[0, 1, 2]]), 224)
    found = renderer.project(torch.from_numpy(point).view(1, 1, 3))
    np.testing.assert_allclose(found[0, 0].numpy(), wanted, atol=1e-5)


def test_picture_and_projection_agree():
    # A triangle's outline in the picture is where its projected corners are.
    corners = batch(np.array([[0.3, 0.5, 0.1], [-0.5, -0.2, 0], [0.7, -0.4, 0]]))
    renderer = FaceRenderer(np.array([[0, 1, 2]]), 64, camera=replace(FRONTAL, head_pose=FIXED_HEAD_POSE))
    shown = (renderer(corners)[0].sum(0) > 0).nonzero().double()
    points = renderer.project(corners)[0]
    assert (shown.amin(0) - points.amin(0).flip(0)).abs().max() < 1.01
    assert (shown.amax(0) - points.amax(0).flip(0)).abs().max() < 1.01


def test_characters_left_is_on_the_right_and_up_is_up():
    vertices, faces = ball()
    albedo = np.zeros((len(vertices), 3))
    albedo[vertices[:, 0] > 0.1, 0] = 1.0
    albedo[vertices[:, 1] > 0.1, 1] = 1.0
    picture = FaceRenderer(faces, 32, camera=FRONTAL, albedo=albedo)(batch(vertices))[0]
    assert picture[0, 16, 24] > 0.2
    assert picture[0, 16, 8] == 0
    assert picture[1, 8, 16] > 0.2
    assert picture[1, 24, 16] == 0


def test_even_surroundings_show_the_albedo_itself():
    vertices, faces = ball()
    renderer = FaceRenderer(faces, 32, camera=FRONTAL, albedo=np.array([0.2, 0.5, 0.7]), light=AMBIENT, antialias=False)
    picture = renderer(batch(vertices))
    middle = picture[0, :, 10:22, 10:22]
    torch.testing.assert_close(middle, torch.tensor([0.2, 0.5, 0.7]).double()[:, None, None].expand_as(middle))


def test_nine_coefficients_hold_a_lamps_cosine():
    towards = np.array([0.48, 0.6, 0.64])
    normals = torch.nn.functional.normalize(torch.randn(500, 3, generator=torch.Generator().manual_seed(0)), dim=-1)
    cosine = normals @ torch.tensor(towards).float()
    found = sphere_harmonics(normals) @ torch.from_numpy(lamps_light(0.0, [(towards, 1.0)])).float()
    # The first three terms of max(0, cos) in Legendre polynomials: 1/4, cos / 2, 5/16 (3 cos^2 - 1) / 2.
    torch.testing.assert_close(found, (0.25 + cosine / 2 + 5 / 32 * (3 * cosine**2 - 1))[:, None].expand(-1, 3))


def test_normals_of_a_ball_point_outwards():
    vertices, faces = ball()
    normals = vertex_normals(batch(vertices), torch.from_numpy(faces))
    assert (normals[0] * batch(vertices)[0] / 0.8).sum(-1).min() > 0.99


def test_gradient_to_vertices_is_that_of_finite_differences():
    vertices, faces = ball(4)
    renderer = FaceRenderer(faces, 12, camera=replace(FRONTAL, head_pose=(0.1, 0.2, 0.05)), antialias=False)
    points = batch(vertices)
    weights = torch.zeros(3, 12, 12, dtype=torch.float64)
    weights[:, 3:9, 3:9] = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(2))
    points.requires_grad_()
    (renderer(points) * weights).sum().backward()
    directions = torch.randn(12, *points.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    for direction in directions:
        with torch.no_grad():
            higher, lower = (renderer(points + step * direction) for step in (1e-6, -1e-6))
        difference = ((higher - lower) * weights).sum() / 2e-6
        torch.testing.assert_close((points.grad * direction).sum(), difference, rtol=1e-5, atol=1e-7)


def test_gradient_at_the_outline_is_that_of_the_pictures_brightness():
    vertices, faces = ball(12)
    renderer = FaceRenderer(faces, 48, camera=FRONTAL, albedo=1.0, light=AMBIENT)
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    area = renderer(batch(vertices) * scale)[0, 0].sum()
    area.backward()
    assert scale.grad.item() == pytest.approx(2 * area.item(), rel=0.03)  # an area grows with the square
    without = FaceRenderer(faces, 48, camera=FRONTAL, albedo=1.0, light=AMBIENT, antialias=False)
    scale.grad.zero_()
    without(batch(vertices) * scale)[0, 0].sum().backward()
    assert abs(scale.grad.item()) < 1e-6


def test_a_symmetric_head_lit_from_the_front_looks_symmetric(open_head):
    camera = Camera.framing(open_head, head_pose=(0.0, 0.0, 0.0))
    renderer = FaceRenderer(open_head.faces, 96, camera=camera, albedo=region_albedo(open_head), light=FRONTAL_LIGHT)
    picture = renderer(batch(open_head.v_template, torch.float32))
    difference = (picture - picture.flip(-1)).abs()
    assert picture.std() > 0.15
    assert difference.mean() < 0.004
    lit = FaceRenderer(open_head.faces, 96, camera=camera)(batch(open_head.v_template, torch.float32))
    assert (lit - lit.flip(-1)).abs().mean() > 0.01  # by the lamps of the side


def test_a_batch_gives_what_single_pictures_give(open_head):
    renderer = FaceRenderer(open_head.faces, 48, camera=Camera.framing(open_head), albedo=region_albedo(open_head))
    names = open_head.expression_names
    expression = np.zeros((3, len(names)), np.float32)
    expression[1, names.index("mouthPucker")] = expression[2, names.index("browInnerUp")] = 1
    jaw = np.array([[0, 0, 0], [0.1, 0, 0], [0.4, 0, 0]], np.float32)
    vertices = torch.from_numpy(open_head.vertices(expression, jaw))
    together = renderer(vertices)
    for number in range(3):
        torch.testing.assert_close(renderer(vertices[number : number + 1])[0], together[number], atol=1e-6, rtol=0)
    assert (together[0] - together[1]).abs().max() > 0.2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pictures_have_the_type_of_the_vertices(open_head, dtype):
    renderer = FaceRenderer(open_head.faces, 32, camera=Camera.framing(open_head), albedo=region_albedo(open_head))
    picture = renderer(batch(open_head.v_template, dtype))
    assert picture.dtype == dtype
    assert picture.shape == (1, 3, 32, 32)
    assert 0 <= picture.min() < picture.max() <= 1


def test_autocast_does_not_blur_the_vertices(open_head):
    renderer = FaceRenderer(open_head.faces, 32, camera=Camera.framing(open_head), albedo=region_albedo(open_head))
    vertices = batch(open_head.v_template, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        picture, points = renderer(vertices), renderer.project(vertices)
    assert torch.equal(picture, renderer(vertices))
    assert torch.equal(points, renderer.project(vertices))


def test_framing_holds_the_face_with_room_around_it(open_head):
    renderer = FaceRenderer(open_head.faces, 100, camera=Camera.framing(open_head, margin=0.5))
    triangles, places = landmarks68(open_head)
    corners = torch.from_numpy(open_head.v_template[open_head.faces[triangles]])
    points = renderer.project((corners * torch.from_numpy(places)[..., None]).sum(1)[None])[0]
    low, high = points.amin(0), points.amax(0)
    assert (high - low).max().item() == pytest.approx(100 / 1.5, abs=1e-3)
    torch.testing.assert_close((low + high) / 2, torch.full((2,), 49.5), atol=1e-3, rtol=0)


def test_faces_outside_the_picture_and_a_lost_head_do_no_harm(open_head):
    renderer = FaceRenderer(open_head.faces, 32, camera=replace(FIXED_CAMERA, scale=60.0))
    close = batch(open_head.v_template, torch.float32)
    assert torch.isfinite(renderer(close)).all()
    gone = (close + 5).requires_grad_()
    picture = renderer(gone)
    picture.sum().backward()
    assert picture.abs().max() == 0
    assert gone.grad.abs().max() == 0
    broken = close.clone()
    broken[0, ::7] = torch.nan
    assert renderer(broken).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("antialias, follows", [(True, True), (False, False)])
def test_gradient_to_the_jaw_follows_the_pictures_difference_through_the_outlines(open_head, antialias, follows):
    mesh = FaceMesh(open_head, np.arange(open_head.num_vertices))
    renderer = FaceRenderer(
        open_head.faces, 64, camera=Camera.framing(open_head), albedo=region_albedo(open_head), antialias=antialias
    )

    def picture(opening):
        rest = torch.zeros(len(opening), open_head.num_expression + 2)
        motion = torch.cat([rest[:, :-2], opening[:, None], rest[:, -2:]], 1)
        return renderer(mesh(motion).transpose(1, 2) / 1000)

    wanted = picture(torch.tensor([0.3])).detach()
    openings = torch.linspace(0.15, 0.25, 6)
    variable = openings.clone().requires_grad_()
    ((picture(variable) - wanted) ** 2).sum().backward()
    with torch.no_grad():
        more, less = (((picture(openings + step) - wanted) ** 2).sum((1, 2, 3)) for step in (0.01, -0.01))
    difference = (more - less) / 0.02
    error = (variable.grad - difference).abs().mean() / difference.abs().mean()
    # 0.01 rad move the chin by 1 mm, a third of a pixel. Within triangles only, the gradient is mostly noise.
    assert error < 0.2 if follows else error > 0.3


def test_regions_colour_a_head_without_colours(open_head):
    plain = replace(open_head, vertex_colors=None)
    albedo = region_albedo(plain)
    regions = plain.regions
    lips, skin = (albedo[regions[name] > 0.99].mean(0) for name in ("lips", "forehead"))
    assert lips[0] / lips[1] > 1.3 * skin[0] / skin[1]  # redder
    assert albedo[regions["teeth_upper"] > 0.99].min() > 0.75
    eye = albedo[regions["eye_left"] > 0.5].mean(1)
    assert eye.min() < 0.2 < 0.8 < eye.max()
    assert region_albedo(open_head) == pytest.approx(open_head.vertex_colors)


@pytest.mark.parametrize(
    "arguments", [{"backend": "opengl"}, {"albedo": np.zeros((5, 2))}, {"light": np.zeros(9)}], ids=str
)
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(ValueError):
        FaceRenderer(np.array([[0, 1, 2]]), **arguments)


def test_nvdiffrast_draws_what_the_own_rasteriser_draws(open_head):
    pytest.importorskip("nvdiffrast.torch", reason="nvdiffrast is not installed")
    if not torch.cuda.is_available():
        pytest.skip("nvdiffrast needs a CUDA device")
    vertices = batch(open_head.v_template, torch.float32).cuda()
    pictures = [
        FaceRenderer(open_head.faces, 128, backend=backend, camera=Camera.framing(open_head)).cuda()(vertices)
        for backend in ("own", "nvdiffrast")
    ]
    assert (pictures[0] - pictures[1]).abs().mean() < 2e-3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_gives_the_picture_of_the_processor(open_head):
    renderer = FaceRenderer(open_head.faces, 128, backend="own", camera=Camera.framing(open_head))
    vertices = batch(open_head.v_template, torch.float32)
    here = renderer(vertices)
    there = renderer.cuda()(vertices.cuda()).cpu()
    assert (here - there).abs().mean() < 1e-4
