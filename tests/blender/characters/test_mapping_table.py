"""The table of a character: edited, filtered, proposed again, saved and loaded; takes follow it."""

import bpy
import numpy as np
import pytest
from character_rigs import arkit_character, drive_key, oculus_character

from emote_blender.blender.characters.table_state import work_out
from emote_blender.blender.takes.make import apply_motion
from emote_blender.motion import FaceMotion
from emote_blender.retarget.mapping import FaceMapping, MappingRow
from emote_blender.retarget.mapping_file import read_mapping, write_mapping
from emote_blender.retarget.signals import OPEN_BASIS, OPEN_NAMES


@pytest.fixture
def anna(scene):
    """An ARKit character whose jaw is a bone, set up."""
    character = arkit_character(name="Anna", prefix="")
    bpy.ops.emote.set_up_character(object="Anna")
    return character


def funnel(num_frames=10) -> FaceMotion:
    """A motion whose lips funnel more and more."""
    expression = np.zeros((num_frames, len(OPEN_NAMES)), np.float32)
    expression[:, OPEN_NAMES.index("mouthFunnel")] = np.linspace(0, 1, num_frames)
    meta = {"face": OPEN_BASIS, "expression_names": list(OPEN_NAMES)}
    return FaceMotion(expression, np.zeros((num_frames, 3), np.float32), 25.0, meta=meta)


def row(character, target):
    return next(entry for entry in character.mesh.emote.character.rows if entry.target == target)


def shown(mesh, key, frame=10):
    bpy.context.scene.frame_set(frame)
    return mesh.data.shape_keys.key_blocks[key].value


def choose(character, target):
    rows = character.mesh.emote.character.rows
    character.mesh.emote.character.active_row = next(i for i, entry in enumerate(rows) if entry.target == target)


def test_a_changed_strength_is_in_the_takes_at_once(scene, anna):
    apply_motion(anna.mesh, funnel(), scene)
    before = shown(anna.mesh, "mouthFunnel")
    row(anna, "mouthFunnel").strength = 0.5
    assert shown(anna.mesh, "mouthFunnel") == pytest.approx(before / 2, abs=1e-3)


def test_a_row_that_is_switched_off_leaves_its_key_at_rest(scene, anna):
    apply_motion(anna.mesh, funnel(), scene)
    row(anna, "mouthFunnel").enabled = False
    assert shown(anna.mesh, "mouthFunnel") == pytest.approx(0.0, abs=1e-6)


def test_another_target_moves_instead(scene, anna):
    apply_motion(anna.mesh, funnel(), scene)
    row(anna, "mouthFunnel").target = "cheekPuff"
    assert shown(anna.mesh, "cheekPuff") > 0.5


def test_only_rows_that_the_user_changed_count_as_edited(anna):
    assert not any(entry.is_edited for entry in anna.mesh.emote.character.rows)
    row(anna, "mouthFunnel").strength = 0.5
    assert [entry.target for entry in anna.mesh.emote.character.rows if entry.is_edited] == ["mouthFunnel"]


def test_proposing_again_keeps_what_the_user_edited(anna):
    row(anna, "mouthFunnel").strength = 0.5
    row(anna, "mouthPucker").strength = 0.5
    row(anna, "mouthPucker").is_edited = False
    bpy.ops.emote.propose_mapping()
    assert row(anna, "mouthFunnel").strength == pytest.approx(0.5)
    assert row(anna, "mouthPucker").strength == pytest.approx(1.0)
    bpy.ops.emote.propose_mapping(keep_edited=False)
    assert row(anna, "mouthFunnel").strength == pytest.approx(1.0)


def test_an_edited_row_follows_a_shape_key_that_was_renamed(anna):
    row(anna, "mouthFunnel").strength = 0.5
    anna.mesh.data.shape_keys.key_blocks["mouthFunnel"].name = "Mouth Funnel"
    for mesh in anna.others:
        if "mouthFunnel" in mesh.data.shape_keys.key_blocks:
            mesh.data.shape_keys.key_blocks["mouthFunnel"].name = "Mouth Funnel"
    assert work_out(anna.mesh).rows_of["LOST"]
    bpy.ops.emote.propose_mapping()
    assert row(anna, "Mouth Funnel").strength == pytest.approx(0.5)
    assert not work_out(anna.mesh).rows_of["LOST"]


def test_lost_targets_are_shown_and_can_be_removed(anna):
    choose(anna, "mouthFunnel")
    row(anna, "mouthFunnel").target = "gone"
    rows = anna.mesh.emote.character.rows
    assert [rows[index].target for index in work_out(anna.mesh).rows_of["LOST"]] == ["gone"]
    count = len(rows)
    bpy.ops.emote.clean_mapping()
    assert len(anna.mesh.emote.character.rows) == count - 1
    with pytest.raises(RuntimeError, match="every row's target is there"):
        bpy.ops.emote.clean_mapping()


def test_rows_of_driven_keys_are_shown(anna):
    for mesh in (anna.mesh, *anna.others):
        if "mouthFunnel" in mesh.data.shape_keys.key_blocks:
            drive_key(mesh, "mouthFunnel")
    rows = anna.mesh.emote.character.rows
    assert [rows[index].target for index in work_out(anna.mesh).rows_of["DRIVEN"]] == ["mouthFunnel"]


def test_a_copy_of_a_row_counts_as_doubled(anna):
    assert not work_out(anna.mesh).rows_of["DOUBLED"]
    choose(anna, "mouthFunnel")
    bpy.ops.emote.duplicate_mapping_row()
    rows = anna.mesh.emote.character.rows
    doubled = sorted(work_out(anna.mesh).rows_of["DOUBLED"])
    assert [rows[index].target for index in doubled] == ["mouthFunnel"] * 2
    assert anna.mesh.emote.character.active_row == doubled[1]


def test_a_removed_row_leaves_its_signal_unmoved(anna):
    choose(anna, "mouthFunnel")
    bpy.ops.emote.remove_mapping_row()
    state = work_out(anna.mesh)
    assert state.unmapped_signals == ("mouthFunnel",)
    assert [key for key, _ in state.unmapped_keys] == ["mouthFunnel"]


def test_visemes_leave_no_signals_of_the_mouth_missing(scene):
    character = oculus_character(name="Ben")
    bpy.ops.emote.set_up_character(object="Ben")
    assert not [name for name in work_out(character.mesh).unmapped_signals if name.startswith("mouth")]


def test_an_added_row_moves_what_it_says(scene, anna):
    apply_motion(anna.mesh, funnel(), scene)
    assert bpy.ops.emote.add_mapping_row(source="mouthFunnel", target="noseSneerLeft") == {"FINISHED"}
    assert shown(anna.mesh, "noseSneerLeft") > 0.5


def test_a_preset_is_the_same_table_again(anna, tmp_path):
    row(anna, "mouthFunnel").strength = 0.5
    file = tmp_path / "anna.json"
    assert bpy.ops.emote.save_mapping(filepath=str(file)) == {"FINISHED"}
    row(anna, "mouthFunnel").strength = 1.5
    assert bpy.ops.emote.load_mapping(filepath=str(file)) == {"FINISHED"}
    assert row(anna, "mouthFunnel").strength == pytest.approx(0.5)
    assert len(read_mapping(file).rows) == len(anna.mesh.emote.character.rows)


def test_of_a_preset_for_another_character_what_fits_is_used(anna, tmp_path):
    file = tmp_path / "other.json"
    write_mapping(FaceMapping((MappingRow("jawOpen", "Mund"), MappingRow("mouthFunnel", "mouthPucker"))), file)
    bpy.ops.emote.load_mapping(filepath=str(file))
    assert [entry.target for entry in anna.mesh.emote.character.rows] == ["mouthPucker"]


def test_a_preset_that_fits_nothing_changes_nothing(anna, tmp_path):
    file = tmp_path / "other.json"
    write_mapping(FaceMapping((MappingRow("jawOpen", "Mund"),)), file)
    count = len(anna.mesh.emote.character.rows)
    with pytest.raises(RuntimeError, match="the preset is for another character"):
        bpy.ops.emote.load_mapping(filepath=str(file))
    assert len(anna.mesh.emote.character.rows) == count


def test_a_character_can_be_set_up_with_a_preset(scene, tmp_path):
    file = tmp_path / "preset.json"
    write_mapping(FaceMapping((MappingRow("mouthFunnel", "mouthPucker"),)), file)
    character = arkit_character(name="Clara", prefix="")
    bpy.ops.emote.set_up_character(object="Clara", preset=str(file))
    assert [entry.target for entry in character.mesh.emote.character.rows] == ["mouthPucker"]
    character = arkit_character(name="Dora", prefix="")
    with pytest.raises(RuntimeError, match="nothing.json not found"):
        bpy.ops.emote.set_up_character(object="Dora", preset=str(tmp_path / "nothing.json"))
    assert not character.mesh.emote.character.is_set_up


def test_the_set_up_is_not_removed_under_its_takes(scene, anna):
    apply_motion(anna.mesh, funnel(), scene)
    with pytest.raises(RuntimeError, match="has takes, which need its set-up"):
        bpy.ops.emote.remove_character()
    assert anna.mesh.emote.character.is_set_up


def test_removing_the_set_up_leaves_nothing_of_it(scene, anna):
    apply_motion(anna.mesh, funnel(), scene)
    bpy.ops.emote.remove_character(with_takes=True)
    character = anna.mesh.emote.character
    assert not character.is_set_up
    assert (len(character.rows), len(character.meshes), character.armature) == (0, 0, None)
    assert not bpy.data.actions
    for owner in (anna.mesh.data.shape_keys, anna.armature):
        assert owner.animation_data is None or not owner.animation_data.nla_tracks
    assert anna.mesh.data.shape_keys.key_blocks["mouthFunnel"].value == 0.0


def test_table_buttons_say_why_they_are_grey(head):
    with pytest.raises(RuntimeError, match="a head of this add-on or of FLAME, which needs no table"):
        bpy.ops.emote.add_mapping_row()
