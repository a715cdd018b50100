"""Poses carried by followed points, and how far a pose agrees with them.

Points that have a place on the mesh and move with it as one rigid thing are stronger evidence than an outline: a mask may
leak into a shadow or lose the part behind a hand, and a pose can be bent to fit what is left of it, but not so that a dozen
points go along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.refine import PoseRefiner, Prior
from reenact.perception.pose.solve import Solution
from reenact.perception.pose.terms import Anchored, placed


@dataclass(frozen=True)
class ByPoints:
    """What the followed points say of one frame."""

    known: int
    """Points that have a place."""
    solution: Solution | None
    """The pose that they and the prediction lead to; None where too few of them agree with any one pose."""
    agreeing: float
    """Share of the known points that agree with it."""

    def contradicts(self, agreeing: float, config: PoseConfig) -> bool:
        """Whether a pose with which that share of the points agrees is not the one along which they went."""
        return self.solution is not None and agreeing < config.points_lost * self.agreeing


def by_points(
    refiner: PoseRefiner, sighting: Sighting, prior: Prior, anchors: Anchored, config: PoseConfig
) -> ByPoints:
    """The pose that the followed points alone lead to from the predicted one."""
    known = int(anchors.known.sum())
    if known < config.min_track_points:
        return ByPoints(known, None, 0.0)
    solution = refiner.refine_by_points(prior, sighting, anchors)
    share = agreeing_share(solution.T_camera_object, sighting, anchors, refiner, config)
    if share < config.points_agree or share * known < config.min_track_points:
        return ByPoints(known, None, share)
    return ByPoints(known, solution, share)


def agreeing_share(
    T_camera_object: Float[np.ndarray, "4 4"],
    sighting: Sighting,
    anchors: Anchored,
    refiner: PoseRefiner,
    config: PoseConfig,
) -> float:
    """Share of the points with a place that a pose puts where they are seen; 0 without any."""
    known = anchors.known
    if not known.any():
        return 0.0
    p = placed(T_camera_object, anchors.places[known])
    off = np.linalg.norm(p[:, :2] / np.maximum(p[:, 2:], 0.05) - sighting.track_flat[known], axis=1)
    focal = float(refiner.camera.params[0]) / refiner.camera.width_px
    return float((off * focal < config.points_reach * config.track_sigma).mean())
