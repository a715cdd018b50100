"""A solid that moves before a camera is found and followed; what is not seen is not valid."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import ObjectPoses, Plane, Sighting
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.symmetry import Symmetry, turn_between
from reenact.perception.pose.tracker import PoseTracker
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import MeshDepthRenderer, View
from tests.perception.pose.solids import box, cylinder, drawn_sightings

CAMERA = PinholeCamera(260.0, 260.0, 119.5, 89.5, 240, 180)
VIEW = View(np.asarray(CAMERA.K), 240, 180)
R_START = np.asarray(so3_exp(np.array([0.5, 0.0, 0.0])) @ so3_exp(np.array([0.0, 0.0, 0.6])))
"""Looking down by about half a radian on a thing whose z is up."""
BRICK = Symmetry(np.zeros(3), np.array([2, 2, 2]))
CAN = Symmetry(np.array([0.0, 0.0, 1.0]), np.array([2, 2, 1]))
CONFIG = PoseConfig(search_rotations=72, search_keep=6, search_finish=2)


@pytest.fixture(scope="module", autouse=True)
def gl() -> None:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))


def _look_down() -> np.ndarray:
    """R_camera_world of a camera that looks 30 degrees down; the world's z is up."""
    tilt = np.deg2rad(30)
    return np.array([[1, 0, 0], [0, -np.sin(tilt), -np.cos(tilt)], [0, np.cos(tilt), -np.sin(tilt)]])


def motion(frames: int) -> np.ndarray:
    """Rises, goes sideways and turns."""
    u = np.linspace(0, 1, frames)
    R = _look_down() @ so3_exp(np.stack([0.4 * u, 0 * u, 0.5 + 1.2 * u], 1))
    t = np.stack([-0.08 + 0.16 * u, 0.03 - 0.05 * u, 0.62 + 0.05 * np.sin(3 * u)], 1)
    return make_T(R, t)


def follow(mesh: tuple[np.ndarray, np.ndarray], seen: list[Sighting], model: ObjectModel) -> ObjectPoses:
    size = CONFIG.window_px
    with MeshDepthRenderer(View(np.eye(3), size, size), [mesh], near=0.05, far=10) as renderer:
        return PoseTracker(renderer, 0, CAMERA, CONFIG).track(model, seen)


def errors(poses: ObjectPoses, T: np.ndarray, model: ObjectModel) -> tuple[np.ndarray, np.ndarray]:
    away = np.linalg.norm(poses.T_world_object[:, :3, 3] - T[:, :3, 3], axis=1)
    pairs = zip(poses.T_world_object, T, strict=True)
    turn = [turn_between(a[:3, :3], b[:3, :3], model.symmetry) for a, b in pairs]
    return away, np.array(turn)


def test_a_box_with_depth_is_followed_within_millimetres_and_its_lost_frames_are_not_valid() -> None:
    mesh, T = box(0.06, 0.09, 0.14), motion(10)
    model = ObjectModel.of(*mesh, symmetry=BRICK)
    seen = drawn_sightings(mesh, T, VIEW, depth_sigma=0.01, lost=(6, 7), hidden={3: (60, 60, 110, 140)})
    poses = follow(mesh, seen, model)
    assert poses.valid.tolist() == [k not in (6, 7) for k in range(10)]
    away, turn = errors(poses, T, model)
    assert away[poses.valid].max() < 0.004
    assert np.rad2deg(turn[poses.valid].max()) < 3.0
    sigma = np.sqrt(np.diagonal(poses.covariance, axis1=1, axis2=2))
    assert (sigma[poses.valid, :3] < 0.01).all()
    assert (sigma[~poses.valid] > 0.2).all()


def test_a_can_of_known_size_is_placed_from_its_outline_alone_when_it_stands() -> None:
    mesh = cylinder(0.033, 0.12)
    model = ObjectModel.of(*mesh, symmetry=CAN)
    up = _look_down()[:, 2]
    T = motion(4)[:1].repeat(4, 0)
    T[:, :3, :3] = _look_down()
    plane = Plane(up, float(up @ T[0, :3, 3]) - 0.06, 0.003)
    poses = follow(mesh, drawn_sightings(mesh, T, VIEW, depth_sigma=None, plane=plane), model)
    away, turn = errors(poses, T, model)
    assert poses.valid.all()
    assert away.max() < 0.008
    assert np.rad2deg(turn.max()) < 4
    # the free turn about its axis is known to be unknown
    R = poses.T_world_object[-1, :3, :3]
    spin = R[:, 2] @ poses.covariance[-1, 3:, 3:] @ R[:, 2]
    assert np.sqrt(spin) > 0.3


def test_a_thing_that_is_never_seen_has_no_valid_pose() -> None:
    mesh = box(0.05, 0.05, 0.05)
    seen = drawn_sightings(mesh, motion(3), VIEW, depth_sigma=None, lost=(0, 1, 2))
    poses = follow(mesh, seen, ObjectModel.of(*mesh))
    assert not poses.valid.any()
    assert poses.notes["problem"]
