"""Text recordings of Face Cap and iFacialMocap."""

import numpy as np
import pytest

from emote_blender.capture.motion_files import load_motion
from emote_blender.errors import InputError
from emote_blender.retarget.signals import signals_of
from tests.live_link import SHAPES, recorded


def app_name(title):
    """A shape's name as both apps write it: mouthSmile_L, but mouthLeft and jawRight."""
    name = title[0].lower() + title[1:]
    if name in ("mouthLeft", "mouthRight", "jawLeft", "jawRight"):
        return name
    return name.replace("Left", "_L").replace("Right", "_R")


def face_cap(values, angles, times_ms):
    lines = ["info,take 1", "bs," + ",".join(map(app_name, SHAPES))]
    for time, row, turn in zip(times_ms, values, angles, strict=True):
        cells = [time, 1, 2, 3, *turn, *row]
        lines.append("k," + ",".join(str(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def ifacialmocap(values):
    lines = []
    for row in values:
        shapes = "|".join(f"{app_name(title)}-{value:.0f}" for title, value in zip(SHAPES, row, strict=True))
        lines.append(f"{shapes}|=head#10.0,-20.0,5.0,0.1,0.2,0.3|rightEye#1,2,3|leftEye#4,5,6|")
    return "\n".join(lines) + "\n"


def test_face_cap_is_read(tmp_path):
    values = recorded(50)[:, : len(SHAPES)]
    angles = np.tile([10.0, 350.0, 0.0, 1.0, 2.0, 3.0, 4.0], (50, 1))
    path = tmp_path / "FC_take.txt"
    path.write_text(face_cap(values, angles, [round(1000 * frame / 60) for frame in range(50)]))
    motion = load_motion(path)
    assert (motion.num_frames, motion.fps) == (50, 60)
    signals = signals_of(motion)
    for column, title in enumerate(SHAPES):
        np.testing.assert_allclose(signals[title[0].lower() + title[1:]], values[:, column], atol=2e-6, err_msg=title)
    # 10 degrees down, and 350 degrees to the right: 10 to the left.
    assert motion.neck[0] == pytest.approx([np.radians(10), np.radians(10), 0], abs=0.02)


def test_face_cap_without_names_is_refused(tmp_path):
    path = tmp_path / "FC_take.txt"
    path.write_text("info,take 1\nk,0,1,2,3,4,5,6,7,8,9,10,0.5\n")
    with pytest.raises(InputError, match="names none of ARKit's blend shapes"):
        load_motion(path)


def test_ifacialmocap_is_read(tmp_path):
    values = np.round(100 * recorded(20)[:, : len(SHAPES)])
    path = tmp_path / "take.txt"
    path.write_text(ifacialmocap(values))
    motion = load_motion(path)
    assert (motion.num_frames, motion.fps) == (20, 60)
    signals = signals_of(motion)
    for column, title in enumerate(SHAPES):
        np.testing.assert_allclose(signals[title[0].lower() + title[1:]], values[:, column] / 100, atol=1e-6)
    assert motion.neck[0, 0] > 0.1
    assert motion.neck[0, 1] > 0.3  # y is -20 degrees: to the left


def test_a_frame_of_ifacialmocap_without_all_shapes_is_bridged(tmp_path):
    values = np.full((5, len(SHAPES)), 50.0)
    lines = ifacialmocap(values).splitlines()
    lines[2] = lines[2].split("|", 5)[-1]
    path = tmp_path / "take.txt"
    path.write_text("\n".join(lines))
    notes: list[str] = []
    motion = load_motion(path, warn=notes.append)
    assert "1 row has no usable values" in " ".join(notes)
    np.testing.assert_allclose(signals_of(motion)["jawOpen"], 0.5, atol=1e-6)
