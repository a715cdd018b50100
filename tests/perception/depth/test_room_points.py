"""Points of the room in a frame: at their depth, unsure as the map, and only where nothing stands before them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.transforms import inverse, make_T, se3_exp
from reenact.hands.joints import JOINT_NAMES_21
from reenact.perception.depth.room import RoomPoints
from reenact.perception.depth.sparse import SparseDepth
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import View
from reenact.scene import CameraPath, HandTracks, MaskLabel
from tests import scenes

VIEW = View(np.array([[200.0, 0, 79.5], [0, 200.0, 59.5], [0, 0, 1]]), 160, 120)


def room(points_camera: np.ndarray, T_world_camera: np.ndarray) -> RoomPoints:
    world = points_camera @ T_world_camera[:3, :3].T + T_world_camera[:3, 3]
    return RoomPoints(path_of(world), VIEW)


def path_of(points_world: np.ndarray) -> CameraPath:
    return CameraPath(
        method="sfm", licence="none", scale_source="hands", scale_sigma=0.08, turn_sigma=0.01, place_sigma=0.03,
        placed=1.0, points_world=points_world,
    )  # fmt: skip


def on_pixels(pixels: list[tuple[float, float]], z: list[float]) -> np.ndarray:
    flat = (np.array(pixels) - [79.5, 59.5]) / 200.0
    return np.concatenate([flat, np.ones((len(z), 1))], 1) * np.array(z)[:, None]


def test_a_point_is_drawn_at_its_depth_from_any_camera() -> None:
    T = make_T(se3_exp(np.array([0, 0, 0, 0.3, -0.5, 0.2]))[:3, :3], np.array([0.4, -0.2, 1.0]))
    points = on_pixels([(30.2, 40.1), (120.0, 90.0), (300.0, 50.0)], [1.5, 0.8, 1.0])
    behind = np.array([[0.0, 0, -1.0]])
    depth, sigma = room(np.concatenate([points, behind]), T).draw(inverse(T), None)
    assert depth[40, 30] == pytest.approx(1.5)
    assert depth[90, 120] == pytest.approx(0.8)
    assert (depth > 0).sum() == 18, (
        "two points of 3 x 3 pixels; one is outside the picture, one behind the camera"
    )
    assert sigma == pytest.approx(np.hypot(0.08, 0.03 / 1.15))


def test_what_stands_before_the_room_hides_its_points() -> None:
    points = on_pixels([(30, 40), (70, 40), (110, 40), (140, 40)], [1.5, 1.5, 1.5, 1.5])
    label = np.zeros((60, 80), np.uint8)
    label[:, 10:20] = MaskLabel.HAND_RIGHT
    label[:, 30:40] = MaskLabel.FIRST_OBJECT + 1
    label[:, 50:60] = MaskLabel.TABLE
    depth, _ = room(points, np.eye(4)).draw(np.eye(4), label)
    assert depth[40, [30, 70, 110, 140]] == pytest.approx([0, 0, 1.5, 1.5])


def test_a_point_inside_a_nearer_surface_is_hidden_and_one_beside_its_edge_is_not() -> None:
    ring = [(70.0, 50.0), (90.0, 50.0), (80.0, 72.0)]
    points = on_pixels([(80, 60), (80, 80), *ring], [2.0, 2.0, 1.0, 1.0, 1.0])
    depth, _ = room(points, np.eye(4)).draw(np.eye(4), None)
    assert depth[60, 80] == 0
    assert depth[80, 80] == pytest.approx(2.0)
    assert depth[72, 80] == pytest.approx(1.0)


def test_the_default_depth_knows_the_room_where_the_camera_has_a_place_and_nothing_stands_before_it() -> None:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    camera = scenes.camera(3)
    camera = replace(camera, motion="moving", valid=np.array([True, True, False]))
    none = np.zeros((3, 2), bool)
    hands = HandTracks(
        joints_world=np.zeros((3, 2, 21, 3)), valid=none, confidence=0.0 * none, source=none.astype(np.uint8),
        sigma_camera=np.full((3, 2, 3), 0.03), reprojection=np.zeros((3, 2)), hand_length=np.full(2, 0.189),
        hand_length_source="adult_prior", world_frame=camera.world_frame, joint_names=JOINT_NAMES_21,
    )  # fmt: skip
    T = camera.scene_T_camera()[0]
    path = path_of(np.array([[0.0, 0.0, 1.2]]) @ T[:3, :3].T + T[:3, 3])
    covered = np.full((48, 64), MaskLabel.FIRST_OBJECT, np.uint8)
    with SparseDepth(camera, hands, None, lambda k: covered if k == 1 else 0 * covered, room=path) as sparse:
        seen, hidden, placeless = (sparse.frame(k) for k in range(3))
        assert sparse.diagnostics["room_points"] == 1
    assert seen is not None
    assert seen.values[seen.values > 0] == pytest.approx(1.2)
    assert seen.sigma_relative == pytest.approx(np.hypot(0.08, 0.03 / 1.2))
    assert hidden is None
    assert placeless is None
