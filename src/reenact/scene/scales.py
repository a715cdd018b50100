"""`MetricScales`: every factor that made metres of something, with where it came from and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.records import Record

SCALE_ORIGINS = ("hand_skin", "hand_width", "depth", "sensor", "stereo", "user", "truth")


@dataclass(frozen=True, kw_only=True)
class MetricScales(Record):
    """n scales of a clip, and what was done to its depth frame by frame."""

    SCHEMA = "reenact.metric_scales"
    VERSION = 1

    subjects: tuple[str, ...]
    """What was scaled: "depth" (metres per given unit), "hand length" (new over old)."""
    origins: tuple[str, ...]
    """One of `SCALE_ORIGINS` each."""
    value: Float64[np.ndarray, " n"]
    sigma_relative: Float64[np.ndarray, " n"]
    count: Int64[np.ndarray, " n"]
    """Measurements behind it (hands looked at); 0: given, not measured."""
    used: Bool[np.ndarray, " n"]
    """False: a second opinion."""
    reasons: tuple[str, ...]
    """One plain sentence each."""
    frame_scale: Float64[np.ndarray, " t"]
    """Given depth to metres, of the picture as a whole: metres = frame_scale * given + frame_shift."""
    frame_shift: Float64[np.ndarray, " t"]
    """Metres."""
    valid: Bool[np.ndarray, " t"]
    """Frames that have depth."""
    hand_moved: Float64[np.ndarray, "t s=2"]
    """How much farther from the camera depth put each hand (m); 0 where it did not."""

    def check(self) -> None:
        count = len(self.value)
        for name in ("subjects", "origins", "reasons"):
            self.require(
                len(getattr(self, name)) == count, name, f"has {len(getattr(self, name))}", f"{count}"
            )
        self.require(
            set(self.origins) <= set(SCALE_ORIGINS), "origins", f"are {self.origins}", f"of {SCALE_ORIGINS}"
        )
        self.require(bool((self.value > 0).all()), "value", "has entries that are not positive")
        self.require(bool((self.sigma_relative >= 0).all()), "sigma_relative", "has negative entries")
        self.require(bool((self.frame_scale > 0).all()), "frame_scale", "has entries that are not positive")
