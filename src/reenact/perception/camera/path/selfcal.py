"""The focal length from the camera's own motion: the mapper adjusts it, two halves of the tracks say how surely."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reenact.perception.camera.path.config import MotionLensConfig
from reenact.perception.camera.path.judge import Parts
from reenact.perception.camera.path.mapping import PinholeLens


@dataclass(frozen=True)
class FoundLens:
    """A focal length relative to the assumed one."""

    ratio: float
    """Found / assumed."""
    sigma: float
    """Relative one-sigma."""

    def applied(self, lens: PinholeLens) -> PinholeLens:
        """The lens with this focal length."""
        return replace(lens, focal_px=lens.focal_px * self.ratio)


def lens_from_motion(
    parts: Parts, lens: PinholeLens, prior_sigma: float, keyframes: int, c: MotionLensConfig
) -> tuple[FoundLens | None, str]:
    """The focal length of all tracks, believed if both halves agree with it and it is a usual one; and why.

    ``parts``: solved with a free focal length, starting from ``lens``.
    """
    solved = [part for part in (parts.whole, *parts.halves) if part is not None]
    if len(solved) < 3 or min(len(part.frames) for part in solved) < c.min_keyframes_share * keyframes:
        return None, "not all parts of the tracks could be solved with a free focal length"
    whole, first, second = (float(np.log(part.focal_px / lens.focal_px)) for part in solved)
    sigma = max(abs(first - whole), abs(second - whole), c.floor_sigma)
    said = f"focal length {np.exp(whole):.3f} x the assumed one; halves {np.exp(first):.3f}, {np.exp(second):.3f}"
    if sigma > c.max_sigma:
        return None, f"{said}: they differ by more than {c.max_sigma:.0%}"
    if abs(whole) > c.max_prior_sigmas * prior_sigma:
        return None, f"{said}: more than {c.max_prior_sigmas} sigma from what lenses are like"
    return FoundLens(float(np.exp(whole)), sigma), said
