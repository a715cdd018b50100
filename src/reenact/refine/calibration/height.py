"""How high the support is, told by several weak clues: one weighted estimate that knows which errors they share.

Hands of one clip err together (one guessed hand length, one lens): their clues get better together or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.refine.calibration.support import UP, SupportConfig, no_plane
from reenact.scene import SupportPlane


@dataclass(frozen=True)
class HeightClue:
    """Something that says how high the support is."""

    height: float
    """Metres along up, scene's frame."""
    sigma: float
    """Its own error (m)."""
    what: str
    """"hand", "object", "room", "size" or "user"."""
    shared: float = 0.0
    """One-sigma of its error that all clues of hands share (m)."""

    @property
    def total(self) -> float:
        """One-sigma of it alone (m)."""
        return float(np.hypot(self.sigma, self.shared))


def plane_from_clues(
    clues: list[HeightClue],
    gravity_sigma: float,
    config: SupportConfig,
    up: Float64[np.ndarray, " 3"] | None = None,
) -> SupportPlane:
    """A level plane at the height that the clues agree on.

    Weighed by their whole sigmas; clues far off the others are left out (of two that differ, nobody knows which). Own errors
    average out, what they share stays; where clues disagree more than they say, all of it counts for more. What only
    guesses a size says nothing alone.
    """
    if config.height is not None:
        clues = [HeightClue(config.height, 0.005, "user")]
    if not any(c.what != "size" for c in clues):
        return no_plane()
    height, total = np.array([c.height for c in clues]), np.array([c.total for c in clues])
    middle = _weighted_median(height, 1 / total**2)
    near = (np.abs(height - middle) < 2.5 * np.hypot(total, total.min())) | (len(clues) < 3)
    if not any(c.what != "size" for c, ok in zip(clues, near, strict=True) if ok):
        return no_plane()
    kept = [c for c, ok in zip(clues, near, strict=True) if ok]
    own, shared = np.array([c.sigma for c in kept]), np.array([c.shared for c in kept])
    weight = 1 / total[near] ** 2
    weight = weight / weight.sum()
    mean = float(weight @ height[near])
    left = height[near] - mean
    disagree = float(weight @ (left / total[near]) ** 2) if len(kept) > 1 else 0.0
    spread = float(np.sqrt(max(1.0, disagree) * (weight**2 @ own**2 + (weight @ shared) ** 2)))
    share = {
        what: sum(abs(w) for w, c in zip(weight, kept, strict=True) if c.what == what) for what in _ORIGINS
    }
    origin = _ORIGINS[max(share, key=lambda what: share[what])]
    return SupportPlane(
        valid=True, normal_world=UP if up is None else np.asarray(up, float), offset=mean, sigma_offset=spread,
        sigma_normal=float(gravity_sigma), confidence=float(1 / (1 + spread / 0.03)), origin=origin,
    )  # fmt: skip


_ORIGINS = {"user": "user", "object": "objects", "hand": "hands", "room": "room"}


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def lowest_point(
    lowest: Float64[np.ndarray, " n"], shared: float, config: SupportConfig
) -> HeightClue | None:
    """The height that fingers do not go below: the lowest joint of each of many frames, less the skin.

    It is an upper bound that hands reach only when they touch the table, so its sigma is wide.

    Args:
        lowest: heights of the lowest joint in frames in which a hand is at a thing (m).
        shared: one-sigma of their common error (m).
    """
    if len(lowest) < 5:
        return None
    height = float(np.percentile(lowest, 10)) - config.hand_skin
    return HeightClue(height - 0.25 * config.hand_sigma, config.hand_sigma, "hand", shared)


def usual_size(camera_height: float, fall: float, across: float, config: SupportConfig) -> HeightClue:
    """Where a thing of usual size would stand.

    Args:
        camera_height: of the camera (m, along up).
        fall: how far the ray to its foot falls per metre of distance.
        across: how large it looks (rad, the root of its area).
    """
    drop = fall * config.usual_size / max(across, 1e-3)
    return HeightClue(camera_height - drop, config.size_spread * drop, "size")
