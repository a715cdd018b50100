"""Small pictures reduced to what cuts and camera motion need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

HEIGHT_PX = 72
"""All small pictures are brought to this many rows, so that no measure depends on the video's size."""
COLOUR_BINS = 8


@runtime_checkable
class Look(Protocol):
    """What is seen at one instant (``reenact.video.scan.ScanFrame`` is one)."""

    @property
    def t_ns(self) -> int:
        """Time from the first frame; rises strictly."""

    @property
    def small(self) -> UInt8[np.ndarray, "h w 3"]:
        """RGB, 72 to some hundred rows: for cuts and camera motion."""

    @property
    def large(self) -> UInt8[np.ndarray, "h2 w2 3"] | None:
        """RGB at the instants where hands are looked for; None elsewhere."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One small picture."""

    t_ns: int
    grey: UInt8[np.ndarray, "72 w"]
    """Luma."""
    colours: Float32[np.ndarray, "512"]
    """Joint histogram of Y, Cr, Cb, summing to 1."""


def picture_of(t_ns: int, rgb: UInt8[np.ndarray, "h w 3"]) -> Picture:
    """Shrink (area average) and take the histogram."""
    height, width = rgb.shape[:2]
    size = (max(HEIGHT_PX // 2, round(width * HEIGHT_PX / height)), HEIGHT_PX)
    shrinks = height > HEIGHT_PX
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    luma_chroma = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)
    colours = cv2.calcHist([luma_chroma], [0, 1, 2], None, [COLOUR_BINS] * 3, [0, 256] * 3).ravel()
    return Picture(t_ns, np.ascontiguousarray(luma_chroma[..., 0]), colours / colours.sum())


def colour_change(a: Picture, b: Picture) -> float:
    """Share of the picture (0..1) whose colour has no counterpart in the other: half the L1 distance."""
    return float(0.5 * np.abs(a.colours - b.colours).sum())


def grey_change(a: Picture, b: Picture) -> float:
    """1 - correlation of the grey values in place: 0 the same up to gain and offset, 1 unrelated, 2 inverted."""
    x, y = a.grey - a.grey.mean(dtype=np.float64), b.grey - b.grey.mean(dtype=np.float64)
    return float(1.0 - (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum() + 1e-6))
