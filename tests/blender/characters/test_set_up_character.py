"""Setting up a character: which objects, shape keys and bones are found, and what is refused with which sentence."""

import re

import bpy
import numpy as np
import pytest
from character_rigs import (
    PLACEMENTS,
    arkit_character,
    build_character,
    drive_key,
    faceless_object,
    many_keys_character,
    oculus_character,
    reallusion_character,
    vrm_character,
)
from character_shapes import arkit_shapes, oculus_shapes
from counted_steps import counted_steps
from mathutils import Matrix
from synthetic_flame import make_flame

from emote_blender.blender.characters.find import family_of
from emote_blender.blender.characters.set_up import propose_set_up, recognised_face
from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.scene.find_head import heads_in
from emote_blender.blender.ui.panel_state import panel_state
from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion
from emote_blender.retarget.signals import OPEN_BASIS, OPEN_NAMES

pytestmark = pytest.mark.ends

MOST_DEGREES = 0.1


def set_up(item=None, **arguments):
    assert bpy.ops.emote.set_up_character(object=item.name if item else "", **arguments) == {"FINISHED"}


def turned_by(axes, others):
    """Degrees between two (3, 3) sets of axes."""
    return np.degrees(np.arccos(np.clip((np.trace(axes @ np.transpose(others)) - 1) / 2, -1, 1)))


def proposed(item, **options):
    return propose_set_up(item, bpy.context.scene, **options)


@pytest.mark.parametrize("part", ["mesh", "teeth", "armature"])
def test_any_object_of_a_character_sets_up_the_whole(scene, part):
    character = arkit_character(jaw="bone")
    item = {"mesh": character.mesh, "teeth": character.others[0], "armature": character.armature}[part]
    bpy.context.view_layer.objects.active = item
    set_up()
    assert heads_in(scene) == [character.mesh]
    rig = rig_of(character.mesh)
    assert rig.armature == character.armature
    assert set(rig.other_meshes) == set(character.others)


@pytest.mark.parametrize("placement", list(PLACEMENTS))
def test_the_faces_axes_are_found_however_the_data_stands(scene, placement):
    character = arkit_character(jaw="bone", placement=placement)
    to_data = PLACEMENTS[placement][0]
    expected = to_data / abs(np.linalg.det(to_data)) ** (1 / 3)
    assert turned_by(proposed(character.mesh).axes, expected) < MOST_DEGREES


def test_axes_are_found_without_an_armature(scene):
    character = arkit_character(jaw="key", armature=False, placement="applied")
    to_data = PLACEMENTS["applied"][0]
    assert turned_by(proposed(character.mesh).axes, to_data / 3.0) < MOST_DEGREES


@pytest.mark.parametrize("armature", [True, False])
@pytest.mark.parametrize("placement", ["tilted", "applied", "centimetres"])
def test_axes_are_found_by_keys_that_move_both_sides(scene, placement, armature):
    arkit = arkit_shapes(True)
    both = {name: arkit[f"{name}Left"] + arkit[f"{name}Right"] for name in ("mouthSmile", "eyeBlink", "browDown")}
    shapes = {"Smile": both["mouthSmile"], "Blink": both["eyeBlink"], "Brows Down": both["browDown"]}
    shapes |= {"Mouth Open": arkit["jawOpen"], "Kiss": arkit["mouthPucker"]}
    character = build_character(shapes, jaw_bone=False, placement=placement, armature=armature)
    to_data = PLACEMENTS[placement][0]
    set_up = proposed(character.mesh)
    assert turned_by(set_up.axes, to_data / abs(np.linalg.det(to_data)) ** (1 / 3)) < 2.0  # no side is exact
    assert not [note for note in set_up.notes if note.startswith("Axes")]


@pytest.mark.parametrize("placement", ["tilted", "applied"])
def test_a_face_does_not_look_backwards_whose_left_is_the_viewers(scene, placement):
    swapped = {"Left": "Right", "Right": "Left"}
    shapes = {re.sub("Left|Right", lambda side: swapped[side[0]], name): s for name, s in arkit_shapes(False).items()}
    character = build_character(shapes, placement=placement)
    to_data = PLACEMENTS[placement][0]
    expected = to_data / abs(np.linalg.det(to_data)) ** (1 / 3)
    assert turned_by(proposed(character.mesh).axes, expected) < MOST_DEGREES


@pytest.mark.parametrize("bone_names", ["plain", "mixamo", "vroid", "reallusion", "daz", "metahuman"])
def test_bones_of_many_conventions_are_found(scene, bone_names):
    character = oculus_character(bone_names=bone_names)
    found = proposed(character.mesh).bones
    assert found == {role: name for role, name in character.bones.items() if role != "root"}


def test_a_jaw_bone_opens_the_mouth_where_no_shape_key_does(scene):
    character = arkit_character(jaw="bone")
    found = proposed(character.mesh)
    assert (found.jaw, found.bones["jaw"]) == ("BONE", "jaw")


def test_a_shape_key_opens_the_mouth_where_no_bone_does(scene):
    assert proposed(arkit_character(jaw="key").mesh).jaw == "KEY"


def test_of_a_jaw_key_and_a_jaw_bone_one_is_chosen_and_the_reason_is_given(scene):
    found = proposed(arkit_character(jaw="both").mesh)
    assert found.jaw == "KEY"
    assert any("rather than the bone 'jaw'" in note for note in found.notes)


def test_the_bone_is_chosen_if_the_jaw_key_is_empty(scene):
    character = arkit_character(jaw="both", prefix="")
    for mesh in (character.mesh, *character.others):
        keys = mesh.data.shape_keys.key_blocks
        if "jawOpen" in keys:
            rest = np.empty(3 * len(mesh.data.vertices), np.float32)
            keys[0].points.foreach_get("co", rest)
            keys["jawOpen"].points.foreach_set("co", rest)
    assert proposed(character.mesh).jaw == "BONE"


def test_the_bone_is_chosen_if_the_jaw_key_leaves_the_teeth_behind(scene):
    character = arkit_character(jaw="both", prefix="")
    teeth = character.others[0]
    teeth.shape_key_remove(teeth.data.shape_keys.key_blocks["jawOpen"])
    found = proposed(character.mesh)
    assert found.jaw == "BONE"
    assert any("it also moves 'Character Teeth'" in note for note in found.notes)


def test_a_bone_named_jaw_that_moves_nothing_is_not_the_jaw(scene):
    character = arkit_character(jaw="bone")
    for mesh in (character.mesh, *character.others):
        mesh.vertex_groups["jaw"].name = "other"
    found = proposed(character.mesh)
    assert (found.jaw, "jaw" in found.bones) == ("NONE", False)


def test_a_character_without_any_jaw_says_so(scene):
    found = proposed(arkit_character(jaw="none").mesh)
    assert found.jaw == "NONE"
    assert "Jaw: none; no shape key or bone opens the mouth" in found.notes


def test_visemes_that_open_the_mouth_leave_the_jaw_bone_alone(scene):
    found = proposed(oculus_character(jaw_bone=True).mesh)
    assert found.jaw == "NONE"
    assert any(note.startswith("Jaw: none; the visemes open the mouth") for note in found.notes)


def test_shape_keys_that_turn_the_eyes_leave_the_eye_bones_alone(scene):
    assert "left_eye" not in proposed(arkit_character().mesh).bones
    assert "left_eye" in proposed(vrm_character().mesh).bones


def test_a_bone_that_a_constraint_turns_is_left_alone_for_its_control(scene):
    character = arkit_character(jaw="bone")
    rig = character.armature
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    control = rig.data.edit_bones.new("jaw_master")
    deform = rig.data.edit_bones["jaw"]
    control.head, control.tail, control.roll, control.parent = deform.head, deform.tail, deform.roll, deform.parent
    control.use_deform = False
    bpy.ops.object.mode_set(mode="OBJECT")
    constraint = rig.pose.bones["jaw"].constraints.new("COPY_TRANSFORMS")
    constraint.target, constraint.subtarget = rig, "jaw_master"
    assert proposed(character.mesh).bones["jaw"] == "jaw_master"


def test_eyeballs_that_hang_on_bones_count_as_their_weights(scene):
    character = vrm_character()
    eye = bpy.data.objects.new("Eye", bpy.data.meshes.new("Eye"))
    bone = character.armature.data.bones["J_Adj_L_FaceEye"]
    middle = np.array(bone.head_local)
    around = middle + 0.01 * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    world = np.array(character.armature.matrix_world)
    eye.data.from_pydata([tuple(world[:3, :3] @ point + world[:3, 3]) for point in around], [], [])
    scene.collection.objects.link(eye)
    eye.parent, eye.parent_type, eye.parent_bone = character.armature, "BONE", bone.name
    bpy.context.view_layer.update()
    eye.matrix_world.identity()
    bpy.context.view_layer.update()
    for mesh in (character.mesh, *character.others):
        mesh.vertex_groups["J_Adj_L_FaceEye"].name = "gone"
    assert proposed(character.mesh).bones.get("left_eye") == "J_Adj_L_FaceEye"


def test_two_characters_with_the_same_names_stay_apart(scene):
    first = arkit_character(name="Anna", placement="plain")
    second = arkit_character(name="Berta", placement="plain")
    assert set(family_of(first.mesh, scene).meshes) == {first.mesh, *first.others}
    assert set(family_of(second.others[0], scene).meshes) == {second.mesh, *second.others}


def test_two_characters_without_armatures_stay_apart_and_keep_their_teeth(scene):
    characters = [arkit_character(name=name, jaw="key", armature=False, placement="plain") for name in "AB"]
    for item in characters[1].objects:
        item.location.x += 0.5
    bpy.context.view_layer.update()
    for character in characters:
        assert set(family_of(character.mesh, scene).meshes) == set(character.objects)


def test_a_mesh_whose_keys_are_all_driven_follows_by_itself(scene):
    character = arkit_character(jaw="key")
    teeth = character.others[0]
    for key in list(teeth.data.shape_keys.key_blocks)[1:]:
        drive_key(teeth, key.name)
    assert teeth not in proposed(character.mesh).others


def test_driven_keys_are_reported(scene):
    character = arkit_character(jaw="bone", prefix="")
    drive_key(character.mesh, "mouthFunnel")
    notes = " ".join(proposed(character.mesh).notes)
    assert "Drivers set 1 of the shape keys (mouthFunnel)" in notes


def test_a_driven_key_gives_way_to_another_one_of_the_same_signal(scene):
    character = arkit_character(jaw="bone", prefix="", separate=())
    character.mesh.shape_key_add(name="Mouth_Funnel", from_mix=False)
    drive_key(character.mesh, "mouthFunnel")
    rows = [each.row for each in proposed(character.mesh).rows if each.row.source == "mouthFunnel"]
    assert [row.target for row in rows] == ["Mouth_Funnel"]


def test_of_300_keys_the_visemes_are_found(scene):
    found = proposed(many_keys_character().mesh)
    assert {each.row.source for each in found.rows if each.row.enabled} >= {"viseme_PP", "viseme_aa", "viseme_ou"}


def test_character_creators_names_and_a_scale_of_centimetres(scene):
    found = proposed(reallusion_character(jaw="bone").mesh)
    assert (found.jaw, found.bones["jaw"]) == ("BONE", "CC_Base_JawRoot")


@pytest.mark.once
def test_no_step_of_a_proposal_is_made_for_each_vertex(scene):
    character = arkit_character(jaw="both", body_vertices=100_000)
    assert len(character.mesh.data.vertices) > 100_000
    proposed(character.mesh)  # the first call reads the files of names
    assert counted_steps(proposed, character.mesh) < 100_000


def test_a_hidden_character_in_edit_mode_is_set_up_too(scene):
    character = arkit_character()
    bpy.context.view_layer.objects.active = character.mesh
    bpy.ops.object.mode_set(mode="EDIT")
    set_up(character.mesh)
    bpy.ops.object.mode_set(mode="OBJECT")
    character.mesh.hide_set(True)
    set_up(character.mesh)
    assert character.mesh.emote.character.is_set_up


def test_a_mesh_without_a_face_is_refused_with_its_names(scene):
    crate = faceless_object()
    with pytest.raises(RuntimeError, match="no face that is recognised: its 3 shape keys .Squash, Bend, Key 3."):
        bpy.ops.emote.set_up_character(object=crate.name)
    assert recognised_face(crate, scene) is None
    assert not crate.emote.character.is_set_up


def test_a_mesh_without_a_known_face_can_be_set_up_by_hand(scene):
    crate = faceless_object()
    set_up(crate, by_hand=True)
    assert bpy.ops.emote.add_mapping_row(source="jawOpen", target="Squash") == {"FINISHED"}
    assert rig_of(crate).expression_keys == ("Squash",)


def test_a_mesh_without_shape_keys_is_refused(scene):
    mesh = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    scene.collection.objects.link(mesh)
    with pytest.raises(RuntimeError, match="'Cube' has no shape keys that could speak"):
        bpy.ops.emote.set_up_character(object="Cube")


def test_an_empty_armature_is_refused(scene):
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    scene.collection.objects.link(rig)
    with pytest.raises(RuntimeError, match="armature 'Rig' moves no mesh"):
        bpy.ops.emote.set_up_character(object="Rig")


def test_our_own_head_needs_no_set_up(head):
    with pytest.raises(RuntimeError, match="is a head of this add-on"):
        bpy.ops.emote.set_up_character(object=head.name)


def test_a_flame_head_stays_a_flame_head(scene):
    flame = make_flame(num_shape=0, num_expression=12)
    mesh = bpy.data.objects.new("FLAME", bpy.data.meshes.new("FLAME"))
    mesh.data.from_pydata(flame.v_template.tolist(), [], [])
    scene.collection.objects.link(mesh)
    for name in ["Base", *(f"Exp{number}" for number in range(1, 13))]:
        mesh.shape_key_add(name=name, from_mix=False)
    with pytest.raises(InputError, match="has FLAME's shape keys"):
        proposed(mesh)


def test_an_unknown_object_or_armature_is_refused(scene):
    character = arkit_character()
    with pytest.raises(RuntimeError, match="object 'Nobody' not found"):
        bpy.ops.emote.set_up_character(object="Nobody")
    with pytest.raises(RuntimeError, match="'Character' is no armature"):
        bpy.ops.emote.set_up_character(object="Character", armature=character.mesh.name)


def test_use_selected_sets_a_character_up_and_pins_it(scene):
    character = arkit_character()
    bpy.context.view_layer.objects.active = character.armature
    assert bpy.ops.emote.use_selected() == {"FINISHED"}
    assert scene.emote.head == character.mesh


def test_a_character_can_be_set_up_in_one_undo_step(scene):
    character = arkit_character()
    name = character.mesh.name
    bpy.ops.ed.undo_push(message="made")
    set_up(character.mesh)
    bpy.ops.ed.undo_push(message="set up")
    bpy.ops.ed.undo()
    assert not bpy.data.objects[name].emote.character.is_set_up


def test_a_bone_that_moves_only_the_teeth_turns_with_the_jaw_key(scene):
    """As in Character Creator: a shape key opens the skin's mouth, and a bone the teeth's."""
    character = arkit_character(jaw="both", prefix="")
    teeth = character.others[0]
    teeth.shape_key_remove(teeth.data.shape_keys.key_blocks["jawOpen"])
    jaw, head = (character.mesh.vertex_groups[name].index for name in ("jaw", "head"))
    for vertex in character.mesh.data.vertices:
        for entry in list(vertex.groups):
            if entry.group == jaw:
                character.mesh.vertex_groups[head].add([vertex.index], entry.weight, "ADD")
                character.mesh.vertex_groups[jaw].remove([vertex.index])
    set_up(character.mesh)
    settings = character.mesh.emote.character
    assert settings.jaw == "KEY"
    turning = [entry for entry in settings.rows if entry.target == "jaw"]
    assert np.linalg.norm([entry.strength for entry in turning]) == pytest.approx(0.4, abs=0.02)
    closed = np.array([corner[:] for corner in shown_box(teeth)])
    bpy.context.window_manager.emote.preview_jaw = 1.0
    opened = np.array([corner[:] for corner in shown_box(teeth)])
    assert np.abs(opened - closed).max() > 0.01
    bpy.context.window_manager.emote.preview_jaw = 0.0


def shown_box(item):
    """The corners of the box around an evaluated mesh."""
    bpy.context.view_layer.update()
    return item.evaluated_get(bpy.context.evaluated_depsgraph_get()).bound_box


def test_a_copy_of_the_whole_character_is_a_character_of_its_own(scene):
    """Duplicated with its rig, as Shift+D does: its parts are the copies."""
    character = arkit_character(name="Anna")
    set_up(character.mesh)
    bpy.ops.object.select_all(action="DESELECT")
    for item in character.objects:
        item.select_set(True)
    bpy.context.view_layer.objects.active = character.mesh
    bpy.ops.object.duplicate()
    copy = bpy.context.view_layer.objects.active
    assert copy != character.mesh
    rig = rig_of(copy)
    assert rig.armature != character.armature
    assert not {*rig.other_meshes} & {*character.others}


@pytest.fixture
def motion_file(tmp_path):
    names = list(OPEN_NAMES)
    meta = {"face": OPEN_BASIS, "expression_names": names}
    FaceMotion(np.ones((5, len(names))) * 0.5, np.zeros((5, 3)), 25.0, meta=meta).save(tmp_path / "line.npz")
    return str(tmp_path / "line.npz")


def test_naming_a_recognised_character_sets_it_up(scene, motion_file):
    character = arkit_character(name="Anna")
    bpy.context.view_layer.objects.active = None
    assert bpy.ops.emote.apply_motion(filepath=motion_file, head="Anna Teeth") == {"FINISHED"}
    assert len(character.mesh.emote.takes) == 1


def test_the_selected_character_is_set_up_in_a_scene_without_heads(scene, motion_file):
    character = arkit_character(name="Anna")
    bpy.context.view_layer.objects.active = character.armature
    bpy.ops.emote.apply_motion(filepath=motion_file)
    assert len(character.mesh.emote.takes) == 1


def test_a_selected_character_is_not_set_up_beside_a_head(scene, head, motion_file):
    character = arkit_character(name="Anna")
    bpy.context.view_layer.objects.active = character.mesh
    with pytest.raises(RuntimeError):  # the motion is not the head's
        bpy.ops.emote.apply_motion(filepath=motion_file)
    assert not character.mesh.emote.character.is_set_up


def test_naming_a_mesh_without_a_face_says_so(scene, motion_file):
    arkit_character(name="Anna")
    faceless_object("Crate")
    with pytest.raises(RuntimeError, match="'Crate' has no face that is recognised"):
        bpy.ops.emote.apply_motion(filepath=motion_file, head="Crate")


def test_the_panel_offers_the_selected_character(scene):
    character = arkit_character(name="Anna")
    bpy.context.view_layer.objects.active = character.armature
    bpy.context.view_layer.update()
    state = panel_state(bpy.context)
    assert (state.candidate, state.why_not) == ("Anna", "Anna can speak: press Use Selected Character")
    bpy.ops.emote.use_selected()
    assert panel_state(bpy.context).candidate == ""


def test_looking_for_a_face_among_many_objects_takes_few_steps_for_each(scene):
    mesh = bpy.data.meshes.new("Crowd")
    for number in range(500):
        scene.collection.objects.link(bpy.data.objects.new(f"Crowd {number}", mesh))
    character = arkit_character(armature=False, jaw="key")
    assert recognised_face(character.mesh, scene) == character.mesh
    assert counted_steps(recognised_face, character.mesh, scene) < 500 * 100


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: arkit_character(jaw="bone"), "the bone 'jaw' opens the mouth"),
        (lambda: arkit_character(jaw="key"), "a shape key opens the mouth"),
        (lambda: arkit_character(jaw="none"), "nothing opens the mouth"),
        (oculus_character, "visemes open the mouth"),
    ],
    ids=["bone", "key", "none", "visemes"],
)
def test_one_line_says_what_opens_the_mouth(scene, build, words):
    assert words in proposed(build().mesh).sentence()


def test_absolute_shape_keys_are_refused_with_what_to_do(scene):
    character = arkit_character(jaw="key")
    character.mesh.data.shape_keys.use_relative = False
    with pytest.raises(InputError, match="are absolute.*switch on Relative"):
        proposed(character.mesh)


def test_what_the_user_has_switched_off_is_said(scene):
    character = arkit_character(jaw="key", prefix="")
    character.mesh.show_only_shape_key = True
    character.mesh.data.shape_keys.key_blocks["jawOpen"].mute = True
    notes = " ".join(proposed(character.mesh).notes)
    assert "shows its active shape key only" in notes
    assert "Muted shape keys stay still (jawOpen)" in notes


def test_the_bones_that_drive_shape_keys_are_named(scene):
    character = arkit_character(jaw="key", prefix="", separate=())
    variable = character.mesh.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.variables.new()
    variable.type = "TRANSFORMS"
    variable.targets[0].id, variable.targets[0].bone_target = character.armature, "neck"
    curve = character.mesh.data.shape_keys.key_blocks["mouthClose"].driver_add("value")
    target = curve.driver.variables.new().targets[0]
    target.id, target.data_path = character.armature, 'pose.bones["head"].location[1]'
    notes = proposed(character.mesh).notes
    assert "Jaw: the shape key 'jawOpen' is set by a driver, and no bone opens the mouth" in notes
    assert any("add rows for the bones that the drivers read (head, neck)" in note for note in notes)


@pytest.mark.parametrize("select", ["mesh", "face rig"])
def test_of_two_armatures_the_one_with_the_jaw_counts(scene, select):
    character = arkit_character(jaw="bone")
    body = bpy.data.objects.new("Body Rig", bpy.data.armatures.new("Body Rig"))
    scene.collection.objects.link(body)
    for mesh in (character.mesh, *character.others):
        mesh.modifiers.new("Body", "ARMATURE").object = body
        mesh.modifiers.move(1, 0)
    found = proposed(character.mesh if select == "mesh" else character.armature)
    assert found.armature == character.armature
    assert (found.jaw, set(found.others)) == ("BONE", set(character.others))


@pytest.mark.parametrize("about", "XYZ")
def test_a_mouth_alone_shows_which_of_the_worlds_axes_a_face_looks_along(scene, about):
    visemes = {name: shape for name, shape in oculus_shapes().items() if name.startswith("viseme_")}
    character = build_character(visemes, jaw_bone=False, armature=False, placement="plain")
    turn = Matrix.Rotation(np.pi / 2, 4, about)
    character.mesh.data.transform(turn, shape_keys=True)
    axes = np.array(turn.to_3x3()) @ PLACEMENTS["plain"][0]
    assert turned_by(proposed(character.mesh).axes, axes) < 15.0
