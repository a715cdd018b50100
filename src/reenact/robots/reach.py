"""Which part of a wrist pose an arm cannot choose: arms of fewer than six joints, and the tolerance stated for them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from reenact.robots.model import Robot, Side

FULL_ARM = 6
"""Joints from which on an arm can take any pose inside its reach."""


def free_turn(robot: Robot, side: Side) -> Float[np.ndarray, "3"] | None:
    """The axis (unit, base frame) about which an arm of five joints does not follow the hand's turn; None for others.

    Such an arm is a plane that turns about its first joint: where the wrist is decides the heading of that plane, the
    two joints left choose the hand's slope in the plane and its roll. So everything but the turn about the first
    joint's axis can be met: with wrist angles written as heading, slope and roll about that axis, slope and roll are
    free and the heading is given.
    """
    arm = robot.arms.get(side)
    if arm is None or len(arm.joint_idx) != FULL_ARM - 1 or side not in robot.wrist_sides:
        return None
    first = [int(arm.joint_idx[0])]
    _, jacobian = robot.kinematics.jacobians(robot.home_q, [f"wrist_{side}"], first)
    axis = jacobian[0, 3:, 0]
    return axis / np.linalg.norm(axis)


def stated_tolerance(robot: Robot, position: float, rotation: float) -> str:
    """The tolerance of the robot's own rate, in words."""
    text = f"{position * 100:g} cm and {rotation:g} rad"
    if any(free_turn(robot, side) is not None for side in robot.arms):
        return f"{text} of slope and roll; the heading (turn about the first joint's axis) is not counted: 5 joints"
    return text
