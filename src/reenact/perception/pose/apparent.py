"""Where an outline is in the picture, so that frames of a camera on a known path can be compared.

Before a still camera a direction in one frame is the same in all. On a path, a thing at rest moves in the picture by how
far away it is: its foot is taken to stand on the floor of the room (`floor`), or on the support, which gives the distance;
its place is then looked at from the camera of another frame. A thing that is lifted is taken for one farther off, and
still moves.
"""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import WRIST
from reenact.perception.pose.evidence import ClipEvidence
from reenact.perception.pose.floor import room_floor
from reenact.perception.pose.window import normalised, to_full
from reenact.scene import MaskLabel

_LOWEST = 0.05
"""A ray must fall by this share of its length to meet a floor anywhere."""
_FARTHEST = 6.0
"""Metres along the axis beyond which a foot is taken for unknown."""


class Apparent:
    """The outline of one object, and the wrists, as each frame's camera sees or would see them."""

    def __init__(self, evidence: ClipEvidence, object_idx: int, min_area_px: int) -> None:
        self._evidence, self._object_idx, self._min_area_px = evidence, object_idx, min_area_px
        self._T_world_camera = evidence.camera.scene_T_camera()
        self._T_camera_world = np.asarray(inverse(self._T_world_camera))

    @functools.cached_property
    def comparable(self) -> bool:
        """Whether frames can be compared at all: the camera stands still, or its path and a floor are known."""
        camera = self._evidence.camera
        return camera.motion != "moving" or (camera.path_known and self._floor is not None)

    @functools.cached_property
    def seen(self) -> Bool[np.ndarray, " t"]:
        """Frames with an outline and, on a path, a place."""
        return np.isfinite(self._own).all(1)

    def outline_from(self, frame: int, rows: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n 3"]:
        """Middle (x/z, y/z) and root of the area (rad) that the outlines of other frames would have from this one's camera.

        Rows that are not `seen` are NaN.
        """
        own = self._own[rows]
        if self._evidence.camera.motion != "moving":
            return own[:, :3]
        local = np.concatenate([own[:, :2], np.ones((len(rows), 1))], 1) * own[:, 3:]
        world = apply(self._T_world_camera[rows], local[:, None])[:, 0]
        there = np.asarray(apply(self._T_camera_world[frame], world))
        z = np.maximum(there[:, 2:], _LOWEST)
        return np.concatenate([there[:, :2] / z, own[:, 2:3] * own[:, 3:] / z], 1)

    def slack(self, frame: int, rows: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """How far (rad) the outline of a thing at rest may differ between two views: another side of it is seen.

        Half of its size times the angle between the two lines of sight; 0 before a still camera.
        """
        if self._evidence.camera.motion != "moving":
            return np.zeros(len(rows))
        sight = np.concatenate([self._own[:, :2], np.ones((len(self._own), 1))], 1)
        sight = np.einsum("kij,kj->ki", self._T_world_camera[:, :3, :3], sight)
        sight = sight / np.linalg.norm(sight, axis=1, keepdims=True)
        angle = np.arccos(np.clip(sight[rows] @ sight[frame], -1, 1))
        return np.asarray(0.5 * np.maximum(self._own[rows, 2], self._own[frame, 2]) * angle)

    def wrists_from(self, frame: int, rows: Int64[np.ndarray, " n"], side: int) -> Float64[np.ndarray, "n 2"]:
        """x/z and y/z of the wrist in other frames from this one's camera."""
        hands = self._evidence.hands
        assert hands is not None
        local = np.asarray(apply(self._T_camera_world[frame], hands.joints_world[rows, side, WRIST]))
        return local[:, :2] / np.maximum(local[:, 2:], _LOWEST)

    @functools.cached_property
    def _floor(self) -> tuple[np.ndarray, float] | None:
        """Normal and offset of what things stand on."""
        evidence = self._evidence
        if evidence.room is not None:
            floor = room_floor(evidence.room, evidence.camera, evidence.hands)
            if floor is not None:
                return np.array([0.0, 0.0, 1.0]), floor.height
        support = evidence.support
        return (support.normal_world, support.offset) if support is not None and support.valid else None

    @functools.cached_property
    def _own(self) -> Float64[np.ndarray, "t 4"]:
        """Per frame: middle (x/z, y/z), root of the area (rad), distance along the axis (m, 1 where it does not matter);
        NaN where there is none."""
        evidence, code = self._evidence, MaskLabel.FIRST_OBJECT + self._object_idx
        lens, known = evidence.camera.camera(), evidence.camera.view_known
        out = np.full((len(evidence.t_seconds), 4), np.nan)
        for k in np.flatnonzero(evidence.masks.valid[:, self._object_idx]).tolist():
            label = evidence.labels(k)
            rows, columns = np.nonzero(label == code)
            if len(rows) < self._min_area_px or not known[k]:
                continue
            low = rows >= np.percentile(rows, 99)
            pixels = np.array(
                [[np.median(columns), np.median(rows)], [columns[low].mean(), rows[low].mean()]]
            )
            flat = normalised(lens, to_full(pixels, label.shape, lens))
            pixel = evidence.camera.width_px / label.shape[1] / float(evidence.camera.params[0])
            out[k] = *flat[0], np.sqrt(len(rows)) * pixel, self._distance(k, flat[1])
        return out

    def _distance(self, frame: int, foot: np.ndarray) -> float:
        """Along the axis to where the ray of a foot meets the floor; NaN where it does not."""
        if self._evidence.camera.motion != "moving":
            return 1.0
        if self._floor is None:
            return np.nan
        normal, offset = self._floor
        T = self._T_world_camera[frame]
        fall = -float(normal @ T[:3, :3] @ np.array([*foot, 1.0]))
        z = (float(normal @ T[:3, 3]) - offset) / fall if fall > _LOWEST else np.inf
        return z if 0.0 < z < _FARTHEST else np.nan
