"""The reference to compare with: mink's differential IK, one frame after the other.

Frame tasks on both wrists, a posture task, joint and velocity limits, solved with daqp; several steps per frame.
This is what a user would write by hand; it inherits the posture of the frame before.
"""

from __future__ import annotations

from dataclasses import dataclass

import mink
import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import SIDES
from reenact.retarget.arms import ArmTask
from reenact.robots.model import Robot
from reenact.robots.poses import matrix_from_pose


@dataclass(frozen=True)
class MinkConfig:
    """Settings of the sequential loop."""

    position_cost: float = 1.0
    """Weight of wrist positions (1/m)."""
    orientation_cost: float = 0.3
    """Weight of wrist rotations (1/rad)."""
    posture_cost: float = 1e-3
    """Weight of the distance to home."""
    damping: float = 1e-4
    """Levenberg-Marquardt damping of the frame tasks."""
    steps: int = 6
    """Differential steps per frame; together they take one frame's time."""
    first_steps: int = 300
    """Steps on the first frame, from home, without velocity limit."""
    clearance: bool = False
    """Add mink's collision avoidance between the arms and everything else (slower)."""
    solver: str = "daqp"
    """QP solver."""


def mink_arms(
    robot: Robot, tasks: tuple[ArmTask | None, ArmTask | None], config: MinkConfig | None = None
) -> tuple[Float64[np.ndarray, "t n"] | None, Float64[np.ndarray, "t n"] | None]:
    """Joint positions of both arms over the clip, frame by frame."""
    config = config or MinkConfig()
    followed = [(side, task) for side, task in enumerate(tasks) if task is not None]
    seconds = followed[0][1].targets.seconds
    configuration = mink.Configuration(robot.model)
    configuration.update(robot.home_q)
    loop = _Loop(robot, followed, configuration, config)
    out = np.empty((len(seconds), robot.n_q))
    for t in range(len(seconds)):
        dt = float(seconds[t] - seconds[t - 1]) if t else float(seconds[1] - seconds[0])
        loop.aim(t)
        for _ in range(config.steps if t else config.first_steps):
            loop.step(dt / config.steps if t else 0.05, limited=t > 0)
        out[t] = np.clip(configuration.q, robot.lower, robot.upper)
    both: list[np.ndarray | None] = [None, None]
    for side, _ in followed:
        both[side] = out[:, robot.arms[SIDES[side]].joint_idx]  # type: ignore[index]
    return both[0], both[1]


class _Loop:
    """Tasks and limits of one run."""

    def __init__(
        self,
        robot: Robot,
        followed: list[tuple[int, ArmTask]],
        configuration: mink.Configuration,
        config: MinkConfig,
    ) -> None:
        self.configuration, self.config = configuration, config
        self.frames = []
        for side, task in followed:
            spec = robot.sheet.wrists[SIDES[side]]
            T_wrist_body = np.linalg.inv(matrix_from_pose(spec.pos, spec.quat_wxyz))
            frame = mink.FrameTask(
                spec.body,
                "body",
                position_cost=config.position_cost,
                orientation_cost=config.orientation_cost,
                lm_damping=config.damping,
            )
            self.frames.append((frame, task, T_wrist_body))
        posture = mink.PostureTask(robot.model, cost=config.posture_cost)
        posture.set_target(robot.home_q)
        self.posture = posture
        arm_joints = {int(j) for side, _ in followed for j in robot.arms[SIDES[side]].joint_idx}  # type: ignore[index]
        still = [j for j in range(robot.n_q) if j not in arm_joints]
        self.constraints = [mink.DofFreezingTask(robot.model, dof_indices=still)] if still else []
        self.limits: list[mink.Limit] = [mink.ConfigurationLimit(robot.model)]
        if config.clearance:
            self.limits.append(_avoidance(robot))
        finite = {
            n: v for n, v in zip(robot.joint_names, robot.velocity_limits, strict=True) if np.isfinite(v)
        }
        self.speed = mink.VelocityLimit(robot.model, finite)
        self.live: list[mink.FrameTask] = []

    def aim(self, t: int) -> None:
        """Sets the targets of frame t; sides without one keep only their posture."""
        self.live = []
        for frame, task, T_wrist_body in self.frames:
            if task.targets.valid[t]:
                frame.set_target(mink.SE3.from_matrix(task.targets.T_base_wrist[t] @ T_wrist_body))
                self.live.append(frame)

    def step(self, dt: float, limited: bool) -> None:
        """One differential step."""
        if not self.live:
            return
        limits = [*self.limits, self.speed] if limited else self.limits
        velocity = mink.solve_ik(
            self.configuration,
            [*self.live, self.posture],
            dt,
            self.config.solver,
            damping=1e-6,
            limits=limits,
            constraints=self.constraints or None,
        )
        self.configuration.integrate_inplace(velocity, dt)


def _avoidance(robot: Robot) -> mink.CollisionAvoidanceLimit:
    """Both arms against each other and the rest of the robot."""
    model = robot.model
    geoms: dict[str, list[str]] = {"left": [], "right": [], "rest": []}
    for g in range(model.ngeom):
        if model.geom_contype[g] or model.geom_conaffinity[g]:
            geoms[_owner(robot, int(model.geom_bodyid[g]))].append(model.geom(g).name)
    pairs = [(geoms["left"], geoms["right"]), (geoms["left"], geoms["rest"]), (geoms["right"], geoms["rest"])]
    return mink.CollisionAvoidanceLimit(
        model,
        [(a, b) for a, b in pairs if a and b],
        minimum_distance_from_collisions=0.01,
        collision_detection_distance=0.05,
    )


def _owner(robot: Robot, body: int) -> str:
    model = robot.model
    while body > 0:
        for side, arm in robot.arms.items():
            first, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
            if any(j in arm.joint_idx for j in range(first, first + count)):
                return side
        body = int(model.body_parentid[body])
    return "rest"
