"""Rigid pose from known 3D points on known rays: closed-form start and Levenberg-Marquardt over 6 numbers.

Used for the first guess of the articulated fit and, alone, as the rigid baseline (all points of a fixed skeleton,
palm only, raw landmarks) that the benchmarks compare with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from reenact.geometry.rotations import so3_exp
from reenact.refine.hands.levenberg import LevenbergConfig, State, minimise

NEAR = 0.02
"""No joint is put nearer than this along its ray (m)."""


@dataclass(frozen=True)
class RayBundle:
    """Viewing rays of hands with a tangent plane at each, so that any lens is the same to the fit."""

    rays: Float64[np.ndarray, "n k 3"]
    """Unit vectors in the camera's axes."""
    tangents: Float64[np.ndarray, "n k 2 3"]
    """Two unit vectors square to each ray, nearest to image right and image down."""
    box_angle: Float64[np.ndarray, " n"]
    """Longer side of the hand's box seen from the camera (rad)."""

    @staticmethod
    def from_rays(rays: Float64[np.ndarray, "n k 3"]) -> RayBundle:
        """Directions of any length; the box is taken over all k of them."""
        rays = np.asarray(rays, dtype=np.float64)
        rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
        middle = rays.mean(axis=1)
        middle /= np.linalg.norm(middle, axis=-1, keepdims=True)
        plane = _tangents(middle)
        depth = np.maximum(np.einsum("nkc,nc->nk", rays, middle), 1e-3)
        flat = np.einsum("nkc,nac->nka", rays, plane) / depth[..., None]
        side = np.maximum(np.ptp(flat, axis=1).max(axis=-1), 1e-4)
        return RayBundle(rays=rays, tangents=_tangents(rays), box_angle=side)

    def take(self, rows: Int[np.ndarray, " m"]) -> RayBundle:
        """Some of the hands."""
        return RayBundle(self.rays[rows], self.tangents[rows], self.box_angle[rows])

    def errors(
        self, points: Float64[np.ndarray, "n k 3"]
    ) -> tuple[Float64[np.ndarray, "n k 2"], Float64[np.ndarray, "n k 2 3"], Float64[np.ndarray, "n k"]]:
        """Angle (rad, small ones) off each ray, its derivative by the point, and the distance along the ray (m)."""
        along = np.einsum("nkc,nkc->nk", points, self.rays)
        near = np.maximum(along, NEAR)[..., None]
        error = np.einsum("nkac,nkc->nka", self.tangents, points) / near
        slope = (self.tangents - error[..., None] * self.rays[:, :, None]) / near[..., None]
        return error, slope, along


def _tangents(rays: np.ndarray) -> np.ndarray:
    right = np.array([1.0, 0.0, 0.0]) - rays[..., :1] * rays
    right /= np.maximum(np.linalg.norm(right, axis=-1, keepdims=True), 1e-9)
    return np.stack([right, np.cross(rays, right)], axis=-2)


def place_by_size(points: Float64[np.ndarray, "n k 3"], bundle: RayBundle) -> Float64[np.ndarray, "n 3"]:
    """Where to move turned points so that their middle and mean spread agree with the rays (weak perspective).

    Works in the tangent plane of the hand's middle ray and never gives a place behind the camera.
    """
    middle = bundle.rays.mean(axis=1)
    middle /= np.linalg.norm(middle, axis=-1, keepdims=True)
    plane = _tangents(middle)
    along = np.maximum(np.einsum("nkc,nc->nk", bundle.rays, middle), 1e-3)
    seen = np.einsum("nkc,nac->nka", bundle.rays, plane) / along[..., None]
    flat = np.einsum("nkc,nac->nka", points, plane)
    seen_middle, flat_middle = seen.mean(axis=1), flat.mean(axis=1)
    spread = np.sqrt(((seen - seen_middle[:, None]) ** 2).sum(axis=(1, 2)))
    size = np.sqrt(((flat - flat_middle[:, None]) ** 2).sum(axis=(1, 2)))
    depth = np.clip(size / np.maximum(spread, 1e-6), 0.1, 20.0)
    depth_of_middle = depth - np.einsum("nkc,nc->nk", points, middle).mean(axis=1)
    sideways = np.einsum("na,nac->nc", seen_middle * depth[:, None] - flat_middle, plane)
    return middle * depth_of_middle[:, None] + sideways


def solve_rigid(
    points: Float64[np.ndarray, "n k 3"],
    rays: Float64[np.ndarray, "n k 3"],
    config: LevenbergConfig | None = None,
) -> Float64[np.ndarray, "n k 3"]:
    """The points, turned and moved as one body to lie on the rays in least squares of angle; camera axes, metres.

    The start is the given orientation (net shapes already have the camera's axes) placed by its apparent size.
    """
    points, bundle = np.asarray(points, dtype=np.float64), RayBundle.from_rays(rays)
    middle = points.mean(axis=1, keepdims=True)
    centred = points - middle

    def evaluate(state: State, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        R, t = state
        turned = centred[rows] @ np.swapaxes(R, -1, -2)
        part = bundle.take(rows)
        error, slope, along = part.errors(turned + t[:, None])
        jacobian = (
            np.concatenate([slope, -slope @ _hat(turned)], axis=-1) / part.box_angle[:, None, None, None]
        )
        error = error / part.box_angle[:, None, None]
        flat, residual = jacobian.reshape(len(rows), -1, 6), error.reshape(len(rows), -1)
        cost = np.where(along.min(axis=1) > NEAR, (residual**2).sum(axis=1), np.inf)
        turned_flat = np.swapaxes(flat, 1, 2)
        return cost, (turned_flat @ residual[..., None])[..., 0], turned_flat @ flat

    def retract(state: State, step: np.ndarray) -> State:
        R, t = state
        return so3_exp(step[:, 3:]) @ R, t + step[:, :3]

    start = (np.broadcast_to(np.eye(3), (len(points), 3, 3)), place_by_size(centred, bundle))
    (R, t), _, _ = minimise(start, evaluate, retract, config or LevenbergConfig())
    return centred @ np.swapaxes(R, -1, -2) + t[:, None]


def _hat(v: np.ndarray) -> np.ndarray:
    out = np.zeros((*v.shape, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    out[..., 1, 0], out[..., 2, 0], out[..., 2, 1] = v[..., 2], -v[..., 1], v[..., 0]
    return out
