"""Shot boundaries from pictures in order, at any rate of about 8 Hz or more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import UInt8

from reenact.filtering.blocks import BlockConfig, is_blank, structure_change
from reenact.filtering.pictures import Picture, colour_change, grey_change, picture_of

ReadFrames = Callable[[int, int], Iterable[tuple[int, UInt8[np.ndarray, "h w 3"]]]]
"""``read_frames(start_ns, end_ns)``: all frames in the closed interval, with their times."""
HARD, BLANK, DISSOLVE = "cut", "blank", "dissolve"


@dataclass(frozen=True)
class CutConfig:
    """When two neighbouring pictures belong to different shots."""

    min_change: float = 0.4
    """Change from which on there is a cut. Measured on eight clips at 30 and 15 Hz: <= 0.23 within, >= 0.53 across."""
    full_colour_change: float = 0.15
    """Colour change from which on the structure counts in full: two shots share some of their colours, not most."""
    look_closer_grey: float = 0.3
    """Grey change in place below which the structure is not looked at (>= 0.49 across clips)."""
    look_closer_colour: float = 0.06
    """Colour change below which the structure is not looked at (>= 0.43 across clips)."""
    flash_s: float = 0.4
    """A scene that is back after this time was not cut: a flash, a passing hand, a few broken frames."""
    same_scene: float = 0.3
    """Structure change below which two pictures show the same scene."""
    blocks: BlockConfig = field(default_factory=BlockConfig)
    """How structure is compared."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A boundary between two shots; the interval [start_ns, end_ns) belongs to neither."""

    start_ns: int
    """First instant that is not of the shot before."""
    end_ns: int
    """First frame of the shot after; equal to ``start_ns`` for a hard cut placed on the very frame."""
    kind: str
    """``cut``, ``blank`` (even pictures in between) or ``dissolve``."""
    change: float
    """Change measured across it, 0..1."""


@dataclass(eq=False)
class _Suspect:
    """A pair of neighbours that may lie in different shots, and what is needed to decide."""

    before: list[Picture]
    """Pictures up to the pair's first one, latest last."""
    after: list[Picture]
    """Pictures from the pair's second one on."""
    blank_ns: int | None
    """When the blank pictures between the two began; None where there are none."""


class CutFinder:
    """Takes pictures one at a time and keeps about a second of them."""

    def __init__(self, config: CutConfig, read_frames: ReadFrames | None = None) -> None:
        """``read_frames`` gives the frames between two looks: to tell the exact one and to verify at full rate.

        Without it a cut takes the time between two looks with it; with it, every cut costs some decoding.
        """
        self.config, self._read = config, read_frames
        self._flash_ns = round(config.flash_s * 1e9)
        self._seen: deque[Picture] = deque()
        self._suspects: list[_Suspect] = []
        self._blank_ns: int | None = None
        self.cuts: list[Cut] = []

    def add(self, picture: Picture) -> None:
        """The next picture."""
        if is_blank(picture, self.config.blocks):
            self._blank_ns = picture.t_ns if self._blank_ns is None else self._blank_ns
            return
        for suspect in self._suspects:
            suspect.after.append(picture)
        if not self._seen:
            if self._blank_ns is not None:
                self._keep(self._blank_ns, picture.t_ns, BLANK, 1.0)
        elif self._blank_ns is not None or self._looks_changed(self._seen[-1], picture):
            self._suspects.append(_Suspect(list(self._seen), [picture], self._blank_ns))
        self._blank_ns = None
        self._seen.append(picture)
        while self._seen[0].t_ns < picture.t_ns - self._flash_ns:
            self._seen.popleft()
        self._decide(picture.t_ns - self._flash_ns)

    def finish(self, end_ns: int) -> list[Cut]:
        """All cuts, in order; ``end_ns`` is the end of the video."""
        self._decide(end_ns)
        if self._blank_ns is not None:
            self._keep(self._blank_ns, end_ns, BLANK, 1.0)
            self._blank_ns = None
        self.cuts.sort(key=lambda cut: cut.start_ns)
        return self.cuts

    def _keep(self, start_ns: int, end_ns: int, kind: str, change: float) -> None:
        self.cuts.append(Cut(start_ns=start_ns, end_ns=end_ns, kind=kind, change=change))

    def _looks_changed(self, a: Picture, b: Picture) -> bool:
        c = self.config
        return colour_change(a, b) >= c.look_closer_colour and grey_change(a, b) >= c.look_closer_grey

    def _decide(self, until_ns: int) -> None:
        """Decide the suspects after which enough has been seen."""
        while self._suspects and self._suspects[0].after[0].t_ns <= until_ns:
            suspect = self._suspects.pop(0)
            if suspect.blank_ns is not None:
                self._decide_blank(suspect, suspect.blank_ns)
                continue
            change = change_between(suspect.before[-1], suspect.after[0], self.config)
            if change >= self.config.min_change and not self._comes_back(suspect):
                self._cut_hard(suspect, change)

    def _decide_blank(self, suspect: _Suspect, blank_ns: int) -> None:
        """Long blanks part two shots; short ones only if the scene after is another one."""
        before = _first_clear(
            suspect.before[::-1]
        )  # within a fade the nearest pictures are too dark to compare
        after = _first_clear(suspect.after)
        change = structure_change(before, after, self.config.blocks)
        is_long = suspect.after[0].t_ns - blank_ns > self._flash_ns
        if is_long or (change >= self.config.min_change and not self._comes_back(suspect)):
            self._keep(blank_ns, suspect.after[0].t_ns, BLANK, change)

    def _comes_back(self, suspect: _Suspect) -> bool:
        """True where the scene before is seen again soon after, or the scene after was seen shortly before."""
        last, first, c = suspect.before[-1], suspect.after[0], self.config
        later = [p for p in suspect.after[1:] if p.t_ns <= first.t_ns + self._flash_ns]
        earlier = [p for p in suspect.before[:-1] if p.t_ns >= last.t_ns - self._flash_ns]
        return any(structure_change(last, p, c.blocks) < c.same_scene for p in later) or any(
            structure_change(p, first, c.blocks) < c.same_scene for p in earlier
        )

    def _cut_hard(self, suspect: _Suspect, change: float) -> None:
        last, first = suspect.before[-1], suspect.after[0]
        if self._read is None:
            self._keep(last.t_ns + 1, first.t_ns, HARD, change)  # what lies between may be of either shot
            return
        exact = strongest_change(self._read(last.t_ns, first.t_ns), self.config)
        if exact is not None:
            self._keep(exact[0], exact[0], HARD, exact[1])


def _first_clear(pictures: list[Picture]) -> Picture:
    """The first one with at least half the contrast of the best."""
    contrasts = [float(picture.grey.std()) for picture in pictures]
    return next(
        p for p, contrast in zip(pictures, contrasts, strict=True) if contrast >= 0.5 * max(contrasts)
    )


def change_between(a: Picture, b: Picture, config: CutConfig) -> float:
    """Structure change, weighed down where the colours hardly changed; 0..1."""
    weight = min(1.0, colour_change(a, b) / config.full_colour_change)
    return weight * structure_change(a, b, config.blocks) if weight >= config.min_change else 0.0


def strongest_change(
    frames: Iterable[tuple[int, UInt8[np.ndarray, "h w 3"]]], config: CutConfig
) -> tuple[int, float] | None:
    """Time of the first frame after the strongest change, and the change; None where none is a cut.

    Fast motion between two looks becomes small steps here; a cut stays a cut.
    """
    pictures = [picture_of(t_ns, rgb) for t_ns, rgb in frames]
    steps = [(change_between(a, b, config), b.t_ns) for a, b in pairwise(pictures)]
    change, t_ns = max(steps, default=(0.0, 0))
    return (t_ns, change) if change >= config.min_change else None
