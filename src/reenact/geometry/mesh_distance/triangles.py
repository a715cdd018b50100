"""Closest points on triangles, many at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64


def closest_on_triangles(
    points: Float64[np.ndarray, "n 3"], corners: Float64[np.ndarray, "n 3 3"]
) -> Float64[np.ndarray, "n 3"]:
    """The point of triangle i nearest to point i (Ericson, Real-Time Collision Detection, 5.1.5)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    d1, d2 = _dot(ab, ap), _dot(ac, ap)
    bp, cp = points - b, points - c
    d3, d4 = _dot(ab, bp), _dot(ac, bp)
    d5, d6 = _dot(ab, cp), _dot(ac, cp)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    v, w = _over(vb, va + vb + vc), _over(vc, va + vb + vc)
    along_bc = _over(d4 - d3, (d4 - d3) + (d5 - d6))
    cases = [
        ((d1 <= 0) & (d2 <= 0), 0.0 * d1, 0.0 * d1),
        ((d3 >= 0) & (d4 <= d3), 1.0 + 0 * d1, 0.0 * d1),
        ((d6 >= 0) & (d5 <= d6), 0.0 * d1, 1.0 + 0 * d1),
        ((vc <= 0) & (d1 >= 0) & (d3 <= 0), _over(d1, d1 - d3), 0.0 * d1),
        ((vb <= 0) & (d2 >= 0) & (d6 <= 0), 0.0 * d1, _over(d2, d2 - d6)),
        ((va <= 0) & (d4 - d3 >= 0) & (d5 - d6 >= 0), 1 - along_bc, along_bc),
    ]
    here = [case[0] for case in cases]
    v = np.select(here, [case[1] for case in cases], v)
    w = np.select(here, [case[2] for case in cases], w)
    return a + v[:, None] * ab + w[:, None] * ac


def surface_samples(
    corners: Float64[np.ndarray, "f 3 3"], spacing: float
) -> tuple[Float64[np.ndarray, "n 3"], Int64[np.ndarray, " n"]]:
    """Points on the triangles about `spacing` apart along and across each, with the triangle each lies on."""
    edges = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=-1)
    longest = edges.argmax(axis=1)
    rows_of = np.arange(len(corners))[:, None]
    a, b, c = np.moveaxis(corners[rows_of, (longest[:, None] + np.arange(3)) % 3], 1, 0)
    length = edges.max(axis=1)
    height = np.linalg.norm(np.cross(b - a, c - a), axis=1) / np.maximum(length, 1e-30)
    along, across = (np.ceil(x / spacing).astype(np.int64) + 1 for x in (length, height))
    count = along * across
    owner = np.repeat(np.arange(len(corners)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    u = (within % along[owner]) / np.maximum(along[owner] - 1, 1)
    v = (within // along[owner]) / np.maximum(across[owner] - 1, 1)
    foot = a[owner] + u[:, None] * (b - a)[owner]
    return foot + v[:, None] * (c[owner] - foot), owner


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", a, b)


def _over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a / np.where(np.abs(b) > 1e-30, b, 1.0))
