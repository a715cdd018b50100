"""Root search without training: where would the robot stand so that its arms can do all of this comfortably?

Coarse to fine, deterministic, in numpy:
 1. a grid of roots around the hands (yaw from the clip's own horizontal direction, so that turning the clip turns the
    answer), each judged by how far its keyframe poses are from the nearest comfortable posture (one matrix product);
 2. batched IK on the keyframes for the best of them;
 3. joint refinement of root and keyframe postures with comfort terms (`polish`), which moves every candidate from the
    rim of the feasible set into its interior;
 4. the whole clip solved and scored for the few best that differ; near-ties go to the most interior one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import rotation_angle, so3_exp, so3_log
from reenact.geometry.transforms import inverse
from reenact.retarget.batch_ik import BatchIkConfig, PoseSolutions, solve_poses
from reenact.retarget.chains import WristChain, limit_margin
from reenact.retarget.keyframes import spread_keyframes
from reenact.retarget.root.contract import RootRequest, RootResult, RootScore
from reenact.retarget.root.polish import PolishConfig, SideProblem, polish_roots
from reenact.retarget.root.score import IK_POSITION, IK_ROTATION
from reenact.retarget.targets import HandTargets

SPEED_SHARE = 0.7
"""Share of a joint's speed limit that may be used at a keyframe without cost; the solve needs some for itself."""


@dataclass(frozen=True)
class SearchConfig:
    """Sizes of the four stages."""

    yaws: int = 18
    """Headings tried (every 20 degrees)."""
    places: int = 600
    """About how many positions are tried per heading."""
    coarse_keyframes: int = 6
    """Keyframes per side in stages 1 and 2."""
    keep_grid: int = 600
    """Candidates that go to stage 2."""
    keep_ik: int = 48
    """Candidates that go to stage 3."""
    fine_keyframes: int = 12
    """Keyframes per side in stage 3."""
    fast_keyframes: int = 4
    """Fastest moments per side added to them."""
    keep_polished: int = 4
    """Candidates whose whole clip is solved."""
    apart_position: float = 0.08
    """Polished roots nearer than this (m) and `apart_yaw` count as one."""
    apart_yaw: float = 0.25
    """See `apart_position` (rad)."""
    rate_tie: float = 0.005
    """IK rates closer than this are a tie, decided by the rest of the score."""
    reach_cap: float = 0.35
    """Pose distance (m) beyond which a keyframe is simply out of reach in stage 1."""
    tilts: tuple[float, ...] = (-0.45, 0.0, 0.45)
    """Pitch offsets (rad) tried when gravity is only assumed; none otherwise."""
    polish: PolishConfig = field(default_factory=PolishConfig)


class _Clip:
    """The clip as the search sees it: followed sides, keyframes, centre and canonical heading."""

    def __init__(self, request: RootRequest, config: SearchConfig) -> None:
        targets, arms = request.targets, request.arms
        self.sides = arms.followed(targets)
        self.chains = [arms.chains[s] for s in self.sides]
        self.banks = [b for s in self.sides if (b := arms.banks[s]) is not None]
        twists = [wrist_twists(targets, s) for s in self.sides]
        frames = [
            np.union1d(
                spread_keyframes(targets.T_world_wrist[:, s], targets.valid[:, s], config.fine_keyframes),
                _fastest(twist, targets.seconds, config.fast_keyframes),
            )
            for s, twist in zip(self.sides, twists, strict=True)
        ]
        self.fine = [targets.T_world_wrist[f, s] for f, s in zip(frames, self.sides, strict=True)]
        self.fine_twists = [twist[f] for f, twist in zip(frames, twists, strict=True)]
        chosen = [spread_keyframes(T, np.ones(len(T), bool), config.coarse_keyframes) for T in self.fine]
        self.coarse = [T[f] for T, f in zip(self.fine, chosen, strict=True)]
        self.coarse_twists = [v[f] for v, f in zip(self.fine_twists, chosen, strict=True)]
        self.centre = np.mean([T[:, :3, 3].mean(axis=0) for T in self.fine], axis=0)
        self.up = request.up
        self.clearance = arms.clearance

    def heading(self) -> Float64[np.ndarray, "3"]:
        """A horizontal direction carried along by any rotation of the clip about gravity."""
        distal = [
            T[:, :3, 0].mean(axis=0) * (1.0 if s == 0 else -1.0)
            for T, s in zip(self.fine, self.sides, strict=True)
        ]
        across = [T[:, :3, 2].mean(axis=0) for T in self.fine]
        direction = np.sum(distal, axis=0) + 0.1 * np.sum(across, axis=0)
        direction = direction - (direction @ self.up.direction) * self.up.direction
        if np.linalg.norm(direction) < 1e-6:
            direction = np.cross(self.up.direction, self.fine[0][0, :3, 3] - self.centre) + 1e-12
        return direction / np.linalg.norm(direction)


def search_root(request: RootRequest, config: SearchConfig | None = None) -> RootResult:
    """The best root found for the clip. Same request, same answer.

    Raises:
        NoHandToFollow: no side has both an arm and a valid hand.
    """
    config = config or SearchConfig()
    clip = _Clip(request, config)
    roots = _grid(clip, config)
    roots = roots[_ranked(_reach_distance(roots, clip, config))[: config.keep_grid]]
    roots = roots[_ranked(-_keyframe_score(roots, clip, clip.coarse, clip.coarse_twists))[: config.keep_ik]]
    roots = _polished(roots, clip, config)
    finalists = _distinct(roots[_ranked(-_keyframe_score(roots, clip, clip.fine, clip.fine_twists))], config)
    scored = [(T, request.judge(T)) for T in finalists]
    scored.sort(key=lambda item: -item[1].total)
    best = _most_interior(scored, config)
    return RootResult(best[0], best[1], clip.up, "search", tuple(scored))


def _ranked(cost: np.ndarray) -> np.ndarray:
    """Indices by rising cost; differences in the noise of the arithmetic do not decide, the grid's order does."""
    return np.argsort(np.round(cost, 5), kind="stable")


def _grid(clip: _Clip, config: SearchConfig) -> Float64[np.ndarray, "c 4 4"]:
    """Roots that put the hands' centre on a grid in the arms' comfortable space, for every heading (and tilt)."""
    reach = np.concatenate([bank.T_base_wrist[:, :3, 3] for bank in clip.banks])
    low, high = np.percentile(reach, 4, axis=0), np.percentile(reach, 96, axis=0)
    step = float(np.prod(high - low) / config.places) ** (1 / 3)
    counts = np.maximum(np.round((high - low) / step).astype(int), 1)
    axes = [a + (np.arange(n) + 0.5) * (b - a) / n for a, b, n in zip(low, high, counts, strict=True)]
    centres_base = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    up, heading = clip.up.direction, clip.heading()
    level = np.stack([heading, np.cross(up, heading), up], axis=1)
    tilts = config.tilts if clip.up.sigma > 0 else (0.0,)
    across = np.array([1.0, 0.0, 0.0]) if clip.up.source == "camera_prior" else heading
    rotations = [
        so3_exp(across * tilt) @ level @ so3_exp(np.array([0.0, 0.0, 2 * np.pi * k / config.yaws]))
        for tilt in tilts
        for k in range(config.yaws)
    ]
    R = np.repeat(np.stack(rotations), len(centres_base), axis=0)
    T = np.zeros((len(R), 4, 4))
    T[:, :3, :3] = R
    T[:, :3, 3] = clip.centre - (R @ np.tile(centres_base, (len(rotations), 1))[..., None])[..., 0]
    T[:, 3, 3] = 1.0
    return T


def _reach_distance(roots: np.ndarray, clip: _Clip, config: SearchConfig) -> np.ndarray:
    """Mean capped squared pose distance of the coarse keyframes to the nearest comfortable posture, [c]."""
    total = np.zeros(len(roots))
    for bank, T in zip(clip.banks, clip.coarse, strict=True):
        squared = bank.squared_distance((inverse(roots)[:, None] @ T).reshape(-1, 4, 4)).reshape(
            len(roots), len(T)
        )
        total += np.minimum(squared, config.reach_cap**2).mean(axis=1)
    return total


def _solve_keyframes(roots: np.ndarray, clip: _Clip, keyframes: list[np.ndarray]) -> list[PoseSolutions]:
    """IK of every root's keyframes from the nearest posture of the bank, per side [c k]."""
    solutions = []
    for chain, bank, T in zip(clip.chains, clip.banks, keyframes, strict=True):
        assert chain is not None
        target = inverse(roots)[:, None] @ T
        start = bank.q[bank.nearest(target.reshape(-1, 4, 4))[:, 0]].reshape(*target.shape[:2], -1)
        solutions.append(solve_poses(chain, target, start, BatchIkConfig(iterations=12)))
    return solutions


def _keyframe_score(
    roots: np.ndarray, clip: _Clip, keyframes: list[np.ndarray], twists: list[np.ndarray]
) -> np.ndarray:
    """Share of keyframes reached, less what is missed, collides or is too fast, plus a little for comfort."""
    total = np.zeros(len(roots))
    solutions = _solve_keyframes(roots, clip, keyframes)
    for side, chain, found, twist in zip(clip.sides, clip.chains, solutions, twists, strict=True):
        assert chain is not None
        missed = np.minimum(found.position_error, 0.2) / 0.2 + np.minimum(found.rotation_error, 1.0)
        room = np.clip(limit_margin(found.q, chain.lower, chain.upper) / 0.3, 0.0, 1.0)
        away = np.sqrt(((found.q - chain.home) ** 2).mean(axis=-1))
        value = found.reached(IK_POSITION, IK_ROTATION) - missed + 0.3 * room - 0.15 * away
        value = value - np.clip(speed_ratio(chain, found.q, roots, twist) - SPEED_SHARE, 0.0, 1.0)
        if clip.clearance is not None:
            depth = clip.clearance.depth(found.q.reshape(-1, found.q.shape[-1]), side).reshape(value.shape)
            value = value - np.minimum(depth / clip.clearance.margin, 2.0)
        total += value.mean(axis=1)
    return total


def speed_ratio(
    chain: WristChain,
    q: Float64[np.ndarray, "c k n"],
    roots: Float64[np.ndarray, "c 4 4"],
    twist: Float64[np.ndarray, "k 6"],
) -> Float64[np.ndarray, "c k"]:
    """Largest joint speed over its limit when the wrist moves with a twist (world axes) at given postures.

    Joint speeds are those of least norm relative to the limits.
    """
    limit = np.where(np.isfinite(chain.velocity), chain.velocity, 1e3)
    scaled = chain.fk_jacobian(q)[1] * limit
    R = np.swapaxes(roots[:, None, :3, :3], -1, -2)
    wanted = np.concatenate([R @ twist[:, :3, None], R @ twist[:, 3:, None]], axis=-2)
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


def _polished(roots: np.ndarray, clip: _Clip, config: SearchConfig) -> np.ndarray:
    found = _solve_keyframes(roots, clip, clip.fine)
    problems = [SideProblem(c, T) for c, T in zip(clip.chains, clip.fine, strict=True) if c is not None]
    polished, _ = polish_roots(
        roots, problems, [f.q for f in found], clip.up.direction, clip.up.sigma, config.polish
    )
    return polished


def _distinct(roots: np.ndarray, config: SearchConfig) -> list[np.ndarray]:
    """The first few roots that differ from all before them."""
    kept: list[np.ndarray] = []
    for T in roots:
        near = [
            np.linalg.norm(T[:3, 3] - other[:3, 3]) < config.apart_position
            and rotation_angle(T[:3, :3], other[:3, :3]) < config.apart_yaw
            for other in kept
        ]
        if not any(near):
            kept.append(T)
        if len(kept) == config.keep_polished:
            break
    return kept


def _most_interior(
    scored: list[tuple[np.ndarray, RootScore]], config: SearchConfig
) -> tuple[np.ndarray, RootScore]:
    """Among roots whose IK rate ties with the best one's, the one with the highest total."""
    top = max(score.ik_rate - score.collision_rate for _, score in scored)
    tied = [s for s in scored if s[1].ik_rate - s[1].collision_rate >= top - config.rate_tie]
    return max(tied, key=lambda item: item[1].total)
