"""How an outline moves from one frame to the next: the similarity that most of its pixels' flow agrees on."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def similarity_of(
    back: Float32[np.ndarray, "h w 2"], pixels: Bool[np.ndarray, "h w"], rest_px: float, most: int = 400
) -> tuple[Float64[np.ndarray, "2 3"], float]:
    """The similarity that takes the last frame's outline to this one, and the share of pixels that follow it.

    ``back`` says where each pixel of this frame was in the last; a median motion below ``rest_px`` is taken as none,
    so that things at rest do not creep. With fewer than 12 pixels: no motion, share 0.
    """
    rows, columns = np.nonzero(pixels)
    if len(rows) < 12:
        return IDENTITY.copy(), 0.0
    step = max(1, len(rows) // most)
    rows, columns = rows[::step], columns[::step]
    now = np.stack([columns, rows], axis=-1).astype(np.float32)
    moved = back[rows, columns]
    share_still = float((np.linalg.norm(moved, axis=-1) < 2 * rest_px).mean())
    if float(np.linalg.norm(np.median(moved, axis=0))) < rest_px and share_still > 0.5:
        return IDENTITY.copy(), share_still
    M, inliers = cv2.estimateAffinePartial2D(
        now + moved, now, method=cv2.RANSAC, ransacReprojThreshold=1.2, maxIters=100, confidence=0.98
    )
    if M is None:
        return _shift(-np.median(moved, axis=0)), 0.0
    scale = float(np.hypot(M[0, 0], M[1, 0]))
    if not 0.85 < scale < 1.18:
        return _shift(-np.median(moved, axis=0)), 0.3 * float(inliers.mean())
    return np.asarray(M, np.float64), float(inliers.mean())


def _shift(by: np.ndarray) -> Float64[np.ndarray, "2 3"]:
    return np.array([[1.0, 0.0, float(by[0])], [0.0, 1.0, float(by[1])]])


def moved(soft: Float32[np.ndarray, "h w"], M: Float64[np.ndarray, "2 3"]) -> Float32[np.ndarray, "h w"]:
    """A soft outline taken along by a similarity."""
    if np.array_equal(M, IDENTITY):
        return soft
    return np.asarray(cv2.warpAffine(soft, M, (soft.shape[1], soft.shape[0]), flags=cv2.INTER_LINEAR))


def smooth_along_edges(
    score: Float32[np.ndarray, "h w"], guide: Float32[np.ndarray, "h w"], radius: int, noise: float
) -> Float32[np.ndarray, "h w"]:
    """Guided filter (He et al. 2013): the score evened out where the picture is even, not across its edges."""
    size = (2 * radius + 1, 2 * radius + 1)
    mean_g, mean_s = cv2.blur(guide, size), cv2.blur(score, size)
    cov = cv2.blur(guide * score, size) - mean_g * mean_s
    var = cv2.blur(guide * guide, size) - mean_g * mean_g
    slope = cov / (var + noise)
    offset = mean_s - slope * mean_g
    return np.asarray(cv2.blur(slope, size) * guide + cv2.blur(offset, size), np.float32)
