"""What a frame says about a pose, as linear terms: residuals in sigmas and their change with the pose.

A change of pose is (dt, w): the object's origin moves by dt and the object turns by the rotation vector w about its
origin, both in the camera's axes (the order of `PoseCovariance`). So a point at offset r from the origin moves by
dt + w x r.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.spatial.transform import Rotation

from reenact.perception.pose.window import Window

_CUT, _FAR = 6.0, 4.0
"""Edges so many sigmas away, and so many times farther than the middle one, are not the object's (a mask that leaks)."""


@dataclass(frozen=True)
class Term:
    """Residuals in sigmas, and how they change with (dt, w)."""

    name: str
    residual: Float64[np.ndarray, " n"]
    jacobian: Float64[np.ndarray, "n 6"]
    effective: float
    """Most independent measurements that it counts for."""
    robust: float = 2.5
    """Residuals beyond this many sigmas lose weight (Huber); infinity for none."""
    shared: Float64[np.ndarray, "n k"] | None = None
    """What common unknowns of mean 0 and sigma 1 add to each residual: a mask too tight all around, hands too far. They
    are solved for with the pose, so they do not average out however many residuals there are."""
    cut: float = np.inf
    """Those beyond this many lose nearly all of it: they belong to something else."""
    lasting: Float64[np.ndarray, "n l"] | None = None
    """The same of unknowns that stay what they are from frame to frame: the pose is the best one with them at 0, so that it
    does not wander, but is no surer than they are."""


@dataclass(frozen=True)
class Anchored:
    """Places of a sighting's followed points on the mesh."""

    places: Float64[np.ndarray, "k 3"]
    """Object frame; NaN where unknown."""
    sigma_scale: float
    """Relative one-sigma of the distance at which they were learnt, which all of them share."""
    spread: Float64[np.ndarray, "6 6"]
    """Covariance (object axes) of the poses by which they were learnt, which all of them share as well."""

    @property
    def known(self) -> Bool[np.ndarray, " k"]:
        """Points that have a place."""
        return np.isfinite(self.places).all(1)


def wider(shared: np.ndarray) -> float:
    """By how much residuals that share an error may be larger."""
    return float(np.hypot(1.0, np.abs(shared).max(initial=0.0)))


def no_term(name: str) -> Term:
    """A term that says nothing."""
    return Term(name, np.zeros(0), np.zeros((0, 6)), 1.0)


def moves(T_camera_object: Float[np.ndarray, "4 4"], points: Float64[np.ndarray, "n 3"]) -> np.ndarray:
    """How camera points of the object change with (dt, w): [n 3 6]."""
    x, y, z = (points @ T_camera_object[:3, :3].T).T
    out = np.zeros((len(points), 3, 6))
    out[:, [0, 1, 2], [0, 1, 2]] = 1.0
    out[:, 0, 4], out[:, 0, 5] = z, -y  # minus the skew matrix of the offset
    out[:, 1, 3], out[:, 1, 5] = -z, x
    out[:, 2, 3], out[:, 2, 4] = y, -x
    return out


def moved_along(
    T_camera_object: Float[np.ndarray, "4 4"],
    points: Float64[np.ndarray, "n 3"],
    directions: Float64[np.ndarray, "n 3"],
) -> Float64[np.ndarray, "n 6"]:
    """How far points of the object go along directions (camera axes) with (dt, w): d . (dt + w x r)."""
    x, y, z = (points @ T_camera_object[:3, :3].T).T
    a, b, c = directions.T
    return np.stack([a, b, c, y * c - z * b, z * a - x * c, x * b - y * a], 1)


def placed(T_camera_object: Float[np.ndarray, "4 4"], points: Float64[np.ndarray, "n 3"]) -> np.ndarray:
    """Object points in the camera's frame."""
    result: np.ndarray = points @ T_camera_object[:3, :3].T + T_camera_object[:3, 3]
    return result


def outline_term(
    T_camera_object: Float[np.ndarray, "4 4"],
    outline: Float64[np.ndarray, "n 3"],
    window: Window,
    sigma_px: float,
    bias_px: float,
    effective: float,
) -> Term:
    """Points of the drawn outline (object frame) lie on the edge of the mask.

    sigma_px counts pixels of the mask, and so does bias_px: by how much all of the edge may lie too far in or out.
    Points that something may hide, and those off the window, are left out.
    """
    if len(outline) == 0:
        return no_term("outline")
    p = placed(T_camera_object, outline)
    K = window.view.K
    uv = p[:, :2] / p[:, 2:] * [K[0, 0], K[1, 1]] + K[:2, 2]
    h, w = window.distance_px.shape
    near = np.rint(uv).astype(int)
    ok = ((near >= 1) & (near < [w - 1, h - 1])).all(1)
    u, v = np.where(ok[:, None], near, 1).T
    ok &= window.edge_known[v, u]
    if not ok.any():
        return no_term("outline")
    total = len(p)
    p, uv, u, v, outline = p[ok], uv[ok], u[ok], v[ok], outline[ok]
    field = window.distance_px
    slope = np.stack([(field[v, u + 1] - field[v, u - 1]) / 2, (field[v + 1, u] - field[v - 1, u]) / 2], 1)
    distance = field[v, u] + ((uv - np.stack([u, v], 1)) * slope).sum(1) + 0.5
    sigma = max(sigma_px * window.px_per_mask_px, 0.7)
    pull = slope * [K[0, 0], K[1, 1]] / (p[:, 2:] * sigma)  # of the distance with x and y, then with z
    pull = np.concatenate([pull, -(pull * p[:, :2]).sum(1, keepdims=True) / p[:, 2:]], 1)
    jacobian = moved_along(T_camera_object, outline, pull)
    shared = np.full((len(p), 1), bias_px * window.px_per_mask_px / sigma)
    residual = distance / sigma
    cut = max(_CUT, _FAR * float(np.median(np.abs(residual))))  # where all of it is far, all of it counts
    return Term("outline", residual, jacobian, effective * len(p) / total, 3.0, shared, cut)


@dataclass(frozen=True)
class SurfacePairs:
    """Depth points and the points of the surface that they measure."""

    cloud: Float64[np.ndarray, "n 3"]
    """Camera frame."""
    sigma: Float64[np.ndarray, " n"]
    """Each point's own, along the ray (m)."""
    common: float
    """Relative one-sigma of the distance that all of them share."""
    places: Float64[np.ndarray, "n 3"]
    """Object frame."""
    normals: Float64[np.ndarray, "n 3"]

    @staticmethod
    def none() -> SurfacePairs:
        """No depth."""
        return SurfacePairs(np.zeros((0, 3)), np.zeros(0), 0.0, np.zeros((0, 3)), np.zeros((0, 3)))


def surface_term(T_camera_object: Float[np.ndarray, "4 4"], pairs: SurfacePairs, effective: float) -> Term:
    """Depth points lie on the surface; all of a frame's may be too near or too far by one common factor."""
    if len(pairs.cloud) < 5:
        return no_term("surface")
    R, t = T_camera_object[:3, :3], T_camera_object[:3, 3]
    residual = (((pairs.cloud - t) @ R - pairs.places) * pairs.normals).sum(1)
    n_camera = pairs.normals @ R.T
    # the plane moves with the object: d(residual) = -n . (dt + w x r)
    jacobian = -moved_along(T_camera_object, pairs.places, n_camera)
    # along a grazing ray an error in depth is a smaller error across the surface
    ray = pairs.cloud / np.linalg.norm(pairs.cloud, axis=1, keepdims=True)
    facing = (n_camera * ray).sum(1)
    across = np.maximum(np.abs(facing), 0.3) * pairs.sigma
    shared = pairs.common * (n_camera * pairs.cloud).sum(1) / across
    robust = 2.0 * wider(shared)
    return Term("surface", residual / across, jacobian / across[:, None], effective, robust, shared[:, None])


def track_term(
    T_camera_object: Float[np.ndarray, "4 4"],
    anchors: Float64[np.ndarray, "k 3"],
    flat: Float64[np.ndarray, "k 2"],
    sigma: Float64[np.ndarray, " k"],
    sigma_scale: float,
    spread: Float64[np.ndarray, "6 6"],
    effective: float,
) -> Term:
    """Followed points: their places on the mesh project onto x/z, y/z `flat` within sigma (same unit).

    sigma_scale: relative, of the common size of all places: so the points do not tell the distance better than that.
    spread: of the pose (object axes) by which they were placed: they tell how it has moved since, and where it is no better.
    """
    if len(anchors) == 0:
        return no_term("tracks")
    p = placed(T_camera_object, anchors)
    z = np.maximum(p[:, 2], 1e-3)
    residual = (p[:, :2] / z[:, None] - flat) / sigma[:, None]
    dproject = np.zeros((len(p), 2, 3))
    dproject[:, 0, 0] = dproject[:, 1, 1] = 1 / z
    dproject[:, 0, 2], dproject[:, 1, 2] = -p[:, 0] / z**2, -p[:, 1] / z**2
    jacobian = (dproject @ moves(T_camera_object, anchors) / sigma[:, None, None]).reshape(-1, 6)
    larger = ((flat - flat.mean(0)) * sigma_scale / sigma[:, None]).reshape(-1, 1)
    values, axes = np.linalg.eigh(spread)
    turned = np.kron(np.eye(2), T_camera_object[:3, :3]) @ (axes * np.sqrt(np.maximum(values, 0.0)))
    return Term(
        "tracks", residual.reshape(-1), jacobian, 2 * effective, 2.0, larger, lasting=jacobian @ turned
    )


def prior_term(
    T_camera_object: Float[np.ndarray, "4 4"],
    T_predicted: Float[np.ndarray, "4 4"],
    root: Float64[np.ndarray, "6 6"],
) -> Term:
    """The pose is the predicted one within its covariance; `root` turns a change into sigmas."""
    turn = Rotation.from_matrix(T_camera_object[:3, :3] @ T_predicted[:3, :3].T).as_rotvec()
    change = np.concatenate([T_camera_object[:3, 3] - T_predicted[:3, 3], turn])
    return Term("prior", root @ change, root, 6.0, np.inf)


def visible_points(
    T_camera_object: Float[np.ndarray, "4 4"],
    points: Float64[np.ndarray, "n 3"],
    depth: Float[np.ndarray, "h w"],
    K: Float[np.ndarray, "3 3"],
    slack: float,
) -> Bool[np.ndarray, " n"]:
    """Which surface points a drawn depth picture shows (within `slack` metres)."""
    p = placed(T_camera_object, points)
    uv = np.rint(p[:, :2] / np.maximum(p[:, 2:], 1e-6) * [K[0, 0], K[1, 1]] + K[:2, 2]).astype(int)
    h, w = depth.shape
    ok = (p[:, 2] > 0) & ((uv >= 0) & (uv < [w, h])).all(1)
    u, v = np.where(ok[:, None], uv, 0).T
    drawn = depth[v, u]
    shown: np.ndarray = ok & (drawn > 0) & (np.abs(p[:, 2] - drawn) < slack)
    return shown
