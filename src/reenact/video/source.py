"""One protocol for whatever gives pictures over time, and the door that picks the right reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, UInt8

from reenact.video.info import VideoInfo


@runtime_checkable
class VideoSource(Protocol):
    """A video file or a folder of pictures."""

    @property
    def info(self) -> VideoInfo:
        """Size, rate, duration, digest."""

    @property
    def frame_t_ns(self) -> Int64[np.ndarray, " t"]:
        """Time of every frame from the first one on."""

    @property
    def damaged_frames(self) -> int:
        """Frames that the latest complete pass could not decode and left out."""

    def frames(
        self, max_height: int | None = 480, grid_t_ns: Int64[np.ndarray, " g"] | None = None
    ) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
        """Upright RGB pictures with their times; see ``VideoReader.frames``."""


def open_video(path: str | Path, *, fps_hz: float | None = None, threads: int = 0) -> VideoSource:
    """A reader for a video file, or for a folder of pictures (named by nanoseconds, or ``fps_hz`` given).

    Raises:
        VideoError: the named subclasses in ``reenact.video.errors``.
    """
    path = Path(path)
    if path.is_dir():
        from reenact.video.folder import ImageFolderReader

        return ImageFolderReader(path, fps_hz=fps_hz)
    from reenact.video.reader import VideoReader

    return VideoReader(path, threads=threads)
