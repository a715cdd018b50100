"""Robots to the action space by forward kinematics; `robot_decode` is the way back, and the two mirror each other.

`encode_robot` reads joints, `decode_robot` finds them. Both speak of the same wrist frames (`WristAlignment`) and the
same ego camera (`T_base_ego`), and masks go both ways: a wrist is known when every joint up to it is, and a joint is
known again when the slots that determine it are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.actions.alignment import WristAlignment
from reenact.actions.errors import BadActions
from reenact.actions.ik import IkConfig
from reenact.actions.slots import UNIFIED, ActionSpec
from reenact.actions.vector import ActionVector, Known, pose_known
from reenact.geometry.transforms import apply, inverse
from reenact.robots.model import Gripper, Robot, Side


@dataclass(frozen=True)
class RobotSpaceConfig:
    """How a robot meets the space."""

    alignment: WristAlignment = field(default_factory=WristAlignment)
    """The wrist frame of the space in that of the sheet."""
    copy_joints: bool = True
    """Decode takes joints from joint slots where they are known; otherwise (False) always from wrists and tips."""
    ik: IkConfig = field(default_factory=IkConfig)


def encode_robot(
    robot: Robot,
    q: Float64[np.ndarray, "t q"],
    t_ns: Int64[np.ndarray, " t"],
    T_base_ego: Float64[np.ndarray, "... 4 4"],
    known: Bool[np.ndarray, "t q"] | None = None,
    spec: ActionSpec = UNIFIED,
    config: RobotSpaceConfig | None = None,
    T_world_base: Float64[np.ndarray, "... 4 4"] | None = None,
) -> ActionVector:
    """Joints to the space.

    Args:
        robot: whose joints.
        q: joint values, couplings kept; anything where not `known`.
        t_ns: instants.
        T_base_ego: the ego camera in the robot's base, one pose or one per instant.
        known: which joint values are real; all of them when left out.
        spec: the space wanted; slots this robot does not have stay masked.
        config: alignment.
        T_world_base: where the base stands, for the camera slots.

    Raises:
        BadActions: shapes that do not fit the robot.
    """
    config = config or RobotSpaceConfig()
    t = len(t_ns)
    if np.shape(q) != (t, robot.n_q) or (known is not None and np.shape(known) != (t, robot.n_q)):
        raise BadActions(
            f"q is {np.shape(q)} for {t} instants of {robot.name!r}", hint=f"expected {(t, robot.n_q)}"
        )
    known = np.ones((t, robot.n_q), bool) if known is None else known
    q = np.where(known, q, robot.home_q)
    T_base_ego = np.broadcast_to(T_base_ego, (t, 4, 4))
    slots: dict[str, Known] = {}
    for side in robot.wrist_sides:
        slots |= _wrist_and_tips(robot, q, known, side, T_base_ego, config)
    for side, gripper in robot.grippers.items():
        slots[f"gripper_{side}"] = (
            opening_of(gripper, q)[:, None],
            np.all(known[:, gripper.joint_idx], axis=1),
        )
    if T_world_base is not None:
        slots |= pose_known("camera", np.broadcast_to(T_world_base, (t, 4, 4)) @ T_base_ego, np.ones(t, bool))
    for slot in spec.slots:
        if slot.kind == "joints" and set(slot.components) <= set(robot.joint_names):
            idx = robot.joint_idx(slot.components)
            slots[slot.name] = (q[:, idx], np.all(known[:, idx], axis=1))
    return ActionVector.assemble(spec, t_ns, {name: v for name, v in slots.items() if spec.has(name)})


def _wrist_and_tips(
    robot: Robot,
    q: np.ndarray,
    known: np.ndarray,
    side: Side,
    T_base_ego: np.ndarray,
    config: RobotSpaceConfig,
) -> dict[str, Known]:
    fingers = robot.hands[side].fingers if side in robot.hands else ()
    T = robot.frames(q, [f"wrist_{side}", *(f.tip_frame for f in fingers)])
    T_base_wrist = T[:, 0] @ config.alignment.of(side)
    to_wrist = robot.kinematics.joints_to(f"wrist_{side}")
    slots = pose_known(
        f"wrist_{side}", inverse(T_base_ego) @ T_base_wrist, np.all(known[:, to_wrist], axis=1)
    )
    tips = apply(inverse(T_base_wrist), T[:, 1:, :3, 3])
    for k, finger in enumerate(fingers):
        path = sorted(set(robot.kinematics.joints_to(finger.tip_frame)) - set(to_wrist))
        slots[f"tip_{side}_{finger.name}"] = (tips[:, k], np.all(known[:, path], axis=1))
    return slots


def opening_of(gripper: Gripper, q: Float64[np.ndarray, "*b q"]) -> Float64[np.ndarray, "*b"]:
    """Distance between the pads (m) of jaws somewhere between closed and open; the inverse of `Gripper.joints_at`."""
    stroke = gripper.open - gripper.closed
    share = ((q[..., gripper.joint_idx] - gripper.closed) @ stroke) / (stroke @ stroke)
    return share * gripper.aperture
