"""The stored mesh is what its generator makes; subdivision and colours keep their laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from reenact.hands.anatomy import hand_distance
from reenact.hands.appearance import SkinTone, palette, palette_coordinates
from reenact.hands.joints import LEFT, RIGHT
from reenact.hands.mesh import HandMesh, vertex_normals
from reenact.hands.rest import rest_hand
from reenact.hands.skinning import skin_weights
from reenact.hands.subdivide import Subdivision


@pytest.fixture(scope="module")
def left():
    return HandMesh.load(LEFT)


def test_stored_vertices_lie_on_the_implicit_surface(left):
    assert np.abs(hand_distance(rest_hand(), left.vertices_rest)).max() < 2e-5


def test_a_fresh_build_gives_the_stored_mesh(left):
    pytest.importorskip("skimage")
    from reenact.hands.build import build_hand

    fresh = build_hand()
    assert abs(len(fresh.vertices) - len(left.vertices_rest)) < 0.01 * len(left.vertices_rest)
    gap, nearest = cKDTree(fresh.vertices).query(left.vertices_rest)
    assert np.percentile(gap, 99) < 1e-4
    same = gap < 1e-5
    assert same.mean() > 0.95
    assert np.abs(fresh.weights[nearest[same]] - left.weights[same]).max() < 1e-3


def test_weights_at_a_bone_centre_belong_to_that_bone():
    rest = rest_hand()
    for bone in range(1, 16):
        finger, k = divmod(bone - 1, 3)
        middle = rest.joints[1 + 4 * finger + k : 3 + 4 * finger + k].mean(0)
        # beside the web the proximal phalanges share with the palm; the rest is their own
        assert skin_weights(middle[None], rest)[0, [bone, 15 + bone, min(16 + bone, 30)]].sum() > 0.75


def test_subdivision_keeps_old_vertices_straight_lines_and_closedness(left):
    finer = Subdivision.of(left.faces, len(left.vertices_rest))
    points = finer(left.vertices_rest)
    assert np.array_equal(points[: len(left.vertices_rest)], left.vertices_rest)
    ends = left.vertices_rest[finer.around[:, :2]].mean(1)
    constant = finer(np.ones((len(left.vertices_rest), 1)))
    assert np.abs(constant - 1).max() < 1e-12
    assert np.abs(points[len(left.vertices_rest) :] - ends).max() < 3e-3
    edges = np.concatenate([finer.faces[:, [0, 1]], finer.faces[:, [1, 2]], finer.faces[:, [2, 0]]])
    there = {tuple(e) for e in edges.tolist()}
    assert all((b, a) in there for a, b in there)
    assert len(there) == len(edges)


def test_subdivision_comes_nearer_to_the_true_surface_than_straight_edges(left):
    finer, rest = Subdivision.of(left.faces, len(left.vertices_rest)), rest_hand()
    smooth = finer(left.vertices_rest)[len(left.vertices_rest) :]
    straight = left.vertices_rest[finer.around[:, :2]].mean(1)
    error = [np.abs(hand_distance(rest, points)).mean() for points in (smooth, straight)]
    assert error[0] < 0.5 * error[1]
    assert error[0] < 6e-5


def test_both_hands_are_painted_alike_and_the_palm_is_paler():
    painted = {}
    for side in (LEFT, RIGHT):
        mesh = HandMesh.load(side)
        normals = vertex_normals(mesh.vertices_rest, mesh.faces)
        painted[side] = palette_coordinates(side, mesh.vertices_rest, normals)
    assert np.abs(painted[LEFT] - painted[RIGHT]).max() < 1e-9
    mesh = HandMesh.load(LEFT)
    palm_side = vertex_normals(mesh.vertices_rest, mesh.faces)[:, 1]
    hand = mesh.weights[:, 0] > 0.9
    tone = painted[LEFT][:, 0]
    assert tone[hand & (palm_side < -0.8)].mean() > tone[hand & (palm_side > 0.8)].mean() + 0.05
    assert palette(SkinTone()).dtype == np.uint8
