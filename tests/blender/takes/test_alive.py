"""Blinks, gaze, head motion and idle takes on the open head, as Blender shows them."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Vector

from emote_blender.blender.check.takes import take_warnings
from emote_blender.blender.head.build import add_head
from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.takes.make import Line, apply_motion, new_take
from emote_blender.flame.model import FaceModel
from emote_blender.motion import FaceMotion
from emote_blender.motion_tools.life import Life
from emote_blender.motion_tools.raw_take import Prosody, RawTake

pytestmark = pytest.mark.ends

ROOT = Path(__file__).parents[3]
BLINK, NECK, EYES = "eyeBlinkLeft", '"neck"', '_eye"'


@pytest.fixture(scope="session")
def open_face() -> FaceModel:
    return FaceModel.load(ROOT / "models" / "open_head")


@pytest.fixture
def head(scene, open_face):
    """The open head in the scene."""
    return add_head(bpy.context, open_face)


def prosody_of(num_frames: int) -> Prosody:
    """Phrases of 1.6 s with pauses of 0.4 s and a stressed syllable in each."""
    place = np.arange(num_frames) % 50
    loudness = np.where(place < 40, -20.0 + 4 * np.cos(2 * np.pi * place / 5), -80.0)
    return Prosody(loudness + 8 * (np.abs(place - 20) < 2), np.where(place < 40, 120.0, 0.0))


def raw_of(head, seconds: float = 20.0, emotion: str = "neutral") -> RawTake:
    num_frames = round(seconds * 25)
    rig = rig_of(head)
    meta = {
        "face": rig.basis,
        "expression_names": list(rig.expression_names) if rig.expression_names else None,
        "emotion": emotion,
        "intensity": 1.0,
    }
    motion = FaceMotion(np.zeros((num_frames, rig.num_expression)), np.zeros((num_frames, 3)), 25.0, meta=meta)
    return RawTake(motion, None, prosody_of(num_frames))


def curves(take) -> dict[tuple[str, int], np.ndarray]:
    """Values of every curve of a take."""
    return {
        (curve.data_path, curve.array_index): np.array([point.co.y for point in curve.keyframe_points])
        for layer in take.action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        for curve in bag.fcurves
    }


def has(take, part: str) -> bool:
    return any(part in path for path, _ in curves(take))


def shown(scene, head, frames, component: str = BLINK) -> np.ndarray:
    """Values of a shape key as Blender evaluates them."""
    values = []
    for frame in frames:
        scene.frame_set(int(frame))
        values.append(head.data.shape_keys.key_blocks[component].value)
    return np.array(values)


@pytest.fixture
def take(scene, head):
    """A take of 20 s from frame 11 on, with blinks, gaze and head motion."""
    return new_take(head, raw_of(head), scene, Line("line", 11), life=Life())


def test_a_generated_take_blinks_looks_and_nods(scene, head, take):
    assert has(take, BLINK)
    assert has(take, EYES)
    assert has(take, NECK)
    assert shown(scene, head, range(11, 511)).max() == pytest.approx(1.0, abs=1e-4)


def test_a_motion_file_plays_as_it_is(scene, head):
    motion = raw_of(head).emotional
    motion.jaw[:, 0] = 0.1
    apply_motion(head, motion, scene, 11)
    made = head.emote.takes[0]
    assert not any(has(made, part) for part in (BLINK, EYES, NECK))
    assert not any((made.alive.blinks, made.alive.gaze, made.alive.head_motion))


def test_what_a_file_has_already_is_not_added_again(scene, head):
    raw = raw_of(head)
    raw.emotional.meta["life"] = {"blinks": True, "gaze": False, "head_motion": True, "seed": 0}
    made = new_take(head, raw, scene, Line("line", 11), life=Life())
    assert (
        not has(made, BLINK) or max(values.max() for (path, _), values in curves(made).items() if BLINK in path) < 0.5
    )
    assert has(made, EYES)
    assert not has(made, NECK)


def test_switches_take_parts_away_and_bring_them_back(take):
    before = curves(take)
    take.alive.blinks = take.alive.gaze = False
    assert not has(take, BLINK)
    assert not has(take, EYES)
    take.alive.head_motion = False
    assert not has(take, NECK)
    take.alive.blinks = take.alive.gaze = take.alive.head_motion = True
    after = curves(take)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_the_seed_changes_blinks_gaze_and_head(take):
    before = curves(take)
    take.alive.seed = 7
    after = curves(take)
    for part in (BLINK, EYES, NECK):
        for name in before:
            if part in name[0]:
                assert not np.allclose(before[name], after[name], atol=1e-3)


def test_saving_and_opening_gives_the_same_curves(scene, head, take, tmp_path):
    take.alive.blink_strength, take.alive.head_strength = 0.8, 1.3
    before, name = curves(take), head.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "alive.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "alive.blend"))
    again = bpy.data.objects[name].emote.takes[0]
    again.alive.saccade_strength = 0.3
    again.alive.saccade_strength = 1.0
    after = curves(again)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_keyed_strength_is_read_at_the_frames_of_the_take(scene, head, take):
    for frame, value in ((11, 0.0), (260, 0.0), (261, 1.0)):
        head.emote.takes[0].alive.blink_strength = value
        head.keyframe_insert("emote.takes[0].alive.blink_strength", frame=frame)
    for curve in head.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "CONSTANT"
    take.alive.gaze = False
    values = shown(scene, head, range(11, 511))
    assert values[:240].max() < 1e-4
    assert values[250:].max() > 0.9


@pytest.mark.parametrize("rate", [(24, 1.0), (30, 1.001), (60, 1.0)])
def test_blinks_close_at_every_frame_rate(scene, head, rate):
    scene.render.fps, scene.render.fps_base = rate
    made = new_take(head, raw_of(head), scene, Line("line", 1), life=Life())
    fps = rate[0] / rate[1]
    assert shown(scene, head, range(1, round(20 * fps))).max() > 0.99
    assert len(next(values for (path, _), values in curves(made).items() if BLINK in path)) > 19 * fps


def test_without_a_neck_bone_the_head_stays_and_without_eyes_the_gaze(scene, open_face):
    head = add_head(bpy.context, open_face)
    for bone, name in (("neck", "stem"), ("left_eye", "eyeball")):
        head.parent.data.bones[bone].name = name
        made = new_take(head, raw_of(head), scene, Line(name, 11), life=Life())
        assert not has(made, NECK)
        assert has(made, EYES) == (bone == "neck")
        assert has(made, BLINK)


def test_a_head_bone_takes_half_of_the_turn(scene, head):
    armature = head.parent
    with_one = curves(new_take(head, raw_of(head), scene, Line("one", 11), life=Life()))
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bone = armature.data.edit_bones.new("head")
    neck = armature.data.edit_bones["neck"]
    bone.head, bone.tail, bone.roll, bone.parent = neck.tail, neck.tail + Vector((0, 0, 0.05)), neck.roll, neck
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.pose.bones["head"].rotation_mode = "XYZ"
    with_two = curves(new_take(head, raw_of(head), scene, Line("two", 11), life=Life()))
    whole = with_one['pose.bones["neck"].rotation_euler', 0]
    for name in ("neck", "head"):
        np.testing.assert_allclose(with_two[f'pose.bones["{name}"].rotation_euler', 0], whole / 2, atol=2e-3)


# ---- gaze ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def target(scene):
    """An empty in front of the head, a little to its left and above it."""
    target = bpy.data.objects.new("Target", None)
    scene.collection.objects.link(target)
    target.location = (0.15, -0.9, 0.12)
    bpy.context.view_layer.update()
    return target


def misses(scene, head, target, frames) -> np.ndarray:
    """Angle between each eye's line of sight and the target, degrees, as Blender evaluates them."""
    found = []
    for frame in frames:
        scene.frame_set(int(frame))
        graph = bpy.context.evaluated_depsgraph_get()
        armature = head.parent.evaluated_get(graph)
        place = target.evaluated_get(graph).matrix_world.translation
        for name in ("left_eye", "right_eye"):
            bone = armature.pose.bones[name]
            turn = (armature.matrix_world @ bone.matrix @ bone.bone.matrix_local.inverted()).to_3x3()
            origin = armature.matrix_world @ bone.matrix.translation
            found.append(np.degrees((turn @ Vector((0, -1, 0))).angle(place - origin)))
    return np.array(found)


def look_at(take, target) -> None:
    take.alive.saccade_strength = 0.0
    take.alive.look_at = target


def test_both_eyes_look_at_an_object_while_the_head_nods(scene, head, take, target):
    look_at(take, target)
    assert misses(scene, head, target, range(20, 500, 23)).max() < 0.3


def test_eyes_follow_an_object_with_keyframes(scene, head, take, target):
    for frame, place in ((1, (0.2, -0.8, 0.2)), (510, (-0.2, -1.2, 0.0))):
        target.location = place
        target.keyframe_insert("location", frame=frame)
    look_at(take, target)
    assert misses(scene, head, target, range(20, 500, 23)).max() < 0.3


def test_eyes_hold_the_object_when_the_artist_turns_the_neck(scene, head, take, target):
    neck = head.parent.pose.bones["neck"]
    for frame, turn in ((1, (0.0, 0.1, 0.2)), (510, (0.1, -0.05, -0.2))):
        neck.rotation_euler = turn
        neck.keyframe_insert("rotation_euler", frame=frame)
    look_at(take, target)
    assert misses(scene, head, target, range(20, 500, 23)).max() < 0.5


def test_a_weight_of_zero_looks_ahead(scene, head, take, target):
    take.alive.saccade_strength = 0.0
    straight = curves(take)
    take.alive.look_at = target
    turned = curves(take)
    take.alive.look_at_weight = 0.0
    back = curves(take)
    name = 'pose.bones["left_eye"].rotation_euler', 1
    np.testing.assert_allclose(back[name], straight[name], atol=1e-5)
    assert np.abs(turned[name] - straight[name])[20:-20].min() > 0.05


def test_a_target_that_was_deleted_is_no_target(scene, head, take, target):
    look_at(take, target)
    bpy.data.objects.remove(target)
    take.alive.seed = 1
    assert take.alive.look_at is None or take.alive.look_at.name not in scene.objects
    assert has(take, EYES)


# ---- where the settings come from ------------------------------------------------------------------------------------


def test_the_next_line_takes_over_the_life_of_the_active_take(scene, head, take, target):
    take.alive.look_at, take.alive.blink_strength, take.alive.blink_interval_seconds = target, 0.6, 2.5
    first = new_take(head, raw_of(head), scene, Line("second", 600), life=None)
    assert (first.alive.look_at, first.alive.blinks) == (target, True)
    assert first.alive.blink_strength == pytest.approx(0.6)
    assert first.alive.blink_interval_seconds == 2.5


def test_the_seed_follows_from_head_and_line(scene, head, open_face):
    other = add_head(bpy.context, open_face)
    seeds = {}
    for item in (head, other):
        for line in ("one", "two"):
            seeds[item.name, line] = new_take(item, raw_of(item), scene, Line(line, 11), life=None).alive.seed
    assert len(set(seeds.values())) == 4
    again = new_take(head, raw_of(head, emotion="anger"), scene, Line("one", 11), life=None)
    assert again.alive.seed == seeds[head.name, "one"]


def test_a_motion_file_does_not_switch_off_the_life_of_the_next_line(scene, head):
    apply_motion(head, raw_of(head).emotional, scene, 11)
    made = new_take(head, raw_of(head), scene, Line("line", 600), life=None)
    assert made.alive.blinks
    assert made.alive.gaze
    assert made.alive.head_motion


# ---- targets that move -----------------------------------------------------------------------------------------------


def test_eyes_follow_when_the_object_is_moved(scene, head, take, target):
    look_at(take, target)
    scene.frame_set(40)
    bpy.context.view_layer.update()
    target.location = (-0.2, -0.7, 0.0)
    bpy.context.view_layer.update()
    assert misses(scene, head, target, range(20, 500, 60)).max() < 0.3


def test_scrubbing_writes_no_take_again(scene, head, take, target):
    for frame in (1, 510):
        target.location.x = frame / 2000
        target.keyframe_insert("location", frame=frame)
    follower = bpy.data.objects.new("Follower", None)
    scene.collection.objects.link(follower)
    follower.constraints.new("COPY_LOCATION").target = target
    bpy.context.view_layer.update()
    look_at(take, follower)
    bpy.context.view_layer.update()
    take.action["emote_fades"] = [9.0]  # what a rewrite would set again
    for frame in (3, 77, 200, 45):
        scene.frame_set(frame)
    assert list(take.action["emote_fades"]) == [9.0]


def test_update_gaze_reads_what_a_constraint_does(scene, head, take, target):
    follower = bpy.data.objects.new("Follower", None)
    scene.collection.objects.link(follower)
    follower.constraints.new("COPY_LOCATION").target = target
    for frame, place in ((1, (0.2, -0.8, 0.2)), (510, (-0.2, -1.2, 0.0))):
        target.location = place
        target.keyframe_insert("location", frame=frame)
    scene.frame_set(300)
    look_at(take, follower)
    assert misses(scene, head, follower, range(20, 500, 23)).max() > 2
    assert bpy.ops.emote.update_gaze(head=head.name, take=take.name) == {"FINISHED"}
    assert misses(scene, head, follower, range(20, 500, 23)).max() < 0.3


def test_update_gaze_without_a_target_is_a_sentence(head, take):
    with pytest.raises(RuntimeError, match="looks at no object"):
        bpy.ops.emote.update_gaze(head=head.name, take=take.name)


# ---- idle takes ------------------------------------------------------------------------------------------------------


def curve_value(take, path: str, index: int, frame: float) -> float:
    for bag in take.action.layers[0].strips[0].channelbags:
        curve = bag.fcurves.find(path, index=index)
        if curve is not None:
            return curve.evaluate(frame)
    raise KeyError(path)


@pytest.fixture
def idle(scene, head, take):
    """An idle take over frames 1 to 1000; the line speaks on frames 11 to 510."""
    scene.frame_start, scene.frame_end = 1, 1000
    take.alive.blink_interval_seconds = 1.5
    bpy.ops.emote.alive_idle(head=head.name)
    return head.emote.takes["Idle"]


def test_an_idle_take_is_not_said_to_lack_a_sound(head, idle):
    assert idle.name not in take_warnings(bpy.context, head)


def test_an_idle_head_blinks_where_it_does_not_speak(scene, head, take, idle):
    assert head.emote.takes[0].in_use
    assert idle.in_use
    values = shown(scene, head, range(1, 1001))
    assert (np.diff((values[520:] > 0.5).astype(int)) == 1).sum() >= 5
    path = f'key_blocks["{BLINK}"].value'
    assert all(curve_value(idle, path, 0, frame) < 1e-3 for frame in range(11, 511))
    assert values.max() < 1.001  # no blink of the one on top of a blink of the other


def test_the_neck_goes_from_the_idle_take_to_the_line_and_back(scene, head, take, idle):
    scene.frame_set(1)
    neck = head.parent.pose.bones["neck"]
    turns = []
    for frame in range(2, 990):
        scene.frame_set(frame)
        turns.append(neck.rotation_euler.copy())
    steps = np.degrees(np.abs(np.diff(np.array(turns), axis=0)))
    assert steps.max() < 3.0
    assert np.degrees(np.array(turns)[550:]).std(axis=0).sum() > 0.3


def test_a_new_line_silences_the_idle_take_there(scene, head, take, idle):
    path = 'pose.bones["neck"].rotation_euler'
    before = [curve_value(idle, path, 0, frame) for frame in range(620, 860)]
    assert np.ptp(before) > 1e-3
    new_take(head, raw_of(head, seconds=10), scene, Line("second", 611), life=None)
    idle = head.emote.takes["Idle"]
    assert idle.in_use
    assert np.abs([curve_value(idle, path, 0, frame) for frame in range(612, 860)]).max() < 1e-6
    assert np.ptp([curve_value(idle, path, 0, frame) for frame in range(880, 990)]) > 1e-4


def test_a_line_that_is_removed_gives_its_frames_back(scene, head, take, idle):
    bpy.ops.emote.take_remove(head=head.name, take=take.name)
    idle = head.emote.takes["Idle"]
    path = 'pose.bones["neck"].rotation_euler'
    assert np.ptp([curve_value(idle, path, 0, frame) for frame in range(20, 500)]) > 1e-3


def test_a_second_idle_take_replaces_the_first(scene, head, take, idle):
    bpy.ops.emote.alive_idle(head=head.name, use_range=True, frame_start=500, frame_end=800)
    assert [item.line for item in head.emote.takes].count("Idle") == 1
    bpy.ops.emote.alive_idle(head=head.name, use_range=True, frame_start=900, frame_end=1000)
    assert [item.line for item in head.emote.takes].count("Idle") == 2


def test_an_idle_range_that_ends_before_it_begins_is_refused(head):
    with pytest.raises(RuntimeError, match="comes before the first"):
        bpy.ops.emote.alive_idle(head=head.name, use_range=True, frame_start=10, frame_end=9)


# ---- FLAME's unnamed components --------------------------------------------------------------------------------------


def test_the_lid_keys_of_a_flame_head_blink_and_follow_the_eyes(scene, make_face, target):
    head = add_head(bpy.context, make_face(named=False, basis="flame2020"))
    for side in "LR":
        if head.data.shape_keys.key_blocks.get(f"EMOTE Blink {side}") is None:
            head.shape_key_add(name=f"EMOTE Blink {side}", from_mix=False)
    made = new_take(head, raw_of(head), scene, Line("line", 11), life=Life())
    values = shown(scene, head, range(11, 511), "EMOTE Blink L")
    assert values.max() > 0.99
    assert values.min() > -1e-6
    assert (np.diff((values > 0.5).astype(int)) == 1).sum() >= 3
    made.alive.blinks = False
    low = bpy.data.objects.new("Low", None)
    scene.collection.objects.link(low)
    low.location = (0.0, -1.0, -1.0)
    bpy.context.view_layer.update()
    made.alive.look_at = low
    lowered = shown(scene, head, range(60, 460, 50), "EMOTE Blink R")
    assert 0.1 < lowered.min() < lowered.max() < 0.6


def test_a_flame_head_without_lid_keys_looks_and_nods(scene, make_face):
    head = add_head(bpy.context, make_face(named=False, basis="flame2020"))
    for key in list(head.data.shape_keys.key_blocks):
        if key.name.startswith("EMOTE Blink"):
            head.shape_key_remove(key)
    made = new_take(head, raw_of(head), scene, Line("line", 11), life=Life())
    assert has(made, EYES)
    assert has(made, NECK)
    assert not has(made, "Blink")
