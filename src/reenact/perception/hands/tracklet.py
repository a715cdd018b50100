"""An unbroken run of one hand through consecutive frames, before anybody says which hand it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from reenact.perception.hands.detection import HandDetection
from reenact.perception.hands.roi import Roi, roi_from_landmarks


@dataclass(eq=False)
class Tracklet:
    """Grows at its end as frames come, and at its start when tracked back in time."""

    tracklet_id: int
    start: int
    """Index of the first frame."""
    hands: list[HandDetection]
    parent_id: int | None = None
    """The tracklet it was cut from, if any."""
    backfilled: int = field(default=0)
    """How many of its first frames were found backward in time."""

    @property
    def stop(self) -> int:
        """One past the last frame."""
        return self.start + len(self.hands)

    def at(self, frame_idx: int) -> HandDetection:
        """The hand in a frame of ``range(start, stop)``."""
        return self.hands[frame_idx - self.start]

    def push(self, hand: HandDetection) -> None:
        """The hand in the next frame."""
        self.hands.append(hand)

    def push_front(self, hand: HandDetection) -> None:
        """The hand in the frame before the first."""
        self.hands.insert(0, hand)
        self.start -= 1
        self.backfilled += 1

    def cut(self, first: int, last: int, new_id: int) -> Tracklet:
        """The part in frames ``range(first, last)`` as a tracklet of its own."""
        parent = self.tracklet_id if self.parent_id is None else self.parent_id
        return Tracklet(new_id, first, self.hands[first - self.start : last - self.start], parent)

    def next_roi(self, motion_gain: float, enlargement: float = 1.0, *, backward: bool = False) -> Roi:
        """Where to look in the next frame (or the one before the first): last region plus part of its motion."""
        newest, older = (0, 1) if backward else (-1, -2)
        roi = roi_from_landmarks(self.hands[newest].landmarks_px).enlarged(enlargement)
        if len(self.hands) < 2 or motion_gain == 0.0:
            return roi
        step = (self.hands[newest].palm_px - self.hands[older].palm_px) * motion_gain
        limit = self.hands[newest].size_px
        step = step * min(1.0, limit / max(float(np.hypot(*step)), 1e-9))
        return roi.moved(float(step[0]), float(step[1]))

    def evidence(self) -> Float[np.ndarray, " n"]:
        """Per frame: presence x (2 p_right - 1), so +1 = surely a right hand, -1 = surely a left one."""
        return np.array([hand.presence * (2.0 * hand.p_right - 1.0) for hand in self.hands])
