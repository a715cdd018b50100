"""Writing constant-rate H.264 (or AV1), whole or not at all."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import UInt8

from reenact.errors import InputError
from reenact.video.errors import VideoWriteError

BT709 = 1
ENCODERS = {"h264": "libx264", "av1": "libsvtav1"}


class FrameShapeError(InputError):
    """A picture handed to the writer has another size, shape or dtype than the video."""


class VideoWriter:
    """An mp4 with H.264, yuv420p, tagged BT.709; use as a context manager.

    Frames go to a file beside the target, which takes the target's name only when all is written and synced;
    after an exception nothing is left. yuv420p knows no odd sizes: the last row or column is doubled then.
    """

    def __init__(
        self,
        path: str | Path,
        width_px: int,
        height_px: int,
        fps_hz: float | Fraction,
        *,
        keyframe_every: int = 30,
        crf: int = 23,
        preset: str = "veryfast",
        threads: int = 1,
        repeatable: bool = False,
        codec: Literal["h264", "av1"] = "h264",
    ) -> None:
        """``keyframe_every`` 2 costs five times the bytes of 30 for 2-3 times faster random access.

        The encoder's bytes depend on ``threads``, so that its default is not the machine's number of cores.
        ``repeatable``: the same pictures give the same bytes in any process. x264's macroblock tree does not (seen:
        3 files from 12 encodings of the same planes with one thread), so it is left out.
        ``codec``: AV1 is SVT-AV1 with one worker and its preset 8; ``preset`` is x264's.
        """
        self.path = Path(path)
        self.width_px, self.height_px = width_px, height_px
        self.frame_count = 0
        self.bytes_written = 0
        self._partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.partial")
        self._reformatter = VideoReformatter()
        rate = Fraction(fps_hz).limit_denominator(60_000)
        if rate <= 0 or width_px < 1 or height_px < 1:
            raise FrameShapeError(
                f"a video of {width_px}x{height_px} at {fps_hz} Hz", hint="all must be positive"
            )
        try:
            self._partial.touch()  # libavformat opens the file with the first frame only; complain now
            self._container = av.open(
                f"file:{self._partial}", "w", format="mp4", options={"movflags": "+faststart"}
            )
            self._stream = cast(VideoStream, self._container.add_stream(ENCODERS[codec], rate=rate))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise self._failure(error) from error
        context = self._stream.codec_context
        context.width, context.height = width_px + width_px % 2, height_px + height_px % 2
        context.pix_fmt = "yuv420p"
        context.gop_size, context.thread_count = keyframe_every, 1 if repeatable else threads
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = ColorRange.MPEG
        if codec == "av1":
            more = {"preset": "8", "svtav1-params": f"lp=1:keyint={keyframe_every}"}
        else:
            more = {"preset": preset} | ({"x264-params": "mbtree=0"} if repeatable else {})
        context.options = {"crf": str(crf), **more}

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.discard()

    def write(self, rgb: UInt8[np.ndarray, "h w 3"]) -> None:
        """Append one RGB picture.

        Raises:
            FrameShapeError: not uint8 ``h w 3`` of the video's size.
            VideoWriteError: no space, or the encoder failed.
        """
        if rgb.dtype != np.uint8 or rgb.shape != (self.height_px, self.width_px, 3):
            raise FrameShapeError(
                f"a picture of shape {rgb.shape} and dtype {rgb.dtype}",
                hint=f"uint8 ({self.height_px}, {self.width_px}, 3)",
            )
        even = np.pad(rgb, ((0, self.height_px % 2), (0, self.width_px % 2), (0, 0)), mode="edge")
        frame = self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
            threads=1,
        )
        frame.pts = self.frame_count
        frame.time_base = 1 / Fraction(self._stream.codec_context.framerate)
        self._encode(frame)
        self.frame_count += 1

    def close(self) -> None:
        """Finish, sync and give the file its name. Raises VideoWriteError, also when no frame was written."""
        if self.frame_count == 0:
            self.discard()
            raise VideoWriteError(f"no frame was written to {self.path}", hint="write one before closing")
        self._encode(None)
        try:
            self._container.close()
            sync_path(self._partial)
            os.replace(self._partial, self.path)
            sync_path(self.path.parent)
        except (av.error.FFmpegError, OSError) as error:
            self._partial.unlink(missing_ok=True)
            raise self._failure(error) from error

    def discard(self) -> None:
        """Throw away what was written."""
        with suppress(av.error.FFmpegError, OSError):  # a half-made file may not close cleanly
            self._container.close()
        self._partial.unlink(missing_ok=True)

    def _encode(self, frame: VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self.bytes_written += packet.size
                self._container.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            self.discard()
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> VideoWriteError:
        reason = getattr(error, "strerror", None) or error
        return VideoWriteError(
            f"cannot write {self.path}: {reason}", hint="check the folder, its mode and free space"
        )


def sync_path(path: Path) -> None:
    """Force a file's or folder's entry to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_frames(
    path: str | Path,
    frames: Iterable[UInt8[np.ndarray, "h w 3"]],
    fps_hz: float | Fraction,
    *,
    keyframe_every: int = 30,
    written: Callable[[int], None] | None = None,
) -> None:
    """All pictures into one video; the first decides its size; without a picture no file is made.

    ``written``: called with the number of pictures so far.

    Raises:
        FrameShapeError: a picture of another size.
        VideoWriteError: no space, or the folder may not be written.
    """
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        return
    height_px, width_px = first.shape[:2]
    with VideoWriter(path, width_px, height_px, fps_hz, keyframe_every=keyframe_every) as writer:
        for count, frame in enumerate(itertools.chain([first], rest), 1):
            writer.write(frame)
            if written is not None:
                written(count)
