"""A flat world of simulated hands for the tracker: a palm source and a hand reader that need no weights.

Frames are tiny arrays that carry their own index; where the hands are is known to the world, not painted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reenact.perception.hands.config import MediaPipeHandsConfig
from reenact.perception.hands.detection import HandDetection
from reenact.perception.hands.follow import follow_clip
from reenact.perception.hands.palm import Palm
from reenact.perception.hands.roi import Roi, roi_from_landmarks

WIDTH, HEIGHT = 640, 360
# A right hand in unit size, fingers up (y down), thumb to the image's left (back of the hand seen).
_FINGERS_X = (-0.55, -0.3, -0.1, 0.1, 0.28)
TEMPLATE = np.array(
    [[0.0, 0.5]]
    + [[x, y] for x, top in zip(_FINGERS_X, (0.2, 0.0, -0.05, 0.0, 0.05), strict=True)
       for y in (top, top - 0.2, top - 0.35, top - 0.45)]
)  # fmt: skip
REL = np.concatenate([TEMPLATE - TEMPLATE[9], np.zeros((21, 1))], axis=1) * 0.17


@dataclass
class SimHand:
    """One hand over the clip: palm centres, whether it can be read, and what the net says of its side."""

    centres: np.ndarray
    """t 2, pixels"""
    p_right: np.ndarray
    """t"""
    right: bool
    size: float = 60.0
    visible: np.ndarray | None = None
    """t bool: the landmark net sees it"""
    palm_visible: np.ndarray | None = None
    """t bool: the palm net sees it too"""
    presence: float = 0.95
    palm_share: np.ndarray | None = None
    """t: length of the palm in the net's own metres against a clear view's; small where it is seen along its edge"""

    def rel(self, t: int) -> np.ndarray:
        return REL if self.palm_share is None else REL * self.palm_share[t]

    def landmarks(self, t: int) -> np.ndarray:
        flip = np.array([1.0 if self.right else -1.0, 1.0])
        return TEMPLATE * flip * self.size + self.centres[t]

    def is_visible(self, t: int) -> bool:
        return self.visible is None or bool(self.visible[t])

    def palm_is_visible(self, t: int) -> bool:
        return self.is_visible(t) and (self.palm_visible is None or bool(self.palm_visible[t]))


@dataclass
class SimWorld:
    """Palm source and hand reader at once."""

    hands: list[SimHand]
    mirrored: bool = False
    runs: int = field(default=0, init=False)

    def frames(self, fps_hz: float = 30.0) -> list[tuple[int, np.ndarray]]:
        out = []
        for t in range(len(self.hands[0].centres)):
            image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            image[0, 0, 0], image[0, 0, 1] = t % 256, t // 256
            out.append((round(t * 1e9 / fps_hz), image))
        return out

    def find(self, image: np.ndarray, window: object = None) -> list[Palm]:
        self.runs += 1
        t = _index(image)
        palms = []
        for hand in self.hands:
            if hand.palm_is_visible(t):
                points = hand.landmarks(t)[[0, 5, 9, 13, 17, 1, 2]]
                centre = hand.centres[t]
                half = 0.5 * hand.size
                palms.append(Palm(0.9, np.concatenate([centre - half, centre + half]), points))
        return palms

    def read(self, image: np.ndarray, roi: Roi) -> HandDetection:
        """The hand nearest to the region's centre, if one is near enough; else presence 0."""
        self.runs += 1
        t = _index(image)
        here = np.array([roi.x_px, roi.y_px])
        seen = [hand for hand in self.hands if hand.is_visible(t)]
        distance = [np.linalg.norm(hand.landmarks(t).mean(axis=0) - here) / hand.size for hand in seen]
        if not seen or min(distance) > 1.2:
            return HandDetection(TEMPLATE + here, REL, 0.01, 0.5, roi)
        hand = seen[int(np.argmin(distance))]
        p = float(hand.p_right[t])
        own = roi_from_landmarks(hand.landmarks(t))
        return HandDetection(
            hand.landmarks(t), hand.rel(t), hand.presence, 1.0 - p if self.mirrored else p, own
        )

    def detect(self, config: MediaPipeHandsConfig | None = None, fps_hz: float = 30.0):
        return follow_clip(
            self.frames(fps_hz),
            self,
            self,
            config or MediaPipeHandsConfig(),
            backend="simulated",
            licence="none",
        )


def _index(image: np.ndarray) -> int:
    return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])


def line(start: tuple[float, float], stop: tuple[float, float], count: int) -> np.ndarray:
    return np.linspace(np.array(start), np.array(stop), count)


def two_hands(count: int = 90, **changes: dict) -> SimWorld:
    """A facing person: the right hand on the image's left. ``left``/``right`` override fields."""
    right = {"centres": line((180, 200), (220, 180), count), "p_right": np.full(count, 0.95), "right": True}
    left = {"centres": line((460, 200), (420, 180), count), "p_right": np.full(count, 0.05), "right": False}
    return SimWorld(
        [SimHand(**(left | changes.get("left", {}))), SimHand(**(right | changes.get("right", {})))]
    )
