"""`DepthFrames`: what kind of depth a clip has and how far each frame can be trusted; the pixels lie in a volume.

A depth artefact is `depth.h5` (float16 or uint16 frames, see `records.volumes`) beside `depth.json`. Value 0 means
nothing is known of that pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.records import Record


@dataclass(frozen=True, kw_only=True)
class DepthFrames(Record):
    """Depth along the optical axis: metres = scale[t] * stored * unit + shift[t] where `kind` is "depth_metric"."""

    SCHEMA = "reenact.depth_frames"
    VERSION = 1

    kind: str
    """"depth_metric" or "depth_scale_invariant"."""
    unit: float
    """Metres (or arbitrary units) per stored step."""
    scale: Float64[np.ndarray, " t"]
    shift: Float64[np.ndarray, " t"]
    sigma_relative: Float64[np.ndarray, " t"]
    """Relative one-sigma of metric depth after scale and shift."""
    scale_source: str
    """"sensor", "stereo", "hand", "support", "user", "truth" or "unknown"."""
    valid: Bool[np.ndarray, " t"]
    confidence: Float64[np.ndarray, " t"]
    source: UInt8[np.ndarray, " t"]
    width_px: int
    height_px: int
    backend: str
    licence: str

    def check(self) -> None:
        self.require_choice("kind", ("depth_metric", "depth_scale_invariant"))
        known = ("sensor", "stereo", "hand", "support", "user", "truth", "unknown")
        self.require_choice("scale_source", known)
        self.require(self.unit > 0, "unit", f"is {self.unit}", "positive")
        self.require(bool((self.scale > 0).all()), "scale", "has entries that are not positive")
        self.require_fraction("confidence")
