"""Which way a clip faces: where the fingers point, on average. A person stands behind their hands; so may a robot."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.retarget.targets import HandTargets

ACROSS_SHARE = 0.1
"""Share of the little-finger-to-thumb direction mixed in, so that hands pointing straight down still face somewhere."""


def clip_heading(
    targets: HandTargets, sides: tuple[int, ...], up: Float64[np.ndarray, "3"]
) -> Float64[np.ndarray, "3"]:
    """Unit vector across `up`, carried along by any rotation of the clip about it."""
    total = np.zeros(3)
    for side in sides:
        R = targets.T_world_wrist[targets.valid[:, side], side, :3, :3]
        distal = R[:, :, 0].mean(axis=0) * (1.0 if side == 0 else -1.0)
        total += distal + ACROSS_SHARE * R[:, :, 2].mean(axis=0)
    total = total - (total @ up) * up
    length = float(np.linalg.norm(total))
    if length > 1e-6:
        return total / length
    spare = np.cross(up, np.eye(3)[np.argmin(np.abs(up))])
    return spare / np.linalg.norm(spare)
