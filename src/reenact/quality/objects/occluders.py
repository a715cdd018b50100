"""Points of what may stand before an object: the skin of the hands, and the other objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import apply
from reenact.hands.posed import skin_of_joints
from reenact.quality.objects.pictures import surface_points
from reenact.scene import HandTracks, ObjectTracks

OBJECT_POINTS = 3000
"""Points of one object; enough for pictures of 160 pixels across."""


def occluding_points(
    hands: HandTracks | None, objects: ObjectTracks, object_idx: int, frames: Sequence[int]
) -> list[Float64[np.ndarray, "_ 3"]]:
    """Per frame, the points (world, m) of both hands' skin and of every object but `object_idx`."""
    out: list[list[np.ndarray]] = [[np.zeros((0, 3))] for _ in frames]
    rows = np.asarray(frames, np.int64)
    for side in (0, 1):
        seen = np.flatnonzero(hands.valid[rows, side]) if hands is not None else np.zeros(0, np.int64)
        if hands is None or len(seen) == 0:
            continue
        skin = skin_of_joints(hands.joints_world[rows[seen], side], side, float(hands.hand_length[side]))
        for i, points in zip(seen.tolist(), skin, strict=True):
            out[i].append(points)
    for o in range(len(objects.object_ids)):
        vertices, faces = objects.mesh(o)
        if o == object_idx or len(faces) == 0:
            continue
        points = surface_points(vertices, faces, OBJECT_POINTS)
        for i, k in enumerate(frames):
            if objects.valid[k, o]:
                out[i].append(apply(objects.T_world_object[k, o], points))
    return [np.concatenate(parts) for parts in out]
