"""Laws of the hand's skin: closed, follows the bones, real left and right, never collapses."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import random_rotation, so3_exp
from reenact.hands.joints import LEFT, RIGHT
from reenact.hands.mesh import MESH_PATH, HandMesh, SideMismatch, vertex_normals
from reenact.hands.poses import POSE_NAMES, named_pose
from reenact.hands.rest import REST_ANGLES
from reenact.hands.skeleton import ADULT_HAND_LENGTH, HandSkeleton
from reenact.hands.skinning import FOREARM

MIRROR = np.array([-1.0, 1.0, 1.0])
LOW_DEG = np.tile([-5.0, -12.0, 0.0, 0.0], 5)
HIGH_DEG = np.tile([75.0, 12.0, 95.0, 60.0], 5)
HIGH_DEG[:4] = [40.0, 15.0, 50.0, 60.0]


def random_angles(n: int, seed: int = 0) -> np.ndarray:
    return np.deg2rad(np.random.default_rng(seed).uniform(LOW_DEG, HIGH_DEG, (n, 20)))


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


@pytest.fixture(params=[LEFT, RIGHT], ids=["left", "right"])
def hand(request):
    return HandMesh.load(request.param), HandSkeleton.adult(request.param)


def test_rest_pose_returns_the_rest_mesh(hand):
    mesh, skeleton = hand
    assert np.abs(mesh.pose(skeleton, REST_ANGLES) - mesh.vertices_rest).max() < 1e-12


def test_surface_is_closed_one_piece_and_faces_look_outwards(hand):
    mesh, _ = hand
    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    there = {tuple(e) for e in edges.tolist()}
    assert len(there) == len(edges)  # no directed edge twice
    assert all((b, a) in there for a, b in there)  # each has its opposite
    assert len(mesh.vertices_rest) - len(edges) // 2 + len(mesh.faces) == 2  # a sphere
    assert 0.6e-3 < volume(mesh.vertices_rest, mesh.faces) < 1.4e-3  # hand 0.4 l and 19 cm of forearm


def test_weights_are_shares(hand):
    mesh, _ = hand
    assert np.abs(mesh.weights.sum(1) - 1).max() < 1e-12
    assert mesh.weights.min() >= 0
    assert (mesh.weights > 0).sum(1).max() <= 6


def test_moving_the_wrist_moves_every_vertex_with_it(hand):
    mesh, skeleton = hand
    rng = np.random.default_rng(1)
    angles = random_angles(3)
    T = np.tile(np.eye(4), (3, 1, 1))
    T[:, :3, :3], T[:, :3, 3] = random_rotation(rng, 3), rng.normal(size=(3, 3))
    moved = mesh.pose(skeleton, angles, T)
    expected = np.einsum("tij,tvj->tvi", T[:, :3, :3], mesh.pose(skeleton, angles)) + T[:, None, :3, 3]
    assert np.abs(moved - expected).max() < 1e-12


def test_batch_is_the_same_as_one_by_one(hand):
    mesh, skeleton = hand
    angles = random_angles(4).reshape(2, 2, 20)
    both = mesh.pose(skeleton, angles)
    assert both.shape == (2, 2, len(mesh.vertices_rest), 3)
    assert np.abs(both[1, 0] - mesh.pose(skeleton, angles[1, 0])).max() < 1e-12


def test_right_hand_is_the_mirror_image_of_the_left_in_every_pose():
    left, right = HandMesh.load(LEFT), HandMesh.load(RIGHT)
    angles = random_angles(5)
    turn = so3_exp(np.array([0.1, 0.4, -0.3]))
    a = left.pose(HandSkeleton.adult(LEFT), angles, R_wrist_forearm=np.tile(turn, (5, 1, 1)))
    mirrored = np.diag(MIRROR) @ turn @ np.diag(MIRROR)
    b = right.pose(HandSkeleton.adult(RIGHT), angles, R_wrist_forearm=np.tile(mirrored, (5, 1, 1)))
    assert np.abs(a * MIRROR - b).max() < 1e-12
    assert np.array_equal(left.faces, right.faces[:, ::-1])


def test_skin_grows_with_the_hand_length(hand):
    mesh, skeleton = hand
    angles = random_angles(1)[0]
    longer = HandSkeleton.adult(skeleton.side, 1.1 * ADULT_HAND_LENGTH)
    assert np.abs(mesh.pose(longer, angles) - 1.1 * mesh.pose(skeleton, angles)).max() < 1e-12


def own_skin(mesh: HandMesh, joint: int) -> np.ndarray:
    """Vertices that a joint's own finger (or palm) carries; in odd poses fingers run through each other."""
    finger, k = divmod(joint - 1, 4)
    bones = [1 + 3 * finger, 2 + 3 * finger, 3 + 3 * finger]
    own = (
        [0, 16, 19, 22, 25, 28]
        if joint == 0
        else [*bones, *(15 + b for b in bones), *([0] if k == 0 else [])]
    )
    return mesh.weights[:, own].sum(1) > 0.7


def test_every_joint_stays_under_skin_of_anatomical_thickness(hand):
    mesh, skeleton = hand
    skins = [own_skin(mesh, joint) for joint in range(21)]
    for angles in [*random_angles(20), *(named_pose(name) for name in POSE_NAMES)]:
        vertices, joints = mesh.pose(skeleton, angles), skeleton.joints_wrist(angles)
        normals = vertex_normals(vertices, mesh.faces)
        for joint in range(21):
            gap = vertices[skins[joint]] - joints[joint]
            distance = np.linalg.norm(gap, axis=1)
            near = int(distance.argmin())
            assert 4e-3 < distance[near] < 20e-3, (joint, distance[near])
            assert gap[near] @ normals[skins[joint]][near] > 0, joint  # the joint is inside


def test_bending_keeps_flesh(hand):
    mesh, skeleton = hand
    rest = volume(mesh.vertices_rest, mesh.faces)
    for angles in [*random_angles(10), *(named_pose(name) for name in POSE_NAMES)]:
        assert 0.93 < volume(mesh.pose(skeleton, angles), mesh.faces) / rest < 1.07


def test_a_knuckle_bent_by_90_degrees_stays_as_thick_as_straight(hand):
    mesh, skeleton = hand
    bent = REST_ANGLES.copy()
    bent[6] = np.pi / 2  # index PIP
    thickness = []
    for angles in (REST_ANGLES, bent):
        T = skeleton.bone_transforms(angles)
        back = T[4, :3, 1] + T[5, :3, 1]
        outward = mesh.pose(skeleton, angles) - T[5, :3, 3]
        height = outward @ back / np.linalg.norm(back)
        thickness.append(height[np.linalg.norm(outward, axis=1) < 0.016].max())
    assert thickness[1] > 0.8 * thickness[0]


def test_forearm_turns_at_the_wrist_and_leaves_the_fingers(hand):
    mesh, skeleton = hand
    turn = so3_exp(np.array([0.0, 0.3, 0.5]))
    before = mesh.pose(skeleton, REST_ANGLES)
    after = mesh.pose(skeleton, REST_ANGLES, R_wrist_forearm=turn)
    arm = mesh.weights[:, FOREARM] > 0.999
    fingers = mesh.weights[:, 1:31].sum(1) > 0.999
    assert arm.sum() > 300
    assert fingers.sum() > 1000
    assert np.abs(after[arm] - before[arm] @ turn.T).max() < 1e-3
    assert np.abs(after[fingers] - before[fingers]).max() < 1e-12


def test_arrays_are_read_only_and_the_file_is_small(hand):
    with pytest.raises(ValueError, match="read-only"):
        hand[0].vertices_rest[0] = 0
    assert MESH_PATH.stat().st_size < 300_000
    assert 1500 <= len(hand[0].vertices_rest) <= 4000


def test_a_skeleton_of_the_other_side_is_refused():
    with pytest.raises(SideMismatch, match="left hand's skin was given a right skeleton"):
        HandMesh.load(LEFT).pose(HandSkeleton.adult(RIGHT), REST_ANGLES)
