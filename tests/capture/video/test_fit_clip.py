"""The fit of a clip, on landmarks that were projected from known expressions of the open head."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from filmed_faces import SIZE, Filmed, film

from emote_blender.capture.video.embedding import embedding_of
from emote_blender.capture.video.fit.camera import Camera
from emote_blender.capture.video.fit.clip import ClipFit, true_pixels
from emote_blender.capture.video.fit.clip import fit_clip as fit_any_clip
from emote_blender.capture.video.fit.fitted_face import fitted_face
from emote_blender.capture.video.landmark_groups import BROWS
from emote_blender.capture.video.landmarker import SCORE_NAMES
from emote_blender.capture.video.response import exact_response
from emote_blender.errors import InputError
from emote_blender.flame.measure import lip_gap
from emote_blender.motion_tools.rotation import axis_angle_to_matrix

pytestmark = pytest.mark.once  # test_fit_flame and tests/cli/test_capture_command fit clips on 5.2 too


def fit_clip(*arguments, **settings) -> ClipFit:
    """The fit of landmarks that a perfect landmarker gives."""
    return fit_any_clip(*arguments, response=exact_response(), **settings)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def head_degrees(fit: ClipFit, clip: Filmed) -> np.ndarray:
    """(T,) angle between the fitted and the true rotation of the head."""
    found = axis_angle_to_matrix(fit.motion.neck.astype(np.float64))
    turn = np.swapaxes(axis_angle_to_matrix(clip.rotation), 1, 2) @ found
    return np.degrees(np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1)))


def gaps(head, expression, jaw) -> np.ndarray:
    return lip_gap(head, head.vertices(expression, jaw)) * 1e3


def part(clip: Filmed, frames) -> Filmed:
    return replace(
        clip,
        times=clip.times[frames],
        points=clip.points[frames],
        expression=clip.expression[frames],
        jaw=clip.jaw[frames],
        rotation=clip.rotation[frames],
    )


@pytest.fixture(scope="module", params=["mean face", "another person", "turned", "noisy"])
def case(open_head, request):
    clip = {
        "mean face": lambda: film(open_head),
        "another person": lambda: film(open_head, identity=3),
        "turned": lambda: film(open_head, identity=4, yaw_degrees=25),
        "noisy": lambda: film(open_head, identity=5, noise=0.7),
    }[request.param]()
    return clip, fit_clip(open_head, clip.times, clip.points, SIZE)


def test_lips_open_as_they_did(open_head, case):
    clip, fit = case
    found = gaps(open_head, fit.motion.expression, fit.motion.jaw)
    true = gaps(open_head, clip.expression, clip.jaw)
    assert correlation(found, true) > 0.97
    assert np.abs(found - true).mean() < 1.3


def test_closed_lips_are_closed(open_head, case):
    clip, fit = case
    found = gaps(open_head, fit.motion.expression, fit.motion.jaw) < 1.0
    true = gaps(open_head, clip.expression, clip.jaw) < 0.5
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.9


def test_the_jaw_turns_as_it_did(case):
    clip, fit = case
    assert correlation(fit.motion.jaw[:, 0], clip.jaw[:, 0]) > 0.93


def test_the_face_is_where_it_was(open_head, case):
    clip, fit = case
    skin = (open_head.v_template[:, 2] > 0) & (open_head.regions["skin"] > 0.5)
    off = open_head.vertices(fit.motion.expression, fit.motion.jaw) - open_head.vertices(clip.expression, clip.jaw)
    distance = np.linalg.norm(off, axis=2) * 1e3
    assert distance[:, skin].mean() < 1.3
    assert distance[:, open_head.regions["lips"] > 0.5].mean() < 2.0


def test_the_head_turns_as_it_did(case):
    clip, fit = case
    assert head_degrees(fit, clip).mean() < 2.0


@pytest.mark.parametrize(
    ("names", "least"),
    [
        (("eyeBlinkLeft",), 0.95),
        (("eyeBlinkRight",), 0.95),
        (("browInnerUp",), 0.9),
        (("eyeLookOutLeft", "eyeLookInLeft"), 0.9),
        (("eyeLookUpRight", "eyeLookDownRight"), 0.8),
    ],
)
def test_eyes_and_brows_move_as_they_did(open_head, case, names, least):
    clip, fit = case
    columns = [open_head.expression_names.index(name) for name in names]
    sign = np.array([1.0, -1.0])[: len(columns)]
    assert correlation(fit.motion.expression[:, columns] @ sign, clip.expression[:, columns] @ sign) > least


def test_both_eyes_look_the_same_way(open_head, case):
    _, fit = case
    names = open_head.expression_names
    left, right = (fit.motion.expression[:, names.index(name)] for name in ("eyeLookOutLeft", "eyeLookInRight"))
    np.testing.assert_array_equal(left, right)


def test_a_still_face_does_not_jitter(open_head):
    clip = film(open_head, num_frames=30)
    still = np.repeat(clip.points[:1], 60, axis=0)
    still[..., :2] += np.random.default_rng(1).normal(0.0, 0.5, still[..., :2].shape)
    motion = fit_clip(open_head, np.arange(60) / 25, still, SIZE).motion
    vertices = open_head.vertices(motion.expression, motion.jaw)[:, open_head.regions["skin"] > 0.5]
    assert np.linalg.norm(np.diff(vertices, axis=0), axis=2).mean() < 0.2e-3


def test_a_bridged_gap_is_valid_and_a_long_one_is_not(open_head):
    clip = film(open_head)
    points = clip.points.copy()
    points[10:20] = np.nan  # 0.4 s
    points[40:65] = np.nan  # 1.0 s
    fit = fit_clip(open_head, clip.times, points, SIZE)
    assert fit.valid[:40].all()
    assert not fit.valid[41:64].any()
    assert fit.valid[65:].all()
    assert np.isnan(fit.residual[11:19]).all()
    assert np.isfinite(fit.residual[20:40]).all()
    assert fit.motion.num_frames == 75


def test_landmarks_that_are_not_trusted_are_a_gap(open_head):
    clip = film(open_head)
    points = clip.points.copy()
    points[30:50] += 100.0
    trusted = np.ones(75, bool)
    trusted[30:50] = False
    fit = fit_clip(open_head, clip.times, points, SIZE, trusted=trusted)
    np.testing.assert_array_equal(np.flatnonzero(~fit.valid), np.arange(30, 50))


def test_a_bridge_lies_between_its_ends(open_head):
    clip = film(open_head)
    points = clip.points.copy()
    points[10:20] = np.nan
    jaw = fit_clip(open_head, clip.times, points, SIZE).motion.jaw[9:21, 0]
    np.testing.assert_allclose(jaw, np.linspace(jaw[0], jaw[-1], 12), atol=1e-3)


@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_nothing_goes_across_a_cut(open_head, fps):
    """A still face, and after a cut the same face with an open mouth, turned aside: every frame is one of them."""
    clip = film(open_head, num_frames=30)
    order = np.argsort(clip.jaw[:, 0])
    points = clip.points[np.repeat(order[[0, -1]], 30)]
    cuts = np.arange(60) == 30
    motion = fit_clip(open_head, np.arange(60) / 25, points, SIZE, cuts=cuts, fps=fps).motion
    for values in (motion.jaw, motion.neck, motion.expression):
        first, second = values[5], values[-5]
        off = np.minimum(np.abs(values - first).max(1), np.abs(values - second).max(1))
        assert off.max() < 2e-3
    assert motion.jaw[-5, 0] - motion.jaw[5, 0] > 0.1


def test_frames_stand_at_their_times(open_head):
    clip = film(open_head, fps=50.0)  # twice as fast
    fit = fit_clip(open_head, clip.times, clip.points, SIZE, fps=25.0)
    assert fit.motion.num_frames == 38
    assert correlation(fit.motion.jaw[:, 0], clip.jaw[::2, 0]) > 0.93


def test_dropped_frames_do_not_shift_the_others(open_head):
    clip = film(open_head)
    kept = np.r_[0:20, 21:40, 43:75]
    fit = fit_clip(open_head, clip.times[kept], clip.points[kept], SIZE)
    assert fit.motion.num_frames == 75
    assert correlation(fit.motion.jaw[:, 0], clip.jaw[:, 0]) > 0.93


def test_nothing_is_late(open_head):
    clip = film(open_head)
    found = fit_clip(open_head, clip.times, clip.points, SIZE).motion.jaw[:, 0]
    lags = [correlation(found[3 + lag : 72 + lag], clip.jaw[3:72, 0]) for lag in range(-3, 4)]
    assert int(np.argmax(lags)) == 3


def test_a_neutral_moment_takes_the_landmarks_of_a_person_as_they_are(open_head):
    """Landmarks that lie beside their place on this person are no expression."""
    clip = film(open_head, num_frames=40, num_neutral=6)
    points = clip.points.copy()
    points[..., :2] += np.random.default_rng(2).normal(0.0, 3.0, (478, 2))
    named = fit_clip(open_head, clip.times, points, SIZE, neutral_seconds=0.1)
    assert (named.neutral_seconds <= 0.25).all()
    mouth = [number for number, name in enumerate(open_head.expression_names) if name.startswith("mouth")]
    searched = fit_clip(open_head, clip.times, points, SIZE)
    left, without = (np.abs(fit.motion.expression[:5, mouth]).mean() for fit in (named, searched))
    assert left < 0.06
    assert left < 0.7 * without


def test_another_angle_of_view_is_given_by_the_camera(open_head):
    clip = film(open_head, view_degrees=30.0)
    known = fit_clip(open_head, clip.times, clip.points, SIZE, camera=Camera.of_picture(SIZE, 30.0))
    assert head_degrees(known, clip).mean() < 1.0
    assert known.translation[:, 2].mean() == pytest.approx(-0.76, abs=0.08)


def test_a_video_without_a_face_is_refused(open_head):
    with pytest.raises(InputError, match="no frame of the video shows a face"):
        fit_clip(open_head, np.arange(3) / 25, np.full((3, 478, 3), np.nan), SIZE)


def test_landmarks_of_no_face_are_refused(open_head):
    points = np.random.default_rng(0).uniform(100, 300, (20, 478, 3))
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_clip(open_head, np.arange(20) / 25, points, SIZE)


def test_a_neutral_moment_without_a_face_is_refused(open_head):
    clip = film(open_head, num_frames=30)
    with pytest.raises(InputError, match="neutral moment 7 s"):
        fit_clip(open_head, clip.times, clip.points, SIZE, neutral_seconds=7.0)


def test_a_single_frame_is_a_motion(open_head):
    clip = part(film(open_head, num_frames=30), slice(6, 7))
    assert fit_clip(open_head, clip.times * 0, clip.points, SIZE).motion.num_frames == 1


@pytest.mark.once
def test_brows_that_are_always_low_are_the_persons_own(open_head):
    """The same landmarks, with scores of calm brows and with scores of raised ones, which say nothing."""
    clip = film(open_head, num_frames=30)
    points = clip.points.copy()
    points[:, BROWS, 1] += 6.0  # pixels, of which the face is about 130 wide
    calm = np.zeros((30, 52), np.float32)
    unknown = calm.copy()
    unknown[:, SCORE_NAMES.index("browInnerUp")] = 0.9
    names = list(open_head.expression_names)
    lowered = []
    for scores in (calm, unknown):
        expression = fit_clip(open_head, clip.times, points, SIZE, scores=scores).motion.expression
        lowered.append(expression[:, [names.index("browDownLeft"), names.index("browDownRight")]].mean())
    assert lowered[0] < 0.4
    assert lowered[0] < 0.6 * lowered[1]


@pytest.mark.once
def test_a_blink_that_the_landmarks_hide_is_taken_from_the_scores(open_head):
    """The landmarks keep the eyes open, as a landmarker's may; the left eye's score says that it closes."""
    clip = film(open_head, num_frames=40)
    lids = [name for name in SCORE_NAMES if name.startswith("eyeBlink")]
    open_eyes = film(open_head, num_frames=12).points[:1]
    points = np.repeat(open_eyes, 40, axis=0)
    scores = np.zeros((40, 52), np.float32)
    scores[20:24, SCORE_NAMES.index(lids[0])] = 0.7
    motion = fit_clip(open_head, clip.times, points, SIZE, scores=scores).motion
    left, right = (motion.expression[:, open_head.expression_names.index(name)] for name in lids)
    assert left[21:23].min() > 0.6
    assert left[:17].max() < 0.2
    assert right.max() < 0.2


def test_the_landmarks_of_a_long_clip_need_no_memory_beside_their_own(open_head):
    clip, camera, response = film(open_head), Camera.of_picture(SIZE), exact_response()
    face = fitted_face(open_head, embedding_of(open_head), response)

    def peak(num_frames: int) -> int:
        """Bytes that correcting the landmarks of a clip takes, with the result."""
        frames = np.arange(num_frames)
        points = clip.points[frames % len(clip.points), :, :2]
        tracemalloc.start()
        true_pixels(face, camera, response, points, frames)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    own = 448 * 478 * 2 * np.dtype(np.float32).itemsize
    assert peak(512) - peak(64) < 1.1 * own
