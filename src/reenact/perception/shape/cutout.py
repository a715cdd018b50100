"""A thing that no plain solid fits, cut out of its picture: the mask's outline as a slab.

This is the visual hull of one view, closed off in depth by a guess: as thick as the outline's widest part is wide for
a tool's handle. How far it is turned away from the picture is not seen, and that is in its sigma.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Int64

from reenact.geometry.transforms import make_T
from reenact.perception.pose.contract import PoseStart, Sighting
from reenact.perception.pose.window import Window
from reenact.perception.shape.contract import ShapeEstimate
from reenact.perception.shape.hull import smoothed, surface_of
from reenact.perception.shape.problem import Fitted


@dataclass(frozen=True)
class CutoutConfig:
    """How fine, and how unsure."""

    cells: int = 36
    """Cells along the longest side."""
    across_sigma: float = 0.2
    """Relative one-sigma of the extents in the picture: a thing turned by 35 degrees looks 18 % shorter."""
    along_sigma: float = 0.6
    """The same for the extent along the line of sight, which is a guess."""


def cutout(
    frame: int,
    sighting: Sighting,
    window: Window,
    fitted: Fitted,
    scale: tuple[str, float],
    config: CutoutConfig | None = None,
) -> ShapeEstimate | None:
    """The slab; None where too little of the thing is seen.

    Args:
        window: the close-up of the mask.
        fitted: the best plain solid, whose distance is taken where nothing measures it.
        scale: where the metres come from, and their relative sigma.
    """
    config = config or CutoutConfig()
    inside = _largest(_filled(window))
    if inside.sum() < 60:
        return None
    z = _distance(sighting, fitted)
    metres_per_px = z / float(window.view.K[0, 0])
    flat, low, high, step_px = _cells(inside, config.cells)
    half_width = float(
        np.percentile(cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)[inside], 90)
    )
    layers = max(2, round(2 * half_width / step_px))
    step = step_px * metres_per_px
    middle = (low + high) / 2
    corner = np.array([*(low - middle) * metres_per_px, -layers * step / 2])
    vertices, faces = surface_of(np.repeat(flat[:, :, None], layers, axis=2), corner, step)
    vertices = smoothed(vertices, faces, 2)
    size = np.ptp(vertices, axis=0)
    source, sigma = scale
    relative = np.hypot(np.array([config.across_sigma, config.across_sigma, config.along_sigma]), sigma)
    K = window.view.K
    centre = np.array([(middle[0] - K[0, 2]) / K[0, 0], (middle[1] - K[1, 2]) / K[1, 1], 1.0]) * z
    start = PoseStart(frame, sighting.T_world_camera @ make_T(np.eye(3), centre))
    notes = {
        "frame": frame,
        "kind": "cutout",
        "layers": layers,
        "plain_iou": fitted.iou,
        "plain_kind": fitted.kind,
    }
    return ShapeEstimate(
        "visual_hull", vertices, faces, size * relative, source, 0.3 / (1 + 4 * float(relative.mean())),
        start=start, notes=notes,
    )  # fmt: skip


def _cells(
    inside: Bool[np.ndarray, "h w"], count: int
) -> tuple[Bool[np.ndarray, "u v"], Int64[np.ndarray, "2"], Int64[np.ndarray, "2"], float]:
    """The outline in cells of a grid, so many along its longer side; its box's corners, and a cell's side (pixels)."""
    rows, columns = np.nonzero(inside)
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1
    step_px = float((high - low).max()) / count
    grid = np.maximum(np.ceil((high - low) / step_px).astype(int), 2)
    u = np.clip((low[0] + (np.arange(grid[0]) + 0.5) * step_px).astype(int), 0, inside.shape[1] - 1)
    v = np.clip((low[1] + (np.arange(grid[1]) + 0.5) * step_px).astype(int), 0, inside.shape[0] - 1)
    return inside[np.ix_(v, u)].T, low, high, step_px


def _distance(sighting: Sighting, fitted: Fitted) -> float:
    """Of the slab's middle (m): measured, else the hand's, else that of the solid, which does not fit well."""
    if len(sighting.cloud) >= 30:
        return float(np.median(sighting.cloud[:, 2]))
    if len(sighting.hand):
        return float(np.median(sighting.hand[:, 2]))
    return float(fitted.T_camera_object[2, 3])


def _filled(window: Window) -> Bool[np.ndarray, "h w"]:
    """The mask and what hides it between its parts: a hand about a handle."""
    mask = window.inside.astype(np.uint8)
    if not mask.any():
        return window.inside
    points = np.argwhere(mask)[:, ::-1].astype(np.int32)
    hull = np.zeros_like(mask)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return np.asarray((mask > 0) | (window.unknown & (hull > 0) & _narrow(mask)))


def _narrow(mask: np.ndarray) -> Bool[np.ndarray, "h w"]:
    """A band along the mask's long axis, as wide as the mask is for the most part."""
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows], 1).astype(np.float64)
    middle = points.mean(0)
    _, axes = np.linalg.eigh(np.cov(points.T))
    across = (points - middle) @ axes[:, 0]
    low, high = np.percentile(across, [10, 90])
    v, u = np.mgrid[: mask.shape[0], : mask.shape[1]]
    off = (np.stack([u, v], -1) - middle) @ axes[:, 0]
    return np.asarray((off >= low) & (off <= high))


def _largest(inside: np.ndarray) -> Bool[np.ndarray, "h w"]:
    count, label, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    if count < 2:
        return np.asarray(inside)
    return np.asarray(label == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))
