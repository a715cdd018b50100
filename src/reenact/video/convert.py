"""From a decoded frame to a small upright RGB picture.

swscale's fast bilinear scaler samples to the left of the pixel centres: a 1080p picture comes out 0.5 px to the
side at 480p, and 0.8 px at 180p (measured on a sine; ``benchmarks/decode.py`` prints it for a real clip). Its exact
scalers take twice the time. So the planes of the common 4:2:0 format are shrunk one by one with OpenCV's centred
bilinear filter, and only the small picture is converted: without the shift, and faster than the fast scaler. All
other formats go through swscale's centred bilinear filter in one pass.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from jaxtyping import UInt8

from reenact.video.facts import StreamFacts
from reenact.video.info import scaled_size

UNSPECIFIED_COLORSPACE = 2
HD_HEIGHT_PX = 577
"""Untagged video of at least this many rows is taken as BT.709, below as BT.601: what players do."""
PLANAR_420 = frozenset({"yuv420p", "yuvj420p"})


def _samples(plane: VideoPlane) -> UInt8[np.ndarray, "h w"]:
    """A view of an 8-bit plane without its padding."""
    return np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)[
        : plane.height, : plane.width
    ]


class FrameConverter:
    """Shrinks, converts to RGB and turns upright. One per pass over a file; every picture gets the same size."""

    def __init__(self, facts: StreamFacts, max_height: int | None) -> None:
        self._orientation = facts.orientation
        size = scaled_size(facts.width_px, facts.height_px, max_height)
        self._size = size[::-1] if facts.orientation.swaps_sides else size
        self._small_420: UInt8[np.ndarray, "rows w"] | None = None
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
        """The upright picture in memory of its own."""
        colorspace = frame.colorspace
        if colorspace == UNSPECIFIED_COLORSPACE:
            colorspace = Colorspace.ITU709 if frame.height >= HD_HEIGHT_PX else Colorspace.ITU601
        if (frame.width, frame.height) != self._size and frame.format.name in PLANAR_420:
            frame = self._shrunk(frame)
        picture = self._reformatter.reformat(
            frame,
            *self._size,
            "rgb24",
            src_colorspace=colorspace,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )
        return self._orientation.apply(picture.to_ndarray())

    def _shrunk(self, frame: VideoFrame) -> VideoFrame:
        """The same picture at the wanted size, still 4:2:0; valid until the next call."""
        width, height = self._size
        if self._small_420 is None:
            self._small_420 = np.empty((height * 3 // 2, width), np.uint8)
        luma = self._small_420[:height]
        chroma = self._small_420[height:].reshape(2, height // 2, width // 2)
        for plane, small in zip(frame.planes, (luma, *chroma), strict=True):
            cv2.resize(_samples(plane), small.shape[::-1], dst=small, interpolation=cv2.INTER_LINEAR)
        result = VideoFrame.from_numpy_buffer(self._small_420, format=frame.format.name)
        result.color_range = frame.color_range
        return result
