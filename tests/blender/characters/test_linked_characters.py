"""Characters of another file: set up there or here, one press, spoken, saved, followed when their file changes."""

import subprocess
import sys

import bpy
import numpy as np
import pytest
from character_rigs import arkit_character, linked_character, vrm_character
from measured_lips import closed_frames, lip_gap_mm
from spoken_motions import open_motion

from emote_blender.blender.check.find import problems
from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.scene.find_head import heads_in
from emote_blender.blender.takes.make import apply_motion
from emote_blender.blender.ui.panel_state import work_out_state
from emote_blender.errors import InputError
from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel

pytestmark = pytest.mark.ends

FRAMES = 48
WHEN = ["before", "after"]


@pytest.fixture(scope="module")
def motion():
    """A line whose lips are closed a quarter of the time, in the open head's components."""
    return open_motion(FaceModel.load(find_head("open_head")), FRAMES)


def face() -> bpy.types.Object:
    """The face of the character that is of this file."""
    return next(item for item in bpy.context.view_layer.objects if item.name == "Character" and item.library is None)


def made_animatable(tmp_path, build=arkit_character, when="before", **options) -> bpy.types.Object:
    """The face of a linked character after one press, and after another one that sets it up if its file did not."""
    character = build(**options)
    if when == "before":
        bpy.ops.emote.set_up_character(object=character.mesh.name)
    linked = linked_character(tmp_path / "hero.blend", character, override=False)
    bpy.context.scene.render.fps = 25  # as the motion's and the other file's
    bpy.context.view_layer.objects.active = linked.mesh
    assert bpy.ops.emote.make_animatable() == {"FINISHED"}
    if when == "after":
        bpy.ops.emote.set_up_character(object=face().name)
    return face()


def save_and_reload(tmp_path) -> bpy.types.Object:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    return face()


def gaps(head) -> np.ndarray:
    """(T,) the gap in the middle of the mouth at each frame, mm."""
    return np.array([lip_gap_mm(head, frame) for frame in range(1, FRAMES + 1)])


def rows(head) -> list[tuple]:
    return [(row.source, row.target, row.channel, row.enabled) for row in head.emote.character.rows]


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("build", [arkit_character, vrm_character], ids=["arkit", "vrm"])
def test_it_speaks_as_the_same_character_does_in_its_own_file(build, when, motion, tmp_path):
    own = build()
    bpy.ops.emote.set_up_character(object=own.mesh.name)
    apply_motion(own.mesh, motion, bpy.context.scene)
    expected, table = gaps(own.mesh), rows(own.mesh)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    head = made_animatable(tmp_path, build, when)
    assert rows(head) == table
    apply_motion(head, motion, bpy.context.scene)
    np.testing.assert_allclose(gaps(head), expected, atol=1e-3)
    assert np.ptp(expected) > 3.0
    head = save_and_reload(tmp_path)
    assert rows(head) == table
    np.testing.assert_allclose(gaps(head), expected, atol=1e-3)
    assert [item for item in problems(bpy.context, head) if item.severity == "ERROR"] == []


@pytest.mark.parametrize("when", WHEN)
def test_its_lips_close_where_those_of_the_motion_do(when, motion, tmp_path):
    head = made_animatable(tmp_path, when=when)
    apply_motion(head, motion, bpy.context.scene)
    closed = closed_frames(motion.expression, motion.jaw)
    assert len(closed) >= FRAMES // 6
    assert gaps(head)[closed].max() <= 1.0


@pytest.mark.parametrize("when", WHEN)
def test_a_change_of_its_file_arrives_and_takes_play_on(when, motion, tmp_path):
    head = made_animatable(tmp_path, when=when)
    apply_motion(head, motion, bpy.context.scene)
    before, table = gaps(head), rows(head)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    script = f"""
import bpy, os
bpy.ops.wm.open_mainfile(filepath={str(tmp_path / "hero.blend")!r})
hat = bpy.data.objects.new("Hat", bpy.data.meshes.new("Hat"))
bpy.data.collections["Hero"].objects.link(hat)
hat.parent = bpy.data.objects["Character Rig"]
bpy.data.objects["Character"].shape_key_add(name="added", from_mix=False).value = 0.0
bpy.ops.wm.save_mainfile()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=120)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    head = face()
    assert "Hat" in bpy.context.view_layer.objects
    assert "added" in head.data.shape_keys.key_blocks
    assert rows(head) == table
    np.testing.assert_allclose(gaps(head), before, atol=1e-3)
    assert bpy.context.view_layer.objects["Character Teeth"].data.library is None
    rig_of(head)


def set_up(_):
    bpy.ops.emote.set_up_character()


def use_selected(_):
    bpy.ops.emote.use_selected()


def apply_to_it(motion_file):
    bpy.ops.emote.apply_motion(filepath=motion_file, head="Character")


@pytest.mark.parametrize("command", [set_up, use_selected, apply_to_it], ids=lambda command: command.__name__)
def test_setting_up_a_linked_character_makes_its_overrides_in_the_same_step(command, motion, tmp_path):
    linked = linked_character(tmp_path / "hero.blend", arkit_character(), override=False)
    motion.save(tmp_path / "line.npz")
    bpy.context.view_layer.objects.active = linked.mesh
    assert work_out_state(bpy.context).linked == "Character"
    command(str(tmp_path / "line.npz"))
    assert work_out_state(bpy.context).linked == ""
    assert not linked.mesh.emote.character.is_set_up  # what is written to linked data is never saved
    apply_motion(face(), motion, bpy.context.scene)
    assert np.ptp(gaps(face())) > 3.0
    assert rows(save_and_reload(tmp_path))


def test_an_overridden_character_whose_meshes_have_no_override_is_offered_the_press(motion, tmp_path):
    character = arkit_character()
    bpy.ops.emote.set_up_character(object=character.mesh.name)
    linked_character(tmp_path / "hero.blend", character, override=True)
    (head,) = (head for head in heads_in(bpy.context.scene) if head.library is None)
    with pytest.raises(InputError, match="emote.make_animatable"):
        rig_of(head)
    assert bpy.ops.emote.make_animatable(head=head.name) == {"FINISHED"}
    apply_motion(head, motion, bpy.context.scene)
    assert np.ptp(gaps(head)) > 3.0


@pytest.mark.parametrize("when", WHEN)
def test_an_instance_of_a_character_speaks_where_it_stands(when, motion, tmp_path):
    character = arkit_character()
    if when == "before":
        bpy.ops.emote.set_up_character(object=character.mesh.name)
    linked_character(tmp_path / "hero.blend", character, override=False)
    hero = next(iter(bpy.data.collections))
    bpy.context.scene.collection.children.unlink(hero)
    empty = bpy.data.objects.new("Hero", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", hero
    empty.location = (3.0, 0.0, 0.0)
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.objects.active = empty
    assert bpy.ops.emote.make_animatable() == {"FINISHED"}
    if when == "after":
        bpy.ops.emote.set_up_character(object="Character")
    apply_motion(face(), motion, bpy.context.scene)
    assert np.ptp(gaps(face())) > 3.0
    assert face().parent.parent == empty
    assert save_and_reload(tmp_path).emote.takes


def test_an_overridden_character_can_be_set_up_again(motion, tmp_path):
    head = made_animatable(tmp_path)
    apply_motion(head, motion, bpy.context.scene)
    table, before = rows(head), gaps(head)
    bpy.ops.emote.set_up_character(object=head.name)
    assert rows(head) == table
    head = save_and_reload(tmp_path)
    assert rows(head) == table
    assert len(head.emote.character.meshes) == 2
    np.testing.assert_allclose(gaps(head), before, atol=1e-3)


def test_rows_that_are_added_to_an_overridden_character_are_kept(motion, tmp_path):
    head = made_animatable(tmp_path)
    number = len(head.emote.character.rows)
    for _ in range(3):
        bpy.ops.emote.add_mapping_row(source="jawOpen", target=head.emote.character.rows[0].target)
    assert len(save_and_reload(tmp_path).emote.character.rows) == number + 3


def test_a_row_of_the_library_is_switched_off_as_it_cannot_be_removed(tmp_path):
    head = made_animatable(tmp_path)
    number = len(head.emote.character.rows)
    head.emote.character.active_row = 2
    bpy.ops.emote.remove_mapping_row()
    kept = save_and_reload(tmp_path).emote.character.rows
    assert (len(kept), kept[2].enabled, kept[3].enabled) == (number, False, True)


def test_moments_of_an_overridden_head_are_kept(tmp_path):
    head = made_animatable(tmp_path)
    for _ in range(4):
        bpy.ops.emote.add_moment(head=head.name)
    for number, moment in enumerate(head.emote.moments):
        moment.time = number
    assert [moment.time for moment in save_and_reload(tmp_path).emote.moments] == [0, 1, 2, 3]
