"""A reader of texts as captures."""

import pytest

from emote_blender.capture.motion_files import load_motion


class Reader:
    """Reads texts as capture files; what was assumed of the last one is in `notes`."""

    def __init__(self, folder):
        self.folder = folder
        self.notes: list[str] = []

    def __call__(self, text, encoding="utf-8", **options):
        path = self.folder / "take.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        self.notes.clear()
        return load_motion(path, warn=self.notes.append, **options)


@pytest.fixture
def read(tmp_path):
    return Reader(tmp_path)
