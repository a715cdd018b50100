"""Solids whose signed distance is exact: boxes, turned profiles, and unions of them.

In: sizes in metres. Out: `Shape`, which answers two questions about the same solid: its signed distance at any point
(for grasps, contacts and penetration) and its textured surface (for pictures and the object's truth mesh).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from reenact.toy.surfaces import Surface, box_surface, join, lathe_surface


@runtime_checkable
class Solid(Protocol):
    """One part of a shape, in its own frame."""

    def distance(self, points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, " n"]:
        """Signed distance (m), negative inside."""

    def surface(self) -> Surface:
        """Textured mesh of the boundary."""


@dataclass(frozen=True)
class Box:
    """Axis-aligned box about its origin."""

    half_size: Float64[np.ndarray, "3"]

    def distance(self, points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, " n"]:
        """Exact signed distance (Quilez, "distance functions", box)."""
        q = np.abs(points) - self.half_size
        return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)

    def surface(self) -> Surface:
        """12 triangles."""
        return box_surface(self.half_size)


@dataclass(frozen=True)
class Lathe:
    """Profile (r, z) turned about z; starts and ends on the axis, solid on the left of the walk."""

    profile: Float64[np.ndarray, "k 2"]

    def distance(self, points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, " n"]:
        """Exact signed distance to the smooth (not faceted) turned solid: distance to the profile in (r, z)."""
        p = np.column_stack([np.hypot(points[:, 0], points[:, 1]), points[:, 2]])
        a, b = self.profile[:-1], self.profile[1:]
        edge, to_p = b - a, p[:, None] - a[None]
        along = np.clip((to_p * edge).sum(-1) / (edge**2).sum(-1), 0, 1)
        gap = np.linalg.norm(to_p - along[..., None] * edge, axis=-1).min(axis=1)
        crosses = (a[:, 1] > p[:, 1:]) != (b[:, 1] > p[:, 1:])
        rise = np.where(np.abs(edge[:, 1]) > 1e-15, edge[:, 1], 1.0)
        r_at = a[:, 0] + (p[:, 1:] - a[:, 1]) / rise * edge[:, 0]
        inside = (crosses & (r_at > p[:, :1])).sum(axis=1) % 2 == 1
        return np.where(inside, -gap, gap)

    def surface(self) -> Surface:
        """Mesh of 48 segments; its facets lie at most 0.0022 r inside the true solid."""
        return lathe_surface(self.profile)


@dataclass(frozen=True)
class Shape:
    """Union of solids, each placed by `T_object_part`."""

    parts: tuple[Solid, ...]
    T_object_part: Float64[np.ndarray, "p 4 4"]

    @staticmethod
    def of(*solids: Solid, placed: Sequence[np.ndarray] | None = None) -> Shape:
        """Solids at the given transforms (all at the origin if none are given)."""
        places = np.stack(placed) if placed is not None else np.tile(np.eye(4), (len(solids), 1, 1))
        return Shape(solids, places)

    def distance(self, points_object: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, " n"]:
        """Signed distance to the union (m): exact outside; inside, a bound where parts overlap."""
        each = [
            part.distance((points_object - T[:3, 3]) @ T[:3, :3])
            for part, T in zip(self.parts, self.T_object_part, strict=True)
        ]
        return np.min(each, axis=0)

    def surfaces(self) -> list[Surface]:
        """Mesh of each part, in the object's frame."""
        return [part.surface().moved(T) for part, T in zip(self.parts, self.T_object_part, strict=True)]

    def mesh(self) -> Surface:
        """All parts as one mesh, in the object's frame."""
        return join(self.surfaces())

    def lowest(self) -> float:
        """Smallest z of the upright shape in its own frame (m): what it stands on."""
        return float(self.mesh().vertices[:, 2].min())
