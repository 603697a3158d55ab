"""Characters of other files: setting one up makes the overrides that it needs."""

import bpy
import pytest
from character_rigs import arkit_character, linked_character

from emote_blender.blender.head.rig import rig_of


@pytest.mark.parametrize(
    "override, override_data", [(False, False), (True, False), (True, True)], ids=["linked", "objects", "data"]
)
def test_a_linked_character_is_set_up_in_one_step(scene, tmp_path, override, override_data):
    linked = linked_character(tmp_path / "anna.blend", arkit_character(name="Anna"), override, override_data)
    bpy.context.view_layer.objects.active = linked.mesh
    assert bpy.ops.emote.use_selected() == {"FINISHED"}
    head = bpy.context.scene.emote.head
    rig = rig_of(head)  # raises if something of it cannot be keyed
    assert head.library is None
    assert [mesh.data.library for mesh in rig.meshes] == [None] * 3
    assert rig.armature.library is None


def test_the_empty_of_a_linked_collection_stands_for_its_character(scene, tmp_path):
    linked_character(tmp_path / "anna.blend", arkit_character(name="Anna"), False)
    hero = bpy.data.collections["Hero"]
    bpy.context.scene.collection.children.unlink(hero)
    empty = bpy.data.objects.new("Hero instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", hero
    bpy.context.scene.collection.objects.link(empty)
    assert bpy.ops.emote.set_up_character(object="Hero instance") == {"FINISHED"}
    heads = [item for item in bpy.context.scene.objects if item.type == "MESH" and item.emote.character.is_set_up]
    assert len(heads) == 1
    assert rig_of(heads[0]).armature.library is None


def test_a_local_instance_says_what_to_select(scene):
    character = arkit_character(name="Anna")
    hero = bpy.data.collections.new("Hero")
    for item in character.objects:
        hero.objects.link(item)
        scene.collection.objects.unlink(item)
    empty = bpy.data.objects.new("Hero instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", hero
    scene.collection.objects.link(empty)
    with pytest.raises(RuntimeError, match="shows the collection 'Hero' as an instance"):
        bpy.ops.emote.set_up_character(object="Hero instance")
