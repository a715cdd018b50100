"""Does the camera stand still? From blocks found again a moment later, and against the shot's first picture.

A rate alone does not see a camera that creeps, so the distance from the first picture is measured too. Both are medians
over blocks, then over time: people before the camera move a part of the blocks for a part of the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from reenact.filtering.blocks import BlockConfig, match_blocks
from reenact.filtering.pictures import Picture

STILL, MOVING, UNKNOWN = "still", "moving", "unknown"


@dataclass(frozen=True)
class CameraConfig:
    """Thresholds in image heights and seconds."""

    gap_s: float = 0.25
    """Time between the two pictures of a pair."""
    every_s: float = 0.5
    """Pause between two looks."""
    still_below: float = 0.03
    """Median rate of a still camera, heights per second."""
    wander_below: float = 0.02
    """Median distance from the shot's first picture of a still camera, heights."""
    min_found: float = 0.15
    """Share of blocks found again below which a look says only that everything moved."""
    min_looks: int = 2
    """Looks needed for a verdict."""
    blocks: BlockConfig = field(default_factory=BlockConfig)
    """How blocks are compared."""


@dataclass(frozen=True, kw_only=True)
class CameraLook:
    """One look."""

    t_ns: int
    """When."""
    heights_per_s: float | None
    """Median rate of the blocks found again; None where too few were (fast motion or blur)."""
    wander_heights: float | None
    """Their median distance from the first picture of the shot; None where too few were found there."""


@dataclass(frozen=True, kw_only=True)
class CameraVerdict:
    """What the looks at a stretch say together."""

    motion: str
    """``still``, ``moving`` or ``unknown``."""
    heights_per_s: float | None
    """Median rate; None without a single look that could be judged."""
    wander_heights: float | None
    """Median distance from the first picture; None as above."""
    lost_ratio: float
    """Share of looks where hardly anything was found again."""
    looks: int
    """How many."""


class CameraWatch:
    """Takes the pictures of a video in order; ``new_shot`` is called at every cut."""

    def __init__(self, config: CameraConfig) -> None:
        self.config = config
        self.looks: list[CameraLook] = []
        self._recent: deque[Picture] = deque()
        self._first: Picture | None = None
        self._next_ns = 0

    def new_shot(self) -> None:
        """Forget what was seen: the next picture is the first of its shot."""
        self._recent.clear()
        self._first = None

    def add(self, picture: Picture, rgb: UInt8[np.ndarray, "h w 3"]) -> None:
        """The next picture (as it came, too, for watches that need more of it); most cost nothing."""
        gap_ns = round(self.config.gap_s * 1e9)
        self._first = self._first or picture
        while self._recent and self._recent[0].t_ns < picture.t_ns - 1.5 * gap_ns:
            self._recent.popleft()
        before = next((p for p in self._recent if p.t_ns <= picture.t_ns - 0.7 * gap_ns), None)
        if before is not None and picture.t_ns >= self._next_ns:
            self._next_ns = picture.t_ns + round(self.config.every_s * 1e9)
            rate = self._distance(before, picture)
            seconds = (picture.t_ns - before.t_ns) / 1e9
            self.looks.append(
                CameraLook(
                    t_ns=picture.t_ns,
                    heights_per_s=None if rate is None else rate / seconds,
                    wander_heights=self._distance(self._first, picture),
                )
            )
        self._recent.append(picture)

    def _distance(self, before: Picture, now: Picture) -> float | None:
        matches = match_blocks(before, now, self.config.blocks)
        is_found = matches.is_found
        if is_found.sum() < self.config.blocks.min_blocks or matches.found_share < self.config.min_found:
            return None
        return float(np.median(np.linalg.norm(matches.displacement[is_found], axis=1)))


def camera_verdict(looks: list[CameraLook], config: CameraConfig) -> CameraVerdict:
    """Still only if neither the rate nor the distance speaks against it and most looks could be judged."""
    rates = [look.heights_per_s for look in looks if look.heights_per_s is not None]
    wanders = [look.wander_heights for look in looks if look.wander_heights is not None]
    rate = float(np.median(rates)) if rates else None
    wander = float(np.median(wanders)) if wanders else None
    lost = 1.0 - len(rates) / len(looks) if looks else 0.0
    if len(looks) < config.min_looks:
        motion = UNKNOWN
    elif rate is None or lost > 0.5:
        motion = MOVING
    elif (
        rate < config.still_below
        and len(wanders) >= 0.5 * len(looks)
        and (wander or 0.0) < config.wander_below
    ):
        motion = STILL
    else:
        motion = MOVING
    return CameraVerdict(
        motion=motion, heights_per_s=rate, wander_heights=wander, lost_ratio=lost, looks=len(looks)
    )
