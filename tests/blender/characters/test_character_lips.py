"""The lips of characters in Blender: found on the mesh, and measured on the evaluated one while a take plays."""

from collections.abc import Callable

import numpy as np
import pytest
from counted_steps import counted_steps

bpy = pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

import character_rigs as rigs  # noqa: E402
from character_lips import spoken  # noqa: E402
from character_shapes import OCULUS_POSES, arkit_shapes, posed  # noqa: E402
from filled import fill, motion_of, values_at  # noqa: E402
from measured_lips import lip_gaps_mm, open_head_gaps_mm  # noqa: E402
from scipy.spatial import cKDTree  # noqa: E402

from emote_blender.blender.characters import measure  # noqa: E402
from emote_blender.blender.head.rig import rig_of  # noqa: E402
from emote_blender.blender.takes.channels import channels_of  # noqa: E402
from emote_blender.blender.takes.face_maps import forget_maps  # noqa: E402
from emote_blender.blender.takes.make import apply_motion  # noqa: E402

pytestmark = pytest.mark.ends

VROID = {"A": "viseme_aa", "I": "viseme_ih", "U": "viseme_ou", "E": "viseme_E", "O": "viseme_oh"}
MIDDLE = 4


def arkit(placement: str = "tilted", **options) -> rigs.Character:
    character = rigs.arkit_character(placement=placement, **options)
    fill(character, placement=placement)
    return character


def vroid() -> rigs.Character:
    character = rigs.vrm_character()
    fill(character, {f"Fcl_MTH_{letter}": source for letter, source in VROID.items()}, "NONE")
    return character


def oculus() -> rigs.Character:
    character = rigs.oculus_character()
    fill(character, {f"viseme_{name}": f"viseme_{name}" for name in OCULUS_POSES}, "NONE")
    return character


def scaled(**factors: float) -> rigs.Character:
    """An ARKit character, some of whose shapes are scaled."""
    shapes = {name: shape * factors.get(name, 1.0) for name, shape in arkit_shapes(True).items()}
    character = rigs.build_character(shapes, jaw_bone=False)
    fill(character)
    return character


CHARACTERS: dict[str, Callable[[], rigs.Character]] = {
    "jaw_bone": arkit,
    "jaw_key": lambda: arkit(jaw="key"),
    "centimetres": lambda: arkit("centimetres"),
    "applied": lambda: arkit("applied"),
    "mirrored": lambda: arkit("mirrored"),
    "no_armature": lambda: arkit(jaw="key", armature=False),
    "closes_too_little": lambda: scaled(mouthClose=0.5),
    "closes_too_much": lambda: scaled(mouthClose=2.0),
    "opens_twice_as_far": lambda: scaled(jawOpen=2.0),
    "another_identity": lambda: arkit(identity={"faceWidth": 2.0, "lipFullness": 2.0, "chinLength": 1.5}),
    "triangles": lambda: arkit(shuffled=True, separate=()),
    "open_at_rest": lambda: arkit(rest_jaw=0.03),
    "vroid": vroid,
    "oculus": oculus,
}


def compared(character: rigs.Character, step: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """(T, 9) gaps of a character that speaks, and of the open head, mm, in every second frame."""
    motion = spoken("happy")
    apply_motion(character.mesh, motion, bpy.context.scene, 1)
    frames = np.arange(4, motion.num_frames - 4, step)  # the ends are faded
    wanted = open_head_gaps_mm(motion.expression[frames], motion.jaw[frames])
    return np.array([lip_gaps_mm(character.mesh, int(frame) + 1) for frame in frames]), wanted


@pytest.mark.parametrize("kind", CHARACTERS)
def test_a_character_opens_and_closes_its_lips_with_the_open_head(scene, kind):
    gaps, wanted = compared(CHARACTERS[kind]())
    shut = wanted[:, MIDDLE] <= 0.5
    assert shut.sum() >= 10
    assert gaps[shut, MIDDLE].max() <= 0.5
    assert gaps[shut][wanted[shut] <= 0.5].max() <= 1.0
    assert np.corrcoef(gaps[:, MIDDLE].clip(0), wanted[:, MIDDLE].clip(0))[0, 1] > 0.95


def test_the_switch_takes_shapes_as_they_are(scene):
    character = scaled(mouthClose=0.5, jawOpen=2.0)
    character.mesh.emote.character.calibrate = False
    gaps, wanted = compared(character)
    assert gaps[wanted[:, MIDDLE] <= 0.5, MIDDLE].max() > 1.2


def lips_of(character: rigs.Character):
    rig = rig_of(character.mesh)
    return measure.character_lips(rig, rig.target)


def origins(mesh_object) -> np.ndarray:
    numbers = np.empty(len(mesh_object.data.vertices), np.int32)
    mesh_object.data.attributes[rigs.ORIGIN].data.foreach_get("value", numbers)
    return numbers


def apply_modifier(mesh_object, kind: str, **settings) -> None:
    """Apply a modifier to a mesh without shape keys."""
    modifier = mesh_object.modifiers.new("Change", kind)
    for name, value in settings.items():
        setattr(modifier, name, value)
    with bpy.context.temp_override(object=mesh_object, active_object=mesh_object):
        bpy.ops.object.modifier_apply(modifier="Change")


def places(points) -> np.ndarray:
    """(V, 3) the coordinates of vertices or of a shape key's points."""
    flat = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", flat)
    return flat.reshape(-1, 3)


@pytest.mark.parametrize("ratio", [0.5, 0.25])
def test_the_lips_of_a_decimated_mesh_are_found(scene, ratio):
    """A mesh of triangles of all sizes; its keys are read off the whole one at the nearest vertices."""
    whole = rigs.arkit_character(jaw="key", prefix="", placement="plain", armature=False, separate=("brows",))
    points = places(whole.mesh.data.vertices)
    keys = {key.name: places(key.points) for key in whole.mesh.data.shape_keys.key_blocks}
    whole.mesh.shape_key_clear()
    apply_modifier(whole.mesh, "DECIMATE", ratio=ratio, use_collapse_triangulate=True)
    kept = places(whole.mesh.data.vertices)
    nearest = cKDTree(points).query(kept)[1]
    whole.mesh.shape_key_add(name="Basis", from_mix=False)
    for name in list(keys)[1:]:
        key = whole.mesh.shape_key_add(name=name, from_mix=False)
        key.value = 0.0
        moved = kept + keys[name][nearest] - points[nearest]
        key.points.foreach_set("co", np.ascontiguousarray(moved, np.float32).ravel())
    fill(whole, jaw="KEY", placement="plain")
    lips = lips_of(whole)
    assert lips is not None
    motion = spoken()
    apply_motion(whole.mesh, motion, scene, 1)
    shape = lips.shape(np.array([[values_at(1 + n, whole.mesh)[name] for name in lips.names] for n in range(8, 90, 4)]))
    wanted = open_head_gaps_mm(motion.expression[8:90:4], motion.jaw[8:90:4])[:, MIDDLE]
    assert shape.opening[wanted <= 0.5].max() <= 0.6
    assert np.corrcoef(shape.opening.clip(0), wanted.clip(0))[0, 1] > 0.95


def test_teeth_in_the_same_mesh_are_no_lips(scene):
    character = arkit(separate=())
    rig = rig_of(character.mesh)
    mouth = measure._opening_of(rig, rig.target)[1]
    model = rigs.open_head_model()
    found = origins(character.mesh)[mouth.vertices]
    assert (model.regions["lips"][found] > 0.5).mean() > 0.7
    assert not (np.max([model.regions[f"teeth_{row}"] for row in ("upper", "lower")], axis=0)[found] > 0.5).any()


def test_teeth_that_part_behind_a_face_that_does_not_are_no_mouth(scene):
    model = rigs.open_head_model()
    teeth = model.regions["teeth_lower"][:, None] * posed({"jaw": 0.4})
    character = rigs.build_character(
        {"jawOpen": teeth, "mouthSmileLeft": posed({"mouthSmileLeft": 1.0})}, jaw_bone=False
    )
    fill(character, {"jawOpen": "jawOpen", "mouthSmileLeft": "mouthSmileLeft"}, "KEY")
    assert lips_of(character) is None


def test_a_body_without_a_mouth_is_moved_as_it_is(scene):
    crate = rigs.faceless_object()
    character = rigs.Character(crate, (), None, {}, ("Squash", "Bend", "Key 3"))
    fill(character, {"Squash": "jawOpen", "Bend": "viseme_PP"}, "KEY", "plain")
    apply_motion(crate, motion_of(jaw=0.2), scene)
    assert values_at(5, crate)["Squash"] == pytest.approx(0.5, abs=1e-3)


def test_a_broken_shape_key_does_not_spread(scene):
    """Coordinates that are no numbers, as damaged files have them."""
    character = arkit(jaw="key", prefix="")
    key = character.mesh.data.shape_keys.key_blocks["mouthFrownLeft"]
    key.points.foreach_set("co", np.full(3 * len(key.points), np.nan, np.float32))
    rig = rig_of(character.mesh)
    assert all(np.isfinite(channel.values).all() for channel in channels_of(rig, spoken()))
    assert lips_of(character) is not None


def test_a_muted_key_and_a_masked_key_count_as_they_show(scene):
    character = arkit(jaw="key", prefix="")
    plain = lips_of(character)
    index = plain.names.index("mouthFunnel")
    keys = character.mesh.data.shape_keys.key_blocks
    keys["mouthFunnel"].mute = True
    assert "mouthFunnel" not in lips_of(character).names
    keys["mouthFunnel"].mute = False
    group = character.mesh.vertex_groups.new(name="Mask")
    group.add(list(range(len(character.mesh.data.vertices))), 0.25, "REPLACE")
    keys["mouthFunnel"].vertex_group = "Mask"
    assert lips_of(character).directions[:, :, index] == pytest.approx(0.25 * plain.directions[:, :, index])


def test_measures_are_kept_until_the_mesh_changes(scene, monkeypatch):
    character = arkit(jaw="key", prefix="")
    forget_maps()
    searches = []
    find = measure.find_mouth
    monkeypatch.setattr(measure, "find_mouth", lambda *given: searches.append(1) or find(*given))
    rig = rig_of(character.mesh)
    before = measure.calibrated_target(rig, rig.target).calibration
    assert measure.calibrated_target(rig, rig.target).calibration is before
    assert len(searches) == 1
    key = character.mesh.data.shape_keys.key_blocks["mouthClose"]
    rest, moved = places(key.relative_key.points), places(key.points)
    key.points.foreach_set("co", np.ascontiguousarray(rest + 0.5 * (moved - rest), np.float32).ravel())
    after = measure.calibrated_target(rig, rig.target).calibration
    assert len(searches) == 1
    assert after.factors["mouthClose"] == pytest.approx(2 * before.factors.get("mouthClose", 1.0), rel=0.1)


@pytest.mark.once
def test_no_step_of_measuring_is_made_for_each_vertex_of_the_body(scene):
    """Later only the lips are read."""
    steps = []
    for body_vertices in (100, 100_000):
        character = arkit(body_vertices=body_vertices)
        rig = rig_of(character.mesh)
        forget_maps()
        steps.append([counted_steps(measure.calibrated_target, rig, rig.target) for _ in range(2)])
        assert measure.calibrated_target(rig, rig.target).calibration is not None
    (first, later), with_body = steps
    assert later < first / 5
    assert np.subtract(with_body, (first, later)).max() < 50_000  # half a step for each vertex of the body
    assert channels_of(rig, spoken())


def test_a_jaw_bone_alone_closes_the_lips_of_a_mesh_without_shape_keys(scene):
    character = rigs.build_character({}, jaw_bone=True)
    character.mesh.shape_key_clear()
    bpy.context.view_layer.objects.active = character.armature
    assert bpy.ops.emote.set_up_character() == {"FINISHED"}
    gaps, wanted = compared(character)
    shut = wanted[:, MIDDLE] <= 0.5
    assert gaps[shut, MIDDLE].max() <= 1.0
    assert gaps[:, MIDDLE].max() > 10.0
