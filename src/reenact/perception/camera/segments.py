"""Straight line segments of a picture by OpenCV's LSD (von Gioi et al., IPOL 2012), long ones only."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8


@dataclass(frozen=True)
class SegmentsConfig:
    """What counts as a segment."""

    working_side_px: int = 960
    """Longer side that pictures are shrunk to before detection; smaller ones stay as they are."""
    min_length: float = 0.035
    """Shortest segment kept, as a fraction of the longer side (34 px of 960: 1 px of end noise is 2.4 deg)."""
    max_segments: int = 300
    """Longest ones kept; bounds the time of the search."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Segments of one frame, longest first."""

    ends_px: Float64[np.ndarray, "n 2 2"]
    """Both ends (x, y) in pixels of the picture that was given."""
    pixel_px: float
    """Size of one working pixel in those pixels: the unit of the ends' noise."""

    def __len__(self) -> int:
        return len(self.ends_px)

    @property
    def lengths_px(self) -> Float64[np.ndarray, " n"]:
        """Length of each segment."""
        return np.linalg.norm(self.ends_px[:, 1] - self.ends_px[:, 0], axis=-1)


@dataclass(frozen=True, eq=False)
class Picture:
    """A grey picture at working size, small enough to be kept until it is known whether it is needed."""

    grey: UInt8[np.ndarray, "h w"]
    pixel_px: float
    """Size of one of its pixels in pixels of the picture that was given."""

    @classmethod
    def of(cls, rgb: UInt8[np.ndarray, "h w 3"], config: SegmentsConfig | None = None) -> Picture:
        """Shrunk so that its longer side is at most ``working_side_px``."""
        side = (config or SegmentsConfig()).working_side_px
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        scale = min(1.0, side / max(grey.shape))
        if scale < 1:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return cls(np.asarray(grey), 1 / scale)


def find_segments(picture: Picture, config: SegmentsConfig | None = None) -> Segments:
    """Segments of the picture; none in a picture without edges."""
    config, grey = config or SegmentsConfig(), picture.grey
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    ends = np.zeros((0, 2, 2)) if found is None else found.reshape(-1, 2, 2).astype(np.float64)
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=-1)
    order = np.argsort(-length, kind="stable")[: config.max_segments]
    order = order[length[order] >= config.min_length * max(grey.shape)]
    return Segments((ends[order] + 0.5) * picture.pixel_px - 0.5, picture.pixel_px)
