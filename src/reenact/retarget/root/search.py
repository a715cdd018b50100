"""Root search without training: where would the robot stand so that its arms can do all of this comfortably?

Coarse to fine, deterministic, in numpy:
 1. a grid of roots around the hands (yaw from the clip's own horizontal direction, so that turning the clip turns the
    answer), each judged by how far its keyframe poses are from the nearest comfortable posture (one matrix product);
 2. batched IK on the keyframes for the best of them;
 3. joint refinement of root and keyframe postures with comfort terms (`polish`), which moves every candidate from the
    rim of the feasible set into its interior;
 4. the whole clip solved and scored for the few best that differ; near-ties go to the most interior one;
 5. if asked for, a climb on that score (`climb`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import rotation_angle, so3_exp
from reenact.geometry.transforms import inverse
from reenact.retarget.root.climb import ClimbConfig, climb_root
from reenact.retarget.root.contract import RootRequest, RootResult, RootScore
from reenact.retarget.root.keyposes import ClipKeyposes, KeyposeConfig, keyframe_score, postures
from reenact.retarget.root.polish import PolishConfig, SideProblem, polish_roots


@dataclass(frozen=True)
class SearchConfig:
    """Sizes of the stages."""

    yaws: int = 18
    """Headings tried (every 20 degrees)."""
    places: int = 600
    """About how many positions are tried per heading."""
    keyposes: KeyposeConfig = field(default_factory=KeyposeConfig)
    """Keyframes: coarse ones for stages 1 and 2, fine ones for stage 3."""
    keep_grid: int = 600
    """Candidates that go to stage 2."""
    keep_ik: int = 48
    """Candidates that go to stage 3."""
    keep_second: int = 12
    """Of these, candidates that are polished a second time, from postures chosen anew."""
    keep_polished: int = 2
    """Candidates of each polish whose whole clip is solved."""
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
    polish: tuple[PolishConfig, ...] = (
        PolishConfig(sigma_posture=1.2, comfort_margin=0.35),
        PolishConfig(),
        PolishConfig(sigma_posture=6.0, comfort_margin=0.1, sigma_position=0.004, sigma_rotation=0.02),
    )
    """Stage 3 is done with each of these: from natural postures first to reach at any price."""
    climb: ClimbConfig = field(default_factory=lambda: ClimbConfig(rounds=0))
    """Stage 5, off by default: two rounds cost half the search's time again and gain 1 to 2 % of the score."""


def search_root(request: RootRequest, config: SearchConfig | None = None) -> RootResult:
    """The best root found for the clip. Same request, same answer.

    Raises:
        NoHandToFollow: no side has both an arm and a valid hand.
    """
    config = config or SearchConfig()
    clip = ClipKeyposes(request, config.keyposes)
    roots = _grid(clip, config)
    roots = roots[_ranked(_reach_distance(roots, clip, config))[: config.keep_grid]]
    roots = roots[_ranked(-keyframe_score(roots, clip, clip.coarse))[: config.keep_ik]]
    return finish(request, clip, roots, "search", config)


def finish(
    request: RootRequest,
    clip: ClipKeyposes,
    roots: Float64[np.ndarray, "c 4 4"],
    method: str,
    config: SearchConfig,
    as_they_are: Sequence[Float64[np.ndarray, "4 4"]] = (),
) -> RootResult:
    """Stages 3 to 5 for proposed roots, whoever proposed them; the last ones are judged without a polish, too."""
    finalists: list[np.ndarray] = []
    for polish in config.polish:
        polished = _polished(roots, clip, polish)
        polished = polished[_ranked(-keyframe_score(polished, clip, clip.fine))[: config.keep_second]]
        polished = _polished(polished, clip, polish)
        best_first = _ranked(-keyframe_score(polished, clip, clip.fine))
        finalists += _distinct(polished[best_first], finalists, config)
    found = judge_all(request, [*finalists, *as_they_are], method, config)
    return climbed(request, found, clip.centre, config.climb)


def judge_all(
    request: RootRequest, roots: Sequence[Float64[np.ndarray, "4 4"]], method: str, config: SearchConfig
) -> RootResult:
    """Scores every root on the whole clip; the best by the one score, near-ties by the most interior."""
    scored = [(T, request.judge(T)) for T in roots]
    scored.sort(key=lambda item: -item[1].total)
    best = _most_interior(scored, config)
    return RootResult(best[0], best[1], request.up, method, tuple(scored))


def climbed(
    request: RootRequest, found: RootResult, centre: Float64[np.ndarray, "3"], config: ClimbConfig
) -> RootResult:
    """Stage 5: the found root or a better one near it, which then stands first among the candidates."""
    if config.rounds == 0:
        return found
    T, score = climb_root(request, found.T_world_base, found.score, centre, config)
    if score.total <= found.score.total:
        return found
    return replace(found, T_world_base=T, score=score, candidates=((T, score), *found.candidates))


def _ranked(cost: np.ndarray) -> np.ndarray:
    """Indices by rising cost; differences in the noise of the arithmetic do not decide, the grid's order does."""
    return np.argsort(np.round(cost, 5), kind="stable")


def _grid(clip: ClipKeyposes, config: SearchConfig) -> Float64[np.ndarray, "c 4 4"]:
    """Roots that put the hands' centre on a grid in the arms' comfortable space, for every heading (and tilt)."""
    reach = np.concatenate([bank.T_base_wrist[:, :3, 3] for bank in clip.banks])
    low, high = np.percentile(reach, 4, axis=0), np.percentile(reach, 96, axis=0)
    step = float(np.prod(high - low) / config.places) ** (1 / 3)
    counts = np.maximum(np.round((high - low) / step).astype(int), 1)
    axes = [a + (np.arange(n) + 0.5) * (b - a) / n for a, b, n in zip(low, high, counts, strict=True)]
    centres_base = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    up, heading = clip.up.direction, clip.heading
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


def _reach_distance(roots: np.ndarray, clip: ClipKeyposes, config: SearchConfig) -> np.ndarray:
    """Mean capped squared pose distance of the coarse keyframes to the nearest comfortable posture, [c]."""
    total = np.zeros(len(roots))
    for bank, T in zip(clip.banks, clip.coarse.T_world_wrist, strict=True):
        squared = bank.squared_distance((inverse(roots)[:, None] @ T).reshape(-1, 4, 4)).reshape(
            len(roots), len(T)
        )
        total += np.minimum(squared, config.reach_cap**2).mean(axis=1)
    return total


def _polished(roots: np.ndarray, clip: ClipKeyposes, config: PolishConfig) -> np.ndarray:
    q = []
    for tried, worth in postures(roots, clip, clip.fine):
        best = worth.argmax(axis=2)[..., None, None]
        q.append(np.take_along_axis(tried, best, axis=2)[:, :, 0])
    problems = [SideProblem(c, T) for c, T in zip(clip.chains, clip.fine.T_world_wrist, strict=True)]
    return polish_roots(roots, problems, q, clip.up.direction, clip.up.sigma, config)[0]


def _distinct(roots: np.ndarray, before: list[np.ndarray], config: SearchConfig) -> list[np.ndarray]:
    """The first few roots that differ clearly from each other, less those that stand where one before does."""
    kept: list[np.ndarray] = []
    for T in roots:
        if not any(_near(T, other, config.apart_position, config.apart_yaw) for other in kept):
            kept.append(T)
        if len(kept) == config.keep_polished:
            break
    return [T for T in kept if not any(_near(T, other, 0.01, 0.03) for other in before)]


def _near(T: np.ndarray, other: np.ndarray, position: float, angle: float) -> bool:
    moved = float(np.linalg.norm(T[:3, 3] - other[:3, 3]))
    return moved < position and float(rotation_angle(T[:3, :3], other[:3, :3])) < angle


def _most_interior(
    scored: list[tuple[np.ndarray, RootScore]], config: SearchConfig
) -> tuple[np.ndarray, RootScore]:
    """Among roots whose IK rate ties with the best one's, the one with the highest total."""
    top = max(score.ik_rate - score.collision_rate for _, score in scored)
    tied = [s for s in scored if s[1].ik_rate - s[1].collision_rate >= top - config.rate_tie]
    return max(tied, key=lambda item: item[1].total)
