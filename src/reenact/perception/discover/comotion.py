"""Co-motion: what moves against the background near a hand and as that hand does, and is neither skin nor arm, is held.

Works for a moving camera too: the background's homography is taken off the flow first. Flow alone is not believed: it
bleeds from a hand into even surroundings. A pixel moves only if the picture around it fits the flow better than rest.
With a still camera it must also differ from the empty scene by more than a shadow.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from reenact.perception.discover.candidates import Candidate
from reenact.perception.discover.empty import EmptyScene
from reenact.perception.masks.views import Views
from reenact.perception.pictures.colour import COUNT, ColourRatio, colour_bins, spread
from reenact.perception.pictures.flow import background_homography, grey, homography_flow, warp
from reenact.perception.pictures.hands import HandRegions
from reenact.perception.pictures.stack import PictureStack


@dataclass(frozen=True)
class ComotionConfig:
    """Speeds are frame heights per second, lengths palms of the hand."""

    gap_s: float = 0.1
    """Time between the two frames compared."""
    most_pairs: int = 120
    """Pairs looked at; longer clips are looked at with pauses."""
    min_speed: float = 0.05
    """Slower is not moving: it must also be more than `min_px` between the frames."""
    min_px: float = 0.8
    """Smallest motion between two small frames that flow can tell."""
    reach: float = 0.9
    """How far from the hand's outline a held thing's pixels are looked for."""
    slack: float = 0.5
    """A held thing's motion may differ from the hand's by this part of it (things turn in the hand)."""
    min_gain: float = 0.012
    """A pixel's surroundings must fit the motion better than rest by this much (grey values 0..1)."""
    min_like: float = 0.6
    """log(colours of what moves : colours of what rests) of the pixels that are kept."""
    fill: float = 0.5
    """Gaps of this size (parts of the root of the region's area; half of it where the empty scene is known) are closed."""
    halo_px: int = 2
    """Pixels this close to the hand are not believed: flow bleeds."""
    min_area: float = 0.0005
    """Smallest region, part of the frame."""
    usual: float = 0.85
    """Quantile of the regions' areas that is taken as the thing's: hands hide parts, and neighbours may be added."""
    too_large: float = 1.3
    """Regions larger than this (in the thing's area) are likely more than one thing."""
    min_pairs: int = 3
    """Pairs that must show such a region."""
    seeds: int = 3
    """Regions handed on, at most, each from another part of the clip."""


@dataclass(frozen=True)
class Held:
    """What one pair of frames shows."""

    frame: int
    moving: Bool[np.ndarray, "h w"]
    """Pixels that go with a hand and are not its own."""
    still: Bool[np.ndarray, "h w"]
    """Pixels that stay with the background."""


def held_things(
    views: Views, empty: EmptyScene | None, config: ComotionConfig | None = None
) -> list[Candidate]:
    """Regions that go with a hand, clearest first; ``empty``: the scene without hands of a still camera."""
    config, stack = config or ComotionConfig(), views.stack
    looks = [h for h in _looks(views, empty, config) if h.moving.any()]
    if len(looks) < config.min_pairs:
        return []
    ratio = _moving_colours(stack, looks)
    rated = []
    for held in looks:
        like = cv2.blur(ratio.at(colour_bins(stack.rgb[held.frame])), (3, 3))
        if empty is not None:
            like = np.where(empty.differs(held.frame), like, -1.0)
        region = _region(held, like, config.fill if empty is None else 0.5 * config.fill, config)
        if region is not None:
            rated.append((float(np.clip(like[region].mean(), 0.05, 2.0)), held.frame, region))
    if len(rated) < config.min_pairs:
        return []
    return _spread_out(rated, len(looks), stack, config)


def _looks(views: Views, empty: EmptyScene | None, config: ComotionConfig) -> list[Held]:
    stack, regions = views.stack, views.regions
    t = stack.t_ns * 1e-9
    step = max(1, round(config.gap_s / max(float(np.median(np.diff(t))), 1e-3))) if len(t) > 1 else 1
    starts = np.arange(0, len(t) - step, step)
    if len(starts) > config.most_pairs:
        starts = starts[np.unique(np.linspace(0, len(starts) - 1, config.most_pairs).astype(int))]
    looks = []
    for a in starts.tolist():
        b = a + step
        near = regions.valid[a] & regions.valid[b]
        if not near.any():
            continue
        now, then = grey(stack.rgb[a]), grey(stack.rgb[b])
        there = views.flow(a, b)
        labels = views.hands[a]
        hand = labels > 0
        behind = regions.wedge(a)
        rest = np.zeros_like(there)
        if empty is None:
            H = background_homography(there, ~hand & ~behind & ~regions.reach(a, config.reach))
            rest = homography_flow(H, *hand.shape)
        sure = _fits_better(now, then, there, rest) > config.min_gain
        if empty is not None:
            sure &= _grown(empty.differs(a), 1.5)
        looks.append(_held(a, there - rest, sure, labels, behind, regions, float(t[b] - t[a]), near, config))
    return looks


def _fits_better(
    now: np.ndarray, then: np.ndarray, flow: np.ndarray, rest: np.ndarray
) -> Float32[np.ndarray, "h w"]:
    """By how much (0..1, mean over 5 x 5) the next picture fits this one better along the flow than at rest."""
    here = now.astype(np.float32)
    along = np.abs(warp(then, flow).astype(np.float32) - here)
    still = np.abs(warp(then, rest).astype(np.float32) - here)
    return np.asarray(cv2.blur(still - along, (5, 5)) / 255.0)


def _held(
    frame: int, own: Float32[np.ndarray, "h w 2"], sure: Bool[np.ndarray, "h w"], labels: np.ndarray,
    behind: np.ndarray, regions: HandRegions, dt: float, near: np.ndarray, config: ComotionConfig,
) -> Held:  # fmt: skip
    height = labels.shape[0]
    speed = np.linalg.norm(own, axis=-1)
    floor = max(config.min_px, config.min_speed * dt * height)
    halo = cv2.dilate((labels > 0).astype(np.uint8), np.ones((2 * config.halo_px + 1,) * 2, np.uint8)) > 0
    moving = np.zeros(labels.shape, bool)
    for side in (0, 1):
        mine = labels == 1 + side
        if not near[side] or mine.sum() < 10:
            continue
        motion = np.median(own[mine], axis=0)
        size = float(np.linalg.norm(motion))
        if size < floor:
            continue
        alike = np.linalg.norm(own - motion, axis=-1) < config.slack * size + 0.5
        grown = _grown(mine, config.reach * regions.palm_px[frame, side])
        moving |= alike & (speed > floor) & grown
    moving &= ~halo & ~behind & sure & ~regions.skin_like(frame)
    moving = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    return Held(frame, moving, (speed < 0.5 * floor) & (labels == 0) & ~behind)


def _grown(mask: np.ndarray, by: float) -> Bool[np.ndarray, "h w"]:
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3) < by)


def _moving_colours(stack: PictureStack, looks: list[Held]) -> ColourRatio:
    """Colours of what goes with hands against those of what stays."""
    held: Float64[np.ndarray, " n"] = np.zeros(COUNT)
    rest: Float64[np.ndarray, " n"] = np.zeros(COUNT)
    for look in looks:
        bins = colour_bins(stack.rgb[look.frame])
        held += np.bincount(bins[look.moving], minlength=COUNT)
        rest += np.bincount(bins[look.still], minlength=COUNT)
    return ColourRatio.of(spread(held), spread(rest))


def _region(held: Held, like: np.ndarray, fill: float, config: ComotionConfig) -> np.ndarray | None:
    grown = cv2.dilate(held.moving.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    mask = (grown & (like > config.min_like)).astype(np.uint8)
    size = max(5, int(fill * np.sqrt(mask.sum())) | 1)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    mask = np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count <= 1:
        return None
    best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[best, cv2.CC_STAT_AREA] < config.min_area * mask.size:
        return None
    return np.asarray(parts == best)


def _spread_out(
    rated: list[tuple[float, int, np.ndarray]], pairs: int, stack: PictureStack, config: ComotionConfig
) -> list[Candidate]:
    """The best regions, each at least a sixth of the clip from the others; of usual size: two things may touch."""
    usual = float(np.quantile([region.sum() for _, _, region in rated], config.usual))
    worth = [
        (like * min(1.0, region.sum() / usual, (config.too_large * usual / region.sum()) ** 2), frame, region)
        for like, frame, region in rated
    ]
    apart = max(2, len(stack.t_ns) // 6)
    chosen: list[Candidate] = []
    for _, frame, region in sorted(worth, key=lambda r: -r[0]):
        if any(abs(frame - c.frame) < apart for c in chosen):
            continue
        score = float(np.clip(len(rated) / max(pairs, 1), 0.1, 1.0)) * 0.9
        reason = f"It moves with a hand in {len(rated)} of {pairs} looks."
        chosen.append(Candidate(frame, region, score, "hand", reason, float(stack.t_ns[frame]) * 1e-9))
        if len(chosen) == config.seeds:
            break
    return chosen
