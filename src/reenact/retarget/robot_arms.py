"""A robot's arms as the solvers' `WristChain`s: only the arm's own joints move, all others stay at home."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int

from reenact.hands.joints import SIDES
from reenact.retarget.clearance import Clearance
from reenact.retarget.posture_bank import BankConfig, draw_bank
from reenact.retarget.root.contract import RobotArms
from reenact.robots.model import Robot
from reenact.robots.reach import free_turn


@dataclass(frozen=True, eq=False)
class RobotChain:
    """One arm of a robot. Coupled joints cannot be part of an arm."""

    robot: Robot
    side: str

    @cached_property
    def joint_idx(self) -> Int[np.ndarray, " n"]:
        """Columns of the robot's q."""
        return self.robot.arms[self.side].joint_idx  # type: ignore[index]

    @cached_property
    def lower(self) -> Float64[np.ndarray, " n"]:
        """Lower joint limits (rad)."""
        return self.robot.lower[self.joint_idx]

    @cached_property
    def upper(self) -> Float64[np.ndarray, " n"]:
        """Upper joint limits (rad)."""
        return self.robot.upper[self.joint_idx]

    @cached_property
    def velocity(self) -> Float64[np.ndarray, " n"]:
        """Velocity limits (rad/s)."""
        return self.robot.velocity_limits[self.joint_idx]

    @cached_property
    def home(self) -> Float64[np.ndarray, " n"]:
        """The sheet's home posture (rad)."""
        return self.robot.home_q[self.joint_idx]

    @cached_property
    def free_turn(self) -> Float64[np.ndarray, "3"] | None:
        """See `robots.reach.free_turn`."""
        return free_turn(self.robot, self.side)  # type: ignore[arg-type]

    @cached_property
    def _columns(self) -> list[int]:
        return [int(i) for i in self.joint_idx]

    def _full(self, q: np.ndarray) -> np.ndarray:
        full = np.empty((*q.shape[:-1], self.robot.n_q))
        full[...] = self.robot.home_q
        full[..., self.joint_idx] = q
        return full

    def fk(self, q: Float64[np.ndarray, "*b n"]) -> Float64[np.ndarray, "*b 4 4"]:
        """`T_base_wrist`."""
        return self.robot.kinematics.frames(self._full(q), [f"wrist_{self.side}"])[..., 0, :, :]

    def fk_jacobian(
        self, q: Float64[np.ndarray, "*b n"]
    ) -> tuple[Float64[np.ndarray, "*b 4 4"], Float64[np.ndarray, "*b 6 n"]]:
        """`T_base_wrist` and its geometric Jacobian (linear rows first, base axes)."""
        T, J = self.robot.kinematics.jacobians(self._full(q), [f"wrist_{self.side}"], self._columns)
        return T[..., 0, :, :], J[..., 0, :, :]


def robot_arms(robot: Robot, config: BankConfig | None = None) -> RobotArms:
    """The arms that have a wrist frame, each with its bank of postures."""
    usable = [s if s in robot.arms and s in robot.wrist_sides else None for s in SIDES]
    chains = tuple(RobotChain(robot, s) if s else None for s in usable)
    banks = tuple(draw_bank(c, config) if c else None for c in chains)
    clearance = Clearance(robot) if any(chains) else None
    return RobotArms((chains[0], chains[1]), (banks[0], banks[1]), clearance, robot.name)
