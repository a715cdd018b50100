"""Dense motion between two small pictures, and the part of it that is the camera's."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8


class DenseFlow:
    """DIS optical flow (Kroeger et al. 2016), the "fast" preset: about 5 ms at 480 x 270 on one core."""

    def __init__(self) -> None:
        self._dis: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(
        self, a: UInt8[np.ndarray, "h w"], b: UInt8[np.ndarray, "h w"]
    ) -> Float32[np.ndarray, "h w 2"]:
        """Where each pixel of ``a`` went in ``b``: b[p + flow(p)] looks like a[p]."""
        return np.asarray(self._dis.calc(a, b, None), np.float32)


def warp(picture: np.ndarray, back: Float32[np.ndarray, "h w 2"]) -> np.ndarray:
    """The picture moved along: result[p] = picture[p + back(p)], linear, zero from outside."""
    height, width = back.shape[:2]
    x, y = _grid(height, width)
    return np.asarray(cv2.remap(picture, x + back[..., 0], y + back[..., 1], cv2.INTER_LINEAR))


_GRIDS: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}


def _grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    if (height, width) not in _GRIDS:
        _GRIDS.clear()  # one size at a time is in use
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        _GRIDS[(height, width)] = (x, y)
    return _GRIDS[(height, width)]


def background_homography(
    flow: Float32[np.ndarray, "h w 2"], usable: Bool[np.ndarray, "h w"], step_px: int = 8
) -> Float64[np.ndarray, "3 3"]:
    """The homography that most usable pixels follow (RANSAC on a grid); identity where too few are usable."""
    height, width = usable.shape
    y, x = np.mgrid[step_px // 2 : height : step_px, step_px // 2 : width : step_px]
    keep = usable[y, x]
    if keep.sum() < 24:
        return np.eye(3)
    a = np.stack([x[keep], y[keep]], axis=-1).astype(np.float32)
    b = a + flow[y[keep], x[keep]]
    H, inliers = cv2.findHomography(a, b, cv2.USAC_MAGSAC, 1.5, maxIters=500, confidence=0.99)
    if H is None or inliers.sum() < 0.25 * len(a):
        return np.eye(3)
    return np.asarray(H, np.float64)


def homography_flow(H: Float64[np.ndarray, "3 3"], height: int, width: int) -> Float32[np.ndarray, "h w 2"]:
    """The flow that a homography makes."""
    x, y = _grid(height, width)
    w = H[2, 0] * x + H[2, 1] * y + H[2, 2]
    u = (H[0, 0] * x + H[0, 1] * y + H[0, 2]) / w - x
    v = (H[1, 0] * x + H[1, 1] * y + H[1, 2]) / w - y
    return np.stack([u, v], axis=-1).astype(np.float32)


def grey(rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
    """Luma."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
