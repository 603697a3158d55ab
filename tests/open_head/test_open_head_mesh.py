"""The open head's mesh: symmetric, clean, whole."""

import numpy as np
import pytest

MIRROR = np.array([-1.0, 1, 1], np.float32)


def opposite(name: str) -> str:
    """The component of the other side."""
    for left, right in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(left):
            return name.removesuffix(left) + right
    return name


def edges_of(quads: np.ndarray) -> np.ndarray:
    """(4 Q, 2) directed edges."""
    return np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])


def test_the_mirror_map_is_its_own_inverse(open_head):
    mirror = open_head.mirror
    assert np.array_equal(mirror[mirror], np.arange(open_head.num_vertices))


def test_the_template_is_its_mirror_image_exactly(open_head):
    assert np.array_equal(open_head.v_template[open_head.mirror] * MIRROR, open_head.v_template)


def test_the_skinning_weights_are_their_mirror_image_exactly(open_head):
    left_for_right = [0, 1, 2, 4, 3]
    assert np.array_equal(open_head.lbs_weights[open_head.mirror][:, left_for_right], open_head.lbs_weights)


def test_colours_are_their_mirror_image_exactly(open_head):
    assert np.array_equal(open_head.vertex_colors[open_head.mirror], open_head.vertex_colors)


def test_each_expression_is_the_mirror_image_of_its_opposite_exactly(open_head):
    names = open_head.expression_names
    for index, name in enumerate(names):
        mirrored = open_head.expression_dirs[open_head.mirror, :, index] * MIRROR
        assert np.array_equal(mirrored, open_head.expression_dirs[:, :, names.index(opposite(name))]), name


def test_each_identity_is_its_own_mirror_image_exactly(open_head):
    mirrored = open_head.identity_dirs[open_head.mirror] * MIRROR[:, None]
    assert np.array_equal(mirrored, open_head.identity_dirs)


def test_the_quads_are_their_mirror_image(open_head):
    def canonical(quads):
        return {tuple(np.roll(quad, -quad.argmin())) for quad in quads}

    mirrored = open_head.mirror[open_head.quads][:, ::-1]
    assert canonical(mirrored) == canonical(open_head.quads)


def test_triangles_come_in_pairs_from_quads(open_head):
    pairs = open_head.faces.reshape(-1, 6)
    assert all(set(pair) == set(quad) for pair, quad in zip(pairs, open_head.quads))


@pytest.mark.parametrize("which", ["rest", "smile", "open"])
def test_no_triangle_is_degenerate(head, which):
    poses = {"rest": head.pose(), "smile": head.pose(mouthSmile=1.0, eyeSquint=1.0), "open": head.pose(jaw=0.35)}
    corners = poses[which][head.model.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert area.min() > 1e-9  # square metres: 0.03 mm on a side


def test_no_edge_has_more_than_two_quads_and_all_face_outwards(open_head):
    edges = edges_of(open_head.quads)
    _, directed = np.unique(edges, axis=0, return_counts=True)
    _, undirected = np.unique(np.sort(edges, 1), axis=0, return_counts=True)
    assert directed.max() == 1
    assert undirected.max() == 2


def test_the_skin_has_no_hole_but_the_neck_and_those_behind_the_lids(open_head):
    # the sockets behind the lids are open, hidden by the eyeballs
    skin = open_head.regions["skin"] > 0.5
    edges = np.sort(edges_of(open_head.quads[skin[open_head.quads[:, 0]]]), 1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    border = unique[count == 1]
    behind_lids = (open_head.regions["lids_left"] + open_head.regions["lids_right"])[border].all(1)
    at_neck = (open_head.regions["neck"] > 0.5)[border].all(1)
    assert (behind_lids.sum(), at_neck.sum(), len(border)) == (56, 56, 112)


def test_parts_are_separate_and_complete(open_head):
    names = ["skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue", "hair"]
    names += ["brow_left", "brow_right", "lash_left", "lash_right"]
    assert np.array_equal(sum(open_head.regions[name] for name in names), np.ones(open_head.num_vertices))


def test_weights_are_shares(open_head):
    assert open_head.lbs_weights.min() >= 0
    np.testing.assert_allclose(open_head.lbs_weights.sum(1), 1, atol=1e-6)


def test_joints_lie_where_the_anatomy_says(open_head):
    expected = [
        [0, -0.165, -0.036],
        [0, -0.085, -0.034],
        [0, 0, 0.002],
        [0.0348, 0.019, 0.0495],
        [-0.0348, 0.019, 0.0495],
    ]
    np.testing.assert_allclose(open_head.joints(), expected, atol=1e-6)  # float32 regressor


def test_the_components_are_those_that_models_are_trained_on(open_head):
    names = open_head.expression_names
    assert len(names) == 50
    assert names[:3] == ("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft")
    assert names[14:18] == ("jawForward", "mouthClose", "mouthFunnel", "mouthPucker")
    assert names[-2:] == ("tongueOut", "tongueUp")
    assert not {"jawOpen", "jawLeft", "jawRight"} & set(names)


def test_every_component_moves_something_by_a_sensible_amount(open_head):
    reach = np.linalg.norm(open_head.shapedirs, axis=1).max(0)
    assert reach.min() > 1.5e-3
    assert reach.max() < 40e-3
