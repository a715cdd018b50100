"""Frames of a video file: decoded, shrunk and turned to upright RGB in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from jaxtyping import Int64, UInt8

from reenact.video.container import PacketIndex, ns_of_pts, open_stream, packets, read_index
from reenact.video.convert import FrameConverter
from reenact.video.errors import NothingDecodedError
from reenact.video.facts import StreamFacts, read_facts
from reenact.video.info import VideoInfo, sha256_of_file
from reenact.video.probe import describe
from reenact.video.sampling import checked_grid


class VideoReader:
    """A video file. Opening it reads the packets' times; pixels are decoded only by ``frames``.

    Raises on opening:
        NoSuchVideoError, EmptyVideoError, NotAVideoError, NoVideoStreamError, NothingDecodedError,
        VideoTooLargeError.
    """

    def __init__(self, path: str | Path, threads: int = 0) -> None:
        """``threads``: of the decoder; 0 lets the codec choose, 1 is best with one process per core."""
        self.path = Path(path)
        self._threads = threads
        self._index = read_index(self.path)
        self._damaged = 0

    @cached_property
    def info(self) -> VideoInfo:
        """Size, rate, duration and digest (reads the whole file once, for the digest)."""
        return describe(self.path, self._index, self.facts, sha256_of_file(self.path))

    @cached_property
    def facts(self) -> StreamFacts:
        """Size and orientation, from the first frame; for this room's own use."""
        return read_facts(self.path)

    @property
    def index(self) -> PacketIndex:
        """Times and key frames by the packets."""
        return self._index

    @property
    def frame_t_ns(self) -> Int64[np.ndarray, " t"]:
        """Time of every frame from the first one on, by the packets."""
        return self._index.t_ns

    @property
    def damaged_frames(self) -> int:
        """Frames that the latest complete pass could not decode, or that the decoder marked as broken."""
        return self._damaged

    def frames(
        self, max_height: int | None = 480, grid_t_ns: Int64[np.ndarray, " g"] | None = None
    ) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
        """Times (ns from the first frame) and upright RGB pictures of at most ``max_height`` rows.

        Without a grid: every whole frame at its own time; damaged ones are left out and counted. With a grid:
        one picture per instant, the whole frame nearest in time, under the instant's own time.

        Raises:
            NothingDecodedError: not one whole frame came out.
        """
        converter = FrameConverter(self.facts, max_height)
        if grid_t_ns is None:
            return ((t, converter.rgb(frame)) for t, frame in self.decoded())
        return _on_grid(self.decoded(), converter, checked_grid(grid_t_ns))

    def decoded(self, *, is_draft: bool = False) -> Iterator[tuple[int, VideoFrame]]:
        """Raw decoded frames with their times; for this room's own use.

        A draft leaves out the frames that no other refers to, and the deblocking of the rest.
        """
        damaged, last_ns, shown = 0, -1, 0
        with open_stream(self.path) as (container, stream):
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = self._threads
            if is_draft:
                stream.codec_context.skip_frame = "NONREF"
                stream.codec_context.options = {"skip_loop_filter": "all"}
            for packet in packets(container, stream):
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    damaged += 1
                    continue
                for frame in frames:
                    t_ns = self._time_of(frame, shown)
                    shown += 1
                    if frame.is_corrupt or t_ns <= last_ns:
                        damaged += 1
                        continue
                    last_ns = t_ns
                    yield t_ns, frame
        self._damaged = damaged
        if last_ns < 0:
            raise NothingDecodedError(
                f"no frame of {self.path} can be decoded ({damaged} are damaged)", hint="copy the file again"
            )

    def _time_of(self, frame: VideoFrame, shown: int) -> int:
        stamp = frame.pts if self._index.has_pts and frame.pts is not None else shown
        return ns_of_pts(stamp, self._index.time_base) - self._index.start_ns


def _on_grid(
    decoded: Iterator[tuple[int, VideoFrame]], converter: FrameConverter, grid_t_ns: Int64[np.ndarray, " g"]
) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
    """The frame nearest to each instant, converting only those; holds two decoded frames at a time."""
    held_ns, held = next(decoded)
    picture = None
    todo = iter(grid_t_ns.tolist())
    wanted = next(todo, None)
    for t_ns, frame in decoded:
        while wanted is not None and wanted - held_ns <= t_ns - wanted:
            picture = converter.rgb(held) if picture is None else picture.copy()
            yield wanted, picture
            wanted = next(todo, None)
        if wanted is None:
            return
        held_ns, held, picture = t_ns, frame, None
    while wanted is not None:
        picture = converter.rgb(held) if picture is None else picture.copy()
        yield wanted, picture
        wanted = next(todo, None)
