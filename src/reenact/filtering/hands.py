"""Hands seen in sampled pictures: when, how large, cut off or not, how fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8

FindHands = Callable[[UInt8[np.ndarray, "h w 3"]], Float[np.ndarray, "n 21 2"]]
"""All hands of one RGB picture as landmarks in pixels, any order, possibly none. (With the hand backend of
``perception``: the ``landmarks_px`` of each detection of ``detect_image``.)"""

PALM = (0, 5, 9, 13, 17)
"""Wrist and finger knuckles (OpenPose-21): the part of a hand that moves as one."""


@dataclass(frozen=True)
class HandBox:
    """One hand in one picture; lengths in image heights, origin at the upper left."""

    x0: float
    y0: float
    x1: float
    y1: float
    palm_x: float
    palm_y: float

    @property
    def area(self) -> float:
        """Square image heights."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)


@dataclass(frozen=True)
class HandLook:
    """All hands of one picture."""

    t_ns: int
    """When."""
    aspect: float
    """Width over height of the picture."""
    hands: tuple[HandBox, ...]
    """In no order."""

    def is_truncated(self, margin_heights: float) -> bool:
        """True where a hand's box comes closer to the border than the margin."""
        return any(min(h.x0, h.y0, self.aspect - h.x1, 1.0 - h.y1) < margin_heights for h in self.hands)

    def areas(self) -> list[float]:
        """Box areas as shares of the picture."""
        return [h.area / self.aspect for h in self.hands]


def look_for_hands(
    t_ns: int, rgb: UInt8[np.ndarray, "h w 3"], find_hands: FindHands, box_scale: float
) -> HandLook:
    """Hands of one picture. ``box_scale`` widens the tight box of the joints about its centre to that of the hand."""
    height, width = rgb.shape[:2]
    landmarks = np.asarray(find_hands(rgb), np.float64).reshape(-1, 21, 2)
    boxes = []
    for joints in (landmarks + 0.5) / height:  # pixel centres at integers
        low, high = joints.min(axis=0), joints.max(axis=0)
        centre, half = (low + high) / 2, (high - low) / 2 * box_scale
        low = np.maximum(centre - half, 0.0)
        high = np.minimum(centre + half, [width / height, 1.0])
        palm = joints[list(PALM)].mean(axis=0)
        boxes.append(HandBox(*(float(v) for v in (*low, *high, *palm))))
    return HandLook(t_ns, width / height, tuple(boxes))


def hand_speeds(looks: list[HandLook], max_step_s: float, max_step_sizes: float = 3.0) -> list[float]:
    """Palm speeds between neighbouring looks, image heights per second; each hand goes to the nearest one before.

    Straight-line distance over the pause between looks, hence a lower bound of what the hand did. A step of more
    than ``max_step_sizes`` sides of its box is not counted: it is likely the other hand.
    """
    speeds = []
    for before, now in pairwise(looks):
        seconds = (now.t_ns - before.t_ns) / 1e9
        if seconds > max_step_s or not before.hands:
            continue
        for hand in now.hands:
            step = min(float(np.hypot(hand.palm_x - b.palm_x, hand.palm_y - b.palm_y)) for b in before.hands)
            if step <= max_step_sizes * hand.area**0.5:
                speeds.append(step / seconds)
    return speeds


@dataclass(frozen=True, kw_only=True)
class HandNumbers:
    """What the looks at a stretch say together; shares are of all looks unless said otherwise."""

    looks: int
    """Pictures looked at."""
    hand_ratio: float
    """Share with a hand."""
    both_ratio: float
    """Share with two or more."""
    mean_area: float | None
    """Mean box area over all hands, share of the picture; None without hands."""
    truncated_ratio: float
    """Share with a hand at the border."""
    median_speed: float | None
    """Median palm speed, image heights per second; None where it could not be told."""
    fast_speed: float | None
    """90th percentile of the same."""


def hand_numbers(looks: list[HandLook], margin_heights: float, max_step_s: float) -> HandNumbers:
    """Count and average."""
    count = max(1, len(looks))
    areas = [area for look in looks for area in look.areas()]
    speeds = hand_speeds(looks, max_step_s)
    return HandNumbers(
        looks=len(looks),
        hand_ratio=sum(bool(look.hands) for look in looks) / count,
        both_ratio=sum(len(look.hands) >= 2 for look in looks) / count,
        mean_area=float(np.mean(areas)) if areas else None,
        truncated_ratio=sum(look.is_truncated(margin_heights) for look in looks) / count,
        median_speed=float(np.median(speeds)) if speeds else None,
        fast_speed=float(np.quantile(speeds, 0.9)) if speeds else None,
    )


def present_runs(
    looks: list[HandLook], start_ns: int, end_ns: int, max_gap_s: float
) -> list[tuple[int, int]]:
    """Intervals [start, end) in which hands are seen, gaps of up to ``max_gap_s`` bridged.

    A run reaches half a pause beyond its first and last look with a hand, but not out of the given interval.
    """
    seen = [look.t_ns for look in looks if look.hands]
    if not seen:
        return []
    times = [look.t_ns for look in looks]
    half = int(np.median(np.diff(times))) // 2 if len(times) > 1 else (end_ns - start_ns) // 2
    groups = [[seen[0], seen[0]]]
    for t_ns in seen[1:]:
        if t_ns - groups[-1][1] <= max_gap_s * 1e9:
            groups[-1][1] = t_ns
        else:
            groups.append([t_ns, t_ns])
    runs = [(max(start_ns, first - half), min(end_ns, last + half + 1)) for first, last in groups]
    if seen[0] == times[0]:
        runs[0] = (start_ns, runs[0][1])
    if seen[-1] == times[-1]:
        runs[-1] = (runs[-1][0], end_ns)
    return runs
