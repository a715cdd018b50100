"""`ObjectModel`: a rigid thing as the pose solver wants it: mesh, sampled surface, symmetry, uncertainty of size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from reenact.perception.pose.symmetry import Symmetry


@dataclass(frozen=True)
class ObjectModel:
    """Build with `ObjectModel.of`."""

    vertices: Float64[np.ndarray, "v 3"]
    """Object frame (m)."""
    faces: Int64[np.ndarray, "f 3"]
    points: Float64[np.ndarray, "n 3"]
    """Spread evenly over the surface."""
    normals: Float64[np.ndarray, "n 3"]
    """Unit, of the faces; their sign is not relied on."""
    symmetry: Symmetry
    sigma_size: float
    """Relative one-sigma of the size."""

    @staticmethod
    def of(
        vertices: Float64[np.ndarray, "v 3"],
        faces: Int64[np.ndarray, "f 3"],
        *,
        count: int = 3000,
        symmetry: Symmetry | None = None,
        sigma_size: float = 0.0,
        seed: int = 0,
    ) -> ObjectModel:
        """Sample the surface by area, seeded."""
        points, normals = sample_surface(vertices, faces, count, seed)
        alike = Symmetry.none() if symmetry is None else symmetry
        return ObjectModel(np.asarray(vertices, float), faces, points, normals, alike, float(sigma_size))

    @property
    def centre(self) -> Float64[np.ndarray, " 3"]:
        """Middle of the bounding box, object frame."""
        middle: np.ndarray = (self.vertices.min(0) + self.vertices.max(0)) / 2
        return middle

    @property
    def radius(self) -> float:
        """Of the ball about `centre` that holds the mesh."""
        return float(np.linalg.norm(self.vertices - self.centre, axis=1).max())


def sample_surface(
    vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"], count: int, seed: int
) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
    """Points and face normals, evenly by area."""
    rng = np.random.default_rng(seed)
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    double_area = np.linalg.norm(normal, axis=1)
    # stratified: equal steps of area, so that no part is left out by chance
    at = (np.arange(count) + rng.random(count)) / count * double_area.sum()
    face = np.minimum(np.searchsorted(np.cumsum(double_area), at), len(faces) - 1)
    u, v = rng.random(count), rng.random(count)
    fold = u + v > 1
    u, v = np.where(fold, 1 - u, u), np.where(fold, 1 - v, v)
    a, b, c = corners[face, 0], corners[face, 1], corners[face, 2]
    points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    return points, normal[face] / np.maximum(double_area[face], 1e-18)[:, None]


def feet_of(model: ObjectModel, up: Float64[np.ndarray, " 3"]) -> Float64[np.ndarray, "n 3"]:
    """Points the object stands on when `up` (object frame) is up: the lowest of its corners, a dozen at most."""
    height = model.vertices @ up
    low = model.vertices[height < height.min() + 0.002]
    directions = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    side = np.cross(up, [1.0, 0, 0] if abs(up[0]) < 0.9 else [0, 1.0, 0])
    side /= np.linalg.norm(side)
    spread = np.cos(directions)[:, None] * side + np.sin(directions)[:, None] * np.cross(up, side)
    return np.asarray(low[np.unique((low @ spread.T).argmax(0))])
