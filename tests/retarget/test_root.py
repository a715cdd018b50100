"""The root search on motions that the robot itself has made: it must find a place from which they can be made again."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import rotation_angle
from reenact.geometry.transforms import inverse
from reenact.retarget.arms import ArmConfig
from reenact.retarget.robot_arms import robot_arms
from reenact.retarget.root.contract import (
    NoHandToFollow,
    RobotArms,
    RootRequest,
    RootResult,
    up_direction,
)
from reenact.retarget.root.heading import clip_heading
from reenact.retarget.root.keyposes import speed_ratio, wrist_twists
from reenact.retarget.root.polish import SideProblem, polish_roots
from reenact.retarget.root.score import ScoreConfig, judge_root
from reenact.retarget.root.search import SearchConfig, search_root
from reenact.retarget.targets import HandTargets, make_targets
from reenact.robots.model import Robot
from tests.retarget.motions import hands_at, own_motion, times, yaw

T_NS = times(41, 20.0)
FEW = SearchConfig(places=150, keep_grid=100, keep_ik=12, keep_second=4, keep_polished=1)
"""Fewer candidates than by default, so that the tests stay quick."""


@pytest.fixture(scope="module")
def arms(g1: Robot) -> RobotArms:
    return robot_arms(g1)


@pytest.fixture(scope="module")
def motion(g1: Robot) -> np.ndarray:
    """A path of the robot's own wrists, in its base."""
    return own_motion(g1, T_NS, seed=3)


def targets_at(T_world_base: np.ndarray, motion: np.ndarray, world_frame: str = "world") -> HandTargets:
    return make_targets(hands_at(T_world_base @ motion, world_frame=world_frame), T_NS, T_NS)


def find(arms: RobotArms, targets: HandTargets) -> RootResult:
    up = up_direction(targets.world_frame, 0.4, 0.25)
    judge = lambda T: judge_root(T, targets.every(2), arms, ArmConfig(), ScoreConfig())[0]  # noqa: E731
    return search_root(RootRequest(targets, arms, up, judge), FEW)


@pytest.fixture(scope="module")
def found(arms: RobotArms, motion: np.ndarray) -> RootResult:
    return find(arms, targets_at(yaw(1.1, 2.0, -1.0, 0.4), motion))


def test_a_root_is_found_from_which_the_motion_can_be_made(found: RootResult) -> None:
    assert found.score.ik_rate >= 0.98
    assert found.score.collision_rate == 0.0
    np.testing.assert_allclose(found.T_world_base[:3, 2], [0, 0, 1], atol=1e-9)  # upright exactly


def test_it_is_as_good_as_the_root_the_motion_was_made_at(
    arms: RobotArms, motion: np.ndarray, found: RootResult
) -> None:
    targets = targets_at(yaw(1.1, 2.0, -1.0, 0.4), motion)
    truth, _ = judge_root(yaw(1.1, 2.0, -1.0, 0.4), targets.every(2), arms, ArmConfig(), ScoreConfig())
    assert found.score.total > truth.total - 0.03


def test_turning_and_moving_the_clip_turns_and_moves_the_root(
    arms: RobotArms, motion: np.ndarray, found: RootResult
) -> None:
    G = yaw(-2.3, -4.0, 0.7, -1.5)
    other = find(arms, targets_at(G @ yaw(1.1, 2.0, -1.0, 0.4), motion))
    want = G @ found.T_world_base
    assert np.linalg.norm(other.T_world_base[:3, 3] - want[:3, 3]) < 0.01
    assert rotation_angle(other.T_world_base[:3, :3], want[:3, :3]) < 0.01


def test_the_answer_lies_inside_the_feasible_set_not_on_its_rim(found: RootResult) -> None:
    assert found.score.interior > 0.75
    best = max(score.ik_rate - score.collision_rate for _, score in found.candidates)
    ties = [s for _, s in found.candidates if s.ik_rate - s.collision_rate >= best - 0.005]
    assert found.score.total == max(s.total for s in ties)


def test_one_hand_is_enough(g1: Robot, arms: RobotArms) -> None:
    motion = own_motion(g1, T_NS, seed=5, sides=("right",))
    valid = np.zeros((len(T_NS), 2), bool)
    valid[:, 1] = True
    targets = make_targets(hands_at(yaw(0.5, 1.0, 2.0, 0.0) @ motion, valid), T_NS, T_NS)
    result = find(arms, targets)
    assert arms.followed(targets) == (1,)
    assert result.score.ik_rate >= 0.98


def test_without_gravity_it_assumes_a_level_camera_and_says_so(arms: RobotArms, motion: np.ndarray) -> None:
    # the camera looks at the robot from the front, pitched 25 degrees downward
    pitch = np.radians(25)
    forward = np.array([-np.cos(pitch), 0.0, -np.sin(pitch)])
    right = np.array([0.0, 1.0, 0.0])
    T_base_camera = np.eye(4)
    T_base_camera[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    T_base_camera[:3, 3] = 1.5, 0.0, 1.0
    result = find(arms, targets_at(inverse(T_base_camera), motion, "camera0"))
    assert result.up.source == "camera_prior"
    assert result.score.ik_rate >= 0.95
    true_up = inverse(T_base_camera)[:3, 2]
    assert np.degrees(np.arccos(result.T_world_base[:3, 2] @ true_up)) < 45


def test_polishing_moves_a_poor_root_to_a_good_one_and_keeps_it_upright(
    arms: RobotArms, motion: np.ndarray
) -> None:
    truth = yaw(0.3, 1.0, 0.0, 0.0)
    frames = slice(0, None, 6)
    problems, start = [], []
    off = truth @ yaw(0.3, 0.08, -0.06, 0.07)
    for side in (0, 1):
        chain, bank = arms.chains[side], arms.banks[side]
        assert chain is not None
        assert bank is not None
        problems.append(SideProblem(chain, (truth @ motion[:, side])[frames]))
        nearest = bank.nearest(inverse(off) @ problems[-1].T_world_target)[:, 0]
        start.append(bank.q[nearest][None])
    T, q = polish_roots(off[None], problems, start, np.array([0.0, 0.0, 1.0]), 0.0)
    for problem, joints in zip(problems, q, strict=True):
        reached = T[:, None] @ problem.chain.fk(joints)
        assert np.linalg.norm(reached[0, :, :3, 3] - problem.T_world_target[:, :3, 3], axis=1).mean() < 0.012
        assert (joints >= problem.chain.lower).all()
        assert (joints <= problem.chain.upper).all()
    np.testing.assert_allclose(T[0, :3, 2], [0, 0, 1], atol=1e-9)


def test_the_heading_turns_with_the_clip_and_exists_for_hands_pointing_down(motion: np.ndarray) -> None:
    up = np.array([0.0, 0.0, 1.0])
    one = clip_heading(targets_at(np.eye(4), motion), (0, 1), up)
    turned = clip_heading(targets_at(yaw(0.9, 1.0), motion), (0, 1), up)
    np.testing.assert_allclose(yaw(0.9)[:3, :3] @ one, turned, atol=1e-9)
    down = np.broadcast_to(np.eye(4), motion.shape).copy()
    down[..., :3, :3] = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]  # x up: fingers straight down on a right hand
    heading = clip_heading(targets_at(np.eye(4), down), (1,), up)
    assert abs(heading @ up) < 1e-9
    assert np.linalg.norm(heading) == pytest.approx(1.0)


def test_the_joint_speed_a_twist_needs(g1: Robot, arms: RobotArms) -> None:
    chain = arms.chains[0]
    assert chain is not None
    q = np.stack([chain.home, chain.home + 0.2])
    roots = yaw(0.7, 1.0, 2.0, 3.0)[None]
    speeds = np.array([0.5, -0.2, 0.3, 0.4, 0.0, 0.1, -0.3])[: len(chain.home)]
    twist_base = np.einsum("kin,n->ki", chain.fk_jacobian(q)[1], speeds)
    R = roots[0, :3, :3]
    twist = np.concatenate([twist_base[:, :3] @ R.T, twist_base[:, 3:] @ R.T], axis=1)
    ratio = speed_ratio(chain, q[None, :, None], roots, twist)[0, :, 0]
    # the least norm relative to the limits is at most that of the speeds that made the twist
    assert (ratio <= np.linalg.norm(speeds / chain.velocity) + 1e-6).all()
    np.testing.assert_allclose(speed_ratio(chain, q[None, :, None], roots, 2 * twist)[0, :, 0], 2 * ratio)
    still = wrist_twists(targets_at(np.eye(4), np.broadcast_to(np.eye(4), (len(T_NS), 2, 4, 4))), 0)
    np.testing.assert_allclose(still, 0.0, atol=1e-9)


def test_a_clip_without_a_hand_the_robot_has_is_refused(arms: RobotArms, motion: np.ndarray) -> None:
    right_only = RobotArms((None, arms.chains[1]), (None, arms.banks[1]), arms.clearance)
    valid = np.zeros((len(T_NS), 2), bool)
    valid[:, 0] = True
    targets = make_targets(hands_at(motion, valid), T_NS, T_NS)
    with pytest.raises(NoHandToFollow, match="valid frames left 41, right 0"):
        find(right_only, targets)
