"""The root search against an exhaustive grid (5 cm, 12 headings), both scored by the same judge on the solved clip.

The full grid would take hours: its time is the mean of a random sample of its roots times their number. Its score is
taken from real grid roots, at two sets chosen in the grid's favour: the best by keyframe IK among the `SCREENED` nearest to
comfort, and the neighbours of the search's own answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from clips import BenchClip, bimanual, toy

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import inverse
from reenact.retarget.arms import ArmConfig
from reenact.retarget.robot_arms import robot_arms
from reenact.retarget.root.climb import climb_root
from reenact.retarget.root.contract import RobotArms, RootRequest, RootScore, up_direction
from reenact.retarget.root.keyposes import ClipKeyposes, KeyposeConfig, keyframe_score
from reenact.retarget.root.score import ScoreConfig, judge_root
from reenact.retarget.root.search import search_root
from reenact.retarget.targets import make_targets
from reenact.robots.registry import load_robot

ROBOTS = ("unitree_g1_dex3", "dual_fr3_gripper")
STEP, YAWS = 0.05, 12
SAMPLE, SCREENED, JUDGED = 12, 600, 12
JUDGE_S = 0.1
HEADER = (
    f"{'clip':<14}{'robot':<18}{'how':<9}{'s':>7}{'grid roots':>11}{'s/root':>8}{'grid h':>8}{'faster':>8}"
    f"{'score':>8}{'rate':>7}{'cm':>7}{'grid best':>10}{'rate':>7}{'cm':>7}{'judged':>7}"
)


def grid(clip: ClipKeyposes) -> np.ndarray:
    """Every root that puts the hands' centre on a 5 cm lattice inside the arms' comfortable box, for 12 headings."""
    reach = np.concatenate([bank.T_base_wrist[:, :3, 3] for bank in clip.banks])
    low, high = np.percentile(reach, 4, axis=0), np.percentile(reach, 96, axis=0)
    axes = [np.arange(a, b + STEP / 2, STEP) for a, b in zip(low, high, strict=True)]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    up, heading = clip.up.direction, clip.heading
    level = np.stack([heading, np.cross(up, heading), up], axis=1)
    R = np.stack([level @ so3_exp(np.array([0.0, 0.0, 2 * np.pi * k / YAWS])) for k in range(YAWS)])
    T = np.zeros((YAWS, len(centres), 4, 4))
    T[..., :3, :3] = R[:, None]
    T[..., :3, 3] = clip.centre - centres @ np.swapaxes(R, 1, 2)
    T[..., 3, 3] = 1.0
    return T.reshape(-1, 4, 4)


def comfort_distance(roots: np.ndarray, clip: ClipKeyposes) -> np.ndarray:
    """Mean squared distance of the keyframes from the arms' comfortable postures."""
    total = np.zeros(len(roots))
    for bank, T in zip(clip.banks, clip.coarse.T_world_wrist, strict=True):
        for low in range(0, len(roots), 4096):
            part = inverse(roots[low : low + 4096])[:, None] @ T
            squared = bank.squared_distance(part.reshape(-1, 4, 4)).reshape(len(part), len(T))
            total[low : low + 4096] += np.minimum(squared, 0.35**2).mean(axis=1)
    return total


def neighbours(roots: np.ndarray, T: np.ndarray, count: int) -> np.ndarray:
    """The grid roots nearest to a root (a radian counts as 30 cm)."""
    moved = ((roots[:, :3, 3] - T[:3, 3]) ** 2).sum(axis=1)
    turned = ((roots[:, :3, :3] - T[:3, :3]) ** 2).sum(axis=(1, 2)) / 2.0
    return roots[np.argsort(moved + 0.3**2 * turned, kind="stable")[:count]]


def request_for(clip: BenchClip, arms: RobotArms) -> RootRequest:
    """As a run asks for a root: judged on every 0.1 s of the clip."""
    targets = make_targets(clip.hands, clip.t_ns, clip.t_ns)
    coarse = targets.every(max(1, round(JUDGE_S / float(np.median(targets.dt)))))
    config, score = ArmConfig(), ScoreConfig()

    def judge(T: np.ndarray) -> RootScore:
        return judge_root(T, coarse, arms, config, score)[0]

    return RootRequest(targets, arms, up_direction("world", 0.4, 0.25), judge)


def timed(action: Callable[[], object]) -> float:
    """CPU seconds of an action."""
    started = time.process_time()
    action()
    return time.process_time() - started


def compare(only: str = "") -> Iterator[str]:
    """The table, line by line."""
    yield HEADER
    clips = (toy("two_hand_lift", seed=3), BenchClip("reaches 0", *bimanual(0)))
    for robot_name in ROBOTS:
        if only not in robot_name:
            continue
        arms = robot_arms(load_robot(robot_name))
        for clip in clips:
            yield from _rows(clip, robot_name, request_for(clip, arms))


def _rows(clip: BenchClip, robot_name: str, request: RootRequest) -> Iterator[str]:
    started = time.process_time()
    found = search_root(request)
    spent = time.process_time() - started
    keyposes = ClipKeyposes(request, KeyposeConfig())
    climbed = climb_root(request, found.T_world_base, found.score, keyposes.centre)
    both = time.process_time() - started
    roots = grid(keyposes)
    rng = np.random.default_rng(0)
    sample = roots[rng.choice(len(roots), SAMPLE, replace=False)]
    each = timed(lambda: [request.judge(T) for T in sample]) / SAMPLE
    near = roots[np.argsort(comfort_distance(roots, keyposes), kind="stable")[:SCREENED]]
    best = near[np.argsort(-keyframe_score(near, keyposes, keyposes.fine), kind="stable")[:JUDGED]]
    judged = [request.judge(T) for T in (*best, *neighbours(roots, found.T_world_base, JUDGED))]
    top, whole = max(judged, key=lambda s: s.total), each * len(roots)
    for how, seconds, score in (("search", spent, found.score), ("+ climb", both, climbed[1])):
        yield (
            f"{clip.name.removeprefix('toy '):<14}{robot_name:<18}{how:<9}{seconds:>7.2f}{len(roots):>11d}{each:>8.3f}"
            f"{whole / 3600:>8.2f}{whole / seconds:>8.0f}{score.total:>8.3f}{score.ik_rate:>7.3f}"
            f"{score.position_error * 100:>7.3f}{top.total:>10.3f}{top.ik_rate:>7.3f}"
            f"{top.position_error * 100:>7.3f}{len(judged):>7d}"
        )
