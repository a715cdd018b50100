"""Spheres stand for the collision shapes: no contact MuJoCo finds is missed, slopes are right, avoidance avoids."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.hands.joints import SIDES
from reenact.quality.collisions import JOINTS_APART, SelfContacts
from reenact.retarget.arms import ArmConfig, ArmTargets, ArmTask, solve_arm
from reenact.retarget.clearance import Clearance
from reenact.retarget.posture_bank import draw_bank
from reenact.retarget.robot_arms import RobotChain
from reenact.robots.model import Robot


@pytest.fixture(scope="module", params=["g1", "fr3"])
def robot(request: pytest.FixtureRequest) -> Robot:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def clearance(robot: Robot) -> Clearance:
    return Clearance(robot)


def postures(robot: Robot, side: int, count: int, seed: int) -> np.ndarray:
    idx = robot.arms[SIDES[side]].joint_idx
    return np.random.default_rng(seed).uniform(robot.lower[idx], robot.upper[idx], (count, len(idx)))


def other_at_home(robot: Robot, clearance: Clearance, side: int, count: int) -> np.ndarray:
    home = robot.home_q[robot.arms[SIDES[1 - side]].joint_idx]
    return clearance.centres(np.tile(home, (count, 1)), 1 - side)


@pytest.mark.parametrize("side", [0, 1])
def test_every_contact_of_an_arm_is_seen_and_few_are_imagined(
    robot: Robot, clearance: Clearance, side: int
) -> None:
    assert clearance.config.joints_apart == JOINTS_APART
    q = postures(robot, side, 150, seed=side)
    near = clearance.depth(q, side, other=other_at_home(robot, clearance, side, len(q)))
    contacts = SelfContacts(robot)
    full = np.broadcast_to(robot.home_q, (len(q), robot.n_q)).copy()
    full[:, robot.arms[SIDES[side]].joint_idx] = q
    touching = np.array([bool(contacts.pairs(row)) for row in full])
    assert touching.any()
    assert not (touching & (near <= 0)).any()
    assert (~touching & (near > clearance.margin + 0.02)).mean() < 0.05


@pytest.mark.parametrize("side", [0, 1])
def test_slopes_agree_with_finite_differences(robot: Robot, clearance: Clearance, side: int) -> None:
    q = postures(robot, side, 200, seed=7)
    other = other_at_home(robot, clearance, side, len(q))
    inside, slope = clearance.rows(q, side, other=other)
    step = np.random.default_rng(0).normal(size=q.shape)
    moved, _ = clearance.rows(q + 1e-6 * step, side, other=other)
    both = (inside > 0) & (moved > 0)
    assert both.sum() > 20
    expected = np.einsum("bkn,bn->bk", slope, step)
    error = np.abs((moved - inside) / 1e-6 - expected)[both]
    assert np.quantile(error, 0.98) < 1e-3  # a different nearest sphere now and then


def test_home_is_clear_and_a_hand_posture_moves_only_the_hand(robot: Robot, clearance: Clearance) -> None:
    q = robot.home_q[robot.arms["left"].joint_idx][None]
    assert clearance.depth(q, 0).max() == 0.0
    closed = robot.home_q.copy()
    idx = robot.hands["left"].joint_idx
    closed[idx] = robot.upper[idx]
    hand = clearance.hand_centres(closed[None], 0)
    moved = np.linalg.norm(clearance.centres(q, 0, hand) - clearance.centres(q, 0), axis=-1)[0]
    assert moved.max() > 0.02
    assert (moved < 1e-9).any()
    at_home = clearance.hand_centres(robot.home_q[None], 0)
    np.testing.assert_allclose(clearance.centres(q, 0, at_home), clearance.centres(q, 0), atol=1e-9)


def test_a_target_inside_the_body_is_kept_at_a_distance(g1: Robot) -> None:
    clearance, chain = Clearance(g1), RobotChain(g1, "left")
    t = np.arange(45) / 30
    T = np.tile(chain.fk(chain.home), (45, 1, 1))
    T[:, :3, 3] += np.sin(np.pi * t / t[-1])[:, None] * [-0.15, -0.2, 0.1]  # into the trunk and back
    ones = np.ones(45)
    targets = ArmTargets(T, ones > 0, 0.002 * ones, 0.015 * ones, 0 * ones, t)
    free = ArmTask(chain, draw_bank(chain), targets)
    careful = ArmTask(chain, draw_bank(chain), targets, 0, clearance)
    assert clearance.depth(solve_arm(free, ArmConfig()), 0).max() > clearance.margin
    assert clearance.depth(solve_arm(careful, ArmConfig()), 0).max() < clearance.margin
