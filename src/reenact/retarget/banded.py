"""Whole-trajectory least squares inside joint limits: a banded projected Gauss-Newton.

One unknown per frame and joint. The cost is the time integral of whitened task residuals (robust, per group
of rows), of joint acceleration, of joint velocity (mostly where nothing is known), and of velocity beyond the limit:

    sum_t h_t [ rho(r_t) + (qdd_t / sigma_a)^2 + (qd_t / sigma_v,t)^2 + hinge(qd_t)^2 ]

with ``h_t`` the frame's duration over a reference frame's, so that the answer does not depend on the frame
rate. Normal equations are block pentadiagonal and solved by banded Cholesky in O(t n^3). Joint limits hold
exactly: joints at a limit whose gradient points outward are taken out of the step (projected Newton,
Bertsekas 1982), and every step is clipped. Nothing here is causal, so nothing can shift motion in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64
from scipy.linalg import LinAlgError, solveh_banded

REFERENCE_DT = 1.0 / 30.0
"""Frame duration (s) at which residual sigmas are stated."""


@dataclass(frozen=True)
class TaskRows:
    """Linearised task residuals of every frame, already whitened and weighted by the robust loss."""

    residual: Float64[np.ndarray, "t m"]
    jacobian: Float64[np.ndarray, "t m n"]
    cost: Float64[np.ndarray, " t"]
    """Robust cost of each frame (equals the sum of squares inside the quadratic zone)."""


TaskTerms = Callable[[np.ndarray], TaskRows]
"""Maps joint positions [t n] to the frames' residual rows."""


@dataclass(frozen=True)
class BandedConfig:
    """Weights and stopping rule of the trajectory solve."""

    sigma_velocity_hold: float = 0.15
    """Joint velocity allowed where no target is known (rad/s, one sigma): the robot holds rather than coasts."""
    sigma_velocity: float | None = None
    """Joint velocity taken as ordinary where a target is known (rad/s, one sigma); None asks for nothing."""
    velocity_hinge: float = 100.0
    """Weight of velocity beyond the limit (1 / (rad/s))."""
    max_iterations: int = 25
    """Most Gauss-Newton steps."""
    tolerance: float = 1e-3
    """Stop when no joint moves by more than this in one step (rad)."""
    cost_tolerance: float = 5e-4
    """Stop when a step lowers the cost by less than this share of it."""


@dataclass(frozen=True)
class TrajectoryProblem:
    """What bounds and smooths one set of n joints over t frames."""

    dt: Float64[np.ndarray, " steps"]
    """Time between frames (s)."""
    lower: Float64[np.ndarray, " n"]
    upper: Float64[np.ndarray, " n"]
    velocity: Float64[np.ndarray, " n"]
    """Velocity limits (rad/s); infinity where none is known."""
    hold: Bool[np.ndarray, "t n"]
    """Frames and joints for which no target exists."""
    sigma_acceleration: Float64[np.ndarray, " t"]
    """Joint acceleration taken as ordinary in each frame (rad/s^2, one sigma); smaller smooths more."""
    config: BandedConfig = field(default_factory=BandedConfig)

    @property
    def frame_weight(self) -> Float64[np.ndarray, " t"]:
        """Duration of each frame over the reference duration."""
        edges = np.concatenate([self.dt[:1], self.dt, self.dt[-1:]])
        return 0.5 * (edges[:-1] + edges[1:]) / REFERENCE_DT


def difference_rows(dt: Float64[np.ndarray, " steps"]) -> Float64[np.ndarray, "inner 3"]:
    """Coefficients of the second time derivative on frames (t-1, t, t+1) of a possibly uneven grid."""
    before, after = dt[:-1], dt[1:]
    mean = 0.5 * (before + after)
    return np.stack([1 / (before * mean), -(1 / before + 1 / after) / mean, 1 / (after * mean)], axis=1)


def solve_trajectory(
    terms: TaskTerms, q0: Float64[np.ndarray, "t n"], problem: TrajectoryProblem
) -> tuple[Float64[np.ndarray, "t n"], int]:
    """Minimises the cost from a start inside (or clipped to) the limits.

    Returns the joint positions, inside the limits exactly, and the number of steps taken.
    """
    q = np.clip(q0, problem.lower, problem.upper)
    rows = terms(q)
    cost = _total_cost(rows, q, problem)
    damping = 1e-6
    for step_count in range(1, problem.config.max_iterations + 1):
        band, gradient = _normal_equations(rows, q, problem)
        before = damping
        while True:
            step = _projected_step(band, gradient, q, problem, damping)
            q_new = np.clip(q + step, problem.lower, problem.upper)
            rows_new = terms(q_new)
            cost_new = _total_cost(rows_new, q_new, problem)
            if cost_new <= cost or damping > 1e6:
                break
            damping = max(damping * 10.0, 1e-3)
        if cost_new > cost:
            return q, step_count
        moved, gain = float(np.abs(q_new - q).max(initial=0.0)), cost - cost_new
        q, rows, cost = q_new, rows_new, cost_new
        if damping == before:
            damping = max(damping / 10.0, 1e-6)
        if moved < problem.config.tolerance or gain < problem.config.cost_tolerance * cost:
            break
    return q, step_count


def _velocities(q: np.ndarray, problem: TrajectoryProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joint velocities, their excess over the limit, and the weight (1/s of whitening) of the hold rows."""
    velocity = np.diff(q, axis=0) / problem.dt[:, None]
    excess = np.sign(velocity) * np.maximum(np.abs(velocity) - problem.velocity, 0.0)
    held = problem.hold[1:] | problem.hold[:-1]
    config = problem.config
    ordinary = 0.0 if config.sigma_velocity is None else 1 / config.sigma_velocity**2
    return velocity, excess, np.where(held, 1 / config.sigma_velocity_hold**2, ordinary)


def _total_cost(rows: TaskRows, q: np.ndarray, problem: TrajectoryProblem) -> float:
    weight = problem.frame_weight
    velocity, excess, hold = _velocities(q, problem)
    between = (problem.dt / REFERENCE_DT)[:, None]
    cost = float(weight @ rows.cost)
    cost += float((between * (hold * velocity**2 + problem.config.velocity_hinge**2 * excess**2)).sum())
    if len(q) > 2:
        acceleration = _second_difference(q, problem.dt) / problem.sigma_acceleration[1:-1, None]
        cost += float((weight[1:-1, None] * acceleration**2).sum())
    return cost


def _second_difference(q: np.ndarray, dt: np.ndarray) -> np.ndarray:
    c = difference_rows(dt)
    return c[:, :1] * q[:-2] + c[:, 1:2] * q[1:-1] + c[:, 2:] * q[2:]


def _normal_equations(
    rows: TaskRows, q: np.ndarray, problem: TrajectoryProblem
) -> tuple[Float64[np.ndarray, "w k"], Float64[np.ndarray, " k"]]:
    """Lower band of the Gauss-Newton matrix and the gradient, unknowns ordered frame by frame."""
    t, n = q.shape
    weight = problem.frame_weight
    weighted = rows.jacobian * weight[:, None, None]
    blocks = np.swapaxes(weighted, 1, 2) @ rows.jacobian
    gradient = (np.swapaxes(weighted, 1, 2) @ rows.residual[..., None])[..., 0]
    band = np.zeros((2 * n + 1, t, n))
    for offset in range(n):
        band[offset, :, : n - offset] = np.diagonal(blocks, -offset, axis1=1, axis2=2)
    _add_acceleration(band, gradient, q, problem)
    _add_velocity(band, gradient, q, problem)
    return band.reshape(2 * n + 1, t * n), gradient.reshape(-1)


def _add_acceleration(
    band: np.ndarray, gradient: np.ndarray, q: np.ndarray, problem: TrajectoryProblem
) -> None:
    t, n = q.shape
    if t < 3:
        return
    c = difference_rows(problem.dt)
    w = problem.frame_weight[1:-1] / problem.sigma_acceleration[1:-1] ** 2
    pull = w[:, None] * _second_difference(q, problem.dt)
    for i in range(3):
        gradient[i : t - 2 + i] += c[:, i : i + 1] * pull
        for j in range(i + 1):
            band[(i - j) * n, j : t - 2 + j] += (w * c[:, i] * c[:, j])[:, None]


def _add_velocity(band: np.ndarray, gradient: np.ndarray, q: np.ndarray, problem: TrajectoryProblem) -> None:
    n = q.shape[1]
    velocity, excess, hold = _velocities(q, problem)
    between = (problem.dt / REFERENCE_DT)[:, None]
    hinge = problem.config.velocity_hinge**2
    pull = between * (hold * velocity + hinge * excess) / problem.dt[:, None]
    stiffness = between * (hold + hinge * (excess != 0)) / problem.dt[:, None] ** 2
    gradient[1:] += pull
    gradient[:-1] -= pull
    band[0, 1:] += stiffness
    band[0, :-1] += stiffness
    band[n, :-1] -= stiffness


def _projected_step(
    band: np.ndarray, gradient: np.ndarray, q: np.ndarray, problem: TrajectoryProblem, damping: float
) -> np.ndarray:
    """Gauss-Newton step of the joints that are not pressed against a limit."""
    t, n = q.shape
    slack = 1e-9
    descent = -gradient.reshape(t, n)
    stuck = ((q <= problem.lower + slack) & (descent < 0)) | ((q >= problem.upper - slack) & (descent > 0))
    free = (~stuck).reshape(-1).astype(float)
    matrix = band.copy()
    matrix[0] += damping * (band[0] + 1.0)
    for offset in range(len(matrix)):
        matrix[offset, : t * n - offset] *= free[: t * n - offset] * free[offset:]
    matrix[0] += 1.0 - free
    try:
        step = solveh_banded(matrix, -gradient * free, lower=True, check_finite=False)
    except LinAlgError:
        matrix[0] += 1e-3 * (1.0 + matrix[0])
        step = solveh_banded(matrix, -gradient * free, lower=True, check_finite=False)
    return step.reshape(t, n)
