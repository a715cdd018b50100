"""What an object touches, as linear terms: the plane it stands on or lies above, and the fingers that hold it."""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial import cKDTree

from reenact.perception.pose.terms import Term, moved_along, no_term, placed, wider


class SurfacePart:
    """Points of a surface with normals (object frame) and, once asked for, a tree to find the nearest."""

    def __init__(self, points: Float64[np.ndarray, "n 3"], normals: Float64[np.ndarray, "n 3"]) -> None:
        self.points, self.normals = points, normals

    @functools.cached_property
    def tree(self) -> cKDTree:
        """Of the points."""
        return cKDTree(self.points)


def standing_term(
    T_camera_object: Float[np.ndarray, "4 4"],
    feet: Float64[np.ndarray, "n 3"],
    normal_camera: Float64[np.ndarray, " 3"],
    offset: float,
    sigma: float,
    sigma_plane: float,
) -> Term:
    """The feet (object frame) touch the plane normal . x = offset (camera frame).

    sigma: of each foot; sigma_plane: of the plane's height, which all feet share.
    """
    p = placed(T_camera_object, feet)
    residual = (p @ normal_camera - offset) / sigma
    along = np.tile(normal_camera / sigma, (len(feet), 1))
    jacobian = moved_along(T_camera_object, feet, along)
    shared = np.full((len(feet), 1), sigma_plane / sigma)
    return Term("standing", residual, jacobian, float(len(feet)), 3.0 * wider(shared), shared)


def above_term(
    T_camera_object: Float[np.ndarray, "4 4"],
    corners: Float64[np.ndarray, "n 3"],
    normal_camera: Float64[np.ndarray, " 3"],
    offset: float,
    sigma: float,
) -> Term:
    """Nothing of the object is below the plane: only corners that are say anything."""
    depth = placed(T_camera_object, corners) @ normal_camera - offset
    below = corners[depth < 0]
    if len(below) == 0:
        return no_term("above")
    term = standing_term(T_camera_object, below, normal_camera, offset, sigma, 0.0)
    return Term("above", term.residual, term.jacobian, 2.0, 3.0)


def touch_term(
    T_camera_object: Float[np.ndarray, "4 4"],
    hand: Float64[np.ndarray, "n 3"],
    sigma: Float64[np.ndarray, "n 3"],
    surface: SurfacePart,
    skin: float,
) -> Term:
    """Joints of fingers that hold the object (camera frame, sigma along x y z) are one skin away from its surface."""
    if len(hand) == 0:
        return no_term("touch")
    local = (hand - T_camera_object[:3, 3]) @ T_camera_object[:3, :3]
    distance, idx = surface.tree.query(local)
    points = surface.points
    to_hand = hand - placed(T_camera_object, points[idx])
    direction = to_hand / np.maximum(distance, 1e-9)[:, None]
    # all joints of a hand share its error along the line of sight, and a third of it is each joint's own
    own = sigma * np.array([1.0, 1.0, 0.3])
    spread = np.sqrt((own**2).mean(1) + skin**2)
    jacobian = -moved_along(T_camera_object, points[idx], direction / spread[:, None])
    shared = direction[:, 2] * sigma[:, 2] / spread
    return Term("touch", (distance - skin) / spread, jacobian, 3.0, 2.0 * wider(shared), shared[:, None])
