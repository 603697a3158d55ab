"""Heads of another file: linked, instanced, overridden, appended, lost; what makes them speak, and what they keep."""

import shutil
import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

from emote_blender.blender.check.find import problems
from emote_blender.blender.head.build import add_head
from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.scene.find_head import heads_in
from emote_blender.blender.takes.make import apply_motion
from emote_blender.blender.ui.panel_state import work_out_state
from emote_blender.errors import InputError

pytestmark = pytest.mark.ends

REPOSITORY = Path(__file__).parents[3]


def shown(head, frame: float) -> np.ndarray:
    """(V, 3) places of a head's vertices in the scene, as Blender evaluates them at a frame."""
    bpy.context.scene.frame_set(int(frame))
    evaluated = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    evaluated.to_mesh_clear()
    matrix = np.array(evaluated.matrix_world)
    return points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def face_moves(head) -> bool:
    """Whether shape keys and jaw move the mesh between two frames of the motion."""
    return bool(np.abs(shown(head, 4) - shown(head, 14)).max() > 1e-3)


def keys_move(head) -> bool:
    """Whether the value of a shape key changes."""
    blocks = head.data.shape_keys.key_blocks
    values = []
    for frame in (4, 14):
        bpy.context.scene.frame_set(frame)
        values.append([block.value for block in blocks])
    return values[0] != values[1]


def serious(head) -> list:
    """What Check finds, but for what is only good to know: these takes have no sound."""
    return [problem for problem in problems(bpy.context, head) if problem.severity != "INFO"]


@pytest.fixture
def library(scene, face, tmp_path) -> Path:
    """A .blend whose collection Cast holds a head (`Head`, `Head Rig`); the open file is an empty one."""
    return save_library(tmp_path / "cast.blend", face)


def save_library(path: Path, face) -> Path:
    cast = bpy.data.collections.new("Cast")
    bpy.context.scene.collection.children.link(cast)
    layers = bpy.context.view_layer.layer_collection.children
    bpy.context.view_layer.active_layer_collection = layers["Cast"]
    add_head(bpy.context, face)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    empty_file()
    return path


def empty_file() -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def link(library, kind="collections", names=("Cast",)) -> list:
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        setattr(wanted, kind, list(names))
    return getattr(wanted, kind)


def link_collection(library) -> bpy.types.Collection:
    (cast,) = link(library)
    bpy.context.scene.collection.children.link(cast)
    return cast


def link_objects(library, names=("Head", "Head Rig")) -> list:
    objects = link(library, "objects", names)
    for item in objects:
        bpy.context.scene.collection.objects.link(item)
    return objects


def link_instance(library, location=(0, 0, 0)) -> bpy.types.Object:
    (cast,) = link(library)
    empty = bpy.data.objects.new("Cast", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", cast
    empty.location = location
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.update()
    return empty


def override(cast, editable=False) -> bpy.types.Object:
    """The head of a hierarchy that Blender's own command has overridden."""
    cast.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=editable)
    if cast in bpy.context.scene.collection.children.values():
        bpy.context.scene.collection.children.unlink(cast)
    (head,) = (head for head in heads_in(bpy.context.scene) if head.override_library)
    return head


def the_head() -> bpy.types.Object:
    """The only head that is shown; one of a collection that is only instanced counts."""
    heads = heads_in(bpy.context.scene)
    (head,) = [head for head in heads if head in bpy.context.view_layer.objects.values()] or heads
    return head


def save_and_reload(folder) -> bpy.types.Object:
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))
    return the_head()


def change_library(library, statements) -> None:
    """Change a .blend in another Blender, as somebody else would while this one has it linked."""
    script = "\n".join(
        ["import bpy", f"bpy.ops.wm.open_mainfile(filepath={str(library)!r})", "head = bpy.data.objects['Head']"]
        + ["rig = bpy.data.objects['Head Rig']", "cast = bpy.data.collections.get('Cast')", statements]
        + ["bpy.ops.wm.save_mainfile()", "import os; os._exit(0)"]
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=120)


MORE_OBJECTS = """
hat = bpy.data.objects.new("Hat", bpy.data.meshes.new("Hat"))
cast.objects.link(hat)
hat.parent = rig
"""
MORE_KEYS = """
head.shape_key_add(name="added", from_mix=False).value = 0.0
for key in head.data.shape_keys.key_blocks:
    key.points[0].co.z += 1.0
"""


# ---- what is refused, and what the sentence names --------------------------------------------------------------------


@pytest.mark.parametrize("linked", [link_collection, link_objects, link_instance])
def test_a_linked_head_is_refused_and_the_operator_that_the_sentence_names_makes_it_speak(
    linked, library, make_motion, tmp_path
):
    linked(library)
    make_motion().save(tmp_path / "line.npz")
    with pytest.raises(RuntimeError, match=r"linked from .*cast.blend .*Make Animatable \(emote.make_animatable\)"):
        bpy.ops.emote.apply_motion(filepath=str(tmp_path / "line.npz"))
    assert work_out_state(bpy.context).linked == "Head"
    assert bpy.ops.emote.make_animatable() == {"FINISHED"}
    assert work_out_state(bpy.context).linked == ""
    bpy.ops.emote.apply_motion(filepath=str(tmp_path / "line.npz"))
    assert face_moves(the_head())
    assert serious(the_head()) == []


def test_generate_refuses_a_linked_head_with_the_same_sentence(library, ramp_wav, monkeypatch):
    from emote_blender.blender import requirements

    monkeypatch.setattr(requirements, "missing_libraries", lambda: ())
    link_collection(library)
    with pytest.raises(RuntimeError, match=r"Make Animatable \(emote.make_animatable\)"):
        bpy.ops.emote.generate(audio=str(ramp_wav()))


def test_check_offers_the_overrides_as_its_fix(library):
    link_collection(library)
    (problem,) = serious(the_head())
    assert problem.fixes == ("MAKE_ANIMATABLE",)
    assert bpy.ops.emote.fix(problem="MAKE_ANIMATABLE") == {"FINISHED"}
    rig_of(the_head())


# ---- every way to have a character of another file -------------------------------------------------------------------


def hierarchy(library):
    override(link_collection(library))


def editable_hierarchy(library):
    override(link_collection(library), editable=True)


def linked_mesh_of_a_local_head(library):
    """As Object > Relations > Make Local > Selected Objects leaves them."""
    for item in link_objects(library):
        item.select_set(True)
    bpy.context.view_layer.objects.active = bpy.context.selected_objects[0]
    bpy.ops.object.make_local(type="SELECT_OBJECT")


def made_real(library):
    empty = link_instance(library)
    empty.select_set(True)
    bpy.context.view_layer.objects.active = empty
    bpy.ops.object.duplicates_make_real(use_hierarchy=True)
    bpy.data.objects.remove(empty)


def mesh_object_alone(library):
    link_objects(library, ("Head",))


def linked_armature_of_a_local_head(library):
    objects = link_objects(library)
    head = next(item for item in objects if item.type == "MESH")
    local = head.copy()
    local.data = head.data.copy()
    bpy.context.scene.collection.objects.unlink(head)
    bpy.context.scene.collection.objects.link(local)


def override_of_the_mesh_object_alone(library):
    objects = link_objects(library)
    head = next(item for item in objects if item.type == "MESH")
    made = head.override_create()
    bpy.context.scene.collection.objects.unlink(head)
    bpy.context.scene.collection.objects.link(made)


def nested_collection(library):
    """The linked collection lies in a collection of the file that is excluded in a second view layer."""
    cast = link_collection(library)
    scene = bpy.context.scene
    outer = bpy.data.collections.new("Shot Cast")
    scene.collection.children.link(outer)
    outer.children.link(cast)
    scene.collection.children.unlink(cast)
    scene.view_layers.new("Other").layer_collection.children["Shot Cast"].children["Cast"].exclude = True


def overridden_twice_in_another_file(library):
    """The override of an override: this file links a collection in which another file overrides the first."""
    override(link_collection(library))
    middle = library.with_name("middle.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(middle))
    empty_file()
    link_collection(middle)


def linked_indirectly(library):
    """This file links a set, which links the character."""
    outer = bpy.data.collections.new("Set")
    bpy.context.scene.collection.children.link(outer)
    (cast,) = link(library)
    outer.children.link(cast)
    middle = library.with_name("middle.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(middle))
    empty_file()
    (linked,) = link(middle, names=("Set",))
    bpy.context.scene.collection.children.link(linked)


WAYS = [
    link_collection,
    link_objects,
    link_instance,
    hierarchy,
    editable_hierarchy,
    linked_mesh_of_a_local_head,
    made_real,
    mesh_object_alone,
    linked_armature_of_a_local_head,
    override_of_the_mesh_object_alone,
    nested_collection,
    overridden_twice_in_another_file,
    linked_indirectly,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_one_press_makes_a_head_of_another_file_speak_and_its_takes_are_kept(way, library, make_motion, tmp_path):
    way(library)
    with pytest.raises(InputError, match="emote.make_animatable"):
        rig_of(the_head())
    assert bpy.ops.emote.make_animatable() == {"FINISHED"}
    head = the_head()
    names = [item.name for item in bpy.context.view_layer.objects if item.type in ("MESH", "ARMATURE")]
    assert sorted(names) == ["Head", "Head Rig"]  # nothing twice, and nothing lost
    apply_motion(head, make_motion(), bpy.context.scene)
    assert face_moves(head)
    assert keys_move(head)
    posed = shown(head, 14)
    head = save_and_reload(tmp_path)
    assert [len(head.emote.takes), keys_move(head)] == [1, True]
    np.testing.assert_allclose(shown(head, 14), posed, atol=1e-6)
    rig_of(head)


def names_in_file() -> list[list[str]]:
    kinds = (bpy.data.objects, bpy.data.meshes, bpy.data.collections, bpy.data.armatures)
    return [sorted(item.name_full for item in kind) for kind in kinds]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_one_undo_gives_the_file_before(way, library):
    way(library)
    before = names_in_file()
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.emote.make_animatable("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    assert names_in_file() == before
    with pytest.raises(InputError, match="emote.make_animatable"):
        rig_of(the_head())


def test_pressing_again_changes_nothing(library):
    link_collection(library)
    bpy.ops.emote.make_animatable()
    before = [len(bpy.data.objects), len(bpy.data.meshes), the_head().name]
    assert bpy.ops.emote.make_animatable() == {"FINISHED"}
    assert [len(bpy.data.objects), len(bpy.data.meshes), the_head().name] == before


def test_the_overrides_can_be_edited_by_the_artist(library):
    link_collection(library)
    bpy.ops.emote.make_animatable()
    head = the_head()
    assert not any(item.override_library.is_system_override for item in (head, head.parent, head.data))


def test_an_appended_head_speaks_at_once(library, make_motion, tmp_path):
    with bpy.data.libraries.load(str(library), link=False) as (_, wanted):
        wanted.collections = ["Cast"]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    assert face_moves(save_and_reload(tmp_path))


@pytest.mark.parametrize("kind", ["ALL", "SELECT_OBDATA"])
def test_an_override_that_was_made_local_speaks(library, make_motion, kind):
    link_collection(library)
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    for item in bpy.context.scene.objects:
        item.select_set(True)
    bpy.ops.object.make_local(type=kind)
    head = the_head()
    assert head.override_library is None
    assert face_moves(head)
    apply_motion(head, make_motion(), bpy.context.scene)


def test_a_linked_scene_is_refused_and_the_copy_that_the_sentence_names_works(library, make_motion, tmp_path):
    (linked,) = link(library, "scenes", ("Scene",))
    bpy.context.window.scene = linked
    with pytest.raises(RuntimeError, match=r"scene 'Scene' is linked from .*New Scene > Linked Copy"):
        bpy.ops.emote.make_animatable()
    bpy.ops.scene.new(type="LINK_COPY")
    assert bpy.context.scene.library is None
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    assert face_moves(the_head())


def test_a_file_that_is_missing_is_named_and_putting_it_back_helps(library, make_motion, tmp_path):
    link_collection(library)
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    shutil.move(library, tmp_path / "away.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    with pytest.raises(InputError, match=r"the file .*cast.blend that 'Head' comes from is missing; put it back"):
        rig_of(the_head())
    with pytest.raises(RuntimeError, match="is missing"):
        bpy.ops.emote.make_animatable()
    shutil.move(tmp_path / "away.blend", library)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert face_moves(the_head())
    rig_of(the_head())


def test_a_file_whose_head_is_linked_from_a_missing_file_says_so(library, tmp_path):
    link_collection(library)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    shutil.move(library, tmp_path / "away.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    with pytest.raises(RuntimeError, match=r"no head, and the file .*cast.blend that this one links is missing"):
        bpy.ops.emote.generate()
    assert "cast.blend" in work_out_state(bpy.context).why_not


# ---- places and view layers ------------------------------------------------------------------------------------------


def test_the_character_stays_where_its_instance_stood_and_goes_on_following_the_empty(library, make_motion):
    empty = link_instance(library, (3.0, -1.0, 0.5))
    empty.rotation_euler, empty.scale = (0.0, 0.3, 0.7), (2.0, 2.0, 2.0)
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    (before,) = (
        np.array(instance.matrix_world)
        for instance in depsgraph.object_instances
        if instance.is_instance and instance.object.type == "MESH"
    )
    bpy.ops.emote.make_animatable()
    bpy.context.view_layer.update()
    head = the_head()
    np.testing.assert_allclose(np.array(head.matrix_world), before, atol=1e-6)
    empty.location.x = 5.0
    bpy.context.view_layer.update()
    assert head.matrix_world.translation.x == pytest.approx(before[0, 3] + 2.0)
    assert not any(item.is_instance for item in bpy.context.evaluated_depsgraph_get().object_instances)


def test_of_two_instances_the_selected_one_is_opened_and_the_other_stays(library):
    first, second = link_instance(library), link_instance(library, (4.0, 0.0, 0.0))
    bpy.context.view_layer.objects.active = second
    bpy.ops.emote.make_animatable()
    assert (first.instance_type, second.instance_type) == ("COLLECTION", "NONE")
    (own,) = (head for head in heads_in(bpy.context.scene) if head.library is None)
    bpy.context.view_layer.update()
    assert own.matrix_world.translation.x == pytest.approx(4.0)


def test_two_instances_of_one_character_speak_apart(library, make_motion, tmp_path):
    for place in (0.0, 4.0):
        bpy.context.view_layer.objects.active = link_instance(library, (place, 0.0, 0.0))
        bpy.ops.emote.make_animatable()
    first, second = heads_in(bpy.context.scene)
    apply_motion(first, make_motion(), bpy.context.scene)
    assert (face_moves(first), face_moves(second)) == (True, False)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert [face_moves(head) for head in heads_in(bpy.context.scene)] == [True, False]


def test_a_head_in_an_instance_of_a_collection_of_this_file_speaks_where_it_is_shown(scene, head, make_motion):
    cast = bpy.data.collections.new("Cast")
    for item in (head, head.parent):
        scene.collection.objects.unlink(item)
        cast.objects.link(item)
    empty = bpy.data.objects.new("Cast", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", cast
    scene.collection.objects.link(empty)
    assert heads_in(scene) == [head]
    bpy.context.view_layer.objects.active = empty
    apply_motion(head, make_motion(), scene)
    assert face_moves(head)
    assert work_out_state(bpy.context).head == head.name


def test_view_layers_stay_as_they_were(library):
    nested_collection(library)
    other = bpy.context.scene.view_layers["Other"]
    bpy.ops.emote.make_animatable()
    (outer,) = bpy.context.scene.collection.children
    assert [child.override_library is not None for child in outer.children] == [True]
    excluded = {
        layer.name: layer.layer_collection.children["Shot Cast"].children[0].exclude
        for layer in bpy.context.scene.view_layers
    }
    assert excluded == {"ViewLayer": False, other.name: True}


@pytest.mark.parametrize("state", ["excluded", "hidden", "object hidden"])
def test_a_head_that_is_not_shown_is_made_animatable_all_the_same(library, make_motion, state):
    cast = link_collection(library)
    layer = bpy.context.view_layer.layer_collection.children["Cast"]
    if state == "excluded":
        layer.exclude = True
    elif state == "hidden":
        layer.hide_viewport = True
    else:
        cast.all_objects["Head"].hide_set(True)
    bpy.ops.emote.make_animatable()
    head = the_head()
    apply_motion(head, make_motion(), bpy.context.scene)
    now = bpy.context.view_layer.layer_collection.children["Cast"]
    assert (now.exclude, now.hide_viewport) == (state == "excluded", state == "hidden")
    now.exclude = now.hide_viewport = False
    assert face_moves(head)


def test_the_pinned_head_is_the_overridden_one_afterwards(scene, library):
    link_collection(library)
    bpy.context.scene.emote.head = the_head()
    bpy.ops.emote.make_animatable()
    assert bpy.context.scene.emote.head == the_head()
    assert the_head().library is None


# ---- what happens when the library changes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way, change",
    [
        pytest.param(link_collection, MORE_OBJECTS, id="collection-objects"),
        pytest.param(link_collection, MORE_KEYS, id="collection-keys"),
        pytest.param(link_collection, MORE_OBJECTS + MORE_KEYS, id="collection-both"),
        pytest.param(link_objects, MORE_OBJECTS + MORE_KEYS, id="objects-both"),
        pytest.param(link_instance, MORE_OBJECTS + MORE_KEYS, id="instance-both"),
    ],
)
def test_takes_survive_a_change_of_the_library(way, change, library, make_motion, tmp_path):
    way(library)
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    change_library(library, change)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    head = the_head()
    assert face_moves(head)
    assert keys_move(head)
    assert ("added" in head.data.shape_keys.key_blocks) == ("added" in change)
    assert serious(head) == []
    head.emote.takes[0].refine.expression_strength = 0.5  # and can be changed
    assert keys_move(save_and_reload(tmp_path))


def test_takes_whose_mesh_is_lost_are_laid_again_by_one_press(library, make_motion, tmp_path):
    """As after the library changed and the file was saved by a Blender without this add-on."""
    link_collection(library)
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    head = the_head()
    (linked,) = (mesh for mesh in bpy.data.meshes if mesh.library and mesh.shape_keys)
    own = bpy.data.meshes[head.data.name]
    head.data = linked
    bpy.data.meshes.remove(own)
    assert not keys_move(head)
    assert [problem.fix for problem in serious(head)] == ["MAKE_ANIMATABLE"]
    bpy.ops.emote.make_animatable()
    assert keys_move(the_head())
    assert keys_move(save_and_reload(tmp_path))


def test_a_library_that_is_reloaded_leaves_the_takes_or_check_offers_the_press(library, make_motion, tmp_path):
    link_collection(library)
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    change_library(library, MORE_OBJECTS)
    bpy.data.libraries[0].reload()
    if bpy.app.version < (5, 0, 0):
        assert [problem.fix for problem in serious(the_head())] == ["MAKE_ANIMATABLE"]
        bpy.ops.emote.make_animatable()
    assert keys_move(the_head())
    assert serious(the_head()) == []


def test_takes_of_the_library_play_and_those_of_this_file_beside_them(face, scene, make_motion, tmp_path):
    library = tmp_path / "cast.blend"
    save_library(library, face)
    bpy.ops.wm.open_mainfile(filepath=str(library))
    apply_motion(the_head(), make_motion(), bpy.context.scene, 1, "of the library")
    bpy.ops.wm.save_mainfile()
    empty_file()
    link_collection(library)
    assert face_moves(the_head())
    bpy.ops.emote.make_animatable()
    head = the_head()
    assert face_moves(head)
    apply_motion(head, make_motion(), bpy.context.scene, 51, "of this file")
    assert [take.line for take in head.emote.takes] == ["of the library", "of this file"]
    head = save_and_reload(tmp_path)
    assert [take.line for take in head.emote.takes] == ["of the library", "of this file"]
    assert face_moves(head)
    bpy.context.scene.frame_set(64)
    assert any(block.value for block in head.data.shape_keys.key_blocks[1:])


# ---- copies that share data ------------------------------------------------------------------------------------------


def linked_duplicate(head):
    """Alt+D of mesh and armature."""
    bpy.ops.object.select_all(action="DESELECT")
    for item in (head, head.parent):
        item.select_set(True)
    bpy.context.view_layer.objects.active = head
    bpy.ops.object.duplicate(linked=True)
    return next(item for item in bpy.context.selected_objects if item.type == "MESH")


def test_check_and_generate_say_that_a_linked_duplicate_shares_the_face(scene, head, make_motion, tmp_path):
    copy = linked_duplicate(head)
    apply_motion(copy, make_motion(), scene)
    (problem,) = serious(copy)
    assert "the shape keys of 'Head.001' are those of 'Head' too" in problem.sentence
    assert "Make Single User > Object & Data" in problem.sentence
    assert keys_move(head)  # the face of both, as the sentence says


def test_single_user_by_the_fix_tells_linked_duplicates_apart(scene, head, make_motion):
    copy = linked_duplicate(head)
    apply_motion(head, make_motion(), scene)
    bpy.ops.emote.fix(problem="SHARED_KEYS", head=copy.name)
    assert serious(copy) == serious(head) == []
    apply_motion(copy, make_motion(30), scene, 101, "another line")
    scene.frame_set(114)
    assert [any(block.value for block in item.data.shape_keys.key_blocks[1:]) for item in (head, copy)] == [False, True]


def test_single_user_by_blenders_own_command_tells_linked_duplicates_apart(scene, head, make_motion):
    copy = linked_duplicate(head)
    for item in (copy, copy.parent):
        item.select_set(True)
    bpy.ops.object.make_single_user(object=True, obdata=True)
    apply_motion(copy, make_motion(), scene)
    assert (keys_move(head), keys_move(copy)) == (False, True)
    assert serious(copy) == []
