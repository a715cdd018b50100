"""The plane that things stand on, from depth (from other clues: see `height`).

Up comes from gravity where that is known; a plane from depth alone says which way is up only as well as it is flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.scene import SupportPlane

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class SupportConfig:
    """Lengths in metres, angles in radians."""

    height: float | None = None
    """The table's height in the scene's frame, when known (frame "world" only)."""
    max_tilt: float = 0.2
    """A plane steeper than this against gravity is no support."""
    reach: float = 0.012
    """Depth points this near a plane are on it; grows with the noise of depth."""
    rounds: int = 200
    """RANSAC tries."""
    min_share: float = 0.12
    """Share of the depth points that the plane must explain."""
    max_points: int = 6000
    """Depth points used."""
    hand_skin: float = 0.008
    """From a joint's centre to the skin."""
    hand_sigma: float = 0.04
    """One-sigma of taking the lowest fingers for the table's height: they end some way above it (toy activities: 0 to
    6 cm)."""
    held_sigma: float = 0.03
    """One-sigma of the distance between the fingers that take a thing and its foot (m, along the line of sight)."""
    hands_scale: float = 0.06
    """Least relative one-sigma of how far all hands of a clip are: adult hand lengths spread by 5 to 6 % (NASA-STD-3000
    anthropometry: 5th to 95th percentile 0.158 to 0.205 m across both sexes)."""
    hands_blur_px: float = 6.0
    """Small hands are measured worse: this over the hand's length in pixels is added (relative). A hand of 40 px in
    exo/dexycb_pitcher is put 60 % too far."""
    usual_size: float = 0.09
    """Median extent of things that hands hold (m), as in `ShapeFitConfig`: a soft prior where hands are the only ruler."""
    size_spread: float = 0.6
    """One-sigma of its logarithm."""
    seed: int = 0
    """Seed of RANSAC."""


def no_plane() -> SupportPlane:
    """Nothing is known of a support."""
    return SupportPlane(
        valid=False, normal_world=UP, offset=0.0, sigma_offset=1.0, sigma_normal=1.0, confidence=0.0, origin="unknown"
    )  # fmt: skip


def plane_from_depth(
    points_world: Float64[np.ndarray, "n 3"],
    sigma: Float64[np.ndarray, " n"],
    up: Float64[np.ndarray, " 3"] | None,
    config: SupportConfig,
    things: Float64[np.ndarray, "m 3"] | None = None,
) -> SupportPlane:
    """The widest plane among depth points that is level (if `up` is known) and lies below the things.

    Args:
        points_world: background points, in the scene's frame.
        sigma: their depth noise (m).
        things: points of hands and objects; a support is a hand's breadth above none of them.
    """
    rng = np.random.default_rng(config.seed)
    if len(points_world) > config.max_points:
        pick = rng.permutation(len(points_world))[: config.max_points]
        points_world, sigma = points_world[pick], sigma[pick]
    if len(points_world) < 50:
        return no_plane()
    reach = config.reach + sigma
    best: tuple[float, np.ndarray, float] | None = None
    for _ in range(config.rounds):
        plane = _through(points_world[rng.integers(len(points_world), size=3)], up)
        if plane is None or not _level(plane[0], up, config.max_tilt):
            continue
        normal, offset = _upward(*plane, up, things)
        share = float((np.abs(points_world @ normal - offset) < reach).mean())
        value = share * _below(normal, offset, things)
        if best is None or value > best[0]:
            best = (value, normal, offset)
    if best is None or best[0] < config.min_share:
        return no_plane()
    return _refined(points_world, sigma, reach, best[1], best[2], up, config)


def _through(three: np.ndarray, up: np.ndarray | None) -> tuple[np.ndarray, float] | None:
    normal = np.cross(three[1] - three[0], three[2] - three[0])
    length = float(np.linalg.norm(normal))
    if length < 1e-6:
        return None
    normal = normal / length
    if up is not None and normal @ up < 0:
        normal = -normal
    return normal, float(normal @ three[0])


def _level(normal: np.ndarray, up: np.ndarray | None, max_tilt: float) -> bool:
    return up is None or bool(float(normal @ up) > np.cos(max_tilt))


def _upward(
    normal: np.ndarray, offset: float, up: np.ndarray | None, things: np.ndarray | None
) -> tuple[np.ndarray, float]:
    """Turned to the side of the things where gravity is not known."""
    if up is None and things is not None and len(things) and np.median(things @ normal) < offset:
        return -normal, -offset
    return normal, offset


def _below(normal: np.ndarray, offset: float, things: np.ndarray | None) -> float:
    """How much of the things is above the plane (5 cm are forgiven), and near it rather than a room away."""
    if things is None or len(things) == 0:
        return 1.0
    height = things @ normal - offset
    return float((height > -0.05).mean()) * (1.0 if float(np.median(height)) < 0.6 else 0.3)


def _refined(
    points: np.ndarray,
    sigma: np.ndarray,
    reach: np.ndarray,
    normal: np.ndarray,
    offset: float,
    up: np.ndarray | None,
    config: SupportConfig,
) -> SupportPlane:
    inlier = np.abs(points @ normal - offset) < reach
    for _ in range(4):
        weight = 1.0 / sigma[inlier] ** 2
        middle = np.average(points[inlier], axis=0, weights=weight)
        _, _, axes = np.linalg.svd((points[inlier] - middle) * np.sqrt(weight)[:, None], full_matrices=False)
        normal = axes[2] if axes[2] @ normal > 0 else -axes[2]
        offset = float(normal @ middle)
        inlier = np.abs(points @ normal - offset) < reach
        if inlier.sum() < 30:
            return no_plane()
    if not _level(normal, up, config.max_tilt):
        return no_plane()
    away = points[inlier] @ normal - offset
    rms = float(np.sqrt((away**2).mean()))
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(points[inlier].T))[1])
    # neighbouring depth errs alike: a few dozen independent readings at most
    independent = np.sqrt(min(float(inlier.sum()), 40.0))
    return SupportPlane(
        valid=True, normal_world=normal / np.linalg.norm(normal), offset=offset,
        sigma_offset=float(np.hypot(rms / independent, 0.3 * float(np.median(sigma[inlier])))),
        sigma_normal=float(rms / independent / max(spread, 0.05)),
        confidence=float(np.clip(inlier.mean() * 2, 0, 1)), origin="depth",
    )  # fmt: skip
