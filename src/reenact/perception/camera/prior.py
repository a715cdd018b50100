"""What is assumed when the picture does not tell, with an honest width."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.cameras import PinholeCamera


@dataclass(frozen=True)
class PriorConfig:
    """Assumed lens and pose."""

    long_side_fov_deg: float = 65.0
    """Field of view across the longer side: phones' main cameras and webcams have 60 to 70."""
    focal_sigma: float = 0.25
    """Relative one-sigma of the focal length: 54 to 77 degrees. The clips this was tried on have 55 to 98."""
    gravity_sigma_deg: float = 30.0
    """One-sigma of "up is up in the picture": the roll is small, but table-top cameras look 0 to 60 deg down."""


def prior_lens(config: PriorConfig, width_px: int, height_px: int) -> PinholeCamera:
    """Square pixels, centre in the middle."""
    f = max(width_px, height_px) / (2 * math.tan(math.radians(config.long_side_fov_deg) / 2))
    return PinholeCamera(f, f, (width_px - 1) / 2, (height_px - 1) / 2, width_px, height_px)


def prior_up() -> Float64[np.ndarray, "3"]:
    """Up in camera axes for a level camera."""
    return np.array([0.0, -1.0, 0.0])
