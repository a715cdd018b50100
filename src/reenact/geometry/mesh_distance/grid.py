"""`SignedDistanceGrid`: the signed distance of a rigid mesh on a lattice, looked up trilinearly with its gradient.

Built once per mesh. Nodes hold exact distances (to the triangles, not to vertices); the sign comes from line crossings,
which hold for overlapping parts too. Outside the box the distance to the box's nearest point is added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from reenact.geometry.mesh_distance.crossings import inside_lattice
from reenact.geometry.mesh_distance.surface import MeshSurface


@dataclass(frozen=True)
class GridConfig:
    """Resolution of a distance grid."""

    cell: float = 0.0025
    """Edge of a cell (m); the error of a trilinear look-up is about a fifth of it at edges, nil on flat faces."""
    most_nodes: int = 600_000
    """The cell grows until the lattice has no more nodes than this (float32, 2.4 MB)."""
    margin: float = 0.03
    """How far the lattice reaches beyond the mesh (m)."""
    exact_band: float = 0.01
    """Nodes nearer than this to the surface are computed on the triangles; farther ones from samples (m)."""


@dataclass(frozen=True)
class SignedDistanceGrid:
    """Signed distance (m, negative inside) of a mesh in its own frame."""

    origin: Float64[np.ndarray, "3"]
    """The first node."""
    cell: float
    values: Float64[np.ndarray, "x y z"]

    @staticmethod
    def build(
        vertices: Float64[np.ndarray, "v 3"],
        faces: Int64[np.ndarray, "f 3"],
        config: GridConfig | None = None,
    ) -> SignedDistanceGrid:
        """From a mesh (object frame, m); raises `BadMesh`."""
        config = config or GridConfig()
        used = vertices[np.unique(faces)] if len(faces) else vertices
        low, high = used.min(axis=0) - config.margin, used.max(axis=0) + config.margin
        cell = max(config.cell, float((np.prod(high - low) / config.most_nodes) ** (1 / 3)))
        counts = np.ceil((high - low) / cell).astype(int) + 1
        axes = [low[k] + cell * np.arange(counts[k]) for k in range(3)]
        surface = MeshSurface.build(vertices, faces, spacing=0.7 * cell)
        inside = inside_lattice(surface.corners, (axes[0], axes[1], axes[2]))
        distance = _unsigned(_outer(surface, inside, low, cell), low, cell, inside.shape, config.exact_band)
        return SignedDistanceGrid(low, cell, np.where(inside, -1.0, 1.0) * distance)

    def distance(self, points: Float64[np.ndarray, "*b 3"]) -> Float64[np.ndarray, "*b"]:
        """Signed distance (m) of points in the object's frame."""
        flat = points.reshape(-1, 3)
        base, u, beyond = self._cells(flat)
        corner = self._corners(base)
        x = corner[0] + (corner[1] - corner[0]) * u[:, 0]
        x1 = corner[2] + (corner[3] - corner[2]) * u[:, 0]
        y = corner[4] + (corner[5] - corner[4]) * u[:, 0]
        y1 = corner[6] + (corner[7] - corner[6]) * u[:, 0]
        a, b = x + (x1 - x) * u[:, 1], y + (y1 - y) * u[:, 1]
        return (a + (b - a) * u[:, 2] + beyond).reshape(points.shape[:-1])

    def distance_and_gradient(
        self, points: Float64[np.ndarray, "*b 3"]
    ) -> tuple[Float64[np.ndarray, "*b"], Float64[np.ndarray, "*b 3"]]:
        """Signed distance and its derivative by the point (that of the trilinear field, of about unit length)."""
        flat = points.reshape(-1, 3)
        base, u, beyond = self._cells(flat)
        c = self._corners(base)
        ux, uy, uz = u.T
        low = c[0] + (c[1] - c[0]) * ux, c[2] + (c[3] - c[2]) * ux
        high = c[4] + (c[5] - c[4]) * ux, c[6] + (c[7] - c[6]) * ux
        a, b = low[0] + (low[1] - low[0]) * uy, high[0] + (high[1] - high[0]) * uy
        dx = _lerp(_lerp(c[1] - c[0], c[3] - c[2], uy), _lerp(c[5] - c[4], c[7] - c[6], uy), uz)
        dy = _lerp(low[1] - low[0], high[1] - high[0], uz)
        gradient = np.stack([dx, dy, b - a], axis=1) / self.cell
        away = flat - np.clip(flat, self.origin, self._last)
        far = beyond > 0
        gradient[far] = away[far] / beyond[far, None]
        value = a + (b - a) * uz + beyond
        return value.reshape(points.shape[:-1]), gradient.reshape(points.shape)

    @property
    def _last(self) -> np.ndarray:
        return self.origin + self.cell * (np.array(self.values.shape) - 1)

    def _cells(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Flat index of each point's cell, place in it (0..1), and how far the point lies beyond the lattice."""
        shape = self.values.shape
        x = (flat - self.origin) / self.cell
        held = np.clip(x, 0.0, np.array(shape) - 1.000001)
        beyond = self.cell * np.sqrt(np.einsum("ij,ij->i", x - held, x - held))
        beyond[beyond < 1e-5 * self.cell] = 0.0
        cell = held.astype(np.int64)
        base = (cell[:, 0] * shape[1] + cell[:, 1]) * shape[2] + cell[:, 2]
        return base, held - cell, beyond

    def _corners(self, base: np.ndarray) -> tuple[np.ndarray, ...]:
        """Values at the eight corners, x fastest, then y, then z."""
        flat, shape = self.values.reshape(-1), self.values.shape
        dx, dy = shape[1] * shape[2], shape[2]
        return tuple(flat[base + k] for k in (0, dx, dy, dx + dy, 1, dx + 1, dy + 1, dx + dy + 1))


def _outer(surface: MeshSurface, inside: np.ndarray, origin: np.ndarray, cell: float) -> MeshSurface:
    """Without the samples on faces that lie within the solid, where parts overlap: solid on both sides."""
    samples, across = np.asarray(surface.tree.data), cell * surface.normals[surface.owners]
    last = np.array(inside.shape) - 1

    def solid(points: np.ndarray) -> np.ndarray:
        node = np.clip(np.rint((points - origin) / cell).astype(np.int64), 0, last)
        return np.asarray(inside[tuple(node.T)])

    buried = solid(samples + across) & solid(samples - across) & solid(samples)
    return surface.without_samples(buried) if buried.any() and not buried.all() else surface


def _unsigned(
    surface: MeshSurface, origin: np.ndarray, cell: float, counts: tuple[int, ...], band: float
) -> np.ndarray:
    """Distance at each node: exact in a band about the surface, beyond it to the foot of the nearest band node."""
    from scipy.ndimage import distance_transform_edt

    occupied = np.zeros(counts, bool)
    near = np.rint((np.asarray(surface.tree.data) - origin) / cell).astype(np.int64)
    occupied[tuple(np.clip(near, 0, np.array(counts) - 1).T)] = True
    in_band = distance_transform_edt(~occupied) * cell < max(band, 3 * cell)
    idx = np.stack(np.nonzero(in_band), axis=1)
    feet = np.zeros((*counts, 3))
    feet[in_band], near_distance, _ = surface.closest(origin + cell * idx)
    out = np.zeros(counts)
    out[in_band] = near_distance
    nearest = distance_transform_edt(~in_band, return_distances=False, return_indices=True)[:, ~in_band]
    nodes = origin + cell * np.stack(np.nonzero(~in_band), axis=1)
    out[~in_band] = np.linalg.norm(nodes - feet[tuple(nearest)], axis=1)
    return out


def _lerp(a: np.ndarray, b: np.ndarray, u: np.ndarray) -> np.ndarray:
    return np.asarray(a + (b - a) * u)
