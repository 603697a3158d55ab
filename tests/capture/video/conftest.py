"""The face landmarker, where it was made (`build.py test` makes it, if its package can be had)."""

import pytest

from emote_blender.capture.video.landmarker import Landmarker, find_landmarker
from emote_blender.errors import ModelError


@pytest.fixture(scope="session")
def landmarker() -> Landmarker:
    try:
        folder = find_landmarker()
    except ModelError:
        pytest.skip("models/face_landmarker is not here; python build.py landmarker makes it")
    return Landmarker(folder)
