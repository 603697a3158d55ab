import numpy as np
import pytest

from emote_blender.motion_tools.timing import frame_to_seconds, frames_per_second


def test_fps_base_divides_the_scene_rate():
    assert frames_per_second(30, 1.001) == pytest.approx(30000 / 1001, rel=1e-12)


@pytest.mark.parametrize("fps, fps_base", [(24, 1.0), (25, 1.0), (30, 1.001), (30, 1.0), (60, 1.0)])
def test_a_frame_ten_minutes_on_is_at_the_time_of_the_clock(fps, fps_base):
    rate = frames_per_second(fps, fps_base)
    frames = 1 + np.array([0.0, 600.0 * fps / fps_base])
    assert np.allclose([frame_to_seconds(frame, rate, 1.0) for frame in frames], [0.0, 600.0], atol=1e-9)


@pytest.mark.parametrize("fps, fps_base", [(0, 1.0), (25, 0.0), (-25, 1.0)])
def test_a_rate_that_is_not_above_zero_is_refused(fps, fps_base):
    with pytest.raises(ValueError, match="above zero"):
        frames_per_second(fps, fps_base)
