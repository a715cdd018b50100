"""When an object stands and when a hand moves it, told by its mask and the hands at it alone (no metres needed)."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import WRIST
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.evidence import ClipEvidence
from reenact.scene import MaskLabel


class Rest:
    """Of one object, for all frames of a clip."""

    def __init__(
        self,
        evidence: ClipEvidence,
        object_idx: int,
        config: PoseConfig,
        sides: Callable[[int], tuple[int, ...]],
    ) -> None:
        """sides: which hands have fingers at the object's mask in a frame."""
        self._evidence, self._object_idx, self._config, self._sides = evidence, object_idx, config, sides
        self._T_world_camera = evidence.camera.scene_T_camera()

    @functools.cached_property
    def still(self) -> Bool[np.ndarray, " t"]:
        """Frames in whose surroundings the mask neither moves nor grows; all where the camera itself moves."""
        if self._evidence.camera.motion == "moving":
            return np.ones(len(self._evidence.t_seconds), bool)
        return _still(self._where, self._evidence.t_seconds, self._config.still_reach, self._config.still_s)

    @functools.cached_property
    def unmoved(self) -> Bool[np.ndarray, " t"]:
        """Frames in which a still camera sees the mask where it was first seen still."""
        first = np.flatnonzero(self.still)
        if len(first) == 0 or self._evidence.camera.motion == "moving":
            return np.zeros(len(self._evidence.t_seconds), bool)
        away = np.abs(self._where - self._where[first[0]]).max(1)
        return np.nan_to_num(away, nan=1.0) < self._config.still_reach

    @functools.cached_property
    def resting(self) -> Bool[np.ndarray, " t"]:
        """Frames in which it stands on something: still with no hand at it, or unmoved from where it was seen so.

        A thing that a hand holds still from the first frame on is never taken for one that stands.
        """
        return self._alone | (self.unmoved & bool((self._alone & self.unmoved).any()))

    @functools.cached_property
    def holders(self) -> Bool[np.ndarray, " 2"]:
        """Which hands move with it: a hand that lies still while the thing moves is only in line with it."""
        moving = np.isfinite(self._where).all(1) & ~self.still
        if self._evidence.camera.motion == "moving":
            return np.ones(2, bool)
        if not moving.any():
            return np.zeros(2, bool)
        near, with_it = self._at[moving].sum(0), (self._at & self._goes)[moving].sum(0)
        return np.asarray((with_it >= 2) & (with_it > 0.5 * near))

    @functools.cached_property
    def held_and_moving(self) -> Bool[np.ndarray, " t"]:
        """Frames in which a hand is at it and it is plainly no longer where it last was alone: a hand that only covers it
        shifts the middle of what is seen by less than this."""
        alone = np.flatnonzero(self._alone)
        out = np.zeros(len(self._where), bool)
        if len(alone) == 0 or self._evidence.camera.motion == "moving":
            return out
        for k in np.flatnonzero(np.isfinite(self._where).all(1) & (self._at & self.holders).any(1)):
            last = self._where[alone[np.argmin(np.abs(alone - k))]]
            out[k] = np.abs(self._where[k] - last)[:2].max() > max(
                3 * self._config.still_reach, 0.4 * last[2]
            )
        return out

    @functools.cached_property
    def _alone(self) -> Bool[np.ndarray, " t"]:
        """Frames in which it is seen, is still, and no hand that could hold it is at it; one that moves on holds nothing
        that is still."""
        held = (self._at & self.holders & ~self._goes).any(1)
        return np.isfinite(self._where).all(1) & self.still & ~held

    @functools.cached_property
    def _at(self) -> Bool[np.ndarray, "t 2"]:
        """Frames in which the fingers or the outline of each hand are at the mask."""
        evidence, code = self._evidence, MaskLabel.FIRST_OBJECT + self._object_idx
        out = np.zeros((len(self._where), 2), bool)
        for k in np.flatnonzero(np.isfinite(self._where).all(1)):
            label = evidence.labels(int(k))
            around = cv2.dilate((label == code).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            for side, hand in enumerate((MaskLabel.HAND_LEFT, MaskLabel.HAND_RIGHT)):
                out[k, side] = bool((around & (label == hand)).any()) or side in self._sides(int(k))
        return out

    @functools.cached_property
    def _goes(self) -> Bool[np.ndarray, "t 2"]:
        """Frames in whose surroundings each wrist moves in the picture."""
        hands, t = self._evidence.hands, self._evidence.t_seconds
        out = np.zeros((len(t), 2), bool)
        if hands is None or self._evidence.camera.motion == "moving":
            return out
        local = np.asarray(apply(inverse(self._T_world_camera), hands.joints_world[:, :, WRIST]))
        flat = local[..., :2] / np.maximum(local[..., 2:], 0.05)
        for k, side in np.argwhere(hands.valid):
            near = (np.abs(t - t[k]) <= self._config.still_s / 2) & hands.valid[:, side]
            out[k, side] = np.ptp(flat[near, side], axis=0).max() > 3 * self._config.still_reach
        return out

    @functools.cached_property
    def _where(self) -> Float64[np.ndarray, "t 3"]:
        """Middle and root of the area of the mask (rad), NaN where it is not seen."""
        evidence, code = self._evidence, MaskLabel.FIRST_OBJECT + self._object_idx
        t = evidence.t_seconds
        where = np.full((len(t), 3), np.nan)
        for k in range(len(t)):
            if not evidence.masks.valid[k, self._object_idx]:
                continue
            label = evidence.labels(k)
            rows, columns = np.nonzero(label == code)
            if len(rows) < self._config.min_area_px:
                continue
            where[k] = np.median(columns), np.median(rows), np.sqrt(len(rows))
            where[k] /= (
                label.shape[1] / self._evidence.camera.width_px * float(self._evidence.camera.params[0])
            )
        return where


def _still(
    where: Float64[np.ndarray, "t 3"], t_seconds: Float64[np.ndarray, " t"], reach: float, window_s: float
) -> Bool[np.ndarray, " t"]:
    """Rows that differ from no known row within the window by more than `reach`."""
    out = np.zeros(len(where), bool)
    known = np.isfinite(where).all(1)
    for k in np.flatnonzero(known):
        near = known & (np.abs(t_seconds - t_seconds[k]) <= window_s / 2)
        out[k] = bool((np.ptp(where[near], axis=0) < reach).all())
    return out
