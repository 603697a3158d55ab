"""The fit of a FLAME look-alike: components by number, eyes that turn by their joints, and lids that none closes."""

import numpy as np
import pytest
from filmed_faces import DISTANCE, SIZE
from flame_with_mouth import make_flame_with_mouth
from spoken_motions import flame_motion

from emote_blender.capture.video.embedding import embedding_of
from emote_blender.capture.video.fit.camera import Camera, HeadPose
from emote_blender.capture.video.fit.clip import fit_clip
from emote_blender.capture.video.response import exact_response
from emote_blender.flame.lids import close_lids
from emote_blender.flame.refinement_maps import maps_of_model
from emote_blender.motion_tools.rotation import axis_angle_to_matrix

NUM_FRAMES = 60


@pytest.fixture(scope="module")
def flame():
    return make_flame_with_mouth(face_width=0.0)  # whose lids are found


@pytest.fixture(scope="module")
def truth(flame):
    """Motion; gaze to the left, radians; and (T, 2) closure of the left and the right lids, one after the other."""
    time = np.arange(NUM_FRAMES) / 25
    motion = flame_motion(flame, NUM_FRAMES, size=0.6)
    motion.expression[:, 50:] = 0.0  # the fit moves the first fifty
    lids = np.stack([np.clip(1.3 - 6.0 * np.abs(time % 1.2 - middle), 0.0, 1.0) for middle in (0.4, 0.9)], axis=1)
    return motion, 0.25 * np.sin(2 * np.pi * time / 1.7), lids


@pytest.fixture(scope="module")
def fit(flame, truth):
    motion, look, lids = truth
    still = np.zeros(NUM_FRAMES)
    eyes = np.stack([still, look, still, still, look, still], axis=1)
    vertices = flame.vertices(motion.expression, motion.jaw, eyes=eyes).astype(np.float64)
    closings = close_lids(flame.v_template, flame.faces, flame.lbs_weights[:, -2:])
    for closing, closed in zip(closings, lids.T, strict=True):
        vertices += [closing.at(value) for value in closed]
    embedding = embedding_of(flame)
    corners = vertices[:, flame.faces[embedding.faces]]
    landmarks = np.einsum("lk,tlkc->tlc", embedding.barycentrics, corners) + embedding.offsets
    turn = axis_angle_to_matrix(np.stack([still, 0.2 * np.sin(np.arange(NUM_FRAMES) / 7), still], axis=1))
    pose = HeadPose(turn, np.array([0.0, 0.0, -DISTANCE]) - turn @ landmarks[0].mean(0))
    pixels = Camera.of_picture(SIZE).pixels(pose.of(landmarks))
    return fit_clip(flame, np.arange(NUM_FRAMES) / 25, pixels, SIZE, response=exact_response())


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def test_the_mouth_opens_as_it_did(flame, truth, fit):
    lips = maps_of_model(flame).lips
    assert lips is not None
    gap = [lips.gap(motion.expression, motion.jaw) for motion in (fit.motion, truth[0])]
    assert correlation(*gap) > 0.97


def test_the_face_is_where_it_was(flame, truth, fit):
    off = flame.vertices(fit.motion.expression, fit.motion.jaw) - flame.vertices(truth[0].expression, truth[0].jaw)
    face = flame.v_template[:, 2] > np.median(flame.v_template[:, 2])
    assert np.linalg.norm(off, axis=2)[:, face].mean() < 1.3e-3


def test_eyes_turn_by_their_joints(truth, fit):
    assert correlation(fit.motion.eyes[:, 1], truth[1]) > 0.9
    assert correlation(fit.motion.eyes[:, 4], truth[1]) > 0.9


def test_lids_close_as_they_did(truth, fit):
    for found, closed in zip(fit.motion.lids.T, truth[2].T, strict=True):
        assert correlation(found, closed) > 0.95
        assert 2 * ((found > 0.5) & (closed > 0.5)).sum() / ((found > 0.5).sum() + (closed > 0.5).sum()) > 0.9


def test_the_motion_names_its_head(flame, fit):
    assert fit.motion.meta["face"] == flame.basis
    assert "expression_names" not in fit.motion.meta
    assert fit.motion.num_expression == flame.num_expression
