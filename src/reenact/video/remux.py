"""Joining and cutting videos by their packets: nothing is decoded, no picture changes.

Joining needs parts of one encoder and setting (`coding_of` equal); cutting needs a key frame at the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from reenact.errors import InputError
from reenact.video.container import PacketIndex, open_stream, packets, read_index
from reenact.video.writer import sync_path

TICKS = 512
"""Units of a frame's duration in the files written here."""


class CannotCutError(InputError):
    """The cut is not at a key frame, or later frames refer across it."""


def coding_of(path: Path) -> tuple[str, int, int, str, bytes]:
    """Codec, size, pixel format and parameter sets; files that agree in all may be joined."""
    with open_stream(path) as (_, stream):
        context = stream.codec_context
        return (
            context.name,
            context.width,
            context.height,
            str(context.pix_fmt),
            bytes(context.extradata or b""),
        )


def join_files(parts: Sequence[Path], target: Path, fps_hz: int) -> None:
    """All parts behind one another in one mp4 of exactly `fps_hz`; parts must agree in `coding_of`."""
    _write([(path, 0, None) for path in parts], target, fps_hz)


def cut_file(path: Path, first: int, count: int, target: Path, fps_hz: int) -> None:
    """Frames [first, first + count) as an mp4 of their own.

    Raises:
        CannotCutError: `first` is not a key frame, or frames are stored out of order across a cut.
    """
    index = read_index(path)
    if not can_cut(index, first, count):
        raise CannotCutError(
            f"{path.name}: frame {first} is not a key frame", hint="decode and encode instead"
        )
    _write([(path, first, count)], target, fps_hz)


def can_cut(index: PacketIndex, first: int, count: int) -> bool:
    """Whether frames [first, first + count) stand on their own."""
    end = first + count
    return bool(index.is_key[first]) and (end >= len(index.is_key) or bool(index.is_key[end]))


def _write(pieces: Sequence[tuple[Path, int, int | None]], target: Path, fps_hz: int) -> None:
    """Copy the packets of each piece; a frame's time becomes its place times the frame's duration."""
    clock, start = Fraction(1, fps_hz * TICKS), 0
    plans = [_shown_places(*piece) for piece in pieces]
    lag = max(_lag(list(plan.values())) for plan in plans)
    with av.open(f"file:{target}", "w", format="mp4", options={"movflags": "+faststart"}) as out:
        stream = None
        for (path, _, _), plan in zip(pieces, plans, strict=True):
            with open_stream(path) as (container, source):
                if stream is None:
                    stream = out.add_stream_from_template(source, opaque=True)
                    stream.time_base = clock
                wanted = (p for p in packets(container, source) if p.size and p.pts in plan)
                for k, packet in enumerate(wanted):
                    shown = plan[int(packet.pts or 0)]
                    packet.stream, packet.time_base = stream, clock
                    packet.pts, packet.dts = (start + shown) * TICKS, (start + k - lag) * TICKS
                    packet.duration = TICKS
                    out.mux(packet)
            start += len(plan)
    sync_path(target)


def _shown_places(path: Path, first: int, count: int | None) -> dict[int, int]:
    """Time stamp of each wanted packet, in stored order -> place in the order shown."""
    index = read_index(path)
    end = len(index.pts) if count is None else first + count
    place = {int(p): k for k, p in enumerate(index.pts[first:end])}
    with open_stream(path) as (container, source):
        return {
            int(p.pts): place[int(p.pts)] for p in packets(container, source) if p.size and p.pts in place
        }


def _lag(shown: list[int]) -> int:
    """How many frames decoding must run ahead of showing, so that no frame is due before it is decoded."""
    return int(max(0, (np.arange(len(shown)) - np.array(shown)).max(initial=0)))
