"""From a decoded frame to an upright RGB picture, in one swscale pass."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from jaxtyping import UInt8

from reenact.video.facts import StreamFacts
from reenact.video.info import scaled_size

UNSPECIFIED_COLORSPACE = 2
HD_HEIGHT_PX = 577
"""Untagged video of at least this many rows is taken as BT.709, below as BT.601: what players do."""


class FrameConverter:
    """Shrinks (fast bilinear), converts to RGB and turns upright. One per pass over a file."""

    def __init__(self, facts: StreamFacts, max_height: int | None) -> None:
        self._orientation = facts.orientation
        size = scaled_size(facts.width_px, facts.height_px, max_height)
        self._stored_size = size[::-1] if facts.orientation.swaps_sides else size
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
        """The upright picture; every frame of a pass gets the same size."""
        untagged = frame.colorspace == UNSPECIFIED_COLORSPACE
        guess = Colorspace.ITU709 if frame.height >= HD_HEIGHT_PX else Colorspace.ITU601
        picture = self._reformatter.reformat(
            frame,
            *self._stored_size,
            "rgb24",
            src_colorspace=guess if untagged else None,
            interpolation=Interpolation.FAST_BILINEAR,
            threads=1,
        )
        return self._orientation.apply(picture.to_ndarray())
