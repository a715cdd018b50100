"""Fingers: limits, couplings, pinches kept, open and closed hands recognisable, nothing late."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.filters import time_shift
from reenact.hands.joints import FINGERS, TIPS
from reenact.hands.skeleton import HandSkeleton
from reenact.retarget.finger_map import bend_map, followed_fingers
from reenact.retarget.fingers import FingerConfig, solve_fingers
from reenact.retarget.grippers import solve_gripper
from reenact.retarget.targets import HandTargets, make_targets
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot
from tests.retarget.motions import hands_at, times

HANDS = ("unitree_g1_dex3", "dual_fr3_leap", "unitree_g1_inspire", "dual_fr3_shadow", "dual_fr3_allegro")


def bent(amount: np.ndarray) -> np.ndarray:
    """Angles of hands whose fingers are bent by a share of closed (0..1), [t 20]."""
    angles = np.zeros((len(amount), 20))
    for finger in range(1, 5):
        angles[:, 4 * finger] = 1.3 * amount
        angles[:, 4 * finger + 2] = 1.5 * amount
        angles[:, 4 * finger + 3] = 0.9 * amount
    angles[:, 0], angles[:, 2], angles[:, 3] = 0.3 * amount, 0.5 * amount, 0.4 * amount
    return angles


def targets_of(angles: np.ndarray, valid: np.ndarray | None = None) -> HandTargets:
    """Hands at rest in space with moving fingers."""
    t = len(angles)
    tracks = hands_at(np.broadcast_to(np.eye(4), (t, 2, 4, 4)), valid)
    joints = np.stack([HandSkeleton.adult(s).joints_wrist(angles) for s in (0, 1)], axis=1)
    return make_targets(replace(tracks, joints_world=joints), times(t), times(t))


def tips_in_wrist(robot: Robot, side: str, q_hand: np.ndarray) -> np.ndarray:
    full = np.broadcast_to(robot.couple(robot.home_q), (len(q_hand), robot.n_q)).copy()
    full[:, robot.hands[side].joint_idx] = q_hand  # type: ignore[index]
    wrist = robot.T_base_wrist(robot.home_q, side)  # type: ignore[arg-type]
    return (robot.fingertips(full, side) - wrist[:3, 3]) @ wrist[:3, :3]  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=HANDS)
def robot(request: pytest.FixtureRequest) -> Robot:
    return load_robot(request.param)


@pytest.mark.parametrize("method", ["tips", "bend"])
@pytest.mark.parametrize("side", [0, 1])
def test_limits_couplings_and_speeds_hold(robot: Robot, side: int, method: str) -> None:
    name = ("left", "right")[side]
    amount = 0.5 - 0.5 * np.cos(np.arange(60) / 30 * 2 * np.pi)
    q = solve_fingers(robot, targets_of(bent(amount)), side, FingerConfig(method=method))  # type: ignore[arg-type]
    idx = robot.hands[name].joint_idx  # type: ignore[index]
    assert (q >= robot.lower[idx] - 1e-9).all()
    assert (q <= robot.upper[idx] + 1e-9).all()
    full = np.broadcast_to(robot.couple(robot.home_q), (60, robot.n_q)).copy()
    full[:, idx] = q
    np.testing.assert_allclose(robot.couple(full), full, atol=1e-9)
    assert (np.abs(np.diff(q, axis=0)) * 30 <= robot.velocity_limits[idx] * (1 + 1e-6)).all()


@pytest.mark.parametrize("side", [0, 1])
def test_a_closing_hand_closes_the_robots_fingers_and_opens_them_again(robot: Robot, side: int) -> None:
    name = ("left", "right")[side]
    amount = 0.5 - 0.5 * np.cos(np.arange(90) / 30 * 2 * np.pi / 3)
    q = solve_fingers(robot, targets_of(bent(amount)), side)
    tips = tips_in_wrist(robot, name, q)
    fingers = [k for k, f in enumerate(robot.hands[name].finger_names) if f != "thumb"]  # type: ignore[index]
    reach = np.linalg.norm(tips[:, fingers], axis=-1)
    assert (reach[45] < 0.8 * reach[0]).all()
    np.testing.assert_allclose(reach[-1], reach[0], rtol=0.05)
    out = 1.0 if side == 0 else -1.0
    assert (out * tips[0, fingers, 0] > 0.1).all()  # open: straight along the hand
    assert (tips[45, fingers, 1] < tips[0, fingers, 1]).all()  # closed: on the palm's side


@functools.cache
def pinching_angles() -> np.ndarray:
    """Angles of a right hand whose thumb and index tips meet, by a seeded random search."""
    skeleton, rng = HandSkeleton.adult(1), np.random.default_rng(0)
    best, gap = np.zeros(20), np.inf
    for spread in np.geomspace(0.5, 0.01, 25):
        tries = np.clip(best + rng.normal(size=(300, 20)) * spread, 0.0, 1.3)
        tries[:, 8:] = 0.3
        tips = skeleton.joints_wrist(tries)[:, list(TIPS)]
        gaps = np.linalg.norm(tips[:, 0] - tips[:, 1], axis=1)
        if gaps.min() < gap:
            best, gap = tries[gaps.argmin()], float(gaps.min())
    assert gap < 0.003
    return best


def test_fingertips_beat_the_angle_map_where_a_pinch_is_meant(robot: Robot) -> None:
    """Thumb and index tips come together in the human hand; how near do the robot's come?"""
    share = (0.5 - 0.5 * np.cos(np.arange(60) / 59 * np.pi))[:, None]
    targets = targets_of(pinching_angles() * share)
    names = robot.hands["right"].finger_names
    apart = {}
    for method in ("tips", "bend"):
        tips = tips_in_wrist(robot, "right", solve_fingers(robot, targets, 1, FingerConfig(method=method)))  # type: ignore[arg-type]
        apart[method] = float(np.linalg.norm(tips[-1, names.index("index")] - tips[-1, 0]))
    assert apart["tips"] < apart["bend"] + 1e-6
    assert apart["tips"] < 0.03


def test_nothing_is_late(robot: Robot) -> None:
    seconds = np.arange(120) / 30
    amount = 0.4 + 0.3 * np.sin(5 * seconds) + 0.1 * np.sin(11 * seconds)
    q = solve_fingers(robot, targets_of(bent(amount)), 1)
    reach = -np.linalg.norm(tips_in_wrist(robot, "right", q)[:, 1:], axis=-1).mean(axis=1)
    assert abs(time_shift(amount[:, None], reach[:, None], seconds)) * 30 < 0.5


def test_unseen_fingers_hold_and_absent_hands_stay_home(robot: Robot) -> None:
    amount = np.linspace(0, 1, 60)
    valid = np.ones((60, 2), bool)
    valid[30:, 0] = False
    valid[:, 1] = False
    targets = targets_of(bent(amount), valid)
    q = solve_fingers(robot, targets, 0)
    assert np.abs(np.diff(q[45:], axis=0)).max() < 1e-3
    idx = robot.hands["right"].joint_idx
    np.testing.assert_array_equal(solve_fingers(robot, targets, 1), np.tile(robot.home_q[idx], (60, 1)))


def test_robot_fingers_follow_their_namesakes_and_the_last_one_the_rest(robot: Robot) -> None:
    follow = followed_fingers(robot.hands["left"])
    assert all(name == human[0] for name, human in follow.items())
    covered = {h for human in follow.values() for h in human}
    assert covered == set(FINGERS)
    flat = bend_map(robot, robot.hands["left"], np.zeros((1, 20)))
    closed = bend_map(robot, robot.hands["left"], bent(np.ones(1)))
    assert np.abs(closed - flat).sum() > 2.0


def test_a_gripper_opens_as_far_as_thumb_and_index_are_apart() -> None:
    robot = load_robot("dual_fr3_gripper")
    amount = np.linspace(0, 1, 60)
    angles = np.zeros((60, 20))
    angles[:, 4], angles[:, 6], angles[:, 0] = 1.1 * amount, 1.1 * amount, 0.6 * amount
    targets = targets_of(angles)
    apart = np.linalg.norm(targets.tips_wrist[:, 1, 1] - targets.tips_wrist[:, 1, 0], axis=1)
    q = solve_gripper(robot, targets, 1)
    gripper = robot.grippers["right"]
    share = (q[:, 0] - gripper.closed[0]) / (gripper.open[0] - gripper.closed[0])
    assert np.corrcoef(share, apart)[0, 1] > 0.95
    assert (share >= -1e-9).all()
    assert (share <= 1 + 1e-9).all()
    assert share[0] > 0.9
