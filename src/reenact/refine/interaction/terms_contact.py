"""Terms about surfaces: touching points touch, nothing enters anything, things stand on the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.geometry.transforms import apply, inverse
from reenact.refine.contacts.hand_spheres import OWNERS, sphere_centres, sphere_radii
from reenact.refine.interaction.blocks import BlockSystem
from reenact.refine.interaction.bodies import TABLE, Bodies, Observed, pose_of
from reenact.scene import SupportPlane


@dataclass(frozen=True)
class ContactTermConfig:
    """Strengths of the terms, all in physical units."""

    touch: float = 0.003
    """One-sigma of the gap of a touching point (m), once per correlation time."""
    correlation_s: float = 0.3
    """How long one contact is the same contact (s)."""
    enter: float = 0.001
    """One-sigma of penetration (m), once per tenth of a second."""
    same_table: float = 0.003
    """Change of the plane's height error between frames, of its one-sigma: as good as none."""
    stand: float = 0.001
    """One-sigma of a standing thing's height over what it stands on, besides the plane's own (m)."""
    lost: float = 3.0
    """Sigmas beyond which a term is taken to be mistaken and let go."""


def add_touch(
    system: BlockSystem,
    bodies: Bodies,
    hand: int,
    n: int,
    joints_hand: Float64[np.ndarray, "t j=21 3"],
    length: float,
    grid: SignedDistanceGrid,
    touching: Float64[np.ndarray, "t k=6"],
    seen: Observed,
    config: ContactTermConfig,
) -> None:
    """Points believed to touch (0..1) are at the surface; no sphere of the hand is inside."""
    close = np.flatnonzero(_may_touch(bodies, hand, n, grid))
    if len(close) == 0:
        return
    T_hand, T_body = bodies.T[close, hand], bodies.T[close, n]
    world = apply(T_hand, sphere_centres(joints_hand[close]))
    gap, gradient = grid.distance_and_gradient(apply(inverse(T_body), world))
    gap = gap - sphere_radii(length)
    normal = np.einsum("tij,tnj->tni", T_body[:, :3, :3], gradient)
    by_hand = _lever(normal, world - T_hand[:, None, :3, 3])
    by_body = -_lever(normal, world - T_body[:, None, :3, 3])
    share = seen.step / config.correlation_s
    for k in range(6):
        own = np.flatnonzero(k == OWNERS)
        nearest = own[gap[:, own].argmin(axis=1)]
        at = np.arange(len(close)), nearest
        value = gap[at][:, None] / config.touch
        weight = touching[close, k] * share * _kept(value[:, 0], config.lost)
        used = np.flatnonzero(weight > 1e-4)
        parts = [
            (0, pose_of(hand), by_hand[at][used, None] / config.touch),
            (0, pose_of(n), by_body[at][used, None] / config.touch),
        ]
        system.add(close[used], value[used], weight[used], parts)
    worst = gap.argmin(axis=1)
    at = np.arange(len(close)), worst
    used = np.flatnonzero((gap[at] < 0) & (gap[at] > -0.03))
    parts = [
        (0, pose_of(hand), by_hand[at][used, None] / config.enter),
        (0, pose_of(n), by_body[at][used, None] / config.enter),
    ]
    value = gap[at][used, None] / config.enter
    system.add(close[used], value, np.full(len(used), min(seen.step / 0.1, 1.0)), parts)


def add_table(
    system: BlockSystem, bodies: Bodies, seen: Observed, plane: SupportPlane | None, config: ContactTermConfig
) -> None:
    """The plane's height is off by one number, as small as its sigma says: all that stands on it shares the error."""
    t = len(bodies.table)
    sigma = max(plane.sigma_offset, config.stand) if plane is not None else config.stand
    one = np.full((t, 1, 1), 1 / sigma)
    system.add(np.arange(t), bodies.table[:, None] / sigma, np.full(t, 1 / t), [(0, TABLE, one)])
    if t > 1:
        tie = one[1:] / config.same_table
        parts = [(0, TABLE, -tie), (1, TABLE, tie)]
        change = np.diff(bodies.table)[:, None] / (sigma * config.same_table)
        system.add(np.arange(t - 1), change, np.ones(t - 1), parts)


def add_support(
    system: BlockSystem,
    bodies: Bodies,
    n: int,
    hull: Float64[np.ndarray, "v 3"],
    standing: Float64[np.ndarray, " t"],
    plane: SupportPlane,
    config: ContactTermConfig,
) -> None:
    """The lowest point of body n is on the plane where it stands (`standing`: weights that sum to one per stand).

    The plane's tilt counts by how far the body is from the middle of everything.
    """
    rows = np.flatnonzero(standing > 1e-6)
    if len(rows) == 0:
        return
    off = bodies.T[rows, n, :3, 3] - bodies.T[..., :3, 3].mean(axis=(0, 1))
    away = np.linalg.norm(off - (off @ plane.normal_world)[:, None] * plane.normal_world, axis=1)
    lowest, J = _lowest(bodies, n, hull, plane.normal_world, rows)
    sigma = np.hypot(plane.sigma_normal * away, config.stand)[:, None]
    value = (lowest - plane.offset - bodies.table[rows])[:, None] / sigma
    doubt = sigma[:, 0] / np.hypot(plane.sigma_offset, sigma[:, 0])  # before the plane has found its height
    weight = standing[rows] * _kept(value[:, 0] * doubt, config.lost)
    parts = [
        (0, pose_of(n), J[:, None] / sigma[..., None]),
        (0, TABLE, np.full_like(J[:, None, :1], -1.0) / sigma[..., None]),
    ]
    system.add(rows, value, weight, parts)


def add_stacked(
    system: BlockSystem,
    bodies: Bodies,
    n: int,
    hull: Float64[np.ndarray, "v 3"],
    under: int,
    hull_under: Float64[np.ndarray, "v 3"],
    standing: Float64[np.ndarray, " t"],
    up: Float64[np.ndarray, "3"],
    config: ContactTermConfig,
) -> None:
    """The lowest point of body n is as high as the highest of the body under it."""
    rows = np.flatnonzero(standing > 1e-6)
    if len(rows) == 0:
        return
    lowest, J = _lowest(bodies, n, hull, up, rows)
    top, K = _lowest(bodies, under, hull_under, -up, rows)
    sigma = 2 * config.stand
    value = ((lowest + top) / sigma)[:, None]
    weight = standing[rows] * _kept(value[:, 0], 4 * config.lost)
    system.add(
        rows, value, weight, [(0, pose_of(n), J[:, None] / sigma), (0, pose_of(under), K[:, None] / sigma)]
    )


def _lowest(
    bodies: Bodies, n: int, hull: np.ndarray, up: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Height along `up` of the lowest points of a body, and its derivative by the pose [n 6]."""
    T = bodies.T[rows, n]
    arms = hull @ np.swapaxes(T[:, :3, :3], 1, 2)
    height = arms @ up
    order = height.min(axis=1, keepdims=True)
    soft = np.exp(-(height - order) / 0.002)  # what it stands on is a face or an edge, not a corner
    soft /= soft.sum(axis=1, keepdims=True)
    arm = np.einsum("tv,tvi->ti", soft, arms)
    J = np.concatenate([np.broadcast_to(up, arm.shape), np.cross(arm, up)], axis=1)
    return T[:, :3, 3] @ up + order[:, 0], J


def _lever(normal: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Derivative of normal . point by translation and rotation of what carries the point."""
    return np.concatenate([normal, np.cross(arm, normal)], axis=-1)


def _kept(value: np.ndarray, lost: float) -> np.ndarray:
    """Redescending weight (Geman and McClure)."""
    return np.asarray(1 / (1 + (value / lost) ** 2) ** 2)


def _may_touch(bodies: Bodies, hand: int, n: int, grid: SignedDistanceGrid) -> np.ndarray:
    reach = 0.5 * grid.cell * float(np.linalg.norm(grid.values.shape)) + 0.15
    apart = np.linalg.norm(bodies.T[:, hand, :3, 3] - bodies.T[:, n, :3, 3], axis=1)
    return np.asarray(apart < reach)
