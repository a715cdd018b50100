"""Reading hands inside a given box (from a person, a file or another detector), without the palm net."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, UInt8

from reenact.perception.hands.detection import HandDetection
from reenact.perception.hands.landmarks import HandReader
from reenact.perception.hands.roi import Roi, roi_from_landmarks

_TURNS = 8
_SCALES = (1.2, 1.7)
_REFINEMENTS = 3


def read_box(
    image: UInt8[np.ndarray, "h w 3"], box_px: Float[np.ndarray, "4"], reader: HandReader
) -> list[HandDetection]:
    """What the landmark net sees in a box x0, y0, x1, y1 looked at under 8 turns and 2 scales.

    Each look that shows some hand is repeated through the landmarks' own region; costs 16 to 64 net runs.
    """
    x, y = (float(v) for v in (box_px[:2] + box_px[2:]) / 2)
    side = float((box_px[2:] - box_px[:2]).max())
    looks = [
        Roi(x, y, side * scale, turn * 2 * math.pi / _TURNS) for scale in _SCALES for turn in range(_TURNS)
    ]
    found = []
    for roi in looks:
        hand = reader.read(image, roi)
        for _ in range(_REFINEMENTS):
            if hand.presence < 0.3:
                break
            hand = reader.read(image, roi_from_landmarks(hand.landmarks_px))
        found.append(hand)
    return found
