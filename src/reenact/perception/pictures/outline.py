"""A hand in a picture from its landmarks: its size there, and the widened outline that flesh fills."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float64, Int32, UInt8

from reenact.hands.joints import WRIST

MIDDLE_KNUCKLE = 9


def palm_px(landmarks_px: Float[np.ndarray, "*t j=21 2"]) -> Float[np.ndarray, "*t"]:
    """Wrist to middle knuckle, the unit of lengths on a hand in a picture."""
    return np.asarray(
        np.linalg.norm(landmarks_px[..., MIDDLE_KNUCKLE, :] - landmarks_px[..., WRIST, :], axis=-1)
    )


def palm_sizes(
    points: Float64[np.ndarray, "t 2 21 2"], valid: Bool[np.ndarray, "t 2"]
) -> Float64[np.ndarray, "t 2"]:
    """Wrist to middle knuckle in pixels, kept from collapsing where the palm points at the camera."""
    length = palm_px(points)
    across = 1.1 * np.linalg.norm(points[:, :, 5] - points[:, :, 17], axis=-1)
    size = np.maximum(length, across)
    for side in (0, 1):
        if valid[:, side].any():
            size[:, side] = np.maximum(size[:, side], 0.6 * np.median(size[valid[:, side], side]))
    return np.asarray(np.maximum(size, 2.0))


def fill_widened(
    canvas: UInt8[np.ndarray, "h w"], outline: Int32[np.ndarray, "n 1 2"], stroke_px: int, shift: int = 0
) -> None:
    """Set to 1 what lies in a convex outline or within half a stroke of it; ``stroke_px`` 0: only what lies in it.

    ``shift``: fractional bits of the outline's corners.
    """
    cv2.fillConvexPoly(canvas, outline, 1, cv2.LINE_8, shift)
    if stroke_px > 0:
        cv2.polylines(canvas, [outline], True, 1, stroke_px, cv2.LINE_8, shift)
