"""Where shoulders and elbows go for given wrists: a two-link arm whose elbow hangs down and outwards.

In: wrist positions over time. Out: shoulder, elbow and the lean of the upper body, smooth in time because every step
is a smooth closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

UPPER_ARM = 0.30
"""Shoulder to elbow, m (adult mean 0.28 to 0.33; Winter, Biomechanics, table 4.1: 0.186 x 1.7 m = 0.316)."""
FOREARM = 0.255
"""Elbow to wrist, m (Winter: 0.146 x 1.7 m = 0.248)."""
SHOULDER_HALF_WIDTH = 0.185
"""Half of the distance between shoulder centres, m (Winter: 0.129 x 1.7 m = 0.22 to the outside)."""
REACH = 0.975
"""Fraction of the straight arm that is used before the body leans."""


@dataclass(frozen=True)
class Arms:
    """Both arms over time, world frame, metres. Axis s: 0 left, 1 right."""

    shoulders: Float64[np.ndarray, "t s=2 3"]
    elbows: Float64[np.ndarray, "t s=2 3"]
    wrists: Float64[np.ndarray, "t s=2 3"]
    lean: Float64[np.ndarray, "t 3"]
    """Displacement of the upper body."""


def solve_arms(
    wrists_world: Float64[np.ndarray, "t s=2 3"],
    chest_world: Float64[np.ndarray, "3"],
    present: Bool[np.ndarray, "s=2"] | None = None,
) -> Arms:
    """Two-link inverse kinematics for a person at `chest_world` facing +y (its right is +x).

    The elbow lies on its circle as near as it can to "down, out and a little back". Where a wrist is out of reach
    the upper body leans towards it by what is missing.
    """
    out = np.array([[-SHOULDER_HALF_WIDTH, 0, 0], [SHOULDER_HALF_WIDTH, 0, 0]])
    rest = chest_world + out
    shown = np.ones(2) if present is None else present.astype(np.float64)
    gap = wrists_world - rest
    distance = np.linalg.norm(gap, axis=-1, keepdims=True)
    missing = _soft_positive(distance - REACH * (UPPER_ARM + FOREARM), 0.02)
    wanted = gap / distance * missing * shown[:, None]
    lean = wanted.sum(axis=1)
    shoulders = rest + lean[:, None]
    elbows = np.stack([_elbow(shoulders[:, s], wrists_world[:, s], s) for s in (0, 1)], axis=1)
    return Arms(shoulders, elbows, wrists_world, lean)


def _soft_positive(x: np.ndarray, width: float) -> np.ndarray:
    """max(x, 0) with a rounded corner."""
    return 0.5 * (x + np.sqrt(x**2 + width**2))


def _elbow(shoulder: np.ndarray, wrist: np.ndarray, side: int) -> np.ndarray:
    axis = wrist - shoulder
    distance = np.linalg.norm(axis, axis=-1, keepdims=True)
    axis = axis / distance
    distance = np.minimum(distance, 0.9999 * (UPPER_ARM + FOREARM))
    along = (distance**2 + UPPER_ARM**2 - FOREARM**2) / (2 * distance)
    radius = np.sqrt(np.maximum(UPPER_ARM**2 - along**2, 1e-9))
    wish = np.array([(-1.0, 1.0)[side] * 0.55, -0.25, -0.8])
    swivel = wish - (axis @ wish)[:, None] * axis
    swivel /= np.linalg.norm(swivel, axis=-1, keepdims=True)
    return shoulder + along * axis + radius * swivel
