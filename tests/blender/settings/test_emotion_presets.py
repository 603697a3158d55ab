"""Emotion presets: the add-on's own, and the user's."""

import bpy
import pytest

from emote_blender.blender.settings.emotion_presets import PRESETS
from emote_blender.blender.ui.emotion_presets import EMOTE_MT_emotion_presets
from emote_blender.emotion import EMOTIONS
from emote_blender.motion_tools.emotion_timeline import MAX_AMOUNT


@pytest.fixture
def user_presets(tmp_path, monkeypatch):
    """The folder of the user's presets."""
    monkeypatch.setattr(bpy.utils, "user_resource", lambda kind, path="", create=False: _made(tmp_path / path))
    find = bpy.utils.preset_paths
    monkeypatch.setattr(bpy.utils, "preset_paths", lambda subdir: [*find(subdir), str(tmp_path / "presets" / subdir)])
    return tmp_path / "presets" / "emote" / "emotion"


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_can_be_applied(head, preset):
    assert 0 < preset.amount <= MAX_AMOUNT
    assert bpy.ops.emote.apply_emotion_preset(name=preset.name) == {"FINISHED"}
    shown = {name: round(getattr(head.emote.weights, name), 4) for name in EMOTIONS}
    assert {name: weight for name, weight in shown.items() if weight} == preset.weights
    single = next(iter(preset.weights)).upper() if len(preset.weights) == 1 else "MIX"
    assert head.emote.emotion == single


def test_names_of_presets_differ():
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)


def test_an_unknown_preset_is_refused_with_the_names(head):
    with pytest.raises(RuntimeError, match="unknown preset 'Grumpy'; choose one of Calm, Warm"):
        bpy.ops.emote.apply_emotion_preset(name="Grumpy")


def test_a_preset_of_the_users_own_is_kept_and_given_to_the_chosen_head(scene, face, user_presets):
    from emote_blender.blender.head.build import add_head

    first, second = add_head(bpy.context, face), add_head(bpy.context, face)
    bpy.context.view_layer.objects.active = first
    bpy.ops.emote.apply_emotion_preset(name="Bitter")
    first.emote.amount = 1.4
    assert bpy.ops.emote.add_emotion_preset(name="My mood") == {"FINISHED"}
    (file,) = user_presets.iterdir()
    bpy.context.view_layer.objects.active = second.parent
    bpy.ops.script.execute_preset(filepath=str(file), menu_idname="EMOTE_MT_emotion_presets")
    assert (second.emote.emotion, round(second.emote.amount, 4)) == ("MIX", 1.4)
    assert round(second.emote.weights.sad, 4) == 0.6
    assert EMOTE_MT_emotion_presets.bl_label == "My mood"
    bpy.ops.emote.add_emotion_preset(remove_active=True)
    assert list(user_presets.iterdir()) == []


def test_without_a_head_no_preset_can_be_kept(scene):
    with pytest.raises(RuntimeError, match="the scene has no head"):
        bpy.ops.emote.add_emotion_preset(name="Nobody")
