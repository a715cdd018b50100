"""K-medoids of rigid transforms under the SE(3) geodesic distance (rotation angle in rad plus distance in m)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64


def se3_distances(
    T: Float64[np.ndarray, "n 4 4"], rotation_length: float = 1.0
) -> Float64[np.ndarray, "n n"]:
    """Between all pairs: geodesic rotation angle times `rotation_length` (m per rad) plus distance (m)."""
    R, t = T[:, :3, :3].reshape(len(T), 9), T[:, :3, 3]
    cosine = 0.5 * (R @ R.T - 1.0)
    apart = t[:, None] - t[None]
    return rotation_length * np.arccos(np.clip(cosine, -1.0, 1.0)) + np.linalg.norm(apart, axis=-1)


def k_medoids(
    distances: Float64[np.ndarray, "n n"], k: int, iterations: int = 50
) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " n"]]:
    """Indices of at most `k` medoids, largest cluster first, and the cluster of every point.

    Greedy start (each new medoid lowers the total cost most, as PAM's BUILD), then alternation of assignment and
    medoid update until nothing changes. Deterministic; no seed.
    """
    k = min(k, len(distances))
    chosen = [int(distances.sum(axis=1).argmin())]
    nearest = distances[chosen[0]].copy()
    while len(chosen) < k:
        gain = np.maximum(nearest[None] - distances, 0.0).sum(axis=1)
        gain[chosen] = -1.0
        chosen.append(int(gain.argmax()))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    medoids = np.array(chosen, np.int64)
    for _ in range(iterations):
        label = distances[:, medoids].argmin(axis=1)
        label[medoids] = np.arange(k)
        moved = np.array([_middle(distances, np.flatnonzero(label == c)) for c in range(k)], np.int64)
        if np.array_equal(moved, medoids):
            break
        medoids = moved
    label = distances[:, medoids].argmin(axis=1)
    label[medoids] = np.arange(k)
    order = np.argsort(-np.bincount(label, minlength=k), kind="stable")
    return medoids[order], np.argsort(order, kind="stable")[label]


def _middle(distances: np.ndarray, members: np.ndarray) -> int:
    return int(members[distances[np.ix_(members, members)].sum(axis=1).argmin()])
