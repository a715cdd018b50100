"""One step of smooth subdivision, for drawing: four triangles for each, old vertices kept where they are.

Butterfly scheme (Dyn, Levin & Gregory, ACM Trans. Graphics 9, 1990): a new vertex on each edge from the eight
vertices around it. Linear, so it applies to any posed vertices of a closed mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

TENSION = 1.0 / 16.0
"""The scheme's w: 0 gives straight midpoints, 1/16 its smoothest surfaces."""


@dataclass(frozen=True)
class Subdivision:
    """Takes values on the vertices of a closed triangle mesh to those of its subdivision."""

    around: Int64[np.ndarray, "e 8"]
    """Ends of each edge, its two opposite vertices, and the four wings."""
    faces: Int64[np.ndarray, "f4 3"]
    """Faces of the subdivided mesh, same winding; new vertices follow the old ones."""

    @staticmethod
    def of(faces: Int64[np.ndarray, "f 3"], count: int) -> Subdivision:
        """Of a closed mesh with `count` vertices (every edge shared by exactly two faces)."""
        ends = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        opposite = faces[:, [2, 0, 1]].reshape(-1)
        key = ends.min(1) * count + ends.max(1)
        unique, edge_of = np.unique(key, return_inverse=True)
        order = np.argsort(edge_of, kind="stable").reshape(-1, 2)
        ends_of, opposite_of = ends[order[:, 0]], opposite[order]
        third = dict(zip(zip(*ends.T.tolist(), strict=True), opposite.tolist(), strict=True))
        wings = [_wings(third, *e, *o) for e, o in zip(ends_of.tolist(), opposite_of.tolist(), strict=True)]
        middle = count + edge_of.reshape(-1, 3)
        a, b, c = faces.T
        ab, bc, ca = middle.T
        new = np.stack([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]])
        around = np.concatenate([ends_of, opposite_of, np.array(wings)], axis=1)
        assert len(unique) == len(around)
        return Subdivision(around, np.ascontiguousarray(new.transpose(2, 0, 1).reshape(-1, 3)))

    def __call__(self, values: Float[np.ndarray, "v c"]) -> Float[np.ndarray, "w c"]:
        """Old values followed by those of the new vertices."""
        weights = np.array([0.5, 0.5, 2 * TENSION, 2 * TENSION, *[-TENSION] * 4])
        new = sum(weight * values[self.around[:, k]] for k, weight in enumerate(weights))
        return np.concatenate([values, new])


def _wings(third: dict[tuple[int, int], int], a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    """The four outer vertices around edge a-b with opposite vertices c (face a b c) and d (face b a d)."""
    return third[c, b], third[a, c], third[d, a], third[b, d]
