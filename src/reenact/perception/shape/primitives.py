"""Box, cylinder, ball and ellipsoid: meshes of a given size, and signed distances. Centre at the origin, z up."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, Int64

from reenact.perception.pose.symmetry import Symmetry
from reenact.perception.shape.contract import BadShape

KINDS = ("box", "cylinder", "sphere", "ellipsoid")
Mesh = tuple[Float64[np.ndarray, "v 3"], Int64[np.ndarray, "f 3"]]
_ROUND = 48
"""Corners of a circle: the polygon is 0.1 % of the radius inside it in the mean."""


def primitive_mesh(kind: str, size: Float[np.ndarray, " 3"]) -> Mesh:
    """Faces counter-clockwise from outside.

    Raises:
        BadShape: unknown kind or a size that is not positive.
    """
    size = np.asarray(size, float)
    if kind not in KINDS or not (np.isfinite(size).all() and (size > 0).all()):
        raise BadShape(f"no {kind} of size {size.tolist()}", hint=f"{', '.join(KINDS)} with positive metres")
    unit = {"box": _box, "cylinder": _cylinder}.get(kind, _ellipsoid)()
    return unit[0] * size, unit[1]


def primitive_symmetry(kind: str, size: Float[np.ndarray, " 3"]) -> Symmetry:
    """Half turns about all axes; quarter turns of a box and any turn of the others where two sides are alike."""
    across = [(size[(k + 1) % 3], size[(k + 2) % 3]) for k in range(3)]
    alike = np.array([abs(a - b) < 0.02 * max(a, b) for a, b in across])
    if kind == "cylinder":
        alike[:2] = False  # not round about these
    if kind == "box" or not alike.any():
        return Symmetry(np.zeros(3), np.where(alike, 4, 2))
    axis = np.eye(3)[2 - int(np.argmax(alike[::-1]))]
    return Symmetry(axis, np.where(axis > 0, 1, 2))


def primitive_distance(
    kind: str, size: Float[np.ndarray, " 3"], points: Float[np.ndarray, "n 3"]
) -> Float64[np.ndarray, " n"]:
    """Signed distance, negative inside (m); exact for boxes and round cylinders, first order for ellipsoids."""
    half = np.asarray(size, float) / 2
    if kind == "box":
        return _corner_distance(np.abs(points) - half)
    if kind == "cylinder":
        stretched = np.linalg.norm(points[:, :2] / half[:2], axis=1)
        radial = (stretched - 1) * np.linalg.norm(points[:, :2], axis=1) / np.maximum(stretched, 1e-9)
        return _corner_distance(np.stack([radial, np.abs(points[:, 2]) - half[2]], 1))
    k0 = np.linalg.norm(points / half, axis=1)
    k1 = np.linalg.norm(points / half**2, axis=1)
    return np.asarray(k0 * (k0 - 1) / np.maximum(k1, 1e-9))


def _corner_distance(q: np.ndarray) -> np.ndarray:
    outside = np.linalg.norm(np.maximum(q, 0), axis=1)
    return np.asarray(outside + np.minimum(q.max(axis=1), 0))


def _box() -> Mesh:
    vertices = np.array([[a, b, c] for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (-0.5, 0.5)])
    faces = [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
        [1, 5, 7], [1, 7, 3],
    ]  # fmt: skip
    return vertices, np.array(faces, np.int64)


def _cylinder() -> Mesh:
    n = _ROUND
    angle = 2 * np.pi * np.arange(n) / n
    ring = np.stack([np.cos(angle), np.sin(angle)], 1) / 2
    low, high = np.column_stack([ring, np.full(n, -0.5)]), np.column_stack([ring, np.full(n, 0.5)])
    vertices = np.concatenate([low, high, [[0, 0, -0.5], [0, 0, 0.5]]])
    i, j = np.arange(n), (np.arange(n) + 1) % n
    bottom, top = np.full(n, 2 * n), np.full(n, 2 * n + 1)
    faces = [np.stack(f, 1) for f in ((i, j, j + n), (i, j + n, i + n), (j, i, bottom), (i + n, j + n, top))]
    return vertices, np.concatenate(faces).astype(np.int64)


def _ellipsoid() -> Mesh:
    rings, n = 23, _ROUND
    polar = np.pi * np.arange(1, rings + 1) / (rings + 1)
    angle = 2 * np.pi * np.arange(n) / n
    body = np.stack([
        np.outer(np.sin(polar), np.cos(angle)), np.outer(np.sin(polar), np.sin(angle)),
        np.repeat(np.cos(polar)[:, None], n, 1),
    ], -1).reshape(-1, 3)  # fmt: skip
    vertices = np.concatenate([body, [[0, 0, 1], [0, 0, -1]]]) / 2
    i, j = np.arange(n), (np.arange(n) + 1) % n
    faces = [np.stack([i, j, np.full(n, rings * n)], 1)[:, [2, 0, 1]]]
    for k in range(rings - 1):
        a, b = k * n, (k + 1) * n
        faces += [np.stack([a + i, b + i, b + j], 1), np.stack([a + i, b + j, a + j], 1)]
    last = (rings - 1) * n
    faces.append(np.stack([last + j, last + i, np.full(n, rings * n + 1)], 1))
    return vertices, np.concatenate(faces).astype(np.int64)
