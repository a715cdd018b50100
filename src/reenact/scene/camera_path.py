"""`CameraPath`: how a moving camera's path was found, how sure it is, and the points of the room it was found by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.records import Record


@dataclass(frozen=True, kw_only=True)
class CameraPath(Record):
    """Beside the `CameraTrack` of a moving camera whose path was solved; absent where it was not."""

    SCHEMA = "reenact.camera_path"
    VERSION = 1

    method: str
    """"sfm" (structure from motion)."""
    scale_source: str
    """"hands": metres come from hands that touch and rest."""
    scale_sigma: float
    """Relative one-sigma of all distances of the path and the points."""
    turn_sigma: float
    """One-sigma of the camera's turn against its mean over the clip, radians."""
    place_sigma: float
    """One-sigma of the camera's place without the scale's, metres."""
    placed: float
    """Share of the frames placed by what they show."""
    licence: str
    """Of the software that solved it; travels into the provenance."""
    points_world: Float64[np.ndarray, "p 3"]
    """Corners of the room (things at rest), metres, in the camera track's `world_frame`."""

    def check(self) -> None:
        self.require_choice("method", ("sfm",))
        self.require_choice("scale_source", ("hands",))
        for name in ("scale_sigma", "turn_sigma", "place_sigma"):
            value = getattr(self, name)
            self.require(value >= 0, name, f"is {value}", "not negative")
