"""The change to the ego frame is rigid: distances stay to 1e-9, there and back gives the same to 1e-9."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import random_rotation
from reenact.geometry.transforms import apply, make_T
from reenact.reframe.carry import (
    clouds_to_ego,
    mesh_to_ego,
    plane_to_ego,
    points_from_ego,
    points_to_ego,
    poses_from_ego,
    poses_to_ego,
    scene_to_ego,
)
from reenact.reframe.eyes import place_ego_camera
from reenact.scene import CameraTrack, SupportPlane
from tests import scenes
from tests.reframe.made import T_BOX, with_box

EXACT = 1e-9


@pytest.fixture(scope="module")
def ego() -> CameraTrack:
    return place_ego_camera(with_box(scenes.waving_scene(20))).camera


def distances(points: np.ndarray) -> np.ndarray:
    flat = points.reshape(len(points), -1, 3)
    return np.linalg.norm(flat[:, :, None] - flat[:, None], axis=-1)


def test_joints_keep_their_distances_and_come_back(ego: CameraTrack) -> None:
    joints = scenes.waving_scene(20).hands.joints_world
    carried = points_to_ego(ego, joints)
    assert np.abs(distances(carried) - distances(joints)).max() < EXACT
    assert np.abs(points_from_ego(ego, carried) - joints).max() < EXACT
    assert np.abs(carried - joints).max() > 0.1  # it is another frame


def test_points_far_away_keep_their_distances(ego: CameraTrack) -> None:
    points = np.random.default_rng(0).normal(0, 50, (20, 30, 3))
    carried = points_to_ego(ego, points)
    assert np.abs(distances(carried) - distances(points)).max() < EXACT
    for frame, cloud in enumerate(clouds_to_ego(ego, [p[: 1 + i] for i, p in enumerate(points)])):
        assert np.abs(cloud - carried[frame, : 1 + frame]).max() < EXACT


def test_poses_and_the_points_on_them_agree(ego: CameraTrack) -> None:
    rng = np.random.default_rng(1)
    T = make_T(random_rotation(rng, (20, 2)), rng.normal(0, 2, (20, 2, 3)))
    local = rng.normal(0, 0.1, (7, 3))
    T_ego = poses_to_ego(ego, T)
    direct = points_to_ego(ego, apply(T, local))
    assert np.abs(apply(T_ego, local) - direct).max() < EXACT
    assert np.abs(poses_from_ego(ego, T_ego) - T).max() < EXACT
    between = np.linalg.inv(T[:, 0]) @ T[:, 1]
    assert np.abs(np.linalg.inv(T_ego[:, 0]) @ T_ego[:, 1] - between).max() < EXACT


def test_a_mesh_touches_the_hand_as_before(ego: CameraTrack) -> None:
    scene = with_box(scenes.waving_scene(20))
    mesh, joints = mesh_to_ego(ego, scene.objects, 0), points_to_ego(ego, scene.hands.joints_world)
    vertices = apply(scene.objects.T_world_object[:, 0], scene.objects.mesh(0)[0])
    before = np.linalg.norm(scene.hands.joints_world[:, 0, 8, None] - vertices, axis=-1)
    after = np.linalg.norm(joints[:, 0, 8, None] - mesh, axis=-1)
    assert np.abs(after - before).max() < EXACT


def test_heights_over_a_plane_stay(ego: CameraTrack) -> None:
    normal = np.array([0.1, -0.2, 1.0]) / np.linalg.norm([0.1, -0.2, 1.0])
    plane = SupportPlane(valid=True, normal_world=normal, offset=-0.4, sigma_offset=0.0, sigma_normal=0.0,
                         confidence=1.0, origin="truth")  # fmt: skip
    points = np.random.default_rng(2).normal(0, 1, (20, 5, 3))
    normals, offsets = plane_to_ego(ego, plane)
    after = np.einsum("tk,tnk->tn", normals, points_to_ego(ego, points)) - offsets[:, None]
    assert np.abs(after - (points @ normal - plane.offset)).max() < EXACT


def test_a_scene_is_carried_whole(ego: CameraTrack) -> None:
    scene = with_box(scenes.waving_scene(20))
    carried = scene_to_ego(scene, ego)
    assert np.abs(carried.joints_ego - points_to_ego(ego, scene.hands.joints_world)).max() == 0
    assert np.abs(carried.T_ego_object[:, 0] - np.linalg.inv(ego.T_world_camera) @ T_BOX).max() < EXACT
    assert np.abs(ego.T_world_camera @ carried.T_ego_camera - scene.camera.T_world_camera).max() < EXACT
    assert carried.points_ego is None
