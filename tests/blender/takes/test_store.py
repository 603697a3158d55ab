"""What a take's action keeps: through save, reload, append, link, override and copy; and from hostile bytes."""

import io
import json
import pickle
import sys
import zipfile

import bpy
import numpy as np
import pytest

from emote_blender.blender.compat import action_channelbag
from emote_blender.blender.head.build import add_head
from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.takes.curves import edited_channels, forget_edits
from emote_blender.blender.takes.make import Line, apply_motion, new_take
from emote_blender.blender.takes.rewrite import rewrite
from emote_blender.blender.takes.store import kept_raw
from emote_blender.errors import InputError
from emote_blender.motion_tools.raw_take import RawTake


def content(action):
    """Every key of every curve of an action, bit by bit."""
    keys = {}
    for slot in action.slots:
        for curve in action_channelbag(action, slot).fcurves:
            points = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get("co", points)
            keys[slot.target_id_type, curve.data_path, curve.array_index] = points.tobytes()
    return keys


def first_curve(action):
    return action.layers[0].strips[0].channelbags[0].fcurves[0]


@pytest.fixture
def take(scene, head, make_motion):
    """A take with both renderings, on the tiny head."""
    raw = RawTake(make_motion(40, eyes=True, neck=True, intensity=1.0), make_motion(40))
    return new_take(head, raw, scene, Line("line", 11))


def test_curves_are_the_same_bit_for_bit_after_reopening_and_rewriting(take, tmp_path):
    take.refine.jaw_strength = 0.5
    take.refine.upper_smoothing = 0.1
    take.refine.transition_in = 0.7
    before = content(take.action)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "take.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "take.blend"))
    head = bpy.data.objects["Head"]
    take = head.emote.takes[0]
    assert content(take.action) == before
    rewrite(head, take)
    assert content(take.action) == before
    bpy.ops.emote.take_rebuild()
    assert content(take.action) == before
    take.refine.jaw_strength = 0.75
    assert content(take.action) != before
    take.refine.jaw_strength = 0.5
    assert content(take.action) == before


def test_the_raw_motion_keeps_both_renderings_and_says_its_size(take):
    raw = kept_raw(take.action)
    assert raw.neutral is not None
    assert raw.neutral.num_frames == raw.emotional.num_frames == 40
    assert take.num_bytes == len(take.action["emote_take"])


def test_a_channel_that_the_artist_edited_stays_and_can_be_reset(scene, head, take):
    curve = first_curve(take.action)
    name = f"KEY {curve.data_path} 0"
    untouched = content(take.action)
    curve.keyframe_points[12].co.y = 0.875
    curve.update()
    edited = content(take.action)
    assert edited_channels(take.action) == [name]
    take.refine.lower_strength = 0.5
    now = content(take.action)
    assert now["KEY", curve.data_path, 0] == edited["KEY", curve.data_path, 0]
    assert (
        now["OBJECT", 'pose.bones["jaw"].rotation_euler', 0] != edited["OBJECT", 'pose.bones["jaw"].rotation_euler', 0]
    )
    take.refine.lower_strength = 1.0
    forget_edits(take.action, [name])
    rewrite(head, take)
    assert content(take.action) == untouched
    assert not edited_channels(take.action)


def test_a_channel_that_the_artist_added_or_deleted_stays_so(scene, head, take):
    channelbag = take.action.layers[0].strips[0].channelbags[0]
    deleted = channelbag.fcurves[1].data_path
    channelbag.fcurves.remove(channelbag.fcurves[1])
    added = channelbag.fcurves.new('key_blocks["identity1"].value', index=0)
    added.keyframe_points.insert(20, 0.5)
    take.refine.jaw_strength = 0.5
    paths = {curve.data_path for curve in channelbag.fcurves}
    assert deleted not in paths
    assert 'key_blocks["identity1"].value' in paths
    assert len(edited_channels(take.action)) == 2


def test_another_interpolation_that_the_artist_chose_stays(scene, head, take):
    curve = first_curve(take.action)
    for point in curve.keyframe_points:
        point.interpolation = "CONSTANT"
    take.refine.upper_strength = 0.5
    take.refine.lower_strength = 0.5
    assert {point.interpolation for point in first_curve(take.action).keyframe_points} == {"CONSTANT"}


def test_an_appended_action_alone_becomes_a_take_again(scene, head, take, face, tmp_path):
    take.refine.jaw_strength = 0.5
    take.refine.transition_out = 1.0
    before = content(take.action)
    name = take.action.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "take.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    other = add_head(bpy.context, face, name="Other")
    with bpy.data.libraries.load(str(tmp_path / "take.blend")) as (source, target):
        target.actions = [name]
    assert bpy.ops.emote.adopt_takes(action=name) == {"FINISHED"}
    adopted = other.emote.takes[0]
    assert (adopted.name, adopted.line, adopted.frame_start) == (name, "line", 11)
    assert adopted.refine.jaw_strength == 0.5
    assert content(adopted.action) == before
    bpy.context.scene.frame_set(20)
    assert other.data.shape_keys.key_blocks["component0"].value != 0.0


def test_an_appended_head_brings_its_takes(scene, head, take, tmp_path):
    before = content(take.action)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "take.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "take.blend")) as (source, target):
        target.objects = ["Head"]
    head = bpy.data.objects["Head"]
    for item in (head, head.parent):
        bpy.context.collection.objects.link(item)
    assert content(head.emote.takes[0].action) == before
    head.emote.takes[0].refine.jaw_strength = 0.5
    assert content(head.emote.takes[0].action) != before
    bpy.context.scene.frame_set(20)
    assert head.data.shape_keys.key_blocks["component0"].value != 0.0
    bpy.context.scene.frame_set(200)
    assert head.data.shape_keys.key_blocks["component0"].value == 0.0


@pytest.fixture
def overridden(scene, head, take, tmp_path):
    """The head linked from another file, with library overrides of object and mesh."""
    collection = bpy.data.collections.new("Hero")
    scene.collection.children.link(collection)
    for item in (head, head.parent):
        collection.objects.link(item)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hero.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "hero.blend"), link=True) as (source, target):
        target.collections = ["Hero"]
    root = bpy.data.collections["Hero"]
    bpy.context.scene.collection.children.link(root)
    override = root.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    head = next(item for item in override.all_objects if item.type == "MESH")
    with pytest.raises(InputError, match="which holds the shape keys, has none; press Make Animatable"):
        rig_of(head)  # Blender overrides no mesh by itself
    head.data.override_create(remap_local_usages=True)
    return head


def test_a_linked_head_with_an_override_plays_its_takes_and_gets_new_ones(overridden, make_motion, tmp_path):
    scene = bpy.context.scene
    keys = overridden.data.shape_keys
    assert keys.library is None
    scene.frame_set(20)
    linked = keys.key_blocks["component0"].value
    assert linked != 0.0
    apply_motion(overridden, make_motion(40), scene, 201, "other")
    assert [take.line for take in overridden.emote.takes] == ["line", "other"]
    for frame, moves in ((20, True), (150, False), (220, True), (400, False)):
        scene.frame_set(frame)
        assert (keys.key_blocks["component0"].value != 0.0) == moves
    scene.frame_set(20)
    assert keys.key_blocks["component0"].value == pytest.approx(linked)
    name = overridden.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    scene, head = bpy.context.scene, next(o for o in bpy.data.objects if o.name == name and o.library is None)
    assert [take.line for take in head.emote.takes] == ["line", "other"]
    scene.frame_set(220)
    assert head.data.shape_keys.key_blocks["component0"].value != 0.0


def test_a_line_of_the_library_is_spoken_anew_once_its_track_is_muted(overridden, make_motion, tmp_path):
    scene = bpy.context.scene
    with pytest.raises(InputError, match="belongs to the library of .* mute the track"):
        apply_motion(overridden, make_motion(40), scene, 11, "line")
    assert [take.line for take in overridden.emote.takes] == ["line"]
    assert [action.name for action in bpy.data.actions if action.library is None] == []
    for owner in (overridden.data.shape_keys, overridden.parent):
        owner.animation_data.nla_tracks["EMOTE"].mute = True
    motion = make_motion(40, neck=True)
    motion.expression[:] = 0.5
    apply_motion(overridden, motion, scene, 11, "line")
    name = overridden.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    scene, head = bpy.context.scene, next(o for o in bpy.data.objects if o.name == name and o.library is None)
    assert [take.in_use for take in head.emote.takes] == [False, True]
    for frame, value in ((20, 0.5), (200, 0.0)):
        scene.frame_set(frame)
        assert head.data.shape_keys.key_blocks["component0"].value == value


def test_a_take_of_the_library_says_that_it_cannot_be_changed(overridden):
    with pytest.raises(RuntimeError, match="is linked from .*hero.blend; make it local first"):
        bpy.ops.emote.take_rebuild(head=overridden.name)


# ---- older versions --------------------------------------------------------------------------------------------------


def old_take(head, motion, name="Line 01 anger", frame_start=11):
    """A take as 0.2 made it: the active action of keys and armature, and one motion in the format of a motion file."""
    head_keys, rig = head.data.shape_keys, head.parent
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    frames = frame_start + np.arange(motion.num_frames)

    def write(owner, path, index, values):
        slot = next((slot for slot in action.slots if slot.target_id_type == owner.id_type), None)
        slot = slot or action.slots.new(id_type=owner.id_type, name=owner.name)
        curve = action_channelbag(action, slot).fcurves.new(path, index=index)
        if np.ptp(values) < 1e-6:
            pairs = [(frames[0], values[0])]
        else:
            pairs = list(zip(frames, values))
        curve.keyframe_points.add(len(pairs))
        curve.keyframe_points.foreach_set("co", np.array(pairs, np.float32).ravel())
        curve.update()
        owner.animation_data_create().action = action
        owner.animation_data.action_slot = slot

    for component in range(6):
        write(head_keys, f'key_blocks["component{component}"].value', 0, motion.expression[:, component])
    from emote_blender.blender.takes.channels import rotation_values

    rest = np.array(rig.pose.bones["jaw"].bone.matrix_local.to_3x3())
    from emote_blender.blender.head.axes import MODEL_TO_BLENDER

    channel, values = rotation_values(motion.jaw @ (rest.T @ MODEL_TO_BLENDER).T, "XYZ")
    for index in range(3):
        write(rig, f'pose.bones["jaw"].{channel}', index, values[:, index])
    stored = io.BytesIO()
    np.savez_compressed(
        stored,
        fps=np.float64(motion.fps),
        meta=np.array(json.dumps(motion.meta)),
        expression=motion.expression,
        jaw=motion.jaw,
    )
    action["emote_take"] = stored.getvalue()
    action["emote_take_place"] = json.dumps({"head": head.name, "scene": "Scene", "frame_start": frame_start})
    return action


@pytest.fixture
def motion(make_motion):
    return make_motion(40, audio="Line 01", intensity=2.0)


def test_an_old_take_moves_to_the_nla_with_transitions_when_generate_is_pressed(scene, head, motion):
    action = old_take(head, motion)
    scene.frame_set(30)
    before = head.data.shape_keys.key_blocks["component1"].value
    apply_motion(head, motion, scene, 201, "Line 02")
    assert [take.line for take in head.emote.takes] == ["Line 01", "Line 02"]
    assert head.emote.takes[0].action == action
    assert (head.emote.takes[0].frame_start, head.emote.takes[0].emotion) == (11, "Anger 2.00")
    scene.frame_set(30)
    assert head.data.shape_keys.key_blocks["component1"].value == pytest.approx(before, abs=1e-6)
    assert head.data.shape_keys.animation_data.action is None
    assert action.frame_range[0] == 11 - 8
    for frame in (-100, 150, 500):
        scene.frame_set(frame)
        assert head.data.shape_keys.key_blocks["component1"].value == 0.0


def test_what_the_artist_changed_in_an_old_take_stays(scene, head, motion):
    action = old_take(head, motion)
    curve = first_curve(action)
    curve.keyframe_points[5].co.y = 0.875
    curve.update()
    edited = content(action)["KEY", curve.data_path, 0]
    assert bpy.ops.emote.adopt_takes() == {"FINISHED"}
    assert content(action)["KEY", curve.data_path, 0] == edited
    assert edited_channels(action) == [f"KEY {curve.data_path} 0"]


def test_an_old_take_keeps_its_float32_motion(scene, head, make_motion):
    motion = make_motion(20)
    motion.expression[:] = np.float32(1 / 3)
    action = old_take(head, motion)
    bpy.ops.emote.adopt_takes()
    np.testing.assert_array_equal(kept_raw(action).emotional.expression, motion.expression)


def test_adopting_twice_adds_one_take(scene, head, motion):
    old_take(head, motion)
    bpy.ops.emote.adopt_takes()
    with pytest.raises(RuntimeError, match="nothing to adopt"):
        bpy.ops.emote.adopt_takes()
    assert len(head.emote.takes) == 1


def test_an_action_without_a_take_is_not_adopted(scene, head):
    bpy.data.actions.new("Walk")
    with pytest.raises(RuntimeError, match="holds no take of EMOTE"):
        bpy.ops.emote.adopt_takes(action="Walk")
    with pytest.raises(RuntimeError, match="'Nowhere' not found"):
        bpy.ops.emote.adopt_takes(action="Nowhere")
    assert not head.emote.takes


# ---- hostile bytes ---------------------------------------------------------------------------------------------------


class Bomb:
    """Something that would run when it is unpickled."""

    def __reduce__(self):
        return sys.exit, ("ran",)


def archive(**arrays):
    stored = io.BytesIO()
    np.savez(stored, **arrays)
    return stored.getvalue()


def announcing(shape):
    """An archive whose expression announces more values than it holds."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f2", "fortran_order": False, "shape": shape})
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as file:
        file.writestr("expression.npy", header.getvalue())
    return stored.getvalue()


META = np.array(json.dumps({"fps": 25, "meta": {}}))
HOSTILE = {
    "nothing": b"",
    "no archive": b"PK nothing",
    "a pickle": pickle.dumps(Bomb()),
    "a pickled array": archive(meta=META, expression=np.array([Bomb()], dtype=object), jaw=np.zeros((1, 3))),
    "too large": announcing((1 << 40, 50)),
    "negative": announcing((-1, 50)),
    "no jaw": archive(meta=META, expression=np.zeros((5, 6), np.float16)),
    "other lengths": archive(meta=META, expression=np.zeros((5, 6)), jaw=np.zeros((4, 3))),
    "nan": archive(meta=META, expression=np.full((5, 6), np.nan), jaw=np.zeros((5, 3))),
    "meta is a list": archive(meta=np.array("[]"), expression=np.zeros((5, 6)), jaw=np.zeros((5, 3))),
    "fps zero": archive(
        meta=np.array(json.dumps({"fps": 0, "meta": {}})), expression=np.zeros((5, 6)), jaw=np.zeros((5, 3))
    ),
    "a format to come": archive(
        meta=np.array(json.dumps({"format": 9, "fps": 25, "meta": {}})),
        expression=np.zeros((5, 6)),
        jaw=np.zeros((5, 3)),
    ),
    "another neutral": archive(
        meta=META,
        expression=np.zeros((5, 6)),
        jaw=np.zeros((5, 3)),
        neutral_expression=np.zeros((4, 6)),
        neutral_jaw=np.zeros((4, 3)),
    ),
    "another prosody": archive(
        meta=META, expression=np.zeros((5, 6)), jaw=np.zeros((5, 3)), loudness_db=np.zeros(4), pitch_hz=np.zeros(4)
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_bytes_are_refused_and_nothing_of_them_runs(scene, head, what):
    action = bpy.data.actions.new("Hostile")
    action["emote_take"] = HOSTILE[what] or b"\0"
    with pytest.raises(InputError, match="'Hostile' .*generate the take again"):
        kept_raw(action)
    with pytest.raises(RuntimeError, match="'Hostile'"):
        bpy.ops.emote.adopt_takes(action="Hostile")
    assert not head.emote.takes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[1]",
        '{"refine": 3, "fps": "fast", "name": 7, "alive": null, "key_spacing": "NEVER", "action": 1}',
        '{"fps": 0, "frame_start": NaN, "duration_seconds": 1e30, "refine": {"jaw_strength": NaN}}',
        '{"fps": -25, "frame_start": 1e300, "refine": {"transition_in": Infinity, "jaw_strength": "x"}}',
    ],
)
def test_damaged_settings_are_left_out(scene, head, take, text):
    action = take.action
    take.action = None
    head.emote.takes.remove(0)
    action["emote_take_settings"] = text
    assert bpy.ops.emote.adopt_takes(action=action.name) == {"FINISHED"}
    adopted = head.emote.takes[0]
    assert (adopted.refine.jaw_strength, adopted.fps) == (1.0, 25.0)
    assert adopted.duration_seconds == pytest.approx(1.6)


def test_an_adopted_take_of_a_line_that_is_spoken_takes_its_place(scene, head, take):
    action = take.action.copy()
    assert bpy.ops.emote.adopt_takes(action=action.name) == {"FINISHED"}
    assert [take.in_use for take in head.emote.takes] == [False, True]


def test_a_damaged_record_of_what_was_written_leaves_the_curves_alone(scene, head, take):
    take.action["emote_written"] = "nonsense"
    before = content(take.action)
    take.refine.lower_strength = 0.5
    assert content(take.action) == before
