"""When an object stands and when a hand moves it, told by its mask and the hands at it.

Before a still camera no metres are needed; on a known path outlines are compared as seen from one frame (`apparent`).
Before a moving camera whose path is not known nothing is told: all frames count as still, none as moved.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool

from reenact.perception.pose.apparent import Apparent
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
        self._apparent = Apparent(evidence, object_idx, config.min_area_px)
        self._seen, self._comparable = self._apparent.seen, self._apparent.comparable

    @functools.cached_property
    def still(self) -> Bool[np.ndarray, " t"]:
        """Frames in whose surroundings the mask neither moves nor grows; all where nobody can tell."""
        t, c = self._evidence.t_seconds, self._config
        if not self._comparable:
            return np.ones(len(t), bool)
        out = np.zeros(len(t), bool)
        for k in np.flatnonzero(self._seen).tolist():
            near = np.flatnonzero(self._seen & (np.abs(t - t[k]) <= c.still_s / 2))
            span = np.ptp(self._apparent.outline_from(k, near), axis=0)
            out[k] = bool((span < self._reach + 2 * self._apparent.slack(k, near).max()).all())
        return out

    @functools.cached_property
    def unmoved(self) -> Bool[np.ndarray, " t"]:
        """Frames in which the mask is where it was first seen still."""
        first = np.flatnonzero(self.still)
        if len(first) == 0 or not self._comparable:
            return np.zeros(len(self._evidence.t_seconds), bool)
        here = np.array([int(first[0])])
        return np.array(
            [
                bool(self._seen[k])
                and self._away(k, int(here[0])) < self._reach + self._apparent.slack(k, here)[0]
                for k in range(len(self._seen))
            ]
        )

    @functools.cached_property
    def resting(self) -> Bool[np.ndarray, " t"]:
        """Frames in which it stands on something: still with no hand at it, or unmoved from where it was seen so.

        A thing that a hand holds still from the first frame on is never taken for one that stands.
        """
        return self._alone | (self.unmoved & bool((self._alone & self.unmoved).any()))

    @functools.cached_property
    def holders(self) -> Bool[np.ndarray, " 2"]:
        """Which hands move with it: a hand that lies still while the thing moves is only in line with it."""
        moving = self._seen & ~self.still
        if not self._comparable:
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
        out = np.zeros(len(self._seen), bool)
        if len(alone) == 0 or not self._comparable:
            return out
        for k in np.flatnonzero(self._seen & (self._at & self.holders).any(1)).tolist():
            last = int(alone[np.argmin(np.abs(alone - k))])
            size = float(self._apparent.outline_from(k, np.array([last]))[0, 2])
            slack = float(self._apparent.slack(k, np.array([last]))[0])
            out[k] = self._away(k, last, 2) > max(3 * self._reach, 0.4 * size) + slack
        return out

    @property
    def _reach(self) -> float:
        """Smallest motion that can be told (rad)."""
        c = self._config
        return c.still_reach + (c.path_reach if self._evidence.camera.motion == "moving" else 0.0)

    def _away(self, frame: int, other: int, columns: int = 3) -> float:
        """How far the outline of a frame is from that of another, as this one's camera sees it (rad)."""
        both = self._apparent.outline_from(frame, np.array([frame, other]))[:, :columns]
        return float(np.abs(both[0] - both[1]).max())

    @functools.cached_property
    def _alone(self) -> Bool[np.ndarray, " t"]:
        """Frames in which it is seen, is still, and no hand that could hold it is at it; one that moves on holds nothing
        that is still."""
        held = (self._at & self.holders & ~self._goes).any(1)
        return self._seen & self.still & ~held

    @functools.cached_property
    def _at(self) -> Bool[np.ndarray, "t 2"]:
        """Frames in which the fingers or the outline of each hand are at the mask."""
        evidence, code = self._evidence, MaskLabel.FIRST_OBJECT + self._object_idx
        out = np.zeros((len(self._seen), 2), bool)
        for k in np.flatnonzero(self._seen):
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
        if hands is None or not self._comparable:
            return out
        for k, side in np.argwhere(hands.valid).tolist():
            near = np.flatnonzero((np.abs(t - t[k]) <= self._config.still_s / 2) & hands.valid[:, side])
            out[k, side] = np.ptp(self._apparent.wrists_from(k, near, side), axis=0).max() > 3 * self._reach
        return out
