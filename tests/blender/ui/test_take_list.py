"""The list of takes: grouped by line, with what is wrong with each."""

import bpy
import pytest
from counted_steps import counted_steps

from emote_blender.blender.compat import new_sound_strip
from emote_blender.blender.ui.panel_state import panel_state, work_out_state


@pytest.fixture
def make_take(head, make_motion, tmp_path):
    """A function that makes a take of a line of 100 frames from frame 1 on."""

    def make(line, frame_start=1, emotion="anger"):
        motion = make_motion(100, audio=line, emotion=emotion, sound_seconds=4.0)
        motion.save(tmp_path / f"{line}.npz")
        bpy.ops.emote.apply_motion(filepath=str(tmp_path / f"{line}.npz"), frame_start=frame_start)
        return head.emote.takes[-1]

    return make


def rows():
    bpy.context.view_layer.update()
    state = panel_state(bpy.context)
    assert state == work_out_state(bpy.context)
    return state.takes


def warnings():
    return [row.warning and row.warning.text for row in rows()]


def test_takes_stand_in_the_order_of_their_lines_with_alternates_below(make_take, head):
    for line, start in (("second", 200), ("first", 1), ("second", 200), ("first", 1)):
        make_take(line, start)
    names = [take.line for take in head.emote.takes]
    order = sorted(range(4), key=lambda index: rows()[index].place)
    assert [names[index] for index in order] == ["first", "first", "second", "second"]
    assert [rows()[index].is_alternate for index in order] == [False, True, False, True]


def test_a_take_with_its_strip_in_place_has_no_warning(make_take, scene, ramp_wav):
    new_sound_strip(scene, "line", str(ramp_wav()), channel=1, frame_start=1)
    make_take("line")
    assert warnings() == [None]


def test_a_moved_strip_is_marked_and_retiming_mends_it(make_take, scene, ramp_wav):
    strip = new_sound_strip(scene, "line", str(ramp_wav()), channel=1, frame_start=1)
    take = make_take("line")
    strip.frame_start = 31
    assert warnings() == ["strip moved"]
    assert rows()[0].warning.retime
    assert bpy.ops.emote.take_retime(take=take.name) == {"FINISHED"}
    assert warnings() == [None]


def test_a_strip_that_shows_other_words_now_is_marked(make_take, scene, ramp_wav):
    strip = new_sound_strip(scene, "line", str(ramp_wav()), channel=1, frame_start=1)
    make_take("line")
    strip.frame_final_end -= 40
    assert warnings() == ["strip trimmed: generate it again"]
    assert not rows()[0].warning.retime


def test_a_muted_strip_and_a_lost_one_are_marked(make_take, scene, ramp_wav):
    strip = new_sound_strip(scene, "line", str(ramp_wav()), channel=1, frame_start=1)
    make_take("line")
    scene.sequence_editor.channels[1].mute = True
    assert warnings() == ["strip muted"]
    scene.sequence_editor.strips.remove(strip)
    assert warnings() == ["plays without sound: no strip has its name"]


def test_another_frame_rate_is_marked_and_retiming_mends_it(make_take, scene, ramp_wav):
    new_sound_strip(scene, "line", str(ramp_wav()), channel=1, frame_start=1)
    take = make_take("line")
    scene.render.fps = 50
    warning = rows()[0].warning
    assert warning is not None
    assert warning.retime
    bpy.ops.emote.take_retime(take=take.name)
    assert warnings() == [None]


def test_a_take_without_its_action_is_marked(make_take, head):
    take = make_take("line")
    bpy.data.actions.remove(take.action)
    assert warnings() == ["its action is gone"]


def test_the_work_for_the_list_grows_no_faster_than_the_takes(head, scene, ramp_wav):
    new_sound_strip(scene, "line", str(ramp_wav()), channel=1, frame_start=1)
    work_out_state(bpy.context)  # the first call fills caches
    steps = []
    for num_takes in (100, 300, 500):
        for index in range(len(head.emote.takes), num_takes):
            take = head.emote.takes.add()
            take.name, take.line, take.action = f"take {index}", f"line {index % 50}", bpy.data.actions.new("take")
        steps.append(counted_steps(lambda: work_out_state(bpy.context)))
    print("steps for 100, 300 and 500 takes:", steps)
    assert steps[2] - steps[1] <= 1.1 * (steps[1] - steps[0])
