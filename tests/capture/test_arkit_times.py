"""Times of Live Link Face: rates, timecodes, drop-outs, where a motion begins."""

import numpy as np
import pytest
from arkit_motions import values_of, write

from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion
from emote_blender.retarget.signals import signals_of
from tests.live_link import COLUMNS, live_link_csv, recorded


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


def test_timecodes_go_on_past_an_hour(tmp_path):
    from emote_blender.capture.clock import format_timecode

    assert format_timecode(3725.25) == "01:02:05:15.000"
    assert format_timecode(1 / 24) == "00:00:00:02.500"
    assert format_timecode(0.99999) == "00:00:00:59.999"
    assert format_timecode(0.999995) == "00:00:01:00.000"
