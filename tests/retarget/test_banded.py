"""The trajectory solver on problems whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.filters import time_shift
from reenact.retarget.banded import (
    TaskRows,
    TrajectoryProblem,
    difference_rows,
    solve_trajectory,
)


def follow(target: np.ndarray, sigma: float, valid: np.ndarray | None = None):
    """Terms that pull each joint to a target."""
    t, n = target.shape
    keep = np.ones(t) if valid is None else valid.astype(float)

    def terms(q: np.ndarray) -> TaskRows:
        r = (q - target) / sigma * keep[:, None]
        J = np.broadcast_to(np.eye(n) / sigma, (t, n, n)) * keep[:, None, None]
        return TaskRows(r, J, (r**2).sum(axis=1))

    return terms


def problem(
    t: int, n: int, dt: float = 1 / 30, hold: np.ndarray | None = None, **limits: float
) -> TrajectoryProblem:
    return TrajectoryProblem(
        dt=np.full(t - 1, dt),
        lower=np.full(n, limits.get("lower", -10.0)),
        upper=np.full(n, limits.get("upper", 10.0)),
        velocity=np.full(n, limits.get("velocity", np.inf)),
        hold=np.zeros((t, n), bool) if hold is None else hold,
        sigma_acceleration=np.full(t, limits.get("sigma_acceleration", 15.0)),
    )


def test_the_quadratic_problem_equals_the_dense_solution() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=(12, 2))
    p = problem(12, 2, sigma_acceleration=3.0)
    q, _ = solve_trajectory(follow(target, 0.05), np.zeros((12, 2)), p)
    D = np.zeros((10, 12))
    for i, row in enumerate(difference_rows(p.dt)):
        D[i, i : i + 3] = row
    A = np.diag(p.frame_weight) / 0.05**2 + D.T @ np.diag(p.frame_weight[1:-1]) @ D / 3.0**2
    want = np.linalg.solve(A, (p.frame_weight / 0.05**2)[:, None] * target)
    np.testing.assert_allclose(q, want, atol=1e-5)


@pytest.mark.parametrize("fps_hz", [15, 20, 30, 60])
def test_motion_is_not_shifted_and_smoothing_does_not_depend_on_the_frame_rate(fps_hz: int) -> None:
    t = np.arange(0, 4, 1 / fps_hz)
    target = np.stack([np.sin(3 * t), np.sin(2 * t + 1) + 0.4 * np.sin(7 * t)], axis=1)
    q, _ = solve_trajectory(follow(target, 0.01), target, problem(len(t), 2, 1 / fps_hz))
    assert abs(time_shift(target, q, t)) < 0.02 / fps_hz
    inner = slice(len(t) // 8, -len(t) // 8)
    gain = np.ptp(q[inner], axis=0) / np.ptp(target[inner], axis=0)
    np.testing.assert_allclose(gain, 1.0, atol=0.02)


def test_limits_hold_exactly_and_the_rest_is_as_near_as_they_allow() -> None:
    t = np.arange(60) / 30
    target = 2.0 * np.sin(2 * t)[:, None]
    q, _ = solve_trajectory(follow(target, 0.01), np.zeros((60, 1)), problem(60, 1, lower=-0.5, upper=1.25))
    assert q.max() == 1.25
    assert q.min() == -0.5
    away = (target > -0.2) & (target < 0.9)
    assert np.abs(q - target)[away].max() < 0.05


def test_a_speed_limit_is_respected_by_planning_ahead() -> None:
    target = np.where(np.arange(60)[:, None] < 30, 0.0, 1.0)
    q, _ = solve_trajectory(
        follow(target, 0.02), target, problem(60, 1, velocity=2.0, sigma_acceleration=200.0)
    )
    assert np.abs(np.diff(q, axis=0)).max() * 30 < 2.04  # the rest is `limit_velocity`'s
    assert abs(q[29, 0] + q[30, 0] - 1.0) < 0.05  # centred on the jump, neither early nor late


def test_without_a_target_it_holds_instead_of_coasting() -> None:
    t = np.arange(90) / 30
    target = t[:, None].copy()  # constant speed, then nothing
    valid = t < 1.0
    hold = np.repeat(~valid[:, None], 1, axis=1)
    q, _ = solve_trajectory(follow(target, 0.01, valid), target * 0, problem(90, 1, hold=hold))
    assert np.abs(q - target)[valid][:-3].max() < 0.01
    assert q[-1, 0] - q[30, 0] < 0.25  # stops within a quarter radian
    assert abs(q[-1, 0] - q[-10, 0]) < 1e-3
