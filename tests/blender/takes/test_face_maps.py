"""The maps of a head in the scene are those of its face model."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.head.build import add_head, load_face_model
from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.narrow import shape_keys_of
from emote_blender.blender.takes.face_maps import face_maps, forget_maps
from emote_blender.flame.refinement_maps import maps_of_model


@pytest.fixture(scope="module")
def model():
    return load_face_model("open_head")


@pytest.fixture
def open_head(scene, model):
    forget_maps()
    return add_head(bpy.context, model)


@pytest.mark.parametrize("moved", [False, True])
def test_the_maps_of_a_head_are_those_of_its_model(open_head, model, moved):
    if moved:
        open_head.parent.location, open_head.parent.rotation_euler = (1, 2, 3), (0.3, 1, 2)
        open_head.parent.scale = (40, 40, 40)
        bpy.context.view_layer.update()
    rig = rig_of(open_head)
    found, expected = face_maps(rig, rig.expression_keys), maps_of_model(model)
    np.testing.assert_allclose(found.upper, expected.upper, atol=1e-4)
    np.testing.assert_allclose(found.left, expected.left, atol=1e-4)
    np.testing.assert_allclose(found.lips.points, expected.lips.points, atol=1e-6)
    np.testing.assert_allclose(found.lips.closing, expected.lips.closing, atol=1e-3)
    pose = np.random.default_rng(0).uniform(0, 0.3, (5, 50)).astype(np.float32), np.tile([0.1, 0.01, 0], (5, 1))
    np.testing.assert_allclose(found.lips.gap(*pose), expected.lips.gap(*pose), atol=1e-3)


def test_the_maps_are_in_the_order_of_the_keys_asked_for(open_head):
    rig = rig_of(open_head)
    keys = rig.expression_keys
    np.testing.assert_allclose(face_maps(rig, keys[::-1]).upper, face_maps(rig, keys).upper[::-1], atol=1e-6)


def test_maps_are_kept_until_the_basis_changes(open_head):
    rig = rig_of(open_head)
    first = face_maps(rig, rig.expression_keys)
    assert face_maps(rig, rig.expression_keys) is first
    for point in shape_keys_of(open_head).reference_key.points:
        point.co.z += 0.01
    assert face_maps(rig, rig.expression_keys) is not first


def test_a_head_without_weights_for_its_jaw_has_no_lips(open_head):
    open_head.vertex_groups.remove(open_head.vertex_groups["jaw"])
    rig = rig_of(open_head)
    maps = face_maps(rig, rig.expression_keys)
    assert maps.lips is None
    assert maps.upper[rig.expression_keys.index("browInnerUp")] > 0.99
