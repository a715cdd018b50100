"""One object through a clip: found in its clearest frame, then followed forward and backward from there.

Prediction: the rigid motion of 3D tracks where they have depth (DexMan B.3), the last pose otherwise. Refinement: see
`refine`. Followed points get their place on the mesh the first time a pose is trusted, so the pose does not drift
while they live.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import inverse
from reenact.perception.pose.anchors import Anchors
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import ObjectPoses, PoseStart, Sighting, SightingSource
from reenact.perception.pose.doubt import Doubt, undecided, unseen_turn
from reenact.perception.pose.fit import Fit, confidence, score, summary
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner, Prior, feet_of
from reenact.perception.pose.rigid import rigid_ransac
from reenact.perception.pose.search import Search
from reenact.perception.pose.solve import Solution, bounded_inverse
from reenact.perception.pose.start import Start, find_starts, worth
from reenact.perception.pose.symmetry import nearest_equivalent, turned_in_place
from reenact.perception.pose.terms import Anchored, placed
from reenact.perception.pose.window import Camera
from reenact.rendering.mesh_depth import MeshDepthRenderer


@dataclass
class _State:
    """What is carried from frame to frame."""

    T_world_object: np.ndarray
    covariance: np.ndarray
    """World axes."""
    t_seconds: float
    points: dict[int, tuple[np.ndarray, float]]
    """World places of followed points with depth, and their sigma."""
    trusted: bool


class PoseTracker:
    """The CPU backend. Holds no GL of its own: it draws with the renderer it is given."""

    name = "outline_depth_tracks"
    licence = "none"

    def __init__(
        self, renderer: MeshDepthRenderer, mesh_idx: int, camera: Camera, config: PoseConfig
    ) -> None:
        self._renderer, self._mesh_idx, self._camera, self._config = renderer, mesh_idx, camera, config

    def track(
        self, model: ObjectModel, sightings: SightingSource, start: PoseStart | None = None
    ) -> ObjectPoses:
        """See `PoseBackend.track`."""
        refiner = PoseRefiner(model, self._renderer, self._mesh_idx, self._camera, self._config)
        starts = (
            [Start(start.frame, np.asarray(start.T_world_object), ())]
            if start is not None
            else find_starts(refiner, sightings, self._config)
        )
        runs = [_Run(model, sightings, refiner, self._config) for _ in starts]
        if not runs:
            return _Run(model, sightings, refiner, self._config).result("no frame shows enough of it", None)
        for run, begin in zip(runs, starts, strict=True):
            run.all_frames(begin)
        agreement = [run.agreement for run in runs]
        order = np.argsort([-value for value in agreement], kind="stable")
        every = [runs[k].result("", starts[k].frame) for k in order]
        return undecided(every, [agreement[k] for k in order], model, self._config)


class _Run:
    def __init__(
        self, model: ObjectModel, sightings: SightingSource, refiner: PoseRefiner, config: PoseConfig
    ) -> None:
        self.model, self.sightings, self.refiner, self.config = model, sightings, refiner, config
        frames = len(sightings)
        self.T = np.tile(np.eye(4), (frames, 1, 1))
        self.valid, self.confidence = np.zeros(frames, bool), np.zeros(frames)
        self.covariance = np.tile(bounded_inverse(np.zeros((6, 6))), (frames, 1, 1))
        self.anchors = Anchors(config)
        self.why: Counter[str] = Counter()
        self.search, self.doubt = Search(refiner, config), Doubt(refiner, config)
        self.fits: list[Fit] = []

    @property
    def agreement(self) -> float:
        """How well the poses fit, mean over all frames; frames without a pose count 0."""
        return sum(worth(fit, self.config) for fit in self.fits) / max(len(self.sightings), 1)

    def all_frames(self, start: Start) -> None:
        """Forward and backward from the start."""
        frame, T_world_object = start.frame, start.T_world_object
        self.doubt.others = [inverse(T_world_object) @ T for T in start.others]
        self.refiner.feet = None
        sighting = self.sightings[frame]
        if sighting.plane is not None and sighting.resting and sighting.plane.level_known:
            up = (sighting.T_world_camera[:3, :3] @ sighting.plane.normal) @ T_world_object[:3, :3]
            self.refiner.feet = feet_of(self.model, up)
        state = self._state(T_world_object, self.covariance[frame], sighting)
        state = self._frame(frame, sighting, state, None)
        for order in (range(frame + 1, len(self.sightings)), range(frame - 1, -1, -1)):
            now = state
            for k in order:
                seen = self.sightings[k]
                now = self._frame(k, seen, self._predicted(now, seen), now)

    def _predicted(self, last: _State, sighting: Sighting) -> Prior:
        """World pose and covariance at the new time (as a `Prior` whose frame is the world)."""
        gap = abs(sighting.t_seconds - last.t_seconds)
        T = last.T_world_object
        pairs = [
            (i, k)
            for k, i in enumerate(sighting.track_idx.tolist())
            if i in last.points and sighting.track_sigma[k] > 0
        ]
        spread = np.array([self.config.speed * gap] * 3 + [self.config.turn_rate * gap] * 3)
        if len(pairs) >= 4:
            src = np.array([last.points[i][0] for i, _ in pairs])
            dst = placed(sighting.T_world_camera, sighting.track_points[[k for _, k in pairs]])
            sigma = np.hypot(
                [last.points[i][1] for i, _ in pairs], sighting.track_sigma[[k for _, k in pairs]]
            )
            fit = rigid_ransac(
                src,
                dst,
                self.config.ransac_reach + 2 * sigma,
                rounds=self.config.ransac_rounds,
                seed=self.config.seed,
            )
            if fit is not None:
                T = fit.T_dst_src @ T
                spread = spread * 0.5
        return Prior(T, bounded_inverse(np.linalg.inv(last.covariance + np.diag(spread**2 + 1e-8))))

    def _frame(
        self, frame: int, sighting: Sighting, predicted: Prior | _State, last: _State | None
    ) -> _State:
        """Refine, judge, store; returns what the next frame starts from."""
        T_world_camera = sighting.T_world_camera
        T_camera_world = inverse(T_world_camera)
        if isinstance(predicted, _State):
            predicted = Prior(predicted.T_world_object, bounded_inverse(np.zeros((6, 6))))
        prior = Prior(
            T_camera_world @ predicted.T_camera_object, turned(predicted.covariance, T_camera_world)
        )
        anchors = self.anchors.of(sighting)
        prior = self._better_start(prior, sighting, last, T_camera_world)
        solution = self.refiner.refine(prior.T_camera_object, sighting, prior, anchors)
        fit = self.refiner.fit(solution.T_camera_object, sighting)
        reason = self._refusal(solution, fit, sighting, anchors)
        if self.search.may_help(reason, fit, sighting):
            solution, fit = self.search.better(sighting, prior, solution, fit, anchors)
            reason = self._refusal(solution, fit, sighting, anchors)
        if reason:
            self.why[reason] += 1
            held = predicted.T_camera_object if last is None else last.T_world_object
            self.T[frame] = held
            return _State(held, predicted.covariance, sighting.t_seconds, {}, False)
        T = T_world_camera @ solution.T_camera_object
        if last is not None:
            T = self._calm(T, predicted.T_camera_object[:3, :3], anchors)
        self.T[frame], self.valid[frame] = T, True
        self.fits.append(fit)
        unseen = unseen_turn(T, self.model, anchors)
        spread = turned(solution.covariance, T_world_camera) + unseen
        doubt, belief = self.doubt.of(T, T_camera_world, fit, sighting)
        # what is left of a hidden outline may fit more than one pose: the bend of the cost there says too little
        seen_little = max(1.0, 0.5 / max(fit.visible_share, 0.05)) ** 2
        if len(sighting.cloud) < 10:
            seen_little, doubt = seen_little * self.config.undersaid**2, doubt * self.config.undersaid**2
        self.covariance[frame] = spread * seen_little + turned(doubt, T_world_camera)
        self.confidence[frame] = confidence(fit) * belief
        T_now = T_camera_world @ T
        self.anchors.doubt(
            sighting, T_now, float(self.refiner.camera.params[0]) / self.refiner.camera.width_px
        )
        if fit.iou >= max(0.75, self.config.min_iou):
            self.anchors.learn(self.refiner, sighting, T_now, solution.covariance, doubt)
        return self._state(T, turned(solution.following, T_world_camera) + unseen, sighting)

    def _better_start(
        self, prior: Prior, sighting: Sighting, last: _State | None, T_camera_world: np.ndarray
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

    def _refusal(self, solution: Solution, fit: Fit, sighting: Sighting, anchors: Anchored) -> str:
        """Why the pose is not to be trusted; empty if it is."""
        c = self.config
        followed = int(anchors.known.sum())
        if solution.T_camera_object[2, 3] < 0.05:
            return "behind the camera"
        by_tracks = followed >= c.min_track_points and solution.misfit < 4
        if not sighting.mask_valid:
            return "mask lost"
        if (sighting.label == sighting.code).sum() < c.min_area_px:
            return "" if by_tracks else "hidden"
        if fit.iou < c.min_iou:
            return "outline differs"
        if fit.visible_share < c.min_visible_share and not by_tracks:
            return "hidden"
        if not fit.depth_agrees(0.25):
            return "depth differs"
        return ""

    def _state(self, T: np.ndarray, covariance: np.ndarray, sighting: Sighting) -> _State:
        world = placed(sighting.T_world_camera, sighting.track_points)
        points = {
            int(i): (world[k], float(sighting.track_sigma[k]))
            for k, i in enumerate(sighting.track_idx)
            if sighting.track_sigma[k] > 0
        }
        return _State(T, covariance, sighting.t_seconds, points, True)

    def result(self, problem: str, reference: int | None) -> ObjectPoses:
        """What was found."""
        notes = {
            "problem": problem,
            "reference_frame": reference,
            "frames_valid": int(self.valid.sum()),
            "frames": len(self.valid),
            "refused": dict(self.why),
            "searches": self.search.count,
            "anchored_points": len(self.anchors),
            "fit": summary(self.fits),
        }
        return ObjectPoses(self.T, self.valid, self.confidence, self.covariance, notes)


def turned(
    covariance: Float64[np.ndarray, "6 6"], T: Float64[np.ndarray, "4 4"]
) -> Float64[np.ndarray, "6 6"]:
    """A covariance of (dt, w) in the axes that T leads to."""
    R = np.kron(np.eye(2), T[:3, :3])
    out: np.ndarray = R @ covariance @ R.T
    return (out + out.T) / 2
