"""Losses on the mesh against the numpy face model."""

import numpy as np
import pytest
import torch

from emote_blender.flame.measure import lip_gap
from emote_blender.training.losses.mesh import FaceMesh, MeshLoss, spectral_error


@pytest.fixture(scope="module")
def motion() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    coefficients = torch.rand(2, 16, 53, generator=generator) * 0.6
    coefficients[..., 50:] *= torch.tensor([0.5, 0.05, 0.05])
    return coefficients


def test_mesh_agrees_with_the_face_model(open_head, motion):
    chosen = np.arange(0, open_head.num_vertices, 7)
    found = FaceMesh(open_head, chosen)(motion)[0].transpose(1, 2)
    wanted = open_head.vertices(motion[0, :, :50].numpy(), motion[0, :, 50:].numpy())[:, chosen] * 1000
    np.testing.assert_allclose(found, wanted, atol=1e-3)  # mm; float32 at a head's size


def test_gap_agrees_with_the_lip_gap_of_the_whole_head(open_head, motion):
    vertices = open_head.vertices(motion[0, :, :50].numpy(), motion[0, :, 50:].numpy())
    np.testing.assert_allclose(MeshLoss(open_head).gap(motion[0]), lip_gap(open_head, vertices) * 1000, atol=1e-3)


def test_a_motion_has_no_error_against_itself(open_head, motion):
    errors = MeshLoss(open_head)(motion, motion)
    assert errors.vertices == errors.velocity == errors.gap == errors.dynamics == 0


def test_an_open_mouth_costs_more_where_lips_should_touch(open_head):
    loss_of = MeshLoss(open_head)
    closed, open_mouth, wider = torch.zeros(1, 16, 53), torch.zeros(1, 16, 53), torch.zeros(1, 16, 53)
    open_mouth[..., 50], wider[..., 50] = 0.10, 0.14
    step = loss_of.gap(wider)[0, 0] - loss_of.gap(open_mouth)[0, 0]
    slightly = torch.zeros(1, 16, 53)
    slightly[..., 50] = 0.04
    ratio = (loss_of.gap(slightly)[0, 0] - loss_of.gap(closed)[0, 0]) / step
    assert loss_of(slightly, closed).gap / ratio**2 > 3 * loss_of(wider, open_mouth).gap


def test_the_gradient_is_finite_at_rest(open_head):
    motion = torch.zeros(1, 16, 53, requires_grad=True)
    errors = MeshLoss(open_head)(motion, torch.full((1, 16, 53), 0.1))
    (errors.vertices + errors.velocity + errors.gap + errors.dynamics).backward()
    assert torch.isfinite(motion.grad).all()


def test_spectra_prefer_a_late_movement_to_a_smoothed_one():
    frames = torch.arange(64)
    track = 4 * (torch.sin(frames * 2 * torch.pi * 5 / 25) > 0).float() + torch.sin(frames * 0.4)
    late = track.roll(1)
    smoothed = torch.nn.functional.avg_pool1d(track[None, None], 3, 1, 1, count_include_pad=False)[0, 0]

    def squared(other):
        return ((other - track) ** 2).mean()

    def spectral(other):
        return spectral_error(other[None], track[None])

    assert squared(smoothed) < squared(late)
    assert spectral(smoothed) > 3 * spectral(late)


def test_spectra_measure_lost_movement_in_the_tracks_unit():
    track = 3 * torch.sin(torch.arange(160) * 2 * torch.pi * 4 / 16)
    assert spectral_error(torch.zeros(1, 160), track[None]) == pytest.approx(float((track**2).mean()), rel=0.02)
