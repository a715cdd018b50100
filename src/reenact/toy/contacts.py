"""True contacts: exact distances from the skin of fingertips and palm to every object.

In: hand surfaces over time and objects. Out: a `ContactTracks` record.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.scene.interaction import ContactTracks
from reenact.scene.source import Source
from reenact.toy.hand_surface import HandSurface
from reenact.toy.script import Performance, Script
from reenact.toy.shapes import Shape

TOUCH = 0.002
"""Skin nearer than this touches (m); grasps leave at most 1 mm, approaching hands pass through in one frame."""


def true_contacts(script: Script, performance: Performance, hand_length: float) -> ContactTracks:
    """Signed distances of the six contact points (last phalanges and palm) to all objects."""
    frames, objects = performance.T_world_object.shape[:2]
    distance = np.zeros((frames, 2, 6, objects))
    for side in np.flatnonzero(performance.present):
        surface = HandSurface.adult(int(side), hand_length)
        patches = [np.flatnonzero(surface.bone == 3 + 3 * f) for f in range(5)] + [surface.palm_pad]
        used = surface.keep(np.concatenate(patches))
        ends = np.cumsum([0] + [len(p) for p in patches])
        skin = used.points(performance.angles[:, side], performance.T_world_wrist[:, side])
        for o, prop in enumerate(script.props):
            T = performance.T_world_object[:, o]
            local = (skin - T[:, None, :3, 3]) @ T[:, :3, :3]
            for k in range(6):
                distance[:, side, k, o] = nearest(prop.shape, local[:, ends[k] : ends[k + 1]])
    present = np.broadcast_to(performance.present[None, :, None], (frames, 2, objects))
    return ContactTracks(
        touching=(distance < TOUCH) & present[:, :, None],
        distance=distance,
        confidence=present.astype(np.float64),
        valid=present.copy(),
        source=np.where(present, Source.TRUTH, Source.UNKNOWN).astype(np.uint8),
    )


def nearest(shape: Shape, points: Float64[np.ndarray, "t n 3"]) -> Float64[np.ndarray, " t"]:
    """Smallest signed distance among the points of each instant (m); exact.

    The distance to the bounding box is a lower bound, so only points that beat the best one so far are computed.
    """
    corners = shape.mesh().vertices
    middle, half = (corners.max(axis=0) + corners.min(axis=0)) / 2, np.ptp(corners, axis=0) / 2
    q = np.abs(points - middle) - half - 1e-4  # the true solid bulges past its facets by less than 0.1 mm
    bound = np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(axis=-1), 0)
    first = np.take_along_axis(points, bound.argmin(axis=1)[:, None, None], axis=1)[:, 0]
    best = shape.distance(first)
    rivals = bound < best[:, None]
    exact = np.full(bound.shape, np.inf)
    exact[rivals] = shape.distance(points[rivals])
    return np.minimum(best, exact.min(axis=1))
