"""Can this be a hand at all? Size and shape limits on one detection, each with a name for the account."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reenact.perception.hands.detection import HandDetection


@dataclass(frozen=True)
class PlausibleConfig:
    """Limits outside which the net's answer is not taken for a hand."""

    min_size_fraction: float = 0.012
    """Hand size (half the tracking region) over the frame's longer side."""
    max_size_fraction: float = 0.9
    """Same; a hand larger than the frame is not readable."""
    min_palm_length: float = 0.035
    """Wrist to middle knuckle in the net's own metres; occluded hands shrink to 0.05 (perception study 1.3)."""
    max_palm_length: float = 0.14
    """Same; a clear adult hand gives 0.097 +- 0.005."""
    min_joints_inside: int = 8
    """Joints inside the frame; fewer and the rest is invented by the net."""


def why_not_a_hand(hand: HandDetection, width_px: int, height_px: int, config: PlausibleConfig) -> str | None:
    """The name of the first limit the detection breaks, or None if it may be a hand."""
    fraction = hand.size_px / max(width_px, height_px)
    if not config.min_size_fraction <= fraction <= config.max_size_fraction:
        return "size"
    palm_length = float(np.linalg.norm(hand.landmarks_rel[9] - hand.landmarks_rel[0]))
    if not config.min_palm_length <= palm_length <= config.max_palm_length:
        return "palm_length"
    x, y = hand.landmarks_px[:, 0], hand.landmarks_px[:, 1]
    inside = int(((x >= 0) & (y >= 0) & (x < width_px) & (y < height_px)).sum())
    return "outside" if inside < config.min_joints_inside else None
