"""Searching parts of the frame enlarged, and the frame made small, for hands the palm net does not find as it is.

A tile shows hands too small for the net's 192 pixels; a window larger than the frame gives hands cut by the
border, or filling the frame, the margin the net wants. Each window costs one palm-net run, so a
:class:`TileBudget` (runs per frame, saved up) says when they may run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, half-open; may reach beyond the frame."""


@dataclass(frozen=True)
class TileConfig:
    """When and how finely to search parts of the frame."""

    fractions: tuple[float, ...] = (1.45, 0.6, 0.35)
    """Window side over the frame's longer side; they take turns. Measured: 1.45 finds hands whose wrist is out of
    the frame; 0.6 and 0.35 are for small ones (a hand of 1/40 of a 2048 px frame is still not found)."""
    fine: float = 0.5
    """Windows finer than this are searched only while no hand at all is tracked."""
    min_overlap: float = 0.15
    """Shared part of neighbouring tiles, so that no palm is cut by every tile."""
    runs_per_frame: float = 0.35
    """Palm-net runs that windows may use per frame on average (about 6 ms each); 0 switches them off. Measured:
    0.5 finds no more than 0.3."""
    min_presence: float = 0.8
    """Landmark presence asked of a hand that only a window found."""


def square_tiles(width_px: int, height_px: int, fraction: float, min_overlap: float) -> list[Window]:
    """Equal square windows of ``fraction`` of the longer side that cover the frame, row by row.

    A fraction above 1 gives one window about the frame's centre that reaches beyond it.
    """
    longer = max(width_px, height_px)
    if fraction >= 1.0:
        side = round(longer * fraction)
        x, y = (width_px - side) // 2, (height_px - side) // 2
        return [(x, y, x + side, y + side)]
    side = min(round(longer * fraction), width_px, height_px)
    return [
        (x, y, x + side, y + side)
        for y in _starts(height_px, side, min_overlap)
        for x in _starts(width_px, side, min_overlap)
    ]


def _starts(length: int, side: int, min_overlap: float) -> list[int]:
    if side >= length:
        return [0]
    count = math.ceil((length - side) / (side * (1.0 - min_overlap))) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


@dataclass
class TileBudget:
    """Counts how many window runs may be spent; deterministic, no clocks."""

    config: TileConfig
    _saved: float = field(default=0.0, init=False)
    _turn: int = field(default=0, init=False)
    runs: int = field(default=0, init=False)

    def tick(self) -> None:
        """One more frame has passed; saves up at most two rounds of 16."""
        self._saved = min(self._saved + self.config.runs_per_frame, 32.0)

    def next_windows(self, width_px: int, height_px: int, *, anything_tracked: bool) -> list[Window]:
        """The windows to search now: those of the next fraction, none until enough runs are saved."""
        config = self.config
        fractions = [f for f in config.fractions if f >= config.fine or not anything_tracked]
        if not fractions or config.runs_per_frame <= 0:
            return []
        fraction = fractions[self._turn % len(fractions)]
        windows = square_tiles(width_px, height_px, fraction, config.min_overlap)
        if len(windows) > self._saved:
            return []
        self._saved -= len(windows)
        self._turn += 1
        self.runs += len(windows)
        return windows
