"""Sightings from a clip's artefacts: masks, depth, followed points, hands and the support plane, brought together.

In: records and frame readers. Out: `Sighting`s of one object, made when asked for and kept for a while.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import TIPS
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Plane, Sighting
from reenact.perception.pose.evidence import ClipEvidence as ClipEvidence
from reenact.perception.pose.rest import Rest
from reenact.perception.pose.window import normalised, to_full
from reenact.scene import MaskLabel

_TOUCHING_JOINTS = (*TIPS, *(tip - 1 for tip in TIPS))
_TOUCH_REACH = 0.025
"""A finger joint whose picture is this near the object's mask (m at its depth) may hold it."""


class ClipSightings:
    """`SightingSource` of one object."""

    def __init__(self, evidence: ClipEvidence, object_idx: int, config: PoseConfig) -> None:
        self._evidence, self._object_idx, self._config = evidence, object_idx, config
        self._camera = evidence.camera.camera()
        self._T_world_camera = evidence.camera.scene_T_camera()
        self._make = functools.lru_cache(maxsize=64)(self._sighting)
        self._near = functools.lru_cache(maxsize=1024)(self._fingers)
        self._rest = Rest(evidence, object_idx, config, lambda frame: tuple(self._near(frame)))

    def __len__(self) -> int:
        return len(self._evidence.t_seconds)

    def __getitem__(self, frame: int) -> Sighting:
        return self._make(frame)

    @property
    def resting(self) -> Bool[np.ndarray, " t"]:
        """Frames in which it stands on something (see `Rest`)."""
        return self._rest.resting

    @property
    def held_and_moving(self) -> Bool[np.ndarray, " t"]:
        """Frames in which a hand has plainly moved it (see `Rest`)."""
        return self._rest.held_and_moving

    @property
    def t_seconds(self) -> Float64[np.ndarray, " t"]:
        """Times of the frames."""
        return self._evidence.t_seconds

    @property
    def object_idx(self) -> int:
        """Which object of the clip."""
        return self._object_idx

    @property
    def min_area_px(self) -> int:
        """Mask pixels below which nothing is said."""
        return self._config.min_area_px

    def fingers(self, frame: int) -> tuple[Float64[np.ndarray, "m 3"], Float64[np.ndarray, "m 3"]]:
        """Finger joints whose picture is at the object's mask (camera frame) with their sigma, of hands that move with it
        at some time."""
        near = [found for side, found in self._near(frame).items() if self._rest.holders[side]]
        if not near:
            return np.zeros((0, 3)), np.zeros((0, 3))
        return np.concatenate([points for points, _ in near]), np.concatenate([sigma for _, sigma in near])

    def _fingers(self, frame: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        evidence, code = self._evidence, MaskLabel.FIRST_OBJECT + self._object_idx
        mask = evidence.labels(frame) == code
        if not evidence.masks.valid[frame, self._object_idx] or not mask.any():
            return {}
        return self._hands_at(frame, self._T_world_camera[frame], mask)

    def _sighting(self, frame: int) -> Sighting:
        evidence, code = self._evidence, MaskLabel.FIRST_OBJECT + self._object_idx
        label, T = evidence.labels(frame), self._T_world_camera[frame]
        mask = label == code
        valid = bool(evidence.masks.valid[frame, self._object_idx]) and bool(mask.any())
        depth = evidence.depth(frame) if evidence.depth is not None else None
        cloud, cloud_sigma = self._cloud(mask, depth, frame) if valid else (np.zeros((0, 3)), np.zeros(0))
        idx, flat, points, sigma = self._tracks(frame, T, depth, mask)
        hand, hand_sigma = self.fingers(frame)
        resting = valid and bool(self.resting[frame])
        if resting:  # fingers that are only in front of it or behind it
            hand, hand_sigma = hand[:0], hand_sigma[:0]
        return Sighting(
            label=label, code=int(code), mask_valid=valid, T_world_camera=T,
            t_seconds=float(evidence.t_seconds[frame]), cloud=cloud, cloud_sigma=cloud_sigma, track_idx=idx,
            track_flat=flat, track_points=points, track_sigma=sigma, hand=hand, hand_sigma=hand_sigma,
            plane=self._plane(T), resting=resting,
        )  # fmt: skip

    def _cloud(
        self, mask: np.ndarray, depth: tuple[np.ndarray, float] | None, frame: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Depth inside the mask, its edge left out, as camera points; a seeded choice of them."""
        if depth is None:
            return np.zeros((0, 3)), np.zeros(0)
        metres, sigma_relative = depth
        rows, columns = np.nonzero(_inner(mask, metres.shape) & (metres > 0))
        if len(rows) > self._config.cloud_points:
            pick = np.random.default_rng([self._config.seed, frame]).permutation(len(rows))
            pick = np.sort(pick[: self._config.cloud_points])
            rows, columns = rows[pick], columns[pick]
        z = metres[rows, columns].astype(np.float64)
        pixels = to_full(np.stack([columns, rows], 1).astype(np.float64), metres.shape, self._camera)
        flat = normalised(self._camera, pixels)
        sigma = np.maximum(sigma_relative * z, self._config.depth_sigma_floor)
        return np.concatenate([flat, np.ones((len(z), 1))], 1) * z[:, None], sigma

    def _tracks(
        self, frame: int, T_world_camera: np.ndarray, depth: tuple[np.ndarray, float] | None, mask: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Followed points of this object: index, x/z y/z, camera point, sigma of its depth (0 = none)."""
        tracks = self._evidence.points
        if tracks is None:
            return np.zeros(0, np.int64), np.zeros((0, 2)), np.zeros((0, 3)), np.zeros(0)
        idx = np.flatnonzero(tracks.valid[frame] & (tracks.object_idx == self._object_idx)).astype(np.int64)
        pixels = tracks.points_px[frame, idx]
        flat = normalised(self._camera, pixels)
        z, sigma = np.ones(len(idx)), np.zeros(len(idx))
        lifted = tracks.valid_world[frame, idx]
        if lifted.any():
            local = np.asarray(apply(inverse(T_world_camera), tracks.points_world[frame, idx]))
            z, sigma = (
                np.where(lifted, local[:, 2], z),
                np.where(lifted, tracks.sigma_world[frame, idx], sigma),
            )
        elif depth is not None and len(idx):
            z, sigma = self._depth_at(depth, pixels, mask)
        return idx, flat, np.concatenate([flat, np.ones((len(z), 1))], 1) * z[:, None], sigma

    def _depth_at(
        self, depth: tuple[np.ndarray, float], pixels: np.ndarray, mask: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Depth at pixels of the full frame, where it lies well inside the mask."""
        metres, sigma_relative = depth
        size = np.array([self._camera.width_px, self._camera.height_px])
        at = np.rint((pixels + 0.5) * np.array(metres.shape[::-1]) / size - 0.5).astype(int)
        ok = ((at >= 0) & (at < metres.shape[::-1])).all(1)
        u, v = np.where(ok[:, None], at, 0).T
        z = metres[v, u].astype(np.float64)
        ok &= (z > 0) & _inner(mask, metres.shape)[v, u]
        sigma = np.where(ok, np.maximum(sigma_relative * z, self._config.depth_sigma_floor), 0.0)
        return np.where(ok, z, 1.0), sigma

    def _hands_at(
        self, frame: int, T_world_camera: np.ndarray, mask: np.ndarray
    ) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Per side that has some: finger joints whose picture is at the object's mask (camera frame) and their sigma."""
        hands = self._evidence.hands
        if hands is None or not hands.valid[frame].any():
            return {}
        far = cv2.distanceTransform(1 - mask.astype(np.uint8), cv2.DIST_L2, 5)
        scale = np.array([mask.shape[1] / self._camera.width_px, mask.shape[0] / self._camera.height_px])
        out = {}
        for side in np.flatnonzero(hands.valid[frame]):
            joints = np.asarray(apply(inverse(T_world_camera), hands.joints_world[frame, side]))
            held = joints[list(_TOUCHING_JOINTS)]
            held = held[held[:, 2] > 0.05]
            at = np.rint((np.asarray(self._camera.project(held)) + 0.5) * scale - 0.5).astype(int)
            ok = ((at >= 0) & (at < mask.shape[::-1])).all(1)
            u, v = np.where(ok[:, None], at, 0).T
            reach = _TOUCH_REACH * float(self._camera.params[0]) * scale[0] / held[:, 2]
            near = ok & (far[v, u] < reach)
            if near.sum() >= 2:
                sigma = np.maximum(hands.sigma_camera[frame, side], 0.004)
                out[int(side)] = held[near], np.tile(sigma, (int(near.sum()), 1))
        return out

    def _plane(self, T_world_camera: np.ndarray) -> Plane | None:
        support = self._evidence.support
        if support is None or not support.valid:
            return None
        R, t = T_world_camera[:3, :3], T_world_camera[:3, 3]
        offset = support.offset - float(support.normal_world @ t)
        return Plane(R.T @ support.normal_world, offset, support.sigma_offset, support.sigma_normal)


def _inner(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The mask without its edge, in a picture of that shape."""
    image: np.ndarray = mask.astype(np.uint8)
    if image.shape != tuple(shape):
        image = cv2.resize(image, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    eroded = cv2.erode(image, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(eroded > 0) if eroded.any() else np.asarray(image > 0)
