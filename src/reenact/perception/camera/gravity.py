"""Which way is up: three orthogonal directions with the lens known, then a vote on which of them is up.

A direction can be up only within a wide cone about the picture's up; among those, cameras held level and
looking somewhat down are likelier. If two could be up, lines are not believed.
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
    draw_triples,
    on_sphere,
    refine,
    search,
)
from reenact.perception.camera.segments import Segments


@dataclass(frozen=True)
class GravityConfig:
    """The vote and the gate."""

    min_segments: int = 12
    """Frames with fewer segments are left out."""
    fit: float = 0.36
    """Smallest median fraction of fitting segments."""
    cone_deg: float = 60.0
    """Up lies within this angle of the picture's up (measured need: one of six frames was 51 deg wrong)."""
    pitch_mean_deg: float = -20.0
    """Cameras that watch hands look down a little."""
    pitch_sigma_deg: float = 25.0
    """One-sigma of that."""
    roll_sigma_deg: float = 12.0
    """Cameras are held level within this one-sigma."""
    vote_sigma_deg: float = 25.0
    """How far from the clip's usual up (in camera axes) a moving camera's frame may be, one-sigma."""
    sure: float = 0.8
    """Smallest probability of the chosen direction against the others."""
    sigma_floor_deg: float = 0.5
    """Smallest sigma claimed (measured with the focal length known: 0.3 deg median, 0.8 deg 90th percentile)."""


@dataclass(frozen=True, eq=False)
class GravityFinding:
    """Up per frame looked at, in that frame's camera axes."""

    trusted: bool
    up_camera: Float64[np.ndarray, "k 3"]
    """Unit vectors; meaningless where not trusted. All the same where the camera stands still."""
    sigma: float
    """One-sigma in rad: residuals, the focal length's own sigma, the centre's if it was assumed, and a floor."""
    fit: float
    """Median fraction of fitting segments."""
    probability: float
    """Of the chosen direction against the others, the median frame's."""
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
    nothing = np.tile([0.0, -1.0, 0.0], (max(1, len(frames)), 1))
    index = [i for i, s in enumerate(frames) if len(s) >= config.min_segments]
    if not index or (not still and index[0] != 0):
        what = "no frame has" if not index else "the first frame has not"
        return GravityFinding(False, nothing, 0.0, 0.0, 0.0, f"{what} {config.min_segments} lines")
    usable = [frames[i] for i in index]
    R, turn_sigma = _directions(usable, camera, manhattan, still, seed)
    fit = float(np.median(_fits(usable, camera, R, manhattan)))
    up, probability = vote(R[:1] if still else R, config)
    longer = _held_refine(usable, _scaled_focal(camera, 1 + focal_sigma), R, manhattan, still)
    bent = _nearest(longer.R_axes_camera, up)
    by_focal = float(np.median(np.arccos(np.clip(np.sum(up * bent, axis=-1), -1, 1))))
    by_centre = centre_sigma_px / camera.fy
    sigma = float(
        np.hypot(np.hypot(np.deg2rad(config.sigma_floor_deg), turn_sigma), np.hypot(by_focal, by_centre))
    )
    sure = float(np.median(probability))
    numbers = f"{fit:.2f} of the lines fit, up is {100 * sure:.0f} % sure among the directions"
    trusted, why = True, "believed"
    if fit < config.fit:
        trusted, why = False, f"too few, less than {config.fit}"
    elif sure < config.sure:
        trusted, why = False, f"less than {100 * config.sure:.0f} %"
    elif (first := float(probability[0])) < config.sure:
        trusted, why = False, f"in the first frame only {100 * first:.0f} %"
    all_up = np.repeat(up, len(frames), axis=0) if still else _spread_over(up, index, len(frames))
    return GravityFinding(trusted, all_up, sigma, fit, sure, f"{numbers}: {why}")


def vote(
    R_axes_camera: Float64[np.ndarray, "k 3 3"], config: GravityConfig
) -> tuple[Float64[np.ndarray, "k 3"], Float64[np.ndarray, " k"]]:
    """Up of each frame among plus and minus its three directions, and the probability of that choice.

    Two rounds: by pitch and roll alone, then also by the clip's usual up. Probability 0 where no direction
    lies in the cone.
    """
    candidates = np.concatenate([R_axes_camera, -R_axes_camera], axis=1)
    log_p = _log_prior(candidates, config)
    first, _ = _choose(candidates, log_p)
    usual = first[np.argmax(np.median(first @ first.T, axis=1))]  # the frame nearest to most others
    off = np.arccos(np.clip(candidates @ usual, -1, 1)) / np.deg2rad(config.vote_sigma_deg)
    return _choose(candidates, log_p - 0.5 * off**2 * (len(first) > 2))


def _log_prior(up: np.ndarray, c: GravityConfig) -> np.ndarray:
    """Of each candidate, from the camera's pitch and roll if it were up; outside the cone hardly possible."""
    pitch = np.rad2deg(np.arcsin(np.clip(up[..., 2], -1, 1)))
    roll = np.rad2deg(np.arctan2(up[..., 0], -up[..., 1]))
    log_p = -0.5 * (((pitch - c.pitch_mean_deg) / c.pitch_sigma_deg) ** 2 + (roll / c.roll_sigma_deg) ** 2)
    return np.where(-up[..., 1] >= np.cos(np.deg2rad(c.cone_deg)), log_p, -1e9)


def _choose(candidates: np.ndarray, log_p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    best = np.argmax(log_p, axis=1)
    rows = np.arange(len(best))
    share = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    possible = log_p[rows, best] > -1e8
    return candidates[rows, best], possible * share[rows, best] / share.sum(axis=1)


def _directions(
    frames: Sequence[Segments], camera: Camera, config: ManhattanConfig, still: bool, seed: int
) -> tuple[np.ndarray, float]:
    """Refined directions per frame (all the same if still) and their sigma by the residuals."""
    spheres = [on_sphere(s, camera, config.noise_px) for s in frames]
    R = np.stack(
        [
            search(
                sphere,
                draw_triples(segments, 4 * config.hypotheses, np.random.default_rng([seed, i])),
                config.fit_angle_deg,
            )[0]
            for i, (segments, sphere) in enumerate(zip(frames, spheres, strict=True))
        ]
    )
    if still:
        total = sum(
            len(s) * sphere.score(R, config.fit_angle_deg) for s, sphere in zip(frames, spheres, strict=True)
        )
        R = np.repeat(R[int(np.argmax(total))][None], len(frames), axis=0)
    done = _held_refine(frames, camera, R, config, still)
    return done.R_axes_camera, done.turn_sigma


def _held_refine(
    frames: Sequence[Segments], camera: Camera, R: np.ndarray, config: ManhattanConfig, still: bool
) -> Refined:
    """Rotations only, through one known lens."""
    nothing = np.zeros(0)
    return refine(frames, lambda _: camera, nothing, nothing, R, config, shared=still)


def _scaled_focal(camera: Camera, factor: float) -> Camera:
    return replace(camera, fx=camera.fx * factor, fy=camera.fy * factor)


def _fits(frames: Sequence[Segments], camera: Camera, R: np.ndarray, config: ManhattanConfig) -> list[float]:
    return [
        on_sphere(s, camera, config.noise_px).fit(r, config.fit_angle_deg)
        for s, r in zip(frames, R, strict=True)
    ]


def _nearest(R_axes_camera: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The signed direction of each frame nearest to a given up."""
    candidates = np.concatenate([R_axes_camera, -R_axes_camera], axis=1)[: len(up)]
    best = np.argmax(np.sum(candidates * up[:, None], axis=-1), axis=1)
    return candidates[np.arange(len(up)), best]


def _spread_over(up: np.ndarray, index: Sequence[int], count: int) -> np.ndarray:
    """Values of the usable frames, earlier ones carried on to frames without lines."""
    return up[np.maximum(np.searchsorted(index, np.arange(count), side="right") - 1, 0)]
