"""`WristTrack`: one hand over a clip as this room works on it, in the scene's frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.hands.skeleton import HandSkeleton
from reenact.refine.hands.kinematics import posed_joints
from reenact.refine.hands.pose import HandPoses
from reenact.scene import Source


@dataclass(frozen=True)
class WristTrack:
    """State of one hand at every frame; rows that are not valid are finite and meaningless."""

    skeleton: HandSkeleton
    R_scene_wrist: Float64[np.ndarray, "t 3 3"]
    t_scene: Float64[np.ndarray, "t 3"]
    """The wrist (m)."""
    angles: Float64[np.ndarray, "t 20"]
    valid: Bool[np.ndarray, " t"]
    confidence: Float64[np.ndarray, " t"]
    source: UInt8[np.ndarray, " t"]
    covariance: Float64[np.ndarray, "t 6 6"]
    """Random error of wrist position (m) and rotation vector (rad), scene axes."""
    angle_sigma: Float64[np.ndarray, "t 20"]
    """Random one-sigma of the angles (rad)."""
    slow_sigma: Float64[np.ndarray, " t"]
    """Relative one-sigma of the distance from the camera by what errs for a second or so; 0: nothing does."""

    def joints_scene(self) -> Float64[np.ndarray, "t j=21 3"]:
        """The 21 joints from the state; bone lengths are the skeleton's, exactly."""
        return posed_joints(self.skeleton, self.R_scene_wrist, self.t_scene, self.angles)


def scatter_poses(
    poses: HandPoses,
    skeleton: HandSkeleton,
    seen: Bool[np.ndarray, " t"],
    confidence: Float64[np.ndarray, " t"],
    T_scene_camera: Float64[np.ndarray, "t 4 4"],
) -> WristTrack:
    """Fitted hands of the seen frames, put in their place in time and in the scene's frame."""
    n, R_sc = len(seen), T_scene_camera[seen, :3, :3]
    R, t, angles = np.tile(np.eye(3), (n, 1, 1)), np.zeros((n, 3)), np.zeros((n, 20))
    covariance, angle_sigma = np.tile(np.eye(6), (n, 1, 1)), np.ones((n, 20))
    R[seen] = R_sc @ poses.R_camera_wrist
    t[seen] = (R_sc @ poses.t_camera[..., None])[..., 0] + T_scene_camera[seen, :3, 3]
    angles[seen] = poses.angles
    inflation = np.maximum(poses.misfit, 1.0)  # a bad fit says that the noise was larger than assumed
    covariance[seen] = rotate_covariance(R_sc, poses.covariance[:, :6, :6]) * (inflation**2)[:, None, None]
    variances = np.diagonal(poses.covariance, axis1=1, axis2=2)[:, 6:]
    angle_sigma[seen] = np.sqrt(variances) * inflation[:, None]
    return WristTrack(
        skeleton=skeleton,
        R_scene_wrist=R,
        t_scene=t,
        angles=angles,
        valid=seen.copy(),
        confidence=np.where(seen, confidence, 0.0),
        source=np.where(seen, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
        covariance=covariance,
        angle_sigma=angle_sigma,
        slow_sigma=np.zeros(n),
    )


def rotate_covariance(
    R: Float64[np.ndarray, "n 3 3"], covariance: Float64[np.ndarray, "n c c"]
) -> Float64[np.ndarray, "n c c"]:
    """Covariances of 3-vectors or of pairs of them, seen in turned axes."""
    pairs = covariance.shape[-1] // 3
    turn = np.zeros_like(covariance)
    for k in range(pairs):
        turn[:, 3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = R
    return turn @ covariance @ np.swapaxes(turn, -1, -2)
