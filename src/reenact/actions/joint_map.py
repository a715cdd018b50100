"""A data set's own joint numbers to a robot's `q` and back: one affine map per number.

Recordings name, order and scale joints as their teleoperation software does. A `JointMap` says, once and in both
directions, which joint each number is; what it does not mention is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from reenact.actions.errors import BadActions
from reenact.robots.model import Robot


@dataclass(frozen=True)
class JointMap:
    """``q[joint] = gain * number + offset``, number by number."""

    columns: tuple[str, ...]
    """Names of the recording's numbers, in its order."""
    joints: tuple[str, ...]
    """The robot's joint for each."""
    gain: Float64[np.ndarray, " c"]
    offset: Float64[np.ndarray, " c"]

    def __post_init__(self) -> None:
        if not len(self.columns) == len(self.joints) == len(self.gain) == len(self.offset):
            raise BadActions(
                f"{len(self.columns)} columns, {len(self.joints)} joints, {len(self.gain)} gains"
            )
        if len(set(self.joints)) != len(self.joints) or np.any(self.gain == 0):
            raise BadActions("a joint is named twice or has gain zero, so there would be no way back")

    def _idx(self, robot: Robot) -> Int[np.ndarray, " c"]:
        if missing := [name for name in self.joints if name not in robot.joint_names]:
            raise BadActions(f"{robot.name!r} has no joints {missing[:3]}")
        idx = robot.joint_idx(self.joints)
        if followers := sorted(set(idx.tolist()) - set(robot.free_idx.tolist())):
            raise BadActions(
                f"{robot.joint_names[followers[0]]!r} follows another joint", hint="map the leading one"
            )
        return idx

    def to_q(
        self, robot: Robot, numbers: Float64[np.ndarray, "t c"]
    ) -> tuple[Float64[np.ndarray, "t q"], Bool[np.ndarray, "t q"]]:
        """Joint values (coupled followers set, joints that are not mentioned at home) and which are known.

        Raises:
            BadActions: the robot lacks a joint, or the numbers are not [t c].
        """
        idx, numbers = self._idx(robot), np.asarray(numbers, float)
        if numbers.shape[1:] != (len(self.columns),):
            raise BadActions(f"numbers of shape {numbers.shape}", hint=f"(t, {len(self.columns)})")
        q = np.tile(robot.home_q, (len(numbers), 1))
        q[:, idx] = self.gain * numbers + self.offset
        mentioned = np.isin(robot.free_idx, idx)
        led = np.abs(robot.coupling_matrix[:, ~mentioned]).sum(axis=1) == 0
        moved = np.abs(robot.coupling_matrix[:, mentioned]).sum(axis=1) > 0
        return robot.couple(q), np.tile(led & moved, (len(numbers), 1))

    def from_q(self, robot: Robot, q: Float64[np.ndarray, "t q"]) -> Float64[np.ndarray, "t c"]:
        """The recording's numbers; inverse of `to_q`."""
        return (q[:, self._idx(robot)] - self.offset) / self.gain


def unitree_g1_inspire_map(robot: Robot) -> JointMap:
    """The 26 numbers of Unitree's G1 with Inspire hands (LeRobot recordings of its teleoperation).

    Fourteen arm joints in rad, then per hand six shares of motor travel, 1 open and 0 closed, little finger first
    (the hand's own order). We take the whole travel to be the whole range of the sheet's joint.
    """
    rows: list[tuple[str, str, float, float]] = []
    arm = (
        "shoulder_pitch",
        "shoulder_roll",
        "shoulder_yaw",
        "elbow",
        "wrist_roll",
        "wrist_pitch",
        "wrist_yaw",
    )
    hand = {"Pinky": "little_1", "Ring": "ring_1", "Middle": "middle_1", "Index": "index_1",
            "ThumbBend": "thumb_2", "ThumbRotation": "thumb_1"}  # fmt: skip
    for side in ("left", "right"):
        for name in arm:
            camel = "".join(part.capitalize() for part in name.split("_"))
            rows.append((f"k{side.capitalize()}{camel}", f"{side}_{name}_joint", 1.0, 0.0))
    for side in ("left", "right"):
        for name, joint in hand.items():
            (j,) = robot.joint_idx([f"{side}_{joint}_joint"])
            low, high = float(robot.lower[j]), float(robot.upper[j])
            rows.append((f"k{side.capitalize()}Hand{name}", f"{side}_{joint}_joint", low - high, high))
    columns, joints, gain, offset = zip(*rows, strict=True)
    return JointMap(columns, joints, np.array(gain), np.array(offset))
