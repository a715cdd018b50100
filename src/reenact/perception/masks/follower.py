"""One object from frame to frame: its outline carried by the flow, corrected by its colours, hidden by hands.

Two soft outlines are kept: what is seen, and the whole outline including what a hand covers, which moves as a similarity.
A frame's score per pixel is log-odds of the carried outline plus the colour ratio, evened out along edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int, UInt8

from reenact.perception.masks.backdrop import Backdrop
from reenact.perception.masks.motion import moved, similarity_of, smooth_along_edges
from reenact.perception.masks.seed import box_of
from reenact.perception.masks.shapes import connected, held_small, inside_share, one_piece, taken_along
from reenact.perception.masks.views import View
from reenact.perception.pictures.colour import ColourRatio, histogram, similarity
from reenact.perception.pictures.flow import warp


@dataclass(frozen=True)
class FollowerConfig:
    """Weights and thresholds of following one object; lengths in small pixels unless said otherwise."""

    shape_limit: float = 3.0
    """Largest log-odds that the carried outline gives; above `colour_limit`, so that colour alone never spreads."""
    colour_limit: float = 2.5
    """Largest log-ratio that the colours give."""
    soften: float = 0.012
    """Blur of the carried outline (sigma), as a fraction of the frame's height: how far an edge may be corrected."""
    edge_radius_px: int = 3
    """Radius of the edge-keeping smoothing."""
    edge_noise: float = 0.002
    """Its noise level (grey values 0..1, squared)."""
    rest_px: float = 0.06
    """A median motion below this between two frames is taken as none: the flow's own noise."""
    rest_speed: float = 0.01
    """So is a slower one (frame heights per second)."""
    speed: float = 2.0
    """How fast the outline may move (frame heights per second)."""
    ring: float = 0.35
    """Width of the surroundings whose colours are compared, as a part of the object's longer side."""
    adapt_s: float = 1.5
    """The colour model is renewed in about this time while the object is well seen."""
    around_s: float = 0.25
    """And that of what is around it."""
    anchor: float = 0.6
    """Part of the colour model that always stays the seed's."""
    growth: float = 1.3
    """The outline may be this much larger than the area known so far; what lies deepest in the carried outline is kept.
    Two things of one colour that touch would else become one."""
    area_s: float = 1.5
    """The known area is renewed in about this time while no hand covers much."""
    ambiguous: float = -1.5
    """Where log(its colours : those around) is above this, colour does not speak against a pixel, and the outline that
    moves as one piece counts. Only for things that a user pointed at: what was found by itself may be no one thing (on
    a real clip, floor that hands pass was then followed as well as an object)."""
    rigid: float = 0.8
    """So much, against what the flow carries (1)."""
    remember_s: float = 0.5
    """A part of the outline that is not found, with such colours, is forgotten in about this time."""
    piece: float = 0.2
    """A second piece with at least this share of the outline is another thing, unless a hand lies between."""
    between: float = 0.25
    """Share of hand pixels in the gap from which on the hand explains the gap."""
    shrunk: float = 0.35
    """An outline that no hand covers and that has less than this share of the known area is not believed."""
    covered: float = 0.15
    """An object of which no more than this share is outside hands is hidden, not lost."""
    min_found: float = 0.35
    """Share of the part expected to be seen that must be found."""
    min_alike: float = 0.5
    """Bhattacharyya similarity to the colour model that what is found must have."""
    naturalised_s: float = 0.7
    """A pixel that came from outside the outline counts as the object's own after about this long."""
    patience_s: float = 0.15
    """The object must be missed for this long before it counts as lost (it is not reported in the meantime)."""


class ObjectFollower:
    """State of one object in one sweep."""

    def __init__(
        self, mask: Bool[np.ndarray, "h w"], bins: Int[np.ndarray, "h w"], hands: UInt8[np.ndarray, "h w"],
        config: FollowerConfig, *, is_given: bool = False,
    ) -> None:  # fmt: skip
        self.config = config
        self._ambiguous = config.ambiguous if is_given else np.inf
        self.seen = self.first = mask
        self.whole = mask.astype(np.float32)
        self.area = float(mask.sum())
        self.lost_s: float | None = None
        self.valid, self.confidence, self.hidden_share = True, 1.0, 0.0
        self.covered_share = 0.0
        """The part of `hidden_share` that other followed things make up."""
        self.rest = mask
        """Where it was when it was last seen."""
        self.backdrop: Backdrop | None = None
        """What lies behind it; None before a camera that moves."""
        self.last_bins = bins
        """Colour bins of the frame in which it was last seen."""
        self.foreign = 0.0
        """Share of its pixels that came, by the flow, from where it was not; old ones count less and less."""
        self._came = np.zeros(mask.shape, np.float32)
        self._came_here: Float32[np.ndarray, "h w"] = np.zeros((0, 0), np.float32)
        self._missed_s = 0.0
        self._covered = np.zeros(mask.shape, bool)
        self._seed_colours = histogram(bins[mask])
        self._colours = self._seed_colours.copy()
        self._around = histogram(bins[self._ring(mask, hands == 0)])
        self._carried: Float32[np.ndarray, "h w"] = np.zeros((0, 0), np.float32)
        self._like: Float32[np.ndarray, "h w"] = np.zeros((0, 0), np.float32)
        self.window = (slice(0, 0), slice(0, 0))
        """Part of the frame that the last prediction is about."""
        self.score: Float32[np.ndarray, "h w"] = np.zeros((0, 0), np.float32)
        """Log-odds there that a pixel is the object's."""

    def predict(self, view: View) -> None:
        """Carry the outlines into this frame and score the pixels around; see `score` and `window`."""
        c = self.config
        self.window = window = self._around_box(self.whole > 0.3, view.dt)
        free = view.hands[window] == 0
        back = np.ascontiguousarray(view.back[window])
        carried = warp(np.ascontiguousarray(self.seen[window]).astype(np.float32), back)
        self._came_here = self._foreign_pixels(carried, back, window, view)
        rest_px = max(c.rest_px, c.rest_speed * self.whole.shape[0] * view.dt)
        M, share = similarity_of(back, (carried > 0.5) & free, rest_px)
        if share < 0.2 and self.hidden_share > 0.5:
            M = taken_along(self.whole[window], view.hands[window], view.hand_shift)
        whole = moved(np.ascontiguousarray(self.whole[window]), M)
        self.whole = np.zeros_like(self.whole)
        self.whole[window] = whole
        in_front = ~free | self._covered[window]
        ratio = ColourRatio.of(self.model(), self._around, c.colour_limit)
        self._like = ratio.at(view.bins[window])
        soft = np.maximum(0.5 * (carried + whole), np.where(in_front, whole, 0.0))
        soft = np.maximum(soft, np.where(self._like > self._ambiguous, c.rigid * whole, 0.0))
        blurred = cv2.GaussianBlur(soft, (0, 0), max(0.8, c.soften * self.whole.shape[0]))
        blurred = np.clip(blurred, 0.002, 0.998)
        shape = np.clip(np.log(blurred / (1 - blurred)), -c.shape_limit, c.shape_limit)
        score = (shape + self._like).astype(np.float32)
        if self.backdrop is not None:
            score -= self.backdrop.against(view.soft, window)
        self._carried = blurred
        self.score = smooth_along_edges(
            score, np.ascontiguousarray(view.guide[window]), c.edge_radius_px, c.edge_noise
        )

    def accept(self, mine: Bool[np.ndarray, "h w"], others: Bool[np.ndarray, "h w"], view: View) -> None:
        """Take the pixels of its window that the object won, judge them, and renew outline and colours.

        ``others``: pixels of the window that other followed things won; where they lie on the outline they are in front.
        """
        c, window = self.config, self.window
        whole, bins, free = self.whole[window], view.bins[window], (view.hands[window] == 0) & ~others
        self._covered[:] = False
        self._covered[window] = others & (whole > 0.5)
        mine = connected(mine & free, whole > 0.5)
        mine = held_small(mine, self._carried, c.growth * self.area)
        mine = one_piece(mine, view.hands[window] == 0, self.area, c.piece, c.between)
        expected = (whole > 0.5) & free
        outline = max(float((whole > 0.5).sum()), 1.0)
        self.hidden_share = float(((whole > 0.5) & ~free).sum()) / outline
        self.covered_share = float(((whole > 0.5) & others).sum()) / outline
        found = float((mine & (whole > 0.3)).sum()) / max(float(expected.sum()), 1.0)
        alike = similarity(histogram(bins[mine]), self.model()) if mine.any() else 0.0
        hidden = float(expected.sum()) <= c.covered * max(self.area, outline)
        inside = inside_share(whole)
        shrunk = self.hidden_share < 0.2 and float(mine.sum()) < c.shrunk * inside * self.area
        missed = hidden or shrunk or found < c.min_found or alike < c.min_alike
        self.seen = np.zeros_like(self.seen)
        self.seen[window] = mine
        self._came[:] = 0.0
        self._came[window] = np.where(mine, self._came_here, 0.0)
        self.foreign = float(self._came_here[mine].mean()) if mine.any() else 0.0
        self.valid = not missed
        self.confidence = 0.0 if missed else self._trust(found, alike)
        self._missed_s = self._missed_s + view.dt if missed and not hidden else 0.0
        if self._missed_s > c.patience_s or (hidden and outline < 0.1 * self.area):
            self._lose()
        elif not missed:
            self.rest, self.last_bins = self.whole > 0.5, view.bins
            if self.backdrop is not None:
                self.backdrop.learn(view.soft, self.rest, view.hands)
            self._renew(mine, free, bins, view.dt)

    def _foreign_pixels(
        self, carried: Float32[np.ndarray, "h w"], back: Float32[np.ndarray, "h w 2"], window: tuple[slice, slice],
        view: View,
    ) -> Float32[np.ndarray, "h w"]:  # fmt: skip
        """How much each pixel of the window comes from outside the object: 0, or 1 in the first frame."""
        known = (self.whole[window] > 0.3) | (view.hands_before[window] > 0)
        known = cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
        from_known = warp(known, back) > 0.3
        old = warp(np.ascontiguousarray(self._came[window]), back) * np.exp(
            -view.dt / self.config.naturalised_s
        )
        return np.where(carried > 0.5, old, np.where(from_known, 0.0, 1.0)).astype(np.float32)

    def restart(self, mask: Bool[np.ndarray, "h w"], view: View) -> None:
        """The lost object is seen again."""
        self.seen, self.whole = mask, mask.astype(np.float32)
        self._came[:] = 0.0
        self.rest, self.lost_s, self._missed_s = mask, None, 0.0
        self.valid, self.confidence, self.hidden_share = True, 0.5, 0.0
        self._around = histogram(view.bins[self._ring(mask, view.hands == 0)])

    def _lose(self) -> None:
        self.lost_s, self.valid, self.confidence = 0.0, False, 0.0
        self.seen = np.zeros_like(self.seen)
        self.hidden_share = 0.0

    def _trust(self, found: float, alike: float) -> float:
        low = self.config.min_alike
        return float(np.clip(min(found, 1.0) * (alike - low) / (0.9 - low), 0.05, 1.0))

    def _renew(self, mine: np.ndarray, free: np.ndarray, bins: np.ndarray, dt: float) -> None:
        c, old = self.config, self.whole[self.window]
        keep = np.where(self._like > self._ambiguous, old * np.float32(np.exp(-dt / c.remember_s)), 0.0)
        whole = np.where(free, np.maximum(mine.astype(np.float32), keep), old)
        edge = cv2.dilate((~free).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        whole = np.where(edge & free, np.maximum(whole, 0.9 * old), whole).astype(np.float32)
        self.whole[self.window] = whole
        if self.hidden_share < 0.3:
            self.area += -float(np.expm1(-dt / c.area_s)) * (float(mine.sum()) - self.area)
        ring = self._ring(whole > 0.3, free)
        self._around += -np.expm1(-dt / c.around_s) * (histogram(bins[ring]) - self._around)
        if self.confidence > 0.6 and self.hidden_share < 0.3:
            now = histogram(bins[mine])
            now *= self._seed_colours.sum() / max(now.sum(), 1.0)
            self._colours += -np.expm1(-dt / c.adapt_s) * (now - self._colours)

    def stayed(self, most_hidden: float, same: float) -> bool:
        """Is it in plain sight where it was first seen (Jaccard above `same`)?"""
        whole = self.whole > 0.5
        both = float((whole & self.first).sum()) / max(float((whole | self.first).sum()), 1.0)
        return self.valid and self.lost_s is None and self.hidden_share < most_hidden and both > same

    def model(self) -> Float64[np.ndarray, " n"]:
        """Its colours, as a histogram."""
        return self.config.anchor * self._seed_colours + (1 - self.config.anchor) * self._colours

    def _ring(self, mask: np.ndarray, free: np.ndarray) -> Bool[np.ndarray, "h w"]:
        x0, y0, x1, y1 = box_of(mask)
        pad = 4 + int(self.config.ring * max(x1 - x0, y1 - y0))
        ring = np.zeros(mask.shape, bool)
        part = (
            slice(max(0, int(y0) - pad), int(y1) + pad + 1),
            slice(max(0, int(x0) - pad), int(x1) + pad + 1),
        )
        near = cv2.dilate(mask[part].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        ring[part] = ~near & free[part]
        return ring

    def _around_box(self, mask: np.ndarray, dt: float) -> tuple[slice, slice]:
        x0, y0, x1, y1 = box_of(mask)
        size = max(x1 - x0, y1 - y0)
        pad = 8 + int(self.config.speed * dt * mask.shape[0]) + int(self.config.ring * size)
        return (
            slice(max(0, int(y0) - pad), int(y1) + pad + 1),
            slice(max(0, int(x0) - pad), int(x1) + pad + 1),
        )
