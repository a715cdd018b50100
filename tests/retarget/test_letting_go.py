"""Hands that clasp in the tracks do not hold two arms inside one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.quality.retarget import measure_retarget
from reenact.retarget.letting_go import LettingGoConfig
from reenact.retarget.retarget import RetargetConfig, retarget
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot
from tests.retarget.motions import hands_at, own_motion, times


@pytest.fixture(scope="module")
def fr3() -> Robot:
    return load_robot("dual_fr3_gripper")


def test_arms_let_go_for_a_moment_rather_than_touch(fr3: Robot) -> None:
    t_ns = times(45, 15.0)
    motion = own_motion(fr3, t_ns, seed=3)
    u = np.sin(np.linspace(0, np.pi, 45))[:, None] ** 2
    middle = motion[..., :3, 3].mean(axis=1)
    for side in (0, 1):  # both wrists meet in the middle, and part again
        motion[:, side, :3, 3] += u * (middle - motion[:, side, :3, 3])
    config = RetargetConfig()
    never = replace(config, letting_go=LettingGoConfig(rounds=0))
    hardly = replace(config, letting_go=LettingGoConfig(most=0.05))
    ways = [retarget(hands_at(motion), t_ns, fr3, c, T_world_base=np.eye(4)) for c in (never, config, hardly)]
    assert np.array_equal(ways[0].trajectory.q, ways[2].trajectory.q)  # too much would be lost: left as it is
    before, after = (measure_retarget(way.trajectory, fr3) for way in ways[:2])
    assert before.collision_frames > 0
    assert after.collision_frames == 0
    assert after.peak_velocity_ratio <= 1 + 1e-6
    assert before.ik_rate is not None
    assert after.ik_rate is not None
    assert after.ik_rate > before.ik_rate - 0.25
