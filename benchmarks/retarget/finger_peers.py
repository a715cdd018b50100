"""Fingers against dex-retargeting (vector and DexPilot): same robot, same keypoints, same objective, one core."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from clips import recording, toy
from measures import finger_line
from peers import NoPeer, run_peer
from urdf import write_urdf

from reenact.hands.joints import TIPS
from reenact.hands.skeleton import HandSkeleton
from reenact.retarget.banded import BandedConfig, TrajectoryProblem, solve_trajectory
from reenact.retarget.finger_map import bend_map
from reenact.retarget.finger_methods.hand import HandModel
from reenact.retarget.finger_methods.vectors import (
    DexPilotConfig,
    VectorConfig,
    VectorTask,
    VectorTerms,
    dexpilot_task,
    vector_task,
)
from reenact.retarget.fingers import limit_step
from reenact.robots.model import Robot
from reenact.robots.poses import matrix_from_pose
from reenact.robots.registry import load_robot
from reenact.robots.sheet import FrameSpec

HEADER = (
    f"{'clip':<16}{'hand':<9}{'mode':<9}{'solver':<24}{'fps':>8}{'time':>7}{'mm':>7}{'p95':>7}{'max':>7}"
    f"{'rough':>9}{'acc':>7}{'outside':>10}{'jump':>7}{'lag ms':>7}"
)
SIDE = 1


@dataclass(frozen=True)
class Setup:
    """A hand as dex-retargeting's published teleoperation config has it."""

    robot: str
    scale: float
    middles: bool = False
    """Also wrist to middle phalanges (Shadow's config)."""


HANDS = {
    "allegro": Setup("dual_fr3_allegro", 1.6),
    "leap": Setup("dual_fr3_leap", 1.6),
    "shadow": Setup("dual_fr3_shadow", 1.2, middles=True),
    "inspire": Setup("unitree_g1_inspire", 1.15),
}
MIDDLES = (2, 6, 10, 14, 18)


@dataclass(frozen=True)
class Keypoints:
    """21 joints in the wrist frame [t 21 3] and their instants."""

    name: str
    joints: np.ndarray
    seconds: np.ndarray


def keypoints(shared: Path | None) -> Iterator[Keypoints]:
    """dex-retargeting's own recording (621 frames), and the right hands of two toy clips."""
    if shared is not None and (shared / "data/ref/dexretargeting_joints").is_dir():
        yield _local("recording", *recording(shared))
    else:
        print("skipped the 621-frame recording: no --shared folder with data/ref/dexretargeting_joints")
    for activity in ("pick_place", "pour"):
        clip = toy(activity, seed=3)
        yield _local(f"toy {activity}", clip.hands.joints_world[:, SIDE], clip.t_ns * 1e-9)


def _local(name: str, joints: np.ndarray, seconds: np.ndarray) -> Keypoints:
    from reenact.hands.joints import wrist_transform

    T = wrist_transform(joints, SIDE)
    return Keypoints(name, np.einsum("tji,tkj->tki", T[:, :3, :3], joints - joints[:, :1]), seconds)


def hand_model(robot: Robot, setup: Setup) -> tuple[HandModel, dict[str, FrameSpec]]:
    """The hand with the points the config names."""
    points = {}
    if setup.middles:
        for finger in robot.hands["right"].fingers:
            bends = [k for k, role in enumerate(finger.roles) if role == "bend"]
            joint = finger.joint_idx[bends[1]] if len(bends) > 2 else finger.joint_idx[-1]
            points[f"mid {finger.name}"] = FrameSpec(
                body=robot.model.body(robot.model.jnt_bodyid[joint]).name
            )
    return HandModel(robot, "right", points), points


def make_task(model: HandModel, setup: Setup, clip: Keypoints, mode: str) -> VectorTask:
    """The published objective as our solver takes it."""
    tips = clip.joints[:, list(TIPS)[: model.n_fingers]]
    if mode == "dexpilot":
        return dexpilot_task(model, tips, clip.seconds, DexPilotConfig(scale=setup.scale))
    task = vector_task(model, tips, VectorConfig(scale=setup.scale))
    if not setup.middles:
        return task
    n, mids = 2 * model.n_fingers, clip.joints[:, list(MIDDLES)]
    wanted = np.concatenate([task.wanted, setup.scale * mids], axis=1)
    return VectorTask(
        np.full(n, -1), np.arange(n), wanted, np.ones((len(tips), n)), task.huber, task.norm_delta
    )


def solve_ours(model: HandModel, setup: Setup, clip: Keypoints, mode: str) -> tuple[np.ndarray, float]:
    """Free joints and CPU seconds, from keypoints: angle fit, angle map, task, whole-clip solve, step limit."""
    started = time.process_time()
    task = make_task(model, setup, clip, mode)
    start = model.read(bend_map(model.robot, model.hand, HandSkeleton.adult(SIDE).fit_angles(clip.joints)))
    dt = np.diff(clip.seconds)
    problem = TrajectoryProblem(
        dt=dt, lower=model.lower, upper=model.upper, velocity=np.full(start.shape[1], np.inf),
        hold=np.zeros(start.shape, bool),
        sigma_acceleration=np.full(len(start), 1e6),
        config=BandedConfig(sigma_velocity=task.sigma_velocity, max_iterations=10 if mode == "vector" else 15),
    )  # fmt: skip
    x, _ = solve_trajectory(VectorTerms(model, task, np.ones(len(start))), start, problem)
    x = limit_step(model, x, 0.5)
    return model.write(x), time.process_time() - started


def dex_job(
    robot: Robot, setup: Setup, mode: str, urdf: Path, points: dict[str, FrameSpec], alpha: float
) -> dict:
    """dex-retargeting's config for the same hand."""
    tips = [f"tip_{name}" for name in robot.hands["right"].finger_names]
    config: dict = {
        "type": mode,
        "urdf_path": str(urdf),
        "scaling_factor": setup.scale,
        "low_pass_alpha": alpha,
    }
    if any(c.joint in robot.joint_names for c in robot.sheet.couplings):
        followers = {c.joint for c in robot.sheet.couplings}
        names = [robot.joint_names[j] for j in robot.hands["right"].joint_idx]
        config["target_joint_names"] = [name for name in names if name not in followers]
    if mode == "dexpilot":
        config |= {"wrist_link_name": "root", "finger_tip_link_names": tips}
    else:
        human = [4, 8, 12, 16, 20][: len(tips)] + (list(MIDDLES) if setup.middles else [])
        links = [*tips, *[name.replace(" ", "_") for name in points]]
        config |= {
            "target_origin_link_names": ["root"] * len(links),
            "target_task_link_names": links,
            "target_link_human_indices": [[0] * len(links), human],
        }
    return {"config": config, "repeats": 2}


def compare(python: Path | None, shared: Path | None, only: str = "") -> Iterator[str]:
    """The table, line by line."""
    yield HEADER
    clips = list(keypoints(shared))
    for hand, setup in HANDS.items():
        if only not in hand:
            continue
        robot = load_robot(setup.robot)
        model, points = hand_model(robot, setup)
        for clip in clips if hand in ("leap", "shadow") else clips[:1]:
            for mode in ("vector", "dexpilot"):
                yield from _rows(python, hand, robot, setup, model, points, clip, mode)


def _rows(
    python: Path | None, hand: str, robot: Robot, setup: Setup, model: HandModel,
    points: dict[str, FrameSpec], clip: Keypoints, mode: str,
) -> Iterator[str]:  # fmt: skip
    judged = make_task(model, setup, clip, mode) if mode == "vector" else _published_pilot(model, setup, clip)
    q, seconds = min((solve_ours(model, setup, clip, mode) for _ in range(3)), key=lambda r: r[1])
    rows = [("ours, whole clip", q, seconds)]
    wrist = robot.sheet.wrists["right"]
    links = {f"tip_{n}": robot.sheet.hands["right"].fingers[n].tip for n in robot.hands["right"].finger_names}
    links |= {name.replace(" ", "_"): point for name, point in points.items()}
    with tempfile.TemporaryDirectory() as folder:
        urdf = Path(folder) / "hand.urdf"
        write_urdf(robot, urdf, wrist.body, matrix_from_pose(wrist.pos, wrist.quat_wxyz), links)
        for alpha, name in ((-1.0, "dex-retargeting"), (0.2, "dex-retargeting, alpha 0.2")):
            try:
                out = run_peer(
                    python, "dex", dex_job(robot, setup, mode, urdf, points, alpha), {"joints": clip.joints}
                )
            except NoPeer as reason:
                yield f"{clip.name:<16}{hand:<9}{mode:<9}skipped: {reason}"
                break
            names = [robot.joint_names[j] for j in robot.hands["right"].joint_idx]
            order = [list(out["names"]).index(name) for name in names]
            rows.append((name, out["q"][:, order], float(out["seconds"])))
    base = rows[1][2] if len(rows) > 1 else float("nan")
    for name, q, seconds in rows:
        line = finger_line(model, judged, q, clip.seconds)
        yield (
            f"{clip.name:<16}{hand:<9}{mode:<9}{name:<24}{len(q) / seconds:>8.0f}{seconds / base:>7.3f}{line}"
        )


def _published_pilot(model: HandModel, setup: Setup, clip: Keypoints) -> VectorTask:
    """DexPilot's targets with its switching, for judging both sides alike."""
    tips = clip.joints[:, list(TIPS)[: model.n_fingers]]
    return dexpilot_task(model, tips, clip.seconds, DexPilotConfig(scale=setup.scale, fade_s=1e-9))
