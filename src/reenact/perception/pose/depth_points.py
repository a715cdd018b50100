"""Measured depth against a drawn object: which point of the surface each depth point measures, and how well they agree."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contact_terms import SurfacePart
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.fit import NO_MEETING, DepthFit
from reenact.perception.pose.terms import SurfacePairs
from reenact.perception.pose.window import Window
from reenact.rendering.mesh_depth import MeshPicture

_LEAST_SCATTER = 0.25
"""Depth's own noise is taken from its scatter, but not for less than this share of what it says (as in `ShapeFitConfig`)."""


def drawn_at(
    sighting: Sighting, picture: MeshPicture, window: Window
) -> tuple[Bool[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Which depth points meet the drawn object, and its depth there."""
    p, K = sighting.cloud, window.view.K
    uv = np.rint(p[:, :2] / p[:, 2:] * [K[0, 0], K[1, 1]] + K[:2, 2]).astype(int)
    h, w = picture.depth.shape
    ok = ((uv >= 0) & (uv < [w, h])).all(1)
    u, v = np.where(ok[:, None], uv, 0).T
    drawn = picture.depth[v, u].astype(np.float64)
    return ok & (drawn > 0), drawn


def depth_fit(
    sighting: Sighting, picture: MeshPicture, window: Window, config: PoseConfig
) -> DepthFit | None:
    """None where no depth is measured."""
    if len(sighting.cloud) < 10:
        return None
    met, drawn = drawn_at(sighting, picture, window)
    p = sighting.cloud[met]
    if len(p) < 10:
        return NO_MEETING
    error = np.abs(drawn[met] - p[:, 2])
    sigma = np.maximum(sighting.cloud_sigma[0] / sighting.cloud[0, 2] * p[:, 2], config.depth_sigma_floor)
    return DepthFit(float(np.median(error)), float((error < 2 * sigma + 0.005).mean()))


def surface_pairs(
    sighting: Sighting,
    T_camera_object: Float[np.ndarray, "4 4"],
    picture: MeshPicture,
    window: Window,
    seen: SurfacePart,
    config: PoseConfig,
) -> SurfacePairs:
    """Which point of the surface each depth point measures: the one drawn on its ray, for depth errs along the ray;
    beside the drawn object the nearest one of what is seen of it."""
    if len(sighting.cloud) < 5 or len(seen.points) < 20:
        return SurfacePairs.none()
    p, R = sighting.cloud, T_camera_object[:3, :3]
    met, drawn = drawn_at(sighting, picture, window)
    stated = float(np.median(sighting.cloud_sigma / p[:, 2]))
    own, common = parted_sigma(stated, drawn[met] / p[met, 2] - 1)
    sigma = np.maximum(own * p[:, 2], config.depth_sigma_floor)
    on_ray = p * (np.where(met, drawn, p[:, 2]) / p[:, 2])[:, None]
    local = (on_ray - T_camera_object[:3, 3]) @ R
    distance, idx = seen.tree.query(local)
    reach = np.maximum(config.surface_reach, 3 * sighting.cloud_sigma)
    ok = np.where(met, np.abs(drawn - p[:, 2]) < reach, distance < config.surface_reach)
    places = np.where(met[:, None], local, seen.points[idx])
    return SurfacePairs(p[ok], sigma[ok], common, places[ok], seen.normals[idx[ok]])


def parted_sigma(stated: float, off: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """(each point's own sigma, the one that all of a frame share) of depth whose stated sigma is both together, relative:
    points that scatter less about the surface (`off`, relative) than depth says of itself may all be too near or too far."""
    own = stated
    if len(off) >= 20:
        scatter = 1.4826 * float(np.median(np.abs(off - np.median(off))))
        own = float(np.clip(scatter, _LEAST_SCATTER * stated, stated))
    return own, float(np.sqrt(max(stated**2 - own**2, 0.0)))
