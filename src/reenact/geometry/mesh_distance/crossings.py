"""Inside or outside by counting how often lines cross a mesh: holds for closed meshes, for unions of overlapping
closed parts, and, by the majority of three directions, for meshes with small holes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64

_NUDGE = 1.37e-7
"""Lines are moved off the lattice by this share of a cell, so that none runs exactly through an edge."""


def inside_lattice(
    corners: Float64[np.ndarray, "f 3 3"], axes: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> Bool[np.ndarray, "x y z"]:
    """Whether each point of the lattice spanned by three rising axes is inside, by the vote of three directions."""
    votes = np.zeros([len(a) for a in axes], np.int8)
    for along in range(3):
        order = [(along + 1) % 3, (along + 2) % 3, along]
        turned = corners[..., order]
        u, v, w = (axes[k] for k in order)
        votes += np.transpose(_winding(turned, u, v, w) > 0, np.argsort(order))
    return votes >= 2


def _winding(corners: np.ndarray, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Signed crossings met on the way up to each lattice point along w; positive inside, [u v w]."""
    u = u + _NUDGE * (u[1] - u[0])
    v = v + 1.618 * _NUDGE * (v[1] - v[0])
    count = np.zeros((len(u), len(v), len(w) + 1), np.int32)
    i, j, height, sign = _crossings(corners, u, v)
    k = np.searchsorted(w, height)
    np.add.at(count, (i, j, k), sign)
    return np.cumsum(count, axis=2)[:, :, :-1]


def _crossings(corners: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, ...]:
    """Lines (i, j) that meet a triangle, at what height, and +1 where they enter the solid."""
    low, high = corners[..., :2].min(axis=1), corners[..., :2].max(axis=1)
    i0, i1 = np.searchsorted(u, low[:, 0]), np.searchsorted(u, high[:, 0])
    j0, j1 = np.searchsorted(v, low[:, 1]), np.searchsorted(v, high[:, 1])
    wide, tall = i1 - i0, j1 - j0
    face = np.repeat(np.arange(len(corners)), wide * tall)
    first = np.repeat(np.cumsum(wide * tall) - wide * tall, wide * tall)
    within = np.arange(len(face)) - first
    i = i0[face] + within // np.maximum(tall[face], 1)
    j = j0[face] + within % np.maximum(tall[face], 1)
    a, b, c = (corners[face, n] for n in range(3))
    p = np.stack([u[i], v[j]], axis=1)
    area = _cross(b - a, c - a)
    good = np.abs(area) > 1e-18
    safe = np.where(good, area, 1.0)
    s, t = _cross(p - a[:, :2], c - a) / safe, _cross(b - a, p - a[:, :2]) / safe
    hit = good & (s >= 0) & (t >= 0) & (s + t <= 1)
    height = a[:, 2] + s * (b - a)[:, 2] + t * (c - a)[:, 2]
    sign = np.where(area < 0, 1, -1)  # a face that looks down is where the line goes in
    return i[hit], j[hit], height[hit], sign[hit]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
