"""Display matrices: how a stored picture must be turned so that up is up."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

MATRIX_BYTES = 36


@dataclass(frozen=True)
class Orientation:
    """Mirror left-right if ``is_mirrored``, then turn counter-clockwise by ``quarter_turns`` x 90 degrees."""

    quarter_turns: int = 0
    is_mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """True where width and height change places."""
        return self.quarter_turns % 2 == 1

    def apply(self, rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h2 w2 3"]:
        """The upright picture, contiguous; the same array where nothing is to be done."""
        if self.is_mirrored:
            rgb = rgb[:, ::-1]
        return np.ascontiguousarray(np.rot90(rgb, self.quarter_turns))


UPRIGHT = Orientation()


def orientation_of_matrix(matrix: bytes) -> Orientation:
    """Orientation from the nine native int32 of a display matrix; angles are rounded to quarter turns.

    A stored pixel (x, y) is shown at (a x + c y, b x + d y) (ISO/IEC 14496-12, tkhd; libavutil/display.h),
    x to the right and y down in both. A mirror is part of it where the determinant a d - b c is negative.
    """
    if len(matrix) < MATRIX_BYTES:
        return UPRIGHT
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix[:MATRIX_BYTES])
    is_mirrored = a * d - b * c < 0
    if is_mirrored:  # undo the mirror (x -> -x), which came first
        a, b = -a, -b
    if a == 0 and b == 0:
        return UPRIGHT
    turns = (
        round(float(np.arctan2(-b, a)) / (np.pi / 2)) % 4
    )  # stored x axis shown at (a, b), y down: ccw is -b
    return Orientation(turns, is_mirrored)
