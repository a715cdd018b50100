"""How far a convex solid's outline is from a mask's, in both directions: residuals for fitting shapes.

In: a close-up of the mask, points whose convex hull is the solid (camera frame). Out: distances in pixels of the mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64

from reenact.perception.pose.window import Window

REACH_PX = 40.0
"""Distances count no farther than this (window pixels)."""


@dataclass(frozen=True)
class MaskOutline:
    """A mask's edge, prepared for many comparisons."""

    window: Window
    edge: Float64[np.ndarray, "n 2"]
    """Pixels of the window on the mask's own edge, where nothing hides it."""

    @staticmethod
    def of(window: Window, count: int = 60) -> MaskOutline:
        """Evenly chosen edge pixels."""
        mask = window.inside.astype(np.uint8)
        inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
        rows, columns = np.nonzero((mask > 0) & (inner == 0) & window.edge_known)
        angle = np.arctan2(rows - rows.mean(), columns - columns.mean()) if len(rows) else np.zeros(0)
        order = np.argsort(angle)[:: max(1, len(rows) // count)]
        return MaskOutline(window, np.stack([columns[order], rows[order]], 1).astype(np.float64))

    def polygon(self, points_camera: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "m 2"]:
        """Outline of the convex solid, window pixels."""
        K, z = self.window.view.K, np.maximum(points_camera[:, 2:], 0.02)
        pixels = points_camera[:, :2] / z * [K[0, 0], K[1, 1]] + K[:2, 2]
        hull: np.ndarray = cv2.convexHull(pixels.astype(np.float32))[:, 0].astype(np.float64)
        return hull

    def residuals(
        self, points_camera: Float64[np.ndarray, "n 3"], count: int = 48
    ) -> Float64[np.ndarray, " r"]:
        """Signed distances in pixels of the mask: drawn outline to mask, then mask edge to drawn outline."""
        polygon = self.polygon(points_camera)
        scale = self.window.px_per_mask_px
        there = self._drawn_to_mask(_along(polygon, count))
        back = _to_polygon(self.edge, polygon) - 0.5 * scale  # centres of edge pixels lie half a pixel inside
        return np.clip(np.concatenate([there, back]), -REACH_PX, REACH_PX) / scale

    def _drawn_to_mask(self, points: np.ndarray) -> np.ndarray:
        field = self.window.distance_px
        h, w = field.shape
        inside = np.clip(points, 0, [w - 1.001, h - 1.001])
        u, v = inside[:, 0].astype(int), inside[:, 1].astype(int)
        a, b = inside[:, 0] - u, inside[:, 1] - v
        value = (field[v, u] * (1 - a) + field[v, u + 1 if w > 1 else u] * a) * (1 - b) + (
            field[v + 1, u] * (1 - a) + field[v + 1, u + 1] * a
        ) * b
        known = self.window.edge_known[v, u]
        return np.where(known, value + np.linalg.norm(points - inside, axis=1), 0.0)

    def iou(self, points_camera: Float64[np.ndarray, "n 3"], swell_px: float = 0.0) -> float:
        """Overlap of the solid's outline and the mask, hidden pixels left out.

        swell_px: the mask is first widened by this much (mask pixels; negative narrows it).
        """
        drawn = np.zeros(self.window.inside.shape, np.uint8)
        cv2.fillConvexPoly(drawn, np.rint(self.polygon(points_camera)).astype(np.int32), 1)
        free = ~self.window.unknown
        mask = self.window.distance_px < swell_px * self.window.px_per_mask_px
        both = ((drawn > 0) & mask & free).sum()
        either = (((drawn > 0) | mask) & free).sum()
        return float(both / max(either, 1))


def _along(polygon: np.ndarray, count: int) -> np.ndarray:
    """Points evenly along a closed polygon."""
    closed = np.concatenate([polygon, polygon[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count, endpoint=False)
    return np.stack([np.interp(at, length, closed[:, k]) for k in (0, 1)], 1)


def _to_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Signed distance of points to a convex polygon, positive inside (the drawn solid sticks out there)."""
    edge_x, edge_y = (np.roll(polygon, -1, axis=0) - polygon).T
    x, y = points[:, :1] - polygon[:, 0], points[:, 1:] - polygon[:, 1]
    u = np.clip((x * edge_x + y * edge_y) / np.maximum(edge_x**2 + edge_y**2, 1e-12), 0, 1)
    away = np.sqrt(((x - u * edge_x) ** 2 + (y - u * edge_y) ** 2).min(1))
    cross = edge_x * y - edge_y * x
    inside = (cross.min(1) >= 0) | (cross.max(1) <= 0)
    return np.where(inside, away, -away)
