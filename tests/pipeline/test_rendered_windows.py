"""A changed track is rendered anew where it changed, and the result is that of rendering everything."""

import functools

import numpy as np
import pytest

from emote_blender.audio import Waveform
from emote_blender.emotion import EmotionTrack, one_hot
from emote_blender.engine.open_engine import open_engine
from emote_blender.motion_tools.emotion_timeline import Moment, track_of_moments
from emote_blender.pipeline import EMOTEPipeline, RenderedWindows


@pytest.fixture
def counted(tiny_model_folder, monkeypatch, speech_samples):
    """A pipeline, features of twenty seconds, and a list that grows with every window that its engine renders."""
    pipeline = EMOTEPipeline(open_engine(tiny_model_folder), window_frames=152)
    rendered, motion = [], pipeline.engine.motion

    def counting(features, condition):
        rendered.append(len(features))
        return motion(features, condition)

    monkeypatch.setattr(pipeline.engine, "motion", counting)
    return pipeline, pipeline.encode(Waveform(np.tile(speech_samples, 20))), rendered


def test_a_change_in_one_place_renders_only_its_windows(counted):
    pipeline, features, calls = counted
    windows = RenderedWindows()
    moments = [Moment(0, one_hot("happy")), Moment(19, one_hot("anger"))]
    pipeline.generate(features, track_of_moments(moments), rendered=windows)
    whole = len(calls)
    assert whole > 4
    calls.clear()
    moments[1] = Moment(19.2, one_hot("sad"), 2.0)
    changed = pipeline.generate(features, track_of_moments(moments), rendered=windows)
    assert 0 < len(calls) <= 2
    fresh = pipeline.generate(features, track_of_moments(moments))
    assert np.array_equal(changed.expression, fresh.expression)
    assert np.array_equal(changed.jaw, fresh.jaw)


def test_an_emotion_that_was_rendered_before_is_not_rendered_again(counted):
    pipeline, features, calls = counted
    windows = RenderedWindows()
    first = pipeline.generate(features, EmotionTrack.constant("anger", 2), rendered=windows)
    pipeline.generate(features, EmotionTrack.constant("sad", 2), rendered=windows)
    calls.clear()
    again = pipeline.generate(features, EmotionTrack.constant("anger", 2), rendered=windows)
    assert calls == []
    assert np.array_equal(again.expression, first.expression)
    pipeline.generate(features, EmotionTrack.constant("anger", 2), "B", rendered=windows)
    assert calls  # another speaker


def test_rendered_windows_are_bounded():
    windows = RenderedWindows(most_bytes=2 * 40)
    made = []

    def render(value):
        made.append(value)
        return np.zeros(10, np.float32)

    for value in (1, 2, 1, 3, 1, 2):
        windows.motion(0, np.full((10, 1), value, np.float32), functools.partial(render, value))
    assert made == [1, 2, 3, 2]
