"""`ClipEvidence`: everything that placing objects may use of a clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from reenact.scene import CameraPath, CameraTrack, HandTracks, MaskTracks, PointTracks, SupportPlane

LabelReader = Callable[[int], UInt8[np.ndarray, "h w"]]
DepthReader = Callable[[int], tuple[np.ndarray, float] | None]
"""Metres (0 = unknown) and relative one-sigma of a frame; None where nothing is known."""


@dataclass(frozen=True)
class ClipEvidence:
    """Everything the pose role may use of a clip."""

    camera: CameraTrack
    t_seconds: Float64[np.ndarray, " t"]
    masks: MaskTracks
    labels: LabelReader
    depth: DepthReader | None = None
    points: PointTracks | None = None
    hands: HandTracks | None = None
    support: SupportPlane | None = None
    room: CameraPath | None = None
    """The path of a moving camera and the points of the room, where it was solved."""
