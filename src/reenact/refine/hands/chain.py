"""The steps of hand reconstruction bound to one clip's landmarks, camera and times."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.geometry.transforms import inverse
from reenact.hands.image import reprojection_fraction
from reenact.hands.joints import JOINT_NAMES_21
from reenact.hands.skeleton import HandSkeleton
from reenact.refine.hands.fill import FillConfig, fill_gaps
from reenact.refine.hands.gate import GateConfig, GateReason, find_jumps, gate_single_frames
from reenact.refine.hands.hypotheses import HandHypotheses, HypothesisConfig
from reenact.refine.hands.limits import limit_angles
from reenact.refine.hands.offsets import is_measured_net, offsets_of
from reenact.refine.hands.pose import REVERSED, HandPoses, PoseConfig, PoseProblem
from reenact.refine.hands.smooth import FrameData, SmoothConfig, smooth_track
from reenact.refine.hands.steady import SteadyConfig, slow_sigma, steady_distance
from reenact.refine.hands.track import WristTrack, rotate_covariance, scatter_poses
from reenact.refine.hands.uncertainty import UncertaintyConfig, wrist_sigma_camera
from reenact.scene import CameraTrack, HandLandmarks, HandTracks, Source


@dataclass(frozen=True)
class HandReconstructionConfig:
    """Everything that shapes the metric hands."""

    hand_length: float | None = None
    """The person's wrist-to-middle-tip length along the bones (m), both hands; None for the adult prior."""
    pose: PoseConfig = field(default_factory=PoseConfig)
    hypotheses: HypothesisConfig = field(default_factory=HypothesisConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    fill: FillConfig = field(default_factory=FillConfig)
    smooth: SmoothConfig = field(default_factory=SmoothConfig)
    steady: SteadyConfig = field(default_factory=SteadyConfig)
    uncertainty: UncertaintyConfig = field(default_factory=UncertaintyConfig)


class HandChain:
    """One clip's inputs and what every step needs of them."""

    def __init__(
        self,
        landmarks: HandLandmarks,
        camera: CameraTrack,
        t_seconds: Float64[np.ndarray, " t"],
        length: float,
        config: HandReconstructionConfig,
    ) -> None:
        self.landmarks, self.camera, self.config = landmarks, camera, config
        self.lens = camera.camera()
        self.T_scene_camera = camera.scene_T_camera()
        self.T_camera_scene = inverse(self.T_scene_camera)
        self.t_seconds = t_seconds
        self.length = length
        self.problems = [self._problem(side) for side in range(2)]
        self.backwards = np.zeros((len(t_seconds), 2), dtype=bool)
        """Hands whose landmarks are read with the fingers in the other order; known after `fit`."""

    def _problem(self, side: int) -> PoseProblem:
        seen = self.landmarks.valid[:, side]
        rays = self.lens.unproject(self.landmarks.landmarks_px[seen, side])
        skeleton = HandSkeleton.adult(side, self.length)
        rel, offsets = self.landmarks.landmarks_rel[seen, side], offsets_of(self.landmarks.backend)
        return PoseProblem(skeleton, rays, rel, self.config.pose, offsets=offsets)

    def fit(self, side: int) -> tuple[WristTrack, WristTrack, Bool[np.ndarray, " t"]]:
        """Every seen frame of one hand by itself; the same with the fit that its neighbours speak for, and whether
        any does."""
        seen, problem, config = self.landmarks.valid[:, side], self.problems[side], self.config
        poses = problem.solve()
        believable = config.gate.max_reprojection / (np.sqrt(2.0) * config.pose.landmark_sigma)
        raw = self._scatter(side, poses)
        settled = HandHypotheses(
            problem, self.T_scene_camera[seen], self.t_seconds[seen], believable, config.hypotheses
        ).settle(poses)
        self.problems[side] = settled.problem
        self.backwards[seen, side] = settled.backwards
        kept = np.zeros(len(seen), dtype=bool)
        kept[seen] = settled.kept
        return raw, self._scatter(side, settled.poses), kept

    def _scatter(self, side: int, poses: HandPoses) -> WristTrack:
        seen = self.landmarks.valid[:, side]
        nothing = np.zeros(len(seen))
        track = scatter_poses(poses, self.problems[side].skeleton, seen, nothing, self.T_scene_camera)
        trust = self._trust(side, self._off(side, track))
        track = dataclasses.replace(track, confidence=np.where(seen, trust, 0.0))
        if not is_measured_net(self.landmarks.backend):
            return track
        own = slow_sigma(track.confidence, seen, self.t_seconds, self.config.steady)
        return dataclasses.replace(track, slow_sigma=own)

    def gate(
        self, settled: list[WristTrack], on_path: list[Bool[np.ndarray, " t"]]
    ) -> UInt8[np.ndarray, "t s=2"]:
        """Reasons of all frames; jumps are looked for among what the other tests leave."""
        depth = np.stack([self.in_camera(track.t_scene)[:, 2] for track in settled], axis=1)
        config, seen = self.config.gate, self.landmarks.valid
        off = np.stack([self._off(side, track) for side, track in enumerate(settled)], axis=1)
        reasons = gate_single_frames(
            seen, np.where(seen, off, 0.0), depth, self.landmarks.landmarks_px, config
        )
        for side, track in enumerate(settled):
            good = reasons[:, side] == GateReason.KEPT
            reasons[good & ~on_path[side], side] = GateReason.INCONSISTENT
            good &= on_path[side]
            jumps = find_jumps(
                track.t_scene, track.R_scene_wrist, self.T_scene_camera, good, self.t_seconds, config
            )
            reasons[jumps, side] = GateReason.JUMP
        return reasons

    def refine(
        self, side: int, fitted: WristTrack, reasons: UInt8[np.ndarray, " t"]
    ) -> tuple[WristTrack, UInt8[np.ndarray, " t"], float]:
        """Fill, limit, smooth; once more without the frames that contradict the motion around them; then the distance.

        Returns the track, the reasons with `INCONSISTENT` added, and the share of kept angles that limits moved.
        """
        track, share = self._refine_once(side, fitted, reasons)
        odd = (reasons == GateReason.KEPT) & (
            self._off(side, track) > self.config.gate.max_refined_reprojection
        )
        if odd.any():
            reasons = np.where(odd, GateReason.INCONSISTENT, reasons).astype(np.uint8)
            track, share = self._refine_once(side, fitted, reasons)
        trust = np.minimum(track.confidence, self._trust(side, self._off(side, track)))
        observed = track.source == Source.SMOOTHED
        track = dataclasses.replace(track, confidence=np.where(observed, trust, track.confidence))
        if is_measured_net(self.landmarks.backend):
            track = steady_distance(track, self.T_scene_camera[:, :3, 3], self.t_seconds, self.config.steady)
        return track, reasons, share

    def _refine_once(self, side: int, track: WristTrack, reasons: np.ndarray) -> tuple[WristTrack, float]:
        kept = reasons == GateReason.KEPT
        limits = self.config.pose.limits
        source = np.where(kept, track.source, Source.UNKNOWN).astype(np.uint8)
        confidence = np.where(kept, track.confidence, 0.0)
        track = dataclasses.replace(track, valid=kept, source=source, confidence=confidence)
        track = fill_gaps(track, self.t_seconds, self.config.fill)
        limited = limit_angles(track.angles, limits)
        share = float((np.abs(limited - track.angles)[kept] > 1e-6).mean()) if kept.any() else 0.0
        seen = self.landmarks.valid[:, side]
        row_of_frame = np.where(seen, np.cumsum(seen) - 1, -1)
        data = FrameData(self.problems[side], row_of_frame, self.T_camera_scene)
        track = dataclasses.replace(track, angles=limited)
        track = smooth_track(track, data, self.t_seconds, self.config.smooth)
        return dataclasses.replace(track, angles=limit_angles(track.angles, limits)), share

    def _off(self, side: int, track: WristTrack) -> Float64[np.ndarray, " t"]:
        """Reprojection error of every frame, of the landmarks as they are read (meaningless where nothing was seen)."""
        return self._off_as_read(side, track, self.backwards[:, side])

    def _off_as_read(
        self, side: int, track: WristTrack, backwards: Bool[np.ndarray, " t"]
    ) -> Float64[np.ndarray, " t"]:
        pose = (
            self.T_camera_scene[:, :3, :3] @ track.R_scene_wrist,
            self.in_camera(track.t_scene),
            track.angles,
        )
        there = self.problems[side].landmarks(pose)
        marks = self.landmarks.landmarks_px[:, side]
        if not backwards.any():
            return reprojection_fraction(there, marks, self.lens)
        read = np.where(backwards[:, None, None], marks[:, REVERSED], marks)
        thumb = slice(
            1, 5
        )  # says nothing when read backwards: put where it is looked for, then left out of the mean
        read[backwards, thumb] = self.lens.project(there[backwards, thumb])
        share = np.where(backwards, np.sqrt(21 / 17), 1.0)
        return reprojection_fraction(there, read, self.lens) * share

    def _trust(self, side: int, off: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, " t"]:
        """The net's confidence, lowered by misfit: 0.95 of it at a third of the gate, 0.6 at the gate."""
        return self.landmarks.confidence[:, side] * np.exp(
            -0.5 * (off / self.config.gate.max_reprojection) ** 2
        )

    def in_camera(self, points_scene: Float64[np.ndarray, "t *n 3"]) -> Float64[np.ndarray, "t *n 3"]:
        """One or many points per frame, scene to camera axes."""
        R, t = self.T_camera_scene[:, :3, :3], self.T_camera_scene[:, :3, 3]
        if points_scene.ndim == 2:
            return np.einsum("tij,tj->ti", R, points_scene) + t
        return np.einsum("tij,tnj->tni", R, points_scene) + t[:, None]

    def tracks(self, sides: list[WristTrack], *, as_read: bool) -> HandTracks:
        """The record of both hands; reprojection is of the landmarks as they are read in the end, or as they came."""
        joints = np.stack([track.joints_scene() for track in sides], axis=1)
        source = np.stack([track.source for track in sides], axis=1)
        user = self.config.hand_length is not None
        return HandTracks(
            joints_world=joints,
            valid=np.stack([track.valid for track in sides], axis=1),
            confidence=np.stack([track.confidence for track in sides], axis=1),
            source=source,
            sigma_camera=np.stack([self._sigma(track) for track in sides], axis=1),
            reprojection=self._reprojection(sides, source, self.backwards & as_read),
            hand_length=np.full(2, self.length),
            hand_length_source="user" if user else "adult_prior",
            world_frame=self.camera.world_frame,
            joint_names=JOINT_NAMES_21,
        )

    def _sigma(self, track: WristTrack) -> Float64[np.ndarray, "t 3"]:
        config = self.config.uncertainty
        user = self.config.hand_length is not None
        return wrist_sigma_camera(
            rotate_covariance(self.T_camera_scene[:, :3, :3], track.covariance[:, :3, :3]),
            self.in_camera(track.t_scene),
            config.given_length_sigma if user else config.prior_length_sigma,
            self.camera.focal_sigma,
            track.slow_sigma,
        )

    def _reprojection(
        self, sides: list[WristTrack], source: np.ndarray, backwards: Bool[np.ndarray, "t 2"]
    ) -> Float64[np.ndarray, "t s=2"]:
        """0 where nothing was seen in that frame."""
        errors = [self._off_as_read(s, track, backwards[:, s]) for s, track in enumerate(sides)]
        seen = (source == Source.OBSERVED) | (source == Source.SMOOTHED)
        return np.where(seen & self.landmarks.valid, np.stack(errors, axis=1), 0.0)
