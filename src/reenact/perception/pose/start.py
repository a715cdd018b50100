"""Where following begins: the frame that shows an object best, and which of the poses that fit there is the right one.

One frame's outline often fits more than one pose (a box whose sides are swapped, a tool the other way round), and one
frame's mask may be wrong. So the different poses that fit a few clear frames are each followed for a while, with the
points they see, the best few of them through all of the clip, and the one that keeps agreeing is taken. Frames are
chosen by time, so that it is the same one at every frame rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from reenact.geometry.transforms import inverse
from reenact.perception.pose.anchors import Anchors
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting, SightingSource
from reenact.perception.pose.fit import Fit, score
from reenact.perception.pose.initial import first_poses
from reenact.perception.pose.refine import PoseRefiner, Prior
from reenact.perception.pose.solve import bounded_inverse

_LEARNT = np.array([0.02] * 3 + [0.05] * 3)
"""How well a hypothesis says where its points are (m, rad): it claims to be right."""
_LOOKS = 24
"""Instants of a clip that are looked at."""


@dataclass(frozen=True)
class Hypothesis:
    """A pose that fits one frame."""

    frame: int
    T_world_object: np.ndarray
    value: float
    """How well, less where things hide it."""


def clearest(sightings: SightingSource, config: PoseConfig) -> list[int]:
    """Frames by how much of the object they show (area, whole in the picture, at rest), best first."""
    worth = []
    for frame in _instants(sightings):
        s = sightings[frame]
        mask = s.label == s.code
        area = float(mask.sum()) if s.mask_valid else 0.0
        if area < config.min_area_px:
            continue
        cut = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
        worth.append((area * (0.2 if cut else 1.0) * (1.0 if s.resting else 0.4), frame))
    return [frame for _, frame in sorted(worth, key=lambda x: -x[0])]


def _instants(sightings: SightingSource) -> list[int]:
    """Frames at evenly spaced times: the middles of equal parts of the clip."""
    count = len(sightings)
    parts = min(count, _LOOKS)
    return np.unique(((np.arange(parts) + 0.5) * count / max(parts, 1)).astype(int)).tolist()


@dataclass(frozen=True)
class Start:
    """Where following begins."""

    frame: int
    T_world_object: np.ndarray
    others: tuple[np.ndarray, ...]
    """Poses (world) that fitted that frame nearly as well."""


def find_starts(refiner: PoseRefiner, sightings: SightingSource, config: PoseConfig) -> list[Start]:
    """Frames to begin with and the poses there, most likely first: more than one only where a short look cannot tell; none
    if no frame shows enough."""
    pool: list[Hypothesis] = []
    for frame in _apart(clearest(sightings, config), sightings, config):
        s = sightings[frame]
        found = first_poses(refiner, s, config)
        pool += [
            Hypothesis(
                frame, s.T_world_camera @ c.T_camera_object, c.value - score(c.fit) + worth(c.fit, config)
            )
            for c in found
        ]
        if found and found[0].fit.iou > config.plain_iou and found[0].fit.depth_agrees(0.9):
            break
    if not pool:
        return []
    return [
        Start(
            h.frame,
            h.T_world_object,
            tuple(other.T_world_object for other in pool if other.frame == h.frame and other is not h),
        )
        for h in _worth_following(pool, refiner, sightings, config)
    ]


def _worth_following(
    pool: list[Hypothesis], refiner: PoseRefiner, sightings: SightingSource, config: PoseConfig
) -> list[Hypothesis]:
    """The likeliest pose of each frame, and of those that fit nearly as well as the best the few that are followed best."""
    pool.sort(key=lambda h: -h.value)
    alive = [h for h in pool if h.value > pool[0].value - config.start_reach][: config.start_hypotheses]
    if len(alive) > 1:
        alive.sort(key=lambda h: -h.value - agreement(refiner, sightings, h, config))
    first: dict[int, Hypothesis] = {}
    for h in [*alive, *(h for h in pool if h.value > pool[0].value - config.start_reach_other)]:
        first.setdefault(h.frame, h)
    kept = list(first.values())
    kept += [h for h in alive if not any(h is k for k in kept)][: max(0, config.start_runs - len(kept))]
    return sorted(kept, key=lambda h: next((i for i, a in enumerate(alive) if a is h), len(alive)))


def worth(fit: Fit, config: PoseConfig) -> float:
    """How well a pose fits, by overlap, depth and edges; less where things hide it."""
    return (score(fit) + config.edge_worth * fit.edge_share) * (0.6 + 0.4 * fit.visible_share)


def _apart(frames: list[int], sightings: SightingSource, config: PoseConfig) -> list[int]:
    """The first few of the frames, each some time from the others."""
    kept: list[int] = []
    lasts = sightings[len(sightings) - 1].t_seconds - sightings[0].t_seconds
    apart = max(config.start_apart_s, config.start_apart_share * lasts)
    for frame in frames:
        t = sightings[frame].t_seconds
        if all(abs(sightings[k].t_seconds - t) > apart for k in kept):
            kept.append(frame)
        if len(kept) == config.start_frames:
            break
    return kept


def agreement(
    refiner: PoseRefiner, sightings: SightingSource, start: Hypothesis, config: PoseConfig
) -> float:
    """Mean score of a pose that is followed for a while from its frame, both ways; contradicted points count against it."""
    anchors = Anchors(config)
    first = sightings[start.frame]
    anchors.learn(
        refiner,
        first,
        inverse(first.T_world_camera) @ start.T_world_object,
        np.diag(_LEARNT**2),
    )
    values: list[float] = []
    for step in (1, -1):
        T = start.T_world_object
        for before, now in pairwise(_steps(sightings, start.frame, step, config)):
            s = sightings[now]
            gap = abs(s.t_seconds - sightings[before].t_seconds)
            followed = _followed(refiner, s, T, anchors, gap, config)
            if followed is not None:
                T, value = followed
                values.append(value)
    return float(np.mean(values)) if values else start.value


def _steps(sightings: SightingSource, frame: int, step: int, config: PoseConfig) -> list[int]:
    """Frames at `follow_every_s` from each other, the first included, up to `follow_s` away."""
    out, t = [frame], sightings[frame].t_seconds
    k = frame + step
    while 0 <= k < len(sightings) and abs(sightings[k].t_seconds - t) < config.follow_s:
        if abs(sightings[k].t_seconds - sightings[out[-1]].t_seconds) > config.follow_every_s - 1e-3:
            out.append(k)
        k += step
    return out


def _followed(
    refiner: PoseRefiner,
    s: Sighting,
    T_world_object: np.ndarray,
    anchors: Anchors,
    gap: float,
    config: PoseConfig,
) -> tuple[np.ndarray, float] | None:
    """The pose in the next frame and how well it agrees; None where the frame says nothing."""
    mask = s.label == s.code
    if not s.mask_valid or mask.sum() < config.min_area_px:
        return None
    spread = np.array([config.speed * gap] * 3 + [config.turn_rate * gap] * 3) + 1e-3
    prior = Prior(inverse(s.T_world_camera) @ T_world_object, bounded_inverse(np.diag(spread**-2.0)))
    solution = refiner.refine(prior.T_camera_object, s, prior, anchors.of(s))
    fit = refiner.fit(solution.T_camera_object, s)
    value = worth(fit, config)
    return s.T_world_camera @ solution.T_camera_object, value - config.misfit_price * min(
        solution.misfit, 5.0
    )
