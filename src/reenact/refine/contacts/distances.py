"""Signed distances of hand points to objects, and whether a hand has an object between its points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.geometry.transforms import apply, inverse
from reenact.refine.contacts.hand_spheres import OWNERS, sphere_centres, sphere_radii

FAR = 1.0
"""Distance given where an object has no shape (m)."""
NOT_OPPOSED = 0.05
"""See `HandObjectGeometry.between` (m)."""
OPPOSED, HOLLOW = -0.2, 0.02
"""Where the normals' cosine is below the first, `between` is at most the second (m) times what it is below."""
PAIRS = tuple(combinations(range(6), 2))
"""Pairs of contact points of one hand."""


@dataclass(frozen=True)
class HandObjectGeometry:
    """One hand against one object over t frames."""

    distance: Float64[np.ndarray, "t k=6"]
    """Skin to surface (m), negative inside; thumb to pinky tips, palm."""
    place: Float64[np.ndarray, "t k=6 3"]
    """Nearest surface point in the object's frame (m)."""
    touching: Float64[np.ndarray, "t k=6 3"]
    """Middle of the sphere that is nearest, in the object's frame (m)."""
    normal: Float64[np.ndarray, "t k=6 3"]
    """Outward normal of the object there, in its frame."""
    depth: Float64[np.ndarray, " t"]
    """Deepest penetration of any sphere of the hand (m, >= 0)."""
    between: Float64[np.ndarray, "t p"]
    """For each of `PAIRS`: distance of the deepest point between the two, less the pair's mean distance (m).

    Negative by half the object's width where the object is between the points, positive where both are on one side;
    moving hand or object as a whole changes it little. Raised by up to `NOT_OPPOSED` where the surface's normals at the
    two do not oppose (a corner between two points is not held by them), lowered where they do (a cup's middle is air)."""


def measure(
    joints_object: Float64[np.ndarray, "t j=21 3"], grid: SignedDistanceGrid | None, hand_length: float
) -> HandObjectGeometry:
    """From joints already in the object's frame."""
    t = len(joints_object)
    if grid is None:
        return HandObjectGeometry(
            np.full((t, 6), FAR),
            np.zeros((t, 6, 3)),
            np.zeros((t, 6, 3)),
            np.zeros((t, 6, 3)),
            np.zeros(t),
            np.full((t, len(PAIRS)), FAR),
        )
    centres, radii = sphere_centres(joints_object), sphere_radii(hand_length)
    skin = grid.distance(centres) - radii
    own = [np.flatnonzero(k == OWNERS) for k in range(6)]
    nearest = np.stack([idx[skin[:, idx].argmin(axis=1)] for idx in own], axis=1)
    distance = np.take_along_axis(skin, nearest, axis=1)
    touching = np.take_along_axis(centres, nearest[..., None], axis=1)
    value, gradient = grid.distance_and_gradient(touching)
    unit = gradient / np.maximum(np.linalg.norm(gradient, axis=-1, keepdims=True), 1e-9)
    between = _opposed(_between(touching, distance, grid), unit)
    return HandObjectGeometry(
        distance,
        touching - value[..., None] * unit,
        touching,
        unit,
        np.maximum(-skin.min(axis=1), 0.0),
        between,
    )


def _opposed(between: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """`between` raised where normals agree, and lowered where they oppose: the middle of a hollow thing is free."""
    a, b = (np.array(side) for side in zip(*PAIRS, strict=True))
    cosine = (normal[:, a] * normal[:, b]).sum(axis=-1)
    hollow = np.where(cosine < OPPOSED, HOLLOW * (cosine - OPPOSED), np.inf)
    return np.asarray(np.minimum(between + NOT_OPPOSED * np.clip(cosine / 0.4, 0.0, 1.0), hollow))


def _between(touching: np.ndarray, distance: np.ndarray, grid: SignedDistanceGrid) -> np.ndarray:
    a, b = (np.array(side) for side in zip(*PAIRS, strict=True))
    share = np.array([0.3, 0.5, 0.7])[:, None, None, None]
    inner = grid.distance(touching[:, a] + share * (touching[:, b] - touching[:, a])).min(axis=0)
    return np.asarray(inner - 0.5 * (distance[:, a] + distance[:, b]))


def measure_across(
    left: HandObjectGeometry, right: HandObjectGeometry, grid: SignedDistanceGrid | None
) -> tuple[Float64[np.ndarray, "t q"], Float64[np.ndarray, "t q"]]:
    """Each point of the left hand against each of the right: their mean distance, and `between` as for one hand (m)."""
    mean = 0.5 * (left.distance[:, :, None] + right.distance[:, None, :]).reshape(len(left.distance), -1)
    if grid is None:
        return mean, np.full(mean.shape, FAR)
    share = np.array([0.25, 0.5, 0.75])[:, None, None, None, None]
    a, b = left.touching[:, :, None], right.touching[:, None, :]
    inner = grid.distance(a + share * (b - a)).min(axis=0).reshape(mean.shape)
    return mean, inner - mean


def joints_in_object(
    joints_world: Float64[np.ndarray, "t j=21 3"], T_world_object: Float64[np.ndarray, "t 4 4"]
) -> Float64[np.ndarray, "t j=21 3"]:
    """Joints in the object's frame (m)."""
    return apply(inverse(T_world_object), joints_world)


def build_grids(
    meshes: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[SignedDistanceGrid | None, ...]:
    """A distance grid per mesh; None where an object has no mesh."""
    return tuple(SignedDistanceGrid.build(v, f) if len(f) else None for v, f in meshes)
