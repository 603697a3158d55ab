"""The demonstration's film: eight heads of their own, one sound, a picture of eight tiles that differ."""

import dataclasses
from typing import Any

import bpy
import numpy as np
import pytest

pytest.importorskip("PIL", reason="the labels are drawn with pillow")

from emote_blender.blender.demo import film as demo_film
from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.scene.find_head import heads_in
from emote_blender.blender.scene.placed_strip import sound_strips
from emote_blender.emotion import EMOTIONS

TILE = (32, 40)
NUM_FRAMES = 3


@pytest.fixture
def motions(make_motion):
    """A motion of the tiny face per emotion: each holds another grimace."""
    rng = np.random.default_rng(3)
    return {
        name: dataclasses.replace(make_motion(NUM_FRAMES), expression=np.tile(rng.normal(0, 4, 6), (NUM_FRAMES, 1)))
        for name in EMOTIONS
    }


@pytest.fixture
def film(face, motions, ramp_wav):
    """The film's scene with tiny heads and tiles."""
    scene = demo_film.open_film(face, motions, ramp_wav(seconds=NUM_FRAMES / 25), TILE)
    scene.cycles.samples = 16  # noise must not be what makes tiles differ
    return scene


def test_every_head_of_the_film_is_one_of_its_own(film):
    rigs = [rig_of(head) for head in heads_in(film)]
    assert len(rigs) == len(EMOTIONS)
    for parts in (
        {rig.mesh.data for rig in rigs},
        {rig.armature for rig in rigs},
        {rig.mesh.data.shape_keys for rig in rigs},
        {rig.mesh.emote.takes[0].action for rig in rigs},
    ):
        assert len(parts) == len(EMOTIONS)
    assert {rig.mesh.emote.takes[0].line for rig in rigs} == set(EMOTIONS)


def test_the_film_lasts_as_long_as_its_motions_and_has_one_sound(film):
    assert (film.frame_start, film.frame_end) == (1, NUM_FRAMES)
    assert len(sound_strips(film)) == 1


def test_heads_stand_in_the_camera_s_view_in_the_order_of_the_emotions(film):
    from bpy_extras.object_utils import world_to_camera_view

    bpy.context.view_layer.update()
    for number, emotion in enumerate(EMOTIONS):
        head = film.objects[emotion.title()]
        row, column = divmod(number, demo_film.NUM_COLUMNS)
        place = world_to_camera_view(film, film.camera, head.matrix_world.translation)
        assert int(place.x * demo_film.NUM_COLUMNS) == column
        assert int((1 - place.y) * 2) == row


@pytest.fixture
def video(film, tmp_path):
    """The film as a video file."""
    demo_film.render_video(film, tmp_path / "film.mp4")
    return tmp_path / "film.mp4"


def test_the_video_has_every_frame_a_sound_and_eight_tiles_that_differ(video):
    import aud

    sound: Any = aud.Sound
    assert sound(str(video)).specs[1] > 0  # channels; aud.error without a stream of sound
    image = bpy.data.images.load(str(video))
    width, height = TILE
    num_rows = len(EMOTIONS) // demo_film.NUM_COLUMNS
    assert (image.frame_duration, *image.size) == (NUM_FRAMES, width * demo_film.NUM_COLUMNS, height * num_rows)
    values: Any = image.pixels
    pixels = np.array(values[:]).reshape(num_rows, height, demo_film.NUM_COLUMNS, width, 4)
    faces = pixels[:, height // 6 :].swapaxes(1, 2).reshape(len(EMOTIONS), -1)  # rows count from below: no labels
    for first in range(len(faces)):
        for second in range(first):
            # Measured: 0.13 and more; 0.02 and less where all heads hold the same face.
            assert np.abs(faces[first] - faces[second]).mean() > 0.05, (first, second)
