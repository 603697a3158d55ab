"""What is set in a scene reaches its heads; what is set on a head stays there."""

import bpy
import pytest

from emote_blender.blender.head.build import add_head


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
