"""A folder of pictures as a video source."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from jaxtyping import Int64, UInt8

from reenact.video.container import PacketIndex, ns_of_pts, open_stream, packets
from reenact.video.convert import FrameConverter
from reenact.video.errors import (
    EmptyVideoError,
    ImageNameError,
    NothingDecodedError,
    PictureSizeError,
    VideoError,
)
from reenact.video.facts import StreamFacts, read_facts
from reenact.video.info import VideoInfo, sha256_of_file
from reenact.video.probe import describe
from reenact.video.sampling import checked_grid, nearest_frames

FORMAT_OF_SUFFIX = {".jpg": "jpeg_pipe", ".jpeg": "jpeg_pipe", ".png": "png_pipe"}
NS_DIGITS = 16
"""File names of at least this many digits are read as nanoseconds (16 digits: from 116 days on)."""


def _natural_key(path: Path) -> list[tuple[int, str]]:
    """``frame2`` before ``frame10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.stem)]


def _times_by_name(files: list[Path]) -> list[int]:
    stems = [file.stem for file in files]
    odd = next((stem for stem in stems if not (stem.isdigit() and len(stem) >= NS_DIGITS)), None)
    if odd is not None:
        raise ImageNameError(
            f"the picture name {odd!r} is no time stamp in nanoseconds ({NS_DIGITS} digits or more)",
            hint="rename the pictures, or give their rate in Hz",
        )
    return [int(stem) for stem in stems]


class ImageFolderReader:
    """Pictures (.jpg, .jpeg, .png) of one folder in the order of their time stamps, or of their names at a rate.

    Raises on opening:
        EmptyVideoError: no picture in the folder.
        ImageNameError: no rate was given and the names are no nanoseconds, or two pictures share a time.
    """

    def __init__(self, path: str | Path, *, fps_hz: float | None = None) -> None:
        """``fps_hz``: pictures at this rate, ordered by name; without it the names must be nanoseconds."""
        self.path = Path(path)
        files = [file for file in self.path.iterdir() if file.suffix.lower() in FORMAT_OF_SUFFIX]
        if not files:
            raise EmptyVideoError(f"no .jpg or .png picture in {self.path}", hint="give a folder of pictures")
        self._files = sorted(files, key=_natural_key)
        if fps_hz is None:
            stamps, self._time_base = _times_by_name(self._files), Fraction(1, 1_000_000_000)
        else:
            stamps, self._time_base = list(range(len(files))), 1 / Fraction(fps_hz).limit_denominator(60_000)
        self._pts = np.array(stamps, np.int64)
        if (np.diff(self._pts) <= 0).any():
            raise ImageNameError(f"two pictures of {self.path} have the same time", hint="keep one of each")
        self._damaged = 0

    @cached_property
    def index(self) -> PacketIndex:
        """Times by the file names; every picture is a key frame."""
        absolute_ns = np.array([ns_of_pts(int(p), self._time_base) for p in self._pts], np.int64)
        steps = np.diff(absolute_ns)
        last_ns = int(np.median(steps)) if len(steps) else ns_of_pts(1, self._time_base)
        return PacketIndex(
            t_ns=absolute_ns - absolute_ns[0],
            is_key=np.ones(len(absolute_ns), bool),
            pts=self._pts,
            start_ns=int(absolute_ns[0]),
            end_ns=int(absolute_ns[-1] - absolute_ns[0]) + last_ns,
            time_base=self._time_base,
            has_pts=True,
        )

    @cached_property
    def info(self) -> VideoInfo:
        """Size, rate, duration; the digest covers names and bytes of all pictures in order."""
        digest = hashlib.sha256()
        for file in self._files:
            digest.update(f"{file.name}\0{sha256_of_file(file)}\n".encode())
        return describe(self.path, self.index, self.facts, digest.hexdigest())

    @cached_property
    def facts(self) -> StreamFacts:
        """Size and orientation, from the first picture that decodes; for this room's own use."""
        for file in self._files:
            try:
                return read_facts(file, FORMAT_OF_SUFFIX[file.suffix.lower()])
            except VideoError:
                continue
        raise NothingDecodedError(
            f"none of {len(self._files)} pictures of {self.path} decodes", hint="copy them again"
        )

    @property
    def frame_t_ns(self) -> Int64[np.ndarray, " t"]:
        """Time of every picture from the first one on."""
        return self.index.t_ns

    @property
    def damaged_frames(self) -> int:
        """Pictures that the latest complete pass could not decode."""
        return self._damaged

    def frames(
        self, max_height: int | None = 480, grid_t_ns: Int64[np.ndarray, " g"] | None = None
    ) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
        """As ``VideoReader.frames``, but with a grid a damaged picture is left out, not replaced.

        Raises:
            NothingDecodedError: not one picture decodes.
            PictureSizeError: a picture has another size than the first.
        """
        if grid_t_ns is None:
            rows = list(zip(self.frame_t_ns.tolist(), range(len(self._files)), strict=True))
        else:
            grid_t_ns = checked_grid(grid_t_ns)
            rows = list(
                zip(grid_t_ns.tolist(), nearest_frames(self.frame_t_ns, grid_t_ns).tolist(), strict=True)
            )
        return self._pictures(rows, FrameConverter(self.facts, max_height))

    def _pictures(
        self, rows: list[tuple[int, int]], converter: FrameConverter
    ) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
        damaged = 0
        for t_ns, i in rows:
            frame = self._decode(self._files[i])
            if frame is None:
                damaged += 1
                continue
            yield t_ns, converter.rgb(frame)
        self._damaged = damaged

    def _decode(self, file: Path) -> VideoFrame | None:
        """The picture, or None where it is damaged."""
        try:
            with open_stream(file, FORMAT_OF_SUFFIX[file.suffix.lower()]) as (container, stream):
                frames = [frame for packet in packets(container, stream) for frame in packet.decode()]
        except (VideoError, av.error.FFmpegError):
            return None
        if not frames or frames[0].is_corrupt:
            return None
        first = self.facts.width_px, self.facts.height_px
        size = frames[0].width, frames[0].height
        if sorted(size) != sorted(first):
            raise PictureSizeError(
                f"{file.name} is {size[0]}x{size[1]}, the first {first[0]}x{first[1]}", hint="one size"
            )
        return frames[0]
