import numpy as np
import pytest
from face_videos import patched_matrix, scene, write_video

from emote_blender.capture.video.face_track import FaceTrack
from emote_blender.capture.video.track_file import track_file
from emote_blender.errors import InputError, ModelError

av = pytest.importorskip("av", reason="outside Blender, videos are read with PyAV")


def test_a_track_says_how_it_was_made(landmarker, tmp_path):
    path = write_video(tmp_path / "a.mkv", [scene(320, 300, [(120, 150, 1)])] * 3)
    track = track_file(path, landmarker=landmarker)
    expected = {"video": "a.mkv", "mirrored": False, "fps": 25.0, "sound_start_seconds": None, "people": 1, "notes": []}
    assert expected.items() <= track.meta.items()
    track.save(tmp_path / "a.npz")
    assert FaceTrack.load(tmp_path / "a.npz").meta == track.meta


def test_a_mirrored_face_is_seen_on_the_other_side_with_its_own_left(landmarker, tmp_path):
    path = write_video(tmp_path / "a.mkv", [scene(320, 300, [(120, 150, 1)])])
    plain, mirrored = track_file(path, landmarker=landmarker), track_file(path, mirrored=True, landmarker=landmarker)
    assert plain.points[0, :, 0].mean() == pytest.approx(120, abs=4)
    assert mirrored.points[0, :, 0].mean() == pytest.approx(200, abs=4)
    for track in (plain, mirrored):
        assert track.points[0, 263, 0] > track.points[0, 33, 0]  # the person's left eye is on the right


def test_a_video_of_an_upright_phone_is_tracked_upright(landmarker, tmp_path):
    upright = scene(300, 320, [(150, 200, 1)])
    lying = np.rot90(upright)  # as the sensor sees it
    path = write_video(tmp_path / "a.mp4", [lying] * 2, codec="libx264", pixel_format="yuv420p", options={"crf": "12"})
    patched_matrix(path, (0, 1, -1, 0))
    track = track_file(path, landmarker=landmarker)
    assert track.image_size == (300, 320)
    expected = track_file(write_video(tmp_path / "b.mkv", [upright]), landmarker=landmarker)
    assert np.linalg.norm(track.points[0, :, :2] - expected.points[0, :, :2], axis=1).mean() < 1


def test_a_video_without_a_face_is_named(landmarker, tmp_path):
    path = write_video(tmp_path / "empty.mkv", [scene(320, 300, [])] * 2)
    with pytest.raises(InputError, match=r"empty\.mkv"):
        track_file(path, landmarker=landmarker)


def test_missing_networks_are_said_before_the_video_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("emote_blender.capture.video.landmarker.search_folders", list)
    with pytest.raises(ModelError, match="python build.py landmarker"):
        track_file(tmp_path / "a.mkv")
