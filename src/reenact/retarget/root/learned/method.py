"""The learned root behind the same contract as the search: "learned" and "learned_search".

Sliding windows over the clip, a few samples each, pooled; K medoids under the SE(3) geodesic distance; every medoid
judged on the whole clip by the one score. "learned_search" hands the medoids and the most promising samples to the
search's polish and judge. Same request, same answer: the draws are seeded and made in the clip's own frame.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import so3_exp
from reenact.retarget.root.contract import RootRequest, RootResult, Up
from reenact.retarget.root.keyposes import ClipKeyposes, keyframe_score
from reenact.retarget.root.learned.config import LearnedConfig
from reenact.retarget.root.learned.errors import require_torch
from reenact.retarget.root.learned.medoids import k_medoids, se3_distances
from reenact.retarget.root.learned.weights import RootWeights, find_root_weights
from reenact.retarget.root.learned.windows import Windows, clip_windows
from reenact.retarget.root.search import SearchConfig, finish, judge_all
from reenact.retarget.targets import HandTargets


def learned_root(
    request: RootRequest,
    config: LearnedConfig | None = None,
    search: SearchConfig | None = None,
) -> RootResult:
    """Best of K representatives of what the network proposes.

    Raises:
        NoHandToFollow: no side has both an arm and a valid hand.
        NoTorch: the extra `learn` is not installed.
        NoRootWeights: none are trained for these arms.
        BadRootWeights: the weights file is damaged.
    """
    config = config or LearnedConfig()
    roots = propose_roots(request, config)
    return judge_all(request, representatives(roots, config.medoids), "learned", search or SearchConfig())


def learned_search_root(
    request: RootRequest,
    config: LearnedConfig | None = None,
    search: SearchConfig | None = None,
) -> RootResult:
    """The network proposes, the search's polish and judge finish; the medoids are judged unpolished, too, so that
    nothing good is lost. Raises as `learned_root`."""
    config, search = config or LearnedConfig(), search or SearchConfig()
    roots = propose_roots(request, config)
    medoids = representatives(roots, config.medoids)
    clip = ClipKeyposes(request, search.keyposes)
    order = np.argsort(-np.round(keyframe_score(roots, clip, clip.coarse), 5), kind="stable")
    proposed = np.concatenate([np.stack(medoids), roots[order[: config.proposals]]])
    return finish(request, clip, proposed, "learned_search", search, medoids)


def propose_roots(request: RootRequest, config: LearnedConfig) -> Float64[np.ndarray, "n 4 4"]:
    """Samples pooled over the clip's windows, upright where gravity is known."""
    require_torch()
    from reenact.retarget.root.learned.estimator import RootEstimator

    sides = request.arms.followed(request.targets)
    path = Path(config.weights) if config.weights else None
    weights, offsets = find_root_weights(request.arms.name, request.arms.chains, path)
    windows = windows_of(request.targets, sides, request.up, offsets, weights, config)
    draws = max(1, round(config.samples / len(windows)))
    rng = np.random.default_rng(config.seed)
    roots = RootEstimator.of(weights).sample(windows, draws, rng).reshape(-1, 4, 4)
    if request.up.sigma == 0:
        return stood_upright(roots, hands_centre(request.targets, sides), request.up.direction)
    return _plausible(roots, request.up, config)


def windows_of(
    targets: HandTargets,
    sides: tuple[int, ...],
    up: Up,
    offsets: Float64[np.ndarray, "2 4 4"],
    weights: RootWeights,
    config: LearnedConfig,
) -> Windows:
    """What the network sees of the clip."""
    known = up.direction if up.sigma <= config.gravity_trusted else None
    return clip_windows(targets, sides, known, offsets, weights.config.window)


def hands_centre(targets: HandTargets, sides: tuple[int, ...]) -> Float64[np.ndarray, "3"]:
    """Mean over the followed hands of their mean position."""
    means = [targets.T_world_wrist[targets.valid[:, s], s, :3, 3].mean(axis=0) for s in sides]
    return np.mean(means, axis=0)


def stood_upright(
    roots: Float64[np.ndarray, "n 4 4"], centre: Float64[np.ndarray, "3"], up: Float64[np.ndarray, "3"]
) -> Float64[np.ndarray, "n 4 4"]:
    """Roots turned about the hands' centre by the least angle that makes their z axis point up."""
    z = roots[:, :3, 2]
    cosine = np.clip(z @ up, -1.0, 1.0)
    axis = np.cross(z, up)
    length = np.linalg.norm(axis, axis=1)
    spare = np.cross(z, np.eye(3)[np.abs(z).argmin(axis=1)])
    axis = np.where(length[:, None] > 1e-9, axis, spare)
    axis = axis / np.linalg.norm(axis, axis=1, keepdims=True)
    turn = so3_exp(axis * np.arctan2(length, cosine)[:, None])
    out = roots.copy()
    out[:, :3, :3] = turn @ roots[:, :3, :3]
    out[:, :3, 3] = centre + (turn @ (roots[:, :3, 3] - centre)[..., None])[..., 0]
    return out


def _plausible(roots: np.ndarray, up: Up, config: LearnedConfig) -> np.ndarray:
    """Samples that do not contradict the assumed up; if too few, those nearest to it."""
    tilt = np.arccos(np.clip(roots[:, :3, 2] @ up.direction, -1.0, 1.0))
    fewest = min(len(roots), 4 * config.medoids)
    kept = np.flatnonzero(tilt <= config.prior_sigmas * up.sigma)
    if len(kept) < fewest:
        kept = np.sort(np.argsort(tilt, kind="stable")[:fewest])
    return roots[kept]


def representatives(roots: Float64[np.ndarray, "n 4 4"], k: int) -> list[Float64[np.ndarray, "4 4"]]:
    """At most `k` medoids, largest cluster first."""
    chosen, _ = k_medoids(se3_distances(roots), k)
    return [roots[i] for i in chosen]
