"""A raw take comes back from its bytes, rounded to float16."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emote_blender.motion import FaceMotion
from emote_blender.motion_tools.raw_take import CapturedFace, Prosody, RawTake


def make_take(num_frames: int = 50) -> RawTake:
    rng = np.random.default_rng(0)
    emotional = FaceMotion(
        rng.normal(size=(num_frames, 5)),
        rng.normal(size=(num_frames, 3)),
        25.0,
        meta={"model": "tiny"},
    )
    neutral = FaceMotion(rng.normal(size=(num_frames, 5)), rng.normal(size=(num_frames, 3)), 25.0)
    return RawTake(emotional, neutral, Prosody(rng.uniform(-60, 0, num_frames), rng.uniform(80, 300, num_frames)))


def test_a_take_comes_back_rounded_to_float16():
    take = make_take()
    back = RawTake.from_bytes(take.to_bytes())
    assert back.emotional.meta == take.emotional.meta
    assert back.emotional.fps == 25.0
    for found, given in (
        (back.emotional.expression, take.emotional.expression),
        (back.neutral.jaw, take.neutral.jaw),
        (back.prosody.pitch_hz, take.prosody.pitch_hz),
    ):
        np.testing.assert_array_equal(found, given.astype(np.float16).astype(np.float32))


def test_rounding_happens_once():
    once = RawTake.from_bytes(make_take().to_bytes())
    twice = RawTake.from_bytes(once.to_bytes())
    np.testing.assert_array_equal(once.emotional.expression, twice.emotional.expression)


def test_a_take_without_neutral_rendering_and_prosody_has_none():
    back = RawTake.from_bytes(RawTake(make_take().emotional).to_bytes())
    assert back.neutral is None
    assert back.prosody is None


def test_the_face_of_a_video_comes_back_with_its_own_frame_rate():
    rng = np.random.default_rng(1)
    shown = FaceMotion(rng.normal(size=(80, 5)), rng.normal(size=(80, 3)), 30.0, neck=rng.normal(size=(80, 3)))
    given = replace(make_take(), captured=CapturedFace(shown, rng.random(80) < 0.5, 0.4))
    back = RawTake.from_bytes(given.to_bytes())
    assert back.captured.motion.fps == 30.0
    assert back.captured.start_seconds == 0.4
    np.testing.assert_array_equal(back.captured.seen, given.captured.seen)
    np.testing.assert_allclose(back.captured.motion.neck, shown.neck, atol=2e-3)
    np.testing.assert_array_equal(back.emotional.jaw, RawTake.from_bytes(make_take().to_bytes()).emotional.jaw)
