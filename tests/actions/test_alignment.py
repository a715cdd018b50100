"""Wrist frames: calibration finds what is there, and does not depend on what a sheet happens to declare."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.actions.alignment import WristAlignment, calibrate_by_pairs, calibrate_by_shape
from reenact.actions.errors import BadActions
from reenact.actions.robot import RobotSpaceConfig, encode_robot
from reenact.actions.robot_decode import decode_robot
from reenact.geometry.rotations import random_rotation, rotation_angle, so3_exp
from reenact.geometry.transforms import inverse, make_T
from reenact.robots.model import Robot
from reenact.robots.poses import matrix_from_pose, pose_from_matrix
from tests.actions.conftest import T_BASE_EGO, joint_motion, robot_named, same, times

OFFSET = make_T(so3_exp(np.array([0.3, -0.2, 0.5])), np.array([0.02, -0.01, 0.04]))


def with_wrists_moved(robot: Robot, T_old_new: np.ndarray) -> Robot:
    """The same robot whose sheet declares other wrist frames."""
    wrists = {}
    for side, frame in robot.sheet.wrists.items():
        pos, quat = pose_from_matrix(matrix_from_pose(frame.pos, frame.quat_wxyz) @ T_old_new)
        wrists[side] = dataclasses.replace(frame, pos=pos, quat_wxyz=quat)
    return Robot(dataclasses.replace(robot.sheet, wrists=wrists), robot.spec)


def test_the_aligned_frame_does_not_depend_on_the_sheets():
    robot = robot_named("unitree_g1_inspire")
    other = with_wrists_moved(robot, OFFSET)
    t_ns = times(3)
    q = joint_motion(robot, t_ns, seed=0)
    spaces = [
        encode_robot(r, q, t_ns, T_BASE_EGO, config=RobotSpaceConfig(alignment=calibrate_by_shape(r)))
        for r in (robot, other)
    ]
    assert same(*spaces, atol=1e-9)
    assert not same(
        encode_robot(robot, q, t_ns, T_BASE_EGO), encode_robot(other, q, t_ns, T_BASE_EGO), atol=1e-2
    )


@pytest.mark.parametrize("name", ["unitree_g1_dex3", "unitree_g1_inspire", "dual_fr3_leap"])
def test_the_sheets_wrist_frames_already_mean_what_a_persons_do(name):
    found = calibrate_by_shape(robot_named(name))
    for side in ("left", "right"):
        assert found.angle(side) < np.deg2rad(10)
        assert found.distance(side) < 0.04


def test_left_and_right_calibrate_to_mirror_images():
    found = calibrate_by_shape(robot_named("unitree_g1_dex3"))
    flip = np.diag([-1.0, 1, 1, 1])
    assert np.abs(found.right - flip @ found.left @ flip).max() < 1e-6


@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_recorded_pairs_give_the_offset_back(noise):
    rng = np.random.default_rng(7)
    T_human = make_T(random_rotation(rng, 200), rng.normal(size=(200, 3)))
    jitter = make_T(so3_exp(rng.normal(size=(200, 3)) * 4 * noise), rng.normal(size=(200, 3)) * noise)
    found, left = calibrate_by_pairs({"left": (T_human, T_human @ jitter @ inverse(OFFSET))})
    assert np.linalg.norm(found.left[:3, 3] - OFFSET[:3, 3]) <= 0.3 * noise + 1e-12
    assert rotation_angle(found.left[:3, :3], OFFSET[:3, :3]) <= 4 * 0.3 * noise + 1e-12
    assert left["left"][0] == pytest.approx(np.sqrt(3) * noise, rel=0.2, abs=1e-12)
    assert np.array_equal(found.right, np.eye(4))
    with pytest.raises(BadActions, match="poses"):
        calibrate_by_pairs({"left": (T_human, T_human[:3])})


def test_encode_and_decode_mirror_each_other_under_any_alignment():
    robot, t_ns = robot_named("unitree_g1_inspire"), times(8)
    q = joint_motion(robot, t_ns, seed=8)
    config = RobotSpaceConfig(alignment=WristAlignment(OFFSET, inverse(OFFSET)))
    vector = encode_robot(robot, q, t_ns, T_BASE_EGO, config=config)
    found = decode_robot(robot, vector, T_BASE_EGO, q, config)
    assert np.abs(found.q - q).max() < 1e-9
    plain = encode_robot(robot, q, t_ns, T_BASE_EGO)
    wrist, _ = vector.pose("wrist_left")
    assert np.abs(wrist - plain.pose("wrist_left")[0] @ OFFSET).max() < 1e-12
