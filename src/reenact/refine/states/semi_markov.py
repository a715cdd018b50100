"""Exact inference in a semi-Markov chain: the posterior of every frame, in time linear in the frames.

A segment [a, b) of state z scores `score(a, b)[z]`; consecutive segments score a transition. All sums are in nats. A
segment is judged whole up to `longest` frames; where a state lasts longer it is a row of full segments and one remainder,
which follow each other at no price.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

SegmentScores = Callable[[int, int], np.ndarray]
"""b, first -> scores [a z] of all segments that end (exclusively) at b, a = first .. b - 1; -inf forbids."""


def posterior(
    frames: int,
    states: int,
    scores: SegmentScores,
    transition: Float64[np.ndarray, "z z"],
    longest: int | None = None,
) -> Float64[np.ndarray, "t z"]:
    """Each frame's probability of each state; with `longest` None or not below `frames`, no segment is ever split."""
    longest = frames if longest is None else max(min(longest, frames), 1)
    ending = np.full((frames + 1, states), -np.inf)  # segmentations of [0, b) whose last segment has state z
    enter = np.full((frames + 1, states), -np.inf)  # ... that a segment of state z may follow
    enter[0] = 0.0
    kept = []
    for b in range(1, frames + 1):
        first = max(b - longest, 0)
        score = scores(b, first)
        kept.append(score)
        ending[b] = _log_sum(enter[first:b] + score)
        enter[b] = _log_sum(ending[b][:, None] + transition)
        if b >= longest:  # a full segment goes on
            enter[b] = np.logaddexp(enter[b], enter[first] + score[0])
    return _marginals(frames, longest, kept, ending, enter, transition)


def _marginals(
    frames: int,
    longest: int,
    scores: list[np.ndarray],
    ending: np.ndarray,
    enter: np.ndarray,
    transition: np.ndarray,
) -> np.ndarray:
    """Sum over all segments that cover a frame: their ends are counted in a difference array."""
    states = transition.shape[0]
    total = _log_sum(ending[frames][:, None])[0]
    ahead = np.full((frames + 1, states), -np.inf)  # segmentations of [b, frames) whose first has state z
    change = np.zeros((frames + 1, states))
    for b in range(frames, 0, -1):
        first = max(b - longest, 0)
        # segmentations of [b, frames) after a segment of state z
        leave = np.zeros(states) if b == frames else _log_sum((transition + ahead[b][None, :]).T)
        reach = scores[b - 1] + leave
        if b >= longest and b < frames:
            reach[0] = scores[b - 1][0] + np.logaddexp(leave, ahead[b])
        with np.errstate(under="ignore"):
            weight = np.exp(np.minimum(enter[first:b] + reach - total, 0.0))
        change[first:b] += weight
        change[b] -= weight.sum(axis=0)
        ahead[first:b] = np.logaddexp(ahead[first:b], reach)
    marginal = np.clip(np.cumsum(change, axis=0)[:frames], 0.0, None)
    return np.asarray(marginal / np.maximum(marginal.sum(axis=1, keepdims=True), 1e-12))


def _log_sum(x: np.ndarray) -> np.ndarray:
    """log sum exp over the first axis; -inf where all are."""
    top = x.max(axis=0)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(safe + np.log(np.exp(x - safe).sum(axis=0)))
