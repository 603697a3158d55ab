"""FLAME heads that other add-ons made: found by their keys, animated in place in whatever axes and rotation mode."""

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from synthetic_flame import make_flame, random_coefficients

from emote_blender.blender.head.foreign_flame import flame_keys, numbered_series
from emote_blender.blender.head.rig import head_of, rig_of
from emote_blender.blender.scene.find_head import choose_head, heads_in
from emote_blender.blender.takes.face_maps import face_maps
from emote_blender.blender.takes.make import apply_motion
from emote_blender.errors import InputError
from emote_blender.flame.refinement_maps import maps_of_model
from emote_blender.motion import FaceMotion

NUM_EXPRESSION = 12
OFFICIAL, SMPLX, OWN = "Exp{1}", "Exp{0:03d}", "Anna_exp.{0}"  # {0} counts from 0, {1} from 1
MODES = ["QUATERNION", "AXIS_ANGLE", "XYZ", "ZXY"]
# The face model's axes as columns: as the model has them (y up), and as Blender's z up.
Y_UP = np.eye(3)
Z_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
TURNED = Z_UP[:, [2, 1, 0]] * [-1, 1, 1]  # facing along x


@pytest.fixture(scope="module")
def flame():
    return make_flame(num_shape=0, num_expression=NUM_EXPRESSION)


@pytest.fixture
def foreign_head(scene, flame):
    """A function that builds a head as another add-on would: plain bpy, no mark of ours."""

    def build(key_name=OFFICIAL, axes=Z_UP, mode="XYZ", rolls=(0.4, -1.1, 2.0, 0.3, -0.7), bones=flame.joint_names):
        mesh = bpy.data.meshes.new("FLAME")
        mesh.from_pydata(flame.v_template @ axes.T, [], flame.faces.tolist())
        head = bpy.data.objects.new("FLAME-female", mesh)
        scene.collection.objects.link(head)
        head.shape_key_add(name="Base", from_mix=False)
        for component in range(NUM_EXPRESSION):
            key = head.shape_key_add(name=key_name.format(component, component + 1), from_mix=False)
            moved = (flame.v_template + flame.shapedirs[:, :, component]) @ axes.T
            key.points.foreach_set("co", moved.astype(np.float32).ravel())
        armature = bpy.data.armatures.new("FLAME rig")
        rig = bpy.data.objects.new("FLAME rig", armature)
        scene.collection.objects.link(rig)
        bpy.context.view_layer.objects.active = rig
        bpy.ops.object.mode_set(mode="EDIT")
        made = {}
        random = np.random.default_rng(0)
        for name, joint, parent, roll in zip(flame.joint_names, flame.joints() @ axes.T, flame.parents, rolls):
            if name in bones:
                bone = made[name] = armature.edit_bones.new(name)
                bone.head, bone.tail = joint, joint + 0.04 * random.normal(size=3)
                bone.roll = roll
                bone.parent = made.get(flame.joint_names[parent]) if parent >= 0 else None
        bpy.ops.object.mode_set(mode="OBJECT")
        for pose_bone in rig.pose.bones:
            pose_bone.rotation_mode = mode
        for joint, name in enumerate(flame.joint_names):
            group = head.vertex_groups.new(name=name)
            for vertex in np.flatnonzero(flame.lbs_weights[:, joint]).tolist():
                group.add([vertex], float(flame.lbs_weights[vertex, joint]), "REPLACE")
        head.parent = rig
        head.modifiers.new("Armature", "ARMATURE").object = rig
        return head

    return build


def play(head, flame, scene, face="flame2020"):
    """Applies 3 random frames; gives the vertices that FLAME, without correctives and with its joints at rest, has."""
    moves = random_coefficients(flame, 3)
    names = ("expression", "jaw", "eyes", "neck")
    motion = FaceMotion(**{name: moves[name] for name in names}, fps=25, meta={"face": face})
    apply_motion(head, motion, scene)
    return motion


def shown(head) -> np.ndarray:
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    return np.array([vertex.co for vertex in mesh.vertices])


def posed(flame, motion, frame) -> np.ndarray:
    """FLAME's vertices as a rig with fixed joints and no correctives shows them."""
    from emote_blender.flame.skinning import blend_skin, joint_transforms
    from emote_blender.motion_tools.rotation import axis_angle_to_matrix

    pose = np.stack(
        [np.zeros(3), motion.neck[frame], motion.jaw[frame], motion.eyes[frame, :3], motion.eyes[frame, 3:]]
    )
    shaped = flame.v_template + flame.shapedirs @ motion.expression[frame]
    transforms = joint_transforms(axis_angle_to_matrix(pose)[None], flame.joints()[None], flame.parents)
    return blend_skin(shaped[None], transforms, flame.lbs_weights)[0]


@pytest.mark.parametrize(
    "key_name, axes, mode",
    [(OFFICIAL, Z_UP, "QUATERNION"), (OFFICIAL, Y_UP, "AXIS_ANGLE"), (SMPLX, TURNED, "XYZ"), (OWN, Y_UP, "ZXY")],
)
def test_a_foreign_head_moves_as_flame_whatever_its_axes_and_modes(foreign_head, flame, scene, key_name, axes, mode):
    head = foreign_head(key_name, axes, mode)
    motion = play(head, flame, scene)
    for frame in range(3):
        scene.frame_set(1 + frame)
        np.testing.assert_allclose(shown(head), posed(flame, motion, frame) @ axes.T, atol=1e-4)


def test_a_foreign_head_is_found_in_the_scene_and_by_its_armature(foreign_head):
    head = foreign_head()
    assert heads_in(bpy.context.scene) == [head]
    assert head_of(head.parent) == head
    assert choose_head(bpy.context) == head


def test_missing_bones_are_named_and_the_rest_is_animated(foreign_head, flame, scene):
    head = foreign_head(bones=("root", "neck", "jaw"))
    play(head, flame, scene)
    sentences = rig_of(head).missing
    assert any("left_eye and right_eye" in sentence for sentence in sentences)
    assert not any("Z is taken as up" in sentence for sentence in sentences), "the eyeballs' vertices show it"
    scene.frame_set(2)
    assert head.parent.pose.bones["jaw"].matrix_basis.to_quaternion().angle > 0.1


def test_a_head_without_a_jaw_bone_is_refused(foreign_head):
    with pytest.raises(InputError, match="no bone 'jaw'; name its jaw bone so"):
        rig_of(foreign_head(bones=("root", "neck")))


def test_a_mesh_with_other_vertices_is_no_head(foreign_head):
    head = foreign_head()
    head.data = bpy.data.meshes.new("other")
    assert heads_in(bpy.context.scene) == []


def test_keys_of_another_kind_make_no_head(foreign_head):
    head = foreign_head()
    for number, key in enumerate(head.data.shape_keys.key_blocks):
        key.name = f"Shape{number}"
    assert flame_keys(head.data) is None


def test_the_operator_warns_of_an_unknown_version(foreign_head, tmp_path, capfd):
    head = foreign_head()
    FaceMotion(np.zeros((2, NUM_EXPRESSION)), np.zeros((2, 3)), 25, meta={"face": "flame2020"}).save(tmp_path / "m.npz")
    assert bpy.ops.emote.apply_motion(filepath=str(tmp_path / "m.npz"), head=head.name) == {"FINISHED"}
    assert "only one says which version (flame2020)" in capfd.readouterr().out


def test_a_series_of_keys_begins_at_zero_or_one_and_ends_at_a_gap():
    names = [f"Exp{number}" for number in range(1, 21)] + ["Exp22", "Base", "Key 1"]
    assert numbered_series(names) == {"Exp": tuple(f"Exp{number}" for number in range(1, 21))}
    assert numbered_series([f"Shape{number:03d}" for number in range(2, 30)]) == {}


def test_components_are_ordered_by_number_not_by_name():
    names = [f"Exp{number}" for number in (10, 2, 1, 3, 4, 5, 6, 7, 8, 9, 11)]
    assert numbered_series(names)["Exp"][9:] == ("Exp10", "Exp11")


def test_parts_of_the_rig_may_be_turned_in_the_scene(foreign_head, flame, scene):
    head = foreign_head(axes=Y_UP)
    head.parent.matrix_world = Matrix.Rotation(np.pi / 2, 4, "X")
    motion = play(head, flame, scene)
    scene.frame_set(2)
    np.testing.assert_allclose(shown(head), posed(flame, motion, 1), atol=1e-4)


@pytest.mark.parametrize("axes", [Y_UP, Z_UP, TURNED])
def test_upper_and_lower_face_are_divided_on_a_foreign_head(foreign_head, flame, axes):
    rig = rig_of(foreign_head(axes=axes))
    found, expected = face_maps(rig, rig.expression_keys), maps_of_model(flame)
    np.testing.assert_allclose(found.upper, expected.upper, atol=1e-3)
    np.testing.assert_allclose(found.left, expected.left, atol=1e-3)


def test_a_foreign_head_without_eyes_and_neck_is_divided_by_its_height(foreign_head):
    rig = rig_of(foreign_head(bones=("jaw",)))
    found = face_maps(rig, rig.expression_keys)
    assert found.upper.shape == (NUM_EXPRESSION, NUM_EXPRESSION)
    # The skin's points are spread evenly, so that about half of every random component lies above.
    assert 0.2 < np.trace(found.upper) / NUM_EXPRESSION < 0.8
