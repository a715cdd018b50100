"""What a user knows about the camera. It always wins over what the picture says."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.errors import InputError
from reenact.geometry.cameras import Camera, FisheyeCamera, PinholeCamera


class BadUserCamera(InputError):
    """The user's camera values are incomplete, contradict each other or cannot be."""


@dataclass(frozen=True)
class UserCamera:
    """Intrinsics in pixels of the clip's own size, or a field of view; nothing set means nothing known."""

    fx: float | None = None
    """Horizontal focal length, pixels."""
    fy: float | None = None
    """Vertical focal length, pixels; ``fx`` if not given."""
    cx: float | None = None
    """Centre column, pixels (0 is the middle of the first pixel); the middle of the picture if not given."""
    cy: float | None = None
    """Centre row, likewise."""
    horizontal_fov_deg: float | None = None
    """Angle between the left and right edge, degrees; instead of ``fx``."""
    kb4: tuple[float, float, float, float] | None = None
    """Kannala-Brandt k1..k4 as in ``cv2.fisheye``: the lens is a fisheye."""
    focal_sigma: float | None = None
    """Relative one-sigma of the focal length; by default 0.005 for a calibration, 0.02 for a field of view."""
    pitch_deg: float | None = None
    """Angle of the optical axis above the horizon in the first frame, degrees (looking down: negative)."""
    roll_deg: float = 0.0
    """Turn of the camera about its optical axis in the first frame, degrees, clockwise as the camera sees it."""

    def __post_init__(self) -> None:
        if self.fx is not None and self.horizontal_fov_deg is not None:
            raise BadUserCamera("both fx and horizontal_fov_deg are given", hint="give one of them")
        if self.fx is None and any(v is not None for v in (self.fy, self.cx, self.cy, self.kb4)):
            known = self.horizontal_fov_deg is not None and self.fy is None
            if not known:
                raise BadUserCamera("fy, cx, cy or kb4 without fx", hint="give fx too, or horizontal_fov_deg")
        if self.pitch_deg is not None and not -90 <= self.pitch_deg <= 90:
            raise BadUserCamera(f"pitch_deg is {self.pitch_deg}", hint="from -90 (straight down) to 90")

    @property
    def knows_lens(self) -> bool:
        """Whether intrinsics were given."""
        return self.fx is not None or self.horizontal_fov_deg is not None

    def lens(self, width_px: int, height_px: int) -> tuple[Camera, float]:
        """The camera and its relative focal sigma; raises ``BadUserCamera`` if nothing was given."""
        if not self.knows_lens:
            raise BadUserCamera("no intrinsics were given", hint="fx, or horizontal_fov_deg")
        if self.fx is None:
            camera, sigma = self._from_fov(width_px, height_px), 0.02
        else:
            fy = self.fx if self.fy is None else self.fy
            camera, sigma = self._make(self.fx, fy, width_px, height_px), 0.005
        return camera, sigma if self.focal_sigma is None else self.focal_sigma

    def _make(self, fx: float, fy: float, width_px: int, height_px: int) -> Camera:
        cx = (width_px - 1) / 2 if self.cx is None else self.cx
        cy = (height_px - 1) / 2 if self.cy is None else self.cy
        if self.kb4 is None:
            return PinholeCamera(fx, fy, cx, cy, width_px, height_px)
        return FisheyeCamera(fx, fy, cx, cy, width_px, height_px, *self.kb4)

    def _from_fov(self, width_px: int, height_px: int) -> Camera:
        """Focal length at which the left and right edge are that far apart; by halving for a fisheye."""
        fov = math.radians(self.horizontal_fov_deg or 0.0)
        limit = math.pi if self.kb4 is None else 2 * math.pi
        if not 0 < fov < limit:
            raise BadUserCamera(
                f"horizontal_fov_deg is {self.horizontal_fov_deg}",
                hint=f"between 0 and {math.degrees(limit):.0f}",
            )
        low, high = 1e-3 * width_px, 1e3 * width_px
        for _ in range(100):
            f = math.sqrt(low * high)
            wider = self._make(f, f, width_px, height_px).horizontal_fov > fov
            low, high = (f, high) if wider else (low, f)
        return self._make(f, f, width_px, height_px)

    def up_camera(self) -> Float64[np.ndarray, "3"] | None:
        """Up in the axes of the first camera by pitch and roll; None if no pitch was given."""
        if self.pitch_deg is None:
            return None
        pitch, roll = math.radians(self.pitch_deg), math.radians(self.roll_deg)
        level = math.cos(pitch)
        return np.array([-level * math.sin(roll), -level * math.cos(roll), math.sin(pitch)])
