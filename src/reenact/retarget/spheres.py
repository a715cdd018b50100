"""A robot's collision shapes as few spheres per body: what an optimiser can take distances and slopes of."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Bool, Float64, Int

from reenact.robots.build import COLLISION_GROUP


@dataclass(frozen=True)
class SphereConfig:
    """How shapes are covered."""

    spacing: float = 1.0
    """Distance of neighbouring spheres in a geom, in radii."""
    smallest: float = 0.010
    """Least radius (m): thin plates become rows of such spheres."""
    inflation: float = 0.008
    """Spheres of one body are merged while the merged one is at most this much (m) larger than the larger."""


@dataclass(frozen=True)
class Spheres:
    """Spheres fixed to bodies."""

    body: Int[np.ndarray, " k"]
    """MuJoCo body of each sphere."""
    centre: Float64[np.ndarray, "k 3"]
    """In the body's frame (m)."""
    radius: Float64[np.ndarray, " k"]

    def subset(self, keep: Bool[np.ndarray, " k"]) -> Spheres:
        """Those spheres only."""
        return Spheres(self.body[keep], self.centre[keep], self.radius[keep])


def body_spheres(model: mujoco.MjModel, config: SphereConfig | None = None) -> Spheres:
    """Spheres that fill the collision geoms of a model (group 3 where the model has such, else all that collide)."""
    config = config or SphereConfig()
    collides = (model.geom_contype != 0) | (model.geom_conaffinity != 0)
    marked = collides & (model.geom_group == COLLISION_GROUP)
    per_body: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for geom in np.flatnonzero(marked if marked.any() else collides):
        b = int(model.geom_bodyid[geom])
        if b == 0:
            continue
        local, r = _fill(int(model.geom_type[geom]), model.geom_size[geom], model.geom_aabb[geom], config)
        R = np.empty(9)
        mujoco.mju_quat2Mat(R, model.geom_quat[geom])
        per_body.setdefault(b, []).append(
            (local @ R.reshape(3, 3).T + model.geom_pos[geom], np.full(len(local), r))
        )
    body, centre, radius = [np.zeros(0, int)], [np.zeros((0, 3))], [np.zeros(0)]
    for b, parts in per_body.items():
        points = np.concatenate([c for c, _ in parts])
        merged, radii = _merged(points, np.concatenate([r for _, r in parts]), config.inflation)
        body.append(np.full(len(merged), b))
        centre.append(merged)
        radius.append(radii)
    return Spheres(np.concatenate(body), np.concatenate(centre), np.concatenate(radius))


def _fill(kind: int, size: np.ndarray, aabb: np.ndarray, config: SphereConfig) -> tuple[np.ndarray, float]:
    """Sphere centres in the geom's frame and their radius."""
    geom = mujoco.mjtGeom
    if kind == geom.mjGEOM_SPHERE:
        return np.zeros((1, 3)), float(size[0])
    if kind == geom.mjGEOM_CAPSULE:
        return _along(np.array([0, 0, size[1]]), float(size[0]), config), float(size[0])
    if kind == geom.mjGEOM_CYLINDER:
        half = np.array([size[0], size[0], size[1]])
    elif kind in (geom.mjGEOM_BOX, geom.mjGEOM_ELLIPSOID):
        half = size.copy()
    else:
        half = aabb[3:].copy()
    r = max(0.5 * float(half.min() + np.median(half)), config.smallest)
    inner = np.maximum(half - r, 0.0)
    axes = [_along(np.eye(3)[i] * inner[i], r, config)[:, i] for i in range(3)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return grid + (aabb[:3] if kind == geom.mjGEOM_MESH else 0.0), r


def _along(half: np.ndarray, r: float, config: SphereConfig) -> np.ndarray:
    count = int(np.ceil(2 * np.linalg.norm(half) / (config.spacing * r))) + 1
    return np.linspace(-1, 1, count)[:, None] * half if count > 1 else np.zeros((1, 3))


def _merged(
    centre: Float64[np.ndarray, "k 3"], radius: Float64[np.ndarray, " k"], inflation: float
) -> tuple[Float64[np.ndarray, "m 3"], Float64[np.ndarray, " m"]]:
    """Fewer spheres that cover the given ones: the cheapest pair is replaced by its bounding sphere, repeatedly."""
    while len(centre) > 1:
        apart = np.linalg.norm(centre[:, None] - centre[None], axis=-1)
        larger = np.maximum(radius[:, None], radius[None])
        around = np.maximum(larger, 0.5 * (apart + radius[:, None] + radius[None]))
        growth = around - larger + np.where(np.eye(len(centre), dtype=bool), 1e3, 0.0)
        i, j = np.unravel_index(int(growth.argmin()), growth.shape)
        if growth[i, j] > inflation:
            break
        big, small = (i, j) if radius[i] >= radius[j] else (j, i)
        step = (around[i, j] - radius[big]) / max(apart[i, j], 1e-12)
        middle = centre[big] + step * (centre[small] - centre[big])
        keep = np.ones(len(centre), bool)
        keep[[i, j]] = False
        centre = np.concatenate([centre[keep], middle[None]])
        radius = np.concatenate([radius[keep], [around[i, j]]])
    return centre, radius
