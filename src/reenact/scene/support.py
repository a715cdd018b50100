"""`SupportPlane`: the table (or floor) that things stand on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.records import Record


@dataclass(frozen=True, kw_only=True)
class SupportPlane(Record):
    """Points x of the plane satisfy normal . x = offset; normal points away from gravity, to the side of the things."""

    SCHEMA = "reenact.support_plane"
    VERSION = 1

    valid: bool
    """False: no plane was found; the numbers are then not to be read."""
    normal_world: Float64[np.ndarray, " 3"]
    offset: float
    """Metres."""
    sigma_offset: float
    """One-sigma of the offset (m)."""
    sigma_normal: float
    """One-sigma of the normal's direction (rad)."""
    confidence: float
    origin: str
    """"depth", "objects", "hands", "room" (points of the room, before a moving camera), "user", "truth" or "unknown"."""

    def check(self) -> None:
        self.require_choice("origin", ("depth", "objects", "hands", "room", "user", "truth", "unknown"))
        length = float(np.linalg.norm(self.normal_world))
        self.require(abs(length - 1) < 1e-9, "normal_world", f"has length {length}", "1")
        self.require_fraction("confidence")
        self.require(self.sigma_offset >= 0 and self.sigma_normal >= 0, "sigma_offset", "is negative")
