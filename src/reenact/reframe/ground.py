"""The surface things stand on, for the picture: the known support plane, or an assumed one that says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.scene import Scene

UNDER_HANDS = 0.04
"""Where nothing is known, the surface is drawn this far under the lowest joint (m)."""


@dataclass(frozen=True)
class Ground:
    """Points x with normal . x = offset, in the scene's frame."""

    normal: Float64[np.ndarray, "3"]
    offset: float
    known: bool
    """False: drawn for orientation only."""
    words: str
    """What to write beside it."""


def ground_of(scene: Scene, up: Float64[np.ndarray, "3"]) -> Ground:
    """The support plane of the scene; else under the lowest object that was ever seen; else under the hands."""
    if scene.support is not None and scene.support.valid:
        support = scene.support
        return Ground(np.array(support.normal_world), support.offset, True, f"surface from {support.origin}")
    lowest = _lowest_object(scene, up)
    if lowest is not None:
        return Ground(up, lowest, False, "surface assumed under the objects")
    lowest = 0.0
    if scene.hands is not None and scene.hands.valid.any():
        heights = scene.hands.joints_world[scene.hands.valid] @ up
        lowest = float(np.percentile(heights, 2)) - UNDER_HANDS
    return Ground(up, lowest, False, "surface assumed under the hands")


def _lowest_object(scene: Scene, up: np.ndarray) -> float | None:
    """Height of the lowest vertex of any object, the median over its frames."""
    objects, heights = scene.objects, []
    for k in range(0 if objects is None else len(objects.object_ids)):
        assert objects is not None
        vertices, _ = objects.mesh(k)
        T = objects.T_world_object[objects.valid[:, k], k]
        if len(vertices) and len(T):
            low = (vertices @ (up @ T[:, :3, :3]).T).min(axis=0) + T[:, :3, 3] @ up
            heights.append(float(np.median(low)))
    return min(heights) if heights else None
