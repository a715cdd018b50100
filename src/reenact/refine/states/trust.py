"""What the machine may claim of a time in which the object or the hand that holds it was not seen."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.refine.states.config import HANDS_OF, StateConfig


def hidden_holders(
    hand_seen: Bool[np.ndarray, "t s=2"],
    t: Float64[np.ndarray, " t"],
    best: Int64[np.ndarray, " t"],
    config: StateConfig,
) -> tuple[Bool[np.ndarray, " t"], Float64[np.ndarray, " t"]]:
    """Frames held by a hand that nobody has seen for too long before and after, and a factor on their confidence.

    That the object hangs in the air still says that something holds it; that it is this hand, nothing says any more.
    """
    gap = np.zeros(len(t))
    for state, sides in HANDS_OF.items():
        rows = best == state
        for side in sides:
            gap[rows] = np.maximum(gap[rows], to_nearest(hand_seen[:, side], t)[rows])
    hidden = gap > config.hand_unseen_s
    doubt = np.where(hidden, np.exp(-np.minimum(gap, 1e3) / config.hand_unseen_s), 1.0)
    return hidden, doubt


def to_nearest(seen: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Time to the nearest frame in which it is seen (s), [t]; infinite where it never is."""
    idx = np.flatnonzero(seen)
    if len(idx) == 0:
        return np.full(len(t), np.inf)
    after = np.clip(np.searchsorted(idx, np.arange(len(t))), 0, len(idx) - 1)
    before = np.maximum(after - 1, 0)
    apart = np.minimum(np.abs(t[idx[after]] - t), np.abs(t - t[idx[before]]))
    return np.asarray(np.where(seen, 0.0, apart))


def seen_lately(
    seen: Bool[np.ndarray, " t"],
    t: Float64[np.ndarray, " t"],
    best: Int64[np.ndarray, " t"],
    config: StateConfig,
) -> Bool[np.ndarray, " t"]:
    """False in long gaps of an object that no hand holds: what it did there nobody saw."""
    if not seen.any():
        return np.zeros(len(t), bool)
    return np.asarray((to_nearest(seen, t) <= config.longest_gap_s) | (best >= 2))


def gone_doubt(
    seen: Bool[np.ndarray, " t"],
    t: Float64[np.ndarray, " t"],
    best: Int64[np.ndarray, " t"],
    config: StateConfig,
) -> Float64[np.ndarray, " t"]:
    """Factor on the confidence before the first and after the last sight of an object.

    Between two sights in one place it lay there; what is never seen again may have been taken away at once, or, where a
    hand had it, may be in that hand for some time.
    """
    idx = np.flatnonzero(seen)
    if len(idx) == 0:
        return np.ones(len(t))
    beyond = np.maximum(t[idx[0]] - t, t - t[idx[-1]])
    lasts = np.where(best < 2, config.end_gap_s, config.hand_unseen_s)
    return np.asarray(np.exp(-np.maximum(beyond, 0.0) / lasts))
