"""The picture of a mix in the panel."""

import numpy as np
import pytest

from emote_blender.blender.ui import mix_picture
from emote_blender.emotion import EMOTIONS, one_hot

pytestmark = pytest.mark.ends


def pixels(weights, amount):
    """The pixels of a picture."""
    key = mix_picture._key(np.asarray(weights), amount)
    mix_picture.make_picture(key)
    image = mix_picture._previews[str(key)]
    return np.array(image.image_pixels_float[:])


def test_every_emotion_has_a_picture_of_its_own(addon):
    pictures = [pixels(one_hot(name), 1.0) for name in EMOTIONS]
    for index, picture in enumerate(pictures):
        for other in pictures[:index]:
            assert np.abs(picture - other).mean() > 1e-3


def test_a_stronger_mix_is_further_from_neutral(addon):
    neutral = pixels(one_hot("neutral"), 1.0)
    mix = (one_hot("happy") + one_hot("surprise")) / 2
    mild, strong = (np.abs(pixels(mix, amount) - neutral).mean() for amount in (0.3, 1.5))
    assert 0 < mild < strong


def test_drawing_makes_no_picture(scene, head):
    head.emote.emotion, head.emote.amount = "FEAR", 1.3
    before = list(mix_picture._previews)
    mix_picture.mix_icon(head.emote)
    assert list(mix_picture._previews) == before


def test_pictures_are_bounded(addon, monkeypatch):
    monkeypatch.setattr(mix_picture, "_MOST_PICTURES", 8)
    for amount in np.linspace(0, 2, 3):
        for name in EMOTIONS[1:5]:
            mix_picture.make_picture(mix_picture._key(one_hot(name), amount))
    assert len(mix_picture._previews) <= mix_picture._MOST_PICTURES


@pytest.mark.parametrize("emotion", EMOTIONS[1:])
def test_the_faces_name_components_of_the_open_head(open_head, emotion):
    for name in mix_picture.face_of(emotion):
        assert any(name + side in open_head.expression_names for side in ("", "Left", "Right"))
