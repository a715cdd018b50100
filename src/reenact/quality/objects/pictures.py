"""What a pose would look like: visible-surface agreement (VSD) and failure rate, by projected surface points (B.6).

What stands before the object hides it, as Hodan et al. define visibility (On evaluation of 6D object pose estimation,
2016; BOP, 2018): the true surface is visible where nothing is nearer by more than 15 mm, the estimated one likewise, or
where the true one is. Depth is compared where both are there and the true one is visible (DexMan's mask M).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.geometry.cameras import FisheyeCamera, PinholeCamera
from reenact.geometry.transforms import apply, inverse

VSD_TOLERANCE = 0.02
"""Depths that differ by less agree (m)."""
VSD_RANGE = (0.1, 0.5)
"""Thresholds on the share of agreeing pixels."""
VISIBLE_WITHIN = 0.015
"""A surface is visible where nothing is nearer by more than this (m; BOP's delta)."""
LEAST_VISIBLE = 0.1
"""Frames that show a smaller share of the object's silhouette are not counted (as in BOP)."""
FAILED_BELOW = 0.1
"""Overlap of silhouettes below which a frame has failed."""


def surface_points(
    vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"], count: int, seed: int = 0
) -> Float64[np.ndarray, "n 3"]:
    """Points evenly spread over a mesh's area."""
    rng = np.random.default_rng(seed)
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    face = np.searchsorted(np.cumsum(area) / area.sum(), (np.arange(count) + rng.uniform(size=count)) / count)
    face = np.minimum(face, len(faces) - 1)
    u, v = rng.uniform(size=(2, count))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    a, b, c = np.moveaxis(corners[face], 1, 0)
    return np.asarray(a + u[:, None] * (b - a) + v[:, None] * (c - a))


@dataclass(frozen=True)
class PictureScores:
    """Per frame, of one object."""

    agreement: Float64[np.ndarray, " t"]
    """Share of the visible true pixels whose depth agrees."""
    overlap: Float64[np.ndarray, " t"]
    """Intersection over union of the silhouettes."""
    shown: Bool[np.ndarray, " t"]
    """Whether the true object is seen, a tenth of it at least; other frames are not counted."""

    def vsd_auc(self) -> float:
        """Area under the share of frames over thresholds 0.1..0.5, in 0..1."""
        low, high = VSD_RANGE
        score = np.clip((self.agreement[self.shown] - low) / (high - low), 0.0, 1.0)
        return float(score.mean()) if self.shown.any() else float("nan")

    def failure_rate(self) -> float:
        """Share of frames whose silhouettes overlap by less than a tenth, or that have no pose."""
        return float((self.overlap[self.shown] < FAILED_BELOW).mean()) if self.shown.any() else float("nan")


def score_pictures(
    T: Float64[np.ndarray, "t 4 4"],
    T_true: Float64[np.ndarray, "t 4 4"],
    valid: Bool[np.ndarray, " t"],
    points: Float64[np.ndarray, "n 3"],
    camera: PinholeCamera | FisheyeCamera,
    T_world_camera: Float64[np.ndarray, "t 4 4"],
    occluders: Sequence[Float64[np.ndarray, "_ 3"]] | None = None,
) -> PictureScores:
    """Both scores of every frame; `camera` may be a small version of the clip's (points must cover its pixels).

    occluders: per frame, points of what may stand before the object (see `occluders`), world.
    """
    t = len(T)
    agreement, overlap, shown = np.zeros(t), np.zeros(t), np.zeros(t, bool)
    view = inverse(T_world_camera)
    for i in range(t):
        depth_true = _splat(apply(view[i] @ T_true[i], points), camera)
        before = _before(apply(view[i], occluders[i]), camera) if occluders is not None else None
        whole = _grown(depth_true > 0)
        mask = whole & ~_hidden(depth_true, before)
        shown[i] = bool(mask.any()) and mask.sum() >= LEAST_VISIBLE * whole.sum()
        if not (valid[i] and shown[i]):
            continue
        depth = _splat(apply(view[i] @ T[i], points), camera)
        both = (depth > 0) & (depth_true > 0) & mask
        agreement[i] = float((np.abs(depth - depth_true)[both] < VSD_TOLERANCE).mean()) if both.any() else 0.0
        silhouette = _grown(depth > 0) & (mask | ~_hidden(depth, before))
        overlap[i] = (silhouette & mask).sum() / max((silhouette | mask).sum(), 1)
    return PictureScores(agreement, overlap, shown)


def _before(points_camera: np.ndarray, camera: PinholeCamera | FisheyeCamera) -> np.ndarray:
    """Depth of the occluders with the holes between points closed; infinite where there are none."""
    depth = _splat(points_camera, camera)
    return _nearest_around(np.where(depth > 0, depth, np.inf))


def _hidden(depth: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Where an occluder is nearer than the object, whose own holes are closed likewise."""
    if before is None:
        return np.zeros(depth.shape, bool)
    surface = _nearest_around(np.where(depth > 0, depth, np.inf))
    return np.asarray(before < surface - VISIBLE_WITHIN) & np.isfinite(surface)


def _nearest_around(depth: np.ndarray) -> np.ndarray:
    """Least of a pixel and its four neighbours."""
    out = depth.copy()
    np.minimum(out[1:], depth[:-1], out=out[1:])
    np.minimum(out[:-1], depth[1:], out=out[:-1])
    np.minimum(out[:, 1:], depth[:, :-1], out=out[:, 1:])
    np.minimum(out[:, :-1], depth[:, 1:], out=out[:, :-1])
    return out


def _splat(points_camera: np.ndarray, camera: PinholeCamera | FisheyeCamera) -> np.ndarray:
    """Depth of the nearest projected point per pixel, 0 where there is none."""
    points = points_camera[points_camera[:, 2] > 0.01]
    pixel = np.rint(camera.project(points)).astype(np.int64)
    inside = (pixel >= 0).all(axis=1) & (pixel < [camera.width_px, camera.height_px]).all(axis=1)
    depth = np.full(camera.width_px * camera.height_px, np.inf)
    np.minimum.at(depth, pixel[inside, 1] * camera.width_px + pixel[inside, 0], points[inside, 2])
    depth[np.isinf(depth)] = 0.0
    return depth.reshape(camera.height_px, camera.width_px)


def _grown(mask: np.ndarray) -> np.ndarray:
    """Dilated by a cross of one pixel."""
    out = mask.copy()
    out[1:] |= mask[:-1]
    out[:-1] |= mask[1:]
    out[:, 1:] |= mask[:, :-1]
    out[:, :-1] |= mask[:, 1:]
    return out
