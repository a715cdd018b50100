"""One object from frame to frame: its outline carried by the flow, corrected by its colours, hidden by hands.

Two soft outlines are kept: what is seen, and the whole outline including what a hand covers, which moves as a similarity.
A frame's score per pixel is log-odds of the carried outline plus the colour ratio, evened out along edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int, UInt8

from reenact.perception.masks.motion import moved, similarity_of, smooth_along_edges
from reenact.perception.masks.seed import box_of
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
    rest_px: float = 0.12
    """A median motion below this per frame is taken as none."""
    margin: float = 0.09
    """How far the outline may move between two frames looked at, frame heights."""
    ring: float = 0.35
    """Width of the surroundings whose colours are compared, as a part of the object's longer side."""
    adapt: float = 0.03
    """Part of the colour model renewed per frame while the object is well seen."""
    anchor: float = 0.6
    """Part of the colour model that always stays the seed's."""
    growth: float = 1.3
    """The outline may be this much larger than the area known so far; what lies deepest in the carried outline is kept.
    Two things of one colour that touch would else become one."""
    area_rate: float = 0.03
    """Part of the known area renewed per frame while no hand covers much."""
    piece: float = 0.2
    """A second piece with at least this share of the outline is another thing, unless a hand lies between them."""
    between: float = 0.25
    """Share of hand pixels in the gap from which on the hand explains the gap."""
    shrunk: float = 0.35
    """An outline that no hand covers and that has less than this share of the known area is not believed."""
    beside_a_twin: float = 0.5
    """Factor on the confidence while another region of its colours and size is near: the two may be exchanged."""
    clearly_nearer: float = 0.5
    """Of several regions that could be the lost object the nearest must be this much nearer than the next."""
    covered: float = 0.15
    """An object of which no more than this share is outside hands is hidden, not lost."""
    min_found: float = 0.35
    """Share of the part expected to be seen that must be found."""
    min_alike: float = 0.5
    """Bhattacharyya similarity to the colour model that what is found must have."""
    patience_s: float = 0.15
    """The object must be missed for this long before it counts as lost (it is not reported in the meantime)."""
    search_rate: float = 0.8
    """Growth of the search radius after a loss, frame heights per second."""
    search_alike: float = 0.8
    """Similarity that a region must have to be taken as the lost object."""
    search_area: tuple[float, float] = (0.4, 2.2)
    """Its area against the last known one."""


@dataclass(frozen=True)
class View:
    """What a follower sees of one frame."""

    rgb: UInt8[np.ndarray, "h w 3"]
    bins: Int[np.ndarray, "h w"]
    guide: Float32[np.ndarray, "h w"]
    """Grey, 0..1."""
    hands: UInt8[np.ndarray, "h w"]
    """Labels of hands and arms, 0 elsewhere."""
    back: Float32[np.ndarray, "h w 2"]
    """Where each pixel was in the frame before (in the direction of the sweep)."""
    hand_shift: Float64[np.ndarray, "2 2"]
    """Motion of each hand since then, for things that they cover."""
    dt: float
    """Seconds since then."""


class ObjectFollower:
    """State of one object in one sweep."""

    def __init__(
        self, mask: Bool[np.ndarray, "h w"], bins: Int[np.ndarray, "h w"], hands: UInt8[np.ndarray, "h w"],
        config: FollowerConfig,
    ) -> None:  # fmt: skip
        self.config = config
        self.seen = mask
        self.whole = mask.astype(np.float32)
        self.area = float(mask.sum())
        self.lost_s: float | None = None
        self.valid, self.confidence, self.hidden_share = True, 1.0, 0.0
        self._missed_s = 0.0
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
        self.window = window = self._around_box(self.whole > 0.3)
        free = view.hands[window] == 0
        back = np.ascontiguousarray(view.back[window])
        carried = warp(np.ascontiguousarray(self.seen[window]).astype(np.float32), back)
        M, share = similarity_of(back, (carried > 0.5) & free, c.rest_px)
        if share < 0.2 and self.hidden_share > 0.5:
            M = _taken_along(self.whole[window], view.hands[window], view.hand_shift)
        whole = moved(np.ascontiguousarray(self.whole[window]), M)
        self.whole = np.zeros_like(self.whole)
        self.whole[window] = whole
        soft = np.maximum(0.5 * (carried + whole), np.where(free, 0.0, whole))
        blurred = cv2.GaussianBlur(soft, (0, 0), max(0.8, c.soften * self.whole.shape[0]))
        blurred = np.clip(blurred, 0.002, 0.998)
        shape = np.clip(np.log(blurred / (1 - blurred)), -c.shape_limit, c.shape_limit)
        ratio = ColourRatio.of(self._model(), self._around, c.colour_limit)
        self._like = ratio.at(view.bins[window])
        score = (shape + self._like).astype(np.float32)
        self._carried = blurred
        self.score = smooth_along_edges(
            score, np.ascontiguousarray(view.guide[window]), c.edge_radius_px, c.edge_noise
        )

    def accept(self, mine: Bool[np.ndarray, "h w"], view: View) -> None:
        """Take the pixels of its window that the object won, judge them, and renew outline and colours."""
        c, window = self.config, self.window
        whole, bins, free = self.whole[window], view.bins[window], view.hands[window] == 0
        mine = _connected(mine & free, whole > 0.5)
        mine = _held_small(mine, self._carried, c.growth * self.area)
        mine = _one_piece(mine, free, self.area, c)
        expected = (whole > 0.5) & free
        outline = max(float((whole > 0.5).sum()), 1.0)
        self.hidden_share = float(((whole > 0.5) & ~free).sum()) / outline
        found = float((mine & (whole > 0.3)).sum()) / max(float(expected.sum()), 1.0)
        alike = similarity(histogram(bins[mine]), self._model()) if mine.any() else 0.0
        hidden = float(expected.sum()) <= c.covered * max(self.area, outline)
        inside = _inside_share(whole)
        shrunk = self.hidden_share < 0.2 and float(mine.sum()) < c.shrunk * inside * self.area
        missed = hidden or shrunk or found < c.min_found or alike < c.min_alike
        self.seen = np.zeros_like(self.seen)
        self.seen[window] = mine
        self.valid = not missed
        self.confidence = 0.0 if missed else self._trust(found, alike) * self._alone(mine, free, bins)
        self._missed_s = self._missed_s + view.dt if missed and not hidden else 0.0
        if self._missed_s > c.patience_s or (hidden and outline < 0.1 * self.area):
            self._lose()
        elif not missed:
            self._renew(mine, free, bins)

    def look_for(self, view: View, taken: Bool[np.ndarray, "h w"]) -> None:
        """After a loss: a region near enough of the right colours and size is the object again."""
        c = self.config
        assert self.lost_s is not None
        self.lost_s += view.dt
        self.valid, self.confidence = False, 0.0
        height, width = taken.shape
        radius = height * (0.1 + c.search_rate * self.lost_s)
        x, y = self._last_centre
        u0, u1 = max(0, int(x - radius)), min(width, int(x + radius) + 1)
        v0, v1 = max(0, int(y - radius)), min(height, int(y + radius) + 1)
        if u1 - u0 < 4 or v1 - v0 < 4:
            return
        part = (slice(v0, v1), slice(u0, u1))
        free = (view.hands[part] == 0) & ~taken[part]
        around = histogram(view.bins[part][free])
        ratio = ColourRatio.of(self._model(), around, c.colour_limit).at(view.bins[part])
        like = ((cv2.blur(ratio, (3, 3)) > 0.4) & free).astype(np.uint8)
        like = cv2.morphologyEx(like, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        best = self._best_region(like, view.bins[part], np.array([x - u0, y - v0]))
        if best is not None:
            mask = np.zeros(taken.shape, bool)
            mask[part] = best
            self._restart(mask, view)

    def _best_region(self, like: np.ndarray, bins: np.ndarray, last: np.ndarray) -> np.ndarray | None:
        """The one region of fitting size and colours; none where two could be it."""
        c = self.config
        count, parts, stats, centres = cv2.connectedComponentsWithStats(like)
        low, high = (share * self.area for share in c.search_area)
        fits = []
        for k in range(1, count):
            if low <= stats[k, cv2.CC_STAT_AREA] <= high:
                alike = similarity(histogram(bins[parts == k]), self._model())
                if alike > c.search_alike:
                    fits.append((float(np.linalg.norm(centres[k] - last)), k))
        fits.sort()
        if not fits or (len(fits) > 1 and fits[0][0] > c.clearly_nearer * fits[1][0]):
            return None
        return np.asarray(parts == fits[0][1])

    def _restart(self, mask: np.ndarray, view: View) -> None:
        self.seen, self.whole = mask, mask.astype(np.float32)
        self.lost_s, self._missed_s = None, 0.0
        self.valid, self.confidence, self.hidden_share = True, 0.5, 0.0
        self._around = histogram(view.bins[self._ring(mask, view.hands == 0)])

    def _lose(self) -> None:
        self.lost_s, self.valid, self.confidence = 0.0, False, 0.0
        box = box_of(self.whole > 0.3)
        self._last_centre = (0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3]))
        self.seen = np.zeros_like(self.seen)
        self.hidden_share = 0.0

    def _trust(self, found: float, alike: float) -> float:
        low = self.config.min_alike
        return float(np.clip(min(found, 1.0) * (alike - low) / (0.9 - low), 0.05, 1.0))

    def _alone(self, mine: np.ndarray, free: np.ndarray, bins: np.ndarray) -> float:
        """1, or `beside_a_twin` where another region nearby has the same colours and about the same size."""
        others = ((self._like > 1.0) & free & ~mine).astype(np.uint8)
        low, high = (share * float(mine.sum()) for share in self.config.search_area)
        if float(others.sum()) < low:
            return 1.0
        count, parts, stats, _ = cv2.connectedComponentsWithStats(others, connectivity=4)
        for k in range(1, count):
            fits = low <= stats[k, cv2.CC_STAT_AREA] <= high
            if fits and similarity(histogram(bins[parts == k]), self._model()) > self.config.search_alike:
                return self.config.beside_a_twin
        return 1.0

    def _renew(self, mine: np.ndarray, free: np.ndarray, bins: np.ndarray) -> None:
        c, old = self.config, self.whole[self.window]
        whole = np.where(free, mine.astype(np.float32), old)
        edge = cv2.dilate((~free).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        whole = np.where(edge & free, np.maximum(whole, 0.9 * old), whole).astype(np.float32)
        self.whole[self.window] = whole
        if self.hidden_share < 0.3:
            self.area = (1 - c.area_rate) * self.area + c.area_rate * float(mine.sum())
        ring = self._ring(whole > 0.3, free)
        self._around = 0.85 * self._around + 0.15 * histogram(bins[ring])
        if self.confidence > 0.6 and self.hidden_share < 0.3:
            now = histogram(bins[mine])
            now *= self._seed_colours.sum() / max(now.sum(), 1.0)
            self._colours = (1 - c.adapt) * self._colours + c.adapt * now

    def _model(self) -> Float64[np.ndarray, " n"]:
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

    def _around_box(self, mask: np.ndarray) -> tuple[slice, slice]:
        x0, y0, x1, y1 = box_of(mask)
        size = max(x1 - x0, y1 - y0)
        pad = 8 + int(self.config.margin * mask.shape[0]) + int(self.config.ring * size)
        return (
            slice(max(0, int(y0) - pad), int(y1) + pad + 1),
            slice(max(0, int(x0) - pad), int(x1) + pad + 1),
        )


def _taken_along(whole: np.ndarray, hands: np.ndarray, shift: np.ndarray) -> Float64[np.ndarray, "2 3"]:
    """A covered object moves with the hand that covers more of it."""
    inside = whole > 0.5
    covers = [int((inside & ((hands == 1 + s) | (hands == 3 + s))).sum()) for s in (0, 1)]
    dx, dy = shift[int(covers[1] > covers[0])]
    return np.array([[1.0, 0.0, float(dx)], [0.0, 1.0, float(dy)]])


def _inside_share(whole: np.ndarray) -> float:
    """1, or less for an outline that lies at the window's side and so may leave the picture."""
    edge = max(whole[0].max(), whole[-1].max(), whole[:, 0].max(), whole[:, -1].max()) if whole.size else 0.0
    return 0.3 if float(edge) > 0.3 else 1.0


def _held_small(mine: np.ndarray, carried: np.ndarray, most: float) -> Bool[np.ndarray, "h w"]:
    """The pixels that lie deepest in the carried outline, at most so many."""
    extra = int(mine.sum()) - int(most)
    if extra <= 0:
        return mine
    depth = np.sort(carried[mine])
    return np.asarray(mine & (carried >= depth[min(extra, len(depth) - 1)]))


def _one_piece(
    mine: np.ndarray, free: np.ndarray, area: float, config: FollowerConfig
) -> Bool[np.ndarray, "h w"]:
    """Of pieces that no hand separates, the one whose area fits best; with a hand between them, all."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mine.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mine
    large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] > config.piece * mine.sum()]
    if len(large) < 2:
        return mine
    rows, columns = np.nonzero(np.isin(parts, large))
    hull = np.zeros(mine.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.stack([columns, rows], axis=-1).astype(np.int32)), 1)
    gap = (hull > 0) & ~mine
    if not gap.any() or float((gap & ~free).sum()) > config.between * float(gap.sum()):
        return mine
    best = min(large, key=lambda k: abs(np.log(float(stats[k, cv2.CC_STAT_AREA]) / max(area, 1.0))))
    return np.asarray(parts == best)


def _connected(mask: np.ndarray, core: np.ndarray) -> Bool[np.ndarray, "h w"]:
    """The parts that touch the core; specks are dropped."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count <= 1:
        return mask
    touching = np.bincount(parts[core & mask], minlength=count) > 0
    touching[0] = False
    biggest = stats[1:, cv2.CC_STAT_AREA].max()
    touching &= stats[:, cv2.CC_STAT_AREA] > 0.04 * biggest
    return np.asarray(touching[parts])
