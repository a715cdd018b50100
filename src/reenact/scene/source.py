"""Where a value came from: one code per row of every track, so that a guess can never pass as a measurement."""

from __future__ import annotations

from enum import IntEnum


class Source(IntEnum):
    """Stored as uint8 in every track's `source` array."""

    UNKNOWN = 0
    """Nothing is known; `valid` is False."""
    OBSERVED = 1
    """Measured in this frame."""
    FILLED = 2
    """Interpolated over a gap from frames around it."""
    SMOOTHED = 3
    """Measured, then moved by whole-clip smoothing or refinement."""
    SIMULATED = 4
    """Made by a physics simulation."""
    TRUTH = 5
    """Known exactly (toy world, motion capture)."""
