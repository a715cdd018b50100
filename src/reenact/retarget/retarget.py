"""The whole story: hand tracks and a robot in, a joint trajectory with its root frame and a report out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from reenact.errors import InputError
from reenact.geometry.timegrid import TimeGrid
from reenact.geometry.transforms import is_transform
from reenact.hands.joints import SIDES
from reenact.retarget.arms import ArmConfig, ArmTask, solve_arms
from reenact.retarget.fingers import FingerConfig, solve_fingers
from reenact.retarget.grippers import GripperConfig, solve_gripper
from reenact.retarget.misses import miss_causes
from reenact.retarget.posture_bank import BankConfig
from reenact.retarget.robot_arms import robot_arms
from reenact.retarget.root.contract import RobotArms, RootRequest, RootResult, RootScore, Up, up_direction
from reenact.retarget.root.score import (
    IK_POSITION,
    IK_ROTATION,
    ScoreConfig,
    arm_tasks,
    judge_root,
    score_solution,
)
from reenact.retarget.root.search import SearchConfig, search_root
from reenact.retarget.targets import HandTargets, TargetConfig, make_targets
from reenact.robots.model import Robot
from reenact.robots.trajectory import JointTrajectory, check_limits
from reenact.scene import HandTracks, Source


class BadRoot(InputError):
    """A root frame that is no rigid transform."""


@dataclass(frozen=True)
class RetargetConfig:
    """Everything that decides a retargeting; the defaults are what `benchmarks/retarget_methods.py` found best."""

    method: Literal["trajectory", "mink"] = "trajectory"
    """Arms: "trajectory" (keyframes, then one banded solve over the clip) or "mink" (frame by frame, reference)."""
    fps_hz: float | None = None
    """Frame rate of the robot's time grid; the hands' own instants when None."""
    camera_pitch: float = 0.4
    """Downward pitch of the camera (rad) assumed where gravity is unknown."""
    camera_sigma: float = 0.25
    """One-sigma of that assumption (rad); the search may tilt the base by about as much."""
    judge_s: float = 0.1
    """Roots are compared on every so many seconds of the clip; the chosen one is solved on every frame."""
    targets: TargetConfig = field(default_factory=TargetConfig)
    bank: BankConfig = field(default_factory=BankConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    arms: ArmConfig = field(default_factory=ArmConfig)
    fingers: FingerConfig = field(default_factory=FingerConfig)
    grippers: GripperConfig = field(default_factory=GripperConfig)


@dataclass(frozen=True)
class RetargetReport:
    """What a person should know about a retargeting. Full metrics: `quality.retarget.measure_retarget`."""

    method: str
    sides: tuple[str, ...]
    """Hands that are followed."""
    target_frames: tuple[int, int]
    """Frames with a target, left and right."""
    filled_frames: tuple[int, int]
    """Of these, frames filled in by earlier stages."""
    up_source: str
    """Where the upward direction came from ("world", "camera_prior"; "given" with a root given by the user)."""
    peak_speed_ratio: float
    """Fastest joint of the result over its limit; at most 1."""
    misses: dict[str, dict[str, int]]
    """Per followed side: frames off target by more than 1 cm or 0.05 rad, by what binds there (`misses.CAUSES`)."""
    notes: tuple[str, ...]
    """Plain sentences about what was assumed or could not be done."""


@dataclass(frozen=True)
class RetargetResult:
    """The trajectory, the root it stands on (with its score on this very trajectory), and the report."""

    trajectory: JointTrajectory
    root: RootResult
    report: RetargetReport
    seconds: dict[str, float]
    """Time of each stage (s): the only part that differs between two runs on the same input."""


def retarget(
    hands: HandTracks,
    t_ns: Int64[np.ndarray, " t"],
    robot: Robot,
    config: RetargetConfig | None = None,
    T_world_base: Float64[np.ndarray, "4 4"] | None = None,
) -> RetargetResult:
    """Makes a robot do what the hands do.

    Args:
        hands: metric hand tracks in the scene's frame.
        t_ns: their instants.
        robot: any robot with arms and wrist frames.
        config: how; the defaults are the measured best.
        T_world_base: where the robot stands; searched for when left out.

    Raises:
        NoHandToFollow: no valid hand on a side where the robot has an arm.
        BadTargets: instants and tracks do not fit together.
        BadRoot: `T_world_base` is no rigid transform.
    """
    config = config or RetargetConfig()
    if T_world_base is not None and not is_transform(T_world_base):
        raise BadRoot(
            f"T_world_base is no rigid transform: {np.array2string(np.asarray(T_world_base), precision=4)}"
        )
    clock = _Clock()
    targets = make_targets(hands, t_ns, _grid(t_ns, config.fps_hz), config.targets)
    arms = robot_arms(robot, config.bank)
    arms.followed(targets)
    q = np.broadcast_to(robot.couple(robot.home_q), (len(targets.t_ns), robot.n_q)).copy()
    clock.lap("targets")
    _set_hands(q, robot, targets, config)
    clock.lap("fingers")
    hand_spheres = _hand_spheres(q, arms)
    root = _root(targets, arms, hand_spheres, config, T_world_base)
    clock.lap("root")
    tasks = arm_tasks(targets, arms, root.T_world_base, hand_spheres)
    solved = _solve(robot, tasks, config)
    for side, joints in enumerate(solved):
        if joints is not None:
            q[:, robot.arms[SIDES[side]].joint_idx] = joints  # type: ignore[index]
    clock.lap("arms")
    score = score_solution(root.T_world_base, targets, tasks, solved, config.score)
    root = replace(root, score=score)
    trajectory = _trajectory(robot, targets, arms, root, q)
    report = _report(robot, trajectory, arms.followed(targets), root, config, _misses(tasks, solved))
    return RetargetResult(trajectory, root, report, clock.seconds)


class _Clock:
    """Seconds per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name], self._last = now - self._last, now


def _grid(t_ns: np.ndarray, fps_hz: float | None) -> np.ndarray:
    if fps_hz is None:
        return np.asarray(t_ns)
    return TimeGrid.uniform(int(t_ns[0]), int(t_ns[-1]) + 1, fps_hz).t_ns


def _set_hands(q: np.ndarray, robot: Robot, targets: HandTargets, config: RetargetConfig) -> None:
    for side, name in enumerate(SIDES):
        if name in robot.hands:
            q[:, robot.hands[name].joint_idx] = solve_fingers(robot, targets, side, config.fingers)
        if name in robot.grippers:
            q[:, robot.grippers[name].joint_idx] = solve_gripper(robot, targets, side, config.grippers)


def _hand_spheres(q: np.ndarray, arms: RobotArms) -> tuple[np.ndarray | None, np.ndarray | None]:
    if arms.clearance is None:
        return None, None
    return arms.clearance.hand_centres(q, 0), arms.clearance.hand_centres(q, 1)


def _root(
    targets: HandTargets,
    arms: RobotArms,
    hands: tuple[np.ndarray | None, np.ndarray | None],
    config: RetargetConfig,
    given: np.ndarray | None,
) -> RootResult:
    step = max(1, round(config.judge_s / float(np.median(targets.dt))))
    coarse = targets.every(step) if len(targets.t_ns) > 8 * step else targets
    few = step if coarse is not targets else 1
    left, right = (None if h is None else h[::few] for h in hands)

    def judge(T_world_base: np.ndarray) -> RootScore:
        return judge_root(T_world_base, coarse, arms, config.arms, config.score, (left, right))[0]

    if given is not None:
        T = np.asarray(given, float)
        score = judge(T)
        return RootResult(T, score, Up(T[:3, 2], 0.0, "given"), "given", ((T, score),))
    up = up_direction(targets.world_frame, config.camera_pitch, config.camera_sigma)
    return search_root(RootRequest(targets, arms, up, judge), config.search)


def _solve(
    robot: Robot, tasks: tuple[ArmTask | None, ArmTask | None], config: RetargetConfig
) -> tuple[np.ndarray | None, np.ndarray | None]:
    if config.method == "mink":
        from reenact.retarget.mink_loop import mink_arms

        return mink_arms(robot, tasks)
    return solve_arms(tasks, config.arms)


def _trajectory(
    robot: Robot, targets: HandTargets, arms: RobotArms, root: RootResult, q: np.ndarray
) -> JointTrajectory:
    followed = np.isin([0, 1], arms.followed(targets))
    valid = targets.valid & followed
    unknown = np.uint8(Source.UNKNOWN)
    wrists = np.where(valid[..., None, None], targets.T_world_wrist, np.eye(4))
    return JointTrajectory(
        robot=robot.name,
        sheet_hash=robot.sheet_hash,
        joint_names=robot.joint_names,
        t_ns=targets.t_ns,
        q=np.clip(q, robot.lower, robot.upper),
        T_world_base=root.T_world_base[None],
        world_frame=targets.world_frame,
        T_world_wrist_target=wrists,
        valid=valid,
        confidence=np.where(valid, targets.confidence, 0.0),
        source=np.where(valid, targets.source, unknown).astype(np.uint8),
    )


def _misses(
    tasks: tuple[ArmTask | None, ArmTask | None], solved: tuple[np.ndarray | None, np.ndarray | None]
) -> dict[str, dict[str, int]]:
    out = {}
    for side, (task, q) in enumerate(zip(tasks, solved, strict=True)):
        if task is not None and q is not None:
            other_task, other_q = tasks[1 - side], solved[1 - side]
            other = None if other_task is None or other_q is None else other_task.centres(other_q)
            out[SIDES[side]] = miss_causes(task, q, other, IK_POSITION, IK_ROTATION)
    return out


def _report(
    robot: Robot,
    trajectory: JointTrajectory,
    sides: tuple[int, ...],
    root: RootResult,
    config: RetargetConfig,
    misses: dict[str, dict[str, int]],
) -> RetargetReport:
    limits = check_limits(trajectory, robot)
    filled = (trajectory.source == Source.FILLED) & trajectory.valid
    frames, fills = trajectory.valid.sum(axis=0), filled.sum(axis=0)
    return RetargetReport(
        method=config.method,
        sides=tuple(SIDES[s] for s in sides),
        target_frames=(int(frames[0]), int(frames[1])),
        filled_frames=(int(fills[0]), int(fills[1])),
        up_source=root.up.source,
        peak_speed_ratio=limits.worst_speed_ratio,
        misses=misses,
        notes=_notes(trajectory, sides, root, limits.worst_speed_ratio),
    )


def _notes(
    trajectory: JointTrajectory, sides: tuple[int, ...], root: RootResult, speed_ratio: float
) -> tuple[str, ...]:
    notes = []
    if root.up.source == "camera_prior":
        angle = np.degrees(np.arccos(np.clip(root.T_world_base[:3, 2] @ root.up.direction, -1, 1)))
        notes.append(
            f"gravity unknown: a level camera was assumed, the base is tilted {angle:.0f} deg against that"
        )
    for side, name in enumerate(SIDES):
        blank = int((~trajectory.valid[:, side]).sum())
        if side not in sides:
            notes.append(f"{name} hand: never followed, the arm stays at home")
        elif blank:
            notes.append(
                f"{name} hand: no target in {blank} of {len(trajectory.t_ns)} frames, held or bridged there"
            )
    if speed_ratio > 1.0 + 1e-6:
        notes.append(f"a joint needs {speed_ratio:.2f} times its speed limit")
    return tuple(notes)
