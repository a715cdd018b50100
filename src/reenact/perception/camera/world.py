"""The world frame of a clip: origin at the first camera, +Z up, +X where the first camera looks, level."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import make_T


def world_from_up(up_camera: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "4 4"]:
    """``T_world_camera`` of the first camera from up in its own axes.

    +X is the level part of the optical axis; a camera that looks straight up or down (within 1 deg) takes
    the level part of the picture's up instead.
    """
    z = np.asarray(up_camera, dtype=np.float64)
    z = z / np.linalg.norm(z)
    for ahead in (np.array([0.0, 0.0, 1.0]), np.array([0.0, -1.0, 0.0])):
        level = ahead - (ahead @ z) * z
        if np.linalg.norm(level) > np.sin(np.deg2rad(1.0)):
            break
    x = level / np.linalg.norm(level)
    return make_T(np.stack([x, np.cross(z, x), z]), np.zeros(3))
