"""Everything that is followed in one direction: the objects and their look-alikes, all competing for pixels.

A look-alike ("rival") is a region of an object's colours and about its size that nobody follows. It is followed like an
object as long as it is near, so that its pixels are not taken for the object's; it is never reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int, UInt8

from reenact.perception.masks.backdrop import Backdrop
from reenact.perception.masks.follower import FollowerConfig, ObjectFollower
from reenact.perception.masks.search import SearchConfig, look_for
from reenact.perception.masks.seed import box_of
from reenact.perception.masks.shapes import gap_between
from reenact.perception.masks.views import View
from reenact.perception.pictures.colour import ColourRatio, histogram, similarity


@dataclass(frozen=True)
class RivalConfig:
    """Lengths are roots of the object's area."""

    alike: float = 0.8
    """Bhattacharyya similarity of colours from which on two things may be taken for each other."""
    size: tuple[float, float] = (0.4, 2.5)
    """Area of a look-alike against the object's."""
    near: float = 1.5
    """Look-alikes are looked for this far around the object."""
    far: float = 3.0
    """And followed until they are this far away."""
    most: int = 4
    """At most so many at a time."""
    min_like: float = 0.4
    """log(object's colours : colours around) of a look-alike's pixels."""
    part: float = 1.2
    """A look-alike that touches the object and with it is no larger than this (in the object's area) is a part of it."""
    touching: float = 0.12
    """Look-alikes closer than this touch."""
    beside: float = 0.8
    """Factor on the confidence while one is near."""
    touches: float = 0.5
    """Factor while one touches."""
    stayed: float = 0.6
    """A look-alike whose outline keeps this Jaccard with its first one has stayed where it was..."""
    in_sight: float = 0.5
    """...and in sight, if no more than this share of it is hidden: what comes out from under a hand is not that one."""


class Crowd:
    """Followers of one sweep. Objects have keys from 0 on, rivals negative ones."""

    def __init__(self, follow: FollowerConfig, search: SearchConfig, rivals: RivalConfig) -> None:
        self._follow, self._search, self._rivals = follow, search, rivals
        self.members: dict[int, ObjectFollower] = {}
        self.gap: dict[int, float] = {}
        """Distance of each object's nearest look-alike, in roots of its area; infinite without one."""
        self.loose_gap: dict[int, float] = {}
        """The same of look-alikes that may have been moved meanwhile."""
        self._others: dict[int, list[Bool[np.ndarray, "h w"]]] = {}
        """Regions that looked like an object when it was last seen, all over the picture."""
        self._next = -1

    def add(
        self, key: int, mask: Bool[np.ndarray, "h w"], trust: float, view_bins: np.ndarray, hands: np.ndarray,
        *, is_given: bool = False, backdrop: Backdrop | None = None,
    ) -> None:  # fmt: skip
        """Follow a thing from here on; ``is_given``: a user says that it is one thing."""
        self.members[key] = ObjectFollower(mask, view_bins, hands, self._follow, is_given=is_given)
        self.members[key].confidence = trust
        self.members[key].backdrop = backdrop

    def advance(self, view: View, *, with_rivals: bool = True) -> None:
        """One frame on."""
        claimed = self._compete({k: f for k, f in self.members.items() if f.lost_s is None}, view)
        for rival in [k for k, f in self.members.items() if k < 0 and f.lost_s is not None]:
            del self.members[rival]
            for key in [k for k, f in self.members.items() if k >= 0 and not f.valid]:
                self.loose_gap[key] = self.gap.get(key, np.inf)  # it may be under the hand by now
        for key, follower in self.members.items():
            if not follower.valid:
                look_for(follower, view, claimed, self._search, anywhere=self._is_alone(key, view))
                claimed |= follower.seen
        for key in [k for k in self.members if k >= 0]:
            self._mind_rivals(key, view, claimed, add=with_rivals)

    def _is_alone(self, key: int, view: View) -> bool:
        """Is everything that looked like an object, when it was last seen, in sight where it was?"""
        follower, c = self.members[key], self._rivals
        if follower.lost_s is None or np.isfinite(self.loose_gap.get(key, np.inf)):
            return False
        if key not in self._others:
            free = cv2.dilate(follower.rest.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
            self._others[key] = look_alikes(follower.last_bins, free, follower.model(), follower.area, c)
        return all(
            similarity(histogram(view.bins[region]), follower.model()) > c.alike
            for region in self._others[key]
        )

    def _compete(self, active: dict[int, ObjectFollower], view: View) -> Bool[np.ndarray, "h w"]:
        """Each pixel goes to the one that claims it most; gives the pixels that are somebody's."""
        best = np.zeros(view.bins.shape, np.float32)
        winner = np.full(view.bins.shape, -(10**6), np.int32)
        for key, follower in active.items():
            follower.predict(view)
            better = follower.score > best[follower.window]
            best[follower.window][better] = follower.score[better]
            winner[follower.window][better] = key
        claimed = np.zeros(view.bins.shape, bool)
        for key, follower in active.items():
            won = winner[follower.window]
            follower.accept(won == key, (won != key) & (won > -(10**6)), view)
            claimed |= follower.seen
        return claimed

    def _mind_rivals(self, key: int, view: View, claimed: Bool[np.ndarray, "h w"], *, add: bool) -> None:
        c, mine = self._rivals, self.members[key]
        size = max(float(np.sqrt(mine.area)), 3.0)
        own = mine.whole > 0.5 if mine.lost_s is None else mine.rest
        if not own.any():
            return
        box = box_of(own)
        if add and mine.lost_s is None:
            kin = sum(k < 0 for k in self.members)
            for mask in self._unknown_alike(mine, box, size, view, claimed)[: max(0, c.most - kin)]:
                self.add(self._next, mask, 1.0, view.bins, view.hands)
                self._next -= 1
        if mine.valid:  # else the look-alikes around it when it was last seen still count
            self.gap[key] = self.loose_gap[key] = np.inf
            self._others.pop(key, None)
        for other, follower in list(self.members.items()):
            if other == key or follower.lost_s is not None:
                continue
            gap = _between(box, box_of(follower.whole > 0.5)) / size
            if other < 0 and gap == 0 and mine.valid and self._is_part(mine, follower):
                del self.members[other]
                continue
            if other < 0 and gap > c.far and not self._others_near(other, key):
                del self.members[other]
            elif self.alike(mine, follower):
                self.gap[key] = min(self.gap.get(key, np.inf), gap)
                if not follower.stayed(c.in_sight, c.stayed):
                    self.loose_gap[key] = min(self.loose_gap.get(key, np.inf), gap)
        if mine.valid:
            mine.confidence *= (
                c.touches if self.gap[key] < c.touching else c.beside if self.gap[key] < c.near else 1.0
            )

    def alike(self, a: ObjectFollower, b: ObjectFollower) -> bool:
        """May they be taken for each other?"""
        low, high = self._rivals.size
        return (
            low < b.area / max(a.area, 1.0) < high and similarity(a.model(), b.model()) > self._rivals.alike
        )

    def _is_part(self, mine: ObjectFollower, rival: ObjectFollower) -> bool:
        """Are they together no larger than the object was?"""
        together = float(mine.seen.sum() + rival.seen.sum())
        return together < self._rivals.part * mine.area

    def _others_near(self, rival: int, key: int) -> bool:
        box = box_of(self.members[rival].whole > 0.5)
        for other, follower in self.members.items():
            if other >= 0 and other != key and follower.lost_s is None:
                size = max(float(np.sqrt(follower.area)), 3.0)
                if _between(box, box_of(follower.whole > 0.5)) < self._rivals.far * size:
                    return True
        return False

    def _unknown_alike(
        self, mine: ObjectFollower, box: np.ndarray, size: float, view: View, claimed: Bool[np.ndarray, "h w"]
    ) -> list[Bool[np.ndarray, "h w"]]:  # fmt: skip
        """Regions near an object that look like it and are nobody's."""
        pad = self._rivals.near * size
        part = (
            slice(max(0, int(box[1] - pad)), int(box[3] + pad) + 1),
            slice(max(0, int(box[0] - pad)), int(box[2] + pad) + 1),
        )
        free = (view.hands[part] == 0) & ~claimed[part]
        for follower in self.members.values():
            if follower.lost_s is None:
                free &= follower.whole[part] < 0.3
        found = []
        for region in look_alikes(view.bins[part], free, mine.model(), mine.area, self._rivals):
            mask = np.zeros(claimed.shape, bool)
            mask[part] = region
            if not touch(region, mine.whole[part] > 0.5) and not _one_in_hand(
                region, mine.whole[part] > 0.5, view.hands[part], self._follow.between
            ):
                found.append(mask)
        return found


def look_alikes(
    bins: Int[np.ndarray, "h w"], free: Bool[np.ndarray, "h w"], model: Float64[np.ndarray, " n"], area: float,
    config: RivalConfig,
) -> list[Bool[np.ndarray, "h w"]]:  # fmt: skip
    """Free regions of a thing's colours and about its area."""
    ratio = ColourRatio.of(model, histogram(bins[free]), 2.5).at(bins)
    like = ((cv2.blur(ratio, (3, 3)) > config.min_like) & free).astype(np.uint8)
    like = cv2.morphologyEx(like, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(like, connectivity=4)
    low, high = (share * area for share in config.size)
    fits = [parts == k for k in range(1, count) if low <= stats[k, cv2.CC_STAT_AREA] <= high]
    return [region for region in fits if similarity(histogram(bins[region]), model) > config.alike]


def _between(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of two boxes, pixels; 0 where they overlap."""
    apart = np.maximum(np.maximum(a[:2] - b[2:], b[:2] - a[2:]), 0.0)
    return float(np.hypot(apart[0], apart[1]))


def touch(a: Bool[np.ndarray, "h w"], b: Bool[np.ndarray, "h w"]) -> bool:
    """Are they within two pixels of each other?"""
    return bool((cv2.dilate(a.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)[b].any())


def _one_in_hand(
    a: Bool[np.ndarray, "h w"], b: Bool[np.ndarray, "h w"], hands: UInt8[np.ndarray, "h w"], most: float
) -> bool:
    """May both be parts of one thing that a hand holds: one hand touches both, or lies between them?"""
    near = np.ones((5, 5), np.uint8)
    for side in (0, 1):
        hand = cv2.dilate(((hands == 1 + side) | (hands == 3 + side)).astype(np.uint8), near) > 0
        if bool((hand & a).any()) and bool((hand & b).any()):
            return True
    gap = gap_between(a | b)
    return bool(gap.any()) and float((gap & (hands > 0)).sum()) > most * float(gap.sum())
