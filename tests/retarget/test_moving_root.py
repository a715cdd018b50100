"""A base that goes along with the hands' slow path: reach grows, up stays, time stays; bolted robots refuse."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.filters import time_shift
from reenact.geometry.rotations import rotation_angle
from reenact.hands.joints import SIDES
from reenact.quality.retarget import measure_retarget
from reenact.retarget.retarget import RetargetConfig, retarget
from reenact.retarget.root.contract import up_direction
from reenact.retarget.root.moving import BaseCannotMove, MovingRootConfig, base_path
from reenact.retarget.targets import make_targets
from reenact.robots.model import Robot
from tests.retarget.motions import hands_at, own_motion, times, yaw


def walked(g1: Robot, seconds: float = 6.0, fps_hz: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """The robot's own motion, made while walking a curve of about two metres, turning by 1.2 rad: instants, wrists."""
    t_ns = times(round(seconds * fps_hz), fps_hz)
    motion = own_motion(g1, t_ns, seed=3)
    u = np.linspace(0, 1, len(t_ns))
    base = np.stack([yaw(1.2 * x, 2.0 * x, 0.6 * np.sin(np.pi * x), 0.4) for x in u])
    return t_ns, base[:, None] @ motion


def test_a_walk_is_followed_by_a_base_that_goes_along(g1: Robot) -> None:
    t_ns, wrists = walked(g1)
    halfway = yaw(0.6, 1.0, 0.4, 0.4)
    still = retarget(hands_at(wrists), t_ns, g1, T_world_base=halfway)
    moving = retarget(hands_at(wrists), t_ns, g1, RetargetConfig(moving_root=True), T_world_base=halfway)
    before, after = (measure_retarget(r.trajectory, g1) for r in (still, moving))
    assert before.ik_rate is not None
    assert after.ik_rate is not None
    assert before.ik_rate < 0.3  # two metres are out of reach from one place
    assert after.ik_rate > 0.95
    T = moving.trajectory.T_world_base
    assert len(T) == len(t_ns)
    np.testing.assert_allclose(T[:, :3, 2], np.tile([0, 0, 1], (len(T), 1)), atol=1e-9)  # upright
    np.testing.assert_allclose(T[:, 2, 3], T[0, 2, 3], atol=1e-9)  # at one height
    assert any("the base moves" in note for note in moving.report.notes)
    wrist = T[:, None] @ np.stack([g1.T_base_wrist(moving.trajectory.q, s) for s in SIDES], axis=1)
    shift = time_shift(wrists[..., :3, 3], wrist[..., :3, 3], t_ns * 1e-9, max_shift_s=0.3)
    assert abs(shift) < 0.01


@pytest.mark.parametrize("fps_hz", [15, 20, 30, 60])
def test_the_base_is_slow_and_not_late_at_any_frame_rate(g1: Robot, fps_hz: int) -> None:
    t_ns, wrists = walked(g1, fps_hz=float(fps_hz))
    config = MovingRootConfig()
    targets = make_targets(hands_at(wrists), t_ns, t_ns)
    path = base_path(targets, (0, 1), up_direction("world", 0.4, 0.25).direction, config)
    assert 0 < path.speed <= config.max_speed
    assert path.turn <= config.max_turn
    T = path.T_world_carrier
    shift = time_shift(
        wrists[:, :, :2, 3].mean(axis=1),
        T[:, :2, 3] + _turned_middle(T, wrists),
        t_ns * 1e-9,
        max_shift_s=1.0,
    )
    assert abs(shift) < 0.05
    angle = rotation_angle(T[0, :3, :3], T[-1, :3, :3])
    assert 0.6 < angle < 1.8


def _turned_middle(T: np.ndarray, wrists: np.ndarray) -> np.ndarray:
    """Where the mean of the hands is carried, without the carrier's own translation."""
    middle = wrists[:, :, :3, 3].mean(axis=(0, 1))
    return (T[:, :3, :3] @ middle)[:, :2]


def test_a_robot_that_is_bolted_down_refuses(fr3: Robot) -> None:
    t_ns = times(10)
    hands = hands_at(np.broadcast_to(np.eye(4), (10, 2, 4, 4)))
    with pytest.raises(BaseCannotMove, match="dual_fr3_leap has a fixed base"):
        retarget(hands, t_ns, fr3, RetargetConfig(moving_root=True))
