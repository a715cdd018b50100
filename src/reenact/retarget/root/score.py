"""Judges a root by the clip's own solved trajectory: rate, errors, limits, manipulability, roughness, collisions.

The same criteria as `quality.retarget` (a test holds the two together); here on chains, for many roots, quickly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import inverse
from reenact.retarget.arms import ArmConfig, ArmTargets, ArmTask, solve_arms
from reenact.retarget.batch_ik import BatchIkConfig, solve_poses
from reenact.retarget.chains import counted_turn, limit_margin, manipulability, pose_error
from reenact.retarget.keyframes import spread_keyframes
from reenact.retarget.root.contract import RobotArms, RootScore
from reenact.retarget.root.heading import clip_heading
from reenact.retarget.targets import HandTargets

IK_POSITION = 0.01
"""Position tolerance of the IK rate (m): EgoInfinity's retarget settings."""
IK_ROTATION = 0.05
"""Rotation tolerance of the IK rate (rad): the same."""


@dataclass(frozen=True)
class ScoreConfig:
    """Weights of the criteria in the total."""

    rate: float = 1.0
    position: float = 1.0
    """Per 10 cm of mean position error (clipped at 10 cm)."""
    rotation: float = 0.5
    """Per radian of mean rotation error (clipped at 1 rad)."""
    free_turn: float = 0.15
    """Share of that for the turn that an arm of five joints cannot choose."""
    margin: float = 0.10
    """Per 0.3 rad of joint-limit margin (clipped there)."""
    manipulability: float = 0.05
    """Relative to the median of the arm's comfortable postures (clipped at 1)."""
    smoothness: float = 0.10
    """Per 2 rad/s of joint speed, rms (clipped there)."""
    posture: float = 0.25
    """Per radian of rms distance from home (clipped at 1 rad)."""
    facing: float = 0.10
    """Per unit of the cosine between the base's forward axis and where the fingers point."""
    collision: float = 0.5
    """Per unit of the share of colliding frames."""
    interior: float = 0.20
    """Per unit of `RootScore.interior`."""
    jitter_position: float = 0.05
    """How far the root is moved for `interior` (m)."""
    jitter_yaw: float = 0.15
    """How far it is turned for `interior` (rad)."""
    keyframes: int = 10
    """Keyframes per side used for `interior`."""


def arm_targets(targets: HandTargets, side: int, T_world_base: Float64[np.ndarray, "4 4"]) -> ArmTargets:
    """One wrist's targets seen from the robot's base."""
    return ArmTargets(
        T_base_wrist=inverse(T_world_base) @ targets.T_world_wrist[:, side],
        valid=targets.valid[:, side],
        sigma_position=targets.sigma_position[:, side],
        sigma_rotation=targets.sigma_rotation[:, side],
        acceleration=targets.acceleration[:, side],
        seconds=targets.seconds,
    )


def arm_tasks(
    targets: HandTargets,
    arms: RobotArms,
    T_world_base: Float64[np.ndarray, "4 4"],
    hands: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> tuple[ArmTask | None, ArmTask | None]:
    """What each arm has to do with the robot standing at a root; None for sides that are not followed.

    `hands` are the hands' spheres per frame (`Clearance.hand_centres`); at home when left out.
    """
    sides = arms.followed(targets)
    out: list[ArmTask | None] = [None, None]
    for side in sides:
        chain, bank = arms.chains[side], arms.banks[side]
        if chain is not None and bank is not None:
            out[side] = ArmTask(
                chain, bank, arm_targets(targets, side, T_world_base), side, arms.clearance, hands[side]
            )
    return out[0], out[1]


def judge_root(
    T_world_base: Float64[np.ndarray, "4 4"],
    targets: HandTargets,
    arms: RobotArms,
    arm_config: ArmConfig,
    config: ScoreConfig,
    hands: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> tuple[RootScore, tuple[np.ndarray | None, np.ndarray | None]]:
    """Solves the clip at a root and scores the result; also returns the joint positions per side."""
    tasks = arm_tasks(targets, arms, T_world_base, hands)
    solved = solve_arms(tasks, arm_config)
    return score_solution(T_world_base, targets, tasks, solved, config), solved


def score_solution(
    T_world_base: Float64[np.ndarray, "4 4"],
    targets: HandTargets,
    tasks: tuple[ArmTask | None, ArmTask | None],
    solved: tuple[np.ndarray | None, np.ndarray | None],
    config: ScoreConfig,
) -> RootScore:
    """Scores given joint positions of the arms."""
    parts = []
    for task, q in zip(tasks, solved, strict=True):
        if task is not None and q is not None:
            part = _measures(task, q)
            part["interior"] = _interior(T_world_base, targets, task, q, config)
            parts.append(part)
    merged = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    sides = tuple(task.side for task in tasks if task is not None)
    facing = float(T_world_base[:3, 0] @ clip_heading(targets, sides, T_world_base[:3, 2]))
    return _total(merged, _collision_rate(tasks, solved), facing, config)


def _measures(task: ArmTask, q: np.ndarray) -> dict[str, np.ndarray]:
    """Per-frame numbers of one arm; pose, margin and manipulability only where there is a target."""
    chain, wanted, valid = task.chain, task.targets, task.targets.valid
    T, jacobian = chain.fk_jacobian(q)
    error = pose_error(wanted.T_base_wrist, T)
    reference = float(np.median(manipulability(chain.fk_jacobian(task.bank.q)[1])))
    ease = manipulability(jacobian)[valid]
    step = np.diff(q, axis=0)
    return {
        "p": np.linalg.norm(error[valid, :3], axis=1),
        "r": np.linalg.norm(error[valid, 3:], axis=1),
        "counted": counted_turn(chain, error[valid]),
        "margin": limit_margin(q, chain.lower, chain.upper)[valid],
        "w": ease,
        "w_rel": np.minimum(ease / max(reference, 1e-9), 1.0),
        "away": np.sqrt(((q - chain.home) ** 2).mean(axis=1))[valid],
        "rough": (step**2).ravel(),
        "speed2": ((step / np.diff(wanted.seconds)[:, None]) ** 2).ravel(),
    }


def _collision_rate(
    tasks: tuple[ArmTask | None, ArmTask | None], solved: tuple[np.ndarray | None, np.ndarray | None]
) -> float:
    """Share of frames in which an arm touches the body, itself or the other arm (spheres)."""
    touching = []
    for side, (task, q) in enumerate(zip(tasks, solved, strict=True)):
        if task is None or q is None or task.clearance is None:
            continue
        other_task, other_q = tasks[1 - side], solved[1 - side]
        other = None if other_task is None or other_q is None else other_task.centres(other_q)
        touching.append(task.depth(q, other) > task.clearance.margin)
    return float(np.any(touching, axis=0).mean()) if touching else 0.0


def _interior(
    T_world_base: np.ndarray, targets: HandTargets, task: ArmTask, q: np.ndarray, config: ScoreConfig
) -> np.ndarray:
    """Whether each keyframe is still reached with the root moved along and about its axes, [moves * k]."""
    chain, side = task.chain, task.side
    frames = spread_keyframes(targets.T_world_wrist[:, side], targets.valid[:, side], config.keyframes)
    moved = T_world_base @ _jitters(config)
    target = inverse(moved)[:, None] @ targets.T_world_wrist[frames, side]
    start = np.broadcast_to(q[frames], (len(moved), *q[frames].shape))
    found = solve_poses(chain, target, start, BatchIkConfig(iterations=10))
    return found.reached(IK_POSITION, IK_ROTATION).ravel().astype(float)


def _jitters(config: ScoreConfig) -> np.ndarray:
    """Eight small moves: both ways along x, y, z and about z."""
    moves = np.broadcast_to(np.eye(4), (8, 4, 4)).copy()
    for axis in range(3):
        moves[2 * axis, axis, 3], moves[2 * axis + 1, axis, 3] = (
            config.jitter_position,
            -config.jitter_position,
        )
    for i, angle in ((6, config.jitter_yaw), (7, -config.jitter_yaw)):
        c, s = np.cos(angle), np.sin(angle)
        moves[i, :2, :2] = [[c, -s], [s, c]]
    return moves


def _total(
    parts: dict[str, np.ndarray], collision_rate: float, facing: float, config: ScoreConfig
) -> RootScore:
    rate = float(((parts["p"] <= IK_POSITION) & (parts["counted"] <= IK_ROTATION)).mean())
    position, rotation = float(parts["p"].mean()), float(parts["r"].mean())
    counted = float(parts["counted"].mean())
    turned = counted + config.free_turn * (rotation - counted)
    margin, interior = float(parts["margin"].mean()), float(parts["interior"].mean())
    posture = float(parts["away"].mean())
    speed = float(np.sqrt(parts["speed2"].mean()))
    total = (
        config.rate * rate
        - config.position * min(position / 0.1, 1.0)
        - config.rotation * min(turned, 1.0)
        + config.margin * min(margin / 0.3, 1.0)
        + config.manipulability * float(parts["w_rel"].mean())
        - config.smoothness * min(speed / 2.0, 1.0)
        - config.posture * min(posture, 1.0)
        + config.facing * facing
        - config.collision * collision_rate
        + config.interior * interior
    )
    return RootScore(
        total=total,
        ik_rate=rate,
        position_error=position,
        rotation_error=rotation,
        limit_margin=margin,
        manipulability=float(parts["w"].mean()),
        roughness=float(parts["rough"].mean()),
        posture=posture,
        facing=facing,
        collision_rate=collision_rate,
        interior=interior,
    )
