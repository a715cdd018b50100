"""Everything about a video file that can be told from its packets and its first frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reenact.video.container import NS, PacketIndex, read_index
from reenact.video.facts import StreamFacts, read_facts
from reenact.video.info import VideoInfo, sha256_of_file

RATE_TOLERANCE = 0.02
"""Share of the median by which frame distances may differ, beyond rounding, at a constant rate."""


def is_variable_rate(index: PacketIndex) -> bool:
    """True where frame distances differ by more than the container's rounding; a dropped frame is enough."""
    if len(index.t_ns) < 3:
        return False
    steps = np.diff(index.t_ns).astype(float)
    median = float(np.median(steps))
    tick_ns = float(index.time_base * NS) if index.has_pts else 0.0
    return bool(np.abs(steps - median).max() > max(1.5 * tick_ns, RATE_TOLERANCE * median))


def describe(path: Path, index: PacketIndex, facts: StreamFacts, sha256: str) -> VideoInfo:
    """``VideoInfo`` of a file that was looked into already."""
    ticks = int(index.pts[-1] - index.pts[0])
    return VideoInfo(
        name=path.name,
        sha256=sha256,
        codec=facts.codec,
        width_px=facts.width_px,
        height_px=facts.height_px,
        rotation_deg=90 * facts.orientation.quarter_turns,
        is_mirrored=facts.orientation.is_mirrored,
        nominal_fps_hz=float((len(index.pts) - 1) / (ticks * index.time_base)) if ticks else 0.0,
        is_variable_rate=is_variable_rate(index),
        start_ns=index.start_ns,
        duration_ns=index.end_ns,
        frame_count=len(index.t_ns),
        declared_frame_count=facts.declared_frame_count,
    )


def probe(path: str | Path) -> VideoInfo:
    """Size, rate, duration, frame count and digest of a video file; one frame is decoded, for its rotation.

    Raises:
        NoSuchVideoError, EmptyVideoError, NotAVideoError, NoVideoStreamError, NothingDecodedError,
        VideoTooLargeError.
    """
    path = Path(path)
    return describe(path, read_index(path), read_facts(path), sha256_of_file(path))
