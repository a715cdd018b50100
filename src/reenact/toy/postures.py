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


RELAXED = posture((8.0, -8.0, 12.0, 12.0), (16.0, 24.0, 14.0), step_deg=(3.0, 4.0, 2.0))
"""A hand at rest, slightly curled."""
FLAT = posture((2.0, 2.0, 6.0, 4.0), (2.0, 4.0, 2.0))
"""Flat, fingers together."""
OPEN = posture((-6.0, 14.0, 8.0, 10.0), (8.0, 20.0, 12.0), (7.0, 1.0, -6.0, -12.0), (1.0, 2.0, 1.0))
"""Spread wide, ready to take something."""
WRAP = posture((18.0, 6.0, 18.0, 22.0), (42.0, 52.0, 32.0), (2.0, 0.0, -2.0, -4.0))
"""Around a thing of 6 to 7 cm."""
PINCH = posture((16.0, -18.0, 14.0, 16.0), (48.0, 42.0, 22.0), (2.0, 0.0, -2.0, -6.0), (2.0, 4.0, 4.0))
"""Thumb against index and middle finger, 5 cm apart."""
PINCH_OPEN = posture((-4.0, -6.0, 6.0, 6.0), (26.0, 26.0, 14.0), (3.0, 0.0, -3.0, -7.0), (2.0, 4.0, 4.0))
"""About to pinch something smaller than 8 cm."""
HOOK = posture((14.0, -22.0, 26.0, 30.0), (30.0, 62.0, 36.0), (1.0, 0.0, -1.0, -3.0), (8.0, 6.0, 4.0))
"""Fist around a handle."""
COVER = posture((20.0, -5.0, 12.0, 15.0), (22.0, 24.0, 14.0), (6.0, 0.0, -6.0, -12.0))
"""Over a flat thing."""

LOWER = np.deg2rad(np.tile([-15.0, -16.0, 0.0, -5.0], 5))
UPPER = np.deg2rad(np.tile([90.0, 16.0, 105.0, 75.0], 5))
LOWER[:4], UPPER[:4] = np.deg2rad([-20.0, -40.0, -10.0, -15.0]), np.deg2rad([45.0, 35.0, 60.0, 80.0])
"""Range of active motion used by grasps (mid-range of published goniometry; finger abduction +-16 deg)."""
