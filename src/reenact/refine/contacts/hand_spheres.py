"""A hand as spheres, from its 21 joints alone: enough for distances to a millimetre or so, at no cost.

Fitted to the skin of our free hand (last phalanges and palm against objects in 16 toy clips: rms 0.6 to 1.5 mm within
15 mm of the surface). Real fingers differ by as much.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from reenact.hands.joints import MCPS, WRIST, finger_joints
from reenact.hands.skeleton import ADULT_HAND_LENGTH

BETWEEN = -1
"""Owner of spheres that belong to no contact point (middle phalanges): they count for penetration only."""
_TIP_ALONG = (0.1, 0.35, 0.6, 0.8)
_TIP_RADII = ((0.0100, 0.0100, 0.0070, 0.0095), *((0.0070, 0.0070, 0.0063, 0.0077),) * 4)
_MIDDLE_ALONG, _MIDDLE_RADII = (0.3, 0.75), (0.0115, *(0.0080,) * 4)
_PALM_ALONG, _PALM_RADIUS = (0.35, 0.6, 0.85), 0.018
_THUMB_BASE_ALONG = 0.6


def _layout() -> list[tuple[int, int, float, float, int]]:
    """(from joint, to joint, share of the way, radius, contact point) of every sphere."""
    rows = []
    for finger in range(5):
        base, middle, tip = finger_joints(finger)[1:]
        rows += [(middle, tip, u, r, finger) for u, r in zip(_TIP_ALONG, _TIP_RADII[finger], strict=True)]
        rows += [(base, middle, u, _MIDDLE_RADII[finger], BETWEEN) for u in _MIDDLE_ALONG]
    rows += [(WRIST, knuckle, u, _PALM_RADIUS, 5) for knuckle in MCPS for u in _PALM_ALONG]
    return [*rows, (WRIST, finger_joints(0)[1], _THUMB_BASE_ALONG, _PALM_RADIUS, 5)]


_ROWS = _layout()
OWNERS: Int64[np.ndarray, " n"] = np.array([row[4] for row in _ROWS])
"""Contact point (index into `CONTACT_POINTS`) of each sphere, or `BETWEEN`."""
_FROM = np.array([row[0] for row in _ROWS])
_TO = np.array([row[1] for row in _ROWS])
_SHARE = np.array([row[2] for row in _ROWS])[:, None]


def sphere_radii(hand_length: float = ADULT_HAND_LENGTH) -> Float64[np.ndarray, " n"]:
    """Radii (m); they scale with the hand."""
    return np.array([row[3] for row in _ROWS]) * (hand_length / ADULT_HAND_LENGTH)


def sphere_centres(joints: Float64[np.ndarray, "*b j=21 3"]) -> Float64[np.ndarray, "*b n 3"]:
    """Centres in the frame of the joints (m)."""
    start = joints[..., _FROM, :]
    return start + _SHARE * (joints[..., _TO, :] - start)
