"""Batched IK, keyframe chains and manipulability on the real arms."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.retarget.batch_ik import BatchIkConfig, solve_poses
from reenact.retarget.chains import limit_margin, manipulability, pose_error
from reenact.retarget.keyframes import spread_keyframes, time_keyframes, warm_start
from reenact.retarget.posture_bank import BankConfig, draw_bank
from reenact.retarget.robot_arms import RobotChain
from tests.retarget.motions import random_joint_path


@pytest.fixture(scope="module", params=["left", "right"])
def chain(request: pytest.FixtureRequest, g1) -> RobotChain:
    return RobotChain(g1, request.param)


def test_poses_the_arm_can_take_are_found_from_the_bank_and_limits_hold(chain: RobotChain) -> None:
    rng = np.random.default_rng(1)
    bank = draw_bank(chain)
    q = rng.uniform(chain.lower, chain.upper, (400, len(chain.lower)))
    T = chain.fk(q)
    found = solve_poses(chain, T[:, None], bank.q[bank.nearest(T, 4)])
    assert found.reached(0.01, 0.05).any(axis=1).mean() > 0.95
    assert (found.q >= chain.lower).all()
    assert (found.q <= chain.upper).all()
    error = pose_error(T[:, None], chain.fk(found.q))
    np.testing.assert_allclose(np.linalg.norm(error[..., :3], axis=-1), found.position_error, atol=1e-12)


def test_a_pose_out_of_reach_is_approached_and_not_claimed(chain: RobotChain) -> None:
    T = chain.fk(chain.home)[None].copy()
    T[:, :3, 3] += [2.0, 0.0, 0.0]
    found = solve_poses(chain, T, chain.home[None], BatchIkConfig(iterations=60))
    assert not found.reached(0.01, 0.05).any()
    start = np.linalg.norm(pose_error(T, chain.fk(chain.home[None]))[0, :3])
    assert found.position_error[0] < start - 0.05


def test_the_bank_is_the_same_every_time_and_nearest_is_nearest(chain: RobotChain) -> None:
    bank = draw_bank(chain, BankConfig(size=300))
    np.testing.assert_array_equal(bank.q, draw_bank(chain, BankConfig(size=300)).q)
    T = bank.T_base_wrist[:50]
    np.testing.assert_array_equal(bank.nearest(T)[:, 0], np.arange(50))
    assert bank.squared_distance(T).max() < 1e-4
    shifted = T.copy()
    shifted[:, :3, 3] += [0.0, 0.0, 3.0]
    assert (bank.squared_distance(shifted) > 1.0).all()


def test_manipulability_and_margin_are_what_they_say(chain: RobotChain) -> None:
    q = np.random.default_rng(2).uniform(chain.lower, chain.upper, (5, len(chain.lower)))
    _, J = chain.fk_jacobian(q)
    singular_values = np.linalg.svd(J, compute_uv=False)
    np.testing.assert_allclose(manipulability(J), singular_values.prod(axis=1), rtol=1e-6)
    q[0] = chain.lower
    q[0, 0] = chain.lower[0] + 0.3
    assert limit_margin(q, chain.lower, chain.upper)[0] == 0.0


def test_the_warm_start_follows_one_branch(chain: RobotChain) -> None:
    seconds = np.arange(120) / 30
    q = random_joint_path(chain.robot, chain.side, seconds, seed=4)
    valid = np.ones(120, bool)
    start = warm_start(chain, draw_bank(chain), chain.fk(q), valid, seconds)
    error = pose_error(chain.fk(q), chain.fk(start))
    frames = time_keyframes(seconds, valid, 0.2)
    assert np.linalg.norm(error[frames, :3], axis=1).max() < 0.01
    assert np.abs(np.diff(start, axis=0)).max() * 30 < 8.0  # no jump to another branch within a frame


def test_keyframes_cover_runs_and_extremes() -> None:
    seconds = np.arange(90) / 30
    valid = np.ones(90, bool)
    valid[40:50] = False
    frames = time_keyframes(seconds, valid, 0.25)
    assert {0, 39, 50, 89} <= set(frames.tolist())
    assert valid[frames].all()
    T = np.broadcast_to(np.eye(4), (90, 4, 4)).copy()
    T[:, 0, 3] = np.sin(seconds * 2)
    chosen = spread_keyframes(T, valid, 5)
    assert len(chosen) == 5
    assert np.argmax(np.where(valid, T[:, 0, 3], -9)) in chosen
