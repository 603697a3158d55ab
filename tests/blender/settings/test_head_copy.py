"""What is set in a scene reaches its heads; what is set on a head stays there."""

import bpy
import pytest

from emote_blender.blender.head.build import add_head
from emote_blender.blender.settings.transcript_state import (
    describe_words,
    keep_cues,
    keep_recognition,
    kept_cues,
    mode_of,
)
from emote_blender.transcript.recognisers.interface import RecognisedWord, Recognition
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript


@pytest.fixture
def two_heads(scene, face):
    """Two heads of one scene."""
    return add_head(bpy.context, face), add_head(bpy.context, face)


def test_what_a_script_sets_in_the_scene_is_copied_to_every_head(scene, two_heads):
    scene.emote.emotion, scene.emote.speaker, scene.emote.model = "SAD", "", "some_model"
    for head in two_heads:
        assert (head.emote.emotion, head.emote.model) == ("SAD", "some_model")


@pytest.mark.parametrize("intensity, amount", [(0.0, 0.65), (0.5, 0.825), (1.0, 1.0), (2.0, 2.0)])
def test_the_intensity_of_scripts_becomes_the_amount_that_asks_for_it(scene, head, intensity, amount):
    scene.emote.intensity = intensity
    assert head.emote.amount == pytest.approx(amount)


def test_a_setting_of_one_head_changes_no_other(scene, two_heads):
    scene.emote.emotion = "SAD"
    two_heads[0].emote.emotion = "ANGER"
    assert two_heads[1].emote.emotion == scene.emote.emotion == "SAD"


def test_an_added_head_takes_over_what_is_set_in_the_scene(scene):
    scene.emote.emotion, scene.emote.intensity = "FEAR", 2.0
    bpy.ops.emote.add_head()
    settings = bpy.context.view_layer.objects.active.emote
    assert (settings.emotion, settings.amount) == ("FEAR", 2.0)


def test_a_file_without_settings_on_its_heads_gets_those_of_its_scene_when_it_is_opened(scene, head, tmp_path):
    scene.emote.emotion, scene.emote.intensity = "DISGUST", 1.5
    for name in ("emotion", "amount", "model", "speaker"):
        head.emote.property_unset(name)  # as in a file of version 0.2
    head.emote.amount = 0.3  # and what is set on the head is kept
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "old.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "old.blend"))
    settings = bpy.data.objects["Head"].emote
    assert (settings.emotion, settings.amount) == ("DISGUST", pytest.approx(0.3))


def test_words_that_were_recognised_without_a_head_are_recognised_ones_on_the_head_too(scene):
    scene.emote.source, scene.emote.audio = "FILE", "line.wav"
    keep_recognition(scene.emote, Recognition((RecognisedWord("hello", 0.0, 1.0, 0.1),), "en-us", "pocketsphinx"), None)
    bpy.ops.emote.add_head()
    settings = bpy.context.view_layer.objects.active.emote
    assert (settings.transcript, mode_of(settings)) == ("hello", "AUTO")
    assert (
        describe_words(settings) == describe_words(scene.emote) == "Recognised (pocketsphinx), 1 word uncertain: hello"
    )
    bpy.ops.emote.add_head()
    scene.emote.transcript = "written"
    assert {mode_of(head.emote) for head in scene.objects if head.type == "MESH"} == {"WRITTEN"}


def test_an_overridden_head_keeps_its_sound_and_words(scene, head, tmp_path):
    group = bpy.data.collections.new("Actor")
    scene.collection.children.link(group)
    for item in (head, head.parent):
        scene.collection.objects.unlink(item)
        group.objects.link(item)
    head.emote.transcript = "Of the library"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.collections = ["Actor"]
    scene = bpy.context.scene
    wanted.collections[0].override_hierarchy_create(scene, bpy.context.view_layer, do_fully_editable=True)
    (settings,) = (item.emote for item in bpy.data.objects if item.override_library and item.type == "MESH")
    settings.source, settings.audio, settings.frame_start = "FILE", "/sounds/line.wav", 7
    keep_cues(settings, TimedTranscript((Cue("Of the shot", 0.0, 1.0),)))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    (settings,) = (item.emote for item in bpy.data.objects if item.override_library and item.type == "MESH")
    assert (settings.source, settings.audio, settings.frame_start) == ("FILE", "/sounds/line.wav", 7)
    assert (settings.transcript, settings.transcript_mode) == ("Of the shot", "WRITTEN")
    assert kept_cues(settings).cues == (Cue("Of the shot", 0.0, 1.0),)
