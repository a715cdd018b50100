"""What is out of sight: hands that have been gone for long, and things that would be in sight if they lay there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.intervals import running_sums
from reenact.refine.states.observations import HandObservation, RigidTrack
from reenact.refine.states.trust import to_nearest


def gone(
    hand: HandObservation | None, t: Float64[np.ndarray, " t"], config: EvidenceConfig
) -> Float64[np.ndarray, " t"]:
    """How far a hand has been out of sight for long, before and after: nothing for a blink, one from `2 gone_s`."""
    if hand is None:
        return np.ones(len(t))
    return np.clip(to_nearest(hand.rigid.weight > 0, t) / config.gone_s - 1, 0.0, 1.0)


@dataclass(frozen=True)
class Absence:
    """What speaks against rest over a stretch in which the thing is not seen where it would rest."""

    before: Float64[np.ndarray, " t1"]
    """Running sums for rest where it was last seen..."""
    after: Float64[np.ndarray, " t1"]
    """...where it is seen next..."""
    either: Float64[np.ndarray, " t1"]
    """...and at the better of the two."""
    gap: Int64[np.ndarray, " t1"]
    """First unseen frame of the gap that reaches up to frame b (not included); b where frame b - 1 is seen."""

    @staticmethod
    def of(
        track: RigidTrack,
        hands: tuple[HandObservation | None, HandObservation | None],
        grid: SignedDistanceGrid | None,
        eye: Float64[np.ndarray, "t 3"],
        t_seconds: Float64[np.ndarray, " t"],
        step_s: Float64[np.ndarray, " t"],
        config: EvidenceConfig,
    ) -> Absence:
        """Nats per frame: `lost_rate` as far as the place is in the open."""
        seen = track.weight > 0
        idx = np.arange(len(seen))
        last = np.maximum.accumulate(np.where(seen, idx, -1))
        following = np.minimum.accumulate(np.where(seen, idx, len(seen))[::-1])[::-1]
        size = 0.5 * grid.cell * float(min(grid.values.shape)) if grid is not None else 0.0
        cost = []
        for where in (last, following):
            known = (where >= 0) & (where < len(seen))
            place = track.smooth[np.clip(where, 0, len(seen) - 1), :3, 3]
            bare = in_the_open(place, hands, size, eye, t_seconds, config)
            cost.append(np.where(known & ~seen, config.lost_rate * step_s * bare * (1 - track.known), 0.0))
        gap = np.concatenate([[0], last + 1])
        return Absence(
            running_sums(cost[0]),
            running_sums(cost[1]),
            running_sums(np.minimum(*cost)),
            gap.astype(np.int64),
        )

    def ending(self, b: int, start: int = 0) -> Float64[np.ndarray, " a"]:
        """Costs of [a, b) for a = start .. b - 1: unseen frames that a sight within the stretch follows, at its place;
        those at the end at the place of the sight before; a stretch without a sight is where it is least missed."""
        gap, first = int(self.gap[b]), np.arange(start, b)
        within = self.after[gap] - self.after[np.minimum(first, gap)] + self.before[b] - self.before[gap]
        return np.asarray(np.where(first >= gap, self.either[b] - self.either[first], within))


def in_the_open(
    place: Float64[np.ndarray, "t 3"],
    hands: tuple[HandObservation | None, HandObservation | None],
    size: float,
    eye: Float64[np.ndarray, "t 3"],
    t_seconds: Float64[np.ndarray, " t"],
    config: EvidenceConfig,
) -> Float64[np.ndarray, " t"]:
    """How far a thing of this size at this place would be in sight: 0 to 1.

    Nil where a hand is in front of that place in the picture, and where a hand may be that has not been seen for a moment;
    one that is gone for long has left the picture.
    """
    ray = place - eye
    far = np.linalg.norm(ray, axis=1)
    bare = np.ones(len(place))
    for hand in hands:
        if hand is None:
            continue
        to = hand.joints(hand.rigid.smooth) - eye[:, None]
        cosine = np.einsum("tji,ti->tj", to, ray) / np.maximum(
            np.linalg.norm(to, axis=2) * far[:, None], 1e-9
        )
        off = far * np.arccos(np.clip(cosine.max(axis=1), -1.0, 1.0))
        clear = np.where(off > config.cover + size, hand.rigid.known, 0.0)
        bare = bare * np.maximum(clear, gone(hand, t_seconds, config))
    return np.asarray(bare)
