"""Arms over whole clips against mink's plain loop and damped least squares with EgoInfinity's settings, one core.

Two FR3 arms, 120 frames at 30 fps, ten clips per set: *clean* (the robot's own random motion), *noisy* (5 mm and 30 mrad of
white noise per frame) and *displaced* (clean ones moved by a random rigid transform, as when the root is wrong). No
solver avoids collisions here; only "ours, speed limits" keeps the joints' speed limits. Success: both wrists within 1 cm and
0.1 rad. Feasible frames are those that some solver or a search from 200 random starts reaches.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import mujoco
import numpy as np
from clips import robot_motion, tracks
from peers import NoPeer, run_peer
from urdf import write_urdf

from reenact.geometry.rotations import rotation_angle, so3_exp
from reenact.hands.joints import SIDES
from reenact.hands.skeleton import HandSkeleton
from reenact.retarget.arms import ArmConfig, ArmTask, quick_arms, solve_arms
from reenact.retarget.batch_ik import BatchIkConfig, solve_poses
from reenact.retarget.robot_arms import robot_arms
from reenact.retarget.root.contract import RobotArms
from reenact.retarget.root.score import arm_tasks
from reenact.retarget.targets import make_targets
from reenact.robots.build import BASE
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot

ROBOT = "dual_fr3_gripper"
FRAMES, FPS = 120, 30.0
NEAR = (0.01, 0.1)
OURS = {
    "ours, quick": quick_arms(ArmConfig(keep_speed_limits=False)),
    "ours": ArmConfig(keep_speed_limits=False),
    "ours, speed limits": ArmConfig(),
}
HEADER = (
    f"{'set':<11}{'solver':<30}{'ms/frame':>9}{'x mink':>8}{'success':>9}{'of feas.':>9}{'err mm':>8}{'err mrad':>9}"
    f"{'acc':>7}{'x truth':>8}{'rough':>9}{'jump':>6}{'outside':>9}"
)


@dataclass
class Clip:
    """One clip of a set: what is asked for, what is true, and the true joints."""

    kind: str
    T_base_wrist: np.ndarray
    T_true: np.ndarray
    q_true: np.ndarray
    solved: dict[str, np.ndarray] = field(default_factory=dict)


def make_clips(robot: Robot, count: int) -> dict[str, list[Clip]]:
    """The three sets."""
    sets: dict[str, list[Clip]] = {"clean": [], "noisy": [], "displaced": []}
    for seed in range(count):
        T, q = robot_motion(robot, seed, FRAMES, FPS)
        rng = np.random.default_rng([seed, 5])
        sets["clean"].append(Clip("clean", T, T, q))
        shaken = T.copy()
        shaken[..., :3, 3] += rng.normal(size=(FRAMES, 2, 3)) * 0.005
        shaken[..., :3, :3] = T[..., :3, :3] @ so3_exp(rng.normal(size=(FRAMES, 2, 3)) * 0.03)
        sets["noisy"].append(Clip("noisy", shaken, T, q))
        moved = np.eye(4)
        moved[:3, :3] = so3_exp(rng.uniform(-0.5, 0.5, 3))
        moved[:3, 3] = rng.uniform(-0.2, 0.2, 3)
        sets["displaced"].append(Clip("displaced", moved @ T, moved @ T, q))
    return sets


def our_tasks(arms: RobotArms, clip: Clip) -> tuple[ArmTask, ArmTask]:
    """Through the same door as any clip: hand tracks, targets (which estimate their own noise), tasks."""
    joints = np.zeros((FRAMES, 2, 21, 3))
    for s in (0, 1):
        local, T = HandSkeleton.adult(s).joints_wrist(np.zeros(20)), clip.T_base_wrist[:, s]
        joints[:, s] = local @ np.swapaxes(T[:, :3, :3], 1, 2) + T[:, None, :3, 3]
    t_ns = np.rint(np.arange(FRAMES) * 1e9 / FPS).astype(np.int64)
    targets = make_targets(tracks(joints, np.ones((FRAMES, 2), bool)), t_ns, t_ns)
    left, right = arm_tasks(targets, replace(arms, clearance=None), np.eye(4))
    assert left is not None
    assert right is not None
    return left, right


def ours(arms: RobotArms, clip: Clip, config: ArmConfig, repeats: int = 3) -> tuple[np.ndarray, float]:
    """Both arms' joints and the least CPU seconds."""
    tasks, best = our_tasks(arms, clip), np.inf
    for _ in range(repeats):
        started = time.process_time()
        left, right = solve_arms(tasks, config)
        best = min(best, time.process_time() - started)
    assert left is not None
    assert right is not None
    return np.concatenate([left, right], axis=1), best


def arms_only(robot: Robot, path: Path) -> None:
    """The robot without the joints that are no arm's, for a peer that moves every joint it sees."""
    spec, kept = robot.spec.copy(), {n for arm in robot.arms.values() for n in arm.joint_names}
    for joint in list(spec.joints):
        if joint.name not in kept:
            spec.delete(joint)
    for key in ("actuators", "equalities", "tendons", "keys"):
        for item in list(getattr(spec, key)):
            spec.delete(item)
    for side, wrist in robot.sheet.wrists.items():
        body = spec.body(wrist.body).add_body(name=f"peer_wrist_{side}")
        body.pos, body.quat = wrist.pos, wrist.quat_wxyz
    mujoco.mj_saveModel(spec.compile(), str(path))


def peer_jobs(robot: Robot, folder: Path) -> dict[str, tuple[str, dict]]:
    """Name of each row, its solver and its settings."""
    model = folder / "arms.mjb"
    arms_only(robot, model)
    urdfs = []
    for side in SIDES:
        wrist, path = robot.sheet.wrists[side], folder / f"{side}.urdf"
        write_urdf(robot, path, BASE, np.eye(4), {"hand": wrist})
        urdfs.append(str(path))
    loop = {"model": str(model), "frames": [f"peer_wrist_{s}" for s in SIDES], "iterations": 20}
    damped = {"urdfs": urdfs, "damping": 1e-3, "iterations": 50, "position": 0.01, "rotation": 0.05}
    return {
        "mink, daqp": ("mink", loop | {"solver": "daqp", "repeats": 2}),
        "mink, quadprog": ("mink", loop | {"solver": "quadprog", "repeats": 2}),
        "pytorch-kinematics, batched": ("pk_batched", damped | {"repeats": 2}),
        "pytorch-kinematics, sequential": ("pk_sequential", damped),
    }


def feasible(arms: RobotArms, clip: Clip, wrists: dict[str, np.ndarray]) -> np.ndarray:
    """Frames both of whose wrists can be reached [t]."""
    out = np.zeros((FRAMES, 2), bool)
    for T in wrists.values():
        out |= _near(T, clip.T_base_wrist)
    rng = np.random.default_rng(0)
    for s in (0, 1):
        chain, left = arms.chains[s], np.flatnonzero(~out[:, s])
        if chain is not None and len(left):
            starts = rng.uniform(chain.lower, chain.upper, (len(left), 200, len(chain.lower)))
            found = solve_poses(
                chain, clip.T_base_wrist[left, s][:, None], starts, BatchIkConfig(iterations=40)
            )
            out[left, s] = found.reached(*NEAR).any(axis=1)
    return out.all(axis=1)


def _near(T: np.ndarray, target: np.ndarray) -> np.ndarray:
    position = np.linalg.norm(T[..., :3, 3] - target[..., :3, 3], axis=-1)
    return (position < NEAR[0]) & (rotation_angle(T[..., :3, :3], target[..., :3, :3]) < NEAR[1])


def wrists_of(robot: Robot, q: np.ndarray) -> np.ndarray:
    """Wrist poses of both arms [t 2 4 4] from their joints, left then right."""
    full = np.broadcast_to(robot.home_q, (len(q), robot.n_q)).copy()
    full[:, np.concatenate([robot.arms[s].joint_idx for s in SIDES])] = q
    return robot.frames(full, ["wrist_left", "wrist_right"])


def compare(python: Path | None, count: int) -> Iterator[str]:
    """The table, line by line."""
    robot = load_robot(ROBOT)
    arms = robot_arms(robot)
    yield HEADER
    with tempfile.TemporaryDirectory() as folder:
        jobs = peer_jobs(robot, Path(folder))
        for kind, clips in make_clips(robot, count).items():
            seconds: dict[str, float] = {}
            for name, config in OURS.items():
                results = [ours(arms, clip, config) for clip in clips]
                seconds[name] = sum(s for _, s in results)
                for clip, (q, _) in zip(clips, results, strict=True):
                    clip.solved[name] = q
            for name, (solver, job) in jobs.items():
                try:
                    seconds[name] = _run(python, solver, job, robot, clips, name)
                except NoPeer as reason:
                    yield f"{kind:<11}{name:<30}skipped: {reason}"
            yield from _rows(robot, arms, kind, clips, seconds)


def _run(python: Path | None, solver: str, job: dict, robot: Robot, clips: list[Clip], name: str) -> float:
    """Solves every clip with a peer; CPU seconds."""
    homes = [robot.home_q[robot.arms[s].joint_idx] for s in SIDES]
    total = 0.0
    for clip in clips:
        T = clip.T_base_wrist
        data = {"targets": T, "home": np.concatenate(homes), "home_0": homes[0], "home_1": homes[1]}
        out = run_peer(python, solver, job, data)
        clip.solved[name], total = out["q"], total + float(out["seconds"])
    return total


def _rows(
    robot: Robot, arms: RobotArms, kind: str, clips: list[Clip], seconds: dict[str, float]
) -> Iterator[str]:
    lower, upper = (
        np.concatenate([v[robot.arms[s].joint_idx] for s in SIDES]) for v in (robot.lower, robot.upper)
    )
    wrists = [{name: wrists_of(robot, clip.solved[name]) for name in seconds} for clip in clips]
    reachable = [feasible(arms, clip, T) for clip, T in zip(clips, wrists, strict=True)]
    truth = np.mean([_acceleration(clip.q_true) ** 2 for clip in clips]) ** 0.5
    yield f"{kind:<11}feasible: {np.mean(reachable):.3f} of frames; acceleration of the true joints: {truth:.2f} rad/s^2"
    base = seconds.get("mink, daqp", float("nan"))
    for name, spent in seconds.items():
        reached = [
            _near(T[name], clip.T_base_wrist).all(axis=1) for T, clip in zip(wrists, clips, strict=True)
        ]
        if kind == "noisy":
            reached = [_near(T[name], clip.T_true).all(axis=1) for T, clip in zip(wrists, clips, strict=True)]
        error = [_errors(T[name], clip.T_true) for T, clip in zip(wrists, clips, strict=True)]
        q = [clip.solved[name] for clip in clips]
        acc = np.mean([_acceleration(x) ** 2 for x in q]) ** 0.5
        rough = np.mean([(np.diff(x, axis=0) ** 2).mean() for x in q])
        jump = max(np.abs(np.diff(x, axis=0)).max() for x in q)
        out = max(np.maximum(np.maximum(lower - x, x - upper), 0.0).max() for x in q)
        share = np.sum([(r & f).sum() for r, f in zip(reached, reachable, strict=True)]) / np.sum(reachable)
        yield (
            f"{kind:<11}{name:<30}{spent / len(clips) / FRAMES * 1e3:>9.3f}{spent / base:>8.2f}{np.mean(reached):>9.3f}"
            f"{share:>9.3f}{np.mean([e[0] for e in error]) * 1e3:>8.2f}{np.mean([e[1] for e in error]) * 1e3:>9.1f}"
            f"{acc:>7.2f}{acc / truth:>8.2f}{rough:>9.5f}{jump:>6.2f}{out:>9.1e}"
        )


def _errors(T: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Mean position (m) and rotation error (rad)."""
    position = np.linalg.norm(T[..., :3, 3] - true[..., :3, 3], axis=-1)
    return float(position.mean()), float(rotation_angle(T[..., :3, :3], true[..., :3, :3]).mean())


def _acceleration(q: np.ndarray) -> float:
    return float(np.sqrt((np.diff(q, 2, axis=0) ** 2).mean())) * FPS**2
