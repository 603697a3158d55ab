"""A captured and a spoken motion, mixed by regions; and the offset between picture and sound."""

from dataclasses import replace

import numpy as np
import pytest
from flame_with_mouth import make_flame_with_mouth
from spoken_motions import flame_motion, open_motion

from emote_blender.capture.video.mix import ALL_FROM_VIDEO, Shares, mixed, offset_between
from emote_blender.errors import InputError

NUM_FRAMES = 75
ALWAYS = np.ones(NUM_FRAMES, bool)


@pytest.fixture(scope="module")
def video(open_head):
    motion = open_motion(open_head, NUM_FRAMES, seed=9)
    turn = np.stack([0.2 * np.sin(np.arange(NUM_FRAMES) / 9), 0.3 + np.zeros(NUM_FRAMES), np.zeros(NUM_FRAMES)], axis=1)
    expression = motion.expression + 0.25
    return replace(motion, expression=expression, neck=turn)


@pytest.fixture(scope="module")
def sound(open_head):
    return open_motion(open_head, NUM_FRAMES, seed=2)


@pytest.fixture(scope="module")
def spoken():
    """(T,) gap between lips that speak without a beat, mm."""
    random = np.random.default_rng(4)
    knots = np.cumsum(random.uniform(2.0, 6.0, 40))
    return np.interp(np.arange(NUM_FRAMES), knots, 12.0 * random.random(40) * (np.arange(40) % 2))


def columns(head, *starts) -> list[int]:
    return [number for number, name in enumerate(head.expression_names) if name.startswith(starts)]


def test_the_mouth_is_the_sounds_and_the_rest_the_videos(open_head, video, sound):
    motion = mixed(video, ALWAYS, sound, open_head)
    mouth, rest = columns(open_head, "mouth", "jaw", "tongue"), columns(open_head, "brow", "eye", "cheek", "nose")
    assert len(mouth) + len(rest) == open_head.num_expression
    np.testing.assert_allclose(motion.expression[:, mouth], sound.expression[:, mouth])
    np.testing.assert_allclose(motion.jaw, sound.jaw, atol=1e-6)
    np.testing.assert_allclose(motion.expression[:, rest], video.expression[:, rest], atol=1e-6)
    np.testing.assert_allclose(motion.neck, video.neck, atol=1e-6)


def test_all_from_the_video_is_the_video(open_head, video, sound):
    motion = mixed(video, ALWAYS, sound, open_head, ALL_FROM_VIDEO)
    shown = [number for number in range(open_head.num_expression) if number not in columns(open_head, "tongue")]
    np.testing.assert_allclose(motion.expression[:, shown], video.expression[:, shown], atol=1e-6)
    np.testing.assert_allclose(motion.jaw, video.jaw, atol=1e-6)


def test_half_a_share_is_half_way(open_head, video, sound):
    motion = mixed(video, ALWAYS, sound, open_head, Shares(brows=0.5, head=0.5))
    brows = columns(open_head, "brow")
    half = (video.expression + sound.expression)[:, brows] / 2
    np.testing.assert_allclose(motion.expression[:, brows], half, atol=1e-6)
    angle = np.linalg.norm(motion.neck, axis=1) / np.linalg.norm(video.neck, axis=1)
    np.testing.assert_allclose(angle, 0.5, atol=1e-5)


def test_where_no_face_is_seen_the_sound_has_the_whole_face(open_head, video, sound):
    valid = ALWAYS.copy()
    valid[30:50] = False
    motion = mixed(video, valid, sound, open_head, ALL_FROM_VIDEO)
    np.testing.assert_allclose(motion.expression[30:50], sound.expression[30:50], atol=1e-6)
    np.testing.assert_allclose(motion.neck[30:50], 0.0, atol=1e-6)


def test_the_change_to_the_sound_is_no_jump(open_head, video, sound):
    valid = ALWAYS.copy()
    valid[30:50] = False
    still = replace(sound, expression=0 * sound.expression, jaw=0 * sound.jaw)
    shown = replace(video, expression=1 + 0 * video.expression)
    brow = mixed(shown, valid, still, open_head).expression[:, columns(open_head, "brow")[0]]
    assert brow[10] == pytest.approx(1.0)
    assert np.abs(np.diff(brow)).max() < 0.35


def test_a_video_that_ends_early_leaves_the_rest_to_the_sound(open_head, video, sound):
    short = video.slice(0.0, 1.0)
    motion = mixed(short, np.ones(short.num_frames, bool), sound, open_head, ALL_FROM_VIDEO)
    assert motion.num_frames == sound.num_frames
    np.testing.assert_allclose(motion.expression[30:], sound.expression[30:], atol=1e-6)


def test_the_offset_moves_the_picture_to_the_sound(open_head, video, sound):
    """What is seen 0.2 s after it is heard is taken 0.2 s later from the video."""
    motion = mixed(video, ALWAYS, sound, open_head, offset_seconds=0.2)
    brows = columns(open_head, "brow")
    np.testing.assert_allclose(motion.expression[10:60, brows], video.expression[15:65, brows], atol=1e-6)


def test_components_without_names_are_divided_into_upper_and_lower_face():
    flame = make_flame_with_mouth()
    captured, spoken = flame_motion(flame, NUM_FRAMES, seed=5), flame_motion(flame, NUM_FRAMES, seed=4)
    motion = mixed(captured, ALWAYS, spoken, flame)
    posed, seen, heard = (flame.vertices(part.expression[20], part.jaw[20] * 0) for part in (motion, captured, spoken))
    height = flame.v_template[:, 1]
    eyes, mouth = flame.joints()[3, 1], flame.joints()[3, 1] - 0.08
    brow, chin = (height > eyes + 0.02) & (flame.v_template[:, 2] > 0), (height < mouth) & (flame.v_template[:, 2] > 0)

    def apart(one, other, part):
        return np.linalg.norm(one - other, axis=1)[part].mean()

    assert apart(posed, seen, brow) < 0.5 * apart(heard, seen, brow)
    assert apart(posed, heard, chin) < 0.5 * apart(heard, seen, chin)


def test_components_are_found_by_their_names(open_head, video, sound):
    names = list(open_head.expression_names)[::-1]
    turned = replace(video, expression=video.expression[:, ::-1], meta={**video.meta, "expression_names": names})
    motion, same = (mixed(part, ALWAYS, sound, open_head) for part in (turned, video))
    np.testing.assert_array_equal(motion.expression, same.expression)


def test_motions_of_other_components_are_refused(open_head, video):
    with pytest.raises(InputError, match="convert one of them"):
        mixed(video, ALWAYS, flame_motion(make_flame_with_mouth(), NUM_FRAMES), open_head)


def test_a_share_beyond_one_is_refused():
    with pytest.raises(ValueError, match="brows"):
        Shares(brows=1.5)


@pytest.mark.parametrize("seconds", [-0.32, 0.0, 0.12, 0.4])
def test_the_offset_is_found(spoken, seconds):
    times = np.arange(150) / 50.0  # the video has another rate
    seen = np.interp(times - seconds, np.arange(NUM_FRAMES) / 25, spoken)
    seen = 0.8 * seen + np.random.default_rng(0).normal(0, 0.8, len(seen))
    found = offset_between(seen, np.ones(150, bool), 50.0, spoken, 25.0)
    assert found.seconds == pytest.approx(seconds, abs=0.02)
    assert found.confidence > 0.1


def test_frames_without_a_face_do_not_disturb_the_offset(spoken):
    seen, valid = np.roll(spoken, 3), ALWAYS.copy()
    seen[20:40], valid[20:40] = 40.0, False
    assert offset_between(seen, valid, 25.0, spoken, 25.0).seconds == pytest.approx(0.12, abs=0.02)


def test_lips_that_say_something_else_give_no_confidence(spoken):
    other = np.random.default_rng(3).normal(size=NUM_FRAMES)
    found = offset_between(other, ALWAYS, 25.0, spoken, 25.0)
    assert found.confidence < 0.1


def test_lips_that_rest_have_no_offset(spoken):
    assert offset_between(np.zeros(NUM_FRAMES), ALWAYS, 25.0, spoken, 25.0) is None
