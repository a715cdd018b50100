"""Points from one picture to another by pyramidal Lucas-Kanade (Bouguet 2001), and home again (Kalal et al. 2010)."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8


def follow(
    a: UInt8[np.ndarray, "h w"],
    b: UInt8[np.ndarray, "h w"],
    points: Float32[np.ndarray, "n 2"],
    window_px: int,
    levels: int,
    guess: Float32[np.ndarray, "n 2"] | None = None,
) -> tuple[Float32[np.ndarray, "n 2"], Bool[np.ndarray, " n"]]:
    """Where the points of ``a`` are in ``b``, and which were found; one or more points.

    ``window_px``: side of the window; ``levels``: pyramid levels above the full size; ``guess``: where to start from.
    """
    flags = 0 if guess is None else cv2.OPTFLOW_USE_INITIAL_FLOW
    start = points[:, None]
    to = (start if guess is None else guess[:, None]).copy()
    window = (window_px, window_px)
    found, ok, _ = cv2.calcOpticalFlowPyrLK(a, b, start, to, winSize=window, maxLevel=levels, flags=flags)
    return found[:, 0], ok[:, 0] == 1


def there_and_back(
    a: UInt8[np.ndarray, "h w"],
    b: UInt8[np.ndarray, "h w"],
    points: Float32[np.ndarray, "n 2"],
    window_px: int,
    levels: int,
) -> tuple[Float32[np.ndarray, "n 2"], Bool[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """As `follow`, found on both ways, with how far from their starts the points came home (pixels)."""
    found, ok = follow(a, b, points, window_px, levels)
    home, ok_back = follow(b, a, found, window_px, levels)
    return found, ok & ok_back, np.linalg.norm(home - points, axis=-1)
