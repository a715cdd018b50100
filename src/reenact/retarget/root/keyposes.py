"""The clip as a root search sees it: keyframes of the followed sides, and what a root is worth on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import so3_log
from reenact.geometry.transforms import inverse
from reenact.retarget.batch_ik import BatchIkConfig, solve_poses
from reenact.retarget.chains import WristChain, limit_margin
from reenact.retarget.keyframes import spread_keyframes
from reenact.retarget.root.contract import RootRequest
from reenact.retarget.root.heading import clip_heading
from reenact.retarget.root.score import IK_POSITION, IK_ROTATION
from reenact.retarget.targets import HandTargets

SPEED_SHARE = 0.7
"""Share of a joint's speed limit that may be used at a keyframe without cost; the solve needs some for itself."""
FACING = 0.03
"""Worth of a base that faces where the fingers point, in shares of the keyframes."""


@dataclass(frozen=True)
class KeyposeConfig:
    """Which frames stand for the clip."""

    coarse: int = 6
    """Keyframes per side for the many candidates of the grid."""
    fine: int = 12
    """Keyframes per side for the few."""
    fast: int = 4
    """Fastest moments per side added to the fine ones."""
    starts: int = 3
    """Postures from which each fine keyframe is solved."""


@dataclass(frozen=True)
class Keyframes:
    """Keyframes per followed side: wanted wrist poses and twists in the world, and postures tried for each.

    Each side has its own number of keyframes.
    """

    T_world_wrist: list[Float64[np.ndarray, "_ 4 4"]]
    twist: list[Float64[np.ndarray, "_ 6"]]
    starts: int


class ClipKeyposes:
    """The clip as the search sees it: followed sides, keyframes, centre and canonical heading."""

    def __init__(self, request: RootRequest, config: KeyposeConfig) -> None:
        targets, arms = request.targets, request.arms
        self.sides = arms.followed(targets)
        self.chains = [c for s in self.sides if (c := arms.chains[s]) is not None]
        self.banks = [b for s in self.sides if (b := arms.banks[s]) is not None]
        poses, twists = [], []
        for s in self.sides:
            T, twist = targets.T_world_wrist[:, s], wrist_twists(targets, s)
            frames = np.union1d(
                spread_keyframes(T, targets.valid[:, s], config.fine),
                _fastest(twist, targets.seconds, config.fast),
            )
            poses.append(T[frames])
            twists.append(twist[frames])
        few = [spread_keyframes(T, np.ones(len(T), bool), config.coarse) for T in poses]
        self.fine = Keyframes(poses, twists, config.starts)
        self.coarse = Keyframes(
            [T[f] for T, f in zip(poses, few, strict=True)],
            [v[f] for v, f in zip(twists, few, strict=True)],
            1,
        )
        self.centre = np.mean([T[:, :3, 3].mean(axis=0) for T in poses], axis=0)
        self.up = request.up
        self.clearance = arms.clearance
        self.heading = clip_heading(targets, self.sides, request.up.direction)


def postures(
    roots: Float64[np.ndarray, "c 4 4"], clip: ClipKeyposes, keyframes: Keyframes
) -> Iterator[tuple[Float64[np.ndarray, "c k m n"], Float64[np.ndarray, "c k m"]]]:
    """Per side: postures solved for every root and keyframe from the nearest of the bank, and what each is worth.

    Reached counts 1, less what is missed, collides or is too fast, plus a little for room to the limits and nearness
    to home.
    """
    parts = zip(clip.sides, clip.chains, clip.banks, keyframes.T_world_wrist, keyframes.twist, strict=True)
    for side, chain, bank, T, twist in parts:
        target = (inverse(roots)[:, None] @ T)[:, :, None]
        nearest = bank.nearest(target.reshape(-1, 4, 4), keyframes.starts)
        start = bank.q[nearest].reshape(*target.shape[:2], keyframes.starts, -1)
        found = solve_poses(chain, target, start, BatchIkConfig(iterations=12))
        missed = np.minimum(found.position_error, 0.2) / 0.2 + np.minimum(found.rotation_error, 1.0)
        room = np.clip(limit_margin(found.q, chain.lower, chain.upper) / 0.3, 0.0, 1.0)
        away = np.sqrt(((found.q - chain.home) ** 2).mean(axis=-1))
        worth = found.reached(IK_POSITION, IK_ROTATION) - missed + 0.3 * room - 0.15 * away
        worth = worth - np.clip(speed_ratio(chain, found.q, roots, twist) - SPEED_SHARE, 0.0, 1.0)
        if clip.clearance is not None:
            depth = clip.clearance.depth(found.q.reshape(-1, found.q.shape[-1]), side).reshape(worth.shape)
            worth = worth - np.minimum(depth / clip.clearance.margin, 2.0)
        yield found.q, worth


def keyframe_score(roots: np.ndarray, clip: ClipKeyposes, keyframes: Keyframes) -> np.ndarray:
    """Mean worth of the keyframes, each with its best posture, summed over sides; and a little for facing forward."""
    total = FACING * len(clip.sides) * (roots[:, :3, 0] @ clip.heading)
    for _, worth in postures(roots, clip, keyframes):
        total += worth.max(axis=2).mean(axis=1)
    return total


def speed_ratio(
    chain: WristChain,
    q: Float64[np.ndarray, "c k m n"],
    roots: Float64[np.ndarray, "c 4 4"],
    twist: Float64[np.ndarray, "k 6"],
) -> Float64[np.ndarray, "c k m"]:
    """Largest joint speed over its limit when the wrist moves with a twist (world axes) at given postures.

    Joint speeds are those of least norm relative to the limits.
    """
    limit = np.where(np.isfinite(chain.velocity), chain.velocity, 1e3)
    scaled = chain.fk_jacobian(q)[1] * limit
    R = np.swapaxes(roots[:, None, :3, :3], -1, -2)
    wanted = np.concatenate([R @ twist[:, :3, None], R @ twist[:, 3:, None]], axis=-2)[:, :, None]
    square = scaled @ np.swapaxes(scaled, -1, -2) + 1e-6 * np.eye(6)
    speeds = np.swapaxes(scaled, -1, -2) @ np.linalg.solve(square, wanted)
    return np.abs(speeds[..., 0]).max(axis=-1)


def wrist_twists(targets: HandTargets, side: int) -> Float64[np.ndarray, "t 6"]:
    """Velocity (m/s) and angular velocity (rad/s) of a wrist, world axes; 0 where a neighbour is not valid."""
    T, valid, seconds = targets.T_world_wrist[:, side], targets.valid[:, side], targets.seconds
    out = np.zeros((len(T), 6))
    if len(T) < 3:
        return out
    span = (seconds[2:] - seconds[:-2])[:, None]
    out[1:-1, :3] = (T[2:, :3, 3] - T[:-2, :3, 3]) / span
    out[1:-1, 3:] = so3_log(T[2:, :3, :3] @ np.swapaxes(T[:-2, :3, :3], -1, -2)) / span
    out[1:-1][~(valid[2:] & valid[1:-1] & valid[:-2])] = 0.0
    return out


def _fastest(twist: np.ndarray, seconds: np.ndarray, count: int) -> np.ndarray:
    """Frames of fastest motion, at least a quarter of a second apart."""
    size = np.linalg.norm(twist * np.repeat([1.0, 0.3], 3), axis=1)
    chosen: list[int] = []
    for frame in np.argsort(-np.round(size, 9), kind="stable"):
        if len(chosen) == count or size[frame] <= 0:
            break
        if all(abs(seconds[frame] - seconds[other]) > 0.25 for other in chosen):
            chosen.append(int(frame))
    return np.array(sorted(chosen), int)
