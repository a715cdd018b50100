"""From a user's box to the pixels of the thing in it: several cuts are tried, and the one taken that fits the box best.

A box around a thin tool holds more table and hand than tool. So the cut is begun from all of the box, from the colours
that are not also around it, and from what is elsewhere at other times; a good cut reaches all four sides (the box is
drawn around the thing), has other colours than what is around the box, and changes over time unlike the rest of the box.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int, UInt8

from reenact.perception.masks.change import ChangeConfig, change_within
from reenact.perception.masks.seed import SeedConfig, SeedMask, ellipse_within, grab_cut, main_part, within
from reenact.perception.masks.views import Views
from reenact.perception.pictures.colour import ColourRatio, histogram, similarity


@dataclass(frozen=True)
class BoxedConfig:
    """Weights of what speaks for a cut; chosen on rendered clips, seeds 21, 23 and 24."""

    change: ChangeConfig = field(default_factory=ChangeConfig)
    """What changes over time."""
    unlike: float = 0.4
    """log(colours in the box : colours around it) from which on a pixel may be the thing's."""
    tight: float = 4.0
    """Weight of the share of the four sides that the cut reaches."""
    side: float = 0.08
    """It reaches a side when it comes this near (share of the box's width or height)."""
    by_hand: float = 0.75
    """A side that a hand reaches counts this much: the hand may hide the rest."""
    agrees: float = 0.7
    """Weight of how much more than the rest of the box it changes (-2..2)."""
    moving: float = 0.05
    """A cut begun from what changes must be better by this: its edges are less sure."""
    is_thing: float = 0.6
    """A pixel that changes at least so surely (-1..1) is the thing's, whatever its colour."""
    is_behind: float = -0.4
    """And one that changes so little is what lies behind, if its colour is also around the box."""
    least_px: int = 25
    """A smaller cut is none."""


@dataclass(frozen=True)
class _Place:
    """The box in its surroundings, all cut out of the frame."""

    rgb: UInt8[np.ndarray, "h w 3"]
    bins: Int[np.ndarray, "h w"]
    box: Bool[np.ndarray, "h w"]
    hand: Bool[np.ndarray, "h w"]
    core: Bool[np.ndarray, "h w"]
    """The ellipse in the box."""
    around: Float64[np.ndarray, " n"]
    """Colours beside the box."""
    unlike: Bool[np.ndarray, "h w"]
    """Pixels of the box with colours that are not beside it."""

    @property
    def inner(self) -> Bool[np.ndarray, "h w"]:
        """The box without hands."""
        return self.box & ~self.hand


def cut_from_box(
    views: Views, frame: int, box: Float[np.ndarray, "4"], seed: SeedConfig, config: BoxedConfig | None = None
) -> SeedMask:
    """Pixels of the thing in a box (pixels of the small picture) that a user drew around it in a frame."""
    config = config or BoxedConfig()
    window, place = _place(views, frame, box, seed, config)
    change = change_within(views, frame, window, place.inner, ~place.box & ~place.hand, config.change)
    best, most = None, -np.inf
    for first, uses_change in _beginnings(place, change, config):
        cut = _cut(place, first, change if uses_change else None, seed, config)
        if cut.sum() < config.least_px:
            continue
        value = _worth(place, cut, change, config) - (config.moving if uses_change else 0.0)
        if value > most:
            best, most = cut, value
    mask = np.zeros(views.stack.rgb.shape[1:3], bool)
    mask[window] = best if best is not None else place.core & ~place.hand
    reached = 0.0 if best is None else float(np.mean(_reached(place, best, config)))
    return SeedMask(mask, 0.4 if best is None else float(np.clip(2.0 * reached - 1.0, 0.4, 1.0)))


def _place(
    views: Views, frame: int, box: np.ndarray, seed: SeedConfig, config: BoxedConfig
) -> tuple[tuple[slice, slice], _Place]:
    rgb = views.stack.rgb[frame]
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = within(box, width, height)
    pad = max(4, round(seed.margin * max(x1 - x0, y1 - y0)))
    u0, v0 = max(0, x0 - pad), max(0, y0 - pad)
    window = (slice(v0, y1 + pad + 1), slice(u0, x1 + pad + 1))
    part, bins = rgb[window], views.bins(frame)[window].astype(np.int64)
    boxed = np.zeros(part.shape[:2], bool)
    boxed[y0 - v0 : y1 - v0 + 1, x0 - u0 : x1 - u0 + 1] = True
    hand = views.hands[frame][window] > 0
    core = ellipse_within(boxed.shape, x0 - u0, y0 - v0, x1 - u0, y1 - v0)
    around, inner = histogram(bins[~boxed & ~hand]), boxed & ~hand
    ratio = ColourRatio.of(histogram(bins[inner]), around, 3.0).at(bins)
    unlike = inner & (cv2.blur(ratio, (3, 3)) > config.unlike)
    return window, _Place(np.ascontiguousarray(part), bins, boxed, hand, core, around, unlike)


def _beginnings(
    place: _Place, change: Float32[np.ndarray, "h w"] | None, config: BoxedConfig
) -> list[tuple[Bool[np.ndarray, "h w"], bool]]:
    """First guesses, each with whether change over time binds the cut."""
    firsts = [place.inner]
    if place.unlike.sum() > 0.05 * place.inner.sum():
        firsts.append(place.unlike)
    found = [(first, False) for first in firsts]
    if change is not None:
        elsewhere = place.inner & (change > 0.5 * config.is_thing)
        found += [(first, True) for first in [*firsts, elsewhere] if first.sum() > config.least_px]
    return found


def _cut(
    place: _Place, first: np.ndarray, change: np.ndarray | None, seed: SeedConfig, config: BoxedConfig
) -> Bool[np.ndarray, "h w"]:
    """GrabCut from a first guess."""
    window = np.full(first.shape, cv2.GC_BGD, np.uint8)
    window[place.inner] = cv2.GC_PR_BGD
    window[first] = cv2.GC_PR_FGD
    sure = np.zeros(first.shape, bool)
    if change is not None:
        small = np.ones((3, 3), np.uint8)  # its edges are blurred
        sure = place.inner & (cv2.erode((change > config.is_thing).astype(np.uint8), small) > 0)
        behind = cv2.erode((change < config.is_behind).astype(np.uint8), small) > 0
        window[sure] = cv2.GC_PR_FGD
        window[behind & ~place.unlike] = cv2.GC_BGD
    window[place.hand] = cv2.GC_BGD
    cut = (grab_cut(place.rgb, window, seed.iterations) | sure) & place.inner
    return bridged(main_part(cut, first | place.core)) & place.inner


def _worth(
    place: _Place,
    cut: Bool[np.ndarray, "h w"],
    change: Float32[np.ndarray, "h w"] | None,
    config: BoxedConfig,
) -> float:
    unlike = 1.0 - similarity(histogram(place.bins[cut]), place.around)
    value = unlike + config.tight * float(np.mean(_reached(place, cut, config)))
    rest = place.inner & ~cut
    if change is not None:
        value += config.agrees * float(change[cut].mean() - (change[rest].mean() if rest.any() else 0.0))
    return value


def _reached(place: _Place, cut: Bool[np.ndarray, "h w"], config: BoxedConfig) -> list[float]:
    """Per side of the box: 1 where the cut reaches it, less where only a hand does, else 0."""
    by_hand = cv2.dilate(place.hand.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    rows, columns = np.flatnonzero(place.box.any(axis=1)), np.flatnonzero(place.box.any(axis=0))
    found = []
    for mask, near, worth in ((cut, config.side, 1.0), (by_hand, 0.02, config.by_hand)):
        inside = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        tall, wide = (max(2, int(near * n)) for n in inside.shape)
        found.append(
            [
                worth * float(p.any())
                for p in (inside[:tall], inside[-tall:], inside[:, :wide], inside[:, -wide:])
            ]
        )
    return np.max(found, axis=0).tolist()


def bridged(cut: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The pieces of one thing joined, each to the largest, by strips as wide as the smaller piece is thick."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(cut.astype(np.uint8), connectivity=8)
    if count <= 2:
        return cut
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    joined = cut.astype(np.uint8)
    rows, columns = np.nonzero(parts == largest)
    main = np.stack([columns, rows], axis=-1)
    for k in range(1, count):
        if k == largest:
            continue
        piece = (parts == k).astype(np.uint8)
        thick = 2.0 * float(cv2.distanceTransform(np.pad(piece, 1), cv2.DIST_L2, 3).max()) - 1.0
        rows, columns = np.nonzero(piece)
        own = np.stack([columns, rows], axis=-1)
        few = own[:: max(1, len(own) // 200)]
        apart = np.linalg.norm(main[:, None] - few[None], axis=-1)
        nearest = np.argwhere(apart <= apart.min() + 1.0)
        i, j = nearest[len(nearest) // 2].tolist()
        cv2.line(joined, main[i].tolist(), few[j].tolist(), 1, max(1, round(thick)))
    return np.asarray(joined > 0)
