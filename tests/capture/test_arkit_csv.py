"""CSV of Live Link Face: exact round trip, variants of other programs, drop-outs, bad input."""

import re
import tracemalloc

import numpy as np
import pytest

from emote_blender.capture.motion_files import load_motion, save_motion
from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion
from emote_blender.retarget.signals import signals_of
from tests.live_link import ANGLES, COLUMNS, SHAPES, live_link_csv, recorded, table_of, timecode


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


def write(motion, tmp_path, **options):
    save_motion(motion, tmp_path / "written.csv", **options)
    return (tmp_path / "written.csv").read_text(encoding="ascii")


def values_of(motion):
    """(T, 52) the shapes of a motion in the order of a file."""
    signals = signals_of(motion)
    return np.stack([signals[name[0].lower() + name[1:]] for name in SHAPES], axis=1)


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


def angles_csv(**angles):
    columns = ["JawOpen", *angles]
    return live_link_csv(np.array([[0.0, *angles.values()]] * 2), columns=columns)


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


# Times


def test_an_even_recording_is_not_resampled(read):
    motion = read(live_link_csv(recorded(60)))
    assert (motion.num_frames, motion.fps) == (60, 60)
    assert read.notes == []


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60, 120])
def test_timecodes_of_any_rate_that_was_written_are_read(read, tmp_path, fps):
    motion = read(live_link_csv(recorded(150)))
    text = write(FaceMotion(motion.expression, motion.jaw, fps, meta=motion.meta), tmp_path)
    again = read(text)
    assert (again.fps, again.num_frames) == (fps, 150)


def test_timecodes_that_count_frames_of_another_rate_are_seen_where_a_second_begins(read):
    """As SMPTE counts: 24 frames, then the next second."""
    given = recorded(60)
    lines = live_link_csv(given).splitlines()
    for frame in range(60):
        _, rest = lines[1 + frame].split(",", 1)
        lines[1 + frame] = f"01:00:{frame // 24:02d}:{frame % 24:02d},{rest}"
    motion = read("\n".join(lines))
    assert (motion.fps, motion.num_frames) == (24, 60)


def test_a_recording_at_30_fps_with_timecodes_in_sixtieths_is_read_at_30_fps(read):
    """As the app writes it: steps of 1.9995 sixtieths."""
    times = 47591.53 + np.arange(200) * 1.9995 / 60
    motion = read(live_link_csv(recorded(200), times))
    assert (motion.fps, motion.num_frames) == (30, 200)
    assert read.notes == []


def test_a_slow_clock_of_a_long_recording_does_not_drift(read):
    times = 47591.53 + np.arange(20000) * 1.9995 / 60
    given = np.tile(recorded(1, 5), (20000, 1))[:, :3]
    motion = read(live_link_csv(given, times, COLUMNS[:3]))
    assert motion.num_frames == 20000
    assert motion.duration_seconds == pytest.approx(20000 * 1.9995 / 60, abs=0.02)


def test_dropped_frames_are_interpolated_at_their_times(read):
    ramp = np.linspace(0, 1, 61)[:, None].astype(np.float32)
    kept = np.delete(np.arange(61), [10, 11, 12, 40])
    text = live_link_csv(ramp[kept], 100 + kept / 60, ["MouthFunnel"])
    motion = read(text)
    assert motion.num_frames == 61
    funnel = signals_of(motion)["mouthFunnel"]
    np.testing.assert_allclose(funnel, ramp[:, 0], atol=1e-3)  # thousandths of a sixtieth
    assert "frames are missing" in read.notes[0]
    assert "0.07 s" in read.notes[0]


def test_repeated_frames_are_left_out(read):
    ramp = np.linspace(0, 1, 31)[:, None].astype(np.float32)
    order = np.sort(np.concatenate([np.arange(31), [5, 5, 20]]))
    motion = read(live_link_csv(ramp[order], 100 + order / 60, ["MouthFunnel"]))
    assert motion.num_frames == 31
    np.testing.assert_allclose(signals_of(motion)["mouthFunnel"], ramp[:, 0], atol=1e-6)
    assert "3 rows that repeat a time" in read.notes[-1]


def test_rows_where_the_app_lost_the_face_are_bridged(read):
    ramp = np.linspace(0, 1, 31)[:, None].astype(np.float32)
    lines = live_link_csv(ramp, columns=["MouthFunnel"]).splitlines()
    lines[12] = lines[12].split(",")[0] + ",0"
    lines[13] = lines[13].split(",")[0] + ",0,"
    motion = read("\n".join(lines))
    np.testing.assert_allclose(signals_of(motion)["mouthFunnel"], ramp[:, 0], atol=1e-3)
    assert "2 rows have no usable values" in read.notes[0]
    assert "line 13" in read.notes[0]


def test_a_recording_over_midnight_goes_on(read):
    times = 86399.5 + np.arange(60) / 60
    motion = read(live_link_csv(recorded(60), times % 86400))
    assert (motion.num_frames, motion.fps) == (60, 60)
    assert read.notes == []


def test_another_frame_rate_can_be_asked_for(read):
    ramp = np.linspace(0, 1, 61)[:, None].astype(np.float32)
    motion = read(live_link_csv(ramp, columns=["MouthFunnel"]), fps=24)
    assert (motion.fps, motion.num_frames) == (24, 25)
    np.testing.assert_allclose(signals_of(motion)["mouthFunnel"], np.linspace(0, 1, 25), atol=1e-6)


@pytest.mark.parametrize("start", ["0.5", "0,5", "13:04:31:30.000"])
def test_a_motion_can_begin_where_the_sound_does(read, start):
    ramp = np.linspace(0, 1, 61)[:, None].astype(np.float32)
    motion = read(live_link_csv(ramp, columns=["MouthFunnel"]), start=start)
    assert motion.num_frames == 31
    np.testing.assert_allclose(signals_of(motion)["mouthFunnel"], ramp[30:, 0], atol=1e-6)


def test_a_sound_that_begins_before_the_recording_shows_the_first_pose_until_then(read):
    ramp = np.linspace(0.5, 1, 31)[:, None].astype(np.float32)
    motion = read(live_link_csv(ramp, columns=["MouthFunnel"]), start="-0.25")
    assert motion.num_frames == 46
    np.testing.assert_allclose(signals_of(motion)["mouthFunnel"][:16], 0.5, atol=1e-6)


def test_a_start_after_the_end_is_refused(read):
    with pytest.raises(InputError, match=r"ends 9\.\d+ s before the start that was asked for"):
        read(live_link_csv(recorded(60)), start="10")


def test_a_timecode_as_start_counts_as_those_of_the_file(read):
    lines = live_link_csv(np.linspace(0, 1, 49)[:, None], columns=["MouthFunnel"]).splitlines()
    for frame in range(49):
        lines[1 + frame] = f"01:00:{frame // 24:02d}:{frame % 24:02d},{lines[1 + frame].split(',', 1)[1]}"
    motion = read("\n".join(lines), start="01:00:01:12")
    assert signals_of(motion)["mouthFunnel"][0] == pytest.approx(0.75, abs=1e-6)


def test_a_start_after_midnight_is_on_the_next_day(read):
    times = (86399.5 + np.arange(61) / 60) % 86400
    motion = read(live_link_csv(np.linspace(0, 1, 61)[:, None], times, ["MouthFunnel"]), start="00:00:00:15")
    assert signals_of(motion)["mouthFunnel"][0] == pytest.approx(0.75, abs=1e-5)


def test_a_start_long_before_the_recording_is_refused(read):
    with pytest.raises(InputError, match="begins 100000 s after the start that was asked for"):
        read(live_link_csv(recorded(3)), start="-100000")


def test_a_damaged_time_that_would_make_days_of_frames_is_refused(read):
    times = np.append(100 + np.arange(50) / 60, 90 * 3600.0)
    with pytest.raises(InputError, match=r"span 90\.0 hours .* or give the frame rate") as refused:
        read(live_link_csv(recorded(51), times))
    assert "take.csv" in str(refused.value)
    assert read(live_link_csv(recorded(51), times), recorded_fps=60).num_frames == 51


def test_what_is_no_time_is_refused_as_start(read):
    with pytest.raises(InputError, match="a start is seconds or a timecode"):
        read(live_link_csv(recorded(3)), start="soon")


def test_times_that_stand_still_are_not_used(read):
    motion = read(live_link_csv(recorded(30), np.full(30, 100.0)))
    assert (motion.num_frames, motion.fps) == (30, 60)
    assert "do not advance" in read.notes[0]


def test_the_rate_of_the_recording_can_be_given_in_place_of_its_times(read):
    motion = read(live_link_csv(recorded(30), np.full(30, 100.0)), recorded_fps=25)
    assert (motion.num_frames, motion.fps) == (30, 25)
    assert read.notes == []


def test_one_frame_is_a_motion(read):
    given = recorded(1)
    motion = read(live_link_csv(given))
    assert motion.num_frames == 1
    np.testing.assert_allclose(values_of(motion), given[:, :52], rtol=1e-6)


# Variants


def variant_semicolons(text):
    return text.replace(",", ";").replace(".", ",")


def variant_quoted_decimal_commas(text):
    head, *rows = text.splitlines()
    return "\n".join([head, *(",".join(f'"{cell.replace(".", ",")}"' for cell in row.split(",")) for row in rows)])


def variant_tabs(text):
    return text.replace(",", "\t")


def variant_mark_and_windows_lines(text):
    return ("\ufeff" + text).replace("\n", "\r\n")


def variant_old_mac_lines(text):
    return text.replace("\n", "\r")


def variant_camel_case(text):
    return re.sub(r"(?<=,)[A-Z](?=[a-z]\w*[,\n])", lambda found: found[0].lower(), text)


def variant_sides_as_letters(text):
    head, rest = text.split("\n", 1)
    head = re.sub(r"(?<!Mouth)(?<!Jaw)(Left|Right)(?=,|$)", lambda found: "_" + found[0][0], head)
    return f"{head}\n{rest}"


def variant_snake_case_with_prefix(text):
    head, rest = text.split("\n", 1)
    return ",".join("Face." + re.sub(r"(?<!^)(?=[A-Z])", "_", title).lower() for title in head.split(",")) + "\n" + rest


def variant_other_order(text):
    rows = [line.split(",") for line in text.splitlines()]
    order = np.random.default_rng(8).permutation(len(rows[0]))
    return "\n".join(",".join(row[column] for column in order) for row in rows)


def variant_extra_columns(text):
    head, *rows = text.splitlines()
    return "\n".join([head + ",Confidence,Device", *(row + ",0.9,iPhone" for row in rows)])


def variant_spaces_and_blank_lines(text):
    return "\n\n" + text.replace(",", " , ").replace("\n", "\n\n")


def variant_title_line(text):
    return "# take 3 of MySlate\n" + text


def variant_per_cent(text):
    head, *rows = text.splitlines()
    scaled = []
    for row in rows:
        cells = row.split(",")
        shapes = [f"{100 * float(cell):.8f}" for cell in cells[2:54]]
        scaled.append(",".join([*cells[:2], *shapes, *cells[54:]]))
    return "\n".join([head, *scaled])


def variant_per_cent_signs(text):
    head, *rows = text.splitlines()
    return "\n".join(
        [
            head,
            *(",".join([*row.split(",")[:2], *(f"{100 * float(c):.8f}%" for c in row.split(",")[2:])]) for row in rows),
        ]
    )


def variant_degrees(text):
    head, *rows = text.splitlines()
    turned = []
    for row in rows:
        cells = row.split(",")
        turned.append(",".join([*cells[:54], *(f"{np.degrees(float(cell)):.8f}" for cell in cells[54:])]))
    return "\n".join([head, *turned])


def variant_other_count_title(text):
    return text.replace("BlendShapeCount", "BlendshapeCount")


def timed(title, unit, first=0.0):
    def change(text):
        head, *rows = text.splitlines()
        times = [f"{(first + frame / 60) / unit:.6f}" for frame in range(len(rows))]
        rows = [",".join([time, *row.split(",")[1:]]) for time, row in zip(times, rows, strict=True)]
        return "\n".join([head.replace("Timecode", title), *rows])

    return change


VARIANTS = {
    "semicolons": variant_semicolons,
    "quoted decimal commas": variant_quoted_decimal_commas,
    "tabs": variant_tabs,
    "mark and Windows lines": variant_mark_and_windows_lines,
    "old Mac lines": variant_old_mac_lines,
    "camel case": variant_camel_case,
    "sides as letters": variant_sides_as_letters,
    "snake case with prefix": variant_snake_case_with_prefix,
    "other order": variant_other_order,
    "extra columns": variant_extra_columns,
    "spaces": variant_spaces_and_blank_lines,
    "title line": variant_title_line,
    "per cent": variant_per_cent,
    "per cent signs": variant_per_cent_signs,
    "degrees": variant_degrees,
    "other count title": variant_other_count_title,
    "seconds": timed("Time", 1.0),
    "seconds with unit": timed("Time (s)", 1.0, 1000.0),
    "Unix seconds": timed("timestamp", 1.0, 1.7e9),
    "milliseconds": timed("TimeMs", 1e-3),
    "milliseconds without unit": timed("timestamp", 1e-3, 5.0),
    "nanoseconds": timed("timestamp_ns", 1e-9),
    "frame numbers": timed("Frame", 1 / 60),
    "no time": lambda text: "\n".join(line.split(",", 1)[1] for line in text.splitlines()),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_of_the_table_are_read_alike(read, name):
    given = recorded(70)
    plain = live_link_csv(given)
    motion = read(VARIANTS[name](plain))
    assert (motion.num_frames, motion.fps) == (70, 60), read.notes
    np.testing.assert_allclose(values_of(motion), given[:, :52], atol=2e-6)
    np.testing.assert_allclose(motion.neck, read(plain).neck, atol=2e-6)
    np.testing.assert_allclose(motion.eye_offsets, read(plain).eye_offsets, atol=2e-6)


def test_utf_16_of_a_spreadsheet_is_read(read):
    given = recorded(3)
    np.testing.assert_allclose(values_of(read(live_link_csv(given), encoding="utf-16")), given[:, :52], rtol=1e-6)


def test_missing_columns_are_zero(read):
    motion = read(live_link_csv(np.array([[0.5], [0.5]]), columns=["JawOpen"]))
    signals = signals_of(motion)
    assert signals["jawOpen"] == pytest.approx([0.5, 0.5])
    assert all((values == 0).all() for name, values in signals.items() if name != "jawOpen")
    assert motion.neck is None
    assert motion.eyes is None
    assert motion.eye_offsets is None


def test_columns_that_are_not_used_are_named(read):
    read(variant_extra_columns(live_link_csv(recorded(2))))
    assert read.notes == ["take.csv: columns that are not used: Confidence, Device"]


def test_a_quiet_face_is_not_taken_for_per_cent(read):
    given = recorded(20) * 0.01
    np.testing.assert_allclose(values_of(read(live_link_csv(given))), given[:, :52], atol=1e-8)


def test_a_phone_on_its_side_does_not_make_degrees_of_radians(read):
    assert np.linalg.norm(read(angles_csv(HeadRoll=-1.571)).neck[0]) == pytest.approx(1.571, abs=1e-5)


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


def test_timecodes_go_on_past_an_hour(tmp_path):
    from emote_blender.capture.clock import format_timecode

    assert format_timecode(3725.25) == "01:02:05:15.000"
    assert format_timecode(1 / 24) == "00:00:00:02.500"
    assert format_timecode(0.99999) == "00:00:00:59.999"
    assert format_timecode(0.999995) == "00:00:01:00.000"
