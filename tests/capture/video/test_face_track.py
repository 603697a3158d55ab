from dataclasses import replace

import numpy as np
import pytest

from emote_blender.capture.video.face_track import FaceTrack, Gap, Reason
from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion

pytestmark = pytest.mark.once


def make_track(reasons):
    count = len(reasons)
    rng = np.random.default_rng(0)
    points, scores = rng.random((count, 478, 3)).astype(np.float32), rng.random((count, 52)).astype(np.float32)
    reasons = np.array(reasons, np.uint8)
    points[reasons == Reason.NO_FACE] = scores[reasons == Reason.NO_FACE] = np.nan
    breaks = np.arange(count) == 0
    return FaceTrack(np.arange(count) / 25, points, scores, reasons, breaks, (640, 480), {"notes": ["ä"]})


def test_a_saved_track_is_the_same_when_it_is_loaded(tmp_path):
    track = make_track([0, 0, 1, 0, 4])
    track.save(tmp_path / "a.npz")
    loaded = FaceTrack.load(tmp_path / "a.npz")
    for name in ("times", "points", "scores", "reasons", "breaks"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(track, name))
        assert getattr(loaded, name).dtype == getattr(track, name).dtype
    assert (loaded.image_size, loaded.meta) == (track.image_size, track.meta)


def test_gaps_are_runs_of_frames_with_one_reason():
    gaps = make_track([0, 1, 1, 3, 0, 0, 4]).gaps()
    assert gaps == [
        Gap(1, 3, 0.04, 0.12, Reason.NO_FACE),
        Gap(3, 4, 0.12, 0.16, Reason.TURNED_AWAY),
        Gap(6, 7, 0.24, 0.24, Reason.COVERED),
    ]
    assert make_track([0, 0]).gaps() == []


def test_points_that_cannot_be_trusted_are_left_out_for_a_fit():
    track = make_track([0, 1, 3, 0])
    assert np.isnan(track.seen_points()[1:3]).all()
    np.testing.assert_array_equal(track.seen_points()[[0, 3]], track.points[[0, 3]])


def test_a_cut_is_a_break_beside_a_frame_with_the_face():
    track = replace(make_track([0, 0, 1, 0, 3, 0]), breaks=np.array([1, 0, 1, 1, 0, 1], bool))
    np.testing.assert_array_equal(np.flatnonzero(track.cuts), [5])


def test_every_reason_has_words():
    assert len({reason.sentence_part for reason in Reason}) == len(Reason)


def test_times_must_rise():
    track = make_track([0, 0])
    with pytest.raises(ValueError, match="times"):
        FaceTrack(np.zeros(2), track.points, track.scores, track.reasons, track.breaks, (640, 480))


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda arrays: arrays.pop("points"), "has no 'points'"),
        (lambda arrays: arrays.update(points=arrays["points"][:1]), "differ in length"),
        (lambda arrays: arrays.update(points=arrays["points"] * np.nan), "points holds values that are not numbers"),
        (lambda arrays: arrays.update(reasons=np.array([0, 99], np.uint8)), "unknown reason 99"),
        (lambda arrays: arrays.update(times=np.array([1.0, 0.0])), "times must be"),
        (lambda arrays: arrays.update(image_size=np.array([-1, 2])), "image_size"),
        (lambda arrays: arrays.update(scores=np.array([{}], object)), "not numbers"),
        (lambda arrays: arrays.update(meta=np.array("[]")), "meta is not a JSON object"),
        (lambda arrays: arrays.update(meta=np.array("{")), "is not a face track or is damaged"),
    ],
)
def test_files_with_other_content_get_one_sentence(tmp_path, change, sentence):
    make_track([0, 0]).save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        FaceTrack.load(tmp_path / "b.npz")


def test_a_motion_file_is_no_track(tmp_path):
    FaceMotion(np.zeros((2, 3)), np.zeros((2, 3)), 25).save(tmp_path / "a.npz")
    with pytest.raises(InputError, match="choose a face track"):
        FaceTrack.load(tmp_path / "a.npz")
