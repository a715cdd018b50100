"""Where an object is expected in a frame, from the one before: the rigid motion of 3D tracks, or the last pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.refine import Prior
from reenact.perception.pose.rigid import rigid_ransac
from reenact.perception.pose.solve import bounded_inverse
from reenact.perception.pose.terms import placed


@dataclass
class Followed:
    """What is carried from frame to frame."""

    T_world_object: np.ndarray
    covariance: np.ndarray
    """World axes."""
    t_seconds: float
    points: dict[int, tuple[np.ndarray, float]]
    """World places of followed points with depth, and their sigma."""


def followed(T_world_object: np.ndarray, covariance: np.ndarray, sighting: Sighting) -> Followed:
    """A pose that is trusted."""
    world = placed(sighting.T_world_camera, sighting.track_points)
    points = {
        int(i): (world[k], float(sighting.track_sigma[k]))
        for k, i in enumerate(sighting.track_idx)
        if sighting.track_sigma[k] > 0
    }
    return Followed(T_world_object, covariance, sighting.t_seconds, points)


def predicted(last: Followed, sighting: Sighting, config: PoseConfig) -> Prior:
    """World pose and covariance at the new time (as a `Prior` whose frame is the world)."""
    gap = abs(sighting.t_seconds - last.t_seconds)
    T = last.T_world_object
    pairs = [
        (i, k)
        for k, i in enumerate(sighting.track_idx.tolist())
        if i in last.points and sighting.track_sigma[k] > 0
    ]
    spread = np.array([config.speed * gap] * 3 + [config.turn_rate * gap] * 3)
    if len(pairs) >= 4:
        at = [k for _, k in pairs]
        src = np.array([last.points[i][0] for i, _ in pairs])
        dst = placed(sighting.T_world_camera, sighting.track_points[at])
        sigma = np.hypot([last.points[i][1] for i, _ in pairs], sighting.track_sigma[at])
        fit = rigid_ransac(
            src, dst, config.ransac_reach + 2 * sigma, rounds=config.ransac_rounds, seed=config.seed
        )
        if fit is not None:
            T = fit.T_dst_src @ T
            spread = spread * 0.5
    return Prior(T, bounded_inverse(np.linalg.inv(last.covariance + np.diag(spread**2 + 1e-8))))


def turned(
    covariance: Float64[np.ndarray, "6 6"], T: Float64[np.ndarray, "4 4"]
) -> Float64[np.ndarray, "6 6"]:
    """A covariance of (dt, w) in the axes that T leads to."""
    R = np.kron(np.eye(2), T[:3, :3])
    out: np.ndarray = R @ covariance @ R.T
    return (out + out.T) / 2
