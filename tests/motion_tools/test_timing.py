import numpy as np
import pytest

from emote_blender.motion_tools.timing import frame_to_seconds, frames_per_second, seconds_to_frame


def test_fps_base_divides_the_scene_rate():
    assert frames_per_second(30, 1.001) == pytest.approx(30000 / 1001, rel=1e-12)


@pytest.mark.parametrize("fps, fps_base", [(24, 1.0), (25, 1.0), (30, 1.001), (30, 1.0), (60, 1.0)])
def test_ten_minutes_land_on_the_frame_of_the_clock(fps, fps_base):
    rate = frames_per_second(fps, fps_base)
    assert seconds_to_frame(600.0, rate, frame_start=1) == pytest.approx(1 + 600 * fps / fps_base, abs=1e-6)


def test_frames_and_seconds_are_inverse_for_arrays():
    seconds = np.linspace(-3.0, 4000.0, 500)
    rate = frames_per_second(30, 1.001)
    assert np.allclose(frame_to_seconds(seconds_to_frame(seconds, rate, 17.0), rate, 17.0), seconds, atol=1e-9)


@pytest.mark.parametrize("fps, fps_base", [(0, 1.0), (25, 0.0), (-25, 1.0)])
def test_a_rate_that_is_not_above_zero_is_refused(fps, fps_base):
    with pytest.raises(ValueError, match="above zero"):
        frames_per_second(fps, fps_base)
