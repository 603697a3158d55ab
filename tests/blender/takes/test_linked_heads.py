"""Heads of another file: linked, instanced, overridden, appended, lost; and what makes them speak."""

import shutil

import bpy
import numpy as np
import pytest
from linked_library import (
    empty_file,
    face_moves,
    keys_move,
    link,
    link_collection,
    link_instance,
    link_objects,
    nested_collection,
    override,
    save_and_reload,
    serious,
    shown,
    the_head,
)

from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.takes.make import apply_motion
from emote_blender.blender.ui.panel_state import work_out_state
from emote_blender.errors import InputError

pytestmark = pytest.mark.ends


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
