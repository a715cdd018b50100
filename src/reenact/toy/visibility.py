"""How much of each hand the camera sees, from the true depth.

In: skin points, camera, depth and labels of a frame. Out: the share of camera-facing skin that nothing else hides.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.geometry.cameras import PinholeCamera
from reenact.hands.mesh import HandMesh, vertex_normals
from reenact.scene.masks import MaskLabel
from reenact.toy.hand_surface import FOREARM, HandSurface
from reenact.toy.render import ToyFrame

SLACK = 0.008
"""A point this much behind the visible surface still counts as seen (m): edges, one pixel off."""


def visible_share(
    vertices_world: Float64[np.ndarray, "v 3"],
    side: int,
    camera: PinholeCamera,
    T_world_camera: Float64[np.ndarray, "4 4"],
    frame: ToyFrame,
) -> float:
    """Share of the hand's camera-facing skin points (wrist to tips) that the image shows, 0..1."""
    hand = HandSurface.adult(side, 0.189).part != FOREARM
    normals = vertex_normals(vertices_world, HandMesh.load(side).faces)[hand]
    points = vertices_world[hand]
    facing = ((T_world_camera[:3, 3] - points) * normals).sum(axis=1) > 0
    local = (points[facing] - T_world_camera[:3, 3]) @ T_world_camera[:3, :3]
    if not len(local):
        return 0.0
    pixels = np.rint(camera.project(local)).astype(int)
    inside = (local[:, 2] > 0.02) & (pixels >= 0).all(axis=1)
    inside &= (pixels[:, 0] < camera.width_px) & (pixels[:, 1] < camera.height_px)
    column, row = pixels[inside, 0], pixels[inside, 1]
    own = np.isin(frame.mask[row, column], (MaskLabel.HAND_LEFT + side, MaskLabel.ARM_LEFT + side))
    near = frame.depth[row, column] > local[inside, 2] - SLACK
    return float((own | near).sum() / len(local))
