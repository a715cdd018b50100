"""The action space to robot joints by inverse kinematics: the mirror of `robot.encode_robot`.

Grippers and joint slots are copied; arms follow wrists and fingers follow tips, each solved on its own. What the space
does not say is not made up: joints that no unmasked slot determines are marked so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.actions.errors import BadActions
from reenact.actions.ik import Linearize, solve, solve_anew, solve_path
from reenact.actions.robot import RobotSpaceConfig
from reenact.actions.slots import UNIFIED, ActionSpec
from reenact.actions.vector import ActionVector
from reenact.geometry.rotations import rotation_angle, so3_log
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import FINGERS, SIDES
from reenact.robots.joint_set import JointSet, finger_groups
from reenact.robots.model import Finger, Robot, Side


@dataclass(frozen=True)
class RobotJoints:
    """Joints found for a stretch of the space, and how near they come to what was asked."""

    q: Float64[np.ndarray, "t q"]
    """Joints that are not `known` stand where they were started, or between known neighbours."""
    known: Bool[np.ndarray, "t q"]
    """Joints that unmasked slots determine (spare joints of an arm or finger as far as their start decides)."""
    wrist_error: Float64[np.ndarray, "t s=2"]
    """Distance of the wrist from its slot (m); 0 where masked."""
    rotation_error: Float64[np.ndarray, "t s=2"]
    """The same (rad)."""
    tip_error: Float64[np.ndarray, "t s=2 f=5"]
    """Distance of a fingertip from its slot, in the wrist frame (m); 0 where masked or where the robot has no such."""


def decode_robot(
    robot: Robot,
    vector: ActionVector,
    T_base_ego: Float64[np.ndarray, "... 4 4"],
    q_start: Float64[np.ndarray, " q"] | Float64[np.ndarray, "t q"] | None = None,
    config: RobotSpaceConfig | None = None,
) -> RobotJoints:
    """The space to joints: grippers and joint slots by copying, arms from wrists and fingers from tips by IK.

    Args:
        robot: whose joints are wanted.
        vector: the space.
        T_base_ego: as for `encode_robot`.
        q_start: where to start: one state, from which the motion is followed through time, or a state per instant,
            from which each is solved on its own. The home pose by default.
        config: alignment and solver.

    Raises:
        BadActions: shapes that do not fit.
    """
    config = config or RobotSpaceConfig()
    t = len(vector)
    start = robot.home_q if q_start is None else np.asarray(q_start, float)
    if start.shape not in ((robot.n_q,), (t, robot.n_q)):
        raise BadActions(f"q_start is {start.shape}", hint=f"({robot.n_q},) or {(t, robot.n_q)}")
    decoder = _Decoder(robot, vector, np.broadcast_to(T_base_ego, (t, 4, 4)), start, config)
    decoder.copy()
    for side in robot.wrist_sides:
        if side in robot.arms:
            decoder.solve_arm(side)
        if side in robot.hands:
            decoder.solve_fingers(side)
    return decoder.result()


class _Decoder:
    """Joints while they are being found."""

    def __init__(
        self,
        robot: Robot,
        vector: ActionVector,
        T_base_ego: np.ndarray,
        start: np.ndarray,
        config: RobotSpaceConfig,
    ) -> None:
        self.robot, self.config = robot, config
        self.vector = vector.onto(ActionSpec(tuple(dict.fromkeys(UNIFIED.slots + vector.spec.slots))))
        self.T_base_ego, self.path = T_base_ego, start.ndim == 1
        self.q = np.array(np.broadcast_to(start, (len(vector), robot.n_q)))
        self.known = np.zeros(self.q.shape, bool)

    def copy(self) -> None:
        """Joint slots and grippers."""
        for slot in self.vector.spec.slots:
            values, known = self.vector.read(slot.name)
            if (
                slot.kind == "joints"
                and self.config.copy_joints
                and set(slot.components) <= set(self.robot.joint_names)
            ):
                idx = self.robot.joint_idx(slot.components)
                self.q[np.ix_(known, idx)], self.known[np.ix_(known, idx)] = values[known], True
            side = slot.name.removeprefix("gripper_")
            if slot.kind == "opening" and side in self.robot.grippers:
                gripper = self.robot.grippers[side]
                self.q[np.ix_(known, gripper.joint_idx)] = gripper.joints_at(values[known, 0])
                self.known[np.ix_(known, gripper.joint_idx)] = True

    def _wanted_wrist(self, side: str) -> tuple[np.ndarray, np.ndarray]:
        """`T_base_wrist` of the sheet's wrist frame, and where it is known."""
        T, known = self.vector.pose(f"wrist_{side}")
        return self.T_base_ego @ T @ inverse(self.config.alignment.of(side)), known

    def _wanted_tips(self, side: str, fingers: tuple[Finger, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Tips [t f 3] in the sheet's wrist frame, and where they are known [t f]."""
        read = [self.vector.read(f"tip_{side}_{f.name}") for f in fingers]
        tips = apply(self.config.alignment.of(side), np.stack([p for p, _ in read], axis=1))
        return tips, np.stack([k for _, k in read], axis=1)

    def solve_arm(self, side: Side) -> None:
        """Arm joints from the wrist pose."""
        T, known = self._wanted_wrist(side)
        joints, name = JointSet(self.robot, self.robot.arms[side].joint_idx), f"wrist_{side}"
        rows = np.flatnonzero(known & ~self.known[:, joints.joint_idx].all(axis=1))
        columns, weight = joints.moved.tolist(), self.config.ik.rotation_weight
        slope = joints.matrix[joints.moved]

        def linearize(x: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            here, J = self.robot.kinematics.jacobians(joints.put(self.q[rows[which]], x), [name], columns)
            target, here = T[rows[which]], here[:, 0]
            turn = so3_log(target[:, :3, :3] @ np.swapaxes(here[:, :3, :3], 1, 2))
            error = np.concatenate([target[:, :3, 3] - here[:, :3, 3], weight * turn], axis=1)
            J = J[:, 0] @ slope
            J[:, 3:] *= weight
            return error, J

        self._run(linearize, joints, rows)
        self.known[np.ix_(rows, joints.moved)] = True

    def solve_fingers(self, side: Side) -> None:
        """Finger joints from the tips in the wrist frame."""
        for fingers, joints in finger_groups(self.robot, self.robot.hands[side]):
            tips, known = self._wanted_tips(side, fingers)
            rows = np.flatnonzero(known.any(axis=1) & ~self.known[:, joints.joint_idx].all(axis=1))
            self._run(self._tip_problem(side, fingers, joints, rows, tips, known), joints, rows)
            for k, finger in enumerate(fingers):
                own = JointSet(self.robot, finger.joint_idx).moved
                self.known[np.ix_(rows[known[rows, k]], own)] = True

    def _tip_problem(
        self,
        side: Side,
        fingers: tuple[Finger, ...],
        joints: JointSet,
        rows: np.ndarray,
        tips: np.ndarray,
        known: np.ndarray,
    ) -> Linearize:
        """Distance of some fingers' tips from where they are wanted; masked tips ask for nothing."""
        names, columns = [f.tip_frame for f in fingers], joints.moved.tolist()
        slope = joints.matrix[joints.moved]
        wanted = apply(self.robot.T_base_wrist(self.q[rows], side), tips[rows])
        seen = known[rows][..., None]

        def linearize(x: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            T, J = self.robot.kinematics.jacobians(joints.put(self.q[rows[which]], x), names, columns)
            error = (wanted[which] - T[:, :, :3, 3]) * seen[which]
            J = (J[:, :, :3] @ slope) * seen[which][..., None]
            return error.reshape(len(x), 3 * len(names)), J.reshape(len(x), 3 * len(names), J.shape[-1])

        return linearize

    def _run(self, linearize: Linearize, joints: JointSet, rows: np.ndarray) -> None:
        """Solves the rows, through time or each from its own start."""
        if len(rows) == 0:
            return
        (lower, upper), ik = joints.limits, self.config.ik
        x0 = joints.read(self.q[rows])
        if self.path:
            x, _ = solve_path(linearize, x0[0], len(rows), lower, upper, ik)
        else:
            x, left = solve(linearize, x0, lower, upper, ik)
            x, _ = solve_anew(linearize, x, left, lower, upper, ik)
        self.q[rows] = joints.put(self.q[rows], x)

    def _bridge(self) -> None:
        """Unknown rows between known ones lie on the straight line; before the first and after the last they hold."""
        instants = np.arange(len(self.q))
        for j in np.flatnonzero(self.known.any(axis=0) & ~self.known.all(axis=0)):
            seen = self.known[:, j]
            self.q[~seen, j] = np.interp(instants[~seen], instants[seen], self.q[seen, j])

    def result(self) -> RobotJoints:
        """Joints and what is left of the errors, measured by forward kinematics."""
        if self.path:
            self._bridge()
        t = len(self.q)
        wrist, turn, tip = np.zeros((t, 2)), np.zeros((t, 2)), np.zeros((t, 2, 5))
        for side in self.robot.wrist_sides:
            s = SIDES.index(side)
            T, known = self._wanted_wrist(side)
            here = self.robot.T_base_wrist(self.q, side)
            wrist[:, s] = np.where(known, np.linalg.norm(T[:, :3, 3] - here[:, :3, 3], axis=1), 0.0)
            turn[:, s] = np.where(known, rotation_angle(T[:, :3, :3], here[:, :3, :3]), 0.0)
            if side in self.robot.hands:
                fingers = self.robot.hands[side].fingers
                wanted, seen = self._wanted_tips(side, fingers)
                reached = apply(inverse(here), self.robot.fingertips(self.q, side))
                columns = [FINGERS.index(f.name) for f in fingers]
                tip[:, s, columns] = np.where(seen, np.linalg.norm(wanted - reached, axis=-1), 0.0)
        return RobotJoints(self.q, self.known, wrist, turn, tip)
