"""Characters of any origin to test with, built in Blender from the open head.

`build_character` makes one from shapes (`character_shapes`); the functions below it are the kinds that are met most.
Each mesh carries the attribute `open_head_vertex`, by which `measured_lips` finds its lips.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy
import numpy as np
from character_shapes import (
    arkit_shapes,
    metahuman_shapes,
    oculus_shapes,
    open_head_model,
    reallusion_shapes,
    spelled,
    vrm_shapes,
)
from mathutils import Euler, Matrix, Vector

ORIGIN = "open_head_vertex"
"""Mesh attribute with the number of each vertex on the open head; -1 for others."""

TO_BLENDER = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # y up to z up
PARTS = {
    "face": ("skin", "lips", "mouth", "sclera", "iris", "pupil"),
    "teeth": ("teeth", "gums", "tongue"),
    "brows": ("brow", "lash"),
}
ROLES = "root", "neck", "head", "jaw", "left_eye", "right_eye"
BONE_NAMES = {
    "plain": ("spine", "neck", "head", "jaw", "eye.L", "eye.R"),
    "vroid": (
        "J_Bip_C_UpperChest",
        "J_Bip_C_Neck",
        "J_Bip_C_Head",
        "J_Bip_C_Jaw",
        "J_Adj_L_FaceEye",
        "J_Adj_R_FaceEye",
    ),
    "mixamo": (
        "mixamorig:Spine2",
        "mixamorig:Neck",
        "mixamorig:Head",
        "mixamorig:Jaw",
        "mixamorig:LeftEye",
        "mixamorig:RightEye",
    ),
    "reallusion": (
        "CC_Base_Spine02",
        "CC_Base_NeckTwist01",
        "CC_Base_Head",
        "CC_Base_JawRoot",
        "CC_Base_L_Eye",
        "CC_Base_R_Eye",
    ),
    "daz": ("chestUpper", "neckLower", "head", "lowerJaw", "lEye", "rEye"),
    "metahuman": ("spine_05", "neck_01", "head", "FACIAL_C_Jaw", "FACIAL_L_Eye", "FACIAL_R_Eye"),
}
"""Names of the bones root, neck, head, jaw, left and right eye."""

_TILTED = Euler((0.4, -0.3, 2.0)).to_matrix()
_ODD = np.array(Euler((-0.9, 0.7, 1.2)).to_matrix())
PLACEMENTS: dict[str, tuple[np.ndarray, Matrix]] = {
    # The data is upright in metres, and so is the object.
    "plain": (TO_BLENDER, Matrix()),
    # The object is rotated, scaled and moved.
    "tilted": (TO_BLENDER, Matrix.LocRotScale(Vector((0.3, -0.2, 1.5)), _TILTED, Vector((1.7,) * 3))),
    # Centimetres with y up, as FBX brings it.
    "centimetres": (
        100.0 * np.eye(3),
        Matrix.LocRotScale(None, Euler((math.pi / 2, 0, 0)).to_matrix(), Vector((0.01,) * 3)),
    ),
    # A rotation and a scale that were applied to the data.
    "applied": (3.0 * _ODD @ TO_BLENDER, Matrix()),
    "mirrored": (TO_BLENDER, Matrix.Diagonal(Vector((-1.0, 1.0, 1.0, 1.0)))),
}
"""(3, 3) from the face model's axes to the data's, and the world matrix of the armature (or mesh), by name."""

_WEIGHT_STEPS = 200  # skinning weights are rounded, so that each vertex group is filled by few calls


@dataclass(frozen=True, eq=False)
class Character:
    """A character in the scene.

    Attributes:
        mesh: the mesh object of the face.
        others: its further mesh objects.
        armature: its armature object, or None.
        bones: names of its bones by role (`ROLES`); without jaw if no bone opens the mouth.
        key_names: shape keys of the face, without the basis.
    """

    mesh: bpy.types.Object
    others: tuple[bpy.types.Object, ...]
    armature: bpy.types.Object | None
    bones: Mapping[str, str] = field(default_factory=dict)
    key_names: tuple[str, ...] = ()

    @property
    def objects(self) -> tuple[bpy.types.Object, ...]:
        """All objects of the character."""
        return (self.mesh, *self.others, *([self.armature] if self.armature else []))


def build_character(
    shapes: Mapping[str, np.ndarray],
    name: str = "Character",
    *,
    jaw_bone: bool = True,
    eye_bones: bool = True,
    armature: bool = True,
    bone_names: str = "plain",
    odd_bones: bool = True,
    rotation_mode: str = "QUATERNION",
    placement: str = "tilted",
    separate: Sequence[str] = ("teeth", "brows"),
    key_range: tuple[float, float] = (0.0, 1.0),
    body_vertices: int = 0,
    identity: Mapping[str, float] | None = None,
    rest_jaw: float = 0.0,
    shuffled: bool = False,
    collection: bpy.types.Collection | None = None,
) -> Character:
    """A character whose shape keys are these shapes, in the scene's collection or in another that the scene shows.

    Args:
        shapes: (V, 3) displacements of the open head by the names of the shape keys.
        name: name of the face's mesh object; "NAME Teeth", "NAME Rig" for the others.
        jaw_bone: whether a bone has the lower jaw's weights; without it they are the head's.
        eye_bones: whether bones have the eyeballs' weights.
        armature: whether there is an armature at all.
        bone_names: whose names the bones have (`BONE_NAMES`).
        odd_bones: whether bones point anywhere with any roll; otherwise they point up as the open head's do.
        rotation_mode: of the pose bones.
        placement: how data and object stand (`PLACEMENTS`).
        separate: which of `PARTS` are meshes of their own. These have only the shape keys that move them.
        key_range: limits of the shape keys' values. The whole shape is at the upper limit.
        body_vertices: number of further vertices, of a body on the root's bone in the face's mesh.
        identity: coefficients of the open head's identity by name, such as chinLength.
        rest_jaw: angle of the jaw, radians, by which the mouth stands open at rest.
        shuffled: whether vertices stand in another order, and all faces are triangles.
        collection: where the objects are linked.
    """
    collection = collection or bpy.context.scene.collection
    to_data, world = PLACEMENTS[placement]
    roles = [role for role in ROLES if (jaw_bone or role != "jaw") and (eye_bones or "eye" not in role)]
    bones = {role: bone for role, bone in zip(ROLES, BONE_NAMES[bone_names], strict=True) if role in roles}
    rest = _rest(identity or {}, rest_jaw)
    joints = dict(zip(open_head_model().joint_names, open_head_model().J_regressor @ rest, strict=True))
    rig = _armature(f"{name} Rig", bones, joints, to_data, odd_bones, rotation_mode) if armature else None
    weights = _weights(bones)
    joined = [part for part in PARTS if part == "face" or part not in separate]
    meshes = []
    for parts in [joined, *[[part] for part in separate]]:
        materials = [material for part in parts for material in PARTS[part]]
        part_name = name if "face" in parts else f"{name} {parts[0].title()}"
        mesh = _Mesh.of(materials, rest)
        if "face" in parts and body_vertices:
            mesh = mesh.with_body(body_vertices)
        if shuffled:
            mesh = mesh.shuffled()
        mesh_object = mesh.new_object(part_name, to_data)
        _add_keys(mesh_object, shapes, to_data, key_range, every="face" in parts)
        if rig is not None:
            _skin(mesh_object, rig, weights, bones)
        else:
            mesh_object.matrix_world = world
        meshes.append(mesh_object)
    if rig is not None:
        rig.matrix_world = world
    character = Character(meshes[0], tuple(meshes[1:]), rig, bones if armature else {}, tuple(shapes))
    for item in character.objects:
        if item.name not in collection.objects:
            collection.objects.link(item)
    if rig is not None and collection != bpy.context.scene.collection:
        bpy.context.scene.collection.objects.unlink(rig)
    bpy.context.view_layer.update()
    return character


def arkit_character(
    spelling: str = "camel", prefix: str = "head.ARKit_", jaw: str = "bone", tongue_up: bool = False, **options
) -> Character:
    """An ARKit character.

    Args:
        spelling: how its keys are written (`character_shapes.SPELLINGS`).
        prefix: what stands before their names.
        jaw: what opens the mouth: "bone", "key", "both" or "none".
        tongue_up: whether it also has tongueUp, which ARKit lacks.
        **options: of `build_character`.
    """
    shapes = dict(arkit_shapes(jaw in ("key", "both")))
    if not tongue_up:
        del shapes["tongueUp"]
    if jaw == "none":  # the mouth cannot open at all
        shapes = {key: shape for key, shape in shapes.items() if not key.startswith(("jaw", "mouthClose"))}
    return build_character(spelled(shapes, spelling, prefix), jaw_bone=jaw in ("bone", "both"), **options)


def vrm_character(spelling: str = "vroid", **options) -> Character:
    """A VRM character with five vowels, blinks and emotions ("vroid", "vrm0", "vrm1"), and no jaw bone."""
    return build_character(vrm_shapes(spelling), **{"bone_names": "vroid", "jaw_bone": False, **options})


def oculus_character(prefix: str = "viseme_", lower: bool = False, **options) -> Character:
    """A character with the 15 visemes and two blinks; `prefix="vrc.v_", lower=True` for VRChat."""
    return build_character(oculus_shapes(prefix, lower), **{"bone_names": "mixamo", "jaw_bone": False, **options})


def reallusion_character(jaw: str = "key", **options) -> Character:
    """A character with the names of Character Creator; its mouth is opened by Jaw_Open ("key") or by a "bone"."""
    options = {"bone_names": "reallusion", "placement": "centimetres", **options}
    return build_character(reallusion_shapes(jaw == "key"), jaw_bone=jaw == "bone", **options)


def metahuman_character(jaw: str = "key", **options) -> Character:
    """A character with the names of a MetaHuman's controls."""
    options = {"bone_names": "metahuman", "placement": "centimetres", **options}
    return build_character(metahuman_shapes(jaw == "key"), jaw_bone=jaw == "bone", **options)


def many_keys_character(num_keys: int = 300, num_visemes: int = 40, **options) -> Character:
    """A character with body and clothing keys, of which 40 are visemes: the 15, and others that repeat them."""
    visemes = oculus_shapes()
    shapes = dict(visemes)
    for number in range(num_visemes - 15):
        shapes[f"phoneme_{number:02d}"] = list(visemes.values())[number % 15]
    still = np.zeros_like(open_head_model().v_template)
    words = ("Muscle", "Weight", "Shirt", "Boots", "Age", "Nails", "Belly", "Scar")
    fillers = (f"{words[number % len(words)]}_{number:03d}" for number in range(num_keys))
    shapes |= {next(fillers): still for _ in range(num_keys - len(shapes))}
    return build_character(shapes, **{"jaw_bone": False, **options})


def faceless_object(name: str = "Crate") -> bpy.types.Object:
    """A mesh with shape keys that are no face's."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], [], [(0, 1, 3, 2), (4, 5, 7, 6)])
    crate = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(crate)
    for key in ("Basis", "Squash", "Bend", "Key 3"):
        crate.shape_key_add(name=key, from_mix=False).value = 0.0
    return crate


def drive_key(mesh_object: bpy.types.Object, key_name: str, expression: str = "0.25") -> None:
    """Add a driver to the value of a shape key, as rigs with sliders have them."""
    block = mesh_object.data.shape_keys.key_blocks[key_name]
    curve = block.driver_add("value")
    curve.driver.type, curve.driver.expression = "SCRIPTED", expression


def linked_character(path: Path, character: Character, override: bool = True, override_data: bool = False) -> Character:
    """The character saved to a .blend file and linked into an empty scene.

    Args:
        path: the file to write.
        character: a character in the scene; it is gone afterwards.
        override: whether its collection gets a library override (objects; Blender overrides no meshes).
        override_data: whether its meshes get one too.
    """
    roles, keys = dict(character.bones), character.key_names
    names = [item.name for item in (character.mesh, *character.others)]
    rig_name = character.armature.name if character.armature else ""
    hero = bpy.data.collections.new("Hero")
    bpy.context.scene.collection.children.link(hero)
    for item in character.objects:
        for collection in item.users_collection:
            collection.objects.unlink(item)
        hero.objects.link(item)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    with bpy.data.libraries.load(str(path), link=True) as (_, target):
        target.collections = ["Hero"]
    root = bpy.data.collections["Hero"]
    scene.collection.children.link(root)
    if override:
        linked, root = root, root.override_hierarchy_create(scene, bpy.context.view_layer, do_fully_editable=True)
        scene.collection.children.unlink(linked)  # or it would stand in the same place
    found = {item.name: item for item in root.all_objects}
    meshes = [found[name] for name in names]
    if override_data:
        for item in meshes:
            item.data.override_create(remap_local_usages=True)
    bpy.context.view_layer.update()
    return Character(meshes[0], tuple(meshes[1:]), found.get(rig_name), roles, keys)


def _rest(identity: Mapping[str, float], jaw: float) -> np.ndarray:
    """(V, 3) the open head's vertices with this identity, and with the jaw this far open."""
    model = open_head_model()
    weights = [identity.get(name, 0.0) for name in model.shape_names]
    assert set(identity) <= set(model.shape_names)
    return model.vertices(np.zeros(model.num_expression), [jaw, 0.0, 0.0], shape=weights).astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Mesh:
    """A part of a character.

    Attributes:
        points: (N, 3) vertices in the face model's axes, metres.
        faces: (F, 3 or 4) corners.
        face_materials: (F,) index into the materials.
        numbers: (N,) vertex of the open head, or -1.
        materials: indices of the open head's materials.
    """

    points: np.ndarray
    faces: np.ndarray
    face_materials: np.ndarray
    numbers: np.ndarray
    materials: tuple[int, ...]

    @classmethod
    def of(cls, materials: Iterable[str], rest: np.ndarray) -> "_Mesh":
        """The faces of these materials."""
        model = open_head_model()
        wanted = sorted(model.material_names.index(material) for material in materials)
        chosen = np.isin(model.quad_material, wanted)
        numbers, corners = np.unique(model.quads[chosen], return_inverse=True)
        places = np.searchsorted(wanted, model.quad_material[chosen])
        return cls(rest[numbers], corners.reshape(-1, 4), places, numbers, tuple(wanted))

    def with_body(self, count: int) -> "_Mesh":
        """The same with a sheet of about `count` vertices below the neck."""
        side = max(2, round(math.sqrt(count)))
        across, down = np.meshgrid(np.linspace(-0.3, 0.3, side), np.linspace(-1.5, -0.2, side))
        sheet = np.stack([across.ravel(), down.ravel(), np.zeros(side * side)], axis=1)
        corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
        four = np.stack([corner, corner + 1, corner + side + 1, corner + side], axis=1) + len(self.points)
        return replace(
            self,
            points=np.concatenate([self.points, sheet]),
            faces=np.concatenate([self.faces, four]),
            face_materials=np.concatenate([self.face_materials, np.zeros(len(four), np.int64)]),
            numbers=np.concatenate([self.numbers, np.full(len(sheet), -1)]),
        )

    def shuffled(self) -> "_Mesh":
        """The same with its vertices in another order, and each quad as two triangles."""
        order = np.random.default_rng(3).permutation(len(self.points))
        place = np.argsort(order)
        triangles = np.concatenate([self.faces[:, [0, 1, 2]], self.faces[:, [0, 2, 3]]])
        return replace(
            self,
            points=self.points[order],
            faces=place[triangles],
            face_materials=np.tile(self.face_materials, 2),
            numbers=self.numbers[order],
        )

    def new_object(self, name: str, to_data: np.ndarray) -> bpy.types.Object:
        """An object with this mesh, coloured as the open head."""
        faces = (self.faces[:, ::-1] if np.linalg.det(to_data) < 0 else self.faces).astype(np.int32)
        corners = faces.shape[1]
        mesh = bpy.data.meshes.new(name)
        mesh.vertices.add(len(self.points))
        mesh.vertices.foreach_set("co", np.ascontiguousarray(self.points @ to_data.T, np.float32).ravel())
        mesh.loops.add(faces.size)
        mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(faces).ravel())
        mesh.polygons.add(len(faces))
        mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, corners, dtype=np.int32))
        for index in self.materials:
            mesh.materials.append(_material(open_head_model().material_names[index], index))
        mesh.polygons.foreach_set("material_index", np.ascontiguousarray(self.face_materials, np.int32))
        attribute = mesh.attributes.new(ORIGIN, "INT", "POINT")
        attribute.data.foreach_set("value", self.numbers.astype(np.int32))
        mesh.shade_smooth()
        mesh.update(calc_edges=True)
        return bpy.data.objects.new(name, mesh)


def _material(name: str, index: int) -> bpy.types.Material:
    """The material of this name, in the mean colour of the open head's."""
    if name in bpy.data.materials:
        return bpy.data.materials[name]
    model = open_head_model()
    material = bpy.data.materials.new(name)
    colour = model.vertex_colors[np.unique(model.quads[model.quad_material == index])].mean(axis=0)
    material.diffuse_color = (*(colour**model.vertex_color_gamma), 1.0)
    return material


def _origins(mesh: bpy.types.Mesh) -> np.ndarray:
    numbers = np.empty(len(mesh.vertices), np.int32)
    mesh.attributes[ORIGIN].data.foreach_get("value", numbers)
    return numbers


def _add_keys(mesh_object, shapes: Mapping[str, np.ndarray], to_data: np.ndarray, key_range, every: bool) -> None:
    mesh = mesh_object.data
    numbers = _origins(mesh)
    rest = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", rest)
    rest = rest.reshape(-1, 3)
    known = numbers >= 0
    low, high = key_range
    mesh_object.shape_key_add(name="Basis", from_mix=False)
    for name, shape in shapes.items():
        part = shape[numbers[known]]
        if not every and np.abs(part).max() < 1e-5:
            continue
        key = mesh_object.shape_key_add(name=name, from_mix=False)
        key.slider_min, key.slider_max, key.value = low, high, 0.0  # Blender 5.0 makes new keys at 1
        if np.abs(part).max() > 0:
            moved = rest.copy()
            moved[known] += (part / high) @ to_data.T
            key.points.foreach_set("co", np.ascontiguousarray(moved, np.float32).ravel())


def _weights(bones: Mapping[str, str]) -> dict[str, np.ndarray]:
    """(V,) skinning weights of the open head's vertices by role; what has no bone moves with the head's."""
    model = open_head_model()
    given = dict(zip(model.joint_names, model.lbs_weights.T.astype(np.float64), strict=True))
    _, height, depth = model.v_template.T.astype(np.float64)
    below = np.clip((-0.03 - height) / 0.06, 0.0, 1.0) * np.clip((0.03 - depth) / 0.04, 0.0, 1.0)  # not the face
    weights = {"root": given["root"], "neck": given["neck"] * below, "head": given["neck"] * (1 - below)}
    for role in ("jaw", "left_eye", "right_eye"):
        if role in bones:
            weights[role] = given[role]
        else:
            weights["head"] = weights["head"] + given[role]
    return weights


def _skin(mesh_object, rig, weights: Mapping[str, np.ndarray], bones: Mapping[str, str]) -> None:
    numbers = _origins(mesh_object.data)
    for role, values in weights.items():
        own = np.where(numbers >= 0, values[numbers], float(role == "root"))
        steps = np.round(own * _WEIGHT_STEPS).astype(int)
        group = mesh_object.vertex_groups.new(name=bones[role])
        for step in np.unique(steps[steps > 0]).tolist():
            group.add(np.flatnonzero(steps == step).tolist(), step / _WEIGHT_STEPS, "REPLACE")
    mesh_object.parent = rig
    modifier = mesh_object.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig


def _armature(
    name: str,
    bones: Mapping[str, str],
    joints: Mapping[str, np.ndarray],
    to_data: np.ndarray,
    odd: bool,
    rotation_mode: str,
) -> bpy.types.Object:
    """An armature object in the scene's collection, its bones at these joints of the open head."""
    joints = {**joints, "head": joints["neck"] + np.array([0.0, 0.05, 0.01])}
    parents = {"neck": "root", "head": "neck", "jaw": "head", "left_eye": "head", "right_eye": "head"}
    random = np.random.default_rng(11)
    scale = abs(np.linalg.det(to_data)) ** (1 / 3)
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    made: dict[str, bpy.types.EditBone] = {}
    for role, bone_name in bones.items():
        bone = armature.edit_bones.new(bone_name)
        direction = random.normal(size=3) if odd else to_data @ [0.0, 1.0, 0.0]
        place = to_data @ joints[role]
        bone.head = place
        bone.tail = place + 0.04 * scale * direction / np.linalg.norm(direction)
        bone.roll = random.uniform(-3, 3) if odd else 0.0
        if role in parents:
            bone.parent = made[parents[role]]
        made[role] = bone
    bpy.ops.object.mode_set(mode="OBJECT")
    for pose_bone in rig.pose.bones:
        setattr(pose_bone, "rotation_mode", rotation_mode)  # noqa: B010 # the stubs want a literal
    return rig
