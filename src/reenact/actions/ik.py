"""Damped least squares for many small problems at once, with hard limits.

Each problem is a residual and its Jacobian; steps are Levenberg-Marquardt, taken in the smaller of task and joint
space, so the spare joint of a seven-joint arm moves as little as it can from where it started. Joints pressed
against a limit leave the step. Nothing pulls towards a posture: a reachable target is reached to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

Linearize = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(x [b n], which problems [b]) -> what is missing [b m] and its slope, d(reached)/dx [b m n]."""


@dataclass(frozen=True)
class IkConfig:
    """Settings of the solver."""

    iterations: int = 60
    """Most steps per problem."""
    tolerance: float = 1e-10
    """A problem whose residual is below this everywhere is done (m, or weighted rad)."""
    least_gain: float = 1e-9
    """Share of the cost that an accepted step must remove to go on; ends problems whose target cannot be reached."""
    longest_step: float = 0.5
    """Most a joint moves in one step (rad or m)."""
    rotation_weight: float = 0.1
    """Metres that one radian of wrist error is worth."""
    reached: float = 1e-4
    """Residual (m) above which other starts are tried."""
    restarts: int = 12
    """How many other starts."""
    better: float = 0.5
    """Another start's answer is taken only if it leaves less than this share of the residual."""
    seed: int = 0
    """Of the other starts."""


def solve(
    linearize: Linearize,
    x0: Float64[np.ndarray, "b n"],
    lower: Float64[np.ndarray, " n"],
    upper: Float64[np.ndarray, " n"],
    config: IkConfig,
) -> tuple[Float64[np.ndarray, "b n"], Float64[np.ndarray, " b"]]:
    """Minimises each problem's squared residual from its start; returns x and the length of what is left."""
    x = np.clip(x0, lower, upper)
    every = np.arange(len(x))
    error, jacobian = linearize(x, every)
    cost, damping = (error**2).sum(1), np.full(len(x), 1e-3)
    alive = every[np.abs(error).max(1, initial=0.0) > config.tolerance]
    for _ in range(config.iterations):
        if len(alive) == 0:
            break
        move = _step(x[alive], error[alive], jacobian[alive], damping[alive], lower, upper)
        x_new = np.clip(x[alive] + np.clip(move, -config.longest_step, config.longest_step), lower, upper)
        error_new, jacobian_new = linearize(x_new, alive)
        cost_new = (error_new**2).sum(1)
        won = cost_new < cost[alive]
        stalled = won & (cost[alive] - cost_new < config.least_gain * cost[alive])
        rows = alive[won]
        x[rows], error[rows], jacobian[rows], cost[rows] = (
            x_new[won],
            error_new[won],
            jacobian_new[won],
            cost_new[won],
        )
        damping[alive] = np.clip(np.where(won, damping[alive] * 0.1, damping[alive] * 8.0), 1e-14, 1e8)
        done = (np.abs(error[alive]).max(1) <= config.tolerance) | stalled | (damping[alive] > 1e6)
        alive = alive[~done]
    return x, np.sqrt(cost)


def _step(
    x: np.ndarray,
    error: np.ndarray,
    jacobian: np.ndarray,
    damping: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> np.ndarray:
    """One damped step; joints at a limit that would go beyond it stand still."""
    downhill = np.einsum("bmn,bm->bn", jacobian, error)
    stuck = ((x <= lower) & (downhill < 0)) | ((x >= upper) & (downhill > 0))
    J = jacobian * ~stuck[:, None, :]
    Jt = np.swapaxes(J, 1, 2)
    m, n = J.shape[1:]
    A = J @ Jt if m <= n else Jt @ J
    size = np.einsum("bii->b", A) / len(A[0])
    A = A + (damping * size + 1e-15)[:, None, None] * np.eye(len(A[0]))
    if m <= n:
        return (Jt @ np.linalg.solve(A, error[..., None]))[..., 0]
    return np.linalg.solve(A, Jt @ error[..., None])[..., 0]


def solve_anew(
    linearize: Linearize,
    x: Float64[np.ndarray, "b n"],
    left: Float64[np.ndarray, " b"],
    lower: Float64[np.ndarray, " n"],
    upper: Float64[np.ndarray, " n"],
    config: IkConfig,
) -> tuple[Float64[np.ndarray, "b n"], Float64[np.ndarray, " b"]]:
    """Tries other starts where the target was missed, and keeps the better answer."""
    missed = np.flatnonzero(left > config.reached)
    if len(missed) == 0 or config.restarts == 0:
        return x, left
    share = np.random.default_rng(config.seed).uniform(0.1, 0.9, (config.restarts, len(lower)))
    share[0] = 0.5
    starts = np.tile(lower + share * (upper - lower), (len(missed), 1))
    which = np.repeat(missed, config.restarts)
    x_new, left_new = solve(_some(linearize, which), starts, lower, upper, config)
    best = left_new.reshape(len(missed), -1).argmin(axis=1) + np.arange(len(missed)) * config.restarts
    won = left_new[best] < config.better * left[missed]
    x, left = x.copy(), left.copy()
    x[missed[won]], left[missed[won]] = x_new[best[won]], left_new[best[won]]
    return x, left


def solve_path(
    linearize: Linearize,
    x0: Float64[np.ndarray, " n"],
    count: int,
    lower: Float64[np.ndarray, " n"],
    upper: Float64[np.ndarray, " n"],
    config: IkConfig,
    stride: int = 4,
) -> tuple[Float64[np.ndarray, "b n"], Float64[np.ndarray, " b"]]:
    """`count` problems that follow one another: every `stride`-th from the one before, the rest from both sides.

    Starts half way between solved neighbours keep the spare joints of neighbouring instants together, and all
    problems of one level are solved at once. Other starts are tried only where the path is lost anew; what is missed
    in the end is tried once more from the neighbours' answers.
    """
    x, left = np.empty((count, len(x0))), np.empty(count)
    before, lost = x0, False
    for k in [*range(0, count, stride), *({count - 1} - set(range(0, count, stride)))]:
        one = _some(linearize, np.array([k]))
        here, miss = solve(one, before[None], lower, upper, config)
        if not lost:
            here, miss = solve_anew(one, here, miss, lower, upper, config)
        x[k], left[k], before, lost = here[0], miss[0], here[0], bool(miss[0] > config.reached)
    step = stride
    while step > 1:
        step //= 2
        rows = np.arange(step, count - 1, 2 * step)
        after = np.minimum(rows + step, count - 1)
        x[rows], left[rows] = solve(
            _some(linearize, rows), (x[rows - step] + x[after]) / 2, lower, upper, config
        )
    rows = np.flatnonzero(left > config.reached)
    for beside in (np.maximum(rows - 1, 0), np.minimum(rows + 1, count - 1)):
        x_new, left_new = solve(_some(linearize, rows), x[beside], lower, upper, config)
        won = left_new < left[rows]
        x[rows[won]], left[rows[won]] = x_new[won], left_new[won]
    return x, left


def _some(linearize: Linearize, chosen: Int64[np.ndarray, " m"]) -> Linearize:
    """The same for some of the problems."""
    return lambda x, which: linearize(x, chosen[which])
