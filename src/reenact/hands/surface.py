"""The free hand's shape as one implicit function: a smooth union of tapered capsules and ellipsoids.

Everything is said in the wrist frame of a left hand: x from the wrist to the fingers, y from the palm to the
back of the hand, z to the thumb; origin at the wrist joint. A right hand is its mirror image (x negated).
Sizes are those of the default adult (``ADULT_HAND_LENGTH``); another size is the same shape scaled.

Sizes are those of a large hand, since 0.189 m from the nets' wrist to the nets' middle fingertip is about 0.205 m
from wrist crease to end of finger (see ``rest.FLESH_OFFSET_MM``): index breadth 21 mm at the middle joint and 18 mm
at the last, knuckle breadth 87 mm, thickness 31 mm at the middle knuckle and 27 mm in mid palm, wrist 56 x 37 mm.
The values are plausible for an adult man but come from no table: they were set by eye, from general knowledge of hand
anthropometry, and by how well hand-landmark nets find the rendered hand (benchmarks/toy_hand_detection.py). Do not
cite them as anthropometry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Capsule:
    """A capsule whose radius changes linearly from ``a`` to ``b``, flattened along ``normal``.

    ``flatten`` > 1 makes it thinner along ``normal`` by that factor.
    """

    a: Float[np.ndarray, " 3"]
    b: Float[np.ndarray, " 3"]
    radius_a: float
    radius_b: float
    normal: Float[np.ndarray, " 3"]
    flatten: float = 1.0

    def distance(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Signed distance, metres (a bound within ``flatten`` where flattened); negative inside."""
        offset = points - self.a
        if self.flatten != 1.0:
            offset = offset + (self.flatten - 1.0) * (offset @ self.normal)[:, None] * self.normal
        axis = self.b - self.a
        along = np.clip(offset @ axis / max(axis @ axis, 1e-12), 0.0, 1.0)
        radius = self.radius_a + along * (self.radius_b - self.radius_a)
        apart = offset - along[:, None] * axis
        return np.sqrt(np.einsum("ij,ij->i", apart, apart)) - radius


def smooth_min(a: np.ndarray, b: np.ndarray, k: float) -> np.ndarray:
    """Union of two distances with a fillet about ``k`` metres wide (quadratic polynomial blend)."""
    h = np.maximum(k - np.abs(a - b), 0.0) / k
    return np.minimum(a, b) - 0.25 * k * h * h


def smooth_union(capsules: list[Capsule], points: np.ndarray, k: float) -> np.ndarray:
    """Distance to the smooth union of ``capsules``, blended in the given order."""
    distance = capsules[0].distance(points)
    for capsule in capsules[1:]:
        distance = smooth_min(distance, capsule.distance(points), k)
    return distance
