"""`limit_velocity`: keeps the limit, stays in range, touches nothing else, treats past and future alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reenact.retarget.limits import limit_velocity

seeds = st.integers(0, 10_000)


def _case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    t = int(rng.integers(2, 40))
    return rng.normal(size=(t, 3)), rng.uniform(0.01, 0.1, t - 1), rng.uniform(0.5, 20.0, 3)


@given(seeds)
def test_speed_is_kept_and_range_is_not_left(seed: int) -> None:
    q, dt, velocity = _case(seed)
    out = limit_velocity(q, dt, velocity)
    assert (np.abs(np.diff(out, axis=0)) <= velocity * dt[:, None]).all()
    assert (out.min(axis=0) >= q.min(axis=0) - 1e-12).all()
    assert (out.max(axis=0) <= q.max(axis=0) + 1e-12).all()


@given(seeds)
def test_running_time_backwards_gives_the_mirrored_answer(seed: int) -> None:
    q, dt, velocity = _case(seed)
    forward = limit_velocity(q, dt, velocity)
    backward = limit_velocity(q[::-1], dt[::-1], velocity)[::-1]
    np.testing.assert_allclose(forward, backward, atol=1e-12)


def test_motion_within_the_limit_is_untouched_away_from_a_violation() -> None:
    dt = np.full(99, 0.02)
    q = np.sin(np.linspace(0, 3, 100))[:, None]
    q[50:] += 0.3  # one jump
    out = limit_velocity(q, dt, np.array([3.0]))
    np.testing.assert_array_equal(out[:35], q[:35])
    np.testing.assert_array_equal(out[65:], q[65:])
    # the jump is shared by both sides: half of it is left to make up on each
    assert abs((out[49] - q[49])[0] + (out[50] - q[50])[0]) < 0.02


def test_unlimited_joints_pass_unchanged() -> None:
    q = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_array_equal(limit_velocity(q, np.full(19, 0.03), np.array([np.inf, np.inf])), q)
