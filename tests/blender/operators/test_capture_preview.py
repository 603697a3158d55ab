"""Before a capture: the preview with its points, the picked face, the neutral frame, the landmarker's folder."""

import shutil

import bpy
import numpy as np
import pytest
from face_videos import require_landmarker

pytest.importorskip("av", reason="the videos of these tests are written with PyAV")
from filmed_strips import film, new_movie_strip

from emote_blender.blender.operators.capture_preview import PREVIEW
from emote_blender.blender.settings.landmarker_info import landmarker_folder, refresh_landmarker
from emote_blender.blender.settings.recogniser_info import addon_preferences
from emote_blender.blender.ui.panel_state import panel_state
from emote_blender.errors import ModelError


@pytest.fixture(scope="module")
def landmarker():
    return require_landmarker()


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Two people in 6 frames."""
    path = tmp_path_factory.mktemp("videos") / "two.mp4"
    return film(path, 6, faces=((80.0, 150.0, 1.0), (250.0, 150.0, 0.8)))


@pytest.fixture
def strip(scene, video):
    """The video on frames 11 to 16."""
    scene.frame_current = 13
    return new_movie_strip(scene, video)


def green(image):
    """(h, w) bool: places of the preview with the colour of points, from the top."""
    width, height = image.size
    pixels = np.array(image.pixels[:]).reshape(height, width, 4)[::-1]
    return (np.abs(pixels[..., :3] * 255 - (40, 255, 80)) < 2).all(2)


def test_the_preview_shows_points_on_every_face_and_their_numbers(landmarker, strip):
    assert bpy.ops.emote.capture_preview() == {"FINISHED"}
    image = bpy.data.images[PREVIEW]
    assert tuple(image.size) == (320, 300)
    marked = green(image)
    for x, half in ((80, 45), (250, 36)):
        face = marked[100:200, x - half : x + half]
        assert 200 < face.sum() < 0.2 * face.size
    assert bpy.data.images.keys() == [PREVIEW]


def test_a_second_preview_replaces_the_first(landmarker, scene, strip):
    bpy.ops.emote.capture_preview()
    first = green(bpy.data.images[PREVIEW])
    scene.frame_current = 16
    bpy.ops.emote.capture_preview()
    assert bpy.data.images.keys() == [PREVIEW]
    assert (green(bpy.data.images[PREVIEW]) != first).any()


def test_a_frame_beside_the_video_is_refused(landmarker, scene, strip):
    scene.frame_current = 17
    with pytest.raises(RuntimeError, match="frame 17 does not show 'Clip', which is on frames 11 to 16"):
        bpy.ops.emote.capture_preview()


def test_a_picked_face_is_kept_in_pixels_from_the_top_left(landmarker, scene, strip):
    with pytest.raises(RuntimeError, match="press Preview Faces first"):
        bpy.ops.emote.capture_pick(place=(0.5, 0.5))
    bpy.ops.emote.capture_preview()
    bpy.ops.emote.capture_pick(place=(0.75, 0.25))
    assert tuple(scene.emote.video.place) == pytest.approx((240, 225))
    bpy.ops.emote.capture_pick(clear=True)
    assert tuple(scene.emote.video.place) == (0, 0)


def test_the_current_frame_is_marked_as_neutral(scene, strip):
    bpy.ops.emote.capture_neutral()
    assert (scene.emote.video.has_neutral, scene.emote.video.neutral_frame) == (True, 13)
    scene.frame_current = 5
    with pytest.raises(RuntimeError, match="frame 5 does not show 'Clip'"):
        bpy.ops.emote.capture_neutral()
    assert scene.emote.video.neutral_frame == 13


def test_a_video_is_chosen_in_the_panel(scene, strip, video):
    new_movie_strip(scene, video, "Other", 3)
    bpy.ops.emote.choose_movie(strip="Other")
    assert panel_state(bpy.context).movie == "Other"
    bpy.ops.emote.choose_movie(source="FILE")
    assert panel_state(bpy.context).why_no_capture.startswith("There is no head")


def test_the_panel_says_why_nothing_can_be_captured(scene, head):
    bpy.context.view_layer.update()
    assert panel_state(bpy.context).why_no_capture.startswith("The sequencer has no movie strip")


def test_the_landmarkers_folder_is_added_with_one_click(landmarker, monkeypatch, tmp_path):
    shutil.copytree(landmarker, tmp_path / "face_landmarker")
    monkeypatch.setattr("emote_blender.capture.video.landmarker.search_folders", list)
    refresh_landmarker()
    try:
        with pytest.raises(ModelError, match="The face landmarker, .* is missing"):
            landmarker_folder()
        with pytest.raises(RuntimeError, match="holds no face landmarker"):
            bpy.ops.emote.choose_folder(directory=str(tmp_path / "face_landmarker" / "deeper"), kind="LANDMARKER")
        bpy.ops.emote.choose_folder(directory=str(tmp_path), kind="LANDMARKER")
        assert landmarker_folder() == tmp_path / "face_landmarker"
        (tmp_path / "face_landmarker" / "model.safetensors").write_bytes(b"")
        with pytest.raises(ModelError, match="model.safetensors"):
            landmarker_folder()
    finally:
        addon_preferences().landmarker_folder = ""
        monkeypatch.undo()
        refresh_landmarker()
