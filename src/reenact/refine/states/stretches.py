"""What only a whole stretch can tell: whether a hand has the object between its points, and whether it pushes it along.

Point by point and look by look a flat hand beside a box is hard to tell from a grip: some pair of points is near enough
by chance in nearly every look. A hand that moves with the object is rigid to it, so over a stretch each point has one
distance, and that is known well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.refine.contacts.distances import PAIRS
from reenact.refine.states.intervals import running_sums

_A, _B = (np.array(side) for side in zip(*PAIRS, strict=True))


@dataclass(frozen=True)
class OppositionConfig:
    """How near both points of a pair must be on average. Lengths in metres."""

    bias: float = 0.007
    """Error of a distance that no average takes away."""
    gap: float = 0.003
    """Points of a grip are this near on average (a finger beside the pad touches)."""
    free_range: float = 0.06
    """Where the second point of a hand is that touches but does not hold."""
    between: float = 0.006
    """The object is between two points where `between` is below this."""
    between_width: float = 0.002
    """How gradually that sets in."""
    weight: float = 1.0
    """Weight of the term."""
    most: float = 8.0
    """It never speaks against a grip by more (nats)."""


@dataclass(frozen=True)
class Opposition:
    """Log odds of the best pair's holding the object over a stretch against one point's touching alone."""

    looks: Float64[np.ndarray, " t1"]
    distance: Float64[np.ndarray, "t1 k=6"]
    between: Float64[np.ndarray, "t1 p"]
    sigma: float
    """Noise of a look (m)."""
    config: OppositionConfig
    slow: float = 0.0
    """Error of a distance that lasts as long as a stretch does, beside `bias` (m)."""

    @staticmethod
    def of(
        distance: Float64[np.ndarray, "t k=6"],
        between: Float64[np.ndarray, "t p"],
        looks: Float64[np.ndarray, " t"],
        sigma: float,
        config: OppositionConfig,
        slow: float = 0.0,
    ) -> Opposition:
        """Running sums; `looks` says how many independent looks each frame is worth."""
        w = looks[:, None]
        return Opposition(
            running_sums(looks), running_sums(w * distance), running_sums(w * between), sigma, config, slow
        )

    def ending(self, b: int, start: int = 0) -> Float64[np.ndarray, " a"]:
        """Log odds of [a, b) for a = start .. b - 1 (at most a nat or two)."""
        return self._fit(b, start)[0]

    def misfit(self, begin: int, end: int) -> float:
        """What the best pair lacks of a perfect fit over a stretch (nats, >= 0), as if its points were known well."""
        return float(self._fit(end, begin)[1][0]) * (1 + (self.slow / self.config.bias) ** 2)

    def _fit(self, b: int, start: int) -> tuple[np.ndarray, np.ndarray]:
        c = self.config
        looks = self.looks[b] - self.looks[start:b]
        share = np.maximum(looks, 1e-3)[:, None]
        distance = (self.distance[b] - self.distance[start:b]) / share
        between = (self.between[b] - self.between[start:b]) / share
        sigma = np.sqrt(self.sigma**2 / np.maximum(looks, 1.0) + c.bias**2 + self.slow**2)[:, None]
        far = np.maximum(np.maximum(distance[:, _A], distance[:, _B]) - c.gap, 0.0) / sigma
        misfit = 0.5 * far**2 + c.most * _soft(
            (between - c.between) / float(np.hypot(c.between_width, self.slow))
        )
        perfect = np.log(c.free_range / (sigma[:, 0] * np.sqrt(2 * np.pi)))
        least = misfit.min(axis=1)
        return np.maximum(perfect - least, -c.most) * np.minimum(looks, 1.0), least


@dataclass(frozen=True)
class TravelConfig:
    """What a push looks like: straight, down on what carries the object, away from the hand."""

    cone: float = 0.6
    """Cosine between the push and the way the object goes: friction does not carry it farther round."""
    softness: float = 0.1
    """How gradually that sets in."""
    straight: float = 0.6
    """A push goes straight: share of its path that the object ends up away from where it was."""
    straight_softness: float = 0.05
    """How gradually that sets in."""
    path_step_s: float = 0.4
    """Paths are measured in steps of this length, so that noise does not lengthen them (s)."""
    lifted: float = 10.0
    """Evidence of being lifted that lets a stretch be no push (nats)."""
    against: float = 15.0
    """Against a push that goes another way, or nowhere (nats)."""
    least: float = 0.02
    """Shorter ways say little (m)."""
    misfit: float = 0.27
    """What the best pair of a hand that holds may lack of a perfect fit (nats)..."""
    misfit_softness: float = 0.1
    """...and how gradually more of it makes a hold that looks like a push one."""


@dataclass(frozen=True)
class Travel:
    """Whether an object goes where the hand that touches it would push it."""

    place: Float64[np.ndarray, "t1 3"]
    path: Float64[np.ndarray, " t1"]
    normal: Float64[np.ndarray, "t1 3"]
    lifted: Float64[np.ndarray, " t1"]
    config: TravelConfig
    seen_place: Float64[np.ndarray, "t1 3"] | None = None
    """The place as it appears from the camera..."""
    toward: Float64[np.ndarray, "t1 3"] | None = None
    """...and the direction from the hand to the thing, summed up; None where the hand's depth is known well."""

    @staticmethod
    def of(
        place: Float64[np.ndarray, "t 3"],
        normal: Float64[np.ndarray, "t 3"],
        aloft: Float64[np.ndarray, " t"],
        step_s: float,
        config: TravelConfig,
        from_hand: tuple[Float64[np.ndarray, "t 3"], Float64[np.ndarray, "3"]] | None = None,
    ) -> Travel:
        """`normal`: outward at the touched point, in the world, times how far it is believed; `aloft` (<= 0) speaks
        against lying; `from_hand`: from a hand whose depth is in doubt to the thing, as believed, and the line of sight:
        which face it touches depth decides, on which side it is the picture shows, so one of the two must agree."""
        k = max(1, round(config.path_step_s / step_s))
        ahead = place[np.minimum(np.arange(len(place)) + k, len(place) - 1)]
        path = np.linalg.norm(ahead - place, axis=1) / k
        ends = np.concatenate([place, place[-1:]])
        sums = running_sums(path), running_sums(normal), running_sums(-aloft)
        if from_hand is None:
            return Travel(ends, *sums, config)
        gap, ray = from_hand
        gap, seen = (v - (v @ ray)[:, None] * ray for v in (gap, ends))
        return Travel(ends, *sums, config, seen, running_sums(gap))

    def ending(self, b: int, start: int = 0) -> Float64[np.ndarray, " a"]:
        """What speaks against a push over [a, b), a = start .. b - 1: another way than the hand's, or none (<= 0)."""
        length, inside = self._way(b, start)
        return np.asarray(-self.config.against * (1 - inside * self._far(length)))

    def like_a_push(self, begin: int, end: int) -> float:
        """How far the stretch looks like a push: straight, down on its support, away from the hand (0 to 1)."""
        c = self.config
        length, inside = self._way(end, begin)
        straight = length[0] / max(float(self.path[end] - self.path[begin]), 1e-9)
        lifted = float(self.lifted[end] - self.lifted[begin]) / c.lifted
        soft = 1 / (1 + np.exp(-np.clip((straight - c.straight) / c.straight_softness, -30, 30)))
        return float(inside[0] * soft * self._far(length)[0] * np.exp(-(lifted**2)))

    def _way(self, b: int, start: int) -> tuple[np.ndarray, np.ndarray]:
        """Length of the way, and whether it lies in the cone of the push."""
        way = self.place[max(b - 1, 0)] - self.place[start:b]
        cosine = _cosine(way, -(self.normal[b] - self.normal[start:b]))
        if self.seen_place is not None and self.toward is not None:
            seen = self.seen_place[max(b - 1, 0)] - self.seen_place[start:b]
            cosine = np.maximum(cosine, _cosine(seen, self.toward[b] - self.toward[start:b]))
        return np.linalg.norm(way, axis=1), _soft((cosine - self.config.cone) / self.config.softness)

    def _far(self, length: np.ndarray) -> np.ndarray:
        return np.minimum((length / self.config.least) ** 2, 1.0)


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / np.maximum(lengths, 1e-9))


def _soft(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))))
