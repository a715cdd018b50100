"""What the first decoded frame tells about a stream, kept after the file is closed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from reenact.video.container import open_stream, packets
from reenact.video.errors import NothingDecodedError
from reenact.video.orient import UPRIGHT, Orientation, orientation_of_matrix


@dataclass(frozen=True)
class StreamFacts:
    """Stored size, pixel aspect and orientation of a stream."""

    codec: str
    """Codec name, e.g. ``h264``."""
    width_px: int
    """Width after turning, in square pixels."""
    height_px: int
    """Height after turning, in square pixels."""
    orientation: Orientation
    """How a stored picture becomes upright."""
    declared_frame_count: int
    """Frames the container claims; 0 where it does not say."""


def orientation_of_frame(frame: VideoFrame) -> Orientation:
    """How a decoded frame must be turned; upright where the file says nothing."""
    side_data: Any = frame.side_data  # PyAV's stub knows motion vectors only
    found = [side_data[i] for i in range(len(side_data)) if side_data[i].type == SideDataType.DISPLAYMATRIX]
    return orientation_of_matrix(bytes(found[0])) if found else UPRIGHT


def facts_of(frame: VideoFrame, stream: VideoStream) -> StreamFacts:
    """Facts of an open stream and one of its frames."""
    orientation = orientation_of_frame(frame)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = frame.width, frame.height
    if aspect > 0 and aspect != 1:
        width = max(1, round(width * aspect))
    if orientation.swaps_sides:
        width, height = height, width
    return StreamFacts(
        codec=stream.codec_context.codec.canonical_name,
        width_px=width,
        height_px=height,
        orientation=orientation,
        declared_frame_count=int(stream.frames or 0),
    )


def read_facts(path: Path, format_name: str | None = None) -> StreamFacts:
    """Facts from the first frame that decodes. Raises NothingDecodedError."""
    with open_stream(path, format_name) as (container, stream):
        for packet in packets(container, stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            if frames:
                return facts_of(frames[0], stream)
    raise NothingDecodedError(f"no frame of {path} can be decoded", hint="the file is damaged; copy it again")
