"""Which head, which sound and which scene an operator means."""

from pathlib import Path

import bpy
import pytest

from emote_blender.blender.compat import all_strips, new_sound_strip, show_in_sequencers
from emote_blender.blender.head.build import add_head
from emote_blender.blender.ui.panel_state import panel_state

OWN_SEQUENCER_SCENE = pytest.mark.skipif(bpy.app.version < (5, 0, 0), reason="one scene for all before Blender 5.0")


@pytest.fixture
def heads(scene, face):
    return add_head(bpy.context, face), add_head(bpy.context, face)


@pytest.fixture
def motion_file(make_motion, tmp_path):
    make_motion().save(tmp_path / "line.npz")
    return str(tmp_path / "line.npz")


def moved(head):
    return head.data.shape_keys.animation_data is not None


def test_the_head_whose_rig_is_active_speaks(heads, motion_file):
    for head in heads:
        bpy.context.view_layer.objects.active = head.parent
        bpy.ops.emote.apply_motion(filepath=motion_file)
        assert moved(head)
        assert moved(heads[1]) == (head == heads[1])


def test_a_pinned_head_speaks_whatever_is_active(heads, motion_file):
    bpy.context.view_layer.objects.active = heads[0]
    assert bpy.ops.emote.pin_head() == {"FINISHED"}
    bpy.context.view_layer.objects.active = heads[1].parent
    bpy.context.view_layer.update()
    assert panel_state(bpy.context).head == heads[0].name
    bpy.ops.emote.apply_motion(filepath=motion_file)
    assert [moved(head) for head in heads] == [True, False]
    bpy.ops.emote.pin_head()
    assert bpy.context.scene.emote.head is None
    assert panel_state(bpy.context).head == heads[1].name


def test_a_new_head_is_not_pinned_but_takes_the_place_of_a_pinned_one(scene):
    bpy.ops.emote.add_head()
    assert scene.emote.head is None
    bpy.ops.emote.pin_head()
    bpy.ops.emote.add_head()
    assert scene.emote.head == bpy.context.view_layer.objects.active


def test_choosing_a_head_selects_it_or_moves_the_pin(scene, heads):
    bpy.ops.emote.choose_head(head=heads[0].name)
    assert (bpy.context.view_layer.objects.active, scene.emote.head) == (heads[0], None)
    assert list(bpy.context.selected_objects) == [heads[0]]
    bpy.ops.emote.pin_head()
    bpy.ops.emote.choose_head(head=heads[1].name)
    assert scene.emote.head == heads[1]


def test_what_cannot_speak_is_not_used(scene):
    bpy.ops.mesh.primitive_cube_add()
    with pytest.raises(RuntimeError, match="'Cube' has no shape keys that could speak"):
        bpy.ops.emote.use_selected()


def test_each_head_keeps_the_sound_that_was_chosen_for_it(scene, heads, ramp_wav):
    for number in (1, 2):
        new_sound_strip(scene, f"Line {number}", str(ramp_wav()), channel=number, frame_start=1)
    for number, head in enumerate(heads, start=1):
        bpy.context.view_layer.objects.active = head
        bpy.ops.emote.choose_strip(strip=f"Line {number}")
    assert [head.emote.strip for head in heads] == ["Line 1", "Line 2"]
    with pytest.raises(RuntimeError, match="'Line 9' not found"):
        bpy.ops.emote.choose_strip(strip="Line 9")


def test_an_empty_scene_of_the_sequencers_own_still_has_the_head_of_the_other_scene(scene, head, ramp_wav, motion_file):
    edit = bpy.data.scenes.new("Edit")
    bpy.context.window.scene = edit  # as "+ New" of the sequencer of 5.2 does
    assert panel_state(bpy.context).head == "Head"
    bpy.ops.emote.add_sound(filepath=str(ramp_wav("line.wav")))
    bpy.context.view_layer.update()
    state = panel_state(bpy.context)
    assert (state.strip, state.strip_scene, state.why_not) == ("line", "Edit", "")
    assert bpy.ops.emote.apply_motion(filepath=motion_file) == {"FINISHED"}


@OWN_SEQUENCER_SCENE
def test_the_strip_that_the_sequencer_shows_comes_before_the_scenes(scene, head, ramp_wav):
    new_sound_strip(scene, "old", str(ramp_wav()), channel=1, frame_start=1)
    edit = bpy.data.scenes.new("Edit")
    new_sound_strip(edit, "new", str(ramp_wav()), channel=1, frame_start=20)
    show_in_sequencers(edit)
    state = panel_state(bpy.context)
    assert (state.strip, state.strip_scene) == ("new", "Edit")
    head.emote.strip = "old"
    state = panel_state(bpy.context)
    assert (state.strip, state.strip_scene) == ("old", "Scene")


def test_a_sound_is_added_at_the_playhead_on_a_free_channel_and_spoken(scene, head, ramp_wav):
    scene.frame_set(20)
    assert bpy.ops.emote.add_sound(filepath=str(ramp_wav("a.wav"))) == {"FINISHED"}
    scene.frame_set(40)
    bpy.ops.emote.add_sound(filepath=str(ramp_wav("b.wav")))
    bpy.ops.emote.add_sound(filepath=str(ramp_wav("c.wav")), frame_start=500)
    strips = {strip.name: strip for strip in scene.sequence_editor.strips}
    assert {name: (strip.frame_final_start, strip.channel) for name, strip in strips.items()} == {
        "a": (20, 1),
        "b": (40, 2),
        "c": (500, 1),
    }
    assert head.emote.strip == "c"
    assert scene.sequence_editor.active_strip == strips["c"]
    assert (scene.sync_mode, scene.frame_end) == ("AUDIO_SYNC", 599)


def test_a_sound_is_added_beside_strips_of_other_kinds(scene, head, ramp_wav):
    length = {"length": 30} if bpy.app.version >= (5, 0, 0) else {"frame_end": 31}
    editor = scene.sequence_editor_create()
    editor.strips.new_effect(name="Title", type="TEXT", channel=1, frame_start=1, **length)
    assert bpy.ops.emote.add_sound(filepath=str(ramp_wav("line.wav")), frame_start=1) == {"FINISHED"}
    assert editor.strips["line"].channel == 2


def test_what_is_no_sound_is_refused_and_adds_nothing(scene, head, tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    for name, complaint in (("bad.wav", "is a text file, not sound"), ("missing.wav", "not found")):
        with pytest.raises(RuntimeError, match=complaint):
            bpy.ops.emote.add_sound(filepath=str(tmp_path / name))
    assert not all_strips(scene)


def test_the_file_of_a_take_can_be_added_as_a_strip(scene, head, ramp_wav):
    head.emote.source, head.emote.audio, head.emote.frame_start = "FILE", str(ramp_wav("line.wav")), 12
    assert bpy.ops.emote.add_sound("INVOKE_DEFAULT", filepath=head.emote.audio, frame_start=12) == {"FINISHED"}
    (strip,) = scene.sequence_editor.strips
    assert (strip.frame_final_start, head.emote.source, head.emote.strip) == (12, "STRIP", "line")


def test_a_folder_that_holds_no_model_is_refused(head, tmp_path):
    with pytest.raises(RuntimeError, match="config.json"):
        bpy.ops.emote.choose_folder(directory=str(tmp_path), kind="MODEL")
    assert head.emote.model == "emote_open"


def test_model_and_speaker_are_menus_over_the_text_that_scripts_set(head, make_tiny_folder, tmp_path):
    folder = make_tiny_folder(tmp_path / "mine")
    head.emote.model = str(folder)
    assert head.emote.model_choice == str(folder)
    head.emote.speaker_choice = "B"
    assert head.emote.speaker == "B"
    head.emote.model_choice = "emote_open"
    assert Path(head.emote.model).name == "emote_open"
