"""Which sound strips are meant: by name, active, only or selected; meta and scene strips stand for those inside."""

import re

import bpy
import pytest

from emote_blender.blender.check.find import problems
from emote_blender.blender.compat import new_sound_strip
from emote_blender.blender.scene.placed_strip import audible_part, placed_strips
from emote_blender.blender.scene.strips import chosen_strips, find_strip, selected_strips, strips_by_name
from emote_blender.blender.scene.unheard import why_unheard
from emote_blender.blender.takes.make import Line, new_take
from emote_blender.errors import InputError
from emote_blender.motion_tools.raw_take import RawTake


@pytest.fixture
def shot(scene, ramp_wav):
    """A scene strip at frame 101 of a scene with two lines, of which the second is on frame 201."""
    shown = bpy.data.scenes.new("Dialogue")
    shown.render.fps, shown.frame_end = 25, 400
    for name, start in (("Ann", 11), ("Ben", 201)):
        new_sound_strip(shown, name, str(ramp_wav()), channel=1, frame_start=start)
    editor = scene.sequence_editor_create()
    strip = editor.strips.new_scene(name="Shot", scene=shown, channel=1, frame_start=101)
    strip.scene_input = "SEQUENCER"
    for other in editor.strips_all:
        other.select = False
    editor.active_strip = None
    return strip


def names(placed):
    return [item.name for item in placed]


def test_an_only_scene_strip_stands_for_the_sounds_inside(scene, shot):
    assert names(chosen_strips(scene)) == names(chosen_strips(scene, "Shot")) == ["Ann", "Ben"]
    assert [audible_part(item).frame_start for item in chosen_strips(scene)] == [111, 301]
    assert find_strip(scene, "Ben").owner.name == "Dialogue"
    with pytest.raises(InputError, match="'Shot' holds 2 sound strips; choose one of 'Ann', 'Ben'"):
        find_strip(scene)


def test_sounds_that_the_timeline_does_not_show_are_not_listed(scene, shot):
    shot.frame_offset_end = 250
    assert names(placed_strips(scene)) == ["Ann"]


def test_a_strip_beside_a_scene_strip_needs_a_choice_or_the_active_one(scene, shot, ramp_wav):
    own = new_sound_strip(scene, "Ben", str(ramp_wav()), channel=3, frame_start=1)
    assert names(placed_strips(scene)) == ["Ben", "Ann", "Ben (Shot)"]
    assert find_strip(scene, "Ben").strip == own
    assert find_strip(scene, "Ben (Shot)").through == (shot,)
    scene.sequence_editor.active_strip = None
    with pytest.raises(InputError, match="no sound strip is chosen"):
        chosen_strips(scene)
    scene.sequence_editor.active_strip = shot
    assert names(chosen_strips(scene)) == ["Ann", "Ben (Shot)"]
    assert strips_by_name([scene])["Ben"].strip == own


def test_selected_containers_give_what_is_inside_and_closed_ones_do_not(scene, shot, ramp_wav):
    own = new_sound_strip(scene, "Cy", str(ramp_wav()), channel=3, frame_start=1)
    meta = scene.sequence_editor.strips.new_meta(name="Meta", channel=5, frame_start=1)
    own.move_to_meta(meta)
    own.select = meta.select = shot.select = False
    assert names(selected_strips(scene)) == []
    own.select = True  # Blender keeps this in a closed meta strip
    assert names(selected_strips(scene)) == []
    meta.select = True
    assert names(selected_strips(scene)) == ["Cy"]
    shot.select = True
    assert names(selected_strips(scene)) == ["Cy", "Ann", "Ben"]


def test_a_scene_without_sounds_in_its_scene_strips_is_refused(scene, shot):
    for strip in list(shot.scene.sequence_editor.strips):
        shot.scene.sequence_editor.strips.remove(strip)
    with pytest.raises(InputError, match="scene 'Scene' has no sound strip"):
        chosen_strips(scene)


@pytest.mark.parametrize(
    "silence, clause",
    [
        (lambda shot: setattr(shot, "scene_input", "CAMERA"), "'Shot' plays .* only if its Input is Sequencer"),
        (lambda shot: setattr(shot, "mute", True), "the scene strip 'Shot' is muted"),
        (lambda shot: setattr(shot, "volume", 0.0), "the volume of the scene strip 'Shot' is 0"),
        (lambda shot: setattr(shot.scene, "use_audio", False), "the sound of the scene 'Dialogue' is off"),
        (lambda shot: setattr(shot.scene.sequence_editor.strips["Ann"], "mute", True), "the strip 'Ann' is muted"),
    ],
    ids=["camera", "muted", "volume", "scene", "inside"],
)
def test_what_silences_a_sound_inside_is_named(scene, shot, silence, clause):
    assert why_unheard(find_strip(scene, "Ann")) == ""
    silence(shot)
    assert re.search(clause, why_unheard(find_strip(scene, "Ann")))


def test_check_finds_the_sound_of_a_take_inside_a_scene_strip(scene, shot, head, make_motion):
    motion = make_motion(100, sound_seconds=4.0)
    new_take(head, RawTake(motion), scene, Line("Ann", 111))
    bpy.context.view_layer.update()
    before = [problem.sentence for problem in problems(bpy.context, head)]
    assert not any("no sound strip" in sentence or "not where its sound" in sentence for sentence in before)
    shot.frame_start += 20
    shot.scene_input = "CAMERA"
    after = " ".join(problem.sentence for problem in problems(bpy.context, head))
    assert "which is not where its sound is (strip 'Ann')" in after
    assert "'Shot' plays the sound of the scene 'Dialogue' only if its Input is Sequencer" in after
