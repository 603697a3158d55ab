"""The face landmarker, where it was made (`build.py test` makes it, if its package can be had)."""

import pytest
from face_videos import require_landmarker

from emote_blender.capture.video.landmarker import Landmarker


@pytest.fixture(scope="session")
def landmarker() -> Landmarker:
    folder = require_landmarker()
    return Landmarker(folder)
