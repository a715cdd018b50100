"""Retarget measures against numbers worked out by hand on trajectories made for it."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from reenact.errors import RecordError
from reenact.geometry.rotations import so3_exp
from reenact.hands.joints import SIDES
from reenact.quality.collisions import SelfContacts
from reenact.quality.retarget import measure_retarget
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import JointTrajectory
from reenact.scene import Source

FRAMES = 40


@pytest.fixture(scope="module")
def robot() -> Robot:
    return load_robot("unitree_g1_dex3")


def perfect(robot: Robot, q: np.ndarray, fps_hz: float = 20.0) -> JointTrajectory:
    """A trajectory whose targets are exactly where the wrists are, standing somewhere in the world."""
    t = len(q)
    base = np.eye(4)
    base[:3, :3], base[:3, 3] = so3_exp(np.array([0.0, 0.0, 1.0])), [1.0, 2.0, 0.5]
    wrists = base @ np.stack([robot.T_base_wrist(q, s) for s in SIDES], axis=1)  # type: ignore[arg-type]
    return JointTrajectory(
        robot=robot.name,
        sheet_hash=robot.sheet_hash,
        joint_names=robot.joint_names,
        t_ns=np.rint(np.arange(t) * 1e9 / fps_hz).astype(np.int64),
        q=q,
        T_world_base=base[None],
        world_frame="world",
        T_world_wrist_target=wrists,
        valid=np.ones((t, 2), bool),
        confidence=np.ones((t, 2)),
        source=np.full((t, 2), Source.OBSERVED, np.uint8),
    )


def still(robot: Robot, frames: int = FRAMES) -> np.ndarray:
    return np.tile(robot.home_q, (frames, 1))


def test_a_perfect_trajectory(robot: Robot) -> None:
    quality = measure_retarget(perfect(robot, still(robot)), robot)
    assert quality.ik_rate == 1.0
    assert quality.full_clip_rate == 1.0
    assert quality.position_error_cm == pytest.approx(0.0, abs=1e-9)
    assert quality.orientation_error_deg == pytest.approx(0.0, abs=1e-5)
    assert quality.mean_squared_joint_velocity == 0.0
    assert quality.roughness_rad2 == 0.0
    assert quality.collision_frames == 0
    assert quality.peak_velocity_ratio == 0.0


def test_errors_and_rates(robot: Robot) -> None:
    trajectory = perfect(robot, still(robot))
    T = trajectory.T_world_wrist_target.copy()
    T[:10, 0, 0, 3] += 0.03  # left: 10 of 40 frames 3 cm off
    T[:20, 1, :3, :3] = T[:20, 1, :3, :3] @ so3_exp(
        np.array([0.2, 0.0, 0.0])
    )  # right: 20 of 40 turned by 0.2 rad
    quality = measure_retarget(replace(trajectory, T_world_wrist_target=T), robot)
    assert quality.ik_rate == pytest.approx(50 / 80)
    assert quality.left.ik_rate == pytest.approx(30 / 40)
    assert quality.right.reached_frames == 20
    assert quality.full_clip_rate == pytest.approx(20 / 40)
    assert quality.position_error_cm == pytest.approx(3.0 * 10 / 80)
    assert quality.left.position_error_p95_cm == pytest.approx(3.0)
    assert quality.orientation_error_deg == pytest.approx(np.degrees(0.2) * 20 / 80, rel=1e-6)
    # just inside and just outside both tolerances
    T = trajectory.T_world_wrist_target.copy()
    T[0, 0, 1, 3] += 0.0099
    T[1, 0, 1, 3] += 0.0101
    T[2, 0, :3, :3] = T[2, 0, :3, :3] @ so3_exp(np.array([0.0, 0.0499, 0.0]))
    T[3, 0, :3, :3] = T[3, 0, :3, :3] @ so3_exp(np.array([0.0, 0.0501, 0.0]))
    edge = measure_retarget(replace(trajectory, T_world_wrist_target=T), robot)
    assert edge.left.reached_frames == 38


def test_only_frames_with_a_target_count_but_gaps_cost_the_full_clip_rate(robot: Robot) -> None:
    trajectory = perfect(robot, still(robot))
    valid = np.ones((FRAMES, 2), bool)
    valid[30:, 0] = False
    T = trajectory.T_world_wrist_target.copy()
    T[35, 0, 0, 3] += 5.0  # not valid: must not be read
    quality = measure_retarget(replace(trajectory, valid=valid, T_world_wrist_target=T), robot)
    assert quality.ik_rate == 1.0
    assert quality.full_clip_rate == pytest.approx(30 / 40)
    assert quality.left.target_frames == 30
    one = measure_retarget(replace(trajectory, valid=valid & [False, True]), robot)
    assert one.full_clip_rate == 1.0
    assert one.left.ik_rate is None
    assert one.left.position_error_cm is None
    nobody = measure_retarget(replace(trajectory, valid=np.zeros((FRAMES, 2), bool)), robot)
    assert nobody.ik_rate is None
    assert nobody.full_clip_rate is None


def test_speed_roughness_and_limits(robot: Robot) -> None:
    q = still(robot)
    elbow, arm = robot.arms["left"].joint_idx[3], robot.arms["left"].joint_idx
    q[:, elbow] = 0.3 + 0.02 * np.arange(FRAMES)  # 0.02 rad per frame at 20 Hz = 0.4 rad/s
    quality = measure_retarget(perfect(robot, q), robot)
    joints = 2 * len(arm)
    assert quality.roughness_rad2 == pytest.approx(0.02**2 / joints)
    assert quality.mean_squared_joint_velocity == pytest.approx(0.4**2 / joints)
    assert quality.left.mean_squared_joint_velocity == pytest.approx(0.4**2 / len(arm))
    assert quality.right.roughness_rad2 == 0.0
    assert quality.peak_velocity_ratio == pytest.approx(0.4 / robot.velocity_limits[elbow])
    assert quality.peak_acceleration == pytest.approx(0.0, abs=1e-6)
    q[20, elbow] += 0.1  # one frame out of line: second difference -0.2 there
    assert measure_retarget(perfect(robot, q), robot).peak_acceleration == pytest.approx(0.2 * 20**2)


def test_joint_limit_margin_is_the_mean_of_the_nearest_joint(robot: Robot) -> None:
    q = still(robot)
    left, right = robot.arms["left"].joint_idx, robot.arms["right"].joint_idx
    middle = 0.5 * (robot.lower + robot.upper)
    q[:, left], q[:, right] = middle[left], middle[right]
    q[:, left[4]] = robot.upper[left[4]] - 0.1
    q[:20, right[5]] = robot.lower[right[5]] + 0.3
    rest = (0.5 * (robot.upper - robot.lower))[right].min()
    quality = measure_retarget(perfect(robot, q), robot)
    assert quality.left.joint_limit_margin_rad == pytest.approx(0.1)
    assert quality.right.joint_limit_margin_rad == pytest.approx((0.3 + rest) / 2)
    assert quality.joint_limit_margin_rad == pytest.approx((2 * 0.1 + 0.3 + rest) / 4)
    assert quality.limit_violation_rad == 0.0
    q[7, left[0]] = robot.upper[left[0]] + 0.25
    assert measure_retarget(perfect(robot, q), robot).limit_violation_rad == pytest.approx(0.25)


def test_manipulability_is_that_of_mujocos_own_jacobian(robot: Robot) -> None:
    rng = np.random.default_rng(0)
    q = robot.lower + rng.uniform(0.2, 0.8, (3, robot.n_q)) * (robot.upper - robot.lower)
    want = []
    data = mujoco.MjData(robot.model)
    for row in q:
        robot.set_state(data, row)
        mujoco.mj_comPos(robot.model, data)
        for side in SIDES:
            spec = robot.sheet.wrists[side]
            body = robot.model.body(spec.body).id
            point = data.xpos[body] + data.xmat[body].reshape(3, 3) @ np.array(spec.pos)
            J = np.zeros((6, robot.model.nv))
            mujoco.mj_jac(robot.model, data, J[:3], J[3:], point, body)
            J = J[:, robot.arms[side].joint_idx]
            want.append(np.sqrt(np.linalg.det(J @ J.T)))
    quality = measure_retarget(perfect(robot, q), robot)
    assert quality.manipulability == pytest.approx(np.mean(want), rel=1e-6)


def test_a_delay_is_seen_with_its_sign(robot: Robot) -> None:
    t = np.arange(80) / 20
    q = still(robot, 80)
    q[:, robot.arms["left"].joint_idx[0]] += 0.4 * np.sin(2.5 * t) + 0.2 * np.sin(5 * t)
    trajectory = perfect(robot, q)
    late = replace(trajectory, T_world_wrist_target=np.roll(trajectory.T_world_wrist_target, -2, axis=0))
    quality = measure_retarget(late, robot)
    assert quality.left.time_shift_ms == pytest.approx(100.0, abs=5.0)
    assert quality.right.time_shift_ms is None  # it does not move
    assert quality.time_shift_ms == quality.left.time_shift_ms
    assert measure_retarget(trajectory, robot).left.time_shift_ms == pytest.approx(0.0, abs=0.5)


def test_collisions_are_counted_and_named_and_closed_hands_are_not_collisions(robot: Robot) -> None:
    q = still(robot)
    for side in SIDES:
        hand = robot.hands[side]
        for finger in hand.fingers:
            closed = np.where(finger.signs > 0, robot.upper[finger.joint_idx], robot.lower[finger.joint_idx])
            q[:, finger.joint_idx] = closed
    assert measure_retarget(perfect(robot, q), robot).collision_frames == 0
    shoulder = robot.arms["left"].joint_idx[1]
    q[5:12, shoulder] = robot.lower[shoulder]  # the upper arm through the trunk
    quality = measure_retarget(perfect(robot, q), robot)
    assert quality.collision_frames == 7
    assert any("torso" in pair for pair in quality.collision_pairs)
    assert SelfContacts(robot).pairs(robot.home_q) == []


def test_a_moving_base_is_followed(robot: Robot) -> None:
    trajectory = perfect(robot, still(robot))
    base = np.tile(trajectory.T_world_base, (FRAMES, 1, 1))
    base[:, 0, 3] += np.linspace(0, 1, FRAMES)
    T = trajectory.T_world_wrist_target.copy()
    T[:, :, 0, 3] += np.linspace(0, 1, FRAMES)[:, None]
    moving = replace(trajectory, T_world_base=base, T_world_wrist_target=T)
    assert measure_retarget(moving, robot).ik_rate == 1.0


def test_another_robots_trajectory_is_refused(robot: Robot) -> None:
    with pytest.raises(RecordError, match="does not fit"):
        measure_retarget(perfect(robot, still(robot)), load_robot("dual_fr3_leap"))
