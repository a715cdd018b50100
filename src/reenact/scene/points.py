"""`PointTracks`: points followed through a clip, in pixels and, where depth or a hand anchors them, in metres.

The object state of the point-track seed (3.3): it holds for things that bend, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from reenact.records import Record


@dataclass(frozen=True, kw_only=True)
class PointTracks(Record):
    """p points over t frames."""

    SCHEMA = "reenact.point_tracks"
    VERSION = 1

    object_idx: Int64[np.ndarray, " p"]
    """Index into the objects of the clip; -1 for the background."""
    points_px: Float64[np.ndarray, "t p 2"]
    """Pixels of the clip's upright full-size frame."""
    valid: Bool[np.ndarray, "t p"]
    """Seen and followed in this frame."""
    confidence: Float64[np.ndarray, "t p"]
    source: UInt8[np.ndarray, "t p"]
    points_world: Float64[np.ndarray, "t p 3"]
    """Metres in the scene's frame."""
    valid_world: Bool[np.ndarray, "t p"]
    sigma_world: Float64[np.ndarray, "t p"]
    """One-sigma of the place along the ray (m); meaningless where `valid_world` is False."""
    depth_source: str
    """What lifted the pixels: "none", "depth_metric", "hand", "support", "sfm" or "truth"."""
    backend: str
    licence: str

    def check(self) -> None:
        self.require_fraction("confidence")
        self.require(bool((self.sigma_world >= 0).all()), "sigma_world", "has negative entries")
        self.require_choice("depth_source", ("none", "depth_metric", "hand", "support", "sfm", "truth"))
