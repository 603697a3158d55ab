"""Motions as JSON: exact round trip, JSON of Audio2Face, bad input."""

import json
import re

import numpy as np
import pytest

from emote_blender.capture.motion_files import load_motion, save_motion
from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion
from emote_blender.retarget.signals import signals_of
from tests.live_link import live_link_csv, recorded


@pytest.fixture
def captured(tmp_path):
    path = tmp_path / "take.csv"
    path.write_text(live_link_csv(recorded(40)))
    return load_motion(path)


def write_json(tmp_path, **changes):
    content = {"fps": 30, "names": ["jawOpen", "headYaw"], "frames": [[0.5, 0.1], [0.25, 0.2]], **changes}
    path = tmp_path / "motion.json"
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))
    return path


def test_a_motion_comes_back_from_json(captured, tmp_path):
    save_motion(captured, tmp_path / "take.json")
    back = load_motion(tmp_path / "take.json")
    np.testing.assert_allclose(back.expression, captured.expression, rtol=2**-22)
    np.testing.assert_allclose(back.jaw, captured.jaw, rtol=2**-21, atol=1e-9)
    np.testing.assert_allclose(back.neck, captured.neck, atol=3e-7)
    np.testing.assert_allclose(back.eye_offsets, captured.eye_offsets, atol=3e-7)
    assert (back.fps, back.meta) == (captured.fps, captured.meta)


def test_components_beyond_arkit_are_kept(tmp_path):
    motion = FaceMotion(np.full((3, 1), 0.25), np.zeros((3, 3)), 25, meta={"expression_names": ["tongueUp"]})
    save_motion(motion, tmp_path / "tongue.json")
    back = load_motion(tmp_path / "tongue.json")
    assert back.fps == 25
    np.testing.assert_array_equal(signals_of(back)["tongueUp"], np.full(3, 0.25, np.float32))


def test_json_that_was_written_is_json_of_plain_numbers(captured, tmp_path):
    save_motion(captured, tmp_path / "take.json", fps=30)
    content = json.loads((tmp_path / "take.json").read_text(encoding="utf-8"))
    assert content["format"] == "emote-motion"
    assert content["fps"] == 30
    assert len(content["frames"]) == 20
    assert {len(row) for row in content["frames"]} == {len(content["names"])} == {61}


def test_json_of_audio2face_is_read(tmp_path):
    path = tmp_path / "a2f.json"
    path.write_text(
        json.dumps(
            {
                "exportFps": 30.0,
                "numPoses": 2,
                "numFrames": 2,
                "facsNames": ["eyeBlinkLeft", "jawOpen"],
                "weightMat": [[0.0, 0.5], [1.0, 0.25]],
            }
        )
    )
    signals = signals_of(load_motion(path))
    np.testing.assert_allclose(signals["jawOpen"], [0.5, 0.25])
    np.testing.assert_allclose(signals["eyeBlinkLeft"], [0, 1])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fps": ...}, "has no 'fps'"),
        ({"names": ...}, "has no 'names'"),
        ({"frames": ...}, "has no 'frames'"),
        ({"fps": 0}, "fps must be a number from 1 to 1000, found 0"),
        ({"fps": True}, "fps must be a number from 1 to 1000, found True"),
        ({"fps": float("nan")}, "fps must be a number from 1 to 1000, found nan"),
        ({"fps": "30"}, "fps must be a number from 1 to 1000, found '30'"),
        ({"names": "jawOpen"}, "names must be a list of texts"),
        ({"names": [1, 2]}, "names must be a list of texts"),
        ({"names": ["jawOpen", "JawOpen"]}, "names jawOpen twice"),
        ({"names": ["a", "b"]}, "names none of ARKit's blend shapes"),
        ({"frames": {}}, "frames must be a list of lists"),
        ({"frames": []}, "has no frame with values"),
        ({"frames": [[1]]}, "frame 0 must be a list of 2 numbers, found 1 values"),
        ({"frames": [[0, 0], 5]}, "frame 1 must be a list of 2 numbers, found int"),
        ({"frames": [["0", 0]]}, "frame 0 holds something else than numbers"),
        ({"frames": [[True, 0]]}, "frame 0 holds something else than numbers"),
        ({"frames": [[float("nan"), 0]]}, "frame 0 holds NaN"),
        ({"frames": [[float("inf"), 0]]}, "frame 0 holds NaN"),
        ({"frames": [[10**400, 0]]}, "frame 0 holds NaN"),
        ({"format": "emote-motion", "version": 2}, "has version 2 of the format; update EMOTE"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_bad_json_is_refused_with_one_sentence(tmp_path, changes, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        load_motion(write_json(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "[" * 100000, "\0", '{"fps": ' + "9" * 5000 + "}"])
def test_text_that_is_no_such_json_is_refused(tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InputError):
        load_motion(path)
