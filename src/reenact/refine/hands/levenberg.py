"""Levenberg-Marquardt on many small problems at once: each row its own damping, converged rows leave the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64, Int

State: TypeAlias = tuple[np.ndarray, ...]
"""Arrays with the problems along their first axis."""
Normal: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Cost [n], gradient of half the cost [n m], Gauss-Newton matrix [n m m]."""
Evaluate: TypeAlias = Callable[[State, Int[np.ndarray, " n"]], Normal]
"""(state of some rows, their indices) -> normal equations."""


@dataclass(frozen=True)
class LevenbergConfig:
    """When to stop."""

    max_iterations: int = 40
    """Evaluations per problem; a clear hand needs about ten."""
    tolerance: float = 1e-4
    """A row is done when a step lowers its cost by less than this fraction."""
    first_damping: float = 1e-2
    """Relative to the diagonal (Marquardt's scaling)."""


def minimise(
    state: State,
    evaluate: Evaluate,
    retract: Callable[[State, np.ndarray], State],
    config: LevenbergConfig,
) -> tuple[State, Float64[np.ndarray, " n"], Float64[np.ndarray, "n m m"]]:
    """Lowest point found of every row, its cost and its Gauss-Newton matrix (whose inverse is the covariance).

    A step is kept only if it lowers the row's cost, so the answer is never worse than the start.
    """
    state = tuple(np.array(part) for part in state)
    rows = np.arange(len(state[0]))
    cost, gradient, normal = evaluate(state, rows)
    damping = np.full(len(rows), config.first_damping)
    for _ in range(config.max_iterations - 1):
        if len(rows) == 0:
            break
        step = _damped_step(normal[rows], gradient[rows], damping[rows])
        here = retract(tuple(part[rows] for part in state), step)
        new_cost, new_gradient, new_normal = evaluate(here, rows)
        better = new_cost < cost[rows]
        gain = (cost[rows] - new_cost) / np.maximum(cost[rows], 1e-12)
        kept = rows[better]
        for part, new in zip(state, here, strict=True):
            part[kept] = new[better]
        cost[kept], gradient[kept], normal[kept] = new_cost[better], new_gradient[better], new_normal[better]
        damping[rows] = np.clip(np.where(better, damping[rows] * 0.2, damping[rows] * 8), 1e-8, 1e10)
        done = (better & (gain < config.tolerance)) | (~better & (damping[rows] > 1e6))
        rows = rows[~done]
    return state, cost, normal


def _damped_step(normal: np.ndarray, gradient: np.ndarray, damping: np.ndarray) -> np.ndarray:
    damped = normal.copy()
    diagonal = np.arange(normal.shape[-1])
    damped[:, diagonal, diagonal] *= 1.0 + damping[:, None]
    return -np.linalg.solve(damped, gradient[..., None])[..., 0]
