"""Small made-up videos with known content."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIDE_BITS = 6


def coded_frame(i: int, width: int = 96, height: int = 64) -> np.ndarray:
    """A picture that carries its own number as six black or white blocks along the bottom, on a smooth ground."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([100 + 60 * x / width, 100 + 60 * y / height, np.full_like(x, 120.0)], -1).astype(np.uint8)
    block = width // SIDE_BITS
    for bit in range(SIDE_BITS):
        rgb[height // 2 :, bit * block : (bit + 1) * block] = 235 if i >> bit & 1 else 20
    return rgb


def number_in(rgb: np.ndarray) -> int:
    """The number drawn by ``coded_frame``, at whatever size."""
    height, width, _ = rgb.shape
    row = rgb[int(height * 0.75)].mean(-1)
    centres = ((np.arange(SIDE_BITS) + 0.5) * (width // SIDE_BITS)).astype(int)
    return int(sum(1 << bit for bit, x in enumerate(centres) if row[x] > 128))


def write_with_pts(
    path: Path,
    pts: list[int],
    time_base: Fraction,
    *,
    gop: int = 12,
    b_frames: int = 2,
    container: str = "mp4",
) -> None:
    """Numbered frames at exactly these time stamps."""
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.time_base = time_base
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.options = {"crf": "12", "threads": "1", "x264-params": "scenecut=0"}
        for i, stamp in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(coded_frame(i), format="rgb24")
            frame.pts, frame.time_base = stamp, time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


def set_track_matrix(path: Path, matrix: tuple[float, ...]) -> None:
    """Overwrite the nine numbers of the video track header (16.16 fixed, last column 2.30) in an mp4's bytes."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4
    start += 40 if data[start] == 0 else 52  # version 0 or 1: flags, times, ids, layer, volume
    for i, value in enumerate(matrix):
        fraction_bits = 30 if i % 3 == 2 else 16
        data[start + 4 * i : start + 4 * i + 4] = int(value * (1 << fraction_bits)).to_bytes(
            4, "big", signed=True
        )
    path.write_bytes(bytes(data))
