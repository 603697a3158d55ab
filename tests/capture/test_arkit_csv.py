"""CSV of Live Link Face: exact round trip, directions, bad input."""

import re
import tracemalloc

import numpy as np
import pytest
from arkit_motions import write

from emote_blender.capture.motion_files import load_motion, save_motion
from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion
from tests.live_link import ANGLES, COLUMNS, SHAPES, angles_csv, live_link_csv, recorded, table_of, timecode

# Round trip


def test_all_61_columns_come_back_at_the_precision_of_float32(read, tmp_path):
    given = recorded(90)
    titles, times, values = table_of(write(read(live_link_csv(given)), tmp_path))
    assert titles == ["Timecode", "BlendShapeCount", *COLUMNS]
    np.testing.assert_allclose(values[:, : len(SHAPES)], given[:, : len(SHAPES)], rtol=2**-22, atol=1e-10)
    np.testing.assert_allclose(values[:, len(SHAPES) :], given[:, len(SHAPES) :], atol=5e-7)
    assert times[:3] == ["00:00:00:00.000", "00:00:00:01.000", "00:00:00:02.000"]
    assert times[60] == "00:00:01:00.000"


def test_a_second_round_trip_changes_nothing(read, tmp_path):
    first = write(read(live_link_csv(recorded(20))), tmp_path)
    np.testing.assert_allclose(table_of(write(read(first), tmp_path))[2], table_of(first)[2], atol=2e-7)


def test_values_beyond_the_range_of_a_slider_are_kept(read, tmp_path):
    given = recorded(4)
    given[:, SHAPES.index("MouthSmileLeft")] = [-0.1, 1.3, 2.0, 0.0]
    np.testing.assert_allclose(
        table_of(write(read(live_link_csv(given)), tmp_path))[2][:, :52], given[:, :52], rtol=1e-6
    )


def test_eyes_without_eye_look_turn_by_their_angles_and_come_back(read, tmp_path):
    columns = ["JawOpen", *ANGLES]
    given = np.random.default_rng(3).uniform(-0.5, 0.5, (10, len(columns)))
    motion = read(live_link_csv(given, columns=columns))
    assert motion.eyes is not None
    assert motion.eye_offsets is None
    np.testing.assert_allclose(table_of(write(motion, tmp_path))[2][:, len(SHAPES) :], given[:, 1:], atol=5e-7)


# Directions, as recordings of the app show them


def test_a_positive_head_pitch_nods_down(read):
    np.testing.assert_allclose(read(angles_csv(HeadPitch=0.3)).neck[0], [0.3, 0, 0], atol=1e-6)


def test_a_positive_head_yaw_turns_to_the_characters_right(read):
    np.testing.assert_allclose(read(angles_csv(HeadYaw=0.3)).neck[0], [0, -0.3, 0], atol=1e-6)


def test_a_positive_head_roll_tilts_to_the_characters_left(read):
    np.testing.assert_allclose(read(angles_csv(HeadRoll=0.3)).neck[0], [0, 0, -0.3], atol=1e-6)


def test_head_angles_turn_in_the_order_yaw_pitch_roll(read):
    from scipy.spatial.transform import Rotation

    expected = Rotation.from_euler("YXZ", [-0.5, 0.4, -0.3])  # about the face's own up, left and front axis
    neck = read(angles_csv(HeadYaw=0.5, HeadPitch=0.4, HeadRoll=0.3)).neck[0]
    np.testing.assert_allclose(neck, expected.as_rotvec(), atol=1e-6)


def test_eyes_turn_the_way_that_eye_look_says(tmp_path):
    """The angles written for eyeLook... have the signs that recordings of the app have."""
    for name, column, sign in (
        ("EyeLookOutLeft", "LeftEyeYaw", -1),
        ("EyeLookInLeft", "LeftEyeYaw", 1),
        ("EyeLookInRight", "RightEyeYaw", -1),
        ("EyeLookOutRight", "RightEyeYaw", 1),
        ("EyeLookDownLeft", "LeftEyePitch", 1),
        ("EyeLookUpRight", "RightEyePitch", -1),
    ):
        path = tmp_path / "eyes.csv"
        path.write_text(live_link_csv(np.array([[0.5]]), columns=[name]))
        values = table_of(write(load_motion(path, warn=print), tmp_path))[2]
        assert np.sign(values[0, COLUMNS.index(column)]) == sign, name


# Bad input


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"a,b,c\n1,2,3\n", "has no line that names ARKit's blend shapes"),
        (b"Timecode,BlendShapeCount\n00:00:00:00.000,0\n", "has no line that names"),
        (b"Timecode,BlendShapeCount,HeadYaw\n00:00:00:00.000,1,0.5\n", "names none of ARKit's blend shapes"),
        (live_link_csv(np.empty((0, 61))).encode(), "has no frame with values"),
        (b"Timecode,JawOpen\n00:00:00:00.000,open\n", "has no frame with values; line 2 has 'open' as jawOpen"),
        (b"Timecode,JawOpen\n00:00:00:00.000,nan\n00:00:00:01.000,nan\n", "line 2 has 'nan' as jawOpen"),
        (b"Timecode,JawOpen\n00:00:00:00.000,inf\n", "line 2 has 'inf' as jawOpen"),
        (b"Timecode,JawOpen\n00:00:00:00.000,1e39\n", "line 2 has '1e39' as jawOpen"),
        (b"Timecode,JawOpen\nlater,0.5\n", "line 2 has no time in 'Timecode'"),
        (b"Timecode,JawOpen\n00:00:00:00.000\n", "line 2 has 1 values for 2 columns"),
        (b"Timecode,JawOpen,MouthClose\n00:00:00:00,0,5,0,5\n", "line 2 has 5 values for 3 columns"),
        (b"PK\x03\x04" + bytes(60), "is a zip file"),
        (bytes(range(256)) * 50, "is not a text file"),
        (b"Timecode,JawOpen\n" + b"00:00:00:00.000,0.1\n" * 300 + b"\0\0\0", "is not text"),
        (b"Timecode,JawOpen\n" + b"1" * 70000, "is longer than 65536 characters"),
        (b"x" * 5000, "has no line that names"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_bad_files_are_refused_with_one_sentence(read, content, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)) as refused:
        read(content)
    assert "\n" not in str(refused.value)


def test_a_line_of_a_gigabyte_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"Timecode,JawOpen\n1")
        file.truncate(1 << 30)  # a hole: no space is used
    tracemalloc.start()
    with pytest.raises(InputError):
        load_motion(path)
    assert tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError):
            load_motion(path)


@pytest.mark.once
def test_ten_thousand_frames_take_memory_for_their_values_alone(tmp_path):
    """61 float32 values and a time per frame; the text is five times as large."""
    rows = live_link_csv(recorded(1000), np.zeros(1000)).split("\n", 1)
    bodies = [line.split(",", 1)[1] for line in rows[1].splitlines()]
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write(rows[0] + "\n")
        for frame in range(10_000):
            file.write(f"{timecode(frame / 60)},{bodies[frame % 1000]}\n")
    tracemalloc.start()
    motion = load_motion(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (motion.num_frames, motion.fps) == (10_000, 60)
    values = 10_000 * 63 * 4
    assert peak < 8 * values, f"{peak / values:.1f} times the values"


def test_a_motion_without_names_is_not_written_as_csv(tmp_path):
    with pytest.raises(InputError, match="have no names"):
        save_motion(FaceMotion(np.zeros((2, 100)), np.zeros((2, 3)), 25), tmp_path / "flame.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_generated_motion_is_written_at_60_fps(tmp_path):
    motion = FaceMotion(
        np.zeros((25, 1)), np.linspace(0, 0.4, 25)[:, None] * (1, 0, 0), 25, meta={"expression_names": ["mouthClose"]}
    )
    _, times, values = table_of(write(motion, tmp_path))
    assert len(values) == 60
    assert times[1] == "00:00:00:01.000"
    np.testing.assert_allclose(values[:58, COLUMNS.index("JawOpen")], np.arange(58) * 25 / 60 / 24, atol=1e-6)
