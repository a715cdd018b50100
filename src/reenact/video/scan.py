"""One cheap pass over a whole file: small pictures at about half the rate, larger ones at wanted instants.

Frames that no other frame refers to are not decoded (about every second one in common H.264), and the decoder's
deblocking is left out: half the time of a full pass. Pictures may show faint blocks; times are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, UInt8

from reenact.video.convert import FrameConverter
from reenact.video.reader import VideoReader
from reenact.video.sampling import checked_grid


@dataclass(frozen=True, eq=False)
class ScanFrame:
    """One decoded frame in one or two sizes."""

    t_ns: int
    """Its own time from the first frame."""
    small: UInt8[np.ndarray, "h w 3"]
    """For measures over all frames."""
    large: UInt8[np.ndarray, "h2 w2 3"] | None
    """At the first frame on or after each wanted instant; None elsewhere."""


def scan_frames(
    reader: VideoReader,
    *,
    small_height: int = 144,
    large_height: int = 480,
    large_t_ns: Int64[np.ndarray, " g"] | None = None,
    is_draft: bool = True,
) -> Iterator[ScanFrame]:
    """Pictures of all frames that others refer to; with ``is_draft`` off, of all frames, decoded in full.

    Raises:
        NothingDecodedError: not one whole frame came out.
    """
    small, large = FrameConverter(reader.facts, small_height), FrameConverter(reader.facts, large_height)
    wanted = iter([] if large_t_ns is None else checked_grid(large_t_ns).tolist())
    due = next(wanted, None)
    for t_ns, frame in reader.decoded(is_draft=is_draft):
        is_due = due is not None and t_ns >= due
        while due is not None and t_ns >= due:
            due = next(wanted, None)
        yield ScanFrame(t_ns, small.rgb(frame), large.rgb(frame) if is_due else None)
