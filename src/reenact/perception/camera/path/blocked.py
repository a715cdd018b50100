"""Pixels of hands, forearms and what hands may hold, so that no corner on them counts as the room."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64

from reenact.hands.joints import WRIST
from reenact.perception.pictures.outline import MIDDLE_KNUCKLE, fill_widened, palm_px

_WIDER = 0.5
"""The hull of the landmarks is widened by half of this palm length on every side: flesh lies outside the joints."""
_FOREARM = 2.5
"""Length of forearm that is taken along, in palm lengths; a forearm measures 2.3 to 2.7 of them."""


@dataclass(frozen=True, eq=False)
class HandPixels:
    """Where hands are in one working picture."""

    covered: Bool[np.ndarray, "h w"]
    """Hands and forearms: nothing is followed there."""
    near: Bool[np.ndarray, "h w"]
    """Around hands: what stays in there for long may be held, and does not count as the room."""


def hand_pixels(
    landmarks_px: Float64[np.ndarray, "s=2 j=21 2"],
    valid: Bool[np.ndarray, "s=2"],
    width_px: int,
    height_px: int,
    near_palms: float,
) -> HandPixels:
    """The hands that were seen: hull of the landmarks, widened, the forearm behind the wrist, and what is around."""
    mask, near = np.zeros((2, height_px, width_px), dtype=np.uint8)
    for hand in landmarks_px[valid]:
        palm = float(palm_px(hand))
        hull = cv2.convexHull(hand.astype(np.float32)).astype(np.int32)
        fill_widened(mask, hull, max(3, round(_WIDER * palm)))
        fill_widened(near, hull, min(max(3, round(2 * near_palms * palm)), height_px))
        elbow = hand[WRIST] + _FOREARM * (hand[WRIST] - hand[MIDDLE_KNUCKLE])
        wrist_xy, elbow_xy = (tuple(int(v) for v in p.round()) for p in (hand[WRIST], elbow))
        cv2.line(mask, wrist_xy, elbow_xy, 1, max(3, round(palm)))
    return HandPixels(mask.astype(bool), near.astype(bool))
