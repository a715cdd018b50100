"""Why a frame misses its target: which limit binds there."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64

from reenact.retarget.arms import ArmTask
from reenact.retarget.batch_ik import BatchIkConfig, solve_poses
from reenact.retarget.chains import counted_turn, limit_margin, pose_error

CAUSES = ("out of reach", "speed limit", "clearance", "joint limit", "smoothing")
"""In the order in which they are looked for; a frame is counted under the first that holds."""
STARTS = 8
"""Postures from which a missed pose is tried alone before it is called out of reach."""
AT_LIMIT = 0.01
"""A joint this near to its limit (rad) is held by it."""
AT_SPEED = 0.98
"""Share of a speed limit from which on a joint is held by it."""
SPEED_REACH = 2
"""Frames to either side of one at its speed limit that are late or early because of it."""


def miss_causes(
    task: ArmTask,
    q: Float64[np.ndarray, "t n"],
    other_centres: Float64[np.ndarray, "t m 3"] | None,
    position: float,
    rotation: float,
) -> dict[str, int]:
    """Frames off target by more than the tolerances (m, rad), counted by cause; causes without any are left out."""
    missed = _missed(task, q, position, rotation)
    fast = np.zeros(len(q), bool)
    ratio = np.abs(np.diff(q, axis=0)) / np.diff(task.targets.seconds)[:, None] / task.chain.velocity
    at_speed = np.flatnonzero((ratio > AT_SPEED).any(axis=1))
    for shift in range(-SPEED_REACH, SPEED_REACH + 2):
        fast[np.clip(at_speed + shift, 0, len(q) - 1)] = True
    flags = {
        "out of reach": _out_of_reach(task, missed, position, rotation),
        "speed limit": fast,
        "clearance": task.depth(q, other_centres) > 0,
        "joint limit": limit_margin(q, task.chain.lower, task.chain.upper) < AT_LIMIT,
        "smoothing": np.ones(len(q), bool),
    }
    counts, left = {}, missed
    for cause in CAUSES:
        here = left & flags[cause]
        if here.any():
            counts[cause] = int(here.sum())
        left = left & ~flags[cause]
    return counts


def _out_of_reach(
    task: ArmTask, missed: Bool[np.ndarray, " t"], position: float, rotation: float
) -> Bool[np.ndarray, " t"]:
    """Missed frames whose pose the arm cannot take at all, from any of the nearest postures of the bank."""
    out = np.zeros(len(missed), bool)
    if missed.any():
        target = task.targets.T_base_wrist[missed]
        starts = task.bank.q[task.bank.nearest(target, STARTS)]
        found = solve_poses(task.chain, target[:, None], starts, BatchIkConfig(iterations=30))
        out[missed] = ~found.reached(position, rotation).any(axis=1)
    return out


def _missed(
    task: ArmTask, q: Float64[np.ndarray, "t n"], position: float, rotation: float
) -> Bool[np.ndarray, " t"]:
    error = pose_error(task.targets.T_base_wrist, task.chain.fk(q))
    far = np.linalg.norm(error[:, :3], axis=1) > position
    turned = counted_turn(task.chain, error) > rotation
    return task.targets.valid & (far | turned)
