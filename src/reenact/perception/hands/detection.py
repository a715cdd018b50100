"""One hand in one image, and the few measures of it that tracking needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reenact.perception.hands.roi import Roi

PALM_JOINTS = (0, 5, 9, 13, 17)
"""Wrist and the four finger knuckles: the rigid part of the hand."""


@dataclass(frozen=True, eq=False)
class HandDetection:
    """The landmark net's answer for one region of one image."""

    landmarks_px: Float[np.ndarray, "21 2"]
    """Image x, y of the 21 joints, pixel centres at integers."""
    landmarks_rel: Float[np.ndarray, "21 3"]
    """Metres by the net's own prior, camera axes (x right, y down, z forward), origin near the knuckles."""
    presence: float
    """The net's belief that there is a hand in the region, 0..1."""
    p_right: float
    """The net's belief that it is a right hand, 0..1, already freed of mirroring."""
    roi: Roi
    """The region the net looked at."""

    @property
    def side(self) -> int:
        """0 = left, 1 = right, by this image alone."""
        return int(self.p_right > 0.5)

    @property
    def box_px(self) -> Float[np.ndarray, "4"]:
        """Tight axis-aligned box of the landmarks: x0, y0, x1, y1."""
        return np.concatenate([self.landmarks_px.min(axis=0), self.landmarks_px.max(axis=0)])

    @property
    def size_px(self) -> float:
        """Half the side of the tracking region, about the longer side of the palm seen; never below 1."""
        return max(self.roi.size_px * 0.5, 1.0)

    @property
    def palm_px(self) -> Float[np.ndarray, "2"]:
        """Centre of the rigid part."""
        return self.landmarks_px[list(PALM_JOINTS)].mean(axis=0)

    @property
    def palm_length(self) -> float:
        """Wrist to middle knuckle in the net's own metres; 0.097 for a clear adult hand."""
        return float(np.linalg.norm(self.landmarks_rel[9] - self.landmarks_rel[0]))


def box_iou(box_a: Float[np.ndarray, "4"], box_b: Float[np.ndarray, "4"]) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    low = np.maximum(box_a[:2], box_b[:2])
    high = np.minimum(box_a[2:], box_b[2:])
    overlap = float(np.prod(np.maximum(high - low, 0.0)))
    area = float(np.prod(box_a[2:] - box_a[:2])) + float(np.prod(box_b[2:] - box_b[:2])) - overlap
    return overlap / area if area > 0 else 0.0


def joint_distance(a: HandDetection, b: HandDetection) -> float:
    """Mean distance of equal joints, in units of the larger hand's size: 0 = the same hand.

    Two *different* hands that overlap keep a large value, as their fingers do not coincide joint by joint.
    """
    gaps = np.linalg.norm(a.landmarks_px - b.landmarks_px, axis=1)
    return float(gaps.mean()) / max(a.size_px, b.size_px)


def palm_distance(a: HandDetection, b: HandDetection) -> float:
    """Distance of the palm centres in units of the larger hand's size."""
    return float(np.hypot(*(a.palm_px - b.palm_px))) / max(a.size_px, b.size_px)
