"""A few pictures out of a long file: seek to the key frame before each, decode no further than needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import Int64, UInt8

from reenact.video.container import PacketIndex, open_stream, packets
from reenact.video.convert import FrameConverter
from reenact.video.reader import VideoReader
from reenact.video.sampling import checked_grid, nearest_frames


@dataclass(frozen=True)
class SparsePlan:
    """Which frames will be read and how many must be decoded for them."""

    frame_idx: Int64[np.ndarray, " n"]
    """Chosen frames, rising, each once."""
    start_idx: Int64[np.ndarray, " n"]
    """The key frame from which each is reached."""
    decoded_frames: int
    """Upper bound of the frames decoded; those that no other frame refers to are skipped on the way."""


def plan_sparse(index: PacketIndex, grid_t_ns: Int64[np.ndarray, " g"], tolerance_ns: int = 0) -> SparsePlan:
    """The frame nearest to each instant, or a key frame within the tolerance: that costs only one frame."""
    grid_t_ns = checked_grid(grid_t_ns)
    keys = np.union1d([0], np.flatnonzero(index.is_key))  # a file need not begin with a marked key frame
    key = keys[nearest_frames(index.t_ns[keys], grid_t_ns)]
    is_close = np.abs(index.t_ns[key] - grid_t_ns) <= tolerance_ns
    frame_idx = np.unique(np.where(is_close, key, nearest_frames(index.t_ns, grid_t_ns)))
    start_idx = keys[np.searchsorted(keys, frame_idx, side="right") - 1]
    last_of_start = dict(zip(start_idx.tolist(), frame_idx.tolist(), strict=True))
    cost = sum(last - start + 1 for start, last in last_of_start.items())
    return SparsePlan(frame_idx, start_idx, cost)


def frames_near(
    reader: VideoReader,
    grid_t_ns: Int64[np.ndarray, " g"],
    *,
    max_height: int | None = 480,
    tolerance_ns: int = 0,
    is_draft: bool = False,
) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
    """Own times and pictures of the frames nearest to the instants, each frame once, in rising order.

    A key frame within ``tolerance_ns`` of an instant is taken instead. Frames that cannot be decoded are left out.
    A draft saves the deblocking: faint blocks for a third of the time.
    In a file without time stamps everything is decoded, since nothing can be sought there.
    """
    plan = plan_sparse(reader.index, grid_t_ns, tolerance_ns)
    if not reader.index.has_pts:
        wanted_ns = set(reader.index.t_ns[plan.frame_idx].tolist())
        yield from ((t_ns, rgb) for t_ns, rgb in reader.frames(max_height) if t_ns in wanted_ns)
        return
    converter = FrameConverter(reader.facts, max_height)
    with open_stream(reader.path) as (container, stream):
        stream.thread_type, stream.codec_context.thread_count = "SLICE", 1  # frame threads would read ahead
        if is_draft:
            stream.codec_context.options = {"skip_loop_filter": "all"}
        for start in np.unique(plan.start_idx).tolist():
            wanted = plan.frame_idx[plan.start_idx == start]
            for i, frame in _decode_run(container, stream, reader.index, start, wanted):
                yield int(reader.index.t_ns[i]), converter.rgb(frame)


def frames_between(
    reader: VideoReader, start_ns: int, end_ns: int, *, max_height: int | None = 480, is_draft: bool = False
) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
    """All frames in the closed interval, with their times."""
    t_ns = reader.frame_t_ns
    inside = t_ns[(t_ns >= start_ns) & (t_ns <= end_ns)]
    return frames_near(reader, inside, max_height=max_height, is_draft=is_draft) if len(inside) else iter(())


def _decode_run(
    container: InputContainer,
    stream: VideoStream,
    index: PacketIndex,
    start: int,
    wanted: Int64[np.ndarray, " n"],
) -> Iterator[tuple[int, VideoFrame]]:
    """Wanted frames behind one key frame, in the order they are shown."""
    idx_of_pts = {int(index.pts[i]): int(i) for i in wanted}
    unread = set(idx_of_pts)
    container.seek(int(index.pts[start]), stream=stream, backward=True)
    for packet in packets(container, stream):
        if not packet.size:
            break
        stream.codec_context.skip_frame = "DEFAULT" if packet.pts in idx_of_pts else "NONREF"
        yield from _wanted_frames(packet, stream, idx_of_pts)
        unread.discard(packet.pts)
        if not unread:
            break
    yield from _wanted_frames(None, stream, idx_of_pts)


def _wanted_frames(
    packet: Packet | None, stream: VideoStream, idx_of_pts: dict[int, int]
) -> Iterator[tuple[int, VideoFrame]]:
    """Decoded frames among the wanted ones; without a packet, those that the decoder still holds."""
    try:
        frames = stream.codec_context.decode(packet)
    except av.error.FFmpegError:
        return
    for frame in frames:
        if frame.pts in idx_of_pts and not frame.is_corrupt:
            yield idx_of_pts[frame.pts], frame
