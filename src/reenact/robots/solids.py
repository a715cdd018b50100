"""Surface meshes of the two rounded solids MuJoCo lacks: a capsule with two radii and a box with round edges.

Both are made from their few numbers with exact outward normals, so they shade smoothly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from reenact.robots.sheet import Vec3


class SurfaceMesh(NamedTuple):
    """Vertices (m), unit normals per vertex, and triangles with outward winding."""

    vertices: Float[np.ndarray, "v 3"]
    normals: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]


def tapered_capsule(
    length: float, radius: float, radius_end: float, n_around: int = 24, n_cap: int = 6
) -> SurfaceMesh:
    """Hull of two balls at z = 0 and z = ``length``, along +z.

    Raises:
        ValueError: one ball lies inside the other.
    """
    slope = (radius - radius_end) / length
    if abs(slope) >= 1:
        raise ValueError(
            f"a cone of length {length} cannot join balls of radius {radius} and {radius_end}: one holds the other"
        )
    seam = np.arcsin(slope)
    latitude = np.concatenate(
        [np.linspace(-np.pi / 2, seam, n_cap + 1), np.linspace(seam, np.pi / 2, n_cap + 1)]
    )
    longitude = np.linspace(0, 2 * np.pi, n_around, endpoint=False)
    normals = _directions(latitude, longitude)
    at_end = np.repeat(np.arange(len(latitude)) > n_cap, n_around)[:, None]
    centre = np.where(at_end, [0.0, 0.0, length], 0.0)
    vertices = centre + np.where(at_end, radius_end, radius) * normals
    return SurfaceMesh(vertices, normals, _grid_faces(len(latitude), n_around))


def rounded_box(half: Vec3, radius: float, n_corner: int = 4) -> SurfaceMesh:
    """Box of half sizes ``half`` (rounding included) whose edges are quarter circles of ``radius``.

    Raises:
        ValueError: the radius is larger than the smallest half size.
    """
    if radius > min(half):
        raise ValueError(f"radius {radius} is larger than the smallest half size {min(half)}")
    quarter = np.linspace(0, np.pi / 2, n_corner + 1)
    latitude = np.concatenate([quarter - np.pi / 2, quarter])
    longitude = np.concatenate([quarter + k * np.pi / 2 for k in range(4)])
    sign_z = np.repeat([-1.0, 1.0], n_corner + 1)
    sign_x = np.repeat([1.0, -1.0, -1.0, 1.0], n_corner + 1)
    sign_y = np.repeat([1.0, 1.0, -1.0, -1.0], n_corner + 1)
    rows, columns = len(latitude), len(longitude)
    signs = np.stack([np.tile(sign_x, rows), np.tile(sign_y, rows), np.repeat(sign_z, columns)], axis=1)
    normals = _directions(latitude, longitude)
    vertices = signs * (np.asarray(half) - radius) + radius * normals
    return SurfaceMesh(vertices, normals, _grid_faces(rows, columns))


def _directions(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    lat, lon = np.meshgrid(latitude, longitude, indexing="ij")
    xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    return xyz.reshape(-1, 3)


def _grid_faces(rows: int, columns: int) -> np.ndarray:
    """Triangles of a closed-around grid, bottom row first, with both ends filled by a fan."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
    a = (row * columns + column).ravel()
    b = (row * columns + (column + 1) % columns).ravel()
    sides = np.concatenate([np.stack([a, b, b + columns], 1), np.stack([a, b + columns, a + columns], 1)])
    fan = np.stack([np.zeros(columns - 2, int), np.arange(1, columns - 1), np.arange(2, columns)], 1)
    top = fan + (rows - 1) * columns
    return np.concatenate([sides, top, fan[:, ::-1]])
