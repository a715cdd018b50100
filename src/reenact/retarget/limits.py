"""Velocity limits, exactly and without moving anything in time."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64


def limit_velocity(
    q: Float64[np.ndarray, "t n"], dt: Float64[np.ndarray, " steps"], velocity: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, "t n"]:
    """The same motion slowed where a joint is faster than its limit (rad/s); elsewhere untouched.

    The mean of the lowest function above `q` and the highest below it that keep the limit (McShane's extensions).
    It keeps the limit, stays within the range of `q` (so joint limits survive), equals `q` away from violations, and
    treats past and future alike: a fast reach starts earlier and ends later by the same amount. Its largest
    difference to `q` is the least possible.
    """
    step = np.where(np.isfinite(velocity), velocity, 1e9) * (1.0 - 1e-9) * dt[:, None]
    if (np.abs(np.diff(q, axis=0)) <= step).all():
        return q
    above, below = q.copy(), q.copy()
    for t in range(1, len(q)):
        above[t] = np.maximum(above[t], above[t - 1] - step[t - 1])
        below[t] = np.minimum(below[t], below[t - 1] + step[t - 1])
    for t in range(len(q) - 2, -1, -1):
        above[t] = np.maximum(above[t], above[t + 1] - step[t])
        below[t] = np.minimum(below[t], below[t + 1] + step[t])
    return 0.5 * (above + below)
