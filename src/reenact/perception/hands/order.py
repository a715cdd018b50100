"""How the two hands usually lie to each other in this clip, learnt from its sure frames.

A person facing the camera has the right hand on the image's left, a head camera sees it on the right: no
rule holds for all clips, but within one clip the order is steady, and it stays readable where the net's
handedness fails (grasps seen from the side).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reenact.perception.hands.detection import HandDetection
from reenact.perception.hands.tracklet import Tracklet


@dataclass(frozen=True)
class HandOrder:
    """Mean unit vector from the left to the right palm; its length (0..1) is how steady the order is."""

    direction: Float[np.ndarray, "2"]

    def agreement(self, left: HandDetection, right: HandDetection) -> float:
        """-1..1: do these two lie as usual, if they are labelled so? Near each other it says little."""
        gap = (right.palm_px - left.palm_px) / max(left.size_px, right.size_px)
        distance = float(np.hypot(*gap))
        return float(gap @ self.direction) / max(distance, 1.0)

    def total(self, left: Tracklet, right: Tracklet) -> float:
        """Sum of the agreement over the frames both share."""
        common = range(max(left.start, right.start), min(left.stop, right.stop))
        return sum(self.agreement(left.at(i), right.at(i)) for i in common)


NO_ORDER = HandOrder(np.zeros(2))


def learn_order(pieces: list[Tracklet], dt: float, *, sure: float, full_s: float) -> HandOrder:
    """From frames in which one hand is surely left and the other surely right by the net's own word.

    ``sure`` is the least p of either label; with less than ``full_s`` seconds of such frames the result is
    shortened in proportion.
    """
    arrows = []
    for i, first in enumerate(pieces):
        for second in pieces[i + 1 :]:
            for frame_idx in range(max(first.start, second.start), min(first.stop, second.stop)):
                arrow = _sure_arrow(first.at(frame_idx), second.at(frame_idx), sure)
                if arrow is not None:
                    arrows.append(arrow)
    if not arrows:
        return NO_ORDER
    return HandOrder(np.mean(arrows, axis=0) * min(1.0, len(arrows) * dt / full_s))


def _sure_arrow(a: HandDetection, b: HandDetection, sure: float) -> Float[np.ndarray, "2"] | None:
    left, right = (a, b) if a.p_right < b.p_right else (b, a)
    if left.p_right > 1.0 - sure or right.p_right < sure:
        return None
    gap = right.palm_px - left.palm_px
    return gap / max(float(np.hypot(*gap)), left.size_px, right.size_px)
