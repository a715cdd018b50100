"""Depth brought to the depth of another: a scale, and a shift where it can be told from one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reenact.errors import NoResultError

_ROUNDS = 12
"""Reweighted least squares settle within these."""
_SETTLED = 1e-6
"""Relative change of a mapped depth at which they have."""
_SHIFT_PAYS = 0.8
"""A shift is believed only where it shrinks the scatter to this share: a small one read off a far wall would move what
is near, outside the depths that it was fitted to."""


class NothingInCommon(NoResultError):
    """Two depths share too few known pixels to be brought together."""


@dataclass(frozen=True)
class AffineDepth:
    """depth_other = scale * depth + shift."""

    scale: float = 1.0
    shift: float = 0.0
    sigma_relative: float = 0.0
    """Relative one-sigma of a mapped depth's common error."""
    count: int = 0
    """Pixels behind it."""

    def __call__(self, depth: Float[np.ndarray, "*s"]) -> Float[np.ndarray, "*s"]:
        """Mapped; 0 stays 0 (unknown), and so does what a shift would put behind the camera."""
        mapped = self.scale * depth + self.shift
        return np.where((depth > 0) & (mapped > 0), mapped, 0).astype(depth.dtype)

    def then(self, later: AffineDepth) -> AffineDepth:
        """This map, then another."""
        return AffineDepth(
            later.scale * self.scale,
            later.scale * self.shift + later.shift,
            float(np.hypot(self.sigma_relative, later.sigma_relative)),
            min(self.count, later.count) if self.count and later.count else self.count or later.count,
        )


def fit_affine(
    src: Float[np.ndarray, " n"],
    dst: Float[np.ndarray, " n"],
    *,
    with_shift: bool = True,
    min_count: int = 20,
    min_spread: float = 0.01,
) -> AffineDepth:
    """dst = scale * src + shift for most of the pairs; pairs with a 0 are left out.

    Depths that hardly differ (relative spread below `min_spread`: a flat thing seen from the front) cannot tell a
    scale from a shift; then, and where a shift explains hardly anything, only the scale is fitted.

    Raises:
        NothingInCommon: fewer than `min_count` pairs.
    """
    known = (src > 0) & (dst > 0) & np.isfinite(src) & np.isfinite(dst)
    a, b = np.asarray(src[known], np.float64), np.asarray(dst[known], np.float64)
    if len(a) < min_count:
        raise NothingInCommon(f"{len(a)} pixels have both depths", hint=f"at least {min_count} are needed")
    scale, shift, noise = _robust(a, b, False, min_count)
    spread = float(np.subtract(*np.percentile(a, [84, 16]))) / 2 / float(np.median(a))
    if with_shift and spread > min_spread:
        both = _robust(a, b, True, min_count)
        if both[0] > 0 and both[2] < _SHIFT_PAYS * noise:
            scale, shift, noise = both
    independent = np.sqrt(min(len(a), 60))
    return AffineDepth(scale, shift, noise / float(np.median(b)) / float(independent), len(a))


def _robust(a: np.ndarray, b: np.ndarray, shifted: bool, min_count: int) -> tuple[float, float, float]:
    """Scale, shift and scatter by reweighting (Huber, and nothing beyond six sigma)."""
    scale, shift, size = float(np.median(b / a)), 0.0, float(np.median(b))
    for _ in range(_ROUNDS):
        before = scale, shift
        away = b - scale * a - shift
        noise = max(1.48 * float(np.median(np.abs(away))), 1e-9)
        weight = np.minimum(1.0, 1.5 * noise / np.maximum(np.abs(away), 1e-12)) * (np.abs(away) < 6 * noise)
        if weight.sum() < min_count / 2:
            break
        if shifted:
            mean_a, mean_b = np.average(a, weights=weight), np.average(b, weights=weight)
            scale = float((weight * (a - mean_a) * (b - mean_b)).sum() / (weight * (a - mean_a) ** 2).sum())
            shift = float(mean_b - scale * mean_a)
        else:
            scale = float((weight * a * b).sum() / (weight * a * a).sum())
        if abs(scale - before[0]) * size + abs(shift - before[1]) * scale < _SETTLED * size * scale:
            break
    return scale, shift, 1.48 * float(np.median(np.abs(b - scale * a - shift)))
