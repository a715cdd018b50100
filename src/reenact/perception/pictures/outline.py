"""A hand in a picture from its landmarks: its size there, and the widened outline that flesh fills."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Int32, UInt8

from reenact.hands.joints import WRIST

MIDDLE_KNUCKLE = 9


def palm_px(landmarks_px: Float[np.ndarray, "*t j=21 2"]) -> Float[np.ndarray, "*t"]:
    """Wrist to middle knuckle, the unit of lengths on a hand in a picture."""
    return np.asarray(
        np.linalg.norm(landmarks_px[..., MIDDLE_KNUCKLE, :] - landmarks_px[..., WRIST, :], axis=-1)
    )


def fill_widened(
    canvas: UInt8[np.ndarray, "h w"], outline: Int32[np.ndarray, "n 1 2"], stroke_px: int, shift: int = 0
) -> None:
    """Set to 1 what lies in a convex outline or within half a stroke of it; ``stroke_px`` 0: only what lies in it.

    ``shift``: fractional bits of the outline's corners.
    """
    cv2.fillConvexPoly(canvas, outline, 1, cv2.LINE_8, shift)
    if stroke_px > 0:
        cv2.polylines(canvas, [outline], True, 1, stroke_px, cv2.LINE_8, shift)
