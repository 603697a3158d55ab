"""A face model as Blender objects: a mesh with shape keys, and an armature with jaw, neck and eyes.

The face model is y up with the face towards +z; in Blender it stands z up with the face towards -y. Every bone points
up at rest with its x axis along the head's: a bone's own axes are then the face model's axes, so a bone's rotation *is*
FLAME's rotation of that joint (turning the jaw bone about its x axis opens the mouth).
"""

from __future__ import annotations

import logging
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from ...errors import InputError
from ...flame.model import FaceModel
from ..blend_paths import find_head_folder
from ..narrow import expect, mesh_of, pose_bones, present, window_scene
from .axes import MODEL_TO_BLENDER, to_blender
from .blink_keys import names_blinks, write_blink_keys
from .materials import add_materials
from .placement import collection_for, free_name
from .pose_keys import add_pose_keys
from .regressor import keep_regressor
from .rig import HEAD_PROPERTY, describe
from .undo_failure import nothing_left_on_failure
from .widgets import add_widgets

logger = logging.getLogger(__name__)

BASIS_KEY = "Basis"
NAMED_RANGE = 2.0  # a named component is a whole expression at 1
UNNAMED_RANGE = 5.0  # a principal component is in standard deviations
_RIG_SUFFIX = " Rig"
_BONE_LENGTH = 0.08  # of the head's height


def load_face_model(name_or_path: str) -> FaceModel:
    """The face model of a head's name or folder; raises InputError or ModelError if it cannot be used."""
    return FaceModel.load(find_head_folder(name_or_path))


def add_head(
    context: bpy.types.Context,
    model: FaceModel,
    name: str = "Head",
    location: tuple[float, float, float] | Vector = (0.0, 0.0, 0.0),
) -> bpy.types.Object:
    """The mesh object of a new head in the active collection; its armature is its parent.

    The active collection is the scene's own where objects cannot be put into it. If an error stops the work, nothing
    of the head is left.

    Args:
        context: the head becomes its active object.
        model: the face model.
        name: name of the mesh object; numbered (`Head 2`) if an object has it.
        location: position of the head's origin in the scene, metres.

    Raises:
        InputError: if Blender is not in Object Mode, or the scene is linked from another file.
    """
    if context.mode != "OBJECT":
        raise InputError(f"a head is added in Object Mode, found {context.mode}; leave this mode first")
    collection = collection_for(context)
    active = present(context.view_layer).objects.active
    try:
        with nothing_left_on_failure():
            mesh_object = _new_head(context, model, free_name(name, _RIG_SUFFIX), collection, location)
    except BaseException:
        present(context.view_layer).objects.active = active
        raise
    for other in context.selected_objects:
        other.select_set(False)
    present(context.view_layer).objects.active = mesh_object
    mesh_object.select_set(True)
    return mesh_object


def _new_head(
    context: bpy.types.Context,
    model: FaceModel,
    name: str,
    collection: bpy.types.Collection,
    location: tuple[float, float, float] | Vector,
) -> bpy.types.Object:
    """A new head's mesh object, linked to a collection as its armature is."""
    mesh_object = bpy.data.objects.new(name, _new_mesh(name, model))
    _add_shape_keys(mesh_object, model)
    armature_object = _new_armature(context, name + _RIG_SUFFIX, model, collection)
    armature_object.location = location
    mesh_object.parent = armature_object
    _add_weights(mesh_object, model)
    keep_regressor(mesh_of(mesh_object), model)
    modifier = expect(mesh_object.modifiers.new("Armature", "ARMATURE"), bpy.types.ArmatureModifier)
    modifier.object = armature_object
    modifier.use_vertex_groups = True
    if model.quads is not None:
        subdivision = expect(mesh_object.modifiers.new("Subdivision", "SUBSURF"), bpy.types.SubsurfModifier)
        subdivision.levels = subdivision.render_levels = 1
    add_pose_keys(mesh_object, armature_object, model)
    if not names_blinks(model.expression_names):
        try:
            write_blink_keys(mesh_object, MODEL_TO_BLENDER)
        except InputError as error:
            logger.warning("no blink keys: %s", error)
    add_widgets(armature_object, model)
    mesh_object[HEAD_PROPERTY] = describe(model, *shape_key_names(model))
    collection.objects.link(mesh_object)
    mesh_object.active_shape_key_index = 1 + model.num_shape
    return mesh_object


def shape_key_names(model: FaceModel) -> tuple[list[str], list[str]]:
    """Names of the identity and of the expression shape keys: the model's, else Shape000 and Exp000, counted up."""
    shapes = model.shape_names or [f"Shape{i:03d}" for i in range(model.num_shape)]
    expressions = model.expression_names or [f"Exp{i:03d}" for i in range(model.num_expression)]
    return list(shapes), list(expressions)


def _new_mesh(name: str, model: FaceModel) -> bpy.types.Mesh:
    """The neutral face as a smooth mesh with materials, colours and texture coordinates; quads if the model has any."""
    faces = model.faces if model.quads is None else model.quads
    corners = faces.shape[1]
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(model.num_vertices)
    mesh.vertices.foreach_set("co", to_blender(model.v_template).astype(np.float32).ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.astype(np.int32).ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, corners, dtype=np.int32))
    add_materials(mesh, model)
    if model.uv is not None and model.quads is not None:
        layer = mesh.uv_layers.new(name="UVMap")
        layer.uv.foreach_set("vector", np.ascontiguousarray(model.uv, np.float32).ravel())
    mesh.shade_smooth()
    mesh.update(calc_edges=True)
    mesh.validate()
    return mesh


def _add_shape_keys(mesh_object: bpy.types.Object, model: FaceModel) -> None:
    mesh_object.shape_key_add(name=BASIS_KEY, from_mix=False)
    shapes, expressions = shape_key_names(model)
    limits = [UNNAMED_RANGE if model.shape_names is None else NAMED_RANGE] * len(shapes)
    limits += [UNNAMED_RANGE if model.expression_names is None else NAMED_RANGE] * len(expressions)
    for component, (key_name, limit) in enumerate(zip(shapes + expressions, limits, strict=True)):
        key = mesh_object.shape_key_add(name=key_name, from_mix=False)
        # An animated value is clamped to this range.
        key.slider_min, key.slider_max = -limit, limit
        key.value = 0.0
        moved = to_blender(model.v_template + model.shapedirs[:, :, component])
        key.points.foreach_set("co", np.ascontiguousarray(moved, np.float32).ravel())


def _add_weights(mesh_object: bpy.types.Object, model: FaceModel) -> None:
    for joint, joint_name in enumerate(model.joint_names):
        group = mesh_object.vertex_groups.new(name=joint_name)
        weights = model.lbs_weights[:, joint]
        whole = np.flatnonzero(weights == 1.0)
        if len(whole):
            group.add(whole.tolist(), 1.0, "REPLACE")
        for vertex in np.flatnonzero((weights != 0.0) & (weights != 1.0)).tolist():
            group.add([vertex], float(weights[vertex]), "REPLACE")


def _new_armature(
    context: bpy.types.Context, name: str, model: FaceModel, collection: bpy.types.Collection
) -> bpy.types.Object:
    """An armature in a collection, with one bone at each joint."""
    armature = bpy.data.armatures.new(name)
    armature.display_type = "STICK"
    armature_object = bpy.data.objects.new(name, armature)
    armature_object.show_in_front = True
    # Bones can only be made in Edit Mode, which needs a visible object: the scene's own collection always is.
    scene_collection = window_scene(context).collection
    scene_collection.objects.link(armature_object)
    present(context.view_layer).objects.active = armature_object
    joints = to_blender(model.joints())
    length = _BONE_LENGTH * float(np.ptp(model.v_template[:, 1]))
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        bones: list[bpy.types.EditBone] = []
        for joint_name, joint, parent in zip(model.joint_names, joints, model.parents, strict=True):
            bone = armature.edit_bones.new(joint_name)
            bone.head = joint
            bone.tail = (joint[0], joint[1], joint[2] + length)
            bone.roll = 0.0
            if parent >= 0:
                bone.parent = bones[parent]
            bones.append(bone)
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
    for pose_bone in pose_bones(armature_object):
        pose_bone.rotation_mode = "XYZ"
    if collection != scene_collection:
        collection.objects.link(armature_object)
        scene_collection.objects.unlink(armature_object)
    return armature_object


def head_folder_name(folder: Path) -> str:
    """A name for the objects of a head folder: `open_head` gives `Open Head`."""
    return folder.name.replace("_", " ").title()
