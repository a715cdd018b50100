"""Exact inference in a semi-Markov chain: the best segmentation and the posterior of every frame.

A segment [a, b) of state z scores `score(a, b)[z]`; consecutive segments score a transition. All sums are in nats.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

SegmentScores = Callable[[int], np.ndarray]
"""b -> scores [a z] of all segments that end (exclusively) at b, a = 0 .. b - 1; -inf forbids."""


def posterior(
    frames: int, states: int, scores: SegmentScores, transition: Float64[np.ndarray, "z z"]
) -> tuple[Int64[np.ndarray, " t"], Float64[np.ndarray, "t z"]]:
    """The best state per frame (Viterbi over segments) and each frame's probability of each state."""
    forward = np.full(
        (frames + 1, states), -np.inf
    )  # of segmentations of [0, b) whose last segment has state z
    enter = np.full((frames + 1, states), -np.inf)  # ... that a segment of state z may follow
    best, came = np.full((frames + 1, states), -np.inf), np.full((frames + 1, states), -np.inf)
    begin = np.zeros((frames + 1, states), np.int64)
    before = np.zeros((frames + 1, states), np.int64)
    enter[0] = came[0] = 0.0
    kept = []
    for b in range(1, frames + 1):
        score = scores(b)
        kept.append(score)
        forward[b] = _log_sum(enter[:b] + score)
        total = came[:b] + score
        begin[b] = total.argmax(axis=0)
        best[b] = total.max(axis=0)
        enter[b] = _log_sum(forward[b][:, None] + transition)
        step = best[b][:, None] + transition
        before[b], came[b] = step.argmax(axis=0), step.max(axis=0)
    return _path(frames, best, begin, before), _marginals(frames, states, kept, forward, enter, transition)


def _path(frames: int, best: np.ndarray, begin: np.ndarray, before: np.ndarray) -> np.ndarray:
    path = np.zeros(frames, np.int64)
    b, z = frames, int(best[frames].argmax())
    while b > 0:
        a = int(begin[b, z])
        path[a:b] = z
        b, z = a, int(before[a, z])
    return path


def _marginals(
    frames: int,
    states: int,
    scores: list[np.ndarray],
    forward: np.ndarray,
    enter: np.ndarray,
    transition: np.ndarray,
) -> np.ndarray:
    """Sum over all segments that cover a frame: their ends are counted in a difference array."""
    total = _log_sum(forward[frames][:, None])[0]
    leave = np.full(
        (frames + 1, states), -np.inf
    )  # of segmentations of [b, frames) after a segment of state z
    leave[frames] = 0.0
    ahead = np.full((frames + 1, states), -np.inf)  # ... whose first segment, from b, has state z
    change = np.zeros((frames + 1, states))
    for b in range(frames, 0, -1):
        if b < frames:
            leave[b] = _log_sum((transition + ahead[b][None, :]).T)
        with np.errstate(under="ignore"):
            weight = np.exp(np.minimum(enter[:b] + scores[b - 1] + leave[b] - total, 0.0))
        change[:b] += weight
        change[b] -= weight.sum(axis=0)
        ahead[:b] = np.logaddexp(ahead[:b], scores[b - 1] + leave[b])
    marginal = np.clip(np.cumsum(change, axis=0)[:frames], 0.0, None)
    return np.asarray(marginal / np.maximum(marginal.sum(axis=1, keepdims=True), 1e-12))


def _log_sum(x: np.ndarray) -> np.ndarray:
    """log sum exp over the first axis; -inf where all are."""
    top = x.max(axis=0)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(safe + np.log(np.exp(x - safe).sum(axis=0)))
