"""Takes follow strips that were moved or trimmed, and frame rates that changed."""

import bpy
import pytest
from steady_takes import shown, steady, strips
from wordless_strip import new_wordless_strip

from emote_blender.blender.takes.make import Line, apply_motion, new_take
from emote_blender.motion_tools.raw_take import RawTake


@pytest.fixture
def spoken(scene, head, speech_wav):
    """A head with a take of a strip that begins at frame 11."""
    new_wordless_strip(scene, "Line", str(speech_wav), channel=1, frame_start=11)
    new_take(head, RawTake(steady()), scene, Line("Line", 11))
    return head


def move_strip(scene, frames):
    strip = scene.sequence_editor.strips["Line"]
    if hasattr(strip, "content_start"):
        strip.content_start += frames
    else:
        strip.frame_start += frames


def test_retime_follows_a_strip_that_was_moved(scene, spoken):
    move_strip(scene, 40)
    assert bpy.ops.emote.take_retime() == {"FINISHED"}
    assert spoken.emote.takes[0].frame_start == 51
    assert [shown(scene, spoken, frame) for frame in (11, 51, 60, 75, 100)] == [0.0, 0.5, 0.5, 0.5, 0.0]
    assert len(strips(spoken)) == 1


def test_retime_of_a_strip_that_was_trimmed_keeps_the_words_in_their_place(scene, spoken):
    scene.sequence_editor.strips["Line"].split(frame=16, split_method="SOFT")
    later = next(strip for strip in scene.sequence_editor.strips if strip.name != "Line")
    scene.sequence_editor.strips.remove(scene.sequence_editor.strips["Line"])
    later.name = "Line"
    bpy.ops.emote.take_retime()
    assert spoken.emote.takes[0].frame_start == 11


def test_a_strip_in_the_nla_that_was_moved_by_hand_stays_there(scene, spoken):
    for owner in (spoken.data.shape_keys, spoken.parent):
        strip = owner.animation_data.nla_tracks["EMOTE"].strips[0]
        strip.frame_end_raw += 100
        strip.frame_start_raw += 100
    spoken.emote.takes[0].refine.transition_out = 0.5
    assert [shown(scene, spoken, frame) for frame in (20, 111, 120, 135)] == [0.0, 0.5, 0.5, 0.5]
    bpy.ops.emote.take_retime()
    assert [shown(scene, spoken, frame) for frame in (20, 120)] == [0.5, 0.0]


def test_retime_after_24_became_60_frames_per_second_keeps_sound_and_face_together(scene, head, speech_wav):
    scene.render.fps = 24
    new_wordless_strip(scene, "Line", str(speech_wav), channel=1, frame_start=25)  # one second after frame 1
    new_take(head, RawTake(steady()), scene, Line("Line", 25))
    scene.render.fps = 60
    strip = scene.sequence_editor.strips["Line"]
    start = strip.content_start if hasattr(strip, "content_start") else strip.frame_start
    assert bpy.ops.emote.take_retime() == {"FINISHED"}
    take = head.emote.takes[0]
    assert (take.fps, take.frame_start) == (60, round(start))
    first, last = take.action.frame_range
    assert last - first == 59 + 2 * 18  # one second, and 0.3 s before and after it
    assert shown(scene, head, round(start)) == 0.5
    assert shown(scene, head, round(start) + 59) == 0.5
    assert shown(scene, head, round(start) + 59 + 18) == 0.0


def test_retime_stretches_what_the_artist_edited(scene, spoken):
    action = spoken.emote.takes[0].action
    curve = action.layers[0].strips[0].channelbags[0].fcurves[0]
    point = next(point for point in curve.keyframe_points if point.co.x == 21)
    point.co.y = 0.125
    curve.update()
    scene.render.fps = 50
    bpy.ops.emote.take_retime()
    start = spoken.emote.takes[0].frame_start
    assert shown(scene, spoken, int(start) + 20) == 0.125


def test_retime_without_a_strip_follows_the_frame_rate(scene, head):
    apply_motion(head, steady(), scene, 25, "file")
    scene.render.fps = 50
    bpy.ops.emote.take_retime()
    assert head.emote.takes[0].frame_start == 50
    assert shown(scene, head, 60) == 0.5
