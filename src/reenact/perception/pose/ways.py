"""Of several ways to follow an object, which is right when: a chain over time, and what is left of doubt between them.

Ways may change where their poses agree; where they differ plainly, a change costs as much as agreeing less for some while.
So a way that began before a stretch that misleads is left behind it for one that began after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.initial import SAME_PLACE, SAME_TURN
from reenact.perception.pose.symmetry import Symmetric, difference

_PLAIN, _PLAIN_TURN = 0.1, 0.6
"""Poses that differ by this much (m, rad) differ plainly."""


@runtime_checkable
class WayPoses(Protocol):
    """Poses of one way; rows for each frame."""

    T: Float64[np.ndarray, "t 4 4"]
    valid: Bool[np.ndarray, " t"]
    confidence: Float64[np.ndarray, " t"]
    value: Float64[np.ndarray, " t"]
    """How well each pose agrees with its frame; 0 without a pose."""
    covariance: Float64[np.ndarray, "t 6 6"]


def chosen(
    ways: Sequence[WayPoses], model: Symmetric, t_seconds: Float64[np.ndarray, " t"], config: PoseConfig
) -> tuple[Int64[np.ndarray, " t"], Float64[np.ndarray, "t w"]]:
    """Which way is taken in each frame, and the share of belief in each (0 where it has no pose)."""
    gap = np.gradient(t_seconds) if len(t_seconds) > 1 else np.ones(1)
    gain = np.stack([way.value for way in ways], 1) * gap[:, None]
    price = np.stack([_prices(ways, k, model, config) for k in range(len(gain))])
    best, back = gain[0].copy(), np.zeros(gain.shape, np.int64)
    for k in range(1, len(gain)):
        reach = best[:, None] - price[k]
        back[k] = reach.argmax(0)
        best = reach.max(0) + gain[k]
    path = np.zeros(len(gain), np.int64)
    path[-1] = int(best.argmax())
    for k in range(len(gain) - 1, 0, -1):
        path[k - 1] = back[k, path[k]]
    return path, _shares(gain / config.way_scale, price / config.way_scale, ways)


def _shares(gain: np.ndarray, price: np.ndarray, ways: Sequence[WayPoses]) -> Float64[np.ndarray, "t w"]:
    """Forward-backward over the same chain."""
    before, after = np.zeros(gain.shape), np.zeros(gain.shape)
    before[0] = gain[0]
    for k in range(1, len(gain)):
        before[k] = np.logaddexp.reduce(before[k - 1][:, None] - price[k], axis=0) + gain[k]
    for k in range(len(gain) - 2, -1, -1):
        after[k] = np.logaddexp.reduce(after[k + 1][None] + gain[k + 1][None] - price[k + 1], axis=1)
    total = before + after
    share = np.exp(total - total.max(axis=1, keepdims=True)) * np.stack([way.valid for way in ways], 1)
    return np.asarray(share / np.maximum(share.sum(axis=1, keepdims=True), 1e-12))


def _prices(ways: Sequence[WayPoses], k: int, model: Symmetric, config: PoseConfig) -> np.ndarray:
    """[w w] of going from one way to another at frame k."""
    out = np.full((len(ways), len(ways)), config.jump / 2)
    np.fill_diagonal(out, 0.0)
    for i, a in enumerate(ways):
        for j, b in enumerate(ways[:i]):
            if a.valid[k] and b.valid[k]:
                change = difference(a.T[k], b.T[k], model)
                far = np.linalg.norm(change[:3]) / _PLAIN + np.linalg.norm(change[3:]) / _PLAIN_TURN
                out[i, j] = out[j, i] = config.jump * min(1.0, float(far))
    return out


def together(
    ways: Sequence[WayPoses],
    path: Int64[np.ndarray, " t"],
    share: Float64[np.ndarray, "t w"],
    model: Symmetric,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Poses [t 4 4], valid [t], confidence [t] and covariance [t 6 6] along the path, less sure by the other ways."""
    rows = np.arange(len(path))
    T, valid, confidence, covariance = (
        np.stack([getattr(way, name) for way in ways])[path, rows]
        for name in ("T", "valid", "confidence", "covariance")
    )
    for k in np.flatnonzero(valid).tolist():
        for w, way in enumerate(ways):
            if w == path[k] or share[k, w] < 1e-3:
                continue
            change = difference(T[k], way.T[k], model)
            covariance[k] += share[k, w] * np.outer(change, change)
            if np.linalg.norm(change[:3]) > SAME_PLACE or np.linalg.norm(change[3:]) > SAME_TURN:
                confidence[k] *= 1 - share[k, w]
    return T, valid, confidence, covariance
