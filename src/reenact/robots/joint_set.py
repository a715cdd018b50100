"""The independent joints of a part of a robot: what moves freely, what follows, and within which limits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int

from reenact.robots.model import Finger, Hand, Robot


class JointSet:
    """Some joints of a robot that move while all others stand; coupled followers go along.

    `x` holds the independent joints, `q` the whole robot's.
    """

    def __init__(self, robot: Robot, joint_idx: Sequence[int] | Int[np.ndarray, " k"]) -> None:
        self.robot = robot
        wanted = {int(j) for j in joint_idx}
        touched = np.abs(robot.coupling_matrix[sorted(wanted)]).sum(axis=0) > 0
        self._free = np.flatnonzero(touched)
        self.joint_idx: Int[np.ndarray, " n"] = robot.free_idx[self._free]
        """Columns of q that are free."""
        self.matrix = robot.coupling_matrix[:, self._free]
        self.moved: Int[np.ndarray, " m"] = np.flatnonzero(np.abs(self.matrix).sum(axis=1) > 0)
        """Columns of q that change at all."""

    @cached_property
    def limits(self) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        """Lower and upper ends, narrowed so that followers stay inside theirs."""
        robot = self.robot
        lower, upper = robot.lower[self.joint_idx].copy(), robot.upper[self.joint_idx].copy()
        for row in self.moved:
            for k in np.flatnonzero(self.matrix[row]):
                ends = (
                    np.array([robot.lower[row], robot.upper[row]]) - robot.coupling_offset[row]
                ) / self.matrix[row, k]
                lower[k], upper[k] = max(lower[k], ends.min()), min(upper[k], ends.max())
        return lower, upper

    @cached_property
    def velocity(self) -> Float64[np.ndarray, " n"]:
        """Speed limits (rad/s, m/s; infinity where none is known), narrowed so that followers keep theirs."""
        robot = self.robot
        velocity = robot.velocity_limits[self.joint_idx].copy()
        for row in self.moved:
            for k in np.flatnonzero(self.matrix[row]):
                velocity[k] = min(velocity[k], robot.velocity_limits[row] / abs(self.matrix[row, k]))
        return velocity

    def read(self, q: Float64[np.ndarray, "*b q"]) -> Float64[np.ndarray, "*b n"]:
        """The independent joints of whole configurations."""
        return q[..., self.joint_idx]

    def put(
        self, q: Float64[np.ndarray, "... q"], x: Float64[np.ndarray, "*b n"]
    ) -> Float64[np.ndarray, "*b q"]:
        """`q` with these joints at `x` and their followers set."""
        q = np.array(np.broadcast_to(q, (*x.shape[:-1], q.shape[-1])))
        q[..., self.moved] = x @ self.matrix[self.moved].T + self.robot.coupling_offset[self.moved]
        return q


def finger_groups(robot: Robot, hand: Hand) -> list[tuple[tuple[Finger, ...], JointSet]]:
    """Fingers that can be solved apart, each with its joints; those that share a joint come together."""
    groups: list[tuple[list[Finger], set[int]]] = []
    for finger in hand.fingers:
        joints = set(JointSet(robot, finger.joint_idx).joint_idx.tolist())
        fingers = [finger]
        for group in [g for g in groups if g[1] & joints]:
            groups.remove(group)
            fingers, joints = group[0] + fingers, joints | group[1]
        groups.append((fingers, joints))
    return [(tuple(fingers), JointSet(robot, sorted(joints))) for fingers, joints in groups]
