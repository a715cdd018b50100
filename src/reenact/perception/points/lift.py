"""From pixels to metres: a depth picture, the depth of the hand that holds the thing, or the table it stands on.

Each lifted point says how unsure its place along the ray is. Nothing is assumed rigid, so the result serves things
that bend as well (the object state of the point-track seed, 3.3).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Float64

from reenact.geometry.transforms import apply, inverse
from reenact.scene import CameraTrack, HandTracks, PointTracks, SupportPlane

DepthReader: TypeAlias = Callable[[int], tuple[Float32[np.ndarray, "h w"], float] | None]
"""frame -> (metres along the optical axis with 0 for unknown, relative one-sigma), or None where there is none."""


@dataclass(frozen=True)
class LiftConfig:
    """When a depth is believed, and how far."""

    max_spread: float = 0.04
    """Relative spread of the depths around a pixel (3 x 3) above which it lies on an edge and is not lifted."""
    near_hand: float = 0.6
    """A hand lends its depth to points within this many palm lengths of one of its joints in the picture."""
    object_depth: float = 0.03
    """One-sigma of how much nearer or farther than the hand's joints a held surface is (m): half a cup."""
    support_height: float = 0.04
    """One-sigma of how high above the table a point of a standing object is (m)."""


def lift_points(
    tracks: PointTracks,
    camera: CameraTrack,
    *,
    depth: DepthReader | None = None,
    hands: HandTracks | None = None,
    support: SupportPlane | None = None,
    config: LiftConfig | None = None,
) -> PointTracks:
    """The tracks with `points_world` where depth, else a hand, else the support plane gives the distance.

    Only points with a valid pixel are lifted; only those on objects by a hand; by the support plane, points of the
    background and of objects that no hand is near. `depth_source` names the source of most lifted points.
    """
    config = config or LiftConfig()
    count, points = tracks.valid.shape
    lifter = _Lifter(tracks, camera, config)
    if depth is not None:
        for frame in range(count):
            lifter.by_depth(frame, depth(frame))
    near = np.zeros((count, points), bool)
    if hands is not None:
        for frame in range(count):
            near[frame] = lifter.by_hands(frame, hands)
    if support is not None and support.valid:
        for frame in range(count):
            lifter.by_support(frame, support, near[frame])
    return lifter.result()


class _Lifter:
    def __init__(self, tracks: PointTracks, camera: CameraTrack, config: LiftConfig) -> None:
        self._tracks, self._camera_track, self._config = tracks, camera, config
        self._camera = camera.camera()
        shape = tracks.valid.shape
        self._world, self._sigma = np.zeros((*shape, 3)), np.zeros(shape)
        self._valid = np.zeros(shape, bool)
        self._counts = {"depth_metric": 0, "hand": 0, "support": 0}

    def by_depth(self, frame: int, given: tuple[np.ndarray, float] | None) -> None:
        """Depth at the pixel: the median of the known ones of 3 x 3, if they agree."""
        if given is None:
            return
        picture, relative = given
        todo = self._todo(frame)
        scale = np.array(
            [picture.shape[1] / self._camera.width_px, picture.shape[0] / self._camera.height_px]
        )
        small = (self._tracks.points_px[frame, todo] + 0.5) * scale - 0.5
        z, spread = _sampled(picture, small)
        good = (z > 0) & (spread < self._config.max_spread * np.maximum(z, 1e-6))
        sigma = np.hypot(relative * z, spread)
        self._put(frame, todo[good], z[good], sigma[good], "depth_metric")

    def by_hands(self, frame: int, hands: HandTracks) -> Bool[np.ndarray, " p"]:
        """Points of objects take the depth of the hand joints near them; returns which points a hand is near."""
        near = np.zeros(len(self._tracks.object_idx), bool)
        T_camera_world = inverse(self._camera_track.T_world_camera[frame])
        todo = self._todo(frame)
        todo = todo[self._tracks.object_idx[todo] >= 0]
        for side in (0, 1):
            if not hands.valid[frame, side] or not self._camera_track.valid[frame] or len(todo) == 0:
                continue
            joints = apply(T_camera_world, hands.joints_world[frame, side])
            if (joints[:, 2] <= 0.05).any():
                continue
            pixels = self._camera.project(joints)
            palm = max(float(np.linalg.norm(pixels[9] - pixels[0])), 1.0)
            gap = np.linalg.norm(self._tracks.points_px[frame, todo][:, None] - pixels[None], axis=-1)
            close = gap.min(axis=1) < self._config.near_hand * palm
            weight = 1.0 / (gap + 0.1 * palm) ** 2
            z = (weight * joints[:, 2]).sum(axis=1) / weight.sum(axis=1)
            away = gap.min(axis=1) / palm * 0.1
            sigma = np.sqrt(hands.sigma_camera[frame, side, 2] ** 2 + self._config.object_depth**2 + away**2)
            fresh = close & ~near[todo]
            self._put(frame, todo[fresh], z[fresh], sigma[fresh], "hand")
            near[todo[close]] = True
        return near

    def by_support(self, frame: int, support: SupportPlane, near_hand: Bool[np.ndarray, " p"]) -> None:
        """Where the ray meets the plane; unsure by the height of the thing over the cosine of the view."""
        todo = self._todo(frame)
        todo = todo[~near_hand[todo]]
        if len(todo) == 0:
            return
        T = self._camera_track.T_world_camera[frame]
        rays = self._camera.unproject(self._tracks.points_px[frame, todo]) @ T[:3, :3].T
        toward = rays @ support.normal_world
        height = float(T[:3, 3] @ support.normal_world) - support.offset
        hits = (toward < -0.05) & (height > 0)
        distance = np.where(hits, -height / np.where(hits, toward, -1.0), 1.0)
        up = np.where(self._tracks.object_idx[todo] >= 0, self._config.support_height, 0.0)
        tilt = support.sigma_normal * distance
        sigma = np.sqrt(support.sigma_offset**2 + up**2 + tilt**2) / np.maximum(-toward, 0.05)
        self._world[frame, todo[hits]] = T[:3, 3] + distance[hits, None] * rays[hits]
        self._mark(frame, todo[hits], sigma[hits], "support")

    def _todo(self, frame: int) -> np.ndarray:
        if not self._camera_track.valid[frame]:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self._tracks.valid[frame] & ~self._valid[frame])

    def _put(self, frame: int, which: np.ndarray, z: np.ndarray, sigma: np.ndarray, source: str) -> None:
        if len(which) == 0:
            return
        rays = self._camera.unproject(self._tracks.points_px[frame, which])
        ahead = rays[:, 2] > 0.05
        which, z, sigma, rays = which[ahead], z[ahead], sigma[ahead], rays[ahead]
        along = rays / rays[:, 2:]
        self._world[frame, which] = apply(self._camera_track.T_world_camera[frame], along * z[:, None])
        self._mark(frame, which, sigma * np.linalg.norm(along, axis=-1), source)

    def _mark(self, frame: int, which: np.ndarray, sigma: np.ndarray, source: str) -> None:
        self._sigma[frame, which], self._valid[frame, which] = sigma, True
        self._counts[source] += len(which)

    def result(self) -> PointTracks:
        """The lifted record."""
        most = max(self._counts, key=lambda name: self._counts[name])
        return dataclasses.replace(
            self._tracks,
            points_world=self._world,
            valid_world=self._valid,
            sigma_world=self._sigma,
            depth_source=most if self._counts[most] else "none",
        )


def _sampled(
    picture: Float32[np.ndarray, "h w"], pixels: Float64[np.ndarray, "n 2"]
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Median and half range of the known depths in 3 x 3 around each pixel; 0 where fewer than five are known."""
    height, width = picture.shape
    column = np.clip(np.rint(pixels[:, 0]).astype(int), 0, width - 1)
    row = np.clip(np.rint(pixels[:, 1]).astype(int), 0, height - 1)
    offsets = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    values = np.stack(
        [
            picture[np.clip(row + dy, 0, height - 1), np.clip(column + dx, 0, width - 1)].astype(np.float64)
            for dy, dx in offsets
        ]
    )
    known = np.where(values > 0, values, np.nan)
    enough = (values > 0).sum(axis=0) >= 5
    safe = np.where(enough, known, 1.0)
    median = np.nanmedian(safe, axis=0)
    spread = 0.5 * (np.nanmax(safe, axis=0) - np.nanmin(safe, axis=0))
    return np.where(enough, median, 0.0), np.where(enough, spread, 0.0)
