"""Takes as assets: marked with a picture, applied to other heads and in other files, kept when the take is removed."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.head.asset_catalog import CATALOG
from emote_blender.blender.head.build import add_head
from emote_blender.blender.takes.make import apply_motion
from emote_blender.blender.takes.store import kept_raw


@pytest.fixture
def laugh(scene, head, make_motion):
    """A take with settings of its own, marked as an asset; its action."""
    apply_motion(head, make_motion(num_frames=40, emotion="happy"), scene, 11, "laugh")
    take = head.emote.takes[0]
    take.refine.jaw_strength = 0.5
    take.alive.blinks = True
    take.alive.seed = 77
    assert bpy.ops.emote.take_mark_asset() == {"FINISHED"}
    return take.action


def jaw_values(action):
    bag = next(
        bag
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        if bag.slot.target_id_type == "OBJECT"
    )
    curve = next(curve for curve in bag.fcurves if '"jaw"' in curve.data_path)
    return np.array([point.co[1] for point in curve.keyframe_points])


def save_library(path):
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    return path


def test_a_marked_take_is_an_asset_with_words_and_a_picture(laugh):
    asset = laugh.asset_data
    assert "laugh" in asset.description
    assert "1.6 s" in asset.description
    assert {"EMOTE", "EMOTE take"} <= {tag.name for tag in asset.tags}
    assert asset.catalog_id == CATALOG
    width, height = laugh.preview.image_size
    pixels = np.empty(4 * width * height, np.float32)
    laugh.preview.image_pixels_float.foreach_get(pixels)
    pixels = pixels.reshape(height, width, 4)
    assert len(np.unique(pixels.round(2).reshape(-1, 4), axis=0)) > 100  # a face
    assert (np.abs(pixels[2, :, :3] - (1.0, 0.55, 0.2)).max(axis=1) < 0.01).sum() > 100  # and the mouth's opening


def test_marking_again_changes_nothing_but_the_picture(laugh):
    bpy.ops.emote.take_mark_asset()
    assert len(laugh.asset_data.tags) == len({tag.name for tag in laugh.asset_data.tags})


def test_an_asset_stays_when_its_take_is_removed(head, laugh):
    name = laugh.name
    bpy.ops.emote.take_remove()
    assert len(head.emote.takes) == 0
    assert bpy.data.actions[name].asset_data is not None


def test_copies_of_a_marked_take_are_no_assets(head, laugh):
    bpy.ops.emote.take_duplicate()
    assert [take.action.asset_data is not None for take in head.emote.takes] == [True, False]


def test_a_take_is_applied_to_another_head_with_its_settings(scene, face, head, laugh):
    other = add_head(bpy.context, face)
    bpy.ops.emote.take_apply_asset(action=laugh.name, head=other.name, frame_start=51)
    (take,) = other.emote.takes
    assert take.action != laugh
    assert take.frame_start == 51
    assert (take.refine.jaw_strength, take.alive.blinks, take.alive.seed) == (0.5, True, 77)
    np.testing.assert_allclose(jaw_values(take.action), jaw_values(laugh), atol=1e-6)
    assert kept_raw(take.action).exact == kept_raw(laugh).exact


def test_a_take_is_applied_in_another_file(scene, head, face, laugh, tmp_path):
    expected, name = jaw_values(laugh), laugh.name
    library = save_library(tmp_path / "library.blend")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    other = add_head(bpy.context, face, name="Ben")
    bpy.context.scene.render.fps = 25
    bpy.context.scene.frame_set(21)
    assert bpy.ops.emote.take_apply_asset(filepath=str(library), action=name) == {"FINISHED"}
    (take,) = other.emote.takes
    assert (take.name, take.frame_start) == (name, 21)
    assert take.refine.jaw_strength == 0.5
    np.testing.assert_allclose(jaw_values(take.action), expected, atol=1e-6)
    takes_actions = [action for action in bpy.data.actions if action.get("emote_take") is not None]
    assert takes_actions == [take.action]
    assert not bpy.data.libraries


def test_the_only_asset_of_a_file_needs_no_name(scene, head, face, laugh, tmp_path):
    library = save_library(tmp_path / "library.blend")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    other = add_head(bpy.context, face, name="Ben")
    bpy.ops.emote.take_apply_asset(filepath=str(library), frame_start=5)
    assert other.emote.takes[0].frame_start == 5


def test_an_action_of_the_same_name_is_not_touched(scene, head, laugh, tmp_path):
    """The file's own action stays where one of its name is appended for a moment."""
    library = save_library(tmp_path / "library.blend")
    before = {action.session_uid: action.name for action in bpy.data.actions}
    bpy.ops.emote.take_apply_asset(filepath=str(library), action=laugh.name, frame_start=500)
    after = {action.session_uid: action.name for action in bpy.data.actions}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1
    assert len(head.emote.takes) == 2


def test_an_appended_action_is_adopted_with_its_edits(scene, head, face, laugh, tmp_path):
    name = laugh.name
    library = save_library(tmp_path / "library.blend")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    other = add_head(bpy.context, face)
    with bpy.data.libraries.load(str(library)) as (_, wanted):
        wanted.actions = [name]
    bpy.ops.emote.adopt_takes(action=name)
    take = other.emote.takes[0]
    assert take.action == bpy.data.actions[name]
    assert (take.refine.jaw_strength, take.alive.seed) == (0.5, 77)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "no take is named"),
        ({"action": "gone"}, "action 'gone' not found"),
        ({"action": "plain"}, "holds no take"),
        ({"filepath": "{folder}/library.blend", "action": "gone"}, "library.blend has no action 'gone'"),
        ({"filepath": "{folder}/library.blend", "action": "plain"}, "action 'plain' of library.blend holds no take"),
        ({"filepath": "{folder}/none.blend", "action": "x"}, "cannot be read"),
        ({"filepath": "{folder}/text.blend", "action": "x"}, "cannot be read"),
    ],
    ids=["nothing", "gone", "no take", "gone there", "no take there", "no file", "no blend"],
)
def test_what_cannot_be_applied_is_one_sentence(scene, head, laugh, tmp_path, arguments, sentence):
    bpy.data.actions.new("plain").use_fake_user = True
    save_library(tmp_path / "library.blend")
    (tmp_path / "text.blend").write_text("no blend")
    before = len(bpy.data.actions)
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.emote.take_apply_asset(**{key: value.format(folder=tmp_path) for key, value in arguments.items()})
    assert len(bpy.data.actions) == before
    assert len(head.emote.takes) == 1
