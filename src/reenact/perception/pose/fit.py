"""How well a pose agrees with a frame: outlines that overlap, depth that meets the drawn surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DepthFit:
    """Measured depth against the drawn surface."""

    misfit: float
    """Median distance of depth points from the drawn surface along z (m)."""
    share: float
    """Share of depth points within twice their sigma plus 5 mm."""


@dataclass(frozen=True)
class Fit:
    """How well a pose agrees with a frame."""

    iou: float
    """Overlap of drawn and seen outline, hidden pixels left out; 0 without a mask."""
    visible_share: float
    """Share of the drawn object that nothing hides."""
    edge_share: float
    """Share of the drawn outline, hidden parts left out, that lies on the mask's edge (within two of its pixels): a mask
    that leaks spoils the overlap all around, but not this. 0 without a mask."""
    depth: DepthFit | None = None
    """None where no depth is measured."""
    covered: float = 0.0
    """Share of the drawn object, hidden pixels left out, that lies in the mask, or of the mask that lies in it, whichever
    is more: near 1 also for a mask that leaks or lacks a part."""

    def depth_agrees(self, share: float) -> bool:
        """Whether at least that share of the depth points meets the surface, where there are any."""
        return self.depth is None or self.depth.share >= share


def summary(fits: Sequence[Fit]) -> dict[str, float | None]:
    """Medians over frames, for the report; None where nothing was measured."""

    def middle(values: list[float]) -> float | None:
        return float(np.median(values)) if values else None

    depth = [f.depth for f in fits if f.depth is not None]
    return {
        "overlap_of_outlines": middle([f.iou for f in fits]),
        "outline_on_mask_edge": middle([f.edge_share for f in fits]),
        "unhidden_share": middle([f.visible_share for f in fits]),
        "depth_misfit_m": middle([d.misfit for d in depth]),
        "depth_points_that_agree": middle([d.share for d in depth]),
    }


NO_MEETING = DepthFit(1.0, 0.0)
"""Depth is measured and none of it meets the drawn object."""


def score(fit: Fit) -> float:
    """One number for comparing poses in the same frame: overlap, and what depth agrees with."""
    return fit.iou + (0.0 if fit.depth is None else 0.5 * fit.depth.share)


def poor(fit: Fit) -> bool:
    """Whether a fit leaves doubt that it is the right side up."""
    return fit.iou < 0.85 or not fit.depth_agrees(0.8)


def confidence(fit: Fit) -> float:
    """0..1 from overlap, agreement with depth and how much is unhidden."""
    value = np.clip((fit.iou - 0.4) / 0.5, 0.05, 1.0) * (0.4 + 0.6 * min(1.0, fit.visible_share / 0.6))
    return float(value if fit.depth is None else value * (0.5 + 0.5 * fit.depth.share))
