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
    pitch_deg: float = -20.0
    """Assumed angle of the optical axis above the horizon; cameras that watch hands look 0 to 40 deg down. The roll
    is taken as 0: up in the picture is up."""
    gravity_sigma_deg: float = 25.0
    """One-sigma of that up; a camera that looks straight down is nearly three of them away."""


def prior_lens(config: PriorConfig, width_px: int, height_px: int) -> PinholeCamera:
    """Square pixels, centre in the middle."""
    f = max(width_px, height_px) / (2 * math.tan(math.radians(config.long_side_fov_deg) / 2))
    return PinholeCamera(f, f, (width_px - 1) / 2, (height_px - 1) / 2, width_px, height_px)


def prior_up(config: PriorConfig) -> Float64[np.ndarray, "3"]:
    """Up in camera axes for a camera without roll at the assumed pitch."""
    pitch = math.radians(config.pitch_deg)
    return np.array([0.0, -math.cos(pitch), math.sin(pitch)])
