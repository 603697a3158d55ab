"""One motion on heads of both bases: on our FLAME head, on another add-on's in any place, and back on the open head."""

import bpy
import numpy as np
import pytest
from flame_with_mouth import make_flame_with_mouth
from mathutils import Euler, Matrix
from spoken_motions import flame_motion, open_motion

from emote_blender.blender.head.build import add_head, load_face_model
from emote_blender.blender.head.rig import HEAD_PROPERTY
from emote_blender.blender.takes.make import apply_motion
from emote_blender.blender.takes.store import kept_raw
from emote_blender.errors import ModelError
from emote_blender.files.paths import add_search_folder, remove_search_folder
from emote_blender.flame.refinement_maps import maps_of_model

pytestmark = pytest.mark.ends

FRAMES = 36


@pytest.fixture(scope="module")
def flame():
    return make_flame_with_mouth()


@pytest.fixture
def open_head_object(scene):
    return add_head(bpy.context, load_face_model("open_head"), "Open")


@pytest.fixture
def flame_folder(flame, tmp_path):
    flame.save(tmp_path / "my_flame")
    add_search_folder(tmp_path)
    yield tmp_path / "my_flame"
    remove_search_folder(tmp_path)


def make_foreign(head) -> None:
    """Turns one of our FLAME heads into one of another add-on: no mark, other key names, no blink keys."""
    del head[HEAD_PROPERTY]
    for name in [item.name for item in head.data.attributes if "J_regressor" in item.name]:
        head.data.attributes.remove(head.data.attributes[name])
    for key in [key for key in head.data.shape_keys.key_blocks if "Blink" in key.name or key.name.startswith("Pose")]:
        head.shape_key_remove(key)
    for number, key in enumerate([key for key in head.data.shape_keys.key_blocks if key.name.startswith("Exp")]):
        key.name = f"Exp{number + 1}"


def posed(head) -> np.ndarray:
    """(V, 3) the evaluated vertices, in the mesh's space at rest of the armature."""
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)


def basis(head) -> np.ndarray:
    points = np.empty(len(head.data.vertices) * 3, np.float32)
    head.data.shape_keys.reference_key.points.foreach_get("co", points)
    return points.reshape(-1, 3)


def lip_vertices(model) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the upper and of the lower lip in the middle of the mouth."""
    lips = maps_of_model(model).lips
    number = np.linalg.norm(model.v_template[:, None] - lips.points, axis=2).argmin(0)
    return number[: lips.num_upper], number[lips.num_upper :]


def gaps(head, model, scene, up) -> np.ndarray:
    """(T,) opening of the lips on the evaluated mesh along a direction, in the mesh's unit."""
    upper, lower = lip_vertices(model)
    found = []
    for frame in range(1, FRAMES + 1):
        scene.frame_set(frame)
        heights = posed(head) @ up
        found.append(heights[upper].min() - heights[lower].max())
    return np.array(found)


def source_gaps(model, motion) -> np.ndarray:
    upper, lower = lip_vertices(model)
    vertices = model.vertices(motion.expression, motion.jaw)[:FRAMES]
    return (vertices[:, upper, 1].min(1) - vertices[:, lower, 1].max(1)) * 1000


def without_subdivision(head):
    for modifier in [item for item in head.modifiers if item.type == "SUBSURF"]:
        head.modifiers.remove(modifier)
    return head


def test_an_open_motion_closes_and_opens_the_lips_of_our_flame_head(scene, flame, open_head):
    scene.render.fps = 25
    motion = open_motion(open_head, FRAMES)
    head = add_head(bpy.context, flame, "Flame")
    apply_motion(head, motion, scene)
    source, found = source_gaps(open_head, motion), 1000 * gaps(head, flame, scene, np.array([0, 0, 1.0]))
    closed = source < 0.5
    assert closed.sum() >= 6
    assert found[closed].max() <= 1.0
    np.testing.assert_allclose(found / 1.05, source, atol=1.0)
    stored = kept_raw(head.emote.takes[0].action).emotional
    assert stored.meta["face"] == "flame2020"
    assert stored.meta["transfer"]["lips_mean_mm"] < 0.5


def test_a_foreign_head_in_any_place_and_size_speaks_an_open_motion(scene, flame, open_head):
    scene.render.fps = 25
    motion = open_motion(open_head, FRAMES)
    head = add_head(bpy.context, flame, "Flame")
    make_foreign(head)
    turn = Euler((0.3, -0.15, 0.9)).to_matrix()
    head.parent.matrix_world = Matrix.LocRotScale((3, 1, 2), turn, (100, 100, 100))
    bpy.context.view_layer.update()
    for item in (head, head.parent):
        item.select_set(True)
    bpy.context.view_layer.objects.active = head.parent
    bpy.ops.object.transform_apply(location=True, rotation=True, scale=True)
    apply_motion(head, motion, scene)
    source = source_gaps(open_head, motion)
    found = 10 * gaps(head, flame, scene, np.array(turn.col[2]))  # centimetres
    assert found[source < 0.5].max() <= 1.0
    np.testing.assert_allclose(found / 1.05, source, atol=1.2)


def test_a_flame_motion_moves_the_open_head(scene, flame, flame_folder, open_head, open_head_object):
    scene.render.fps = 25
    motion = flame_motion(flame, FRAMES)
    head = without_subdivision(open_head_object)
    apply_motion(head, motion, scene)
    stored = kept_raw(head.emote.takes[0].action).emotional
    assert stored.meta["expression_names"] == list(open_head.expression_names)
    source, found = source_gaps(flame, motion), 1000 * gaps(head, open_head, scene, np.array([0, 0, 1.0]))
    assert np.corrcoef(source, found)[0, 1] > 0.97
    assert np.ptp(found) > 0.6 * np.ptp(source)


def test_a_flame_motion_without_a_flame_head_is_refused_and_changes_nothing(scene, flame, open_head_object):
    with pytest.raises(ModelError, match="make a head of the flame2020 file first"):
        apply_motion(open_head_object, flame_motion(flame), scene)
    assert not open_head_object.emote.takes
    assert not bpy.data.actions


def test_the_head_of_the_motions_basis_moves_by_the_raw_motion_itself(scene, flame):
    motion = flame_motion(flame, FRAMES)
    head = add_head(bpy.context, flame, "Flame")
    apply_motion(head, motion, scene)
    stored = kept_raw(head.emote.takes[0].action).emotional
    np.testing.assert_allclose(stored.expression, motion.expression, atol=2e-3)
    assert "transfer" not in stored.meta


def test_a_take_goes_from_the_open_head_to_flame_and_back(scene, flame, flame_folder, open_head, open_head_object):
    scene.render.fps = 25
    motion = open_motion(open_head, FRAMES)
    apply_motion(open_head_object, motion, scene, name="line")
    flame_object = add_head(bpy.context, flame, "Flame")
    bpy.context.view_layer.objects.active = open_head_object
    bpy.ops.emote.take_apply_to(head="Open", target="Flame")
    assert len(flame_object.emote.takes) == 1
    back = add_head(bpy.context, load_face_model("open_head"), "Back")
    bpy.ops.emote.take_apply_to(head="Flame", target="Back")
    first, last = (without_subdivision(head) for head in (open_head_object, back))
    lips = open_head.regions["lips"] > 0.5
    off = []
    for frame in range(1, FRAMES + 1):
        scene.frame_set(frame)
        off.append(np.linalg.norm(posed(first) - posed(last), axis=1)[lips])
    assert np.mean(off) * 1000 < 0.4


def test_the_panel_and_the_model_take_a_flame_head(scene, flame, tmp_path, speech_wav):
    """The open model is not refused for a FLAME head, and its line is converted."""
    from wordless_strip import new_wordless_strip

    head = add_head(bpy.context, flame, "Flame")
    scene.emote.head = head
    new_wordless_strip(scene, "Line", str(speech_wav), channel=1, frame_start=1)
    assert bpy.ops.emote.generate(strip="Line") == {"FINISHED"}
    assert "converted from open_head" in scene.emote.last_result
    raw = kept_raw(head.emote.takes[0].action)
    assert raw.emotional.num_expression == raw.neutral.num_expression == 100
    head.emote.emotion = "HAPPY"
    assert bpy.ops.emote.rerender() == {"FINISHED"}
    again = kept_raw(head.emote.takes[0].action).emotional
    assert again.meta["face"] == "flame2020"
    assert again.num_expression == 100
    assert np.abs(again.expression - raw.emotional.expression).max() > 0.1


def test_a_take_of_a_flame_head_is_exported_as_arkit_csv(scene, flame, open_head, tmp_path):
    from emote_blender.capture.motion_files import load_motion

    motion = open_motion(open_head, FRAMES)
    head = add_head(bpy.context, flame, "Flame")
    apply_motion(head, motion, scene)
    assert bpy.ops.emote.export_motion(head="Flame", filepath=str(tmp_path / "line.csv"), fps=25.0) == {"FINISHED"}
    written = load_motion(tmp_path / "line.csv")
    np.testing.assert_allclose(written.jaw[:FRAMES, 0], motion.jaw[:, 0], atol=0.02)
    names = written.meta["expression_names"]
    smile = motion.expression[:, motion.meta["expression_names"].index("mouthSmileLeft")]
    assert np.corrcoef(written.expression[:FRAMES, names.index("mouthSmileLeft")], smile)[0, 1] > 0.7


def test_a_foreign_head_without_eye_bones_speaks_an_open_motion(scene, flame, open_head):
    scene.render.fps = 25
    motion = open_motion(open_head, FRAMES)
    head = add_head(bpy.context, flame, "Flame")
    make_foreign(head)
    bpy.context.view_layer.objects.active = head.parent
    bpy.ops.object.mode_set(mode="EDIT")
    for name in ("left_eye", "right_eye"):
        head.parent.data.edit_bones.remove(head.parent.data.edit_bones[name])
    bpy.ops.object.mode_set(mode="OBJECT")
    apply_motion(head, motion, scene)
    source, found = source_gaps(open_head, motion), 1000 * gaps(head, flame, scene, np.array([0, 0, 1.0]))
    assert found[source < 0.5].max() <= 1.0


def test_a_capture_goes_onto_a_flame_head(scene, flame, tmp_path):
    from emote_blender.capture.motion_files import save_motion

    open_head_model = load_face_model("open_head")
    save_motion(open_motion(open_head_model, FRAMES), tmp_path / "take.csv", 25.0)
    head = add_head(bpy.context, flame, "Flame")
    assert bpy.ops.emote.import_capture(filepath=str(tmp_path / "take.csv"), head="Flame") == {"FINISHED"}
    stored = kept_raw(head.emote.takes[0].action).emotional
    assert stored.num_expression == 100
    assert "converted from open_head" in scene.emote.last_result
