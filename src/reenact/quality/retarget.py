"""Measures on a robot's final trajectory, after all smoothing and limiting: what EgoInfinity reports, and more.

EgoInfinity's table (its section 04) is computed before interpolation, collision handling and smoothing; the same
definitions are applied here to the joint values that are written out. Poses come from the robot's own forward
kinematics of the trajectory, targets from the trajectory's record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.filters import time_shift
from reenact.geometry.rotations import rotation_angle, so3_log
from reenact.hands.joints import SIDES
from reenact.quality.collisions import collisions
from reenact.robots.limit_facts import limit_facts
from reenact.robots.model import Robot
from reenact.robots.reach import free_turn, stated_tolerance
from reenact.robots.trajectory import JointTrajectory

IK_POSITION = 0.01
"""Position tolerance of the IK rate (m), EgoInfinity's retarget setting."""
IK_ROTATION = 0.05
"""Rotation tolerance of the IK rate (rad), the same."""
SHIFT_SPAN_S = 0.8
"""A time shift is measured on unbroken stretches at least this long."""


@dataclass(frozen=True)
class SideQuality:
    """One arm against its targets. A number that nothing supports is None."""

    target_frames: int
    reached_frames: int
    """Within 1 cm and 0.05 rad."""
    ik_rate: float | None
    """reached / target."""
    stated_rate: float | None
    """The same within the arm's own stated tolerance: an arm of five joints is not asked for its heading."""
    position_error_cm: float | None
    """Mean L2 distance of wrist to target."""
    position_error_p95_cm: float | None
    orientation_error_deg: float | None
    """Mean geodesic angle of wrist to target."""
    orientation_error_p95_deg: float | None
    joint_limit_margin_rad: float | None
    """Mean over target frames of the joint nearest to a limit (mean minimum joint clearance)."""
    manipulability: float | None
    """Mean of sqrt(det(J J^T)), J with metres and radians, as in the seed."""
    mean_squared_joint_velocity: float
    """Mean over frames and arm joints, rad^2/s^2: "smoothness" by the seed's text."""
    roughness_rad2: float
    """Mean squared difference between frames, rad^2: what the seed's code computes and its table shows."""
    time_shift_ms: float | None
    """Wrist after target, by cross-correlation; positive = late."""


@dataclass(frozen=True)
class RetargetQuality:
    """The whole trajectory. Means are over all (side, frame) pairs that have a target."""

    robot: str
    frames: int
    ik_rate: float | None
    full_clip_rate: float | None
    """Share of all frames in which every followed hand has a target and reaches it."""
    stated_tolerance: str
    """What the next two rates ask for; for arms of six joints and more the same as above."""
    stated_rate: float | None
    stated_full_clip_rate: float | None
    position_error_cm: float | None
    orientation_error_deg: float | None
    joint_limit_margin_rad: float | None
    manipulability: float | None
    mean_squared_joint_velocity: float
    roughness_rad2: float
    peak_velocity_ratio: float
    """Fastest joint over its speed limit; at most 1 when the limits are kept."""
    peak_acceleration: float
    """Largest joint acceleration, rad/s^2."""
    peak_acceleration_ratio: float | None
    """The same over the maker's stated limit; None where no limit is known (`robots.accelerations`)."""
    limit_violation_rad: float
    """Farthest beyond a joint range; 0 when the limits are kept."""
    collision_frames: int
    """Frames in which the robot touches itself (fingers of one hand among themselves not counted)."""
    collision_pairs: tuple[str, ...]
    """The bodies that touch most often, with their number of frames."""
    time_shift_ms: float | None
    """The larger of the two sides'."""
    left: SideQuality
    right: SideQuality


@dataclass(frozen=True)
class _Side:
    """Arrays of one side."""

    valid: Bool[np.ndarray, " t"]
    position: Float64[np.ndarray, " t"]
    rotation: Float64[np.ndarray, " t"]
    margin: Float64[np.ndarray, " t"]
    ease: Float64[np.ndarray, " t"]
    counted: Float64[np.ndarray, " t"]
    """Rotation error without the turn that an arm of five joints cannot choose."""
    q: Float64[np.ndarray, "t n"]
    shift: float | None

    @property
    def reached(self) -> Bool[np.ndarray, " t"]:
        return self.valid & (self.position <= IK_POSITION) & (self.rotation <= IK_ROTATION)

    @property
    def reached_as_stated(self) -> Bool[np.ndarray, " t"]:
        return self.valid & (self.position <= IK_POSITION) & (self.counted <= IK_ROTATION)


def measure_retarget(trajectory: JointTrajectory, robot: Robot) -> RetargetQuality:
    """All measures of a trajectory.

    Raises:
        RecordError: the trajectory is for another robot, or the robot's sheet has changed since.
    """
    trajectory.for_robot(robot)
    seconds = (trajectory.t_ns - trajectory.t_ns[0]) * 1e-9
    sides = [_side(trajectory, robot, s, seconds) for s in range(len(SIDES))]
    followed = [s for s in sides if s.valid.any()]
    facts = limit_facts(trajectory, robot)
    frames, pairs = collisions(trajectory, robot)
    shifts = [s.shift for s in followed if s.shift is not None]
    moved = np.concatenate([s.q for s in followed or sides], axis=1)
    return RetargetQuality(
        robot=robot.name,
        frames=len(seconds),
        ik_rate=_pooled(followed, lambda s: s.reached.astype(float)),
        full_clip_rate=_every([s.reached for s in followed]),
        stated_tolerance=stated_tolerance(robot, IK_POSITION, IK_ROTATION),
        stated_rate=_pooled(followed, lambda s: s.reached_as_stated.astype(float)),
        stated_full_clip_rate=_every([s.reached_as_stated for s in followed]),
        position_error_cm=_pooled(followed, lambda s: s.position * 100),
        orientation_error_deg=_pooled(followed, lambda s: np.degrees(s.rotation)),
        joint_limit_margin_rad=_pooled(followed, lambda s: s.margin),
        manipulability=_pooled(followed, lambda s: s.ease),
        mean_squared_joint_velocity=_squared_velocity(moved, seconds),
        roughness_rad2=_roughness(moved),
        peak_velocity_ratio=facts.velocity_ratio or 0.0,
        peak_acceleration=facts.peak_acceleration,
        peak_acceleration_ratio=facts.acceleration_ratio,
        limit_violation_rad=facts.range_excess,
        collision_frames=frames,
        collision_pairs=pairs,
        time_shift_ms=max(shifts, key=abs) if shifts else None,
        left=_summary(sides[0], seconds),
        right=_summary(sides[1], seconds),
    )


def side_curves(trajectory: JointTrajectory, robot: Robot) -> tuple[_Side, _Side]:
    """Per frame and side: validity, position error (m), rotation error (rad), joint-limit margin, manipulability."""
    seconds = (trajectory.t_ns - trajectory.t_ns[0]) * 1e-9
    return _side(trajectory, robot, 0, seconds), _side(trajectory, robot, 1, seconds)


def _side(trajectory: JointTrajectory, robot: Robot, side: int, seconds: np.ndarray) -> _Side:
    name, t = SIDES[side], len(seconds)
    if name not in robot.wrist_sides or name not in robot.arms:
        empty = np.zeros(t)
        return _Side(np.zeros(t, bool), empty, empty, empty, empty, empty, np.zeros((t, 0)), None)
    columns = [int(j) for j in robot.arms[name].joint_idx]
    T_base_wrist, jacobian = robot.kinematics.jacobians(trajectory.q, [f"wrist_{name}"], columns)
    T = trajectory.T_world_base @ T_base_wrist[:, 0]
    target, valid = trajectory.T_world_wrist_target[:, side], trajectory.valid[:, side]
    q = trajectory.q[:, columns]
    J, R_error = jacobian[:, 0], target[:, :3, :3] @ np.swapaxes(T[:, :3, :3], 1, 2)
    return _Side(
        valid=valid,
        position=np.linalg.norm(T[:, :3, 3] - target[:, :3, 3], axis=1),
        rotation=rotation_angle(T[:, :3, :3], target[:, :3, :3]),
        margin=np.minimum(q - robot.lower[columns], robot.upper[columns] - q).min(axis=1),
        ease=_manipulability(J),
        counted=_counted(R_error, trajectory, free_turn(robot, name)),
        q=q,
        shift=_shift_ms(target[:, :3, 3], T[:, :3, 3], valid, seconds),
    )


def _manipulability(J: np.ndarray) -> np.ndarray:
    """sqrt(det(J J^T)); of J^T J for arms of fewer than six joints, where the first is always 0."""
    across = np.swapaxes(J, 1, 2)
    return np.sqrt(np.maximum(np.linalg.det(J @ across if J.shape[2] >= 6 else across @ J), 0.0))


def _counted(R_error: np.ndarray, trajectory: JointTrajectory, axis: np.ndarray | None) -> np.ndarray:
    """Angle of the errors (world axes), without the turn about an axis of the base."""
    turn = so3_log(R_error)
    if axis is not None:
        axes = np.broadcast_to(trajectory.T_world_base[:, :3, :3] @ axis, turn.shape)
        turn = turn - (turn * axes).sum(axis=1, keepdims=True) * axes
    return np.linalg.norm(turn, axis=1)


def _shift_ms(target: np.ndarray, wrist: np.ndarray, valid: np.ndarray, seconds: np.ndarray) -> float | None:
    """Milliseconds by which the wrist follows late, on the longest unbroken stretch with a target."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], valid.astype(int), [0]])))
    runs = edges.reshape(-1, 2)
    if len(runs) == 0:
        return None
    first, end = max(runs.tolist(), key=lambda r: r[1] - r[0])
    if end - first < 8 or seconds[end - 1] - seconds[first] < SHIFT_SPAN_S:
        return None
    span = slice(first, end)
    if np.ptp(target[span], axis=0).max() < IK_POSITION:
        return None
    return 1e3 * time_shift(target[span], wrist[span], seconds[span], max_shift_s=0.3)


def _summary(side: _Side, seconds: np.ndarray) -> SideQuality:
    valid = side.valid
    position, rotation = side.position[valid] * 100, np.degrees(side.rotation[valid])
    any_target = bool(valid.any())
    return SideQuality(
        target_frames=int(valid.sum()),
        reached_frames=int(side.reached.sum()),
        ik_rate=float(side.reached.sum() / valid.sum()) if any_target else None,
        stated_rate=float(side.reached_as_stated.sum() / valid.sum()) if any_target else None,
        position_error_cm=float(position.mean()) if any_target else None,
        position_error_p95_cm=float(np.percentile(position, 95)) if any_target else None,
        orientation_error_deg=float(rotation.mean()) if any_target else None,
        orientation_error_p95_deg=float(np.percentile(rotation, 95)) if any_target else None,
        joint_limit_margin_rad=float(side.margin[valid].mean()) if any_target else None,
        manipulability=float(side.ease[valid].mean()) if any_target else None,
        mean_squared_joint_velocity=_squared_velocity(side.q, seconds),
        roughness_rad2=_roughness(side.q),
        time_shift_ms=side.shift,
    )


def _pooled(sides: list[_Side], values: Callable[[_Side], np.ndarray]) -> float | None:
    """Mean over the target frames of all followed sides."""
    if not sides:
        return None
    return float(np.concatenate([values(s)[s.valid] for s in sides]).mean())


def _every(reached: list[np.ndarray]) -> float | None:
    """Share of frames in which all followed sides reach."""
    return float(np.all(reached, axis=0).mean()) if reached else None


def _squared_velocity(q: np.ndarray, seconds: np.ndarray) -> float:
    if q.size == 0 or len(q) < 2:
        return 0.0
    return float(((np.diff(q, axis=0) / np.diff(seconds)[:, None]) ** 2).mean())


def _roughness(q: np.ndarray) -> float:
    return float((np.diff(q, axis=0) ** 2).mean()) if q.size and len(q) > 1 else 0.0
