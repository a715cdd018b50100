"""Named finger postures as angle vectors (order `ANGLE_NAMES`), and the limits of a hand's joints."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64


def posture(
    thumb_deg: tuple[float, float, float, float],
    fingers_deg: tuple[float, float, float],
    spread_deg: tuple[float, float, float, float] = (4.0, 0.0, -4.0, -8.0),
    step_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Float64[np.ndarray, "20"]:
    """Angles from the thumb's four and one (MCP, PIP, DIP) bend for all fingers.

    Args:
        thumb_deg: CMC flexion, CMC abduction, MCP flexion, IP flexion.
        fingers_deg: MCP, PIP and DIP flexion of the index finger.
        spread_deg: abduction, index to pinky.
        step_deg: added to the three bends for every finger after the index.
    """
    angles = np.zeros((5, 4))
    angles[0] = thumb_deg
    for f in range(1, 5):
        mcp, pip, dip = np.array(fingers_deg) + (f - 1) * np.array(step_deg)
        angles[f] = mcp, spread_deg[f - 1], pip, dip
    return np.deg2rad(angles.ravel())


RELAXED = posture((8, -8, 12, 12), (16, 24, 14), step_deg=(3, 4, 2))
"""A hand at rest, slightly curled."""
FLAT = posture((2, 2, 6, 4), (2, 4, 2))
"""Flat, fingers together."""
OPEN = posture((-6, 14, 8, 10), (8, 20, 12), (7, 1, -6, -12), (1, 2, 1))
"""Spread wide, ready to take something."""
WRAP = posture((18, 6, 18, 22), (42, 52, 32), (2, 0, -2, -4))
"""Around a thing of 6 to 7 cm."""
PINCH = posture((16, -18, 14, 16), (48, 42, 22), (2, 0, -2, -6), (2, 4, 4))
"""Thumb against index and middle finger, 5 cm apart."""
PINCH_OPEN = posture((-4, -6, 6, 6), (26, 26, 14), (3, 0, -3, -7), (2, 4, 4))
"""About to pinch something smaller than 8 cm."""
HOOK = posture((14, -22, 26, 30), (30, 62, 36), (1, 0, -1, -3), (8, 6, 4))
"""Fist around a handle."""
COVER = posture((20, -5, 12, 15), (22, 24, 14), (6, 0, -6, -12))
"""Over a flat thing."""

LOWER = np.deg2rad(np.tile([-15.0, -16.0, 0.0, -5.0], 5))
UPPER = np.deg2rad(np.tile([90.0, 16.0, 105.0, 75.0], 5))
LOWER[:4], UPPER[:4] = np.deg2rad([-20.0, -40.0, -10.0, -15.0]), np.deg2rad([45.0, 35.0, 60.0, 80.0])
"""Range of active motion used by grasps (mid-range of published goniometry; finger abduction +-16 deg)."""
