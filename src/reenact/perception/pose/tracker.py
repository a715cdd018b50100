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
from reenact.perception.pose.initial import Candidate, best_of, first_pose, nudged, poor
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import Fit, PoseRefiner, Prior, feet_of, score
from reenact.perception.pose.rigid import rigid_ransac
from reenact.perception.pose.solve import Solution, bounded_inverse
from reenact.perception.pose.symmetry import nearest_equivalent, turn_between, turned_in_place
from reenact.perception.pose.terms import Anchored, placed
from reenact.perception.pose.twins import ambiguity, rivals
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
        return _Run(
            model,
            sightings,
            PoseRefiner(model, self._renderer, self._mesh_idx, self._camera, self._config),
            self._config,
        ).all_frames(start)


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
        self.searches, self.searched_s, self.search_rest_s = 0, -np.inf, config.search_rest_s
        self.doubt, self.doubted_s = (np.zeros((6, 6)), 1.0), -np.inf
        self.doubted: tuple[np.ndarray, Fit] | None = None
        """Pose (world) and fit when twins were last looked for."""

    def all_frames(self, start: PoseStart | None) -> ObjectPoses:
        reference = self._reference(start)
        if reference is None:
            return self._result("no frame shows enough of it", None)
        frame, T_world_object = reference
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
        return self._result("", frame)

    def _reference(self, start: PoseStart | None) -> tuple[int, np.ndarray] | None:
        """The frame to begin with and the pose there."""
        if start is not None:
            return start.frame, np.asarray(start.T_world_object)
        best: tuple[float, int, np.ndarray] | None = None
        for frame in clearest(self.sightings, self.config)[:3]:
            sighting = self.sightings[frame]
            found = first_pose(self.refiner, sighting, self.config)
            if found is None:
                continue
            value = found.value * (0.6 + 0.4 * found.fit.visible_share)
            if best is None or value > best[0] + 0.02:
                best = (value, frame, sighting.T_world_camera @ found.T_camera_object)
            if not poor(found.fit):
                break
        return None if best is None else best[1:]

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
        if sighting.mask_valid and self._doubtful(reason, fit, sighting):
            solution, fit = self._search(sighting, prior, solution, fit, anchors)
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
        spread = turned(solution.covariance, T_world_camera) + self._unseen_turn(T, anchors)
        doubt, belief = self._doubt(T, T_camera_world, fit, sighting)
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
            along = T_now[:3, 3] / np.linalg.norm(T_now[:3, 3])
            far = float(
                np.sqrt(along @ (solution.covariance + doubt)[:3, :3] @ along) / np.linalg.norm(T_now[:3, 3])
            )
            self.anchors.learn(self.refiner, sighting, T_now, far)
        return self._state(T, spread, sighting)

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

    def _doubt(
        self, T_world_object: np.ndarray, T_camera_world: np.ndarray, fit: Fit, sighting: Sighting
    ) -> tuple[np.ndarray, float]:
        """What other poses that look alike add to the covariance (camera axes), and the belief left in this one."""
        if not sighting.mask_valid or fit.depth_share >= 0.8:
            return np.zeros((6, 6)), 1.0
        same = self._as_doubted(T_world_object, fit)
        wait = self.config.twin_rest_s if same else self.config.twin_every_s
        if abs(sighting.t_seconds - self.doubted_s) > wait - 1e-3:
            T_camera_object = T_camera_world @ T_world_object
            others = rivals(self.refiner, sighting, T_camera_object, self.config)
            self.doubt = ambiguity(T_camera_object, score(fit), others, self.model, self.config.twin_scale)
            self.doubted_s, self.doubted = sighting.t_seconds, (T_world_object, fit)
        return self.doubt

    def _as_doubted(self, T_world_object: np.ndarray, fit: Fit) -> bool:
        """Whether pose and fit are as they were when twins were last looked for."""
        if self.doubted is None:
            return False
        T, before = self.doubted
        return bool(
            np.linalg.norm(T_world_object[:3, 3] - T[:3, 3]) < 0.005
            and self._turn(T_world_object, T) < 0.05
            and abs(fit.iou - before.iou) < 0.03
            and abs(fit.visible_share - before.visible_share) < 0.05
        )

    def _unseen_turn(self, T_world_object: np.ndarray, anchors: Anchored) -> np.ndarray:
        """Covariance of the turn about a symmetry axis where no followed points show it: any turn is possible."""
        if anchors.known.sum() >= 3:
            return np.zeros((6, 6))
        axis = T_world_object[:3, :3] @ self.model.symmetry.axis
        spin = np.concatenate([np.cross(axis, -T_world_object[:3, :3] @ self.model.centre), axis])
        return np.outer(spin, spin) * (np.pi**2 / 3)

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
        if 0 <= fit.depth_share < 0.25:
            return "depth differs"
        return ""

    def _doubtful(self, reason: str, fit: Fit, sighting: Sighting) -> bool:
        """A search may help; not asked again for a while after one that did not."""
        c = self.config
        rests = abs(sighting.t_seconds - self.searched_s) < self.search_rest_s
        if rests or fit.visible_share < c.min_visible_share:
            return False
        return (
            reason in ("outline differs", "depth differs")
            or fit.iou < c.doubt_iou + (0.05 if fit.depth_share >= 0 else 0.0)
            or 0 <= fit.depth_share < 0.8
        )

    def _search(
        self, sighting: Sighting, prior: Prior, solution: Solution, fit: Fit, anchors: Anchored
    ) -> tuple[Solution, Fit]:
        """Small turns first; where the pose is plainly wrong, all turns. Kept if clearly better."""
        self.searches += 1
        found: Candidate | None = nudged(self.refiner, sighting, solution.T_camera_object, anchors)
        if fit.iou < self.config.min_iou:  # lost: the same way round, where the mask is now
            moved = best_of(self.refiner, sighting, [(prior.T_camera_object[:3, :3], 0.0)], self.config)
            found = moved if found is None or (moved is not None and moved.value > found.value) else found
        if (
            fit.visible_share > 0.3
            and max(score(fit), found.value if found else 0) < self.config.min_iou + 0.1
        ):
            found = first_pose(self.refiner, sighting, self.config, prior.T_camera_object[:3, :3])
        turn = 0.0 if found is None else self._turn(found.T_camera_object, prior.T_camera_object)
        if found is None or found.value < score(fit) + 0.05 + self.config.flip_price * turn:
            in_a_row = abs(sighting.t_seconds - self.searched_s) < 2 * self.search_rest_s
            longer = min(2 * self.search_rest_s, self.config.search_rest_max_s)
            self.search_rest_s = longer if in_a_row else self.config.search_rest_s
            self.searched_s = sighting.t_seconds
            return solution, fit
        again = self.refiner.refine(found.T_camera_object, sighting, None, anchors, rounds=1)
        return again, self.refiner.fit(again.T_camera_object, sighting)

    def _turn(self, T: np.ndarray, T_predicted: np.ndarray) -> float:
        """Visible turn between two poses (rad)."""
        m = self.model
        return turn_between(T[:3, :3], T_predicted[:3, :3], m.symmetry)

    def _state(self, T: np.ndarray, covariance: np.ndarray, sighting: Sighting) -> _State:
        world = placed(sighting.T_world_camera, sighting.track_points)
        points = {
            int(i): (world[k], float(sighting.track_sigma[k]))
            for k, i in enumerate(sighting.track_idx)
            if sighting.track_sigma[k] > 0
        }
        return _State(T, covariance, sighting.t_seconds, points, True)

    def _result(self, problem: str, reference: int | None) -> ObjectPoses:
        notes = {
            "problem": problem,
            "reference_frame": reference,
            "frames_valid": int(self.valid.sum()),
            "frames": len(self.valid),
            "refused": dict(self.why),
            "searches": self.searches,
            "anchored_points": len(self.anchors),
        }
        return ObjectPoses(self.T, self.valid, self.confidence, self.covariance, notes)


def turned(
    covariance: Float64[np.ndarray, "6 6"], T: Float64[np.ndarray, "4 4"]
) -> Float64[np.ndarray, "6 6"]:
    """A covariance of (dt, w) in the axes that T leads to."""
    R = np.kron(np.eye(2), T[:3, :3])
    out: np.ndarray = R @ covariance @ R.T
    return (out + out.T) / 2


def confidence(fit: Fit) -> float:
    """0..1 from overlap, agreement with depth and how much is unhidden."""
    value = np.clip((fit.iou - 0.4) / 0.5, 0.05, 1.0) * (0.4 + 0.6 * min(1.0, fit.visible_share / 0.6))
    return float(value * (0.5 + 0.5 * fit.depth_share) if fit.depth_share >= 0 else value)


def clearest(sightings: SightingSource, config: PoseConfig) -> list[int]:
    """Frames by how much of the object they show (area, whole in the picture, at rest), best first."""
    frames = np.unique(np.linspace(0, len(sightings) - 1, min(len(sightings), 24)).astype(int))
    worth = []
    for frame in frames:
        s = sightings[int(frame)]
        mask = s.label == s.code
        area = float(mask.sum()) if s.mask_valid else 0.0
        if area < config.min_area_px:
            continue
        cut = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
        worth.append((area * (0.2 if cut else 1.0) * (1.0 if s.resting else 0.4), int(frame)))
    top = max((w for w, _ in worth), default=0.0)
    return [f for w, f in sorted(worth, key=lambda x: (-(x[0] > 0.85 * top), -x[0]))]
