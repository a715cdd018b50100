"""The cheapest way through a clip in which every frame has several fits to choose from, or none.

A shortest path over (frame, fit): turning and moving cost by what hands do, a frame left out has a price, and so has a
break in the motion. Found by dynamic programming (Viterbi 1967) with jumps over frames that are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True)
class PathConfig:
    """What motion costs, in squared sigmas as the costs of the fits."""

    turn_sigma: float = 0.15
    """Error of a fitted wrist rotation (rad)."""
    turn_speed: float = 3.0
    """One-sigma of a working hand's angular speed (rad/s)."""
    place_sigma: float = 0.01
    """Error of the palm's place across the view (m)."""
    depth_sigma: float = 0.05
    """The same along the view, as a fraction of depth."""
    speed: float = 1.0
    """One-sigma of a working hand's speed (m/s)."""
    evidence: float = 0.3
    """Weight of one frame's fits. A fit errs alike in frames that look alike (bones, lens, the net's habits), so 30
    frames a second are not 30 witnesses."""
    leave_out: float = 10.0
    """Price of a frame without a fit."""
    break_motion: float = 200.0
    """Price of a jump that no hand makes: leaving out twenty frames is as dear."""
    reach: int = 15
    """Frames that may be left out between two that are kept."""


@dataclass(frozen=True)
class Moves:
    """The fits of each frame as the path sees them."""

    cost: Float64[np.ndarray, "n k"]
    """Infinite where a fit is not to be believed."""
    R_scene: Float64[np.ndarray, "n k 3 3"]
    """The wrist's rotation."""
    palm_scene: Float64[np.ndarray, "n k 3"]
    """The palm's middle (m)."""
    sight_scene: Float64[np.ndarray, "n k 3"]
    """Unit vector from the camera to it."""
    depth: Float64[np.ndarray, "n k"]
    """Distance from the camera (m)."""
    t_seconds: Float64[np.ndarray, " n"]


def angle_of_trace(trace: np.ndarray) -> np.ndarray:
    """Rotation angle from a rotation matrix's trace."""
    return np.arccos(np.clip((trace - 1.0) / 2.0, -1.0, 1.0))


def cheapest_path(moves: Moves, config: PathConfig) -> Int64[np.ndarray, " n"]:
    """The fit chosen in each frame, -1 where it is better left out."""
    n, many = moves.cost.shape
    least = moves.cost.min(axis=1, keepdims=True)
    unary = config.evidence * (moves.cost - np.where(np.isfinite(least), least, 0.0))
    steps = _step_prices(moves, config)
    best = unary + config.leave_out * np.arange(n)[:, None]  # a path that starts here
    back = np.full((n, many), -1)
    for i in range(1, n):
        lags = np.arange(min(i, config.reach + 1))
        left_out = config.leave_out * lags[:, None, None]
        before = (best[i - 1 - lags][:, :, None] + steps[i, : len(lags)] + left_out).reshape(-1, many)
        row = before.argmin(axis=0)
        total = unary[i] + before[row, np.arange(many)]
        better = total < best[i]
        best[i] = np.where(better, total, best[i])
        back[i] = np.where(better, (i - 1 - row // many) * many + row % many, -1)
    return _walk_back(best + config.leave_out * np.arange(n - 1, -1, -1)[:, None], back)


def _step_prices(moves: Moves, config: PathConfig) -> Float64[np.ndarray, "n lag k k"]:
    """Price of coming to frame i from frame i - 1 - lag, by fit there (first k) and fit here."""
    c, (n, many) = config, moves.cost.shape
    steps = np.full((n, c.reach + 1, many, many), c.break_motion)
    flat = moves.R_scene.reshape(n, many, 9)
    for lag in range(min(c.reach + 1, n - 1)):
        here, there = slice(lag + 1, None), slice(0, n - 1 - lag)
        dt = (moves.t_seconds[here] - moves.t_seconds[there])[:, None, None]
        angle = angle_of_trace(flat[there] @ np.swapaxes(flat[here], 1, 2))
        off = moves.palm_scene[here][:, None] - moves.palm_scene[there][:, :, None]
        along = (off * moves.sight_scene[here][:, None]).sum(axis=-1)
        across = np.maximum((off**2).sum(axis=-1) - along**2, 0.0)
        far = c.depth_sigma * moves.depth[here][:, None]
        price = angle**2 / (c.turn_sigma**2 + (c.turn_speed * dt) ** 2)
        price += across / (c.place_sigma**2 + (c.speed * dt) ** 2)
        price += along**2 / (far**2 + (c.speed * dt) ** 2)
        steps[here, lag] = np.minimum(price, c.break_motion)
    return steps


def _walk_back(total: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Candidate of each row along the cheapest path, -1 off it."""
    n, many = total.shape
    choice = np.full(n, -1)
    state = int(total.argmin())
    if not np.isfinite(total.flat[state]):
        return choice
    while state >= 0:
        choice[state // many] = state % many
        state = int(back[state // many, state % many])
    return choice
