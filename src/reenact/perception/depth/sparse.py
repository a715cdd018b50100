"""The CPU default without a depth camera or net: depth only where the hands, the support plane, or the points of a room
that a moving camera went through give it.

The skin of the reconstructed hands is drawn; its pixels have the hand's depth. Where the labels say table, the plane gives
the depth; a point of the room gives it where nothing stands before it (see `room`: its metres come from the same hands).
A frame is as unsure as the worst of what is drawn in it. All other pixels are unknown; nothing is made up for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from reenact.geometry.transforms import apply, inverse
from reenact.hands.mesh import HandMesh
from reenact.hands.posed import skin_of_joints
from reenact.perception.depth.contract import DepthImage, DepthMismatch
from reenact.perception.depth.room import RoomPoints, RoomPointsConfig
from reenact.rendering.mesh_depth import MeshDepthRenderer, View
from reenact.scene import CameraPath, CameraTrack, HandTracks, MaskLabel, Source, SupportPlane


@dataclass(frozen=True)
class SparseDepthConfig:
    """Size of the pictures."""

    width_px: int = 320
    """Of the depth picture; its height follows from the clip's shape."""
    min_sigma_relative: float = 0.01
    """Floor of the relative one-sigma."""
    room: RoomPointsConfig = field(default_factory=RoomPointsConfig)
    """Points of the room."""


class SparseDepth:
    """Hands and plane as depth pictures; use as a context manager (it draws)."""

    name = "sparse"
    licence = "none"
    kind = "depth_metric"

    def __init__(
        self,
        camera: CameraTrack,
        hands: HandTracks,
        support: SupportPlane | None = None,
        labels: Callable[[int], UInt8[np.ndarray, "h w"]] | None = None,
        config: SparseDepthConfig | None = None,
        room: CameraPath | None = None,
    ) -> None:
        """labels: what each frame's pixels are; without them points of the room are hidden by drawn hands only.

        Raises:
            DepthMismatch: a fisheye lens (not drawn yet).
        """
        if camera.model != "pinhole":
            raise DepthMismatch(
                "hands are drawn through pinhole lenses only", hint=f"the clip's is {camera.model}"
            )
        self.config = config or SparseDepthConfig()
        width = min(self.config.width_px, camera.width_px)
        height = max(round(camera.height_px * width / camera.width_px), 1)
        self.view = View.of(camera.params, camera.width_px, camera.height_px).resized(width, height)
        self._camera, self._hands, self._support, self._labels = camera, hands, support, labels
        self._room = room
        self._points = None if room is None else RoomPoints(room, self.view, self.config.room)
        self._T_camera_world = np.asarray(inverse(camera.scene_T_camera()))
        meshes = [(HandMesh.load(side).vertices_rest, HandMesh.load(side).faces) for side in (0, 1)]
        self._renderer = MeshDepthRenderer(self.view, meshes)

    @property
    def scale_source(self) -> str:
        """The metres are those of the hand's size."""
        return "hand"

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """What the pictures hold."""
        return {
            "hands": int(self._hands.valid.sum()),
            "plane": bool(self._support and self._support.valid),
            "room_points": 0 if self._room is None else len(self._room.points_world),
        }

    def frame(self, frame: int) -> DepthImage | None:
        """See the contract; None where no hand is known and neither plane nor room is seen."""
        valid = self._hands.valid[frame]
        depth = np.zeros((self.view.height_px, self.view.width_px), np.float32)
        sigma = self.config.min_sigma_relative
        T = self._T_camera_world[frame]
        if valid.any():
            sigma = max(sigma, self._sigma(frame, T))
            depth = self._draw(frame, T)
        plane = self._plane(frame, T)
        values = np.where(depth > 0, depth, plane).astype(np.float32)
        if self._points is not None and self._camera.valid[frame]:
            points, sigma_points = self._points.draw(T, self._labels(frame) if self._labels else None)
            points = np.where((values > 0) & (values < points), 0, points)
            if (points > 0).any():
                values, sigma = np.where(points > 0, points, values), max(sigma, sigma_points)
        if not (values > 0).any():
            return None
        confidence = float(self._hands.confidence[frame][valid].mean()) if valid.any() else 0.3
        return DepthImage(values, sigma, confidence, Source.OBSERVED)

    def _sigma(self, frame: int, T: np.ndarray) -> float:
        """Relative, of the worse hand."""
        valid = self._hands.valid[frame]
        z = np.asarray(apply(T, self._hands.joints_world[frame, valid].mean(1)))[:, 2]
        return float((self._hands.sigma_camera[frame, valid, 2] / np.maximum(z, 0.05)).max())

    def _draw(self, frame: int, T: np.ndarray) -> Float32[np.ndarray, "h w"]:
        valid = self._hands.valid[frame]
        for side in np.flatnonzero(valid):
            joints = np.asarray(apply(T, self._hands.joints_world[frame, side]))
            length = float(self._hands.hand_length[side])
            self._renderer.reshape(int(side), skin_of_joints(joints, int(side), length))
        return self._renderer.render(np.tile(np.eye(4), (2, 1, 1)), valid).depth

    def _plane(self, frame: int, T: np.ndarray) -> np.ndarray:
        """Depth of the plane where the labels say table, else 0."""
        empty = np.zeros((self.view.height_px, self.view.width_px))
        if self._support is None or not self._support.valid or self._labels is None:
            return empty
        label = self._labels(frame)
        v, u = np.mgrid[: self.view.height_px, : self.view.width_px]
        rows = ((v + 0.5) * label.shape[0] / self.view.height_px).astype(int)
        columns = ((u + 0.5) * label.shape[1] / self.view.width_px).astype(int)
        table = label[rows, columns] == MaskLabel.TABLE
        if not table.any():
            return empty
        K = self.view.K
        rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones(u.shape)], -1)
        normal = T[:3, :3] @ self._support.normal_world
        offset = self._support.offset + float(normal @ T[:3, 3])
        along = rays @ normal
        z = np.where(np.abs(along) > 1e-3, offset / np.where(np.abs(along) > 1e-3, along, 1.0), 0.0)
        return np.where(table & (z > 0.05) & (z < 15), z, 0.0)

    def close(self) -> None:
        """Frees the GL context."""
        self._renderer.close()

    def __enter__(self) -> SparseDepth:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
