"""A hidden or lost object seen again: where it vanished, or, if nothing else looks like it, not far from there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool

from reenact.perception.masks.follower import ObjectFollower
from reenact.perception.masks.seed import box_of
from reenact.perception.masks.views import View
from reenact.perception.pictures.colour import ColourRatio, histogram, similarity


@dataclass(frozen=True)
class SearchConfig:
    """When a region is taken as the object again."""

    reach: float = 0.1
    """Search radius at once, frame heights."""
    rate: float = 0.8
    """Its growth, frame heights per second: no hand carries things faster for long."""
    alike: float = 0.8
    """Bhattacharyya similarity to its colours that a region must have."""
    area: tuple[float, float] = (0.4, 2.2)
    """Its area against the last known one."""
    clearly_nearer: float = 0.5
    """Of several regions that could be it the nearest must be this much nearer than the next."""
    same_place: float = 0.4
    """Jaccard with the outline where it vanished from which on a region is in the same place."""
    was_there: float = 0.6
    """A region that looked like it already when the object was last seen elsewhere is another thing."""
    min_like: float = 0.4
    """log(object's colours : colours around) of its pixels."""


def look_for(
    follower: ObjectFollower, view: View, taken: Bool[np.ndarray, "h w"], config: SearchConfig, *, anywhere: bool
) -> None:  # fmt: skip
    """Start the follower again where its object shows; ``anywhere``: not only where it vanished, once it is lost."""
    if follower.lost_s is not None:
        follower.lost_s += view.dt
        follower.valid, follower.confidence = False, 0.0
    anywhere = anywhere and follower.lost_s is not None
    height, width = taken.shape
    x0, y0, x1, y1 = box_of(follower.rest)
    radius = height * (config.reach + config.rate * (follower.lost_s or 0.0)) if anywhere else 0.0
    radius = max(radius, 0.75 * max(x1 - x0, y1 - y0) + 4)
    x, y = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    u0, u1 = max(0, int(x - radius)), min(width, int(x + radius) + 1)
    v0, v1 = max(0, int(y - radius)), min(height, int(y + radius) + 1)
    if u1 - u0 < 4 or v1 - v0 < 4:
        return
    part = (slice(v0, v1), slice(u0, u1))
    free = (view.hands[part] == 0) & ~taken[part]
    bins = view.bins[part]
    ratio = ColourRatio.of(follower.model(), histogram(bins[free]), 2.5).at(bins)
    like = ((cv2.blur(ratio, (3, 3)) > config.min_like) & free).astype(np.uint8)
    like = cv2.morphologyEx(like, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    before, last = follower.last_bins[part], np.array([x - u0, y - v0])
    best = _best_region(follower, like, bins, before, follower.rest[part], last, anywhere, config)
    if best is not None:
        mask = np.zeros(taken.shape, bool)
        mask[part] = best
        follower.restart(mask, view)


def _best_region(
    follower: ObjectFollower, like: np.ndarray, bins: np.ndarray, before: np.ndarray, rest: np.ndarray,
    last: np.ndarray, anywhere: bool, config: SearchConfig,
) -> Bool[np.ndarray, "h w"] | None:  # fmt: skip
    """The one region of fitting size and colours; none where two could be it."""
    count, parts, stats, centres = cv2.connectedComponentsWithStats(like)
    low, high = (share * follower.area for share in config.area)
    fits = []
    for k in range(1, count):
        if low <= stats[k, cv2.CC_STAT_AREA] <= high:
            region = parts == k
            alike = similarity(histogram(bins[region]), follower.model())
            both = float((region & rest).sum()) / max(float((region | rest).sum()), 1.0)
            if alike > config.alike and both > config.same_place:
                return region
            was_there = similarity(histogram(before[region & ~rest]), follower.model()) > config.was_there
            if alike > config.alike and anywhere and not was_there:
                fits.append((float(np.linalg.norm(centres[k] - last)), k))
    fits.sort()
    if not fits or (len(fits) > 1 and fits[0][0] > config.clearly_nearer * fits[1][0]):
        return None
    return np.asarray(parts == fits[0][1])
