"""Opening a media file safely and reading its packets' times, without decoding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from jaxtyping import Bool, Int64

from reenact.video.errors import (
    EmptyVideoError,
    NoSuchVideoError,
    NotAVideoError,
    NothingDecodedError,
    NoVideoStreamError,
    VideoTooLargeError,
)

# Containers that hold their own bytes. Playlists (hls, concat, sdp, dash) name other files and are refused.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,ivf,h264,hevc,gif,mjpeg,"
    "jpeg_pipe,png_pipe,wav,mp3,flac,aac"
)
MAX_PIXELS = 8192 * 8192
NS = 1_000_000_000


@dataclass(frozen=True)
class PacketIndex:
    """Times and key frames of every picture of a stream in the order they are shown."""

    t_ns: Int64[np.ndarray, " t"]
    """Time from the first frame, strictly rising."""
    is_key: Bool[np.ndarray, " t"]
    """True where decoding may start."""
    pts: Int64[np.ndarray, " t"]
    """Raw time stamps in the stream's time base (frame numbers where the file has none)."""
    start_ns: int
    """The container's clock at the first frame."""
    end_ns: int
    """When the last frame ends, from the first frame."""
    time_base: Fraction
    """Seconds per unit of ``pts``."""
    has_pts: bool
    """False where the file has no time stamps and the frames are counted at the stream's rate instead."""


def ns_of_pts(pts: int, time_base: Fraction) -> int:
    """Nanoseconds of a time stamp, exact integer arithmetic, halves rounded up."""
    denominator = time_base.denominator
    return (2 * pts * time_base.numerator * NS + denominator) // (2 * denominator)


def _checked_file(path: Path) -> Path:
    if not path.exists():
        raise NoSuchVideoError(f"no such file: {path}", hint="check the path")
    if not path.is_file():
        raise NoSuchVideoError(
            f"not a file: {path}", hint="give a video file or a folder of .jpg/.png pictures"
        )
    if path.stat().st_size == 0:
        raise EmptyVideoError(f"the file has 0 bytes: {path}", hint="it may still be downloading")
    return path


def _open(path: Path, format_name: str | None) -> InputContainer:
    url = f"file:{_checked_file(path)}"
    try:
        return av.open(url, format=format_name, options={"format_whitelist": FORMATS})
    except PermissionError as error:
        raise NoSuchVideoError(f"no permission to read {path}", hint="check the file's mode") from error
    except av.error.EOFError as error:
        raise NothingDecodedError(
            f"{path} ends within its header", hint="it is cut off; copy it again"
        ) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NotAVideoError(
            f"not a video: {path} ({reason})", hint="mp4, mov, mkv, webm, avi and the like are read"
        ) from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "no streams"
        raise NoVideoStreamError(
            f"no moving pictures in {path}, only: {kinds}", hint="give a file with video"
        )
    stream = streams[0]
    if stream.codec_context is None:
        raise NotAVideoError(f"no decoder for the video codec in {path}", hint="convert it to H.264")
    if stream.width * stream.height > MAX_PIXELS:
        raise VideoTooLargeError(
            f"frames of {stream.width}x{stream.height} in {path}", hint="at most 8192x8192"
        )
    return stream


@contextmanager
def open_stream(path: Path, format_name: str | None = None) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its first moving-picture stream; ``format_name`` skips the guess from the content.

    Raises:
        NoSuchVideoError, EmptyVideoError, NotAVideoError, NoVideoStreamError, VideoTooLargeError.
    """
    with _open(path, format_name) as container:
        yield container, _video_stream(container, path)


def packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
    """Packets of the stream; a file that breaks off ends the sequence instead of raising."""
    try:
        yield from container.demux(stream)
    except av.error.FFmpegError:
        return


def nominal_step(stream: VideoStream) -> Fraction:
    """Seconds per frame by the container's own word; 1/30 where it says nothing."""
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    return 1 / Fraction(rate) if rate else Fraction(1, 30)


def read_index(path: Path) -> PacketIndex:
    """Times of all frames from the packets alone (about 1 ms per 1000 frames; nothing is decoded)."""
    with open_stream(path) as (container, stream):
        found = [
            (p.pts, p.duration or 0, p.is_keyframe)
            for p in packets(container, stream)
            if p.size and not p.is_discard
        ]
        if not found:
            raise NothingDecodedError(f"no frame in {path}", hint="the file may be cut off after its header")
        has_pts = all(pts is not None for pts, _, _ in found)
        step = nominal_step(stream)
        time_base = stream.time_base if has_pts and stream.time_base else step
    rows = sorted(found) if has_pts else [(i, 1, key) for i, (_, _, key) in enumerate(found)]
    return _index_of_rows(rows, time_base, step, has_pts)


def _index_of_rows(rows: list, time_base: Fraction, step: Fraction, has_pts: bool) -> PacketIndex:
    pts = np.array([row[0] for row in rows], np.int64)
    first_of_time = np.concatenate([[True], np.diff(pts) > 0])
    absolute_ns = np.array([ns_of_pts(int(p), time_base) for p in pts[first_of_time]], np.int64)
    last_ns = ns_of_pts(rows[-1][1], time_base)
    if last_ns <= 0:
        last_ns = int(np.median(np.diff(absolute_ns))) if len(absolute_ns) > 1 else round(step * NS)
    return PacketIndex(
        t_ns=absolute_ns - absolute_ns[0],
        is_key=np.array([row[2] for row in rows], bool)[first_of_time],
        pts=pts[first_of_time],
        start_ns=int(absolute_ns[0]),
        end_ns=int(absolute_ns[-1] - absolute_ns[0] + last_ns),
        time_base=time_base,
        has_pts=has_pts,
    )
