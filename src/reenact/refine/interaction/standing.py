"""Where things stand, and on what: the table, or another thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import apply
from reenact.refine.interaction.grips import stretches
from reenact.refine.states.observations import RigidTrack
from reenact.scene import SupportPlane

SHORTEST_S = 0.2
"""Shorter rests say nothing about support (s)."""


@dataclass(frozen=True)
class Stand:
    """One object at rest for a while."""

    body: int
    weight: Float64[np.ndarray, " t"]
    """Sums to one over the rest."""
    under: int | None
    """The body it stands on; None is the plane."""


def find_stands(
    still: Float64[np.ndarray, "t n"],
    T: Float64[np.ndarray, "t n 4 4"],
    hulls: list[Float64[np.ndarray, "v 3"] | None],
    up: Float64[np.ndarray, "3"],
    t_seconds: Float64[np.ndarray, " t"],
    first_object: int,
) -> list[Stand]:
    """Every rest of every object; an object whose middle is above another's outline and body stands on that."""
    out = []
    step = float(np.median(np.diff(t_seconds))) if len(t_seconds) > 1 else 1 / 30
    for n in range(first_object, T.shape[1]):
        if hulls[n] is None:
            continue
        for begin, end in stretches(still[:, n] > 0.5):
            if (end - begin) * step < SHORTEST_S:
                continue
            weight = np.zeros(len(T))
            weight[begin:end] = still[begin:end, n]
            middle = (begin + end) // 2
            under = _under(n, T[middle], hulls, up, first_object)
            if under is not None:
                weight = weight * still[:, under]
            if weight.sum() > 0.5:
                out.append(Stand(n, weight / weight.sum(), under))
    return out


def heights_over(
    o: int, tracks: Sequence[RigidTrack], hulls: Sequence[np.ndarray | None], support: SupportPlane | None
) -> Float64[np.ndarray, " t"] | None:
    """Height of an object's lowest point over the plane, or over the top of what it is above (smooth tracks, m)."""
    hull = hulls[o]
    if support is None or not support.valid or hull is None:
        return None
    up = support.normal_world
    side = np.linalg.svd(up[None])[2][1:]
    T = tracks[o].smooth
    lowest = (apply(T, hull) @ up).min(axis=1)
    floor = np.full(len(T), support.offset)
    for p, track in enumerate(tracks):
        other = hulls[p]
        if p == o or other is None:
            continue
        corners = apply(track.smooth, other)
        flat, at = corners @ side.T, T[:, :3, 3] @ side.T
        over = ((at > flat.min(axis=1) - 0.01) & (at < flat.max(axis=1) + 0.01)).all(axis=1)
        over &= T[:, :3, 3] @ up > track.smooth[:, :3, 3] @ up
        floor = np.where(over, np.maximum(floor, (corners @ up).max(axis=1)), floor)
    return np.asarray(lowest - floor)


def over_own_rest(
    height: Float64[np.ndarray, " t"],
    rest: Float64[np.ndarray, " t"],
    touch: Float64[np.ndarray, " t"],
    t_seconds: Float64[np.ndarray, " t"],
) -> Float64[np.ndarray, " t"] | None:
    """Heights over where the thing itself lay before or after, with no hand at it; None where it never did.

    For a plane whose direction is known, but not its height. Between two rests the higher one counts.
    """
    lying = (rest > 0.9) & (touch < 0)
    step = float(np.median(np.diff(t_seconds))) if len(t_seconds) > 1 else 1 / 30
    rests = [(a, b) for a, b in stretches(lying) if (b - a) * step >= SHORTEST_S]
    if not rests:
        return None
    level = np.array([np.median(height[a:b]) for a, b in rests])
    k = np.searchsorted([a for a, _ in rests], np.arange(len(height)), side="right")
    before, after = level[np.maximum(k - 1, 0)], level[np.minimum(k, len(level) - 1)]
    return np.asarray(height - np.maximum(before, after))


def _under(n: int, T: np.ndarray, hulls: list[np.ndarray | None], up: np.ndarray, first: int) -> int | None:
    side = np.linalg.svd(up[None])[2][1:]  # two directions of the plane
    best, found = -np.inf, None
    for other in range(first, len(hulls)):
        hull = hulls[other]
        if other == n or hull is None:
            continue
        corners = hull @ T[other, :3, :3].T + T[other, :3, 3]
        flat, at = corners @ side.T, T[n, :3, 3] @ side.T
        inside = (at > flat.min(axis=0)).all() and (at < flat.max(axis=0)).all()
        top = float((corners @ up).max())
        if inside and T[n, :3, 3] @ up > T[other, :3, 3] @ up and top > best:
            best, found = top, other
    return found
