"""Depth by the points of the room that the path of a moving camera was found by, drawn into each frame.

Metres of the map come from the same hands as the depth of the hands themselves: the two do not check each other. What a
wrong hand size does to one it does to the other; how the unit was told by those hands (`CameraPath.scale_sigma`) and where
the camera stood (`place_sigma`) are errors of the map alone. Among themselves the points share one scale, so their ratios
are better than their sigma.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from reenact.geometry.transforms import apply
from reenact.rendering.mesh_depth import View
from reenact.scene import CameraPath, MaskLabel


@dataclass(frozen=True)
class RoomPointsConfig:
    """How points are drawn."""

    nearest: float = 0.1
    """Points nearer than this to the camera (m) are not drawn."""
    side_px: int = 3
    """Side of the square that a point is drawn as: readers of depth want agreement in 3 x 3 pixels."""
    around_px: float = 24.0
    """Nearer points within this many pixels of the depth picture may be a surface that hides a point."""
    nearer: float = 0.12
    """They are nearer by more than this part of its depth (and twice the map's own error)."""


class RoomPoints:
    """The points, to be seen by any frame's camera."""

    def __init__(self, room: CameraPath, view: View, config: RoomPointsConfig | None = None) -> None:
        self._room, self._view, self._config = room, view, config or RoomPointsConfig()

    def draw(
        self, T_camera_world: Float64[np.ndarray, "4 4"], label: UInt8[np.ndarray, "h w"] | None
    ) -> tuple[Float32[np.ndarray, "h2 w2"], float]:
        """Metres along the axis, 0 where no point is, and their relative one-sigma.

        Points behind the camera, outside the picture, on a hand, an arm or an object of the labels, or inside a surface of
        nearer points are left out.
        """
        view = self._view
        depth = np.zeros((view.height_px, view.width_px), np.float32)
        local = np.asarray(apply(T_camera_world, self._room.points_world))
        local = local[local[:, 2] > self._config.nearest]
        at = np.rint(local @ view.K.T / local[:, 2:])[:, :2]
        local = local[(at >= 0).all(1) & (at < [view.width_px, view.height_px]).all(1)]
        pixels = (local @ view.K.T / local[:, 2:])[:, :2]
        shown = self._free(pixels, label) & ~self._hidden(pixels, local[:, 2])
        sigma = self.sigma(local[shown, 2])
        reach = self._config.side_px // 2
        for (x, y), z in sorted(
            zip(np.rint(pixels[shown]).astype(int).tolist(), local[shown, 2].tolist(), strict=True),
            key=lambda point: -point[1],
        ):
            depth[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1] = z
        return depth, sigma

    def sigma(self, z: Float64[np.ndarray, " n"]) -> float:
        """Relative, of points at such depths: the unit's, and the place of the camera that they are seen from."""
        place = self._room.place_sigma / float(np.median(z)) if len(z) else 0.0
        return float(np.hypot(self._room.scale_sigma, place))

    def _free(self, pixels: np.ndarray, label: np.ndarray | None) -> Bool[np.ndarray, " n"]:
        """Points on nothing that stands before the room."""
        if label is None:
            return np.ones(len(pixels), bool)
        shape = np.array([label.shape[1], label.shape[0]])
        at = np.rint((pixels + 0.5) * shape / [self._view.width_px, self._view.height_px] - 0.5).astype(int)
        x, y = np.clip(at, 0, shape - 1).T
        return np.asarray((label[y, x] == MaskLabel.BACKGROUND) | (label[y, x] == MaskLabel.TABLE))

    def _hidden(self, pixels: np.ndarray, z: np.ndarray) -> Bool[np.ndarray, " n"]:
        """Points with nearer ones all around them: at least three, and no gap of half a turn between them."""
        c = self._config
        margin = np.maximum(c.nearer, 2 * self._room.place_sigma / np.maximum(z, c.nearest))
        out = np.zeros(len(z), bool)
        for k in range(len(z)):
            way = pixels - pixels[k]
            apart = np.linalg.norm(way, axis=1)
            before = (apart > 0) & (apart < c.around_px) & (z < z[k] * (1 - margin[k]))
            if before.sum() >= 3:
                turn = np.sort(np.arctan2(way[before, 1], way[before, 0]))
                gaps = np.diff(np.append(turn, turn[0] + 2 * np.pi))
                out[k] = bool(gaps.max() < np.pi)
        return out
