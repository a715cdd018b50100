"""The hand as the finger methods see it agrees with the whole robot, also where the palm is a body beside the fingers."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.retarget.finger_methods.hand import HandModel
from reenact.robots.registry import load_robot


@pytest.mark.parametrize("name", ["robonaut2", "xarm7_allegro"])
def test_its_points_are_the_robots_fingertips_seen_from_the_wrist(name: str) -> None:
    robot, rng = load_robot(name), np.random.default_rng(0)
    for side, hand in robot.hands.items():
        model = HandModel(robot, side)
        x = rng.uniform(model.lower, model.upper, (5, len(model.lower)))
        q = np.tile(robot.home_q, (5, 1))
        q[:, hand.joint_idx] = model.write(x)
        T = robot.T_base_wrist(q, side)
        seen = np.einsum("tji,tfj->tfi", T[:, :3, :3], robot.fingertips(q, side) - T[:, None, :3, 3])
        np.testing.assert_allclose(model.points(x)[:, : len(hand.fingers)], seen, atol=1e-9)
        axes = model.joint_axes()
        home = robot.T_base_wrist(np.zeros(robot.n_q), side)
        tips = (robot.fingertips(np.zeros(robot.n_q), side) - home[:3, 3]) @ home[:3, :3]
        np.testing.assert_allclose(axes.tips, tips, atol=1e-9)
