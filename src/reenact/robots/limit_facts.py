"""How far a motion goes beyond what the makers state: facts that travel with every exported file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.robots.accelerations import acceleration_limits
from reenact.robots.model import Robot
from reenact.robots.trajectory import JointTrajectory

SLACK = 1e-6
"""Ratios up to this much over 1 count as kept."""


@dataclass(frozen=True)
class LimitFacts:
    """Peaks of a motion over the limits. Ratios up to 1 keep them; None where no limit is known."""

    range_excess: float
    """Farthest beyond a joint range (rad or m); 0 when kept."""
    velocity_ratio: float | None
    velocity_joint: str
    """Where that is."""
    acceleration_ratio: float | None
    acceleration_joint: str
    peak_acceleration: float
    """Largest joint acceleration (rad/s^2 or m/s^2), also where no limit is known."""
    joints_without_acceleration_limit: int

    @property
    def kept(self) -> bool:
        """Every known limit is kept."""
        ratios = [r for r in (self.velocity_ratio, self.acceleration_ratio) if r is not None]
        return self.range_excess <= SLACK and all(r <= 1 + SLACK for r in ratios)

    def sentences(self) -> tuple[str, ...]:
        """In words, one limit after the other."""
        beyond = f"a joint leaves its range by {self.range_excess:.4f}"
        said = ["joint ranges kept" if self.range_excess <= SLACK else beyond]
        for name, ratio, joint in (
            ("speed", self.velocity_ratio, self.velocity_joint),
            ("acceleration", self.acceleration_ratio, self.acceleration_joint),
        ):
            if ratio is None:
                said.append(f"{name} limits unknown")
            elif ratio <= 1 + SLACK:
                said.append(f"{name} limits kept: {ratio:.2f} of the limit at most, at {joint}")
            else:
                said.append(
                    f"{name} limit exceeded: {ratio:.2f} times the limit at {joint}; slow it down before use"
                )
        if self.joints_without_acceleration_limit:
            said.append(
                f"{self.joints_without_acceleration_limit} joints have no stated acceleration limit; "
                f"largest acceleration {self.peak_acceleration:.1f}"
            )
        return tuple(said)


def joint_velocities(trajectory: JointTrajectory) -> Float64[np.ndarray, "t q"]:
    """Velocity at every frame (rad/s or m/s): central differences, one-sided at the ends."""
    seconds = (trajectory.t_ns - trajectory.t_ns[0]) * 1e-9
    if len(seconds) < 2:
        return np.zeros_like(trajectory.q)
    return np.gradient(trajectory.q, seconds, axis=0)


def joint_accelerations(trajectory: JointTrajectory) -> Float64[np.ndarray, "_ q"]:
    """Second differences at all frames but the first and the last (rad/s^2 or m/s^2)."""
    if len(trajectory.t_ns) < 3:
        return np.zeros((0, trajectory.q.shape[1]))
    dt = np.diff(trajectory.t_ns)[:, None] * 1e-9
    velocity = np.diff(trajectory.q, axis=0) / dt
    return np.diff(velocity, axis=0) / (0.5 * (dt[1:] + dt[:-1]))


def limit_facts(trajectory: JointTrajectory, robot: Robot) -> LimitFacts:
    """Measure a motion against the robot's ranges, speeds and (where stated) accelerations.

    Raises:
        RecordError: the motion is another robot's.
    """
    trajectory.for_robot(robot)
    q = trajectory.q
    dt = np.diff(trajectory.t_ns)[:, None] * 1e-9
    speed = np.abs(np.diff(q, axis=0) / dt)
    acceleration = np.abs(joint_accelerations(trajectory))
    allowed = acceleration_limits(robot)
    v, v_joint = _worst(speed, robot.velocity_limits, robot.joint_names)
    a, a_joint = _worst(acceleration, allowed, robot.joint_names)
    return LimitFacts(
        range_excess=float(max(np.maximum(robot.lower - q, q - robot.upper).max(initial=0.0), 0.0)),
        velocity_ratio=v,
        velocity_joint=v_joint,
        acceleration_ratio=a,
        acceleration_joint=a_joint,
        peak_acceleration=float(acceleration.max(initial=0.0)),
        joints_without_acceleration_limit=int((~np.isfinite(allowed)).sum()),
    )


def _worst(values: np.ndarray, limits: np.ndarray, names: tuple[str, ...]) -> tuple[float | None, str]:
    """Highest ratio over a known limit, and the joint that has it."""
    known = np.flatnonzero(np.isfinite(limits))
    if len(known) == 0:
        return None, ""
    ratio = (values[:, known] / limits[known]).max(axis=0, initial=0.0)
    at = int(ratio.argmax())
    return float(ratio[at]), names[known[at]]
