"""`MeshSurface`: exact nearest points of a triangle mesh."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.spatial import cKDTree

from reenact.errors import InputError
from reenact.geometry.mesh_distance.triangles import closest_on_triangles, surface_samples

MOST_SAMPLES = 400_000
"""Surface samples kept in the tree; the spacing grows to stay below."""


class BadMesh(InputError):
    """A mesh without area, or with faces that name vertices it does not have."""


@dataclass(frozen=True)
class MeshSurface:
    """A mesh prepared for nearest-point queries: a tree over samples that know their triangles."""

    corners: Float64[np.ndarray, "f 3 3"]
    """Triangles with area (m), counter-clockwise from outside."""
    normals: Float64[np.ndarray, "f 3"]
    spacing: float
    """Every surface point is within this of a sample (m)."""
    tree: cKDTree
    owners: Int64[np.ndarray, " n"]

    @staticmethod
    def build(
        vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"], spacing: float
    ) -> MeshSurface:
        """Prepare a mesh; raises `BadMesh`."""
        if len(faces) == 0 or faces.min() < 0 or faces.max() >= len(vertices):
            raise BadMesh(
                f"a mesh of {len(vertices)} vertices and {len(faces)} faces", hint="faces index vertices"
            )
        corners = np.asarray(vertices, np.float64)[faces]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.linalg.norm(cross, axis=1)
        kept = length > 1e-14
        if not kept.any():
            raise BadMesh("all faces of the mesh are without area")
        corners, cross, length = corners[kept], cross[kept], length[kept]
        spacing = max(spacing, float(np.sqrt(length.sum() / MOST_SAMPLES)))
        points, owners = surface_samples(corners, spacing)
        return MeshSurface(corners, cross / length[:, None], spacing, cKDTree(points), owners)

    def without_samples(self, dropped: Bool[np.ndarray, " n"]) -> MeshSurface:
        """The same mesh, blind to some of its samples."""
        tree = cKDTree(np.asarray(self.tree.data)[~dropped])
        return replace(self, tree=tree, owners=self.owners[~dropped])

    def closest(
        self, points: Float64[np.ndarray, "n 3"], neighbours: int = 4
    ) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
        """Nearest surface point, its distance (m, >= 0) and its triangle.

        Exact on the triangles of the nearest samples; the true distance is less by at most spacing²/(2 distance).
        """
        count = min(neighbours, self.tree.n)
        _, near = self.tree.query(points, k=count)
        candidates = self.owners[np.asarray(near).reshape(len(points), count)]
        best = np.full(len(points), np.inf)
        nearest, face = np.zeros_like(points), np.zeros(len(points), np.int64)
        for column in candidates.T:
            foot = closest_on_triangles(points, self.corners[column])
            distance = np.linalg.norm(points - foot, axis=1)
            better = distance < best
            best[better], nearest[better], face[better] = distance[better], foot[better], column[better]
        return nearest, best, face
