"""Which frames stand for a clip, and which posture branch to take through them.

Sequential solvers inherit the posture of the frame before, good or bad; here sparse keyframes are solved from
many starts and the cheapest chain of postures through the clip is found by dynamic programming (Viterbi).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.retarget.batch_ik import BatchIkConfig, solve_poses
from reenact.retarget.chains import WristChain, limit_margin
from reenact.retarget.posture_bank import PostureBank


@dataclass(frozen=True)
class KeyframeConfig:
    """How the warm start of a clip is found."""

    spacing_s: float = 0.2
    """Time between keyframes (s)."""
    starts: int = 8
    """Postures of the bank from which each keyframe is solved, besides home."""
    rounds: int = 2
    """Times the postures found at a keyframe are tried at its neighbours, so that a branch can run on."""
    iterations: int = 15
    """Most steps of each solve."""
    speed: float = 2.0
    """Joint speed (rad/s) between keyframes that costs one unit."""
    margin: float = 0.3
    """A posture nearer to a limit than this (rad) costs something."""
    margin_weight: float = 4.0
    """Cost of touching a limit."""
    posture_weight: float = 0.3
    """Cost of one radian (rms) away from home."""
    contact_scale: float = 0.01
    """Intrusion into the clearance margin (m) that costs one unit."""
    error_scale: tuple[float, float] = (0.01, 0.05)
    """Position (m) and rotation (rad) errors that cost one unit each."""


def time_keyframes(
    seconds: Float64[np.ndarray, " t"], valid: Bool[np.ndarray, " t"], spacing_s: float
) -> Int64[np.ndarray, " k"]:
    """Valid frames about `spacing_s` apart, with the first and last of every run of valid frames."""
    used = np.flatnonzero(valid)
    if len(used) == 0:
        return used
    breaks = np.flatnonzero(np.diff(used) > 1)
    firsts, lasts = np.r_[used[0], used[breaks + 1]], np.r_[used[breaks], used[-1]]
    chosen: list[int] = []
    for first, last in zip(firsts, lasts, strict=True):
        count = int(np.ceil((seconds[last] - seconds[first]) / spacing_s)) + 1
        wanted = np.linspace(seconds[first], seconds[last], count)
        chosen += (first + np.abs(seconds[first : last + 1, None] - wanted).argmin(axis=0)).tolist()
    return np.unique(chosen)


def spread_keyframes(
    T: Float64[np.ndarray, "t 4 4"], valid: Bool[np.ndarray, " t"], count: int, rotation_length: float = 0.25
) -> Int64[np.ndarray, " k"]:
    """Valid frames whose poses differ most (farthest-point sampling from the one nearest to the middle)."""
    used = np.flatnonzero(valid)
    if len(used) <= count:
        return used
    rotation = T[used, :3, :3].reshape(len(used), 9) * (rotation_length / np.sqrt(2.0))
    points = np.concatenate([T[used, :3, 3], rotation], axis=1)
    chosen = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return used[np.sort(chosen)]


def warm_start(
    chain: WristChain,
    bank: PostureBank,
    T_base_target: Float64[np.ndarray, "t 4 4"],
    valid: Bool[np.ndarray, " t"],
    seconds: Float64[np.ndarray, " t"],
    config: KeyframeConfig | None = None,
    depth: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Float64[np.ndarray, "t n"]:
    """A posture for every frame: the cheapest chain through the keyframes, straight lines between them.

    Before the first and after the last valid frame the posture is held; with none valid it is home.
    `depth` says how far postures [b n] intrude into the robot's own clearance (m).
    """
    config = config or KeyframeConfig()
    frames = time_keyframes(seconds, valid, config.spacing_s)
    if len(frames) == 0:
        return np.broadcast_to(chain.home, (len(seconds), len(chain.home))).copy()
    target = T_base_target[frames]
    starts = bank.q[bank.nearest(target, config.starts)]
    home = np.broadcast_to(chain.home, (len(frames), 1, len(chain.home)))
    q, cost = _solved(chain, target, np.concatenate([starts, home], axis=1), config, depth)
    for _ in range(config.rounds if len(frames) > 1 else 0):
        keep = np.argsort(cost, axis=1, kind="stable")[:, : config.starts // 2]
        best = np.take_along_axis(q, keep[..., None], axis=1)
        beside = np.concatenate([np.roll(best, 1, axis=0), np.roll(best, -1, axis=0)], axis=1)
        more_q, more_cost = _solved(chain, target, beside, config, depth)
        q, cost = np.concatenate([q, more_q], axis=1), np.concatenate([cost, more_cost], axis=1)
    path = _cheapest_chain(q, cost, seconds[frames], config.speed)
    keys = q[np.arange(len(frames)), path]
    return np.stack([np.interp(seconds, seconds[frames], keys[:, j]) for j in range(keys.shape[1])], axis=1)


def _solved(
    chain: WristChain,
    target: np.ndarray,
    starts: np.ndarray,
    config: KeyframeConfig,
    depth: Callable[[np.ndarray], np.ndarray] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Postures solved from the starts [k m n] and what each costs by itself [k m]."""
    found = solve_poses(chain, target[:, None], starts, BatchIkConfig(iterations=config.iterations))
    p_scale, r_scale = config.error_scale
    cost = (np.minimum(found.position_error, 0.2) / p_scale) ** 2
    cost += (np.minimum(found.rotation_error, 1.0) / r_scale) ** 2
    short = np.maximum(config.margin - limit_margin(found.q, chain.lower, chain.upper), 0.0) / config.margin
    cost += config.margin_weight * short**2
    cost += config.posture_weight * ((found.q - chain.home) ** 2).mean(axis=-1)
    if depth is not None:
        cost += (
            depth(found.q.reshape(-1, found.q.shape[-1])).reshape(cost.shape) / config.contact_scale
        ) ** 2
    return found.q, cost


def _cheapest_chain(
    q: Float64[np.ndarray, "k m n"],
    cost: Float64[np.ndarray, "k m"],
    seconds: Float64[np.ndarray, " k"],
    speed: float,
) -> Int64[np.ndarray, " k"]:
    """Index per keyframe of the chain with the least sum of node costs and squared speeds between them."""
    k = len(q)
    best, came_from = cost[0].copy(), np.zeros(cost.shape, np.int64)
    for i in range(1, k):
        rate = (q[i][None] - q[i - 1][:, None]) / ((seconds[i] - seconds[i - 1]) * speed)
        total = best[:, None] + (rate**2).sum(axis=-1)
        came_from[i] = total.argmin(axis=0)
        best = cost[i] + total.min(axis=0)
    path = np.zeros(k, np.int64)
    path[-1] = int(best.argmin())
    for i in range(k - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path
