"""Dissolves: one shot blended into the next. Neighbouring pictures hardly differ, so that no cut is seen.

Between two pictures far enough apart, every picture of a dissolve is a blend of the two, with a weight that runs from
one to the other; a picture of a moving camera is not. Found on made-up dissolves of 0.3-1.5 s between eight clips:
about 3 in 4, least where both shots move fast; on the clips themselves: none (``benchmarks/pass1.py``).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float

from reenact.filtering.blocks import BlockConfig, is_blank, structure_change
from reenact.filtering.cuts import DISSOLVE, Cut
from reenact.filtering.pictures import HEIGHT_PX, Picture, grey_change


@dataclass(frozen=True)
class DissolveConfig:
    """When a row of pictures is a blend of its ends."""

    spans_s: tuple[float, ...] = (0.53, 0.8)
    """Distances between the two ends that are tried, rising."""
    places: tuple[float, ...] = (0.3, 0.4, 0.5, 0.6, 0.7)
    """Where between the ends the blend is measured."""
    every_s: float = 0.13
    """Pause between two trials."""
    min_grey_change: float = 0.4
    """Grey change between the ends below which they are one scene."""
    min_structure_change: float = 0.4
    """The same for structure."""
    min_fit: float = 0.8
    """Share of the middle picture's variance that the blend must explain."""
    min_gain: float = 0.05
    """By how much that must beat the better end alone."""
    min_weight: float = 0.2
    """Least weight of either end in the middle, and least fall and rise of the weights over the places."""
    blur_heights: float = 0.02
    """Gaussian blur before the comparison, image heights: forgives small motion."""
    blocks: BlockConfig = field(default_factory=BlockConfig)
    """How structure is compared."""


class DissolveFinder:
    """Takes pictures one at a time and keeps those of the longest span."""

    def __init__(self, config: DissolveConfig) -> None:
        self.config = config
        self._seen: deque[tuple[Picture, Float[np.ndarray, " n"]]] = deque()
        self._next_ns = 0
        self.cuts: list[Cut] = []

    def add(self, picture: Picture) -> None:
        """The next picture; an even one ends what was seen (fades to black are found as blanks)."""
        if is_blank(picture, self.config.blocks):
            self._seen.clear()
            return
        c = self.config
        soft = cv2.GaussianBlur(picture.grey.astype(np.float32), (0, 0), c.blur_heights * HEIGHT_PX).ravel()
        self._seen.append((picture, soft))
        while self._seen[0][0].t_ns < picture.t_ns - 1.1e9 * c.spans_s[-1]:
            self._seen.popleft()
        if picture.t_ns < self._next_ns:
            return
        self._next_ns = picture.t_ns + round(c.every_s * 1e9)
        for span_s in c.spans_s:
            change = self._blend_change(span_s)
            if change > 0:
                self._keep(picture.t_ns - round(span_s * 1e9), picture.t_ns, change)

    def _blend_change(self, span_s: float) -> float:
        """Structure change between the ends if the row is a dissolve, else 0."""
        c = self.config
        times = np.array([picture.t_ns for picture, _ in self._seen])
        wanted = times[-1] - span_s * 1e9 * (1 - np.array([0.0, *c.places]))
        if times[0] > wanted[0] + 0.1e9 * span_s:
            return 0.0
        idx = np.abs(times[None] - wanted[:, None]).argmin(axis=1)
        first, last = self._seen[idx[0]], self._seen[-1]
        if len(set(idx.tolist())) < 5 or grey_change(first[0], last[0]) < c.min_grey_change:
            return 0.0
        fits = np.array([_blend(first[1], self._seen[i][1], last[1]) for i in idx[1:]])
        middle = fits[len(fits) // 2]
        is_blend = (
            middle[2] > c.min_fit
            and middle[3] > c.min_gain
            and min(middle[0], middle[1]) > c.min_weight
            and min(fits[0, 0] - fits[-1, 0], fits[-1, 1] - fits[0, 1]) > c.min_weight
        )
        if not is_blend:
            return 0.0
        change = structure_change(first[0], last[0], c.blocks)
        return change if change >= c.min_structure_change else 0.0

    def _keep(self, start_ns: int, end_ns: int, change: float) -> None:
        """Trials that overlap are one dissolve."""
        start_ns = max(0, start_ns)
        if self.cuts and start_ns <= self.cuts[-1].end_ns:
            last = self.cuts.pop()
            start_ns, change = min(start_ns, last.start_ns), max(change, last.change)
        self.cuts.append(Cut(start_ns=start_ns, end_ns=end_ns, kind=DISSOLVE, change=change))


def _blend(
    a: Float[np.ndarray, " n"], middle: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]
) -> tuple[float, float, float, float]:
    """Weights of a and b in the middle picture, share of its variance explained, and gain over the better alone."""
    columns = np.stack([a - a.mean(), b - b.mean()], axis=1).astype(np.float64)
    target = (middle - middle.mean()).astype(np.float64)
    moments, sides = columns.T @ columns, columns.T @ target
    total = float(target @ target)
    if total <= 0 or np.linalg.cond(moments) > 1e8:
        return 0.0, 0.0, 0.0, 0.0
    weights = np.linalg.solve(moments, sides)
    explained = float(weights @ sides) / total
    alone = float((sides**2 / np.diag(moments)).max()) / total
    return float(weights[0]), float(weights[1]), explained, explained - alone
