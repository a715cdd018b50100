"""Colour histograms: what a thing looks like, against what is around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int, UInt8

BINS = 16
"""Bins per channel of the CIE L*a*b* histogram; a and b, whose range is small in practice, are stretched by two."""


def colour_bins(rgb: UInt8[np.ndarray, "h w 3"]) -> Int[np.ndarray, "h w"]:
    """Histogram bin of each pixel, 0..COUNT - 1."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    return np.asarray(_OF_LIGHTNESS[lab[..., 0]] + _OF_A[lab[..., 1]] + _OF_B[lab[..., 2]])


_STEPS = np.arange(256, dtype=np.int32)
_STRETCHED = np.clip((_STEPS - 128) * 2 + 128, 0, 255) * BINS // 256
_OF_LIGHTNESS = (_STEPS * (BINS // 2) // 256 * BINS * BINS).astype(np.int32)
_OF_A, _OF_B = (_STRETCHED * BINS).astype(np.int32), _STRETCHED.astype(np.int32)

COUNT = (BINS // 2) * BINS * BINS
"""Number of bins; lightness has half as many, for light changes as a thing is moved."""


def histogram(bins: Int[np.ndarray, "..."], weights: np.ndarray | None = None) -> Float64[np.ndarray, " n"]:
    """Counts per bin, spread a little to the neighbours (lighting, noise); not normalised."""
    flat = None if weights is None else np.asarray(weights, np.float64).ravel()
    counts = np.bincount(bins.ravel(), flat, minlength=COUNT).astype(np.float64)
    return spread(counts)


def spread(counts: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Each bin shares with its neighbours by (1/4 1/2 1/4) along each of the three axes."""
    cube = counts.reshape(BINS // 2, BINS, BINS).copy()
    for axis in range(3):
        along = np.moveaxis(cube, axis, 0)
        old = along.copy()
        along *= 0.5
        along[1:] += 0.25 * old[:-1]
        along[:-1] += 0.25 * old[1:]
        along[0] += 0.25 * old[0]
        along[-1] += 0.25 * old[-1]
    return np.asarray(cube.ravel())


def similarity(a: Float64[np.ndarray, " n"], b: Float64[np.ndarray, " n"]) -> float:
    """Bhattacharyya coefficient of two histograms: 1 equal, 0 no colour in common."""
    total = a.sum() * b.sum()
    return float(np.sqrt(a * b).sum() / np.sqrt(total)) if total > 0 else 0.0


@dataclass(frozen=True)
class ColourRatio:
    """log p(colour | thing) / p(colour | around), per bin, limited to +- ``limit``."""

    table: Float32[np.ndarray, " n"]

    @staticmethod
    def of(
        thing: Float64[np.ndarray, " n"], around: Float64[np.ndarray, " n"], limit: float = 3.0
    ) -> ColourRatio:
        """From two histograms; colours that neither has say nothing (0)."""
        floor = 0.1 / COUNT
        p = thing / max(thing.sum(), 1.0) + floor
        q = around / max(around.sum(), 1.0) + floor
        return ColourRatio(np.clip(np.log(p / q), -limit, limit).astype(np.float32))

    def at(self, bins: Int[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
        """The ratio of each pixel."""
        return self.table[bins]
