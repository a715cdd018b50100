"""The joints of a robot's fingers and grippers for a whole clip, written into its joint rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import SIDES
from reenact.retarget.contact_targets import ContactPlan
from reenact.retarget.fingers import FingerConfig, solve_fingers
from reenact.retarget.grippers import GripperConfig, solve_gripper
from reenact.retarget.targets import HandTargets
from reenact.robots.model import Robot


def set_hands(
    q: Float64[np.ndarray, "t n"],
    robot: Robot,
    targets: HandTargets,
    fingers: FingerConfig,
    grippers: GripperConfig,
) -> None:
    """Fingers and grippers that do what the hands do; other joints are left alone."""
    for side, name in enumerate(SIDES):
        if name in robot.hands:
            q[:, robot.hands[name].joint_idx] = solve_fingers(robot, targets, side, fingers)
        if name in robot.grippers:
            q[:, robot.grippers[name].joint_idx] = solve_gripper(robot, targets, side, grippers)


def hold_touches(
    q: Float64[np.ndarray, "t n"],
    robot: Robot,
    targets: HandTargets,
    plan: ContactPlan,
    T_world_base: Float64[np.ndarray, "k 4 4"],
    fingers: FingerConfig,
    grippers: GripperConfig,
) -> None:
    """Fingers again, touching tips asked for at their places seen from where the robot's wrists really are.

    ``T_world_base``: one for the clip, or one per instant.
    """
    T = targets.T_world_wrist.copy()
    for side, name in enumerate(SIDES):
        if name in robot.wrist_sides:
            T[:, side] = T_world_base @ robot.T_base_wrist(q, name)
    held = replace(targets, tips_wrist=plan.tips_wrist(targets.tips_wrist, T))
    set_hands(q, robot, held, fingers, grippers)
