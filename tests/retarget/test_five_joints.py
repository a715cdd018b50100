"""Arms of five joints: the heading is given up, slope and roll are not, and the tolerance says so."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import so3_exp
from reenact.quality.retarget import measure_retarget
from reenact.retarget.chains import counted_turn, manipulability, turn_weights
from reenact.retarget.retarget import retarget
from reenact.retarget.robot_arms import RobotChain
from reenact.robots.model import Robot
from reenact.robots.reach import free_turn, stated_tolerance
from reenact.robots.registry import load_robot
from tests.retarget.motions import hands_at, own_motion, times


@pytest.fixture(scope="module")
def xle() -> Robot:
    return load_robot("xlerobot")


def test_the_free_turn_is_about_the_first_joint_and_only_arms_of_five_have_one(xle: Robot, g1: Robot) -> None:
    axis = free_turn(xle, "left")
    assert axis is not None
    np.testing.assert_allclose(np.abs(axis), [0, 0, 1], atol=1e-3)  # a cart's arms stand upright
    assert free_turn(g1, "left") is None
    assert "heading" in stated_tolerance(xle, 0.01, 0.05)
    assert "heading" not in stated_tolerance(g1, 0.01, 0.05)


def test_a_heading_error_is_not_counted_and_any_other_is(xle: Robot, g1: Robot) -> None:
    chain, full = RobotChain(xle, "left"), RobotChain(g1, "left")
    assert chain.free_turn is not None
    heading, tilt = np.concatenate([np.zeros(3), 0.7 * chain.free_turn]), np.array([0, 0, 0, 0.3, 0, 0])
    errors = np.stack([heading, tilt])
    np.testing.assert_allclose(counted_turn(chain, errors), [0.0, 0.3], atol=1e-3)
    np.testing.assert_allclose(counted_turn(full, errors), [0.7, 0.3])
    np.testing.assert_array_equal(turn_weights(full), np.eye(6))
    assert manipulability(chain.fk_jacobian(chain.home[None])[1])[0] > 1e-4


def test_hands_turned_about_the_upright_are_followed_in_place_slope_and_roll(xle: Robot) -> None:
    """The arm's own motion, every hand turned by its own angle about the vertical: no full pose can be met."""
    t_ns = times(30, 15.0)
    motion = own_motion(xle, t_ns, seed=1)
    for side, angle in enumerate((0.5, -0.4)):
        motion[:, side, :3, :3] = so3_exp(np.array([0, 0, angle])) @ motion[:, side, :3, :3]
    result = retarget(hands_at(motion), t_ns, xle, T_world_base=np.eye(4))
    quality = measure_retarget(result.trajectory, xle)
    assert quality.ik_rate is not None
    assert quality.stated_rate is not None
    assert quality.ik_rate < 0.1
    assert quality.stated_rate > 0.95
    assert result.root.score.ik_rate == pytest.approx(quality.stated_rate)
    assert quality.position_error_cm is not None
    assert quality.position_error_cm < 0.5
