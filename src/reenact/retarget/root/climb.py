"""The last steps of the search: the found root is moved a little each way, and moved on where the judge likes it better.

The search's stages look at keyframes; only the judge sees the whole clip. Ten neighbours cost ten solved clips a round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import so3_exp
from reenact.retarget.root.contract import RootRequest, RootScore


@dataclass(frozen=True)
class ClimbConfig:
    """Steps of the climb."""

    rounds: int = 2
    """Most rounds; one without gain halves the steps."""
    step: float = 0.05
    """Along each axis of the base (m)."""
    turn: float = 0.15
    """About the vertical through the hands' centre (rad)."""
    gain: float = 1e-3
    """Least gain of the total score that moves the root."""


def climb_root(
    request: RootRequest,
    T_world_base: Float64[np.ndarray, "4 4"],
    score: RootScore,
    centre: Float64[np.ndarray, "3"],
    config: ClimbConfig | None = None,
) -> tuple[Float64[np.ndarray, "4 4"], RootScore]:
    """A root at least as good by the judge's total, and its score.

    Args:
        request: holds the judge and the upward direction.
        T_world_base: where to start.
        score: the judge's opinion of it.
        centre: the hands' centre, about which roots are turned (m).
    """
    config = config or ClimbConfig()
    T, size = T_world_base, 1.0
    moves = [(sign * axis, 0.0) for axis in np.eye(3) * config.step for sign in (1.0, -1.0)]
    moves += [(np.zeros(3), config.turn), (np.zeros(3), -config.turn)]
    for _ in range(config.rounds):
        tried = []
        for shift, turn in moves:
            there = _moved(T, size * shift, size * turn, request.up.direction, centre)
            tried.append((there, request.judge(there), shift, turn))
        better = [t for t in tried if t[1].total > score.total + config.gain]
        if not better:
            size /= 2.0
            continue
        shift, turn = sum(t[2] for t in better), sum(t[3] for t in better)
        there = _moved(T, size * shift, size * turn, request.up.direction, centre)
        best = max([*better, (there, request.judge(there), shift, turn)], key=lambda t: t[1].total)
        T, score = best[0], best[1]
    return T, score


def _moved(
    T: np.ndarray, shift: np.ndarray, turn: float, up: np.ndarray, centre: np.ndarray
) -> Float64[np.ndarray, "4 4"]:
    """A root shifted along its own axes, then turned about the vertical through a point."""
    R, out = so3_exp(up * turn), T.copy()
    out[:3, :3] = R @ T[:3, :3]
    out[:3, 3] = centre + R @ (T[:3, 3] + T[:3, :3] @ shift - centre)
    return out
