"""`Clip`: which frames of which file a scene is about, and when each was taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from reenact.records import Record


@dataclass(frozen=True, kw_only=True)
class Clip(Record):
    """A run of frames of one source video. Interval [t_ns[0], end_ns) is half-open; times are the source's own."""

    SCHEMA = "reenact.clip"
    VERSION = 1

    clip_id: str
    """Unique within a run folder; safe as a folder name."""
    source_name: str
    """File name of the source, without its path."""
    source_sha256: str
    """Content hash of the source file, or "" for a source that is no single file."""
    width_px: int
    """Width of the upright frames, after rotation metadata was applied."""
    height_px: int
    """Height of the upright frames."""
    rotation_deg: int
    """Counter-clockwise rotation that was applied to make frames upright: 0, 90, 180 or 270."""
    nominal_fps_hz: float
    """Median frame rate of the frames kept."""
    t_ns: Int64[np.ndarray, " t"]
    """Presentation time of each frame, strictly rising."""
    end_ns: int
    """End of the last frame, exclusive."""
    source_frame_idx: Int64[np.ndarray, " t"]
    """Position of each frame in the source's decoding order."""

    def check(self) -> None:
        self.require(len(self.t_ns) > 0, "t_ns", "is empty", "a clip has at least one frame")
        steps = np.diff(self.t_ns)
        self.require(bool((steps > 0).all()), "t_ns", "does not rise strictly")
        self.require(self.end_ns > int(self.t_ns[-1]), "end_ns", f"is {self.end_ns}", "after the last frame")
        self.require(self.width_px > 0 and self.height_px > 0, "width_px", "and height_px must be positive")
        self.require(self.rotation_deg in (0, 90, 180, 270), "rotation_deg", f"is {self.rotation_deg}")
        self.require(self.nominal_fps_hz > 0, "nominal_fps_hz", f"is {self.nominal_fps_hz}", "positive")

    @property
    def duration_s(self) -> float:
        """Length of the clip in seconds."""
        return (self.end_ns - int(self.t_ns[0])) * 1e-9

    @property
    def t_seconds(self) -> np.ndarray:
        """Seconds since the first frame, float64 [t]."""
        return (self.t_ns - self.t_ns[0]) * 1e-9
