"""Looking for a pose again where the followed one no longer fits; not asked again for a while after one that was no use."""

from __future__ import annotations

import numpy as np

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.fit import Fit, score
from reenact.perception.pose.initial import Candidate, best_of, first_pose, nudged
from reenact.perception.pose.refine import PoseRefiner, Prior
from reenact.perception.pose.solve import Solution
from reenact.perception.pose.symmetry import turn_between
from reenact.perception.pose.terms import Anchored


class Search:
    """For one object through a clip."""

    def __init__(self, refiner: PoseRefiner, config: PoseConfig) -> None:
        self._refiner, self._config = refiner, config
        self.count = 0
        """How many were made."""
        self._failed_s, self._rest_s = -np.inf, config.search_rest_s

    def may_help(self, reason: str, fit: Fit, sighting: Sighting) -> bool:
        """reason: why the pose is refused, empty if it is not."""
        c = self._config
        rests = abs(sighting.t_seconds - self._failed_s) < self._rest_s
        if not sighting.mask_valid or rests or fit.visible_share < c.min_visible_share:
            return False
        doubtful = c.doubt_iou + (0.05 if fit.depth is not None else 0.0)
        return (
            reason in ("outline differs", "depth differs") or fit.iou < doubtful or not fit.depth_agrees(0.8)
        )

    def better(
        self, sighting: Sighting, prior: Prior, solution: Solution, fit: Fit, anchors: Anchored
    ) -> tuple[Solution, Fit]:
        """Small turns first; where the pose is plainly wrong, all turns. Kept if clearly better."""
        self.count += 1
        found = self._found(sighting, prior, solution, fit, anchors)
        turn = self._turn(found.T_camera_object, prior.T_camera_object)
        if found.value < score(fit) + 0.05 + self._config.flip_price * turn:
            in_a_row = abs(sighting.t_seconds - self._failed_s) < 2 * self._rest_s
            longer = min(2 * self._rest_s, self._config.search_rest_max_s)
            self._rest_s = longer if in_a_row else self._config.search_rest_s
            self._failed_s = sighting.t_seconds
            return solution, fit
        again = self._refiner.refine(found.T_camera_object, sighting, None, anchors, rounds=1)
        return again, self._refiner.fit(again.T_camera_object, sighting)

    def _found(
        self, sighting: Sighting, prior: Prior, solution: Solution, fit: Fit, anchors: Anchored
    ) -> Candidate:
        c, R = self._config, prior.T_camera_object[:3, :3]
        found = nudged(self._refiner, sighting, solution.T_camera_object, anchors)
        if fit.iou < c.min_iou:  # lost: the same way round, where the mask is now
            moved = best_of(self._refiner, sighting, [(R, 0.0)], c)
            found = moved if moved is not None and moved.value > found.value else found
        if fit.visible_share > 0.3 and max(score(fit), found.value) < c.min_iou + 0.1:
            found = first_pose(self._refiner, sighting, c, R) or found
        return found

    def _turn(self, T: np.ndarray, T_predicted: np.ndarray) -> float:
        """Visible turn between two poses (rad)."""
        return turn_between(T[:3, :3], T_predicted[:3, :3], self._refiner.model.symmetry)
