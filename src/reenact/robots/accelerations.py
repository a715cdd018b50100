"""Joint accelerations that makers state: few do. Everything not named here is unknown, which is not unlimited."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from reenact.robots.model import Robot

STATED: dict[str, float] = {"fr3_joint": 10.0}
"""rad/s^2 by a part of the joint's name. Franka Research 3: robot and interface specifications, joint space limits."""
STATED_BY_ROBOT: dict[str, dict[str, float]] = {"xarm7_allegro": {"joint": 1145.0 * np.pi / 180.0}}
"""Where the joint's name alone is too common. xArm: user manual, joint motion parameters, 1145 degrees/s^2."""


def acceleration_limits(robot: Robot) -> Float[np.ndarray, " q"]:
    """Largest acceleration of each joint (rad/s^2 or m/s^2) as its maker states it; infinity where none does."""
    out = np.full(robot.n_q, np.inf)
    arms = [int(j) for arm in robot.arms.values() for j in arm.joint_idx]
    for part, limit in (STATED | STATED_BY_ROBOT.get(robot.name, {})).items():
        for j in arms:
            if part in robot.joint_names[j]:
                out[j] = limit
    return out
