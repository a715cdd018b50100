"""Which way is up: three orthogonal directions in the lines, and which of the six ways along them is up.

Every rotation that explains many lines proposes its directions; a proposal counts the lines it explains, how
usual the camera's pitch and roll would be, and, where the focal length is unsure, how far it had to be bent.
If two proposals that differ come close, lines are not believed: often one direction is plain (a table's planks)
and the turn about it hangs on a few short edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from reenact.geometry.cameras import Camera
from reenact.perception.camera.manhattan import (
    ManhattanConfig,
    Refined,
    SphereSegments,
    draw_triples,
    on_sphere,
    propose,
    refine,
)
from reenact.perception.camera.segments import Segments
from reenact.perception.camera.up_vote import GravityConfig, Proposals, distinct, vote


@dataclass(frozen=True, eq=False)
class GravityFinding:
    """Up per frame looked at, in that frame's camera axes."""

    trusted: bool
    up_camera: Float64[np.ndarray, "k 3"]
    """Unit vectors; meaningless where not trusted. All the same where the camera stands still."""
    sigma: float
    """One-sigma in rad: residuals with the focal length's own sigma, the centre's, the other proposals weighed by
    their probability, and a floor."""
    fit: float
    """Median fraction of fitting segments."""
    probability: float
    """Of the chosen proposal against the others, the median frame's."""
    reason: str
    """One sentence with the numbers that decided."""


def gravity_from_lines(
    frames: Sequence[Segments],
    camera: Camera,
    focal_sigma: float,
    manhattan: ManhattanConfig,
    config: GravityConfig,
    *,
    centre_sigma_px: float,
    still: bool,
    seed: int,
) -> GravityFinding:
    """Up in each of the frames through ``camera`` (of the frames' size); one up for all if ``still``.

    ``centre_sigma_px``: one-sigma of the camera's centre, in pixels of the frames.
    """
    index = [i for i, s in enumerate(frames) if len(s) >= config.min_segments]
    if not index or (not still and index[0] != 0):
        what = "no frame has" if not index else "the first frame has not"
        return _nothing(len(frames), f"{what} {config.min_segments} lines")
    groups = [[frames[i] for i in index]] if still else [[frames[i]] for i in index]
    proposals = [
        propose_up(group, camera, focal_sigma, manhattan, config, np.random.default_rng([seed, k]))
        for k, group in enumerate(groups)
    ]
    if any(len(p.log_p) == 0 for p in proposals):
        return _nothing(len(frames), f"no three directions with one within {config.cone_deg:.0f} deg of up")
    best, probability, doubt = vote(proposals, config)
    refined = [
        _refine(group, camera, focal_sigma, p, b, manhattan)
        for group, p, b in zip(groups, proposals, best, strict=True)
    ]
    up = np.stack([_nearest(r, p.up_camera[b]) for r, p, b in zip(refined, proposals, best, strict=True)])
    fit = float(
        np.median([f for g, r in zip(groups, refined, strict=True) for f in _fits(g, camera, r, manhattan)])
    )
    by_lines = max(r.turn_sigma * np.sqrt(len(g)) for g, r in zip(groups, refined, strict=True))
    by_others = max(float(np.median(doubt)), float(doubt[0]))
    parts = [np.deg2rad(config.sigma_floor_deg), by_lines, centre_sigma_px / camera.fy, by_others]
    sigma, sure = float(np.linalg.norm(parts)), min(float(np.median(probability)), float(probability[0]))
    trusted, why = _gate(fit, sigma, config)
    numbers = (
        f"{fit:.2f} of the lines fit, this up is {100 * sure:.0f} % likely among others,"
        f" sigma {np.rad2deg(sigma):.1f} deg"
    )
    all_up = np.repeat(up, len(frames), axis=0) if still else _carried(up, index, len(frames))
    return GravityFinding(trusted, all_up, sigma, fit, sure, f"{numbers}: {why}")


def _nothing(count: int, reason: str) -> GravityFinding:
    level = np.tile([0.0, -1.0, 0.0], (max(1, count), 1))
    return GravityFinding(False, level, 0.0, 0.0, 0.0, reason)


def _gate(fit: float, sigma: float, c: GravityConfig) -> tuple[bool, str]:
    if fit < c.fit:
        return False, f"too few fit, less than {c.fit}"
    if sigma > np.deg2rad(c.sigma_most_deg):
        return False, f"not sure enough, more than {c.sigma_most_deg:.0f} deg"
    return True, "believed"


def propose_up(
    group: Sequence[Segments],
    camera: Camera,
    focal_sigma: float,
    manhattan: ManhattanConfig,
    config: GravityConfig,
    rng: np.random.Generator,
) -> Proposals:
    """Proposals for frames that share one up; a still camera's frames count as one, for they repeat themselves."""
    rungs = int(np.ceil(2 * focal_sigma / config.focal_step)) if focal_sigma > config.focal_step / 2 else 0
    triples = [draw_triples(s, manhattan.hypotheses, rng) for s in group]
    found = []
    for bend in config.focal_step * np.arange(-rungs, rungs + 1):
        lens = _zoomed(camera, float(np.exp(bend)))
        spheres = [on_sphere(s, lens, manhattan.noise_px) for s in group]
        R = np.concatenate(
            [propose(s, t, manhattan.fit_angle_deg) for s, t in zip(spheres, triples, strict=True)]
        )
        unusual = 0.5 * (bend / focal_sigma) ** 2 if bend else 0.0
        found.append((R, _explained(spheres, R, manhattan) / config.segments_per_nat - unusual))
    R = np.concatenate([r for r, _ in found])
    log_lines = np.concatenate([p for _, p in found])
    bends = np.repeat(config.focal_step * np.arange(-rungs, rungs + 1), [len(r) for r, _ in found])
    return distinct(R, log_lines, np.exp(bends), config)


def _explained(spheres: Sequence[SphereSegments], R: np.ndarray, config: ManhattanConfig) -> np.ndarray:
    """Segments that each rotation explains, in the average frame."""
    if len(R) == 0:
        return np.zeros(0)
    counts = [len(s.middle) * s.score(R, config.fit_angle_deg) for s in spheres]
    return np.mean(counts, axis=0)


def _refine(
    group: Sequence[Segments],
    camera: Camera,
    focal_sigma: float,
    proposals: Proposals,
    chosen: int,
    config: ManhattanConfig,
) -> Refined:
    """Least squares for the rotation, with the focal length held by its own sigma."""
    bend = float(np.log(proposals.focal_factor[chosen]))
    return refine(
        group,
        lambda theta: _zoomed(camera, float(np.exp(theta[0]))),
        np.zeros(1),
        np.array([focal_sigma / np.sqrt(len(group))]),
        np.repeat(proposals.R_axes_camera[chosen][None], len(group), axis=0),
        config,
        shared=True,
        first_guess=np.array([bend]),
    )


def _zoomed(camera: Camera, factor: float) -> Camera:
    return replace(camera, fx=camera.fx * factor, fy=camera.fy * factor)


def _fits(
    group: Sequence[Segments], camera: Camera, refined: Refined, config: ManhattanConfig
) -> list[float]:
    lens = _zoomed(camera, float(np.exp(refined.lens[0])))
    R = refined.R_axes_camera[0]
    return [on_sphere(s, lens, config.noise_px).fit(R, config.fit_angle_deg) for s in group]


def _nearest(refined: Refined, up: np.ndarray) -> np.ndarray:
    """The signed refined direction nearest to the proposed up."""
    candidates = np.concatenate([refined.R_axes_camera[0], -refined.R_axes_camera[0]])
    return candidates[int(np.argmax(candidates @ up))]


def _carried(up: np.ndarray, index: Sequence[int], count: int) -> np.ndarray:
    """Values of the usable frames, carried on over frames without lines."""
    return up[np.maximum(np.searchsorted(index, np.arange(count), side="right") - 1, 0)]
