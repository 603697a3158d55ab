import numpy as np
import pytest
from face_videos import FACE_WIDTH, scene

from emote_blender.capture.video.crops import Cropper, Patch, Region, points_in_picture, region_of_points
from emote_blender.capture.video.judging import yaw_of_points
from emote_blender.capture.video.landmarker import SCORE_NAMES, SHAPES, Landmarker, find_landmarker
from emote_blender.capture.video.network_files import Network, write_networks
from emote_blender.capture.video.people import find_faces
from emote_blender.errors import ModelError
from emote_blender.files.onnx_graph import Node


def look(landmarker, picture, region=None):
    """Points in the picture and presence, after a second look around the points of the first."""
    cropper = Cropper(256)
    region = region or find_faces(landmarker, Cropper(128), picture)[0]
    for _ in range(2):
        points, presence = landmarker.points(cropper.cut(Patch.around(picture, region, 256), region))
        points = points_in_picture(points, region)
        region = region_of_points(points)
    return points, presence


def test_the_points_lie_on_the_open_head(landmarker):
    """Places read off the picture (240 pixels), which is rendered straight from the front."""
    points, presence = look(landmarker, scene(240, 240, [(120, 120, 1)]))
    assert presence > 0.9
    width = np.ptp(points[:, 0])
    assert width == pytest.approx(FACE_WIDTH + 16, rel=0.15)
    left, right = points[263], points[33]
    assert (left[0] + right[0]) / 2 == pytest.approx(120, abs=2)  # the middle of the picture
    assert abs(left[1] - right[1]) < 2
    iris_right, iris_left = points[468], points[473]
    assert right[0] < iris_right[0] < 120 < iris_left[0] < left[0]
    assert points[152, 1] > points[17, 1] > points[0, 1] > points[4, 1] > iris_left[1]  # chin, lips, nose, eyes
    assert points[4, 2] < points[234, 2]  # the tip of the nose is nearer than the side of the face


@pytest.mark.parametrize("dx, dy, size", [(31.5, -20.25, 1.0), (10.0, 40.0, 1.6), (-60.0, 0.0, 0.5)])
def test_points_follow_a_face_that_is_moved_and_made_larger(landmarker, dx, dy, size):
    plain, _ = look(landmarker, scene(480, 480, [(240, 240, 1)]))
    moved, _ = look(landmarker, scene(480, 480, [(240 + dx, 240 + dy, size)]))
    expected = (plain[:, :2] - 240) * size + 240 + (dx, dy)
    error = np.linalg.norm(moved[:, :2] - expected, axis=1).mean()
    assert error < 0.012 * FACE_WIDTH * size


@pytest.mark.parametrize("width", [300, 60, 40])
@pytest.mark.parametrize("light", [1.0, 0.2])
def test_faces_are_found_down_to_40_pixels_and_in_20_percent_of_light(landmarker, width, light):
    picture = scene(640, 480, [(300, 230, width / FACE_WIDTH)])
    picture = (picture * light).astype(np.uint8)
    faces = find_faces(landmarker, Cropper(128), picture)
    assert len(faces) == 1
    assert np.hypot(faces[0].x - 300, faces[0].y - 230) < 0.5 * width


def test_a_face_in_a_corner_of_a_large_picture_is_found(landmarker):
    faces = find_faces(landmarker, Cropper(128), scene(1280, 720, [(1200, 100, 45 / FACE_WIDTH)]))
    assert [round(face.x / 40) for face in faces] == [30]


def test_no_face_is_found_in_grey_and_in_noise(landmarker):
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    for picture in (np.full((480, 640, 3), 90, np.uint8), noise):
        assert find_faces(landmarker, Cropper(128), picture) == []


def test_two_faces_are_two_and_the_largest_is_first(landmarker):
    faces = find_faces(landmarker, Cropper(128), scene(640, 480, [(150, 240, 1), (470, 240, 1.4)]))
    assert len(faces) == 2
    assert faces[0].x > faces[1].x


def test_scores_do_not_depend_on_place_and_size(landmarker):
    points, _ = look(landmarker, scene(480, 480, [(240, 240, 1)]))
    scores = landmarker.scores(points)
    assert scores.shape == (len(SCORE_NAMES),) == (52,)
    assert 0 <= scores.min() <= scores.max() <= 1
    np.testing.assert_allclose(landmarker.scores(points * 3 + 50), scores, atol=2e-3)


@pytest.mark.torch
@pytest.mark.parametrize("degrees", [-45, -30, 30, 45])
def test_turned_heads_are_found_and_their_yaw_is_about_right(landmarker, degrees):
    pytest.importorskip("torch")
    from data.make_face_picture import render_face

    points, presence = look(landmarker, render_face(np.radians(degrees)))
    assert presence > 0.5
    assert abs(np.degrees(yaw_of_points(points))) == pytest.approx(abs(degrees), abs=12)


def test_a_missing_folder_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("emote_blender.capture.video.landmarker.search_folders", lambda: [tmp_path])
    with pytest.raises(ModelError, match="python build.py landmarker"):
        find_landmarker()
    with pytest.raises(ModelError, match="python build.py landmarker"):
        Landmarker(tmp_path / "nothing")


def test_a_network_that_cannot_run_gets_one_sentence(tmp_path):
    networks = {}
    for name, shapes in SHAPES.items():
        (given, shape), *made = shapes.items()
        nodes = tuple(Node("Conv", (given, given), output, {"group": (7,)}) for output, _ in made)
        networks[name] = Network({given: shape}, dict(made), (), nodes)
    write_networks(tmp_path, networks, {}, {})
    with pytest.raises(ModelError, match=r"cannot (be opened|run)"):
        Landmarker(tmp_path).detect(np.zeros((128, 128, 3), np.float32))


def test_a_crop_of_another_size_is_refused(landmarker):
    with pytest.raises(ValueError, match="expected image of shape"):
        landmarker.points(np.zeros((128, 128, 3), np.float32))


def test_a_region_beside_the_face_has_little_presence(landmarker):
    picture = scene(640, 480, [(150, 240, 1)])
    _, presence = landmarker.points(
        Cropper(256).cut(Patch.around(picture, Region(500, 240, 200, 0), 256), Region(500, 240, 200, 0))
    )
    assert presence < 0.5
