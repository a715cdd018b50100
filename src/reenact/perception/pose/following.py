"""One way of following an object through a clip, from one frame in which its pose is taken to be known.

Refinement: see `refine`. Followed points get their place on the mesh the first time a pose is trusted, so the pose does
not drift while they live; where the outline leads to a pose that they contradict, they carry it. A way ends where it meets
an earlier one, or has been clearly worse for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from reenact.geometry.transforms import inverse
from reenact.perception.pose.anchors import Anchors
from reenact.perception.pose.by_points import ByPoints, agreeing_share, by_points
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting, SightingSource
from reenact.perception.pose.doubt import undersaid, unseen_turn
from reenact.perception.pose.fit import Fit, confidence, score
from reenact.perception.pose.initial import SAME_PLACE, SAME_TURN, UPRIGHT_BONUS
from reenact.perception.pose.model import ObjectModel, feet_of
from reenact.perception.pose.predicting import Followed, followed, predicted, turned
from reenact.perception.pose.refine import PoseRefiner, Prior
from reenact.perception.pose.search import Search
from reenact.perception.pose.solve import Solution, bounded_inverse
from reenact.perception.pose.start import Start, worth
from reenact.perception.pose.symmetry import difference, nearest_equivalent, turned_in_place
from reenact.perception.pose.terms import Anchored

_UPRIGHT = 0.95
"""Cosine of the lean up to which a thing stands upright."""
_NO_POINTS = ByPoints(0, None, 0.0)


class Way:
    """Poses of one object, followed from one start; arrays have a row for each frame of the clip."""

    def __init__(
        self, model: ObjectModel, sightings: SightingSource, refiner: PoseRefiner, config: PoseConfig
    ) -> None:
        self.model, self.sightings, self.refiner, self.config = model, sightings, refiner, config
        frames = len(sightings)
        self.T = np.tile(np.eye(4), (frames, 1, 1))
        self.valid, self.visited = np.zeros(frames, bool), np.zeros(frames, bool)
        self.confidence = np.zeros(frames)
        self.plain, self.value = np.zeros(frames), np.zeros(frames)
        """How well each pose agrees with its frame, and the same where it counts less after a break."""
        self.covariance = np.tile(bounded_inverse(np.zeros((6, 6))), (frames, 1, 1))
        self.anchors = Anchors(config)
        self.why: Counter[str] = Counter()
        self.search = Search(refiner, config)
        self.others: list[np.ndarray] = []
        """Poses that fitted the first frame nearly as well, seen from the one that was taken."""
        self.feet: np.ndarray | None = None
        """Points it stands on (object frame), by the start; None while that is unknown."""
        self.fits: dict[int, Fit] = {}
        self._lost_s, self._lead, self._broken = 0.0, 0.0, False
        self.start = 0
        """Frame that it began from."""
        self._earlier: Sequence[Way] = ()

    def all_frames(self, start: Start, earlier: Sequence[Way] = ()) -> None:
        """Forward and backward from the start, each as far as it is of use beside the earlier ways."""
        frame, T_world_object = start.frame, start.T_world_object
        self.start = frame
        self._earlier = tuple(earlier)
        self.others = [inverse(T_world_object) @ T for T in start.others]
        self.feet = self.refiner.feet = None
        sighting = self.sightings[frame]
        if sighting.plane is not None and sighting.resting and sighting.plane.level_known:
            up = (sighting.T_world_camera[:3, :3] @ sighting.plane.normal) @ T_world_object[:3, :3]
            self.feet = self.refiner.feet = feet_of(self.model, up)
        begin = followed(T_world_object, self.covariance[frame], sighting)
        begin = self._frame(frame, sighting, Prior(T_world_object, self.covariance[frame]), None, begin)
        for order in (range(frame + 1, len(self.sightings)), range(frame - 1, -1, -1)):
            self._follow(order, begin)

    def _follow(self, order: Iterable[int], now: Followed) -> None:
        self._lost_s, self._broken, met_s = 0.0, False, 0.0
        behind: list[tuple[float, float]] = []
        for k in order:
            seen, before = self.sightings[k], now.t_seconds
            now = self._frame(k, seen, predicted(now, seen, self.config), now, now)
            gap = abs(seen.t_seconds - before)
            self._lost_s = 0.0 if self.valid[k] else self._lost_s + gap
            self._broken |= self._lost_s > self.config.broken_s
            met_s = met_s + gap if any(self._meets(way, k) for way in self._earlier) else 0.0
            best = max((way.value[k] for way in self._earlier), default=0.0)
            behind.append((gap, float(best - self.plain[k])))
            self._lead -= gap * behind[-1][1]
            if met_s > self.config.meet_s or (self._lead < 0 and _lags(behind, self.config)):
                return

    def _meets(self, other: Way, k: int) -> bool:
        if not (self.valid[k] and other.valid[k]):
            return False
        if (k < self.start) != (k < other.start):
            return False  # what lies ahead was found before the other way came to be here
        change = difference(self.T[k], other.T[k], self.model)
        own = np.sqrt([np.trace(other.covariance[k, :3, :3]), np.trace(other.covariance[k, 3:, 3:])]) / 2
        place, turn = max(SAME_PLACE / 2, float(own[0])), max(SAME_TURN / 2, min(float(own[1]), SAME_TURN))
        return bool(np.linalg.norm(change[:3]) < place and np.linalg.norm(change[3:]) < turn)

    def _frame(
        self, frame: int, sighting: Sighting, expected: Prior, last: Followed | None, held: Followed
    ) -> Followed:
        """Refine, judge, store; returns what the next frame starts from.

        expected: in the world; last: None in the frame of the start.
        """
        T_world_camera = sighting.T_world_camera
        T_camera_world = inverse(T_world_camera)
        prior = Prior(T_camera_world @ expected.T_camera_object, turned(expected.covariance, T_camera_world))
        anchors = self.anchors.of(sighting)
        prior = self._better_start(prior, sighting, last, T_camera_world)
        solution, fit, points = self._solved(sighting, prior, anchors)
        reason = self._refusal(solution, fit, sighting, anchors, points)
        self.visited[frame] = True
        if reason:
            self.why[reason] += 1
            self.T[frame] = held.T_world_object
            return Followed(held.T_world_object, expected.covariance, sighting.t_seconds, {})
        T = T_world_camera @ solution.T_camera_object
        if last is not None:
            T = self._calm(T, expected.T_camera_object[:3, :3], anchors)
        self.T[frame], self.valid[frame] = T, True
        self._store(frame, sighting, solution, fit, points, anchors)
        unseen = unseen_turn(T, self.model, anchors)
        return followed(T, turned(solution.following, T_world_camera) + unseen, sighting)

    def _solved(self, sighting: Sighting, prior: Prior, anchors: Anchored) -> tuple[Solution, Fit, ByPoints]:
        """By the outline and all else; by the points where those contradict it; by a search where neither fits."""
        points = by_points(self.refiner, sighting, prior, anchors, self.config)
        begin = prior.T_camera_object if points.solution is None else points.solution.T_camera_object
        solution = self.refiner.refine(begin, sighting, prior, anchors)
        fit = self.refiner.fit(solution.T_camera_object, sighting)
        share = agreeing_share(solution.T_camera_object, sighting, anchors, self.refiner, self.config)
        differs = fit.iou < self.config.min_iou or points.contradicts(share, self.config)
        if points.solution is not None and differs:
            carried = self.refiner.fit(points.solution.T_camera_object, sighting)
            if carried.covered > self.config.by_points_covered:
                return points.solution, carried, points
        points = _NO_POINTS
        reason = self._refusal(solution, fit, sighting, anchors, points)
        if self.search.may_help(reason, fit, sighting):
            found, better = self.search.better(sighting, prior, solution, fit, anchors)
            self._broken |= found is not solution
            solution, fit = found, better
        return solution, fit, points

    def _store(
        self,
        frame: int,
        sighting: Sighting,
        solution: Solution,
        fit: Fit,
        points: ByPoints,
        anchors: Anchored,
    ) -> None:
        """What a trusted pose says, and the places of new points by it."""
        T, T_camera_world = self.T[frame], inverse(sighting.T_world_camera)
        self.fits[frame] = fit
        spread = turned(solution.covariance, sighting.T_world_camera) + unseen_turn(T, self.model, anchors)
        # what is left of a hidden outline may fit more than one pose: the bend of the cost there says too little
        seen_little = max(1.0, 0.5 / max(fit.visible_share, 0.05)) ** 2
        self.covariance[frame] = spread * seen_little * undersaid(sighting, self.config) ** 2
        self.confidence[frame] = confidence(fit)
        T_now = T_camera_world @ T
        self._broken &= fit.iou < self.config.clear_iou or fit.visible_share < self.config.clear_share
        self.plain[frame] = max(worth(fit, self.config), self.config.points_worth * points.agreeing)
        self.plain[frame] += self._upright(T_now, sighting)
        self.value[frame] = self.plain[frame] * (self.config.broken_worth if self._broken else 1.0)
        focal = float(self.refiner.camera.params[0]) / self.refiner.camera.width_px
        self.anchors.doubt(sighting, T_now, focal)
        if fit.iou >= max(0.75, self.config.min_iou):
            self.anchors.learn(self.refiner, sighting, T_now, solution.covariance)

    def _upright(self, T_camera_object: np.ndarray, sighting: Sighting) -> float:
        """The bonus of a thing that stands as its mesh does, where it stands."""
        plane = sighting.plane
        if plane is None or not (sighting.resting and plane.level_known):
            return 0.0
        return UPRIGHT_BONUS if float(T_camera_object[:3, 2] @ plane.normal) > _UPRIGHT else 0.0

    def _better_start(
        self, prior: Prior, sighting: Sighting, last: Followed | None, T_camera_world: np.ndarray
    ) -> Prior:
        """The predicted pose, or the last one where that agrees better with the frame."""
        if last is None or np.array_equal(T_camera_world @ last.T_world_object, prior.T_camera_object):
            return prior
        held = T_camera_world @ last.T_world_object
        if score(self.refiner.fit(held, sighting)) > score(self.refiner.fit(prior.T_camera_object, sighting)):
            return Prior(held, prior.covariance)
        return prior

    def _calm(self, T: np.ndarray, R_predicted: np.ndarray, anchors: Anchored) -> np.ndarray:
        """Turns that cannot be seen are not made: of all equal rotations, the one nearest to the prediction."""
        if anchors.known.sum() >= (3 if self.model.symmetry.is_round else 1):
            return T  # followed points see the turn
        R = nearest_equivalent(T[:3, :3], R_predicted, self.model.symmetry)
        return turned_in_place(T, R, self.model.centre)

    def _refusal(
        self, solution: Solution, fit: Fit, sighting: Sighting, anchors: Anchored, points: ByPoints
    ) -> str:
        """Why the pose is not to be trusted; empty if it is."""
        c = self.config
        by_tracks = int(anchors.known.sum()) >= c.min_track_points and solution.misfit < 4
        if solution.T_camera_object[2, 3] < 0.05:
            return "behind the camera"
        if not sighting.mask_valid:
            return "mask lost"
        if (sighting.label == sighting.code).sum() < c.min_area_px:
            return "" if by_tracks else "hidden"
        if points.solution is not None:
            return ""
        if fit.iou < c.min_iou:
            return "outline differs"
        if fit.visible_share < c.min_visible_share and not by_tracks:
            return "hidden"
        return "" if fit.depth_agrees(0.25) else "depth differs"


def _lags(behind: list[tuple[float, float]], config: PoseConfig) -> bool:
    """Whether a way has been clearly worse than another for the last while; rows are (seconds, by how much)."""
    lasted, total = 0.0, 0.0
    for gap, less in reversed(behind):
        lasted, total = lasted + gap, total + gap * less
        if lasted > config.beaten_s:
            return bool(total / lasted > config.beaten)
    return False
