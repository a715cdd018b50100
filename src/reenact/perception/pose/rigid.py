"""Rigid motion of matched 3D points when some are wrong: RANSAC over Kabsch fits (DexMan B.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.alignment import kabsch


@dataclass(frozen=True)
class RigidFit:
    """dst = T src for the inliers."""

    T_dst_src: Float64[np.ndarray, "4 4"]
    inlier: Bool[np.ndarray, " n"]
    rms: float
    """Of the inliers (m)."""


def rigid_ransac(
    src: Float64[np.ndarray, "n 3"],
    dst: Float64[np.ndarray, "n 3"],
    reach: Float64[np.ndarray, " n"],
    *,
    rounds: int = 60,
    min_inliers: int = 4,
    seed: int = 0,
) -> RigidFit | None:
    """The rigid motion that most points follow within `reach` (m), refitted to them; None where there is none.

    Three points on a line give no motion: such samples, and fits whose inliers lie on a line, are refused.
    """
    n = len(src)
    if n < max(3, min_inliers):
        return None
    rng = np.random.default_rng(seed)
    samples = np.argsort(rng.random((rounds, n)), axis=1)[:, :3]
    a, b = src[samples], dst[samples]
    spread = np.linalg.norm(np.cross(a[:, 1] - a[:, 0], a[:, 2] - a[:, 0]), axis=1)
    a, b = a[spread > 1e-6], b[spread > 1e-6]
    if len(a) == 0:
        return None
    T = np.asarray(kabsch(a, b))
    error = np.linalg.norm(np.einsum("rij,nj->rni", T[:, :3, :3], src) + T[:, None, :3, 3] - dst, axis=2)
    inlier = error[int((error < reach).sum(1).argmax())] < reach
    for _ in range(3):
        if inlier.sum() < min_inliers or _on_a_line(src[inlier]):
            return None
        best = np.asarray(kabsch(src[inlier], dst[inlier], 1.0 / reach[inlier] ** 2))
        error_now = np.linalg.norm(src @ best[:3, :3].T + best[:3, 3] - dst, axis=1)
        inlier = error_now < reach
    if inlier.sum() < min_inliers:
        return None
    return RigidFit(best, inlier, float(np.sqrt((error_now[inlier] ** 2).mean())))


def _on_a_line(points: np.ndarray) -> bool:
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    return bool(spread[1] < 0.05 * spread[0])
