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
from reenact.retarget.contact_targets import ContactConfig, ContactPlan, follow_contacts, plan_contacts
from reenact.retarget.fingers import FingerConfig
from reenact.retarget.grippers import GripperConfig
from reenact.retarget.hand_joints import hold_touches, set_hands
from reenact.retarget.letting_go import LettingGoConfig, let_go
from reenact.retarget.posture_bank import BankConfig
from reenact.retarget.report import RetargetReport, count_misses, make_report
from reenact.retarget.robot_arms import robot_arms
from reenact.retarget.root.choose import RootMethodName, find_root
from reenact.retarget.root.contract import RobotArms, RootRequest, RootResult, RootScore, Up, up_direction
from reenact.retarget.root.learned.config import LearnedConfig
from reenact.retarget.root.moving import MovingRootConfig, base_path, carried, require_movable
from reenact.retarget.root.score import ScoreConfig, arm_tasks, judge_root, score_solution
from reenact.retarget.root.search import SearchConfig
from reenact.retarget.targets import HandTargets, TargetConfig, make_targets
from reenact.robots.model import Robot
from reenact.robots.trajectory import JointTrajectory
from reenact.scene import ContactTracks, HandTracks, ObjectTracks, Source


class BadRoot(InputError):
    """A root frame that is no rigid transform."""


@dataclass(frozen=True)
class RetargetConfig:
    """Everything that decides a retargeting; the defaults are what `benchmarks/retarget/methods.py` found best."""

    method: Literal["trajectory", "mink"] = "trajectory"
    """Arms: "trajectory" (keyframes, then one banded solve over the clip) or "mink" (frame by frame, reference)."""
    root: RootMethodName = "search"
    """Where the robot stands, unless given: see `root.choose`."""
    fps_hz: float | None = None
    """Frame rate of the robot's time grid; the hands' own instants when None."""
    camera_pitch: float = 0.4
    """Downward pitch of the camera (rad) assumed where gravity is unknown."""
    camera_sigma: float = 0.25
    """One-sigma of that assumption (rad); the search may tilt the base by about as much."""
    judge_s: float = 0.1
    """Roots are compared on every so many seconds of the clip; the chosen one is solved on every frame."""
    moving_root: bool = False
    """Let the base follow the slow part of the hands' path (legs and wheels only)."""
    targets: TargetConfig = field(default_factory=TargetConfig)
    contacts: ContactConfig = field(default_factory=ContactConfig)
    moving: MovingRootConfig = field(default_factory=MovingRootConfig)
    bank: BankConfig = field(default_factory=BankConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    learned: LearnedConfig = field(default_factory=LearnedConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    arms: ArmConfig = field(default_factory=ArmConfig)
    letting_go: LettingGoConfig = field(default_factory=LettingGoConfig)
    fingers: FingerConfig = field(default_factory=FingerConfig)
    grippers: GripperConfig = field(default_factory=GripperConfig)


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
    objects: ObjectTracks | None = None,
    contacts: ContactTracks | None = None,
) -> RetargetResult:
    """Makes a robot do what the hands do.

    Args:
        hands: metric hand tracks in the scene's frame.
        t_ns: their instants.
        robot: any robot with arms and wrist frames.
        config: how; the defaults are the measured best.
        T_world_base: where the robot stands; searched for when left out. With `moving_root`, where it stands on
            average.
        objects: what is handled; with `contacts`, touching fingertips keep their places on the objects.
        contacts: who touches what.

    Raises:
        NoHandToFollow: no valid hand on a side where the robot has an arm.
        BadTargets: instants and tracks do not fit together.
        BadContacts: objects or contacts of another clip.
        BadRoot: `T_world_base` is no rigid transform.
        NoTorch, NoRootWeights, BadRootWeights: with the learned `root` methods.
        BaseCannotMove: `moving_root` for a robot with a fixed base.
    """
    config = config or RetargetConfig()
    _require_base(robot, T_world_base, config)
    clock = _Clock()
    seen = make_targets(hands, t_ns, _grid(t_ns, config.fps_hz), config.targets)
    arms = robot_arms(robot, config.bank)
    sides = arms.followed(seen)
    plan = _contact_plan(seen, objects, contacts, config.contacts)
    targets = seen if plan is None else follow_contacts(seen, plan, config.contacts)
    carrier, targets, said = _carried(targets, sides, config)
    q = np.broadcast_to(robot.couple(robot.home_q), (len(targets.t_ns), robot.n_q)).copy()
    clock.lap("targets")
    set_hands(q, robot, targets, config.fingers, config.grippers)
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
    base = carrier @ root.T_world_base
    if plan is not None and plan.used:
        hold_touches(q, robot, targets, plan, base, config.fingers, config.grippers)
        said = (*said, plan.sentence())
        clock.lap("contacts")
    score = score_solution(root.T_world_base, targets, tasks, solved, config.score)
    root = replace(root, score=score)
    in_world = replace(targets, T_world_wrist=carrier[:, None] @ targets.T_world_wrist)
    trajectory = _trajectory(robot, in_world, sides, base, q)
    report = make_report(robot, trajectory, sides, root, config.method, count_misses(tasks, solved), said)
    return RetargetResult(trajectory, root, report, clock.seconds)


def _require_base(robot: Robot, T_world_base: np.ndarray | None, config: RetargetConfig) -> None:
    """A given base is a place to stand, and one that goes along can."""
    if T_world_base is not None and not is_transform(T_world_base):
        raise BadRoot(
            f"T_world_base is no rigid transform: {np.array2string(np.asarray(T_world_base), precision=4)}"
        )
    if config.moving_root:
        require_movable(robot)


def _contact_plan(
    seen: HandTargets, objects: ObjectTracks | None, contacts: ContactTracks | None, config: ContactConfig
) -> ContactPlan | None:
    """Where touching fingertips should stay; None where nothing is known of touches or they are not to count."""
    if not config.follow or objects is None or contacts is None:
        return None
    return plan_contacts(seen, objects, contacts, config)


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


def _carried(
    targets: HandTargets, sides: tuple[int, ...], config: RetargetConfig
) -> tuple[np.ndarray, HandTargets, tuple[str, ...]]:
    """What the base is carried along by, [1 or t, 4 4], the targets seen from it, and what the report says of it."""
    if not config.moving_root:
        return np.eye(4)[None], targets, ()
    path = base_path(targets, sides, _up(targets, config).direction, config.moving)
    return path.T_world_carrier, carried(targets, path), (path.sentence(),)


def _hand_spheres(q: np.ndarray, arms: RobotArms) -> tuple[np.ndarray | None, np.ndarray | None]:
    if arms.clearance is None:
        return None, None
    return arms.clearance.hand_centres(q, 0), arms.clearance.hand_centres(q, 1)


def _up(targets: HandTargets, config: RetargetConfig) -> Up:
    return up_direction(targets.world_frame, config.camera_pitch, config.camera_sigma)


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
    up = _up(targets, config)
    return find_root(config.root, RootRequest(targets, arms, up, judge), config.search, config.learned)


def _solve(
    robot: Robot, tasks: tuple[ArmTask | None, ArmTask | None], config: RetargetConfig
) -> tuple[np.ndarray | None, np.ndarray | None]:
    if config.method == "mink":
        from reenact.retarget.mink_loop import mink_arms

        return mink_arms(robot, tasks)
    return let_go(tasks, solve_arms(tasks, config.arms), config.arms, config.letting_go)


def _trajectory(
    robot: Robot, targets: HandTargets, sides: tuple[int, ...], T_world_base: np.ndarray, q: np.ndarray
) -> JointTrajectory:
    followed = np.isin([0, 1], sides)
    valid = targets.valid & followed
    unknown = np.uint8(Source.UNKNOWN)
    wrists = np.where(valid[..., None, None], targets.T_world_wrist, np.eye(4))
    return JointTrajectory(
        robot=robot.name,
        sheet_hash=robot.sheet_hash,
        joint_names=robot.joint_names,
        t_ns=targets.t_ns,
        q=np.clip(q, robot.lower, robot.upper),
        T_world_base=T_world_base,
        world_frame=targets.world_frame,
        T_world_wrist_target=wrists,
        valid=valid,
        confidence=np.where(valid, targets.confidence, 0.0),
        source=np.where(valid, targets.source, unknown).astype(np.uint8),
    )
