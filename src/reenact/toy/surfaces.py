"""Triangle surfaces with sharp corners and texture coordinates, welded so that they close.

In: boxes and profiles. Out: `Surface`, whose normals and texture coordinates belong to face corners, so that one
vertex can serve a sharp edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

CREASE_COS = float(np.cos(np.deg2rad(40.0)))
"""Profile bends sharper than this are shaded as edges."""


@dataclass(frozen=True)
class Surface:
    """Closed triangle mesh, counter-clockwise seen from outside."""

    vertices: Float64[np.ndarray, "v 3"]
    faces: Int64[np.ndarray, "f 3"]
    normals: Float64[np.ndarray, "f 3 3"]
    """Unit normal of each face corner."""
    uv: Float64[np.ndarray, "f 3 2"]
    """Texture coordinates of each face corner, 0..1."""

    def moved(self, T: Float64[np.ndarray, "4 4"]) -> Surface:
        """The same surface after a rigid motion."""
        R, t = T[:3, :3], T[:3, 3]
        return Surface(self.vertices @ R.T + t, self.faces, self.normals @ R.T, self.uv)


def join(surfaces: list[Surface]) -> Surface:
    """Several closed surfaces as one mesh (they may overlap)."""
    starts = np.cumsum([0] + [len(s.vertices) for s in surfaces])
    return Surface(
        np.concatenate([s.vertices for s in surfaces]),
        np.concatenate([s.faces + start for s, start in zip(surfaces, starts, strict=False)]),
        np.concatenate([s.normals for s in surfaces]),
        np.concatenate([s.uv for s in surfaces]),
    )


def box_surface(half_size: Float64[np.ndarray, "3"]) -> Surface:
    """Box about the origin: 8 vertices, 12 faces, the whole texture on each side."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    faces, normals, uv = [], [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            across = np.roll(np.array([1.0, 0, 0]), (axis + 1) % 3) * sign
            along = np.cross(normal, across)
            corners = [normal + a * across + b * along for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            quad = [int(np.argmin(np.abs(signs - c).sum(axis=1))) for c in corners]
            square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
            for pick in ([0, 1, 2], [0, 2, 3]):
                faces.append([quad[i] for i in pick])
                normals.append(np.tile(normal, (3, 1)))
                uv.append(square[pick])
    return Surface(signs * half_size, np.array(faces, np.int64), np.array(normals), np.array(uv))


def lathe_surface(profile: Float64[np.ndarray, "k 2"], segments: int = 48) -> Surface:
    """Revolve (r, z) points about z. The profile starts and ends on the axis with the solid on its left."""
    angle = np.arange(segments) * (2 * np.pi / segments)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    starts: list[int] = []
    vertices: list[np.ndarray] = []
    for r, z in profile:
        starts.append(sum(len(v) for v in vertices))
        on_axis = r < 1e-9
        vertices.append(
            np.array([[0.0, 0.0, z]]) if on_axis else np.column_stack([ring * r, np.full(segments, z)])
        )
    before, after = _profile_normals(profile)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    faces, normals, uv = [], [], []
    for i in range(len(profile) - 1):
        corner_normals, corner_v = (
            (after[i], before[i + 1]),
            (length[i] / length[-1], length[i + 1] / length[-1]),
        )
        for j in range(segments):
            quad = [(0, j), (0, j + 1), (1, j + 1), (1, j)]
            for pick in ([0, 1, 2], [0, 2, 3]):
                corners = [quad[p] for p in pick]
                idx = [_ring_idx(starts[i + e], len(vertices[i + e]), k) for e, k in corners]
                if len(set(idx)) < 3:
                    continue
                theta = [2 * np.pi * k / segments for _, k in corners]
                n = [corner_normals[e] for e, _ in corners]
                faces.append(idx)
                normals.append(
                    [[c[0] * np.cos(a), c[0] * np.sin(a), c[1]] for c, a in zip(n, theta, strict=True)]
                )
                uv.append([[k / segments, corner_v[e]] for e, k in corners])
    return Surface(np.concatenate(vertices), np.array(faces, np.int64), np.array(normals), np.array(uv))


def _ring_idx(start: int, count: int, k: int) -> int:
    return start + (k % count if count > 1 else 0)


def _profile_normals(profile: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Normals (r, z) at each profile point for the segment before it and the one after it."""
    step = np.diff(profile, axis=0)
    flat = np.column_stack([step[:, 1], -step[:, 0]])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    before, after = [flat[0]], []
    for i in range(len(flat)):
        after.append(flat[i])
        before.append(flat[i])
    for i in range(1, len(flat)):
        if flat[i - 1] @ flat[i] > CREASE_COS:
            smooth = flat[i - 1] + flat[i]
            before[i] = after[i] = smooth / np.linalg.norm(smooth)
    return before, after
