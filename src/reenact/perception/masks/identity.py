"""Is what is followed still the thing at the seed? A chain of sure sights, and what happens where it is in doubt.

Where an object is hidden, lost or overlapped while a look-alike is near, what comes out may be either. It is believed
only if it can be followed back to where the doubt began; else the object is unknown from there on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from reenact.perception.masks.follower import ObjectFollower


@dataclass(frozen=True)
class IdentityConfig:
    """When identity is in doubt and when it is sure again."""

    near: float = 0.6
    """A look-alike this near (roots of the object's area) may be taken for it."""
    near_when_lost: float = 3.0
    """The same while the object is hidden or lost."""
    covered: float = 0.35
    """With a look-alike near, an object of which other things cover more than this is in doubt."""
    hidden: float = 0.75
    """So is one of which hands and things hide more than this in all."""
    clear: float = 0.6
    """Both must fall to this part of their limit for it to come out of doubt."""
    jump: float = 1.35
    """So is one whose area changes by this factor (either way) against the last sure sight."""
    foreign: float = 0.3
    """So is one with more than this share of pixels that came from where it was not."""
    native: float = 0.15
    """It comes out of that doubt below this share."""
    area_s: float = 2.0
    """The sure area is renewed in about this time."""
    longest_s: float = 0.7
    """Longer doubts are not followed back."""
    same: float = 0.5
    """Jaccard of the outline followed back with the last sure one."""


@dataclass
class Chain:
    """One object in one direction."""

    config: IdentityConfig
    step: int
    """Of the last sure sight."""
    mask: Bool[np.ndarray, "h w"]
    area: float
    since: int | None = None
    """Step at which the doubt began."""
    twin: bool = False
    """A look-alike was near since then."""
    broken: bool = False
    seconds: float = 0.0
    why: str = ""
    cause: str = ""
    back: str = ""

    def look(
        self, step: int, dt: float, follower: ObjectFollower, gaps: tuple[float, float],
        back: Callable[[int, int], Bool[np.ndarray, "h w"] | None],
    ) -> bool:  # fmt: skip
        """Judge one more step; True where what is followed is to be believed.

        ``gaps``: distance of the nearest look-alike, and of the nearest that has not stayed in sight where it was, roots of
        the area; ``back(step, to)``: the outline followed back.
        """
        c = self.config
        if self.broken:
            return False
        seen = follower.valid and follower.lost_s is None
        near = seen and gaps[0] < c.near
        loose = gaps[1] < (c.near if seen else c.near_when_lost)
        area = float(follower.seen.sum())
        most = 1.0 if self.since is None else c.clear
        concealed = follower.covered_share > most * c.covered or follower.hidden_share > most * c.hidden
        grown = area / max(self.area, 1.0)
        jumps = near and (grown > c.jump or (grown < 1 / c.jump and follower.hidden_share < 0.1))
        slid = near and follower.foreign > (c.foreign if self.since is None else c.native)
        doubtful = not seen or slid or jumps or (loose and concealed)
        if doubtful:
            if self.since is None:
                self.since, self.twin, self.seconds = step, False, 0.0
                self.cause = (
                    "slid over"
                    if slid
                    else "area jumped"
                    if jumps
                    else "partly hidden"
                    if seen
                    else "not seen"
                )
            self.twin |= slid or jumps or loose
            self.seconds += dt
            return seen and not self.twin
        if self.since is not None and self.twin and not self._returns(step, back):
            self.broken, self.why = (
                True,
                f"{self.cause} for {self.seconds:.2f} s beside a look-alike; followed back: {self.back}",
            )
            return False
        self.since, self.step, self.mask = None, step, follower.seen
        if follower.hidden_share < 0.1:
            self.area += -float(np.expm1(-dt / self.config.area_s)) * (area - self.area)
        return True

    def _returns(self, step: int, back: Callable[[int, int], Bool[np.ndarray, "h w"] | None]) -> bool:
        if self.seconds > self.config.longest_s:
            self.back = "too long"
            return False
        there = back(step, self.step)
        if there is None:
            self.back = "lost"
            return False
        same = float((there & self.mask).sum()) / max(float((there | self.mask).sum()), 1.0)
        self.back = f"Jaccard {same:.2f}"
        return same > self.config.same
