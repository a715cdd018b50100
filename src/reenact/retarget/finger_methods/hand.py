"""One hand of a robot as the finger methods see it: free joints in, fingertips in the wrist frame out."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float64

from reenact.robots.joint_set import JointSet
from reenact.robots.kinematics import Kinematics
from reenact.robots.model import Hand, Robot, Side
from reenact.robots.poses import matrix_from_pose
from reenact.robots.sheet import FrameSpec


@dataclass(frozen=True)
class JointAxes:
    """Axes of all the robot's joints and the fingertips, at q = 0, in the wrist frame (m)."""

    axis: Float64[np.ndarray, "q 3"]
    anchor: Float64[np.ndarray, "q 3"]
    tips: Float64[np.ndarray, "f 3"]


class HandModel:
    """Free joints x [t n] of a hand, the points on it, and their slopes; the rest of the robot stands at home."""

    def __init__(self, robot: Robot, side: Side, points: dict[str, FrameSpec] | None = None) -> None:
        """Of one side's hand.

        Args:
            points: further named points of the hand to follow after the fingertips.
        """
        self.robot, self.side = robot, side
        self.hand: Hand = robot.hands[side]
        self.joints = JointSet(robot, self.hand.joint_idx)
        self.lower, self.upper = self.joints.limits
        tips = {name: robot.sheet.hands[side].fingers[name].tip for name in self.hand.finger_names}
        frames = {f"tip {name}": frame for name, frame in tips.items()} | (points or {})
        wrist = robot.sheet.wrists[side]
        self._body, T = _carrier(robot.model, wrist.body)
        self._T_body_wrist = T @ matrix_from_pose(wrist.pos, wrist.quat_wxyz)
        self._kinematics = Kinematics(robot.model, self._body, frames)
        self._names = list(frames)
        self._matrix = self.joints.matrix[self.joints.moved]
        self._plain = np.array_equal(self._matrix, np.eye(len(self._matrix)))
        self._at = [int(np.flatnonzero(self.hand.joint_idx == j)[0]) for j in self.joints.joint_idx]

    @property
    def n_fingers(self) -> int:
        """Fingers; their tips are the first points."""
        return len(self.hand.fingers)

    def read(self, q_hand: Float64[np.ndarray, "*b k"]) -> Float64[np.ndarray, "*b n"]:
        """Free joints, inside their limits, of all joints of the hand (`hand.joint_idx` order)."""
        return np.clip(q_hand[..., self._at], self.lower, self.upper)

    def write(self, x: Float64[np.ndarray, "*b n"]) -> Float64[np.ndarray, "*b k"]:
        """All joints of the hand, followers set, inside their limits to the last bit."""
        idx = self.hand.joint_idx
        return np.clip(
            self.joints.put(self.robot.home_q, x)[..., idx], self.robot.lower[idx], self.robot.upper[idx]
        )

    def points(self, x: Float64[np.ndarray, "t n"]) -> Float64[np.ndarray, "t p 3"]:
        """Fingertips (thumb first), then the further points, in the wrist frame (m)."""
        T = self._kinematics.frames(self.joints.put(self.robot.home_q, x), self._names)
        return (T[..., :3, 3] - self._T_body_wrist[:3, 3]) @ self._T_body_wrist[:3, :3]

    def slopes(
        self, x: Float64[np.ndarray, "t n"]
    ) -> tuple[Float64[np.ndarray, "t p 3"], Float64[np.ndarray, "t p 3 n"]]:
        """The points and their derivatives by the free joints."""
        q = self.joints.put(self.robot.home_q, x)
        T, J = self._kinematics.jacobians(q, self._names, self.joints.moved)
        R = self._T_body_wrist[:3, :3]
        slopes = R.T @ np.ascontiguousarray(J[:, :, :3])
        if not self._plain:
            slopes = slopes @ self._matrix
        return (T[..., :3, 3] - self._T_body_wrist[:3, 3]) @ R, slopes

    def joints_to_tip(self, finger: int) -> list[int]:
        """Columns of the robot's q that move a fingertip against the wrist, from the palm outwards."""
        return [int(j) for j in self._kinematics.joints_to(self._names[finger])]

    def joint_axes(self) -> JointAxes:
        """The hand as a product of exponentials: what a differentiable copy of it needs."""
        model = self.robot.model
        data = mujoco.MjData(model)
        data.qpos[:] = 0.0
        mujoco.mj_kinematics(model, data)
        body = model.body(self._body).id
        R = data.xmat[body].reshape(3, 3) @ self._T_body_wrist[:3, :3]
        origin = data.xpos[body] + data.xmat[body].reshape(3, 3) @ self._T_body_wrist[:3, 3]
        tips = self._kinematics.frames(np.zeros((1, self.robot.n_q)), self._names[: self.n_fingers])
        tips = (tips[0, :, :3, 3] - self._T_body_wrist[:3, 3]) @ self._T_body_wrist[:3, :3]
        return JointAxes(data.xaxis @ R, (data.xanchor - origin) @ R, tips)


def _carrier(model: mujoco.MjModel, name: str) -> tuple[str, Float64[np.ndarray, "4 4"]]:
    """The moving body that carries a body rigidly (itself, or above it past bodies without joints), and its pose there.

    A palm may be a body beside the fingers rather than above them, as on Robonaut 2.
    """
    body, T = model.body(name).id, np.eye(4)
    while int(model.body_jntnum[body]) == 0 and int(model.body_parentid[body]) > 0:
        T = matrix_from_pose(model.body_pos[body], model.body_quat[body]) @ T
        body = int(model.body_parentid[body])
    return model.body(body).name, T
