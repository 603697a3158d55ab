"""Library overrides for a head of another file: of its objects, and of the meshes that hold its shape keys.

Measured in 4.5, 5.0 and 5.2: Blender's own override of a hierarchy takes in a mesh only if a driver of its shape keys
uses the armature. Of other meshes it is made here, one for each object, so that two copies of a character speak apart.
Blender animates shape keys of an overridden mesh, keeps their NLA tracks in the file, and takes changed geometry and
new keys from the library. But when objects came or went in the library, it gives the object its linked mesh back and
leaves the overridden one unused (`attach_lost_meshes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import bpy
from mathutils import Matrix

from ...errors import InputError
from ..characters.find import family_of
from ..characters.rig import further_meshes
from ..head.linked import why_not_editable
from ..head.rig import armature_of_head, is_head
from ..head.shape_keys import key_names
from ..narrow import expect, mesh_of, present, window_scene
from ..settings.head_settings import head_settings
from ..settings.properties import scene_settings
from .manage import rebuild_take
from .store import is_take


def can_be_made_animatable(head: bpy.types.Object) -> bool:
    """Whether a head, a mesh with its shape keys or its armature is linked from a file that is there."""
    meshes = meshes_of_character(head)
    parts = [*meshes, *map(mesh_of, meshes), armature_of_head(head)]
    return any(part is not None and part.library is not None and not part.is_missing for part in parts)


def make_animatable(context: bpy.types.Context, head: bpy.types.Object) -> bpy.types.Object:
    """The head that can be animated in place of a linked one; the head itself if it is one already.

    A linked collection, an instance of one, or single linked objects are replaced by overrides in the scene. An empty
    that showed the collection stays, and carries the character. Takes of this file play on.

    Args:
        context: whose scene is preferred, if the head is in several.
        head: mesh object of a head that is linked, or has a linked mesh or armature; or the face of a character that
            is not set up yet.

    Raises:
        InputError: if the scene is linked too, the library is missing, or Blender makes no override.
    """
    if not can_be_made_animatable(head):
        if sentence := why_not_editable(meshes_of_character(head), armature_of_head(head)):
            raise InputError(sentence)
        return head
    scene = _scene_of(context, head)
    if scene.library is not None:
        raise InputError(
            f"scene {scene.name!r} is linked from {scene.library.filepath} and cannot be changed here; copy it (New "
            "Scene > Linked Copy beside the window's scene) and press Make Animatable in the copy"
        )
    view_layer = present(context.view_layer)
    if view_layer.id_data != scene:
        view_layer = scene.view_layers[0]
    linked = head
    if head.library is not None:
        head = _override_objects(scene, view_layer, head)
    armature = armature_of_head(head)
    if armature is not None and armature.library is not None:
        armature = _override_armature(scene, armature)
    attach_lost_meshes(head)
    overridden: dict[bpy.types.Mesh, bpy.types.Mesh] = {}
    for item in meshes_of_character(head):
        _override_mesh(item, overridden)
    for part in (*meshes_of_character(head), armature):
        if part is not None and part.override_library is not None:
            part.override_library.is_system_override = False  # a system override is grey in the interface
    for other in bpy.data.scenes:
        if other.library is None and scene_settings(other).head == linked:
            scene_settings(other).head = head
    if overridden:
        for take in head_settings(head).takes:
            if take.action is not None and take.action.library is None:
                rebuild_take(head, take)
    return head


def meshes_of_character(head: bpy.types.Object) -> list[bpy.types.Object]:
    """The mesh objects whose shape keys takes of a head animate; all with some, if a character is not set up."""
    if is_head(head):
        return [head, *further_meshes(head)]
    scenes = head.users_scene or bpy.data.scenes[:1]
    return [head, *(mesh for mesh in family_of(head, scenes[0]).meshes if mesh != head and key_names(mesh))]


def attach_lost_meshes(head: bpy.types.Object) -> bool:
    """Give an overridden head back the meshes that its takes play on, if Blender replaced them by the linked ones.

    Blender does so when it brings overrides up to date with a library in which objects came or went. The overridden
    mesh stays in the file, unused, until the file is saved.
    """
    actions = {take.action for take in head_settings(head).takes if take.action is not None}
    found = False
    for item in meshes_of_character(head):
        mesh = mesh_of(item)
        if item.override_library is None or item.library is not None or mesh.library is None or not actions:
            continue
        played = {other: _takes_on(other) for other in bpy.data.meshes if _is_lost(other, mesh)}
        # The take may move no shape key of a further mesh; another copy of the character may have lost its own.
        fitting = [*(other for other in played if played[other] & actions), *(m for m in played if not played[m])]
        if fitting:
            item.data = fitting[0]
            found = True
    return found


def _is_lost(mesh: bpy.types.Mesh, reference: bpy.types.Mesh) -> bool:
    """Whether a mesh is an override of another one that no object uses."""
    override = mesh.override_library
    return override is not None and override.reference == reference and mesh.users <= mesh.use_fake_user


def _takes_on(mesh: bpy.types.Mesh) -> set[bpy.types.Action]:
    """The takes that are played on a mesh's shape keys."""
    data = mesh.shape_keys.animation_data if mesh.shape_keys is not None else None
    strips = [strip for track in data.nla_tracks for strip in track.strips] if data is not None else []
    return {strip.action for strip in strips if strip.action is not None and is_take(strip.action)}


@bpy.app.handlers.persistent
def _attach_after_reading(*_: object) -> None:
    """Mend the heads that Blender has just brought up to date with their libraries."""
    for item in bpy.data.objects if bpy.data.libraries else ():
        if item.type == "MESH" and item.override_library is not None and len(head_settings(item).takes):
            attach_lost_meshes(item)


# Blender 4.5 calls the latter after linking only, not after a library was reloaded.
_EVENTS = ("load_post", "blend_import_post")


def add_handlers() -> None:
    """Keep takes on overridden heads when their library has changed."""
    for event in _EVENTS:
        getattr(bpy.app.handlers, event).append(_attach_after_reading)


def remove_handlers() -> None:
    """Undo `add_handlers`."""
    for event in reversed(_EVENTS):
        getattr(bpy.app.handlers, event).remove(_attach_after_reading)


# ---- objects ---------------------------------------------------------------------------------------------------------


def _scene_of(context: bpy.types.Context, head: bpy.types.Object) -> bpy.types.Scene:
    """The window's scene if it shows a head, directly or by an instance; else the first scene that does."""
    shown = window_scene(context)
    for scene in (shown, *bpy.data.scenes):
        if head.name_full in {item.name_full for item in scene.objects} or _instances(scene, head):
            return scene
    return shown


def _override_objects(
    scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, head: bpy.types.Object
) -> bpy.types.Object:
    """The override of a linked head, made with that of all that belongs to it."""
    before = {item.session_uid for item in bpy.data.objects}
    collection = _linked_collection(scene, head)
    if collection is not None:
        if collection.library != head.library:
            collection = _link_directly(scene, collection, head)
        _override_collection(scene, view_layer, collection)
    elif instances := _instances(scene, head):
        active = view_layer.objects.active
        _open_instance(scene, view_layer, active if active in instances else instances[0])
    else:
        _override_single(scene, view_layer, head, before)
    made = _override_of(head, before)
    if made is None:
        raise InputError(
            f"Blender made no library override of {head.name!r}; append it instead of linking it (File > Append)"
        )
    return made


def _override_of(item: bpy.types.Object, before: set[int]) -> bpy.types.Object | None:
    """The override of an object that is not among those that were there before."""
    return next(
        (
            other
            for other in bpy.data.objects
            if other.session_uid not in before
            and other.override_library is not None
            and other.library is None
            and other.override_library.reference == item
        ),
        None,
    )


def _linked_collection(scene: bpy.types.Scene, head: bpy.types.Object) -> bpy.types.Collection | None:
    """The linked collection of a scene that holds an object and lies in a collection of this file."""
    return next(
        (
            child
            for parent in _own_collections(scene)
            for child in parent.children
            if child.library is not None and head in child.all_objects.values()
        ),
        None,
    )


def _own_collections(scene: bpy.types.Scene) -> Iterator[bpy.types.Collection]:
    """The collections of a scene that are not linked, its own first."""
    yield scene.collection
    yield from (child for child in scene.collection.children_recursive if child.library is None)


def _link_directly(scene: bpy.types.Scene, outer: bpy.types.Collection, head: bpy.types.Object) -> bpy.types.Collection:
    """The collection of a head that came by way of another file, linked from its own one into the scene instead.

    Blender makes no overrides of what is linked indirectly. In the outer collection, it is excluded.
    """
    library = present(head.library)
    inner = next(
        (
            child
            for child in outer.children_recursive
            if child.library == library and head in child.all_objects.values()
        ),
        None,
    )
    if inner is None:
        raise InputError(
            f"{head.name!r} is linked from {library.filepath} by way of {present(outer.library).filepath}; link it "
            "from its own file (File > Link) and press Make Animatable again"
        )
    libraries: Any = bpy.data.libraries  # the stubs give `load` no result
    with libraries.load(bpy.path.abspath(library.filepath), link=True) as (_, wanted):
        wanted.collections = [inner.name]
    for layer in scene.view_layers:
        for child in _layer_collections(layer.layer_collection):
            if child.collection == inner:
                child.exclude = True
    scene.collection.children.link(inner)
    return inner


def _instances(scene: bpy.types.Scene, head: bpy.types.Object) -> list[bpy.types.Object]:
    """The empties of this file in a scene that show a linked collection with an object."""
    return [
        item
        for item in scene.objects
        if item.instance_type == "COLLECTION"
        and item.library is None
        and item.instance_collection is not None
        and item.instance_collection.library is not None
        and head in item.instance_collection.all_objects.values()
    ]


def _override_collection(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, linked: bpy.types.Collection) -> None:
    """Replace a linked collection by its override wherever it lies in a scene, as visible as it was."""
    shown = {
        (layer.name, child.collection): (child.exclude, child.hide_viewport, child.holdout, child.indirect_only)
        for layer in scene.view_layers
        for child in _layer_collections(layer.layer_collection)
        if child.collection.library is not None
    }
    parents = [parent for parent in _own_collections(scene) if linked in parent.children.values()]
    made = linked.override_hierarchy_create(scene, view_layer)
    if not isinstance(made, bpy.types.Collection):
        raise InputError(
            f"Blender made no library override of collection {linked.name!r}; append it instead of linking it "
            "(File > Append)"
        )
    for parent in _own_collections(scene):  # Blender puts it into the scene's own collection
        if parent not in parents and made in parent.children.values():
            parent.children.unlink(made)
    for parent in parents:
        if made not in parent.children.values():
            parent.children.link(made)
        if linked in parent.children.values():
            parent.children.unlink(linked)
    for layer in scene.view_layers:
        for child in _layer_collections(layer.layer_collection):
            override = child.collection.override_library
            if override is not None and (layer.name, override.reference) in shown:
                before = shown[layer.name, expect(override.reference, bpy.types.Collection)]
                child.exclude, child.hide_viewport, child.holdout, child.indirect_only = before


def _layer_collections(root: bpy.types.LayerCollection) -> Iterator[bpy.types.LayerCollection]:
    for child in root.children:
        yield child
        yield from _layer_collections(child)


def _open_instance(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, empty: bpy.types.Object) -> None:
    """Replace what an empty shows by overrides that it carries."""
    linked = present(empty.instance_collection)
    hint: Any = empty  # the stubs allow a collection only
    made = linked.override_hierarchy_create(scene, view_layer, reference=hint)
    if not isinstance(made, bpy.types.Collection):
        raise InputError(
            f"Blender made no library override of collection {linked.name!r}; append it instead of linking it "
            "(File > Append)"
        )
    empty.instance_type = "NONE"
    empty.instance_collection = None
    objects = set(made.all_objects)
    for item in objects:
        if item.parent is None or item.parent not in objects:
            item.parent = empty
            item.matrix_parent_inverse = Matrix.Translation(-linked.instance_offset)
            if item.override_library is not None:
                item.override_library.is_system_override = False


def _override_single(
    scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, head: bpy.types.Object, before: set[int]
) -> None:
    """Replace single linked objects, the head and what hangs on the same root, by their overrides."""
    root = armature_of_head(head) or head
    while root.parent is not None and root.parent.library is not None:
        root = root.parent
    places = {item: list(item.users_collection) for item in bpy.data.objects if item.library is not None}
    root.override_hierarchy_create(scene, view_layer)
    if _override_of(head, before) is None:
        head.override_hierarchy_create(scene, view_layer)
    for linked, collections in places.items():
        made = _override_of(linked, before)
        if made is not None:
            _take_place(linked, made, collections)


def _take_place(linked: bpy.types.Object, made: bpy.types.Object, collections: Iterable[bpy.types.Collection]) -> None:
    """Put an override into the collections of this file that held the linked object, in its place."""
    own = [collection for collection in collections if collection.library is None]
    for collection in own:
        if made not in collection.objects.values():
            collection.objects.link(made)
        if linked in collection.objects.values():
            collection.objects.unlink(linked)
    for collection in list(made.users_collection) if own else ():
        if collection not in own:
            collection.objects.unlink(made)


# ---- data ------------------------------------------------------------------------------------------------------------


def _override_armature(scene: bpy.types.Scene, linked: bpy.types.Object) -> bpy.types.Object:
    """The override of a linked armature object, which what is of this file follows from now on."""
    made = linked.override_create(remap_local_usages=True)
    if not isinstance(made, bpy.types.Object):
        raise InputError(f"Blender made no library override of {linked.name!r}; append it instead of linking it")
    if not made.users_collection:
        scene.collection.objects.link(made)
    return made


def _override_mesh(item: bpy.types.Object, overridden: dict[bpy.types.Mesh, bpy.types.Mesh]) -> None:
    """Give an object an override of its linked mesh; objects of one character that shared a mesh still do."""
    linked = mesh_of(item)
    if linked.library is None:
        return
    if linked not in overridden:
        made = linked.override_create(remap_local_usages=False)
        if not isinstance(made, bpy.types.Mesh):
            raise InputError(
                f"Blender made no library override of mesh {linked.name!r}; append it instead of linking it"
            )
        overridden[linked] = made
    item.data = overridden[linked]
