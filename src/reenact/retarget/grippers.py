"""Grippers from the pinch: the jaws open as far as thumb and index are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.filters import whittaker
from reenact.hands.joints import SIDES
from reenact.retarget.limits import limit_velocity
from reenact.retarget.targets import HandTargets
from reenact.robots.model import Robot


@dataclass(frozen=True)
class GripperConfig:
    """From fingertip distance to jaw opening."""

    touching: float = 0.015
    """Distance of thumb and index tips (m, joint centres inside the pads) that counts as closed."""
    wide: float = 0.10
    """Distance (m) that counts as fully open."""
    smooth_s: float = 0.15
    """Period (s) below which changes of the opening are smoothed away (zero phase)."""


def solve_gripper(
    robot: Robot, targets: HandTargets, side: int, config: GripperConfig | None = None
) -> Float64[np.ndarray, "t k"]:
    """Jaw joint values (`robot.grippers[side].joint_idx` order) over the clip; held where no hand is seen."""
    config = config or GripperConfig()
    gripper = robot.grippers[SIDES[side]]  # type: ignore[index]
    valid = targets.valid[:, side]
    home = robot.home_q[gripper.joint_idx]
    if not valid.any():
        return np.broadcast_to(home, (len(valid), len(home))).copy()
    tips = targets.tips_wrist[:, side]
    apart = np.linalg.norm(tips[:, 1] - tips[:, 0], axis=1)
    share = np.clip((apart - config.touching) / (config.wide - config.touching), 0.0, 1.0)
    used = np.flatnonzero(valid)
    share = np.interp(targets.seconds, targets.seconds[used], share[used])
    share = np.clip(whittaker(share, None, targets.seconds, config.smooth_s), 0.0, 1.0)
    return limit_velocity(
        gripper.joints_at(share * gripper.aperture), targets.dt, robot.velocity_limits[gripper.joint_idx]
    )
