"""Can this be a hand at all? Size and shape limits on one detection, each with a name for the account."""

from __future__ import annotations

from dataclasses import dataclass

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
    min_followed_palm: float = 0.01
    """The same of a hand that is being followed: seen along its edge it shrinks to 0.02 and stays a hand (a rendered lift,
    where giving it up cost the hand for four fifths of the clip). Its confidence shrinks with it."""
    max_palm_length: float = 0.14
    """Same; a clear adult hand gives 0.097 +- 0.005."""
    min_joints_inside: int = 8
    """Joints inside the frame; fewer and the rest is invented by the net."""


def why_not_a_hand(
    hand: HandDetection, width_px: int, height_px: int, config: PlausibleConfig, *, is_followed: bool = False
) -> str | None:
    """The name of the first limit the detection breaks, or None if it may be a hand.

    ``is_followed``: it was a hand in the frame before.
    """
    fraction = hand.size_px / max(width_px, height_px)
    if not config.min_size_fraction <= fraction <= config.max_size_fraction:
        return "size"
    shortest = config.min_followed_palm if is_followed else config.min_palm_length
    if not shortest <= hand.palm_length <= config.max_palm_length:
        return "palm_length"
    x, y = hand.landmarks_px[:, 0], hand.landmarks_px[:, 1]
    inside = int(((x >= 0) & (y >= 0) & (x < width_px) & (y < height_px)).sum())
    return "outside" if inside < config.min_joints_inside else None
