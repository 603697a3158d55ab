"""Each way in which the NLA keeps takes from playing: it is made, found, mended, and the mesh moves as before."""

import bpy
import numpy as np
import pytest
from moving_mesh import found, mend, mesh_track, stands_still

from emote_blender.blender.check.find import problems
from emote_blender.blender.takes.make import apply_motion


def nla_off(owners):
    for owner in owners:
        owner.animation_data.use_nla = False


def solo_another(owners):
    owners[0].animation_data.nla_tracks.new().is_solo = True


def solo_on_rig(owners):
    owners[1].animation_data.nla_tracks.new().is_solo = True


def solo_take(owners):
    """Solo the take's own track: outside its strip the face does not go back to rest."""
    owners[0].animation_data.nla_tracks["EMOTE"].is_solo = True


def mute_track(owners):
    owners[0].animation_data.nla_tracks["EMOTE"].mute = True


def mute_strip(owners):
    owners[1].animation_data.nla_tracks["EMOTE"].strips[0].mute = True


def no_influence(owners):
    strip = owners[0].animation_data.nla_tracks["EMOTE"].strips[0]
    strip.use_animated_influence = True
    strip.influence = 0.0


def lose_slot(owners):
    owners[0].animation_data.nla_tracks["EMOTE"].strips[0].action_slot = None


def mute_curves(owners):
    action = owners[0].animation_data.nla_tracks["EMOTE"].strips[0].action
    for channelbag in action.layers[0].strips[0].channelbags:
        for curve in channelbag.fcurves:
            curve.mute = True


def mute_group(owners):
    action = owners[0].animation_data.nla_tracks["EMOTE"].strips[0].action
    for channelbag in action.layers[0].strips[0].channelbags:
        for group in channelbag.groups:
            group.mute = True


def remove_strip(owners):
    track = owners[0].animation_data.nla_tracks["EMOTE"]
    track.strips.remove(track.strips[0])


def play_slowly(owners):
    owners[1].animation_data.nla_tracks["EMOTE"].strips[0].scale = 2.0


def play_backwards(owners):
    owners[0].animation_data.nla_tracks["EMOTE"].strips[0].use_reverse = True


KINDS = [
    ("STRIP_LOST", remove_strip),
    ("STRIP_SPEED", play_slowly),
    ("STRIP_SPEED", play_backwards),
    ("NLA_OFF", nla_off),
    ("TRACK_SOLO", solo_another),
    ("TRACK_SOLO", solo_on_rig),
    ("STRIP_MUTED", mute_track),
    ("STRIP_MUTED", mute_strip),
    ("STRIP_INFLUENCE", no_influence),
    ("ACTION_SLOT", lose_slot),
    ("CURVES_MUTED", mute_curves),
    ("CURVES_MUTED", mute_group),
]


@pytest.mark.parametrize("identifier, spoil", KINDS, ids=lambda value: getattr(value, "__name__", value))
def test_it_is_found_and_its_fix_restores_the_motion(speaking, owners, identifier, spoil):
    before = mesh_track(speaking)
    assert found(speaking, identifier) is None
    spoil(owners)
    assert np.abs(mesh_track(speaking) - before).max() > 1e-4, "nothing was spoilt"
    problem = found(speaking, identifier)
    assert problem is not None
    assert problem.severity == ("WARNING" if identifier == "STRIP_SPEED" else "ERROR")
    mend(speaking, identifier)
    assert found(speaking, identifier) is None
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


def test_the_solo_track_of_a_take_is_named_too(speaking, owners):
    before = mesh_track(speaking)
    solo_take(owners)
    problem = found(speaking, "TRACK_SOLO")
    assert problem.severity == "WARNING"
    assert "so takes on other tracks do not play" in problem.sentence
    mend(speaking, "TRACK_SOLO")
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


def test_a_take_that_another_one_is_soloed_over_is_a_hint(scene, speaking, make_motion):
    apply_motion(speaking, make_motion(20), scene, 60, "other line")
    bpy.ops.emote.take_solo(take=speaking.emote.takes[1].name, head=speaking.name)
    assert found(speaking, "STRIP_MUTED").severity == "INFO"
    mend(speaking, "STRIP_MUTED")
    assert found(speaking, "STRIP_MUTED") is None


def test_a_fix_changes_nothing_else(speaking, owners):
    data = owners[0].animation_data
    mine = data.nla_tracks.new()
    mine.name, mine.mute = "Mine", True
    mute_track(owners)
    mend(speaking, "STRIP_MUTED")
    assert not data.nla_tracks["EMOTE"].mute
    assert data.nla_tracks["Mine"].mute


def test_tweak_mode_is_named_and_left(speaking, owners):
    data = owners[0].animation_data
    before = mesh_track(speaking)
    data.nla_tracks.active = data.nla_tracks["EMOTE"]
    data.use_tweak_mode = True
    assert "being edited (tweak mode)" in found(speaking, "TWEAK_MODE").sentence
    mend(speaking, "TWEAK_MODE")
    assert not data.use_tweak_mode
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


def test_the_artists_keys_of_the_same_channels_are_named_and_muted(speaking, owners, own_action):
    before = mesh_track(speaking)
    jaw = own_action(owners[1], 'pose.bones["jaw"].rotation_euler', 0.0)
    owners[1].animation_data.action = jaw
    owners[1].animation_data.action_slot = jaw.slots[0]
    assert np.abs(mesh_track(speaking) - before).max() > 1e-4
    problem = found(speaking, "RIVAL_MUTE")
    assert problem.severity == "WARNING"
    assert "'Mine' has keys for jaw" in problem.sentence
    mend(speaking, "RIVAL_MUTE")
    assert found(speaking, "RIVAL_MUTE") is None
    assert owners[1].animation_data.action == jaw
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


def test_the_artists_keys_can_be_added_to_the_take(speaking, owners, own_action):
    before = mesh_track(speaking)
    path = 'key_blocks["component0"].value'
    owners[0].animation_data.action = mine = own_action(owners[0], path, 0.25)
    owners[0].animation_data.action_slot = mine.slots[0]
    values = []
    for frame in (5, 15):
        bpy.context.scene.frame_set(frame)
        values.append(owners[0].key_blocks["component0"].value)
    assert values == pytest.approx([0.25, 0.25])
    mend(speaking, "RIVAL_ADD")
    assert found(speaking, "RIVAL_ADD") is None
    curve = next(c for c in channels(speaking, owners[0]) if c.data_path == path)
    for frame in (5, 15):
        bpy.context.scene.frame_set(frame)
        assert owners[0].key_blocks["component0"].value == pytest.approx(curve.evaluate(frame) + 0.25, abs=1e-5)
    mend(speaking, "RIVAL_ADD")  # nothing is left to do
    owners[0].animation_data.action = None
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


def channels(head, owner):
    """The f-curves of the head's take on one data-block."""
    action = head.emote.takes[0].action
    slot = next(slot for slot in action.slots if slot.target_id_type == owner.id_type)
    return action.layers[0].strips[0].channelbag(slot).fcurves


def test_a_strip_above_the_take_is_named(speaking, owners, own_action):
    before = mesh_track(speaking)
    data = owners[0].animation_data
    mine = own_action(owners[0], 'key_blocks["component1"].value', 0.0)
    track = data.nla_tracks.new()
    strip = track.strips.new("Mine", 1, mine)
    strip.action_slot = mine.slots[0]
    assert np.abs(mesh_track(speaking) - before).max() > 1e-4
    assert "'Mine' has keys for the face" in found(speaking, "RIVAL_MUTE").sentence
    mend(speaking, "RIVAL_MUTE")
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


@pytest.mark.parametrize("change", ["other channel", "muted", "other frames"])
def test_what_does_not_play_over_the_take_is_not_named(speaking, owners, own_action, change):
    before = mesh_track(speaking)
    path = 'key_blocks["identity0"].value' if change == "other channel" else 'key_blocks["component1"].value'
    mine = own_action(owners[0], path, 0.0)
    track = owners[0].animation_data.nla_tracks.new()
    strip = track.strips.new("Mine", 100 if change == "other frames" else 1, mine)
    strip.action_slot = mine.slots[0]
    strip.extrapolation = "NOTHING"
    track.mute = change == "muted"
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)
    assert found(speaking, "RIVAL_MUTE") is None


def test_what_plays_below_the_take_is_not_named(scene, head, make_motion, own_action):
    keys = head.data.shape_keys
    mine = own_action(keys, 'key_blocks["component1"].value', 0.0)
    strip = keys.animation_data_create().nla_tracks.new().strips.new("Mine", 1, mine)
    strip.action_slot = mine.slots[0]
    apply_motion(head, make_motion(20), scene, 1, "line")
    assert not stands_still(mesh_track(head))
    assert found(head, "RIVAL_MUTE") is None
    assert found(head, "REST_TRACK") is None


def test_a_hidden_rig_moves_the_face_and_is_not_named(speaking):
    before = mesh_track(speaking)
    speaking.parent.hide_viewport = True
    speaking.parent.hide_set(True)
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)
    assert not [problem for problem in problems(bpy.context, speaking) if problem.severity != "INFO"]


def remove_rest(owners):
    tracks = owners[0].animation_data.nla_tracks
    tracks.remove(tracks["EMOTE Rest"])


def mute_rest(owners):
    owners[0].animation_data.nla_tracks["EMOTE Rest"].mute = True


def rest_above(owners):
    """Put a strip of the rest action above the takes, as when the track is moved up."""
    tracks = owners[0].animation_data.nla_tracks
    action, slot = tracks["EMOTE Rest"].strips[0].action, tracks["EMOTE Rest"].strips[0].action_slot
    tracks.remove(tracks["EMOTE Rest"])
    above = tracks.new()
    above.name = "EMOTE Rest"
    strip = above.strips.new("EMOTE Rest", 0, action)
    strip.action_slot, strip.blend_type, strip.extrapolation = slot, "REPLACE", "HOLD"


@pytest.mark.parametrize("spoil", [remove_rest, mute_rest, rest_above])
def test_the_rest_track_is_put_back_below_the_takes(speaking, owners, spoil):
    before = mesh_track(speaking)
    bpy.context.scene.frame_set(200)
    at_rest = [key.value for key in owners[0].key_blocks]
    spoil(owners)
    assert found(speaking, "REST_TRACK").severity == "ERROR"
    assert found(speaking, "RIVAL_MUTE") is None
    mend(speaking, "REST_TRACK")
    assert found(speaking, "REST_TRACK") is None
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)
    bpy.context.scene.frame_set(200)
    assert [key.value for key in owners[0].key_blocks] == pytest.approx(at_rest)
    assert owners[0].animation_data.nla_tracks[0].name == "EMOTE Rest"


def test_a_take_whose_action_was_deleted_is_named(speaking):
    bpy.data.actions.remove(speaking.emote.takes[0].action)
    sentences = [problem.sentence for problem in problems(bpy.context, speaking)]
    assert any("was deleted: remove the take from the list" in sentence for sentence in sentences)


def test_a_take_without_its_raw_motion_is_a_hint(speaking):
    del speaking.emote.takes[0].action["emote_take"]
    (problem,) = [item for item in problems(bpy.context, speaking) if "lost its raw motion" in item.sentence]
    assert problem.severity == "INFO"


def test_a_head_that_plays_its_baked_action_goes_back_to_its_takes(speaking):
    before = mesh_track(speaking)
    bpy.ops.emote.bake_action(head=speaking.name, assign=True)
    bpy.context.view_layer.update()
    take = [problem for problem in problems(bpy.context, speaking) if problem.severity != "INFO"]
    assert [problem.fixes for problem in take] == [("BAKED",)]
    mend(speaking, "BAKED")
    assert found(speaking, "BAKED") is None
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)
