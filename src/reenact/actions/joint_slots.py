"""The slots that copy a robot's own joints."""

from __future__ import annotations

import mujoco
import numpy as np

from reenact.actions.slots import Slot
from reenact.hands.joints import SIDES
from reenact.robots.model import Robot


def joint_slots(robot: Robot, *, arms: bool = True, hands: bool = False) -> tuple[Slot, ...]:
    """Slots that copy a robot's own joints: ``arm_left_joints`` (rad), ``arm_left_slides`` (m), ``hand_left_joints``."""
    slots: list[Slot] = []
    for side in SIDES:
        for part, group in (("arm", robot.arms if arms else {}), ("hand", robot.hands if hands else {})):
            if side in group:
                slots += _slots_of(robot, f"{part}_{side}", group[side].joint_idx)  # type: ignore[index]
    return tuple(slots)


def _slots_of(robot: Robot, name: str, idx: np.ndarray) -> list[Slot]:
    slide = robot.model.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE.value
    hinges = tuple(robot.joint_names[j] for j in idx if not slide[j])
    slides = tuple(robot.joint_names[j] for j in idx if slide[j])
    rows = ((f"{name}_joints", "rad", hinges), (f"{name}_slides", "m", slides))
    return [Slot(n, "joints", "", unit, "difference", names) for n, unit, names in rows if names]
